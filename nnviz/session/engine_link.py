"""The run as window and engine agree on it: which document the engine works on, the run's log, what was sent and what came back.

Long because what is sent, what is left and what comes back are one order of events, which could not be followed across files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.document.run_log import NOTHING_LEFT, RunLog, same_run, trained_layers
from nnviz.session._pending import Pending
from nnviz.session.run import (
    Awaited,
    Begun,
    BegunAgain,
    Event,
    GivenUp,
    GoingTo,
    LeftBehind,
    LogCleared,
    Lost,
    Ordered,
    Regained,
    Revised,
    RunState,
    Starting,
    Unjudged,
    fold,
    remembered,
)
from nnviz.session.run_curves import Curves

_MOST_FORMER = 8
PATIENCE = 500
"""Milliseconds for which the pictures of the old data stay while other data is on its way."""
CANCELLED = "Cancelled: the engine rests. Change the document, open another one, or choose Restart the engine."
GO_THERE = "Go to iteration leads back to where it was."
MOST_DEATHS = 3
"""So many times in a row an engine may die over the same work before no other one is started."""


class Wire(Protocol):
    """What carries requests: an engine process, or a list in tests."""

    def start(self) -> None: ...

    def send(self, request: messages.Request) -> None: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True)
class FormerRun:
    """A run that was left, and what it looked like."""

    log: RunLog
    run: RunState

    @property
    def in_force(self) -> Experiment:
        """The document of its next iteration."""
        return self.log.at(self.run.iteration)


class EngineLink(QObject):
    """One run at a time. Every document that is sent has a revision; what answers an older one is not drawn."""

    run_changed = Signal(object, object)
    message_posted = Signal(str, str)
    asked = Signal(object)
    """A request has been sent."""
    arriving = Signal(object)
    """A reply has come, and the run does not yet hold what it says."""
    leaving = Signal()
    """The run is about to begin anew, because the document cannot go on in it."""
    replied = Signal(object)
    """A reply, once the run holds what it says."""

    def __init__(self, wire: Wire, experiment: Experiment, is_sound: bool, folder: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run = RunState()
        self.experiment, self.is_sound, self.folder = experiment, is_sound, folder
        """What the engine shall run, whether it can be built as far as the window can tell, and where relative data paths start."""
        self.log: RunLog | None = None
        """The history of the run, as the engine has said it last; None until one is open."""
        self._wire = wire
        self.pending = Pending()
        """What the engine has not answered yet."""
        self._culprit: tuple | None = None
        """What the engine was at when it died, and how often it has died over that in a row."""
        self._deaths = 0
        self._sent: dict[int | None, messages.Open | messages.Edit] = {}
        self._former: list[FormerRun] = []
        self._returning: int | None = None
        """The revision with which a former run is on its way back."""
        self._awaiting = QTimer(self, singleShot=True, interval=PATIENCE)
        self._awaiting.timeout.connect(lambda: self._fold(Awaited()) if self._sent and self._has_other_data() else None)
        self._base: Experiment | None = None
        self._alive: set[str] = set()
        """The layers of `_base` with parameters that were in the document all the time."""

    @property
    def is_up_to_date(self) -> bool:
        """Whether the engine runs the present document and no other."""
        return self.run.engine == "ready" and self.is_sound and self.log is not None and not self._sent and self.run.failure is None

    @property
    def is_waiting(self) -> bool:
        """Whether the engine has not yet answered with which document it goes on."""
        return bool(self._sent)

    # --- the engine's life ---

    def start(self) -> None:
        """Bring up the engine, also after it has failed. Does nothing while one runs."""
        if self.run.engine != "ready":
            self._culprit = None
            self._fold(Starting(again=self.log is not None))
            self._wire.start()

    def lost(self, reason: str) -> None:
        """The engine died: start another one, which will make the run again up to where it stands.

        Where engines keep dying over the same work, no other one is started.
        """
        if self.run.engine == "failed":
            return
        culprit = self.pending.oldest and (type(self.pending.oldest), self.run.iteration)
        self._deaths = self._deaths + 1 if culprit and culprit == self._culprit else 1
        self._culprit = culprit
        if self._deaths >= MOST_DEATHS:
            self.failed(f"It ended {MOST_DEATHS} times over the same work. {reason}")
            return
        self._gone(Lost())
        self.message_posted.emit("warning", f"The engine stopped unexpectedly; starting a new one. {reason}")
        self._wire.start()

    def failed(self, reason: str) -> None:
        """The engine cannot be kept alive: stay without one until a person starts it."""
        if self.run.engine != "failed":
            self._gone(GivenUp(reason))
            self.message_posted.emit("error", f"The engine does not run. {reason}")

    def break_off(self) -> None:
        """End the engine whatever it is at; another one makes the run again up to where it stands.

        What could not be opened is not opened again by itself: without its run the engine rests until something changes.
        """
        stuck = self.pending.oldest
        self._wire.kill()
        if isinstance(stuck, messages.Open) and stuck.iteration and not self.pending.is_superseded:
            self._gone(Lost())
            ahead = self.run.curves.followed_by(self.run.ahead).after(0)
            self._fold(BegunAgain())  # the log still leads to where it stood
            self.regain(ahead)
            self.message_posted.emit("warning", f"Making the run again was cancelled: it stands at its start. {GO_THERE}")
            self._wire.start()
        elif isinstance(stuck, messages.Open | messages.Edit) and not self.pending.is_superseded:
            self._gone(GivenUp(CANCELLED, "stopped"))
            self.message_posted.emit("warning", CANCELLED)
        else:
            self._gone(Lost())
            self._wire.start()

    def restart(self) -> None:
        """End the engine and start another one, which makes the run again."""
        if self.run.engine in ("failed", "stopped"):
            self.start()
            return
        self._culprit = None
        self._wire.kill()
        self._gone(Lost())
        self._wire.start()

    def _gone(self, event: Lost | GivenUp) -> None:
        self._sent.clear()
        self.pending.clear()
        self._fold(event)

    def close(self) -> None:
        """End the engine."""
        self._awaiting.stop()
        self._wire.stop()

    # --- the document ---

    def set_folder(self, folder: str) -> None:
        """Take relative data paths from here on."""
        self.folder = folder

    def begin(self, experiment: Experiment, is_sound: bool, folder: str) -> None:
        """Start a new run with another document; what was left belongs to none of its states."""
        self._former.clear()
        self.experiment, self.is_sound, self.folder = experiment, is_sound, folder
        self._leave()
        self._open()
        self._wake("failed", "stopped")

    def begin_again(self, log: RunLog | None = None, iteration: int = 0) -> None:
        """Start a new run with the present document. Pictures of the old one stay until it is there.

        With a `log` that leads to the document it starts as that does; the changes are made again when the run gets there. It goes on
        to `iteration` at once.
        """
        self.log = log
        self._fold(BegunAgain(iteration))
        self._fold(LeftBehind())
        self._open()

    def follow(self, experiment: Experiment, is_sound: bool) -> bool:
        """Go on with this document, in the run it belongs to: the present one, or a former one that comes back with its network.

        Return whether it is known already to be another run than before.

        One that cannot be built is not sent; where not even a layer of the run's network is left in it, the run is given up at once.
        """
        unchanged, has_other_bounds = same_run(experiment, self.experiment), experiment.doctor != self.experiment.doctor
        has_other_data = (experiment.data, experiment.seed) != (self.experiment.data, self.experiment.seed)
        self.experiment, self.is_sound = experiment, is_sound
        self._culprit = None
        if has_other_bounds:
            self._fold(Unjudged())
            self.ask(messages.SetBounds(experiment.doctor))
        former = self._back() if is_sound else None
        self._follow_layers()
        if former:
            self._return_to(former)
            self._wake("stopped")
        elif not is_sound and self._base is not None and not self._alive:
            trained = self.run.iteration
            self._remember()
            self._leave()
            if trained:
                self.message_posted.emit("info", NOTHING_LEFT)
        elif not unchanged:
            is_of_none = has_other_data and self.log is None and not self._sent  # the rows on the screen are those of a run that is gone
            self._fold(Begun(other_data=True) if is_of_none else Revised())
            self._edit()
            self._wake("stopped")
            return False
        return former is not None or self.log is None

    def adopt(self, experiment: Experiment) -> None:
        """Take this for the document: it says what is in force where the run stands."""
        self.experiment = experiment
        self._follow_layers()

    @property
    def in_force(self) -> Experiment | None:
        """The document of which the next iteration is made, as the run's log says; None as long as no run is open."""
        return self.log.at(self.run.iteration) if self.log else None

    def _follow_layers(self) -> None:
        base = self.in_force
        if base is None or self.experiment.network is base.network:
            self._base = None
            return
        if self._base is not base:
            self._base, self._alive = base, trained_layers(base)
        self._alive &= {layer.id for layer in self.experiment.network}

    def _edit(self) -> None:
        if self.log is None and not self._sent:
            self._open()
        elif self.is_sound:
            alive = None if self._base is None else tuple(sorted(self._alive))
            if self._has_other_data():
                self._awaiting.start()
            self._send_document(messages.Edit(self.run.revision, self.experiment, alive))

    def _has_other_data(self) -> bool:
        """Whether the run is trained on other rows than the document says."""
        last = self.log.last if self.log else self.experiment
        return (self.experiment.data, self.experiment.seed) != (last.data, last.seed)

    def _open(self) -> None:
        log, iteration = (self.log, self.run.iteration) if self.log else (RunLog(self.experiment), 0)
        if self.log or self.is_sound:
            self._send_document(messages.Open(self.run.revision, log, self.folder, iteration, self.experiment.doctor))

    def _wake(self, *states: str) -> None:
        """Start an engine if it was given up: with another document it may run."""
        if self.run.engine in states and self.is_sound:
            self.start()

    def _send_document(self, request: messages.Open | messages.Edit) -> None:
        if self.run.engine == "ready":
            self._sent[request.revision] = request
            self._send(request)

    def _send(self, request: messages.Request) -> None:
        self.pending.sent(request)
        self._wire.send(request)
        self.asked.emit(request)

    # --- former runs ---

    def _back(self) -> FormerRun | None:
        """The run that was left with this very network: by undo or redo, for one that is built again is another."""
        return next((former for former in self._former if former.in_force.network is self.experiment.network), None)

    def _remember(self) -> None:
        if self.log is not None:
            self._former = [*self._former, FormerRun(self.log, remembered(self.run))][-_MOST_FORMER:]

    def _leave(self) -> None:
        """Give the run up. The next document that can be built begins another one."""
        is_other = self._has_other_data()
        self._returning = self._base = self.log = None
        self._fold(Begun(other_data=is_other))

    def _return_to(self, former: FormerRun) -> None:
        """Go back to a run that was left: it is made again, and looks at once as it did."""
        self._remember()
        self._former.remove(former)
        self._sent.clear()  # what the run that is left still answers is not its own
        self._base, self.log = None, former.log
        self._fold(Begun(former.run))
        self._returning = self.run.revision
        self._open()

    def take_up(self, log: RunLog, run: RunState, experiment: Experiment) -> None:
        """Leave the run for another one, which looks at once as `run` and stands where that does; `experiment` is what holds there."""
        self._sent.clear()  # what the run that is left still answers is not its own
        self._base, self.log, self.experiment = None, log, experiment
        self._fold(Begun(run))
        self._open()

    def regain(self, ahead: Curves) -> None:
        """Know of the iterations ahead what was known of them before."""
        self._fold(Regained(ahead))

    # --- what is asked ---

    def ask(self, request: messages.Request) -> None:
        """Send a request that changes nothing; without an engine it is dropped."""
        if self.run.engine == "ready":
            self._send(request)

    def train(self, request: messages.Train) -> None:
        """Have iterations made."""
        self._culprit = None
        self._fold(Ordered())
        self.ask(request)

    def go_to(self, iteration: int) -> None:
        """Have the run stand after so many iterations."""
        self._fold(GoingTo(iteration))
        self.ask(messages.GoTo(iteration))

    # --- replies ---

    def log_line(self, text: str) -> None:
        """Keep what the engine wrote beside its replies."""
        self._fold(messages.Logged(text))

    def clear_log(self) -> None:
        """Forget what the engine wrote so far."""
        self._fold(LogCleared())

    def receive(self, reply: messages.Reply) -> None:
        """Take a reply of the engine."""
        answered = self.pending.received(reply)
        if self._culprit and type(answered) is self._culprit[0]:
            self._culprit = None  # this engine has not died over it
        if isinstance(reply, messages.Trained | messages.Moved) and self.log is None:
            return  # about a run that has been given up
        self.arriving.emit(reply)
        match reply:
            case messages.Opened():
                self._opened(reply)
            case messages.Failed(request="start"):
                self.failed(" ".join(filter(None, (reply.message, reply.cure))))
            case messages.Failed():
                self._fold(reply)
                self._refused(reply)
            case _:
                self._fold(reply)
        if isinstance(reply, messages.Ready):
            self._again(self._open)
        self.replied.emit(reply)

    def _opened(self, reply: messages.Opened) -> None:
        request = self._sent.pop(reply.revision, None)
        if isinstance(request, messages.Edit) and self.log is None:
            if not self._sent:
                self._again(self._open)  # it was an edit of a run that had been given up
            return
        is_left = isinstance(request, messages.Edit) and reply.nothing_left
        if is_left:
            self._remember()
        if isinstance(request, messages.Edit) and reply.new_run:
            self.leaving.emit()
            self._fold(LeftBehind())
        self.log = self._new_log(reply, request)
        self._fold(reply)
        self._say_that_it_is_back(reply)
        former = self._back() if is_left and self.is_sound else None
        if former:
            self._return_to(former)  # the person has taken the edit back in the meantime
        elif self.is_up_to_date and not same_run(self.experiment, self.in_force):
            self._again(self._edit)  # an edit that was lost with the engine that died

    def _new_log(self, reply: messages.Opened, request: messages.Open | messages.Edit | None) -> RunLog | None:
        if isinstance(request, messages.Open):
            return request.log.updated(reply.log, self.experiment)
        if isinstance(request, messages.Edit):
            return (RunLog(request.experiment) if reply.new_run else self.log).updated(reply.log, request.experiment)
        return self.log

    def _say_that_it_is_back(self, reply: messages.Opened) -> None:
        if self._returning is None or not reply.new_run or reply.revision < self._returning:
            return
        self._returning = None
        if reply.iteration:
            text = f"The former network is back, and its run stands at iteration {reply.iteration:,} again."
            self.message_posted.emit("info", text)

    def _refused(self, reply: messages.Failed) -> None:
        request = self._sent.pop(reply.revision, None)
        if isinstance(request, messages.Open):
            self.log = None
        elif request and self.log is None and not self._sent:
            self._again(self._open)  # it was an edit of a run that could not be opened

    # --- inside ---

    def _again(self, send: Callable[[], None]) -> None:
        self._fold(Revised())
        send()

    def _fold(self, event: messages.Reply | Event) -> None:
        old, self.run = self.run, fold(self.run, event)
        if self.run is not old:
            self.run_changed.emit(old, self.run)
