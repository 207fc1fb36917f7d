"""A recorded call as the formulas with numbers need it: its tensors as arrays, its options by name. It computes no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nnviz.operations.signature import Signature
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState


@dataclass(frozen=True)
class RecordedCall:
    """A node's call at one element. `place` is the element with the row of the batch in it; `value` what the node has there."""

    signature: Signature
    state: TraceState
    node: NodeRecord
    place: tuple[int, ...]
    value: float

    @cached_property
    def options(self) -> dict[str, Any]:
        """Every argument by its name, tensors as arrays in double precision. Raises LookupError for one whose numbers are not here."""
        return {name: self._filled(part) for name, part in self.signature.bind(*self.given).items()}

    @property
    def given(self) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """What the call was given by position and by name, its tensors as {"input": k}."""
        return self.node.arguments or tuple({"input": k} for k in range(len(self.node.inputs))), self.node.keywords

    def option(self, name: str, default: Any = None) -> Any:
        """Return an argument; the default where the call did not give it."""
        found = self.options.get(name)
        return default if found is None else found

    def _filled(self, part: Any) -> Any:
        if isinstance(part, dict):
            return self.input(part["input"]) if "input" in part else slice(*part["slice"])
        return [self._filled(one) for one in part] if isinstance(part, (list, tuple)) else part

    def input(self, argument: int) -> np.ndarray:
        """Return one input, spread over the batch where only the chosen row or the mean of it is meant."""
        port = self.node.ports[argument] if self.node.ports else 0
        return spread(self.state, self.node.inputs[argument], self.node.batch_axis is not None, port)


def spread(state: TraceState, node: int, is_batched: bool, port: int = 0) -> np.ndarray:
    """Return what a node put out with all its axes.

    Of a mean over the batch, and of a tensor too large to travel, every row is that one row. Raises LookupError where
    the numbers are not here, or are complex.
    """
    index = state.index
    record, whole = index.node(node), output(index, node, port)
    if whole is not None and whole.dtype.kind == "c":
        raise LookupError(f"the numbers of node {node} are complex")
    axis = record.batch_axis
    if port and whole is not None:
        axis = axis if axis is not None and whole.ndim > axis and whole.shape[axis] == len(index.trace.rows) else None
    if state.sample is None and is_batched and axis is not None and whole is not None:
        return np.broadcast_to(whole.mean(axis, keepdims=True, dtype=float), whole.shape)
    if whole is None:
        row = state.row(node, record.value) if not port else None
        if row is None or axis is None or not is_batched:
            raise LookupError(f"the numbers of node {node} are not here")
        return np.broadcast_to(np.expand_dims(row, axis).astype(float), record.shape)
    return whole if whole.dtype.kind in "iub" else whole.astype(float)


def output(index: TraceIndex, node: int, port: int) -> np.ndarray | None:
    """Return one output of a node whole; one that is too large to travel is a piece of a tensor that was cut in pieces."""
    record = index.node(node)
    if port == 0:
        return index.array(record.value)
    there = next((index.array(other.value) for other in record.others if other.port == port), None)
    if there is not None:
        return there
    source = output(index, record.inputs[0], record.ports[0] if record.ports else 0) if record.inputs else None
    parts = pieces(record, source) if source is not None else None
    return parts[port] if parts is not None and port < len(parts) else None


def pieces(node: NodeRecord, x: np.ndarray) -> list[np.ndarray] | None:
    """Return what chunk, split or unbind make of an array; None for any other operation."""
    given = [*node.arguments[1:]]
    if node.operation == "unbind":
        axis = node.keywords.get("dim", given[0] if given else 0)
        return [x.take(k, axis) for k in range(x.shape[axis])]
    if node.operation not in ("chunk", "split"):
        return None
    size = node.keywords.get("chunks", node.keywords.get("split_size_or_sections", given[0] if given else 1))
    axis = node.keywords.get("dim", given[1] if len(given) > 1 else 0)
    length = x.shape[axis]
    step = -(-length // size) if node.operation == "chunk" else size
    ends = np.cumsum(step)[:-1] if isinstance(step, Sequence) else np.arange(step, length, step)
    return np.split(x, ends, axis)
