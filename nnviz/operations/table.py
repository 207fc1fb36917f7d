"""The one table of operations."""

from __future__ import annotations

from nnviz.operations import (
    _activations,
    _arithmetic,
    _attention,
    _convolution,
    _dropout,
    _moves,
    _normalisation,
    _reductions,
    linear,
    losses,
    sequences,
)
from nnviz.operations.operation import Operation
from nnviz.operations.recorded_call import RecordedCall
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState

_FAMILIES = (_arithmetic, linear, _convolution, _normalisation, _attention, _activations, _reductions, losses, _moves, sequences, _dropout)
OPERATIONS: dict[str, Operation] = {name: row for family in _FAMILIES for row in family.ROWS for name in row.names.split()}
_OTHER = Operation(names="", signature="a b c d", random=True)
"""Nothing is known of an operation that has no row."""


def row_of(operation: str) -> Operation:
    """Return the row of an operation; a call that writes in place (`relu_`) has the row of the one that does not."""
    return OPERATIONS.get(operation) or OPERATIONS.get(operation.rstrip("_"), _OTHER)


def has_own_backward(node: NodeRecord) -> bool:
    """Return whether a node is a call of a person's own `torch.autograd.Function`: those are recorded by the name of their class."""
    return node.kind == "operation" and node.operation[:1].isupper() and node.operation not in OPERATIONS


def recorded(state: TraceState, node: NodeRecord, place: tuple[int, ...] = (), value: float = 0.0) -> RecordedCall:
    """Return a node's call, its arguments by the names that its row gives them."""
    return RecordedCall(row_of(node.operation).arguments, state, node, place, value)
