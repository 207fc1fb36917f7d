"""The things in the scene of a trace: node, edge, frame, caption, travelling dot. Each paints one frozen state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from nnviz.ui.graph import marks
from nnviz.ui.graph.routing import Box, Point
from nnviz.ui.graph.states import EdgeState, NodeState
from nnviz.ui.graph.structure import Edge, NodeCard
from nnviz.ui.theme.colors import SMALL, Theme, current_theme, mixed
from nnviz.ui.theme.fonts import drawn_mono as mono
from nnviz.ui.theme.fonts import drawn_sans as sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.breakpoint_sign import paint_breakpoint

LEAST_TITLE = 0.65
"""Below this zoom the title of a frame cannot be read in its place."""
ON_EDGE = 0.66
"""Where on an edge its numbers stand, from source (0) to target (1): near the target its inputs are told apart."""
_REST = 0.35
"""Where a travelling gradient comes to rest on an edge with numbers on it, instead of on them."""
_Flag = Qt.AlignmentFlag


class GraphItem(QGraphicsItem):
    """What paints one frozen state and takes no mouse button."""

    def __init__(self, rank: float, bounds: QRectF, outline: QPainterPath | None = None) -> None:
        """`rank`: what has a higher one stands before the others; `outline`: where the mouse finds it, None for nowhere."""
        super().__init__()
        self.state: Any = None
        self._bounds = bounds
        self._outline = QPainterPath() if outline is None else outline
        self.setZValue(rank)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_state(self, state: Any) -> None:
        """Show this state."""
        if state != self.state:
            self.state = state
            self.update()

    def _draw(self, painter: QPainter, theme: Theme, zoom: float) -> None:
        raise NotImplementedError

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return self._outline

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw(painter, current_theme(), QStyleOptionGraphicsItem.levelOfDetailFromTransform(painter.worldTransform()))


class Face(Protocol):
    """How a node is drawn, as a card or as a circle: in its own coordinates."""

    origin: QPointF
    bounds: QRectF
    outline: QPainterPath
    breakpoint_at: QPointF
    what_if_at: QPointF

    def cell_at(self, state: Any, place: QPointF) -> int | None:
        """Return which number of a node's value is at a place; None for none."""

    def paint(self, painter: QPainter, theme: Theme, state: Any, zoom: float) -> None:
        """Paint a node, but for what marks it as a breakpoint or as supposed."""


class NodeItem(GraphItem):
    """A node, or a folded group."""

    state: NodeState | None

    def __init__(self, card: NodeCard, face: Face) -> None:
        super().__init__(2, face.bounds, face.outline)
        self.card = card
        self._face = face
        self.setPos(face.origin)

    def cell_at(self, place: QPointF) -> int | None:
        """Return which number of the value is at a place of the item; None for none."""
        return None if self.state is None else self._face.cell_at(self.state, place)

    def _draw(self, painter: QPainter, theme: Theme, zoom: float) -> None:
        state = self.state
        if state is None:
            return
        self._face.paint(painter, theme, state, zoom)
        if state.breakpoint is not None:
            paint_breakpoint(painter, theme, self._face.breakpoint_at, state.breakpoint)
        if state.supposed or state.differs:
            marks.paint_what_if(painter, theme, self._face.what_if_at, state.supposed)


class EdgeItem(GraphItem):
    """An edge between two nodes."""

    state: EdgeState | None

    def __init__(self, edge: Edge, curve: Sequence[Point], paint: EdgePainter, is_link: bool = False) -> None:
        """`is_link`: it joins neurons, so that numbers may stand on it and the mouse finds it."""
        self.edge = edge
        self._path, self._paint = _path(curve), paint
        bounds, outline = self._path.controlPointRect().adjusted(-4, -4, 4, 4), None
        if is_link:
            numbers_at = self._path.pointAtPercent(ON_EDGE)
            numbers = QRectF(numbers_at.x() - 60, numbers_at.y() - 32, 120, 50)
            bounds = self._path.boundingRect().united(numbers).adjusted(-5, -5, 5, 5)
            stroker = QPainterPathStroker()
            stroker.setWidth(12)
            outline = stroker.createStroke(self._path)
        super().__init__(1, bounds, outline)

    def point(self, share: float) -> QPointF:
        """Return the point at a share (0 to 1) of the way from source to target; what travels to the middle stops before the numbers."""
        if self.state is not None and self.state.labels and not self.state.above:
            share = 1 - (1 - share) * 2 * (1 - _REST)
        return self._path.pointAtPercent(min(1.0, max(0.0, share)))

    def set_edge_state(self, state: EdgeState) -> None:
        """Show this state; what is looked at and has numbers on it stands before the other edges."""
        self.set_state(state)
        self.setZValue(1.6 if state.active else 1.4 if state.labels else 1)

    def _draw(self, painter: QPainter, theme: Theme, zoom: float) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint(painter, theme, self.state or EdgeState(), self._path, zoom)


EdgePainter = Callable[[QPainter, Theme, EdgeState, QPainterPath, float], None]
"""Paints an edge in a state along a path, at a zoom."""


def _path(curve: Sequence[Point]) -> QPainterPath:
    path = QPainterPath(QPointF(*curve[0]))
    if len(curve) == 2:
        path.lineTo(QPointF(*curve[1]))
    for place in range(1, len(curve) - 2, 3):
        path.cubicTo(*(QPointF(*point) for point in curve[place : place + 3]))
    return path


class FrameItem(GraphItem):
    """The dashed frame around a group with its title, and a − to fold it where it can be folded."""

    BUTTON = 16.0

    def __init__(self, key: str, title: str, box: Box, rank: int, can_fold: bool, is_bare: bool = False) -> None:
        """A frame of a higher rank stands before the others: those inside come after those around them. `is_bare`: without a head."""
        self._box = QRectF(0, 0, box[2], box[3])
        bounds, outline = self._box.adjusted(-1, -1, 1, 1), QPainterPath()
        if can_fold:
            outline.addRect(bounds)
        super().__init__(rank * 1e-4, bounds, outline)
        self.key = key
        self.title = title
        self.causes: tuple[str, ...] = ()
        """What the doctor found in it."""
        self._can_fold, self._is_bare = can_fold and not is_bare, is_bare
        self._line = self._box.adjusted(0.5, 0.5, -0.5, -0.5) if can_fold else self._box
        self._title_room = QRectF(12, 5, box[2] - 30 - self.BUTTON, 18) if can_fold else QRectF(10, 4, box[2] - 16, 18)
        self.setPos(box[0], box[1])

    def set_title(self, title: str) -> None:
        """Show this name."""
        self.title = title
        self.update()

    def set_causes(self, causes: tuple[str, ...]) -> None:
        """Mark it, if the doctor found these in it."""
        if causes != self.causes:
            self.causes = causes
            self.update()

    def shows_title(self, zoom: float) -> bool:
        """Return whether it writes its title itself."""
        return not self._is_bare and zoom >= LEAST_TITLE

    def button(self) -> QRectF:
        """Return where the fold button is, in the item's own coordinates; empty where there is none."""
        if self._is_bare:
            return QRectF()
        return QRectF(self._box.right() - self.BUTTON - 6, self._box.top() + 6, self.BUTTON, self.BUTTON)

    def _draw(self, painter: QPainter, theme: Theme, zoom: float) -> None:
        pen = QPen(mixed(theme.color("line"), theme.color("faint"), 0.3), 1.2, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self._line, 8, 8)
        if self.causes:
            reach = marks.RADIUS + 6
            marks.paint_found(
                painter, theme, QPointF(self._box.right() - reach - self.BUTTON * (not self._is_bare) - 4, 6 + self.BUTTON / 2)
            )
        if not self.shows_title(zoom):
            return  # frame_labels writes it, in letters that can be read
        painter.setFont(_title_font())
        painter.setPen(theme.color("muted"))
        said = elided(_title_font(), self.title, self._title_room.width())
        painter.drawText(self._title_room, int(_Flag.AlignLeft | _Flag.AlignVCenter), said)
        if self._can_fold:
            self._draw_button(painter, theme)

    def _draw_button(self, painter: QPainter, theme: Theme) -> None:
        button = self.button()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("panel"))
        painter.drawRoundedRect(button.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(QPen(theme.color("muted"), 1.4))
        middle = button.center()
        painter.drawLine(QLineF(middle.x() - 4, middle.y(), middle.x() + 4, middle.y()))


class CaptionItem(GraphItem):
    """The name of an operation above its column of neurons."""

    def __init__(self, text: str, middle: Point) -> None:
        self._box, self._text = QRectF(middle[0] - 45, middle[1] - 8, 90, 14), text
        super().__init__(0, self._box.adjusted(-1, -1, 1, 1))

    def _draw(self, painter: QPainter, theme: Theme, zoom: float) -> None:
        painter.setFont(mono(SMALL))
        painter.setPen(theme.color("faint"))
        painter.drawText(self._box, int(_Flag.AlignCenter), elided(painter.font(), self._text, self._box.width()))


class DotItem(GraphItem):
    """The × that travels along an edge: a gradient being multiplied by a local derivative."""

    RADIUS = 8.0

    def __init__(self) -> None:
        reach = self.RADIUS + 1
        super().__init__(3, QRectF(-reach, -reach, 2 * reach, 2 * reach))

    def _draw(self, painter: QPainter, theme: Theme, zoom: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("backward"))
        painter.drawEllipse(QPointF(0, 0), self.RADIUS, self.RADIUS)
        painter.setPen(QPen(theme.color("panel"), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLines([QLineF(-3, -3, 3, 3), QLineF(-3, 3, 3, -3)])


@cache
def _title_font() -> QFont:
    return sans(SMALL, QFont.Weight.Bold)


def elided(font: QFont, text: str, width: float) -> str:
    """Return as much of a text as fits in so many pixels."""
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
