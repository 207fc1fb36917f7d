"""What is known at one place of the cursor. A pure function of (trace, cursor, sample): nothing here computes the network."""

from __future__ import annotations

import numpy as np

from nnviz.protocol import EdgeRecord, Measure, NodeRecord, StepRecord, Tensor, UpdateRecord
from nnviz.session.reading import Reading


class Moment:
    """A trace after `cursor` of its steps (0: none yet), looked at for one row of the batch, or for the batch's mean (`sample` None).

    "Not computed yet" is always None, never 0.
    """

    def __init__(self, reading: Reading, cursor: int, sample: int | None = 0) -> None:
        self.reading = reading
        self.cursor = max(0, min(cursor, reading.length))
        self.sample = sample

    @property
    def before(self) -> Moment | None:
        """The same place without what is supposed; None where nothing is supposed, or where it led to another graph."""
        return Moment(self.reading.original, self.cursor, self.sample) if self.reading.is_comparable else None

    @property
    def whole(self) -> Moment:
        """The same place with whole tensors, as far as they are wholly made; itself unless the trace is opened into neurons."""
        if not self.reading.is_scalar:
            return self
        return Moment(self.reading.whole, self.reading.trace.places[self.cursor], self.sample)

    # --- where we are ---

    @property
    def step(self) -> StepRecord | None:
        """The step just made; None at the very start."""
        return self.reading.trace.steps[self.cursor - 1] if self.cursor else None

    @property
    def phase(self) -> str:
        """The phase of the step just made; "batch" at the very start."""
        return self.step.phase if self.step else "batch"

    @property
    def node(self) -> NodeRecord | None:
        """The node of the step just made; None where a step belongs to no node (clipping works on all gradients together)."""
        return self.reading.node(self.step.node) if self.step and self.step.node >= 0 else None

    def reads(self) -> tuple[int, ...]:
        """The nodes whose forward values the present backward step reads; empty in other phases."""
        return self.node.reads if self.node and self.phase == "backward" else ()

    # --- what is known ---

    def is_made(self, node: int) -> bool:
        """Whether the node's value is there: operations once their forward step is made, all others from the batch step on."""
        return self.cursor >= self.reading.made_at.get(node, 1)

    def is_updated(self, node: int) -> bool:
        """Whether the optimizer has already changed this parameter."""
        return self.cursor >= self.reading.updated_at.get(node, self.reading.length + 1)

    def arrived(self, node: int) -> list[EdgeRecord]:
        """The edges along which a gradient contribution has already come back to the node, in order of arrival."""
        edges = self.reading.out_edges.get(node, ())
        return [edge for edge in edges if edge.contribution is not None and self._is_back(edge.target)]

    def expected(self, node: int) -> int:
        """How many contributions the node's gradient is the sum of."""
        return sum(edge.contribution is not None for edge in self.reading.out_edges.get(node, ()))

    def has_gradient(self, node: int) -> bool:
        """Whether the node's gradient is complete: every contribution has arrived (for the loss: backward has begun)."""
        record = self.reading.node(node)
        if record.gradient is None:
            return False
        return self._is_back(node) if record.kind == "loss" else 0 < self.expected(node) == len(self.arrived(node))

    def _is_back(self, node: int) -> bool:
        return self.cursor >= self.reading.backward_at.get(node, self.reading.length + 1)

    def differs(self, node: int) -> bool:
        """Whether what is known of the node by now is another number than without what is supposed."""
        reading = self.reading
        return (node in reading.changed_values and self.is_made(node)) or (node in reading.changed_gradients and self.has_gradient(node))

    # --- tensors as they stand now ---

    def value(self, node: int) -> Tensor | None:
        """The node's value now (a parameter's new one once it is updated); None before it is computed."""
        if not self.is_made(node):
            return None
        if self.is_updated(node):
            return self.reading.updates[node].after
        return self.reading.node(node).value

    def gradient(self, node: int) -> Tensor | None:
        """The node's whole gradient; None until its last contribution has arrived."""
        return self.reading.node(node).gradient if self.has_gradient(node) else None

    def update(self, node: int) -> UpdateRecord | None:
        """What the optimizer did to this parameter; None until it has."""
        return self.reading.updates.get(node) if self.is_updated(node) else None

    def row(self, node: int, tensor: Tensor | None) -> np.ndarray | None:
        """The tensor for the chosen row of the batch (or the mean over it), as an array without the batch axis.

        None where it is not there, or travelled as a measure and has not been asked for. Tensors without a batch axis come back whole.
        """
        array = self.reading.array(tensor)
        axis = self.reading.node(node).batch_axis
        if array is None:
            return self.reading.row(tensor, self.sample)
        if axis is None:
            return array
        return array.mean(axis) if self.sample is None else array.take(self.sample, axis)

    def measure(self, tensor: Tensor | None) -> Measure | None:
        """The measure of a tensor too large to travel whole; None for all others."""
        return tensor.measure if tensor else None
