"""The iterations along a side of a plot: which stands where, the flags of what was changed, the one pointer. It knows no run."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.readout import text_width
from nnviz.ui.widgets.scales import AxisScale

FLAG, NEAR = 8, 5
"""Height of a flag in pixels, and so many beside it that it is still meant."""


@dataclass(frozen=True)
class Flag:
    """Something at one iteration of a run, and what is said of it."""

    iteration: int
    text: str


@dataclass(frozen=True)
class Surroundings:
    """What plots over the iterations show besides the present run."""

    flags: tuple[Flag, ...] = ()
    """Of the present run."""
    ghosts: tuple[Any, ...] = ()
    """The other branches; what they are is known to the plots that draw them."""


@dataclass(frozen=True)
class TimeAxis:
    """Where iterations stand in a frame: along its foot, or, with `is_down`, along its left side."""

    frame: QRectF
    scale: AxisScale
    is_down: bool = False

    def _spot(self, along: float, across: float) -> QPointF:
        """The point at a pixel along the axis, so far inside the frame."""
        return QPointF(self.frame.left() + across, along) if self.is_down else QPointF(along, self.frame.bottom() - across)

    def _pixel(self, iteration: float) -> float:
        return round(float(self.scale(iteration))) + 0.5

    def _shown(self, flags: tuple[Flag, ...]) -> list[Flag]:
        return [flag for flag in flags if self.scale.low <= flag.iteration <= self.scale.high]

    def iteration_at(self, place: QPointF | None) -> float | None:
        """Return the iteration nearest to a place; None outside of the frame."""
        if place is None or not self.frame.contains(place):
            return None
        return max(0.0, float(round(self.scale.value(place.y() if self.is_down else place.x()))))

    def boxes(self, flags: tuple[Flag, ...]) -> list[tuple[QRectF, int]]:
        """Return where the flags can be clicked, and their iterations."""
        ends = ((self._pixel(flag.iteration), flag.iteration) for flag in self._shown(flags))
        return [(QRectF(self._spot(at - NEAR, 0), self._spot(at + NEAR, FLAG + 2)).normalized(), iteration) for at, iteration in ends]

    def told(self, flags: tuple[Flag, ...], place: QPointF | None) -> list[tuple[str, str]]:
        """Return what the flags say that are at the iteration of a place, as lines of a readout: (colour name, text)."""
        if place is None or not self.frame.contains(place):
            return []
        at = place.y() if self.is_down else place.x()
        texts = [flag.text for flag in self._shown(flags) if abs(self._pixel(flag.iteration) - at) <= NEAR]
        return [("text", line) for line in wrapped(texts, self.frame.width())]

    def paint(self, painter: QPainter, flags: tuple[Flag, ...], pointed: float | None) -> None:
        """Paint thin flags along the axis, and a line across at the iteration that is pointed at elsewhere."""
        if pointed is not None and self.scale.low <= pointed <= self.scale.high:
            at, across = self._pixel(pointed), self.frame.width() if self.is_down else self.frame.height()
            painter.setPen(QPen(current_theme().color("faint"), 1))
            painter.drawLine(self._spot(at, 0), self._spot(at, across))
        painter.setPen(QPen(current_theme().color("muted"), 1))
        painter.setBrush(current_theme().color("muted"))
        for flag in self._shown(flags):
            at = self._pixel(flag.iteration)
            painter.drawLine(self._spot(at, 0), self._spot(at, FLAG))
            painter.drawPolygon(QPolygonF([self._spot(at, FLAG), self._spot(at + 4, FLAG - 2), self._spot(at, FLAG - 4)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)


def wrapped(texts: list[str], width: float) -> list[str]:
    """Return the texts in lines that a readout has room for in a frame of this width."""
    letters = max(16, int((width - 16) / text_width("0", number=True)))
    return [line for text in texts for part in text.split("\n") for line in textwrap.wrap(part, letters)]
