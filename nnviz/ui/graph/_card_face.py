"""How a node is drawn as a card, and the edges between cards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import marks, strips
from nnviz.ui.graph.card_states import CardScales, CardState
from nnviz.ui.graph.graph_items import elided
from nnviz.ui.graph.layout import CardSizes, Size
from nnviz.ui.graph.routing import Box
from nnviz.ui.graph.states import EdgeState
from nnviz.ui.graph.structure import Diagram
from nnviz.ui.theme.colors import BODY, SMALL, Theme, mixed
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.widgets.zoom_view import READABLE

HEIGHT = 62.0
LEAST_WIDTH = 124.0
MOST_WIDTH = 240.0
_INSET = 11.0
_RADIUS = 7.0
_HALO = 5.0
_FUTURE = 0.45
_HEAD, _HEAD_SHARE = 24.0, 0.14
"""How high the coloured head of a card is, and how much of the full colour leaves its text readable."""
_NAMED_SHARE = 0.3
"""The same where the whole card has the colour."""
_NARROW, _WIDE = 1.4, 4.2
"""Pixels an edge is wide."""
_CASING, _CORE = 1.6, 0.45
"""How much wider than an edge the band is that says a gradient has come back, and the share of the edge left in its middle."""
_Flag = Qt.AlignmentFlag


DENSITIES = (1.0, 0.55, 0.3)
"""How far apart cards stand: whole cards, such with their name alone, coloured blocks."""
_NAME_HEIGHT, _NAME_MOST = 24.0, 96.0
_BLOCK = 20.0, 12.0
LEAST_NAMED = 0.42
"""The zoom down to which names alone can be read: they are written larger then."""
_LETTERS = 8.0
"""Pixels on the screen that letters of a name alone are high at least."""
_CLOSE = 6.0
"""Room beside the name of a card that shows nothing else."""


@cache
def _fonts() -> tuple[QFont, QFont]:
    return sans(BODY, QFont.Weight.Bold), mono(SMALL)


def card_sizes(state: TraceState, diagram: Diagram, scales: CardScales, titles: Mapping[str, str]) -> dict[str, Size]:
    """Return width and height of every card that has room for its texts and its cells, within limits."""
    bold, small = map(QFontMetricsF, _fonts())
    sizes = {}
    for key, card in diagram.cards.items():
        node = state.index.node(card.shown)
        name, note = scales.texts(card, node, titles)
        text = bold.horizontalAdvance(name) + 10 + small.horizontalAdvance(note)
        width = max(text, strips.width(strips.value_strip(state, node, scales.tokens))) + 2 * _INSET
        sizes[key] = min(MOST_WIDTH, max(LEAST_WIDTH, float(round(width)))), HEIGHT
    return sizes


def smaller_sizes(state: TraceState, diagram: Diagram, scales: CardScales, titles: Mapping[str, str]) -> tuple[CardSizes, CardSizes]:
    """Return the sizes of cards that show their name alone, and of those that are blocks."""
    font = QFontMetricsF(_name_font())
    names = {key: scales.texts(card, state.index.node(card.shown), titles)[0] for key, card in diagram.cards.items()}
    widths = {key: min(_NAME_MOST, max(_NAME_HEIGHT, font.horizontalAdvance(name) + 2 * _CLOSE)) for key, name in names.items()}
    named = {key: (float(round(width)), _NAME_HEIGHT) for key, width in widths.items()}
    return CardSizes(named, DENSITIES[1], READABLE / LEAST_NAMED), CardSizes(dict.fromkeys(diagram.cards, _BLOCK), DENSITIES[2])


@cache
def _name_font() -> QFont:
    return sans(SMALL, QFont.Weight.Bold)


class CardFace:
    """A card in a box of the scene; `density` says how much of it is shown: a place in DENSITIES."""

    def __init__(self, box: Box, density: int = 0) -> None:
        self._density = density
        self.origin = QPointF(box[0], box[1])
        self._box = QRectF(0, 0, box[2], box[3])
        self.bounds = self._box.adjusted(-6, -10, 6, 6)
        self.outline = QPainterPath()
        self.outline.addRect(self._box)
        self.breakpoint_at = QPointF(0.5, 0.5)
        self.what_if_at = QPointF(self._box.right() - 8, self._box.top())

    def cell_at(self, state: CardState, place: QPointF) -> int | None:
        """Return which cell of the value strip is at a place of the card; None for none."""
        cell = int((place.x() - _INSET) // strips.STEP)
        if self._density:
            return None
        return cell if 0 <= cell < state.value.count and 26 <= place.y() <= 40 and not state.value.bars else None

    def paint(self, painter: QPainter, theme: Theme, state: CardState, zoom: float) -> None:
        """Paint the card with its texts, cells and marks."""
        self._paint_ground(painter, theme, state)
        painter.setOpacity(1.0 if state.made else _FUTURE)
        if self._density:
            self._paint_name(painter, theme, state, zoom)
            return
        self._paint_texts(painter, theme, state)
        right = self._box.width() - _INSET
        for strip, top in ((state.value, 28), (state.gradient, 44)):
            strips.paint(painter, theme, strip, state.limits.of(strip.kind), _INSET, top, right)
        painter.setOpacity(1.0)
        marks.paint_in_row(painter, theme, state.marks, self._box.right() - 10, self._box.bottom())

    def _paint_ground(self, painter: QPainter, theme: Theme, state: CardState) -> None:
        if state.read or state.selected:
            painter.setPen(QPen(theme.color("backward" if state.read else "positive", 0.28), _HALO))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._box.adjusted(-2.5, -2.5, 2.5, 2.5), _RADIUS + 2.5, _RADIUS + 2.5)
        edge, width = _border(theme, state)
        painter.setPen(QPen(edge, width))
        painter.setBrush(_ground(theme, state))
        if state.is_many:
            painter.drawRoundedRect(self._box.adjusted(9, -8, -9, 0), _RADIUS, _RADIUS)
        if state.folded:
            painter.drawRoundedRect(self._box.adjusted(4, -4, -4, 0), _RADIUS, _RADIUS)
        painter.drawRoundedRect(self._box.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
        if state.size is not None:
            self._paint_size(painter, theme, state)

    def _paint_size(self, painter: QPainter, theme: Theme, state: CardState) -> None:
        """The head in the colour of the sign, and a bar along the left edge: the stronger the larger the numbers are."""
        if self._density:
            painter.setBrush(theme.diverging(state.size * (_NAMED_SHARE if self._density == 1 else 1.0), 1.0))
            painter.drawRoundedRect(self._box.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS / 2, _RADIUS / 2)
            return
        card = QPainterPath()
        card.addRoundedRect(self._box.adjusted(1.5, 1.5, -1.5, -1.5), _RADIUS - 1, _RADIUS - 1)
        painter.save()
        painter.setClipPath(card, Qt.ClipOperation.IntersectClip)
        painter.fillRect(QRectF(0, 0, self._box.width(), _HEAD), theme.diverging(_HEAD_SHARE * state.size, 1.0))
        painter.fillRect(QRectF(0, 0, 5, self._box.height()), theme.diverging(state.size, 1.0))
        painter.restore()

    def _paint_name(self, painter: QPainter, theme: Theme, state: CardState, zoom: float) -> None:
        """The name alone, from afar in larger letters, and that there is something wrong."""
        if self._density == 1 and zoom >= LEAST_NAMED * 0.9:
            font = QFont(_name_font())
            font.setPixelSize(round(max(font.pixelSize(), _LETTERS / zoom)))
            painter.setPen(theme.color("text"))
            painter.setFont(font)
            name = elided(font, state.name, self._box.width() - 2)
            painter.drawText(self._box, int(_Flag.AlignCenter), name)
        painter.setOpacity(1.0)
        if state.marks:
            marks.paint_in_row(painter, theme, state.marks[:1], self._box.right() - 2, self._box.bottom())

    def _paint_texts(self, painter: QPainter, theme: Theme, state: CardState) -> None:
        bold, small = _fonts()
        row = QRectF(_INSET, 4, self._box.width() - 2 * _INSET, 20)
        painter.setPen(theme.color("text"))
        painter.setFont(bold)
        name = elided(bold, state.name, row.width())
        painter.drawText(row, int(_Flag.AlignLeft | _Flag.AlignVCenter), name)
        room = row.adjusted(QFontMetricsF(bold).horizontalAdvance(name) + 8, 0, 0, 0)
        painter.setPen(theme.color("muted"))
        painter.setFont(small)
        painter.drawText(room, int(_Flag.AlignRight | _Flag.AlignVCenter), elided(small, state.note, room.width()))


def _border(theme: Theme, state: CardState) -> tuple[QColor, float]:
    if state.phase:
        return theme.phase(state.phase), 2.4
    if state.parameter:
        return theme.color("parameter_line"), 1
    finished = mixed(theme.color("line"), theme.color("faint"), 0.75)
    return (finished if state.finished else theme.color("line")), 1.4 if state.finished else 1


def _ground(theme: Theme, state: CardState) -> QColor:
    if state.phase:
        return theme.tint(state.phase, 0.09)
    return theme.color("parameter" if state.parameter else "panel")


def paint_edge(painter: QPainter, theme: Theme, state: EdgeState, path: QPainterPath, zoom: float) -> None:
    """Paint an edge: the wider and the more coloured the larger its number, in a band once a gradient has come back."""
    size, width, color = state.size, _NARROW, QColor(theme.color("faint"))
    if size is not None:
        width = round(_NARROW + (_WIDE - _NARROW) * abs(size), 2)
        color = theme.diverging(math.copysign(0.25 + 0.5 * abs(size), size), 1.0)
    if state.returned:
        _stroke(painter, path, theme.tint("backward", 0.8), width + _CASING)
    elif not state.sent:
        color.setAlphaF(_FUTURE)
    _stroke(painter, path, color, max(1.0, _CORE * width) if state.returned else width)


def _stroke(painter: QPainter, path: QPainterPath, color: QColor, width: float) -> None:
    painter.setPen(QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    painter.drawPath(path)
