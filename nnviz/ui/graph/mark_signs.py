"""How the marks of nodes and neurons are painted: crossed out, locked, dead, saturated. Which of them hold is said elsewhere."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPen

from nnviz.ui.theme.colors import Theme

RADIUS = 7.0


def paint_on_circle(painter: QPainter, theme: Theme, marks: Collection[str], radius: float) -> None:
    """Paint the marks of a neuron whose middle is (0, 0)."""
    if "dropped" in marks:
        reach = radius * 0.5
        painter.setPen(QPen(theme.color("muted"), 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLines([QLineF(-reach, -reach, reach, reach), QLineF(-reach, reach, reach, -reach)])
    signs = [mark for mark in ("non_finite", "dead", "saturated", "frozen") if mark in marks]
    for place, mark in enumerate(signs):
        _PAINT[mark](painter, theme, QPointF(radius * 0.72 - place * 2 * RADIUS, radius * 0.72))


def paint_in_row(painter: QPainter, theme: Theme, marks: Collection[str], right: float, middle: float) -> float:
    """Paint the marks of a card from `right` to the left; return where they begin."""
    for mark in (mark for mark in ("non_finite", "frozen", "saturated", "dead") if mark in marks):
        _PAINT[mark](painter, theme, QPointF(right - RADIUS, middle))
        right -= 2 * RADIUS + 3
    return right


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
    """An exclamation mark."""
    _ground(painter, theme, middle, "loss")
    painter.drawLine(middle + QPointF(0, -3.6), middle + QPointF(0, 0.8))
    painter.drawPoint(middle + QPointF(0, 3.6))


_PAINT = {"dead": _dead, "saturated": _saturated, "frozen": _frozen, "non_finite": _non_finite}
