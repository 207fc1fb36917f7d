"""The things in a picture of neurons: circle, link, caption. Each paints one frozen state and asks for nothing else."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from nnviz.ui.graph import mark_signs
from nnviz.ui.graph.card_items import paint_diamond, paint_what_if
from nnviz.ui.graph.neuron_states import NARROW, WIDE, LinkState, NeuronState
from nnviz.ui.graph.painted import Painted
from nnviz.ui.network.blocks import readable
from nnviz.ui.theme.colors import BODY, SMALL, Theme, mixed, of_sign
from nnviz.ui.theme.fonts import mono, sans

_Flag = Qt.AlignmentFlag
_HALO = 5.0
_FUTURE = 0.45
ON_LINK = 0.66
_REST = 0.35
"""Where a travelling gradient comes to rest on a link with numbers on it, instead of on them."""
"""Where on a link its numbers stand, from source (0) to target (1): near the target its inputs are told apart."""
_LINE = 13.0
_LEGIBLE = 0.55
"""Below this zoom numbers could not be read and are not drawn."""


@cache
def _fonts() -> tuple[QFont, QFont, QFont]:
    return mono(BODY, QFont.Weight.Bold), mono(SMALL), sans(SMALL)


class NeuronItem(Painted):
    """A circle with its value in it, its name above and its gradient below."""

    state: NeuronState | None

    def __init__(self, key: str, centre: QPointF, diameter: float, roomy: bool, is_below: bool, theme: Theme) -> None:
        """`roomy`: there is room for a line with the bias, too; `is_below`: a link leaves it upwards, so its name stands under it."""
        super().__init__(theme, 2)
        self.key = key
        self._radius, self._roomy, self._is_below = diameter / 2, roomy, is_below
        self.setPos(centre)

    @property
    def radius(self) -> float:
        """Half the diameter of the circle."""
        return self._radius

    def cell_at(self, place: QPointF) -> int | None:
        """Return 0, the only element there is, inside the circle; None outside."""
        return 0 if QLineF(QPointF(0, 0), place).length() <= self._radius else None

    # --- painting ---

    def _paint_ground(self, painter: QPainter, state: NeuronState) -> None:
        theme, radius = self._theme, self._radius
        if state.read or state.selected:
            painter.setPen(QPen(theme.color("backward" if state.read else "positive", 0.28), _HALO))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(0, 0), radius + 3, radius + 3)
        painter.setPen(self._ring(state))
        painter.setBrush(self._brush(state))
        painter.drawEllipse(QPointF(0, 0), radius, radius)

    def _ring(self, state: NeuronState) -> QPen:
        theme = self._theme
        if state.phase:
            return QPen(theme.phase(state.phase), 3.0)
        if state.value is None:
            pen = QPen(theme.color("faint"), 1.2, Qt.PenStyle.CustomDashLine)
            pen.setDashPattern([2.6, 2.2])
            return pen
        return QPen(theme.color("parameter_line") if state.parameter else mixed(theme.color("muted"), theme.color("panel"), 0.2), 1.3)

    def _brush(self, state: NeuronState) -> QBrush:
        theme = self._theme
        if state.value is not None and not state.value.is_finite:
            return QBrush(theme.color("loss", 0.7), Qt.BrushStyle.BDiagPattern)
        if state.value is None:
            return QBrush(theme.color("panel"))
        return QBrush(theme.color("field") if state.fill is None else theme.diverging(state.fill, 1.0))

    def _paint_value(self, painter: QPainter, state: NeuronState) -> None:
        if state.value is None or "dropped" in state.marks:
            return
        painter.setFont(_fitting(state.value.text, 2 * self._radius - 7))
        fill = state.fill if state.value.is_finite and state.fill is not None else 0.0
        painter.setPen(readable(self._theme, fill, 1.0) if state.value.is_finite else self._theme.color("loss"))
        painter.drawText(self._line(-self._radius, 2 * self._radius), int(_Flag.AlignCenter), state.value.text)

    def _paint_texts(self, painter: QPainter, state: NeuronState) -> None:
        theme, radius = self._theme, self._radius
        _, number, text = _fonts()
        painter.setFont(text)
        painter.setPen(theme.color("muted"))
        shows_bias = bool(state.bias) and self._roomy
        top = radius + 4 if self._is_below else -radius - 17 - 16 * shows_bias
        painter.drawText(self._line(top, 14), int(_Flag.AlignCenter), state.name)
        painter.setFont(number)
        if shows_bias:
            said = f"b {state.bias}" + (f"  ∂ {state.bias_gradient}" if state.bias_gradient else "")
            self._paint_pill(painter, said, -radius - 19, "parameter", "text")
        if state.gradient:
            self._paint_pill(painter, f"∂ {state.gradient}", radius + 5, "backward", "backward")

    def _paint_pill(self, painter: QPainter, said: str, top: float, ground: str, ink: str) -> None:
        theme, width = self._theme, QFontMetricsF(painter.font()).horizontalAdvance(said) + 10
        box = QRectF(-width / 2, top, width, 15)
        painter.setPen(QPen(theme.color("parameter_line"), 1) if ground == "parameter" else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(ground) if ground == "parameter" else theme.tint(ground, 0.1))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(theme.color(ink))
        painter.drawText(box, int(_Flag.AlignCenter), said)

    @staticmethod
    def _line(top: float, height: float) -> QRectF:
        return QRectF(-70, top, 140, height)

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return QRectF(-72, -self._radius - 38, 144, 2 * self._radius + 62)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addEllipse(QPointF(0, 0), self._radius, self._radius)
        return path

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        state = self.state
        if state is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, state)
        if option.levelOfDetailFromTransform(painter.worldTransform()) >= _LEGIBLE:
            self._paint_value(painter, state)
            self._paint_texts(painter, state)
        mark_signs.paint_on_circle(painter, self._theme, state.marks, self._radius)
        if state.breakpoint is not None:
            paint_diamond(painter, self._theme, QPointF(-self._radius * 0.72, -self._radius * 0.72), state.breakpoint)
        if state.supposed or state.differs:
            paint_what_if(painter, self._theme, QPointF(self._radius * 0.75, -self._radius * 0.75), state.supposed)


def _fitting(text: str, room: float) -> QFont:
    """The largest of the fonts for numbers in which this text fits."""
    sizes = (BODY, SMALL, SMALL - 2, SMALL - 4)
    fits = (mono(size, QFont.Weight.Bold) for size in sizes)
    return next((font for font in fits if QFontMetricsF(font).horizontalAdvance(text) <= room), mono(sizes[-1], QFont.Weight.Bold))


class NeuronLinkItem(Painted):
    """A line between two circles, with the weight on it."""

    state: LinkState | None

    def __init__(self, link: tuple[int, int], start: QPointF, end: QPointF, bow: float, theme: Theme) -> None:
        """`bow`: how far up it swings to pass what stands between, in pixels."""
        super().__init__(theme, 1)
        self.link = link
        self._path = QPainterPath(start)
        if bow:
            third = (end - start) / 3
            self._path.cubicTo(start + third - QPointF(0, bow), end - third - QPointF(0, bow), end)
        else:
            self._path.lineTo(end)

    def point(self, share: float) -> QPointF:
        """Return the point at a share (0 to 1) of the way from source to target; what travels to the middle stops before the numbers."""
        if self.state is not None and self.state.labels and not self.state.above:
            share = 1 - (1 - share) * 2 * (1 - _REST)
        return self._place(share)

    def _place(self, share: float) -> QPointF:
        return self._path.pointAtPercent(min(1.0, max(0.0, share)))

    def _pen(self, state: LinkState) -> QPen:
        theme = self._theme
        if state.share is None:
            color, width = theme.color("backward" if state.returned else "faint"), 1.6 if state.returned else 1.2
        else:
            color = theme.color(of_sign(state.share))
            width = NARROW + (WIDE - NARROW) * abs(state.share) ** 1.5
            color.setAlphaF(0.35 + 0.6 * abs(state.share))
        if not (state.sent or state.returned):
            color.setAlphaF(color.alphaF() * _FUTURE)
        return QPen(color, width + (0.8 if state.selected else 0), Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)

    def _paint_labels(self, painter: QPainter, state: LinkState) -> None:
        metrics = QFontMetricsF(painter.font())
        width = max(metrics.horizontalAdvance(text) for _, text in state.labels) + 6
        height = _LINE * len(state.labels)
        middle = self._place(0.5) - QPointF(0, 17) if state.above else self._place(ON_LINK)
        box = QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_opaque(self._theme.color("panel", 0.9)))
        painter.drawRoundedRect(box, 4, 4)
        for place, (tone, text) in enumerate(state.labels):
            painter.setPen(self._theme.color(tone))
            line = QRectF(box.left(), box.top() + place * _LINE, width, _LINE)
            painter.drawText(line, int(_Flag.AlignCenter), text)

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        middle = self._place(ON_LINK)
        return self._path.boundingRect().united(QRectF(middle.x() - 60, middle.y() - 32, 120, 50)).adjusted(-5, -5, 5, 5)

    def shape(self) -> QPainterPath:
        stroker = QPainterPathStroker()
        stroker.setWidth(12)
        return stroker.createStroke(self._path)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        state = self.state or LinkState()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state.active or state.selected:
            painter.setPen(QPen(self._theme.color("muted", 0.16), WIDE + 5))
            painter.drawPath(self._path)
        painter.setPen(self._pen(state))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._path)
        if state.labels and option.levelOfDetailFromTransform(painter.worldTransform()) >= _LEGIBLE:
            painter.setFont(_fonts()[1])
            self._paint_labels(painter, state)


def _opaque(color: QColor) -> QBrush:
    return QBrush(color)


class CaptionItem(Painted):
    """A small text: an operation above its column, or a layer's frame with its name."""

    def __init__(self, text: str, box: QRectF, framed: bool, theme: Theme) -> None:
        super().__init__(theme, 0)
        self.text = text
        self._box, self._framed = box, framed

    def set_text(self, text: str) -> None:
        """Show this text."""
        self.text = text
        self.update()

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return self._box.adjusted(-1, -1, 1, 1)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        theme = self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(sans(SMALL, QFont.Weight.Bold) if self._framed else mono(SMALL))
        room = QRectF(self._box)
        if self._framed:
            pen = QPen(mixed(theme.color("line"), theme.color("faint"), 0.3), 1.2, Qt.PenStyle.CustomDashLine)
            pen.setDashPattern([5, 4])
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._box, 8, 8)
            room = QRectF(self._box.left() + 10, self._box.top() + 4, self._box.width() - 16, 18)
        painter.setPen(theme.color("muted" if self._framed else "faint"))
        said = QFontMetricsF(painter.font()).elidedText(self.text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int((_Flag.AlignLeft if self._framed else _Flag.AlignHCenter) | _Flag.AlignVCenter), said)
