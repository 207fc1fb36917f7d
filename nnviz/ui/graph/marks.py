"""Which marks a node or neuron bears at a moment, and what they mean in words. Pure: the counts come with the trace."""

from __future__ import annotations

from nnviz.records.tensors import to_numpy
from nnviz.records.trace_record import NodeMarks, NodeRecord
from nnviz.records.trace_state import TraceState

SHOWN = 0.25
"""A node is marked as saturated if at least this share of its elements is."""


def marks(state: TraceState, node: int) -> tuple[str, ...]:
    """Return which of dead · saturated · dropped · frozen · non_finite a node bears now. "Dropped" is said of single neurons only."""
    record = state.index.node(node)
    found = record.marks
    known = state.is_made(node)
    holds = {
        "dead": bool(found and known and found.dead),
        "saturated": bool(found and known and 0 < found.saturated >= SHOWN * found.elements),
        "dropped": known and is_dropped(state, record),
        "frozen": bool(found and found.frozen),
        "non_finite": bool(found and ((known and found.non_finite) or (state.has_gradient(node) and found.non_finite_gradient))),
    }
    return tuple(mark for mark, does in holds.items() if does)


def is_dropped(state: TraceState, record: NodeRecord) -> bool:
    """Return whether a neuron is dropped in the chosen row; for the mean: in every row."""
    mask = record.dropped if record.whole is not None else None
    if mask is None:
        return False
    dropped = to_numpy(mask)
    return bool(dropped.all() if state.sample is None or record.batch_axis is None else dropped[state.sample])


def explained(state: TraceState, node: int) -> list[str]:
    """Return a sentence for each mark, with its counts."""
    record = state.index.node(node)
    return [_SENTENCES[mark](record.marks or NodeMarks(), record, len(state.index.trace.rows)) for mark in marks(state, node)]


def _of_rows(rows: int) -> str:
    return f"every one of the batch's {rows} rows" if rows > 1 else "the batch's only row"


def _dead(found: NodeMarks, record: NodeRecord, rows: int) -> str:
    who = "Dead: this unit is" if found.units == 1 else f"Dead: {found.dead} of {found.units} units are"
    return f"{who} 0 for {_of_rows(rows)}; no gradient passes, so nothing here learns from this batch."


def _saturated(found: NodeMarks, record: NodeRecord, rows: int) -> str:
    what = "rows" if record.whole is not None and record.batch_axis is not None else "elements"
    return f"Saturated in {found.saturated} of {found.elements} {what}: the derivative is below 5 % of the largest it can be."


_SENTENCES = {
    "dead": _dead,
    "saturated": _saturated,
    "dropped": lambda found, record, rows: "Dropped: dropout multiplies it by 0 in this iteration, forward and backward.",
    "frozen": lambda found, record, rows: "Frozen: it gets no gradient and the optimizer leaves it as it is.",
    "non_finite": lambda found, record, rows: (
        f"Not finite: {found.non_finite + found.non_finite_gradient} elements of value or gradient are NaN or infinite in this batch."
    ),
}
