"""What is known at one place of the cursor. A pure function of (trace, cursor, sample)."""

from __future__ import annotations

import numpy as np

from nnviz.records.tensors import Measure, Tensor
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import EdgeRecord, NodeRecord, StepRecord, UpdateRecord


class TraceState:
    """A trace after `cursor` of its steps (0: none yet), looked at for one row of the batch, or for the batch's mean (`sample` None).

    "Not computed yet" is always None, never 0.
    """

    def __init__(self, index: TraceIndex, cursor: int, sample: int | None = 0) -> None:
        self.index = index
        self.cursor = max(0, min(cursor, index.length))
        self.sample = sample

    @property
    def before(self) -> TraceState | None:
        """The same place without what is supposed; None where nothing is supposed, or where it led to another graph."""
        return TraceState(self.index.original, self.cursor, self.sample) if self.index.is_comparable else None

    @property
    def whole(self) -> TraceState:
        """The same place with whole tensors, as far as they are wholly made; itself unless the trace is opened into neurons."""
        if not self.index.is_scalar:
            return self
        return TraceState(self.index.whole, self.index.trace.places[self.cursor], self.sample)

    # --- where we are ---

    @property
    def step(self) -> StepRecord | None:
        """The step just made; None at the very start."""
        return self.index.trace.steps[self.cursor - 1] if self.cursor else None

    @property
    def phase(self) -> str:
        """The phase of the step just made; "batch" at the very start."""
        return self.step.phase if self.step else "batch"

    @property
    def node(self) -> NodeRecord | None:
        """The node of the step just made; None where a step belongs to no node (clipping works on all gradients together)."""
        return self.index.node(self.step.node) if self.step and self.step.node >= 0 else None

    def reads(self) -> tuple[int, ...]:
        """The nodes whose forward values the present backward step reads; empty in other phases."""
        return self.node.reads if self.node and self.phase == "backward" else ()

    # --- what is known ---

    def is_made(self, node: int) -> bool:
        """Whether the node's value is there: operations once their forward step is made, all others from the batch step on."""
        return self.cursor >= self.index.made_at.get(node, 1)

    def is_updated(self, node: int) -> bool:
        """Whether the optimizer has already changed this parameter."""
        return self.cursor >= self.index.updated_at.get(node, self.index.length + 1)

    def arrived(self, node: int) -> list[EdgeRecord]:
        """The edges along which a gradient contribution has already come back to the node, in order of arrival."""
        edges = self.index.out_edges.get(node, ())
        return [edge for edge in edges if edge.contribution is not None and self._is_back(edge.target)]

    def expected(self, node: int) -> int:
        """How many contributions the node's gradient is the sum of."""
        return sum(edge.contribution is not None for edge in self.index.out_edges.get(node, ()))

    def has_gradient(self, node: int) -> bool:
        """Whether the node's gradient is complete: every contribution has arrived (for the loss: backward has begun)."""
        record = self.index.node(node)
        if record.gradient is None:
            return False
        return self._is_back(node) if record.kind == "loss" else 0 < self.expected(node) == len(self.arrived(node))

    def _is_back(self, node: int) -> bool:
        return self.cursor >= self.index.backward_at.get(node, self.index.length + 1)

    def differs(self, node: int) -> bool:
        """Whether what is known of the node by now is another number than without what is supposed."""
        index = self.index
        return (node in index.changed_values and self.is_made(node)) or (node in index.changed_gradients and self.has_gradient(node))

    # --- tensors as they stand now ---

    def value(self, node: int) -> Tensor | None:
        """The node's value now (a parameter's new one once it is updated); None before it is computed."""
        if not self.is_made(node):
            return None
        if self.is_updated(node):
            return self.index.updates[node].after
        return self.index.node(node).value

    def gradient(self, node: int) -> Tensor | None:
        """The node's whole gradient; None until its last contribution has arrived."""
        return self.index.node(node).gradient if self.has_gradient(node) else None

    def update(self, node: int) -> UpdateRecord | None:
        """What the optimizer did to this parameter; None until it has."""
        return self.index.updates.get(node) if self.is_updated(node) else None

    def row(self, node: int, tensor: Tensor | None) -> np.ndarray | None:
        """The tensor for the chosen row of the batch (or the mean over it), as an array without the batch axis.

        None where it is not there, or travelled as a measure and has not been asked for. Tensors without a batch axis, or of another shape
        than the node's first output, come back whole.
        """
        array = self.index.array(tensor)
        if array is None:
            return self.index.row(tensor, self.sample)
        if not self._has_rows(node, tensor):
            return array
        axis = self.index.node(node).batch_axis
        return array.mean(axis) if self.sample is None else array.take(self.sample, axis)

    def is_mean(self, node: int, tensor: Tensor) -> bool:
        """Whether what `row` returns is the mean over the batch, and so may be no number of the tensor's own type."""
        return self.sample is None and self._has_rows(node, tensor)

    def _has_rows(self, node: int, tensor: Tensor) -> bool:
        """Whether an axis of a node's tensor is the batch; another output of a call, as an LSTM's last state, has none."""
        record = self.index.node(node)
        return record.batch_axis is not None and tuple(tensor.shape) == tuple(record.shape)

    def measure(self, tensor: Tensor | None) -> Measure | None:
        """The measure of a tensor too large to travel whole; None for all others."""
        return tensor.measure if tensor else None
