"""Which marks a node or neuron bears at a moment, and what they mean in words. Pure: the counts come with the trace."""

from __future__ import annotations

from nnviz.protocol import Marks, NodeRecord
from nnviz.session.moment import Moment
from nnviz.session.reading import to_numpy

SHOWN = 0.25
"""A node is marked as saturated if at least this share of its elements is."""


def marks(moment: Moment, node: int) -> tuple[str, ...]:
    """Return which of dead · saturated · dropped · frozen · non_finite a node bears now. "Dropped" is said of single neurons only."""
    record = moment.reading.node(node)
    found = record.marks
    known = moment.is_made(node)
    holds = {
        "dead": bool(found and known and found.dead),
        "saturated": bool(found and known and 0 < found.saturated >= SHOWN * found.elements),
        "dropped": known and is_dropped(moment, record),
        "frozen": bool(found and found.frozen),
        "non_finite": bool(found and ((known and found.non_finite) or (moment.has_gradient(node) and found.non_finite_gradient))),
    }
    return tuple(mark for mark, does in holds.items() if does)


def is_dropped(moment: Moment, record: NodeRecord) -> bool:
    """Return whether a neuron is dropped in the chosen row; for the mean: in every row."""
    mask = record.dropped if record.whole is not None else None
    if mask is None:
        return False
    dropped = to_numpy(mask)
    return bool(dropped.all() if moment.sample is None or record.batch_axis is None else dropped[moment.sample])


def explained(moment: Moment, node: int) -> list[str]:
    """Return a sentence for each mark, with its counts."""
    record = moment.reading.node(node)
    return [_SENTENCES[mark](record.marks or Marks(), record, len(moment.reading.trace.rows)) for mark in marks(moment, node)]


def _of_rows(rows: int) -> str:
    return f"every one of the batch's {rows} rows" if rows > 1 else "the batch's only row"


def _dead(found: Marks, record: NodeRecord, rows: int) -> str:
    who = "Dead: this unit is" if found.units == 1 else f"Dead: {found.dead} of {found.units} units are"
    return f"{who} 0 for {_of_rows(rows)}; no gradient passes, so nothing here learns from this batch."


def _saturated(found: Marks, record: NodeRecord, rows: int) -> str:
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
