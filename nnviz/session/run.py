"""What the run looks like from the window: a frozen value, folded from the engine's replies and from what is asked of it. Pure.

Long because every event has its function here: what one leaves of the run is what the next one finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from nnviz import messages
from nnviz.records.data_record import DataRecord
from nnviz.records.finding import Finding
from nnviz.records.picture_records import Picture
from nnviz.records.run_records import LayerMeasures, LayerOutputs, LayerSteps, Predictions, Surface, WeightHistory
from nnviz.records.trace_index import TraceIndex
from nnviz.session.run_curves import Curves

MOST_SNAPSHOTS = 64
"""How many sets of measures are kept for pictures over time; when there are more, every second one is dropped."""

RECENT = 12
"""So many frames later what was measured while the run trains is old: 0.4 s, or some 2 s where frames are slow to be drawn."""


@dataclass(frozen=True)
class Snapshot:
    """What was measured of all layers at one iteration; empty is what nobody watched."""

    iteration: int
    layers: tuple[LayerMeasures, ...] = ()
    """Of those with parameters."""
    outputs: tuple[LayerOutputs, ...] = ()
    steps: tuple[LayerSteps, ...] = ()


@dataclass(frozen=True)
class RunState:
    """Everything that happened since the seed, as far as the window knows. Views draw it and never change it."""

    engine: str = "starting"
    """starting · ready · restarting · failed · stopped (until the document changes)"""
    revision: int = 0
    """Counts the documents sent; what answers an older one is not drawn."""
    opened: int = 0
    """The revision this run began with."""
    iteration: int = 0
    epoch: int = 0
    iterations_per_epoch: int = 1
    learning_rate: float = 0.0
    training: bool = False
    target: int | None = None
    """The iteration the run is on its way to; None while it is not."""
    frames: tuple[int, ...] = ()
    """The iterations of the latest frames since training began, RECENT at most."""
    stopped: str = ""
    """Why training last paused: asked · done · early_stopping · non_finite · breakpoint."""
    message: str = ""
    """A sentence for the person, about the last stop or failure."""
    failure: messages.Failed | None = None
    """Why the present document could not be built."""
    curves: Curves = field(default_factory=lambda: Curves.of(None))
    ahead: Curves = field(default_factory=lambda: Curves.of(None))
    """The figures of iterations behind the present one: they were made before the run went back, and are the same when they come again."""
    snapshots: tuple[Snapshot, ...] = ()
    """Measures over time, oldest first."""
    surface: Surface | None = None
    surface_iteration: int = 0
    history: WeightHistory | None = None
    """Of the weight that is watched."""
    answers: Predictions | None = None
    """To the rows of the data, after `answers_iteration` iterations."""
    answers_iteration: int = 0
    pictures: Mapping[str, tuple[int, Picture]] = field(default_factory=dict)
    """The latest picture of each kind, and the iteration it is of."""
    findings: tuple[Finding, ...] | None = None
    """What the doctor found, after `findings_iteration` iterations; None as long as it has not looked."""
    findings_iteration: int = 0
    judged: tuple[str, ...] = ()
    """The kinds of which it knew enough then to say that there is none."""
    data: DataRecord | None = None
    is_data_past: bool = False
    """Whether the document says other data than `data`, which is on its way."""
    trace_index: TraceIndex | None = None
    """The latest trace."""
    traced: int = -1
    """The revision whose next iteration `trace_index` shows; −1 when it shows an iteration already made."""
    kept: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    set_aside: RunState | None = None
    """What was shown before other data was waited for; None while none is."""

    @property
    def is_traced(self) -> bool:
        """Whether the latest trace is that of the iteration that comes next, with the present document."""
        stands = self.traced == self.revision and not self.training
        return stands and self.trace_index is not None and self.trace_index.trace.iteration == self.iteration

    def is_late(self, iteration: int) -> bool:
        """Return whether what is of this iteration is old: the run stands at another one, is to, or has long left it while it trains."""
        if not self.training:
            return iteration != (self.iteration if self.target is None else self.target)
        return len(self.frames) == RECENT and iteration < self.frames[0]

    @property
    def is_judged(self) -> bool:
        """Whether `findings` are of where the run stands; while it trains they are renewed now and then."""
        stands = self.engine == "ready" and self.target is None
        return self.findings is not None and stands and (self.training or self.findings_iteration == self.iteration)

    @property
    def is_made_again(self) -> bool:
        """Whether the iterations up to where it stands are still being made again, as after an undo: only then is the epoch not known."""
        return self.iteration > 0 and self.epoch == 0 and self.trace_index is None and not self.training

    @property
    def reached(self) -> int:
        """How far the run has ever come; on its way to another iteration it has not lost what it knew."""
        known = self.ahead.iteration if self.ahead.iteration.size or self.target is None else self.curves.iteration
        return max(self.iteration, int(known[-1]) if known.size else 0)

    @property
    def measures(self) -> tuple[LayerMeasures, ...]:
        """The latest measures."""
        return next((snapshot.layers for snapshot in reversed(self.snapshots) if snapshot.layers), ())


# --- what the window does to the run ----------------------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True):
    """Something that is no reply of the engine."""


class Starting(Event, frozen=True):
    """An engine is being brought up; `again`: for a run that was open already."""

    again: bool


class Lost(Event, frozen=True):
    """The engine is gone. What it was asked will not be answered."""


class GivenUp(Event, frozen=True):
    """The engine cannot be kept alive, or shall rest."""

    reason: str
    engine: str = "failed"
    """failed · stopped"""


class Revised(Event, frozen=True):
    """The document has become another, and the run goes on with it."""


class Unjudged(Event, frozen=True):
    """The doctor judges by other bounds from now on."""


class Awaited(Event, frozen=True):
    """Other data is on its way, and takes long: what is known is not about the document any more."""


class BegunAgain(Event, frozen=True):
    """The run begins anew, and goes on to `iteration` at once. The pictures of the old one stay until it is there."""

    iteration: int = 0


class Begun(Event, frozen=True):
    """Another run takes the place of this one. There is nothing to draw of it, or what a `former` one looked like when it was left."""

    former: RunState | None = None
    other_data: bool = False
    """Whether it is trained on other data than this one."""


class LeftBehind(Event, frozen=True):
    """What is known of the iterations ahead is that of another run from now on."""


class Regained(Event, frozen=True):
    """What is known of the iterations ahead is of this run again."""

    ahead: Curves


class Ordered(Event, frozen=True):
    """Training has been asked for."""


class GoingTo(Event, frozen=True):
    """The run has been asked to stand at this iteration."""

    iteration: int


class LogCleared(Event, frozen=True):
    """A person has read what was logged."""


def fold(run: RunState, event: messages.Reply | Event) -> RunState:
    """Return the run after this. Replies of an older revision change nothing that is drawn.

    What they say of the past stays true, though: that a new run began, its data, and the points of its curves.
    """
    handler = _HANDLERS.get(type(event))
    if isinstance(event, messages.Frame) and event.revision != run.revision:
        return _past_frame(run, event)
    stale = not isinstance(event, messages.Opened) and getattr(event, "revision", None) not in (None, run.revision)
    return handler(run, event) if handler and not stale else run


def remembered(run: RunState, **others: Any) -> RunState:
    """Return what of the run is shown at once when it comes back, with some of it otherwise; a trace is too large to be kept for that."""
    return RunState(**{name: getattr(run, name) for name in ("iteration", *_REMEMBERED)} | others)


_REMEMBERED = ("iterations_per_epoch", "data", "curves", "ahead", "snapshots")


def _starting(run: RunState, event: Starting) -> RunState:
    return replace(run, engine="restarting" if event.again else "starting", message="")


def _lost(run: RunState, event: Lost) -> RunState:
    on_its_way = run.target is not None  # what it came from lies ahead of where it is left
    ahead = run.curves.after(run.iteration).followed_by(run.ahead) if on_its_way else run.ahead
    return replace(run, engine="restarting", training=False, target=None, ahead=ahead, message="")


def _given_up(run: RunState, event: GivenUp) -> RunState:
    return replace(_lost(run, Lost()), engine=event.engine, message=event.reason)


def _revised(run: RunState, event: Revised) -> RunState:
    return replace(run, revision=run.revision + 1, findings=None)


def _unjudged(run: RunState, event: Unjudged) -> RunState:
    return replace(run, findings=None)


def _awaited(run: RunState, event: Awaited) -> RunState:
    return run if run.set_aside else replace(run, **_FRESH | {"training": run.training, "set_aside": run, "is_data_past": True})


def _taken_back(run: RunState) -> RunState:
    """The run as it was shown before it was set aside."""
    if run.set_aside is None:
        return run
    return replace(run, set_aside=None, is_data_past=False, **{name: getattr(run.set_aside, name) for name in _PICTURES})


def _begun_again(run: RunState, event: BegunAgain) -> RunState:
    return replace(run, revision=run.revision + 1, iteration=event.iteration, epoch=0, target=None, findings=None)


def _begun(run: RunState, event: Begun) -> RunState:
    former = event.former or RunState(data=run.data, iterations_per_epoch=run.iterations_per_epoch)
    seen = {name: getattr(former, name) for name in _REMEMBERED}
    run = _begun_again(run, BegunAgain(former.iteration))
    is_past = event.former is None and (run.is_data_past or event.other_data)
    return replace(run, **_FRESH | seen, opened=run.revision, is_data_past=is_past)


def _left_behind(run: RunState, event: LeftBehind) -> RunState:
    return replace(run, ahead=Curves.of(None))


def _regained(run: RunState, event: Regained) -> RunState:
    return replace(run, ahead=event.ahead)


def _ordered(run: RunState, event: Ordered) -> RunState:
    return replace(run, training=True, frames=(), stopped="", message="")


def _going_to(run: RunState, event: GoingTo) -> RunState:
    return replace(run, target=event.iteration)


# --- what the engine says ---------------------------------------------------------------------------------------------


def _ready(run: RunState, reply: messages.Ready) -> RunState:
    return replace(run, engine="ready")


def _opened(run: RunState, reply: messages.Opened) -> RunState:
    data = reply.data or run.data
    run = replace(
        run,
        iteration=reply.iteration,
        epoch=reply.epoch,
        iterations_per_epoch=reply.iterations_per_epoch,
        data=data,
        is_data_past=False,
        failure=None,
        message="",
        kept=reply.kept,
        reset=reply.reset,
    )
    if not reply.new_run:
        return replace(_taken_back(run), ahead=Curves.of(None), findings=None)
    kept = {"ahead": run.ahead} | ({"snapshots": run.snapshots} if reply.iteration else {})  # the same run, made again
    return replace(run, **_FRESH | kept, opened=reply.revision)


_PICTURES = ("curves", "ahead", "snapshots", "surface", "history", "answers", "pictures", "findings", "trace_index", "traced", "stopped")
_FRESH = {
    "curves": Curves.of(None),
    "ahead": Curves.of(None),
    "snapshots": (),
    "surface": None,
    "history": None,
    "answers": None,
    "pictures": {},
    "findings": None,
    "trace_index": None,
    "traced": -1,
    "stopped": "",
    "training": False,
    "target": None,
    "set_aside": None,
}


def _failed(run: RunState, reply: messages.Failed) -> RunState:
    building = reply.request in ("Open", "Edit")
    training = run.training and not (building or reply.request in ("Train", "GoTo"))
    message = " ".join(filter(None, (reply.message, reply.cure)))
    target = None if reply.request == "GoTo" else run.target
    run = _taken_back(run) if building else run
    return replace(run, failure=reply if building else run.failure, message=message, training=training, target=target)


def _frame(run: RunState, reply: messages.Frame) -> RunState:
    snapshots = _with_measures(run.snapshots, reply) if reply.measures or reply.outputs or reply.steps else run.snapshots
    run = replace(
        run,
        iteration=reply.iteration,
        epoch=reply.epoch,
        learning_rate=reply.learning_rate,
        frames=(*run.frames, reply.iteration)[-RECENT:],
        curves=run.curves.with_points(reply.points),
        ahead=run.ahead.after(reply.iteration) if run.ahead.iteration.size else run.ahead,
        snapshots=snapshots,
        history=reply.history or run.history,
    )
    if reply.surface:
        run = replace(run, surface=reply.surface, surface_iteration=reply.iteration)
    if reply.answers:
        run = replace(run, answers=reply.answers, answers_iteration=reply.iteration)
    if reply.findings is not None:
        run = replace(run, findings=reply.findings, findings_iteration=reply.iteration, judged=reply.judged)
    if reply.pictures:
        made = {picture.wish.kind: (reply.iteration, picture) for picture in reply.pictures}
        run = replace(run, pictures={**run.pictures, **made})
    return replace(run, trace_index=TraceIndex(reply.trace), traced=-1) if reply.trace else run


def _with_measures(snapshots: tuple[Snapshot, ...], frame: messages.Frame) -> tuple[Snapshot, ...]:
    """The snapshots with what a frame has measured; what is known of the same iteration besides stays."""
    known = next((one for one in snapshots if one.iteration == frame.iteration), Snapshot(frame.iteration))
    new = Snapshot(frame.iteration, frame.measures or known.layers, frame.outputs or known.outputs, frame.steps or known.steps)
    return thinned((*(one for one in snapshots if one.iteration < frame.iteration), new))


def _past_frame(run: RunState, reply: messages.Frame) -> RunState:
    is_of_this_run = run.opened <= reply.revision < run.revision and run.set_aside is None
    return replace(run, curves=run.curves.with_points(reply.points)) if is_of_this_run and reply.points else run


def _trained(run: RunState, reply: messages.Trained) -> RunState:
    return replace(run, iteration=reply.iteration, epoch=reply.epoch, training=False, stopped=reply.reason, message=reply.message)


def _moved(run: RunState, reply: messages.Moved) -> RunState:
    snapshots = tuple(snapshot for snapshot in run.snapshots if snapshot.iteration <= reply.iteration)
    return replace(
        run,
        iteration=reply.iteration,
        epoch=reply.epoch,
        curves=Curves.of(reply.points),
        ahead=run.curves.after(reply.iteration).followed_by(run.ahead.after(reply.iteration)),
        snapshots=snapshots,
        findings=None,
        training=False,
        target=None,
        stopped="",
    )


def _traced(run: RunState, reply: messages.Traced) -> RunState:
    original = run.trace_index.truth if reply.trace.what_ifs and run.trace_index else None
    return replace(run, trace_index=TraceIndex(reply.trace, original), traced=reply.revision)


def _logged(run: RunState, reply: messages.Logged) -> RunState:
    return replace(run, log=(*run.log, reply.text)[-500:])


def _log_cleared(run: RunState, event: LogCleared) -> RunState:
    return replace(run, log=())


_HANDLERS = {
    Starting: _starting,
    Lost: _lost,
    GivenUp: _given_up,
    Revised: _revised,
    Unjudged: _unjudged,
    Awaited: _awaited,
    BegunAgain: _begun_again,
    Begun: _begun,
    LeftBehind: _left_behind,
    Regained: _regained,
    Ordered: _ordered,
    GoingTo: _going_to,
    messages.Ready: _ready,
    messages.Opened: _opened,
    messages.Failed: _failed,
    messages.Frame: _frame,
    messages.Trained: _trained,
    messages.Moved: _moved,
    messages.Traced: _traced,
    messages.Logged: _logged,
    LogCleared: _log_cleared,
}


def thinned(snapshots: tuple[Snapshot, ...]) -> tuple[Snapshot, ...]:
    """Return at most MOST_SNAPSHOTS snapshots: when there are more, every second one goes, but the newest stays."""
    if len(snapshots) <= MOST_SNAPSHOTS:
        return snapshots
    return snapshots[:-1][::2] + snapshots[-1:]
