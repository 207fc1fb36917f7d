"""Every message between the window and the engine, in one file; the values they carry are in records.

Requests go to the engine and are imperative; replies come back and are in the past tense. All are frozen values that msgpack can write.
Frames (4-byte little-endian length, then msgpack) are the only code. Long because every message stands here beside the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from nnviz.document.breakpoints import Breakpoint
from nnviz.document.experiment import Experiment
from nnviz.document.run_log import LogUpdate, RunLog
from nnviz.records.call_list import CallList
from nnviz.records.data_record import DataRecord, TableRecord
from nnviz.records.finding import Finding
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.run_records import (
    BreakpointHit,
    CurvePoints,
    Goal,
    LayerMeasures,
    LayerOutputs,
    LayerSteps,
    Predictions,
    Surface,
    WeightHistory,
)
from nnviz.records.task_records import Progress, Results, Tasks
from nnviz.records.tensors import Array
from nnviz.records.trace_record import Details, NodeTensors, TraceRecord, WhatIf

# --- requests -------------------------------------------------------------------------------------------------------


class Request(msgspec.Struct, frozen=True, tag=True):
    """What the window asks of the engine."""


class Open(Request, frozen=True):
    """Start a new run, and make it as its log says, up to `iteration`."""

    revision: int
    log: RunLog
    folder: str = ""
    """Where relative data paths start."""
    iteration: int = 0
    doctor: dict[str, dict[str, Any]] = {}
    """As in `SetBounds`."""


class Edit(Request, frozen=True):
    """Go on with the present run, but with this document from the next iteration on. Tensors that still fit are kept.

    A change of data, seed or precision cannot go on, nor can a network in which no tensor goes on: it starts a new run.
    """

    revision: int
    experiment: Experiment
    alive: tuple[str, ...] | None = None
    """The layers that were in the document ever since the last one that was sent; another of the same name is another. None: all."""


class Train(Request, frozen=True):
    """Train until told to pause, or for so many iterations."""

    iterations: int | None = None
    past: bool = False
    """Whether the first of them is made whatever breakpoints say of it."""
    goal: Goal | None = None
    """Until this holds, too."""
    per_second: float | None = None
    """How many iterations a second; None: as many as can be made."""


class SetPace(Request, frozen=True):
    """From now on train so many iterations a second; None: as many as can be made."""

    per_second: float | None = None


class Pause(Request, frozen=True):
    """Stop training after the present iteration."""


class GoTo(Request, frozen=True):
    """Make the run stand after exactly so many iterations, by going on or by an exact replay from a checkpoint."""

    iteration: int


class TraceNext(Request, frozen=True):
    """Trace the iteration that follows the present one, without making it; with `what_ifs`, as it would be then."""

    detail: str = "textbook"
    what_ifs: tuple[WhatIf, ...] = ()
    details: Details = ()


class Watch(Request, frozen=True):
    """Measure only what these panels need; and keep the history of one weight.

    curves · measures · updates (measures, and what was added) · steps · outputs · functions · modes · surface · answers · trace.
    """

    panels: tuple[str, ...]
    detail: str = "textbook"
    parameter: str = ""
    """The parameter of that weight; empty for none."""
    element: tuple[int, ...] = ()
    details: Details = ()
    pictures: tuple[PictureWish, ...] = ()
    """What is shown of the inside of the net."""


class SetBreakpoints(Request, frozen=True):
    """From now on stop training before an iteration in which one of these holds. It changes no run, and stays for the next one."""

    breakpoints: tuple[Breakpoint, ...]


class SetBounds(Request, frozen=True):
    """From now on the doctor judges by these, where they differ from its table. It changes no run, and stays for the next one."""

    doctor: dict[str, dict[str, Any]]


class Acknowledge(Request, frozen=True):
    """The window has drawn this frame; none is sent before it."""

    number: int


class Inspect(Request, frozen=True):
    """Send a tensor of the latest trace whole, however large."""

    node: int
    what: str = "value"
    """value · gradient"""


class InspectNode(Request, frozen=True):
    """Send the tensors around a node of the latest trace that were too large to travel with it.

    Its value and gradient, its inputs' values, and the contributions it sends and gets.
    """

    node: int
    row: int | None = 0
    """The row of the batch to be sent of what is too large even by itself; None for the mean over the batch."""


class CheckGradient(Request, frozen=True):
    """Compare one element of a node's gradient with a central finite difference."""

    node: int
    element: tuple[int, ...]


class InspectBatch(Request, frozen=True):
    """Say what every row of the next iteration's batch adds to it."""


class Preview(Request, frozen=True):
    """Read the data of a document without opening it; it changes no run."""

    number: int
    experiment: Experiment
    folder: str = ""


class ReadTable(Request, frozen=True):
    """Look into the file of a document whose data is a CSV file, and say what would become of it."""

    number: int
    experiment: Experiment
    folder: str = ""
    suggests: bool = False
    """Whether the target, where none is named, shall be a column that can be learnt, and not simply the last."""


class StopReading(Request, frozen=True):
    """Read no further in the file of this question; it is answered with what that leaves."""

    number: int


class DrawInitial(Request, frozen=True):
    """Send a parameter as the initializer of its layer draws it from this seed. It changes no run."""

    parameter: str
    seed: int


class MapUnit(Request, frozen=True):
    """Send what one unit of a layer puts out over the plane (or line) of the features, as the net stands, in evaluation mode."""

    layer: str
    unit: int
    """Place in the layer's output, in C order."""


class StartTask(Request, frozen=True):
    """Begin this long work about the run as it stands; it goes on beside everything else, in slices. It changes no run."""

    number: int
    task: Tasks


class StopTask(Request, frozen=True):
    """Leave the long work of this number, which is answered with TaskDone; nothing happens if it has ended already."""

    number: int


class ListCalls(Request, frozen=True):
    """Send the calls of torch that an iteration is made of, as the run goes on from where it stands. It changes no run."""


# --- replies --------------------------------------------------------------------------------------------------------


class Reply(msgspec.Struct, frozen=True, tag=True):
    """What the engine answers."""


class Ready(Reply, frozen=True):
    """The engine is up. Sent once, before anything else."""

    torch: str


class Opened(Reply, frozen=True):
    """Answers Open and Edit: the run stands at `iteration` with the new document. Says what became of the run, and of its log."""

    revision: int
    iteration: int
    epoch: int
    new_run: bool
    """Whether it is another run than before; its log begins with the document that was sent."""
    iterations_per_epoch: int
    data: DataRecord | None = None
    """Only when it differs from what was sent before."""
    kept: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()
    """Parameters that kept their values, and those that had to start anew, after an Edit."""
    reasons: tuple[str, ...] = ()
    """Sentences that say what of the training so far is lost, and why."""
    log: LogUpdate = LogUpdate(0)
    """What the log has become: that of the run before, or of a new run that which was sent."""
    nothing_left: bool = False
    """Whether it is another run because no tensor of the former network goes on."""


class Failed(Reply, frozen=True):
    """A request could not be carried out; the run stands as before (or, for revision, could not be built)."""

    request: str
    message: str
    cure: str = ""
    place: str = ""
    """What of the document is to blame; "detail" where an iteration is too large for the detail that was asked for."""
    revision: int | None = None


class Frame(Reply, frozen=True):
    """What changed since the last frame. Only what is watched is filled in."""

    number: int
    revision: int
    iteration: int
    epoch: int
    learning_rate: float
    points: CurvePoints | None = None
    measures: tuple[LayerMeasures, ...] = ()
    surface: Surface | None = None
    trace: TraceRecord | None = None
    history: WeightHistory | None = None
    answers: Predictions | None = None
    pictures: tuple[Picture, ...] = ()
    outputs: tuple[LayerOutputs, ...] = ()
    steps: tuple[LayerSteps, ...] = ()
    findings: tuple[Finding, ...] | None = None
    """What the doctor finds where the run stands; None where it did not look."""
    judged: tuple[str, ...] = ()
    """With `findings`: the kinds of which enough is known to say that there is none."""


class Trained(Reply, frozen=True):
    """Training has paused. `reason`: asked · done · reached (its goal) · early_stopping · non_finite · breakpoint.

    Before what is not finite, and before a breakpoint, the run stands at the iteration that was not made.
    """

    iteration: int
    epoch: int
    reason: str
    message: str = ""
    hit: BreakpointHit | None = None
    """For a breakpoint: which one, and where."""


class Moved(Reply, frozen=True):
    """Answers GoTo: the run stands at `iteration`; `points` are the curves from the start up to there."""

    iteration: int
    epoch: int
    points: CurvePoints | None = None


class Traced(Reply, frozen=True):
    """Answers Trace."""

    revision: int
    trace: TraceRecord


class Inspected(Reply, frozen=True):
    """Answers Inspect."""

    iteration: int
    node: int
    what: str
    array: Array


class NodeInspected(Reply, frozen=True):
    """Answers InspectNode."""

    revision: int
    tensors: NodeTensors


class GradientChecked(Reply, frozen=True):
    """Answers CheckGradient."""

    node: int
    element: tuple[int, ...]
    analytic: float
    numeric: float
    rounding: float = 0.0
    """By how much the rounding of the loss alone can change `numeric`."""


class BatchInspected(Reply, frozen=True):
    """Answers InspectBatch: the iteration that follows `iteration` finished ones, row by row. Of large batches only the first rows."""

    iteration: int
    rows: tuple[int, ...]
    """Which rows of the training set are in the batch."""
    losses: Array
    """(rows,) Each row's own loss, without penalties."""
    gradient_norms: Array
    """(rows,) The norm of each row's own gradient with respect to all parameters; fewer rows than losses where that took too long."""
    outputs: Array
    """(rows, outputs) Probabilities for classes."""
    loss: float = 0.0
    """The loss of the whole batch, without penalties."""
    classes: Array | None = None
    """(rows,) The class each row is answered with, −1 for none; None for regression."""


class Previewed(Reply, frozen=True):
    """Answers Preview: rows of the data, evenly picked where there are many; or why there are none."""

    number: int
    data: DataRecord | None = None
    message: str = ""
    cure: str = ""


class TableRead(Reply, frozen=True):
    """Answers ReadTable. `message` and `cure` say why it cannot be used as it is; without a `table` it cannot even be read."""

    number: int
    table: TableRecord | None = None
    data: DataRecord | None = None
    """Rows as the network would see them, evenly picked where there are many."""
    message: str = ""
    cure: str = ""


class TableGlimpsed(Reply, frozen=True):
    """Goes ahead of TableRead while a large file is read: the share that has been read, and at first what its first rows are."""

    number: int
    share: float
    table: TableRecord | None = None


class InitialDrawn(Reply, frozen=True):
    """Answers Draw."""

    parameter: str
    seed: int
    array: Array


class UnitMapped(Reply, frozen=True):
    """Answers Respond: (height, width) over the grid of `Surface`, or (width,)."""

    revision: int
    iteration: int
    layer: str
    unit: int
    values: Array


class TaskProgressed(Reply, frozen=True):
    """How far a piece of long work is, and now and then what it has found so far."""

    number: int
    revision: int
    iteration: int
    """Where the run stood that it is about."""
    progress: Progress
    result: Results | None = None
    """Only when there is something new, as a whole of its own."""


class TaskDone(Reply, frozen=True):
    """Answers StartTask, once, at the end. `reason`: done · stopped (asked to, or the run has gone) · failed."""

    number: int
    revision: int
    iteration: int
    reason: str
    result: Results | None = None
    message: str = ""
    cure: str = ""


class CallsListed(Reply, frozen=True):
    """Answers ListCalls."""

    revision: int
    iteration: int
    listed: CallList


class Logged(Reply, frozen=True):
    """Something a model or a library printed, or that the engine says of what it does."""

    text: str


Requests = (
    Open
    | Edit
    | Train
    | Pause
    | GoTo
    | TraceNext
    | Watch
    | SetPace
    | SetBreakpoints
    | SetBounds
    | Acknowledge
    | Inspect
    | InspectNode
    | CheckGradient
    | InspectBatch
    | Preview
    | ReadTable
    | StopReading
    | DrawInitial
    | MapUnit
    | StartTask
    | StopTask
    | ListCalls
)
Replies = (
    Ready
    | Opened
    | Failed
    | Frame
    | Trained
    | Moved
    | Traced
    | Inspected
    | NodeInspected
    | GradientChecked
    | BatchInspected
    | Previewed
    | TableGlimpsed
    | TableRead
    | InitialDrawn
    | UnitMapped
    | TaskProgressed
    | TaskDone
    | CallsListed
    | Logged
)

# --- frames ---------------------------------------------------------------------------------------------------------

LARGEST_FRAME = 1 << 30
_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder(Requests)
_replies = msgspec.msgpack.Decoder(Replies)


def frame(message: Request | Reply) -> bytes:
    """Return the message as one frame: a 4-byte little-endian length, then msgpack."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "little") + body


def decode_request(body: bytes) -> Requests:
    """Return the request in the body of a frame. Raises msgspec.DecodeError for anything else."""
    return _requests.decode(body)


def decode_reply(body: bytes) -> Replies:
    """Return the reply in the body of a frame. Raises msgspec.DecodeError for anything else."""
    return _replies.decode(body)


class FrameReader:
    """Cuts a stream of bytes back into the bodies of frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield every body that is now complete. Raises ValueError for a length no frame has."""
        self._buffer += data
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[:4], "little")
            if length > LARGEST_FRAME:
                raise ValueError(f"a frame of {length} bytes is announced, more than {LARGEST_FRAME}: this is not a stream of frames")
            if len(self._buffer) < 4 + length:
                return
            body = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            yield body
