"""The mark of a layer: a badge at its corner, and for a problem the sentence under it. Paints and knows no layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from nnviz.ui.theme.colors import SMALL, Theme
from nnviz.ui.theme.fonts import drawn_sans as sans

_WIDTH = 200.0
RADIUS = 8.0
"""Of a badge."""
_TEXT = 13  # larger than elsewhere: it must still be read where the picture is made small


def problem_box(frame: QRectF, text: str) -> QRectF:
    """Return the room the sentence takes under a layer's frame."""
    room = QRectF(0, 0, _WIDTH, 400)
    height = QFontMetricsF(sans(_TEXT)).boundingRect(room, int(Qt.TextFlag.TextWordWrap), text).height()
    return QRectF(frame.center().x() - _WIDTH / 2, frame.bottom() + 4, _WIDTH, height + 2)


def free_place(frame: QRectF, text: str, taken: Sequence[QRectF]) -> QRectF:
    """Return where the sentence stands so that it touches nothing that is `taken`: at the frame if there is room, else farther down."""
    below = problem_box(frame, text)
    for place in _around(frame, below):
        if not any(place.intersects(other) for other in taken):
            return place
    while met := next((other for other in taken if below.intersects(other)), None):
        below.moveTop(met.bottom() + 4)
    return below


def _around(frame: QRectF, below: QRectF) -> Iterator[QRectF]:
    """The places at a frame for a text of this size: under it, above it, each also shifted to a side, right and left of it."""
    shift = (below.width() - frame.width()) / 2
    for sideways in (0.0, shift, -shift):
        for down in (0.0, frame.top() - 4 - below.bottom()):
            yield below.translated(sideways, down)
    for x in (frame.right() + RADIUS + 4, frame.left() - 8 - below.width()):
        yield QRectF(x, frame.center().y() - below.height() / 2, below.width(), below.height())


def paint_problem(painter: QPainter, theme: Theme, frame: QRectF, text: str, room: QRectF) -> None:
    """Paint the badge at the upper right of the frame, and the sentence in its room."""
    paint_mark(painter, theme, frame, "loss")
    painter.setPen(theme.color("loss"))
    painter.setFont(sans(_TEXT))
    painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, text)


def paint_mark(painter: QPainter, theme: Theme, frame: QRectF, color: str) -> None:
    """Paint the badge alone, in a colour of the theme."""
    corner = frame.topRight()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(color))
    painter.drawEllipse(corner, RADIUS, RADIUS)
    painter.setPen(theme.color("panel"))
    painter.setFont(sans(SMALL, QFont.Weight.Bold))
    painter.drawText(QRectF(corner.x() - RADIUS, corner.y() - RADIUS, 2 * RADIUS, 2 * RADIUS), Qt.AlignmentFlag.AlignCenter, "!")
