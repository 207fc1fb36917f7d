"""The marks of nodes and neurons: which hold at a place of the cursor, what they mean in words, and the signs that are painted for them."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFont, QPainter, QPen

from nnviz.records.tensors import to_numpy
from nnviz.records.trace_record import NodeMarks, NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.ui.graph.structure import NodeCard
from nnviz.ui.theme.colors import SMALL, Theme
from nnviz.ui.theme.fonts import drawn_sans as sans

SHOWN = 0.25
"""A node is marked as saturated if at least this share of its elements is."""
RADIUS = 7.0
FOUND = "found"
"""The mark of what the doctor found something in."""
_FROM_PARTS = ("dropped", "frozen", "non_finite")
"""What a neuron takes over from its mask, its weights and its bias."""


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


def on_card(state: TraceState, card: NodeCard) -> tuple[str, ...]:
    """Return the marks of the node a card shows; of a folded group those of any, of a neuron also what its weights and mask say of it."""
    found = {mark: None for node in card.nodes for mark in marks(state, node) if card.folded or node == card.shown or mark in _FROM_PARTS}
    return tuple(found)


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


# --- painting ---------------------------------------------------------------------------------------------------------


def paint_on_circle(painter: QPainter, theme: Theme, marks: Collection[str], radius: float) -> None:
    """Paint the marks of a neuron whose middle is (0, 0)."""
    if "dropped" in marks:
        reach = radius * 0.5
        painter.setPen(QPen(theme.color("muted"), 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLines([QLineF(-reach, -reach, reach, reach), QLineF(-reach, reach, reach, -reach)])
    signs = [mark for mark in ("non_finite", "dead", "saturated", "frozen") if mark in marks]
    for place, mark in enumerate(signs):
        _PAINT[mark](painter, theme, QPointF(radius * 0.72 - place * 2 * RADIUS, radius * 0.72))


def paint_in_row(painter: QPainter, theme: Theme, marks: Collection[str], right: float, middle: float) -> None:
    """Paint the marks of a card from `right` to the left."""
    for mark in (mark for mark in ("non_finite", "frozen", "saturated", "dead", FOUND) if mark in marks):
        _PAINT[mark](painter, theme, QPointF(right - RADIUS, middle))
        right -= 2 * RADIUS + 3


def _ground(painter: QPainter, theme: Theme, middle: QPointF, tone: str) -> None:
    painter.setPen(QPen(theme.color("panel"), 1.2))
    painter.setBrush(theme.color(tone))
    painter.drawEllipse(middle, RADIUS, RADIUS)
    painter.setPen(QPen(theme.color("panel"), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _dead(painter: QPainter, theme: Theme, middle: QPointF) -> None:
    """A flat line: 0 for every row."""
    _ground(painter, theme, middle, "muted")
    painter.drawLine(middle + QPointF(-3.6, 0), middle + QPointF(3.6, 0))


def _saturated(painter: QPainter, theme: Theme, middle: QPointF) -> None:
    """The flat ends of a sigmoid."""
    _ground(painter, theme, middle, "negative")
    painter.drawPolyline([middle + QPointF(*point) for point in ((-4, 2.6), (-1.2, 2.6), (1.2, -2.6), (4, -2.6))])


def _frozen(painter: QPainter, theme: Theme, middle: QPointF) -> None:
    """A lock."""
    _ground(painter, theme, middle, "batch")
    painter.drawArc(QRectF(middle.x() - 2.2, middle.y() - 4.6, 4.4, 5.2), 0, 180 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(theme.color("panel")))
    painter.drawRoundedRect(QRectF(middle.x() - 3.4, middle.y() - 1.4, 6.8, 5.0), 1, 1)


def _non_finite(painter: QPainter, theme: Theme, middle: QPointF) -> None:
    _exclamation(painter, theme, middle, "loss")


def paint_found(painter: QPainter, theme: Theme, middle: QPointF) -> None:
    """Paint the sign of what the doctor found something in."""
    _exclamation(painter, theme, middle, "clip")


def _exclamation(painter: QPainter, theme: Theme, middle: QPointF, tone: str) -> None:
    """An exclamation mark."""
    _ground(painter, theme, middle, tone)
    painter.drawLine(middle + QPointF(0, -3.6), middle + QPointF(0, 0.8))
    painter.drawPoint(middle + QPointF(0, 3.6))


_PAINT = {"dead": _dead, "saturated": _saturated, "frozen": _frozen, "non_finite": _non_finite, FOUND: paint_found}


def paint_what_if(painter: QPainter, theme: Theme, middle: QPointF, supposed: bool) -> None:
    """Paint a ? on what something is supposed of, a dot on what has other numbers for it."""
    painter.setOpacity(1.0)
    painter.setPen(QPen(theme.color("panel"), 1.5))
    painter.setBrush(theme.color("what_if"))
    radius = 7.0 if supposed else 4.0
    painter.drawEllipse(middle, radius, radius)
    if supposed:
        painter.setFont(_sign_font())
        painter.setPen(theme.color("panel"))
        painter.drawText(QRectF(middle.x() - 7, middle.y() - 7, 14, 14), int(Qt.AlignmentFlag.AlignCenter), "?")


@cache
def _sign_font() -> QFont:
    return sans(SMALL, QFont.Weight.Bold)
