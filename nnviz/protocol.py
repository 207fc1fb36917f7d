"""Every message between the window and the engine, and the values they carry, in one file.

Requests go to the engine and are imperative; replies come back and are in the past tense. All are frozen values that msgpack can write.
Nothing here computes; frames (4-byte little-endian length, then msgpack) are the only code.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nnviz.document.breakpoints import Breakpoint
from nnviz.document.experiment import Experiment

WHOLE = 4096
"""A tensor with at most this many elements travels whole, a larger one as a measure."""

PICTURED = 1 << 17
"""Of the output of a layer that does not travel whole, the first rows with at most this many elements together do."""

Details = tuple[tuple[str, str], ...]
"""Groups and the detail they are opened to, where that is not the trace's own: (("h1", "math"), ("encoder/layers/0", "layer"))."""

# --- values ---------------------------------------------------------------------------------------------------------


class Array(msgspec.Struct, frozen=True, array_like=True):
    """A numpy array on the wire: dtype by name, C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class Measure(msgspec.Struct, frozen=True):
    """What is said of a tensor too large to send, or of one watched over time. Statistics are over the finite elements."""

    count: int
    min: float
    max: float
    mean: float
    std: float
    norm: float
    zeros: int
    """Elements that are exactly 0; they are not in the histogram."""
    non_finite: int
    """Elements that are NaN or ±Inf; they are not in the histogram."""
    histogram: tuple[int, ...]
    """Counts in equal bins from `low` to `high`."""
    low: float
    high: float


class Tensor(msgspec.Struct, frozen=True):
    """A tensor of a trace: its shape and, by its size, either all its values or a measure of them."""

    shape: tuple[int, ...]
    values: Array | None = None
    measure: Measure | None = None


# --- the trace of one iteration -------------------------------------------------------------------------------------


class Marks(msgspec.Struct, frozen=True):
    """What is conspicuous about a node's value over the whole batch. Counts; 0 where it cannot be."""

    dead: int = 0
    """Units of a ReLU that are 0 for every row of the batch."""
    units: int = 0
    saturated: int = 0
    """Elements of a sigmoid or tanh whose derivative is below 5 % of the largest it can be."""
    dropped: int = 0
    """Elements that dropout has set to 0, of a mask."""
    elements: int = 0
    non_finite: int = 0
    """Elements of the value that are NaN or infinite."""
    non_finite_gradient: int = 0
    frozen: bool = False
    """A parameter that no optimizer changes."""


class NodeRecord(msgspec.Struct, frozen=True):
    """One node of the computational graph. Node ids are their places in `TraceRecord.nodes`."""

    id: int
    kind: str
    """input · parameter · buffer · constant · operation · loss"""
    operation: str
    label: str
    module: str
    """Dotted path of the module it belongs to (the layer id, for a net built on the canvas); empty for the loss."""
    group: tuple[str, ...]
    """Names of the groups around it, outermost first; the first is the layer."""
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    phase: str
    """forward · loss"""
    value: Tensor | None = None
    gradient: Tensor | None = None
    batch_axis: int | None = None
    """The axis that counts the rows of the batch, if it has one."""
    reads: tuple[int, ...] = ()
    """Nodes whose forward values this node's backward step reads."""
    formula: str = ""
    derivative: str = ""
    where: str = ""
    """file:line of the call that made it."""
    dropped: Array | None = None
    """For dropout: True where an element was dropped."""
    winners: Array | None = None
    """For max pooling: for every element of the value the place in the input that won, counted row-major over the pooled axes."""
    marks: Marks | None = None
    """None where nothing is conspicuous."""
    whole: int | None = None
    """For a neuron: the node of `TraceRecord.whole` that it is one element of."""
    element: tuple[int, ...] | None = None
    """For a neuron: which element, without the batch axis; None where it belongs to another output than that node's first."""
    ports: tuple[int, ...] = ()
    """Beside `inputs`: which output of that node it is, where that node has several."""
    arguments: tuple = ()
    """What the call was given by position: numbers, words, lists of them; {"input": k} for the k-th of `inputs`, {"slice": […]}."""
    keywords: dict = {}
    """What it was given by name."""


class EdgeRecord(msgspec.Struct, frozen=True):
    """One use of a node's value by an operation, and the gradient contribution that comes back along it."""

    source: int
    target: int
    argument: int
    """Which of the target's inputs it is."""
    contribution: Tensor | None = None
    local: Array | None = None
    """∂target/∂source element by element, where the operation works element by element and the formula table knows it."""


class StepRecord(msgspec.Struct, frozen=True):
    """One entry of the schedule."""

    index: int
    phase: str
    """batch · forward · loss · backward · clip · update"""
    node: int
    parameter: str = ""
    """For update steps: the parameter's name."""
    others: tuple[int, ...] = ()
    """The nodes to which the same happens in this step: for neurons, the other weights of one."""


class RowRecord(msgspec.Struct, frozen=True):
    """One row of what the optimizer (or clipping) does to a parameter."""

    symbol: str
    formula: str
    value: Tensor


class UpdateRecord(msgspec.Struct, frozen=True):
    """What the optimizer does to one parameter, row by row."""

    parameter: str
    node: int
    rows: tuple[RowRecord, ...]
    before: Tensor
    after: Tensor


class AgreementRecord(msgspec.Struct, frozen=True):
    """One parameter's gradient beside ordinary autograd's: the largest number of each, and their largest difference."""

    parameter: str
    ours: float
    torch: float
    difference: float
    relative: float
    """The difference, on the scale of `TraceRecord.worst_error`."""


class WhatIf(msgspec.Struct, frozen=True):
    """A node of the trace, or a part of it, has another value; everything behind it is made again with the same random numbers."""

    node: int
    """Its id in the trace of this detail."""
    kind: str = "set"
    """set · ablate (set to 0) · scale. Nothing flows back into what made a set value; a scaled one has its factor in the chain rule."""
    value: float = 0.0
    element: tuple[int | None, ...] | None = None
    """None: all elements. None in a place: all along that axis."""


class RowsRecord(msgspec.Struct, frozen=True):
    """Of a tensor too large to travel whole what a picture of it needs."""

    first: Array
    """(rows, …) The first rows of the batch: as many as make `PICTURED` elements."""
    mean: Array
    """(…) The mean over all rows."""


class OutputRecord(msgspec.Struct, frozen=True):
    """What a layer put out, for tensors that travel as a measure with the rows to draw."""

    node: int
    """The node that holds it: for a layer that passes its input on, one of another layer."""
    values: RowsRecord | None = None
    gradients: RowsRecord | None = None


class TraceRecord(msgspec.Struct, frozen=True):
    """The immutable record of ONE training iteration: the one that follows `iteration` finished ones."""

    iteration: int
    epoch: int
    detail: str
    loss: float
    worst_error: float
    """Largest difference of any parameter gradient from ordinary autograd's, relative to the largest gradient."""
    precision: str
    rows: tuple[int, ...]
    """Which rows of the training set are in this batch."""
    nodes: tuple[NodeRecord, ...]
    edges: tuple[EdgeRecord, ...]
    steps: tuple[StepRecord, ...]
    updates: tuple[UpdateRecord, ...]
    value_reads: tuple[str, ...] = ()
    """Places (file:line) where the model read a value: the graph is true for this batch only."""
    agreements: tuple[AgreementRecord, ...] = ()
    """One for each parameter, the worst first."""
    what_ifs: tuple[WhatIf, ...] = ()
    """What was supposed; empty: the iteration as it will be made."""
    whole: TraceRecord | None = None
    """At detail "neurons", where every node is one number a row: the same iteration with whole tensors."""
    places: tuple[int, ...] = ()
    """Beside `whole`: how many of its steps are made after 0, 1, … steps of this one."""
    details: Details = ()
    """Groups that are opened to another detail."""
    outputs: dict[str, OutputRecord] = {}
    """By layer what it put out; at detail "neurons" only beside `whole`."""


# --- what a run shows -----------------------------------------------------------------------------------------------


class Spread(msgspec.Struct, frozen=True):
    """How the values of one column are spread over the training rows."""

    min: float
    max: float
    mean: float
    std: float
    counts: tuple[int, ...]
    """In equal bins from `min` to `max`."""


class ColumnRecord(msgspec.Struct, frozen=True):
    """One column of the input before and after the scaling, which moves and stretches it."""

    name: str
    before: Spread
    after: Spread


class DataRecord(msgspec.Struct, frozen=True):
    """The data after scaling: what the network sees."""

    x: Array
    """(rows, features)"""
    y: Array
    """(rows,) class numbers, or (rows, targets)"""
    training: Array
    """(rows,) True for rows trained on, False for rows validated on."""
    classes: int
    """0 for regression."""
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    """A row's own shape: [channels, height, width] for images, [time, columns] for series, else [features]."""
    columns: tuple[ColumnRecord, ...] = ()
    """The first columns of the input; of a series, not of its single time steps."""


class TableColumn(msgspec.Struct, frozen=True):
    """One column of a file, as it was found."""

    name: str
    kind: str
    """numbers · words · empty"""
    missing: int
    """Rows without a value in it."""
    different: int
    """How many different values it has."""


class TableRecord(msgspec.Struct, frozen=True):
    """What was found in a file with a table, and what would become of it."""

    encoding: str
    separator: str
    """semicolon · tab · bar · comma · space"""
    decimal: str
    """point · comma"""
    has_header: bool
    rows: int
    columns: tuple[TableColumn, ...]
    cells: tuple[tuple[str, ...], ...]
    """The first rows of the first columns, as they stand in the file; long ones are cut."""
    lines: tuple[int, ...]
    """The line each of them starts on."""
    missing: int
    """Values that are missing, in the columns that are used."""
    missing_rows: int
    missing_lines: tuple[int, ...]
    """The first lines in which they are."""
    target: str
    task: str
    """classes · numbers: chosen, or what the target seems to be."""
    used_rows: int = 0
    """Rows, or windows, that can be trained on and validated on."""
    features: int = 0
    classes: int = 0
    targets: int = 0
    """Sizes of what the network would get; all 0 where the table cannot be used as it is."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One point of the curves. Validation figures are None except where they were measured."""

    iteration: int
    loss: float
    validation_loss: float | None = None
    """The same sum as `loss`, with all penalties, over the validation rows and with chance switched off."""
    metric: float | None = None
    """Validation accuracy (0 to 1) for classes, root mean squared error for regression."""


class LayerMeasures(msgspec.Struct, frozen=True):
    """One layer with parameters at one iteration."""

    layer: str
    weights: Measure
    """Of its weight."""
    gradients: Measure
    """Of all its parameters together, biases included."""
    activations: Measure
    update_ratio: float = 0.0
    """‖Δθ‖/‖θ‖ of the last update."""


class Surface(msgspec.Struct, frozen=True):
    """The network's answer over the plane of the first two features (or over the line of the only one)."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    output: Array
    """(height, width, outputs) for two features, rows from low to high x₂; (width, outputs) for one. Probabilities for classes."""


class Answers(msgspec.Struct, frozen=True):
    """What the network answers to rows of the data, and how good that is."""

    rows: Array
    """(rows,) Which rows of the data: those trained on first."""
    values: Array
    """(rows,) class numbers, or (rows, targets)."""
    sure: Array
    """(rows,) The probability of the class that is answered; empty for regression."""
    scores: dict[str, float]
    """Over the validation rows (the training rows, if there are none): accuracy, precision, recall, f1 (0 to 1), or mse, mae, rmse."""
    confusion: Array | None = None
    """(classes, classes) How often class j (column) was answered where class i (row) is true, over the same rows."""


class WeightHistory(msgspec.Struct, frozen=True):
    """One weight over the last iterations that were made: four equally long arrays, oldest first."""

    parameter: str
    element: tuple[int, ...]
    iterations: Array
    """How many iterations were finished after each."""
    values: Array
    """The weight after the iteration."""
    gradients: Array
    """The gradient the optimizer was given, clipped if gradients are."""
    steps: Array
    """What the optimizer added."""


class Change(msgspec.Struct, frozen=True):
    """The document became `experiment` between iteration `iteration` and the next."""

    iteration: int
    experiment: Experiment


class Hit(msgspec.Struct, frozen=True):
    """A breakpoint that stopped training, where, and the value it stopped at."""

    breakpoint: Breakpoint
    place: str = ""
    """A layer's id, a parameter's name, "loss", or the target of a breakpoint on a node."""
    value: float | None = None
    """The magnitude that passed the threshold, the loss, or how many elements are not finite."""


# --- requests -------------------------------------------------------------------------------------------------------


class Request(msgspec.Struct, frozen=True, tag=True):
    """What the window asks of the engine."""


class Open(Request, frozen=True):
    """Start a new run of `experiment`; with `changes`, replay them, up to `iteration`."""

    revision: int
    experiment: Experiment
    folder: str = ""
    """Where relative data paths start."""
    changes: tuple[Change, ...] = ()
    iteration: int = 0


class Edit(Request, frozen=True):
    """Go on with the present run, but with this document from the next iteration on. Tensors that still fit are kept.

    A change of data, seed or precision cannot go on: it starts a new run.
    """

    revision: int
    experiment: Experiment


class Train(Request, frozen=True):
    """Train until told to pause, or for so many iterations."""

    iterations: int | None = None
    past: bool = False
    """Whether the first of them is made whatever breakpoints say of it."""


class Pause(Request, frozen=True):
    """Stop training after the present iteration."""


class GoTo(Request, frozen=True):
    """Make the run stand after exactly so many iterations, by going on or by an exact replay from a checkpoint."""

    iteration: int


class Trace(Request, frozen=True):
    """Trace the iteration that follows the present one, without making it; with `what_ifs`, as it would be then."""

    detail: str = "textbook"
    what_ifs: tuple[WhatIf, ...] = ()
    details: Details = ()


class Watch(Request, frozen=True):
    """Measure only what these panels need: curves · measures · surface · answers · trace; and keep the history of one weight."""

    panels: tuple[str, ...]
    detail: str = "textbook"
    parameter: str = ""
    """The parameter of that weight; empty for none."""
    element: tuple[int, ...] = ()
    details: Details = ()


class Break(Request, frozen=True):
    """From now on stop training before an iteration in which one of these holds. It changes no run, and stays for the next one."""

    breakpoints: tuple[Breakpoint, ...]


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


class LookAtTable(Request, frozen=True):
    """Look into the file of a document whose data is a CSV file, and say what would become of it."""

    number: int
    experiment: Experiment
    folder: str = ""


class Draw(Request, frozen=True):
    """Send a parameter as the initializer of its layer draws it from this seed. It changes no run."""

    parameter: str
    seed: int


class Respond(Request, frozen=True):
    """Send what one unit of a layer puts out over the plane (or line) of the features, as the net stands, in evaluation mode."""

    layer: str
    unit: int
    """Place in the layer's output, in C order."""


# --- replies --------------------------------------------------------------------------------------------------------


class Reply(msgspec.Struct, frozen=True, tag=True):
    """What the engine answers."""


class Ready(Reply, frozen=True):
    """The engine is up. Sent once, before anything else."""

    torch: str


class Opened(Reply, frozen=True):
    """Answers Open and Edit: the run stands at `iteration` with the new document."""

    revision: int
    iteration: int
    epoch: int
    new_run: bool
    iterations_per_epoch: int
    data: DataRecord | None = None
    """Only when it differs from what was sent before."""
    kept: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()
    """Parameters that kept their values, and those that had to start anew, after an Edit."""
    reasons: tuple[str, ...] = ()
    """Sentences that say what of the training so far is lost, and why."""


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
    points: tuple[Point, ...] = ()
    measures: tuple[LayerMeasures, ...] = ()
    surface: Surface | None = None
    trace: TraceRecord | None = None
    history: WeightHistory | None = None
    answers: Answers | None = None


class Trained(Reply, frozen=True):
    """Training has paused. `reason`: asked · done · early_stopping · non_finite · breakpoint.

    Before what is not finite, and before a breakpoint, the run stands at the iteration that was not made.
    """

    iteration: int
    epoch: int
    reason: str
    message: str = ""
    hit: Hit | None = None
    """For a breakpoint: which one, and where."""


class Moved(Reply, frozen=True):
    """Answers GoTo: the run stands at `iteration`; `points` are the curves from the start up to there."""

    iteration: int
    epoch: int
    points: tuple[Point, ...] = ()


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


class Piece(msgspec.Struct, frozen=True):
    """A tensor of a trace that has not travelled with it."""

    what: str
    """value · gradient · contribution · local: ∂target/∂node of an operation that works element by element"""
    node: int
    array: Array
    is_row: bool = False
    """Whether it is only the row that was asked for, without the batch axis."""
    target: int = -1
    argument: int = 0
    """For a contribution to `node`: which node sent it, and of which of its inputs it is. For local: the operation."""


class NodeInspected(Reply, frozen=True):
    """Answers InspectNode: which trace it is of, and what was too large."""

    revision: int
    iteration: int
    detail: str
    details: Details
    what_ifs: tuple[WhatIf, ...]
    node: int
    row: int | None
    pieces: tuple[Piece, ...]


class GradientChecked(Reply, frozen=True):
    """Answers CheckGradient."""

    node: int
    element: tuple[int, ...]
    analytic: float
    numeric: float


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


class Previewed(Reply, frozen=True):
    """Answers Preview: rows of the data, evenly picked where there are many; or why there are none."""

    number: int
    data: DataRecord | None = None
    message: str = ""
    cure: str = ""


class TableLookedAt(Reply, frozen=True):
    """Answers LookAtTable. `message` and `cure` say why it cannot be used as it is; without a `table` it cannot even be read."""

    number: int
    table: TableRecord | None = None
    data: DataRecord | None = None
    """Rows as the network would see them, evenly picked where there are many."""
    message: str = ""
    cure: str = ""


class Drawn(Reply, frozen=True):
    """Answers Draw."""

    parameter: str
    seed: int
    array: Array


class Responded(Reply, frozen=True):
    """Answers Respond: (height, width) over the grid of `Surface`, or (width,)."""

    revision: int
    iteration: int
    layer: str
    unit: int
    values: Array


class Logged(Reply, frozen=True):
    """Something a model or a library printed."""

    text: str


Requests = (
    Open
    | Edit
    | Train
    | Pause
    | GoTo
    | Trace
    | Watch
    | Break
    | Acknowledge
    | Inspect
    | InspectNode
    | CheckGradient
    | InspectBatch
    | Preview
    | LookAtTable
    | Draw
    | Respond
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
    | TableLookedAt
    | Drawn
    | Responded
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
