"""A bar for every time step: how much of the gradient of a shared weight comes from it. It draws given numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from nnviz.text import numbers
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import mono
from nnviz.ui.theme.painting import painted

_HIGH, _FOOT, _HEAD = 74, 14.0, 14.0
_WIDEST = 26.0


@dataclass(frozen=True)
class TimeBar:
    """One time step: the size of what it sends, None while that is not computed, and the node that sends it."""

    moment: int
    size: float | None
    node: int


class TimeBars(QWidget):
    """Bars from 0 to the largest. A click on one asks for its node."""

    node_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: tuple[TimeBar, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("What each time step sends")
        self.hide()

    def set_bars(self, bars: Sequence[TimeBar]) -> None:
        """Show these time steps, in their order; none hides the picture."""
        self._bars = tuple(sorted(bars, key=lambda bar: bar.moment))
        self.setVisible(bool(bars))
        self.setAccessibleDescription("; ".join(_said(bar) for bar in self._bars))
        self.update()

    def bars(self) -> tuple[TimeBar, ...]:
        """Return what is shown."""
        return self._bars

    def boxes(self) -> list[QRectF]:
        """Return the room of every bar, as high as the largest could be."""
        width = min(_WIDEST, self.width() / max(1, len(self._bars)))
        return [QRectF(place * width, _HEAD, width, self.height() - _HEAD - _FOOT) for place in range(len(self._bars))]

    def _largest(self) -> float:
        return max((bar.size for bar in self._bars if bar.size is not None and math.isfinite(bar.size)), default=0.0)

    def _at(self, place: QPointF) -> TimeBar | None:
        return next((bar for bar, box in zip(self._bars, self.boxes(), strict=True) if box.left() <= place.x() < box.right()), None)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(260, _HIGH)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme, largest = QPainter(self), current_theme(), self._largest()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(mono(SMALL))
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(0, 0, self.width(), _HEAD), int(Qt.AlignmentFlag.AlignLeft), f"‖∂L‖ by t, 0 … {numbers.short(largest)}")
        for bar, box in zip(self._bars, self.boxes(), strict=True):
            inner = box.adjusted(1.5, 0, -1.5, 0)
            if bar.size is None:
                painter.setPen(QPen(theme.color("faint"), 1, Qt.PenStyle.DashLine))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(inner)
            elif largest and math.isfinite(bar.size):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.tint("backward", 0.75))
                height = max(1.0, inner.height() * bar.size / largest)
                painter.drawRect(QRectF(inner.left(), inner.bottom() - height, inner.width(), height))
            painter.setPen(theme.color("muted"))
            if box.width() >= 14 or bar.moment % 5 == 0:
                room = QRectF(box.left() - 6, self.height() - _FOOT, box.width() + 12, _FOOT)
                painter.drawText(room, int(Qt.AlignmentFlag.AlignHCenter), str(bar.moment))
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        bar = self._at(event.position())
        if bar is not None:
            self.node_clicked.emit(bar.node)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            bar = self._at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), _said(bar) if bar else "", self)
            return True
        return super().event(event)


def _said(bar: TimeBar) -> str:
    return f"t = {bar.moment}: {'not computed yet' if bar.size is None else numbers.number(bar.size)}"
