"""A list of figures painted as rows: a muted label, then numbers in mono. It knows nothing of where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nnviz.ui.theme.colors import SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import mono, sans, scaled
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.mono_tip import show_tip

_INSET = 8.0
_PAD = 5.0
_GAP = 3.0
_Flag = Qt.AlignmentFlag


@dataclass(frozen=True)
class Line:
    """One row. `tone` names the theme colour of its figures; `ground` that of its tinted ground ("" none); `node` what a click shows."""

    label: str
    text: str
    tone: str = "text"
    ground: str = ""
    node: int | None = None
    hint: str = ""
    bold: bool = False
    was: str = ""
    """What the figures are without what is supposed, if they differ."""
    mark: tuple[int, int, int] | None = None
    """A number that is framed: line of the figures, first character, how many."""
    wraps: bool = False
    """Whether figures that are too long go on in another line; else they are cut."""


class Lines(QWidget):
    """Rows below each other. A row whose figures do not fit beside their label puts them underneath."""

    node_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[Line, ...] = ()
        self._measured: tuple[int, list[tuple[QRectF, bool]]] = (-1, [])
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.hide()

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these rows; none hides the list."""
        lines = tuple(lines)
        if lines == self._lines:
            return
        self._lines = lines
        self._measured = (-1, [])
        self.setVisible(bool(lines))
        self.setAccessibleDescription("; ".join(f"{line.label} {line.text}{f', was {line.was}' if line.was else ''}" for line in lines))
        self.updateGeometry()
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def lines(self) -> tuple[Line, ...]:
        """Return the rows on the screen."""
        return self._lines

    def line_at(self, place: QPointF) -> Line | None:
        """Return the row at a place of the widget."""
        return self._at(place)

    def boxes(self) -> list[QRectF]:
        """Return where each row is."""
        return [box for box, _ in self._places()]

    def _places(self) -> list[tuple[QRectF, bool]]:
        """Where each row is, and whether its figures stand under its label; measured once for a width."""
        if self._measured[0] != self.width():
            places, top = [], 0.0
            for line in self._lines:
                below = self._underneath(line)
                height = (len(self._written(line)) + below) * _line() + (2 * _PAD if line.ground else 2)
                places.append((QRectF(0, top, self.width(), height), below))
                top += height + (_GAP if line.ground else 0)
            self._measured = (self.width(), places)
        return self._measured[1]

    def _underneath(self, line: Line) -> bool:
        """Whether the figures stand under their label."""
        widest = max(QFontMetricsF(_figures(line)).horizontalAdvance(text) for text in _texts(line))  # of now and of before
        return bool(line.label) and widest > self.width() - self._indent(line) - _INSET

    def _written(self, line: Line) -> list[str]:
        """The lines of figures; those of a sentence, which has no label, are broken where the width ends."""
        if (line.label or line.ground) and not line.wraps:
            return _texts(line)
        metrics, inset = QFontMetricsF(_figures(line)), 2 * _INSET if line.ground else 0.0
        width = self.width() - inset if not line.label or self._underneath(line) else self.width()
        return [part for text in _texts(line) for part in _broken(text, metrics, width)]

    def _indent(self, line: Line) -> float:
        if not line.label:
            return _INSET if line.ground else 0.0
        widest = max(QFontMetricsF(_labels(line)).horizontalAdvance(text) for text in (line.label, "was" if line.was else ""))
        return max(scaled(112) if line.ground else 0.0, widest + 2 * _INSET)

    def _paint_line(self, painter: QPainter, line: Line, box: QRectF, below: bool) -> None:
        theme = current_theme()
        left = _INSET if line.ground else 0.0
        if line.ground:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_tinted(theme, line.ground))
            painter.drawRoundedRect(box, 5, 5)
        top = box.top() + (_PAD if line.ground else 1)
        painter.setPen(theme.color("muted"))
        painter.setFont(_labels(line))
        painter.drawText(QRectF(left, top, box.width() - 2 * left, _line()), int(_Flag.AlignLeft | _Flag.AlignVCenter), line.label)
        indent = left if below else self._indent(line)
        painter.setPen(theme.color(line.tone))
        font = _figures(line)
        painter.setFont(font)
        first_was = len(_texts(line)) - len(line.was.split("\n")) if line.was else -1
        for place, text in enumerate(self._written(line)):
            if place == first_was:
                painter.setPen(theme.color("what_if"))
                text = self._paint_was(painter, QRectF(left, top + (place + below) * _line(), indent - left, _line()), text, font)
            room = QRectF(indent, top + (place + below) * _line(), box.width() - indent - left, _line())
            if line.mark is not None and place == line.mark[0]:
                _paint_mark(painter, theme, room, text, line.mark, font)
            shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, int(_Flag.AlignLeft | _Flag.AlignVCenter), shown)

    def _paint_was(self, painter: QPainter, room: QRectF, text: str, font: QFont) -> str:
        """Write "was" beside the figures of before; where there is no room, into them: returned are the figures to write."""
        painter.setFont(sans(SMALL))
        if room.width() < QFontMetricsF(painter.font()).horizontalAdvance("was"):
            painter.setFont(font)
            return f"was {text}"
        painter.drawText(room, int(_Flag.AlignLeft | _Flag.AlignVCenter), "was")
        painter.setFont(font)
        return text

    def _at(self, place: QPointF) -> Line | None:
        return next((line for line, box in zip(self._lines, self.boxes(), strict=True) if box.contains(place)), None)

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._measured = (-1, [])
            self.setFixedHeight(self.sizeHint().height())
        super().changeEvent(event)

    def sizeHint(self) -> QSize:
        boxes = self.boxes()
        return QSize(280, round(boxes[-1].bottom()) + 1 if boxes else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setFixedHeight(self.sizeHint().height())

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for line, (box, below) in zip(self._lines, self._places(), strict=True):
            self._paint_line(painter, line, box, below)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        line = self._at(event.position())
        clickable = line is not None and line.node is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        line = self._at(event.position())
        if line is not None and line.node is not None:
            self.node_clicked.emit(line.node)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            line = self._at(QPointF(event.pos()))
            show_tip(event.globalPos(), (line.hint or line.text) if line else "", self)
            return True
        return super().event(event)


def _line() -> float:
    """Height of a line of figures."""
    return scaled(16)


def _paint_mark(painter: QPainter, theme: Theme, room: QRectF, text: str, mark: tuple[int, int, int], font: QFont) -> None:
    """Frame one number of a line of figures."""
    metrics, (_, first, count) = QFontMetricsF(font), mark
    left, width = metrics.horizontalAdvance(text[:first]), metrics.horizontalAdvance(text[first : first + count])
    if left + width > room.width():
        return
    pen = painter.pen()
    painter.setPen(QPen(theme.color("text"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(room.left() + left - 2.5, room.top() + 0.5, width + 5, room.height() - 1), 3, 3)
    painter.setPen(pen)


def _broken(text: str, metrics: QFontMetricsF, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and metrics.horizontalAdvance(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _texts(line: Line) -> list[str]:
    """The lines of figures: those of now, then those of before."""
    return [*line.text.split("\n"), *(line.was.split("\n") if line.was else ())]


def _tinted(theme: Theme, ground: str) -> QColor:
    return theme.color("field") if ground == "field" else theme.tint(ground, 0.09)


def _labels(line: Line):
    return mono(SMALL) if line.ground else sans(SMALL + 0.5)


def _figures(line: Line):
    font = mono(SMALL) if line.label or line.ground else sans(SMALL + 0.5)
    font.setWeight(font.Weight.Bold if line.bold else font.Weight.Normal)
    return font
