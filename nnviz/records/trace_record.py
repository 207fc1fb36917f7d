"""The record of one training iteration: its graph, its steps, and what the optimizer does. Frozen values that msgpack can write."""

from __future__ import annotations

import msgspec

from nnviz.records.tensors import Array, Tensor

Details = tuple[tuple[str, str], ...]
"""Groups and the detail they are opened to, where that is not the trace's own: (("h1", "math"), ("encoder/layers/0", "layer"))."""


class NodeMarks(msgspec.Struct, frozen=True):
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


class Equation(msgspec.Struct, frozen=True):
    """∂L/∂`symbol` = `right`: what an operation sends to one of its inputs."""

    symbol: str
    right: str


class PortRecord(msgspec.Struct, frozen=True):
    """Another output of a node than its first."""

    port: int
    shape: tuple[int, ...]
    value: Tensor
    gradient: Tensor | None = None


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
    symbol: str = ""
    """The letter for its value that the formula has on the left; empty where there is none."""
    equations: tuple[Equation | None, ...] = ()
    """Of the derivative the one for each of `inputs`, where there is one; for a neuron none."""
    where: str = ""
    """file:line of the call that made it."""
    dropped: Array | None = None
    """For dropout: True where an element was dropped."""
    winners: Array | None = None
    """For max pooling: for every element of the value the place in the input that won, counted row-major over the pooled axes."""
    marks: NodeMarks | None = None
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
    others: tuple[PortRecord, ...] = ()
    """Its outputs behind the first, which is `value` and `gradient`."""
    has_own_backward: bool = False
    """A function with a backward written by hand: what it sends back need not be the derivative of what it computes."""
    is_masked: bool = False
    """Its −∞ only leave out places of a softmax behind it: no alarm."""


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
    notes: tuple[str, ...] = ()
    """What is easily overlooked in this iteration, a sentence each."""


class Piece(msgspec.Struct, frozen=True):
    """A tensor of a trace that has not travelled with it."""

    what: str
    """value · gradient · contribution · after: a parameter's new value · local: ∂target/∂node where it works element by element"""
    node: int
    array: Array
    is_row: bool = False
    """Whether it is only the row that was asked for, without the batch axis."""
    target: int = -1
    argument: int = 0
    """For a contribution to `node`: which node sent it, and of which of its inputs it is. For local: the operation."""


class NodeTensors(msgspec.Struct, frozen=True):
    """What of a node was too large to travel with its trace, and which trace that is."""

    iteration: int
    detail: str
    details: Details
    what_ifs: tuple[WhatIf, ...]
    node: int
    row: int | None
    pieces: tuple[Piece, ...]
