"""The things in the scene: card, frame of a group, wire, travelling dot. Each paints one frozen state and asks for nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from nnviz.ui.graph import mark_signs, strips
from nnviz.ui.graph.layout import Box, Point
from nnviz.ui.graph.painted import Painted
from nnviz.ui.graph.strips import Limits, Strip
from nnviz.ui.theme.colors import BODY, SMALL, Theme, current_theme, mixed
from nnviz.ui.theme.fonts import mono, sans

HEIGHT = 62.0
LEAST_WIDTH = 124.0
MOST_WIDTH = 240.0
_INSET = 11.0
_RADIUS = 7.0
_HALO = 5.0
_FUTURE = 0.45
_HEAD, _HEAD_SHARE = 24.0, 0.14
"""How high the coloured head of a card is, and how much of the full colour leaves its text readable."""
_CASING, _CORE = 1.6, 0.45
"""How much wider than a wire the band is that says a gradient has come back, and the share of the wire left in its middle."""
_Flag = Qt.AlignmentFlag


@dataclass(frozen=True)
class CardState:
    """All that a card shows."""

    name: str
    note: str
    value: Strip
    gradient: Strip
    limits: Limits
    parameter: bool = False
    made: bool = True
    """Whether its value is there; what is yet to come is dimmed."""
    settled: bool = True
    """Whether everything that will happen to it in the present phase has happened."""
    phase: str = ""
    """The phase of the present step, if the step is at this card."""
    read: bool = False
    """Whether the present backward step reads its value."""
    selected: bool = False
    folded: bool = False
    is_many: bool = False
    """Whether several equal groups are folded in it."""
    breakpoint: bool | None = None
    """Whether the breakpoint on it is on; None where there is none."""
    supposed: bool = False
    """Whether another value is supposed of it."""
    differs: bool = False
    """Whether it shows other numbers because of what is supposed."""
    size: float | None = None
    """How large what the graph is coloured by is in this node, −1 to 1 of the full scale; None while it is not there."""
    marks: tuple[str, ...] = ()
    """dead · saturated · frozen · non_finite"""


@dataclass(frozen=True)
class EdgeState:
    """How a wire is drawn: whether its value has been sent forward, whether a gradient has come back, how wide (1 to 5 pixels)."""

    sent: bool = False
    returned: bool = False
    width: float = 1.4
    size: float | None = None
    """How large what the graph is coloured by is on it, −1 to 1 of the full scale; None while it is not there."""


@cache
def _fonts() -> tuple[QFont, QFont, QFont]:
    return sans(BODY, QFont.Weight.Bold), mono(SMALL), sans(SMALL, QFont.Weight.Bold)


def card_size(name: str, note: str, strip: Strip) -> tuple[float, float]:
    """Return width and height of the card that has room for these texts and this strip's cells, within limits."""
    bold, small, _ = _fonts()
    text = QFontMetricsF(bold).horizontalAdvance(name) + 10 + QFontMetricsF(small).horizontalAdvance(note)
    width = max(text, strips.width(strip)) + 2 * _INSET
    return min(MOST_WIDTH, max(LEAST_WIDTH, float(round(width)))), HEIGHT


class CardItem(Painted):
    """The card of a node, or of a folded group."""

    state: CardState | None

    def __init__(self, key: str, box: Box) -> None:
        super().__init__(2)
        self.key = key
        self._box = QRectF(0, 0, box[2], box[3])
        self.setPos(box[0], box[1])

    def cell_at(self, place: QPointF) -> int | None:
        """Return which cell of the value strip is at a place of the card; None for none."""
        cell = int((place.x() - _INSET) // strips.STEP)
        is_inside = self.state is not None and 0 <= cell < self.state.value.count and 26 <= place.y() <= 40
        return cell if is_inside and not self.state.value.bars else None

    def _paint_ground(self, painter: QPainter, state: CardState) -> None:
        theme = current_theme()
        if state.read or state.selected:
            painter.setPen(QPen(theme.color("backward" if state.read else "positive", 0.28), _HALO))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._box.adjusted(-2.5, -2.5, 2.5, 2.5), _RADIUS + 2.5, _RADIUS + 2.5)
        edge, width = _edge(theme, state)
        painter.setPen(QPen(edge, width))
        painter.setBrush(_ground(theme, state))
        if state.is_many:
            painter.drawRoundedRect(self._box.adjusted(9, -8, -9, 0), _RADIUS, _RADIUS)
        if state.folded:
            painter.drawRoundedRect(self._box.adjusted(4, -4, -4, 0), _RADIUS, _RADIUS)
        painter.drawRoundedRect(self._box.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
        if state.size is not None:
            self._paint_size(painter, state)

    def _paint_size(self, painter: QPainter, state: CardState) -> None:
        """The head in the colour of the sign, and a bar along the left edge: the stronger the larger the numbers are."""
        card = QPainterPath()
        card.addRoundedRect(self._box.adjusted(1.5, 1.5, -1.5, -1.5), _RADIUS - 1, _RADIUS - 1)
        painter.save()
        painter.setClipPath(card, Qt.ClipOperation.IntersectClip)
        painter.fillRect(QRectF(0, 0, self._box.width(), _HEAD), current_theme().diverging(_HEAD_SHARE * state.size, 1.0))
        painter.fillRect(QRectF(0, 0, 5, self._box.height()), current_theme().diverging(state.size, 1.0))
        painter.restore()

    def _paint_texts(self, painter: QPainter, state: CardState) -> None:
        bold, small, _ = _fonts()
        row = QRectF(_INSET, 4, self._box.width() - 2 * _INSET, 20)
        painter.setPen(current_theme().color("text"))
        painter.setFont(bold)
        name = _elided(bold, state.name, row.width())
        painter.drawText(row, int(_Flag.AlignLeft | _Flag.AlignVCenter), name)
        room = row.adjusted(QFontMetricsF(bold).horizontalAdvance(name) + 8, 0, 0, 0)
        painter.setPen(current_theme().color("muted"))
        painter.setFont(small)
        painter.drawText(room, int(_Flag.AlignRight | _Flag.AlignVCenter), _elided(small, state.note, room.width()))

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return self._box.adjusted(-6, -10, 6, 6)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self._box)
        return path

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        theme = current_theme()
        state = self.state
        if state is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, state)
        painter.setOpacity(1.0 if state.made else _FUTURE)
        self._paint_texts(painter, state)
        right = self._box.width() - _INSET
        for strip, top in ((state.value, 28), (state.gradient, 44)):
            strips.paint(painter, theme, strip, state.limits.of(strip.kind), _INSET, top, right)
        painter.setOpacity(1.0)
        mark_signs.paint_in_row(painter, theme, state.marks, self._box.right() - 10, self._box.bottom())
        if state.breakpoint is not None:
            paint_diamond(painter, theme, QPointF(0.5, 0.5), state.breakpoint)
        if state.supposed or state.differs:
            paint_what_if(painter, theme, QPointF(self._box.right() - 8, self._box.top()), state.supposed)


def paint_diamond(painter: QPainter, theme: Theme, centre: QPointF, enabled: bool, radius: float = 5.5) -> None:
    """Paint the mark of a breakpoint: filled while it is on, hollow while it is off."""
    corners = (QPointF(0, -radius), QPointF(radius, 0), QPointF(0, radius), QPointF(-radius, 0))
    painter.setPen(QPen(theme.color("loss"), 1.3))
    painter.setBrush(theme.color("loss" if enabled else "panel"))
    painter.drawPolygon([centre + corner for corner in corners])


def paint_what_if(painter: QPainter, theme: Theme, middle: QPointF, supposed: bool) -> None:
    """Paint a ? on what something is supposed of, a dot on what has other numbers for it."""
    painter.setOpacity(1.0)
    painter.setPen(QPen(theme.color("panel"), 1.5))
    painter.setBrush(theme.color("what_if"))
    radius = 7.0 if supposed else 4.0
    painter.drawEllipse(middle, radius, radius)
    if supposed:
        painter.setFont(_fonts()[2])
        painter.setPen(theme.color("panel"))
        painter.drawText(QRectF(middle.x() - 7, middle.y() - 7, 14, 14), int(_Flag.AlignCenter), "?")


def _edge(theme: Theme, state: CardState) -> tuple[QColor, float]:
    if state.phase:
        return theme.phase(state.phase), 2.4
    if state.parameter:
        return theme.color("parameter_line"), 1
    settled = mixed(theme.color("line"), theme.color("faint"), 0.75)
    return (settled if state.settled else theme.color("line")), 1.4 if state.settled else 1


def _ground(theme: Theme, state: CardState) -> QColor:
    if state.phase:
        return theme.tint(state.phase, 0.09)
    return theme.color("parameter" if state.parameter else "panel")


def _elided(font: QFont, text: str, width: float) -> str:
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, width)


class FrameItem(Painted):
    """The dashed frame around a group with its title and a − to fold it."""

    BUTTON = 16.0

    def __init__(self, key: str, title: str, box: Box, rank: int = 0) -> None:
        """A frame of a higher rank stands before the others: those inside come after those around them."""
        super().__init__(rank * 1e-4)
        self.key = key
        self.title = title
        self._box = QRectF(0, 0, box[2], box[3])
        self.setPos(box[0], box[1])

    def set_title(self, title: str) -> None:
        """Show this name."""
        self.title = title
        self.update()

    def button(self) -> QRectF:
        """Return where the fold button is, in the item's own coordinates."""
        return QRectF(self._box.right() - self.BUTTON - 6, self._box.top() + 6, self.BUTTON, self.BUTTON)

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return self._box.adjusted(-1, -1, 1, 1)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        theme = current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(mixed(theme.color("line"), theme.color("faint"), 0.3), 1.2, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self._box.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        font = _fonts()[2]
        painter.setFont(font)
        painter.setPen(theme.color("muted"))
        room = QRectF(12, 5, self._box.width() - 24 - self.BUTTON - 6, 18)
        painter.drawText(room, int(_Flag.AlignLeft | _Flag.AlignVCenter), _elided(font, self.title, room.width()))
        self._paint_button(painter)

    def _paint_button(self, painter: QPainter) -> None:
        theme = current_theme()
        button = self.button()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("panel"))
        painter.drawRoundedRect(button.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(QPen(theme.color("muted"), 1.4))
        middle = button.center()
        painter.drawLine(QLineF(middle.x() - 4, middle.y(), middle.x() + 4, middle.y()))


class EdgeItem(Painted):
    """A wire between two cards."""

    state: EdgeState | None

    def __init__(self, source: str, target: str, curve: Sequence[Point]) -> None:
        super().__init__(1)
        self.ends = (source, target)
        self._path = _path(curve)
        self._bounds = self._path.controlPointRect().adjusted(-4, -4, 4, 4)

    def point(self, share: float) -> QPointF:
        """Return the point at a share (0 to 1) of the way from source to target."""
        return self._path.pointAtPercent(min(1.0, max(0.0, share)))

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        stroker = QPainterPathStroker()
        stroker.setWidth(12)
        return stroker.createStroke(self._path)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        theme = current_theme()
        state = self.state or EdgeState()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if state.returned:
            self._stroke(painter, theme.tint("backward", 0.8), state.width + _CASING)
        color = (
            theme.color("faint") if state.size is None else theme.diverging(math.copysign(0.25 + 0.5 * abs(state.size), state.size), 1.0)
        )
        if not state.sent and not state.returned:
            color.setAlphaF(_FUTURE)
        self._stroke(painter, color, max(1.0, _CORE * state.width) if state.returned else state.width)

    def _stroke(self, painter: QPainter, color: QColor, width: float) -> None:
        painter.setPen(QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawPath(self._path)


def _path(curve: Sequence[Point]) -> QPainterPath:
    path = QPainterPath(QPointF(*curve[0]))
    for place in range(1, len(curve) - 2, 3):
        path.cubicTo(*(QPointF(*point) for point in curve[place : place + 3]))
    return path


class DotItem(Painted):
    """The × that travels along a wire: a gradient being multiplied by a local derivative."""

    RADIUS = 8.0

    def __init__(self) -> None:
        super().__init__(3)

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return QRectF(-self.RADIUS - 1, -self.RADIUS - 1, 2 * self.RADIUS + 2, 2 * self.RADIUS + 2)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().color("backward"))
        painter.drawEllipse(QPointF(0, 0), self.RADIUS, self.RADIUS)
        painter.setPen(QPen(current_theme().color("panel"), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLines([QLineF(-3, -3, 3, 3), QLineF(-3, 3, 3, -3)])
