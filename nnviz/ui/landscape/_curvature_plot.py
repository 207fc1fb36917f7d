"""The eigenvalues of the Hessian as signed bars, and beside them what they say. Shows what it is given; computes no eigenvalue."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from nnviz.records.task_records import Curvature, GradientNoise
from nnviz.records.tensors import to_numpy
from nnviz.text import plot_numbers
from nnviz.text.numbers import number
from nnviz.ui.landscape.curvature_text import Section, noise_section, reach, sections
from nnviz.ui.theme.colors import SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.widgets.header_button import SwitchButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, small_sans, text_width, write

_EXPLANATION = (
    "The Hessian, all second derivatives of the loss where the run stands. Its eigenvalues say how the loss bends along its own "
    "directions: positive is a valley, negative a ridge. The largest one limits the learning rate.\n\n"
    "The limit is that of steps with the gradient of all rows. It is information, not an error: training often goes on at the edge."
)
_DECADES = 6
"""Decades of |λ| on a logarithmic axis; smaller ones have no bar."""
_NARROW = 520
"""Pixels of width below which the words stand under the bars."""
_TEXTS = 330
"""Pixels the words have beside the bars."""
_GAUGE = 6


class Bars(NamedTuple):
    """How the eigenvalues are drawn: the largest first, heights between −1 and 1."""

    values: np.ndarray
    heights: np.ndarray


def bars_of(eigenvalues: np.ndarray, is_log: bool) -> Bars:
    """Return the bars, as shares of the largest |λ|, or logarithmic: 0 for what is below the shown decades."""
    values = eigenvalues[::-1]
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    shares = values / largest
    if is_log:
        size = np.log10(np.maximum(np.abs(shares), 10.0**-_DECADES)) / _DECADES + 1
        shares = np.copysign(size, shares)
    return Bars(values, shares)


class CurvaturePlot(Plot):
    """Bars, a gauge for the learning rate, and facts under heads, as many as there is room for."""

    def __init__(self, *tools: QWidget, parent: QWidget | None = None) -> None:
        super().__init__("Curvature", _EXPLANATION, parent=parent)
        self.log_switch = SwitchButton("log", "Logarithmic axis of the eigenvalues")
        self.log_switch.toggled.connect(self.renew)
        self.tools = (*tools, self.log_switch)
        self.found: Curvature | None = None
        self.sections: tuple[Section, ...] = ()
        self._bars = Bars(np.zeros(0), np.zeros(0))

    def set_found(self, found: Curvature | None, iteration: int, noise: GradientNoise | None) -> None:
        """Show this, of the parameters after so many iterations, and the gradient noise if it is known of the same; None: not yet."""
        self.offer(found, iteration, noise)

    def take(self, found: Curvature | None = None, iteration: int = 0, noise: GradientNoise | None = None) -> None:
        self.found = found
        self.sections = (*(sections(found) if found else ()), *((noise_section(noise),) if noise else ()))
        self.sentence = "" if self.sections else "how the loss bends where the run stands: press compute"
        self.least_height = round(line_height() * sum(len(section.facts) + 1.5 for section in self.sections))
        if found:
            self._bars = bars_of(to_numpy(found.eigenvalues), self.log_switch.isChecked())
        self.set_heading("Curvature", plot_numbers.iteration(iteration) if self.sections else "")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        if self.found is None:
            self._paint_sections(painter, theme, area)
            return
        if area.width() >= _NARROW:
            width = min(scaled(_TEXTS) * 1.2, area.width() * 0.52)
            bars = area.adjusted(0, 0, -width - 16, 0)
            texts = QRectF(bars.right() + 16, area.top(), width, area.height())
        else:
            high = max(70.0, area.height() - self.least_height - 12)
            bars, texts = area.adjusted(0, 0, 0, high - area.height()), area.adjusted(0, high + 8, 0, 0)
        self._paint_bars(painter, theme, bars)
        self._paint_sections(painter, theme, texts)
        self._paint_readout(painter, theme, bars)

    def _frame(self, area: QRectF) -> QRectF:
        texts = [number(self.found.largest), number(self.found.smallest)]
        return area.adjusted(round(8 + max(text_width(text, number=True) for text in texts)), 8, -4, -8)

    def _paint_bars(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        frame, heights = self._frame(area), self._bars.heights
        top, bottom = max(0.0, float(heights.max(initial=0.0))), min(0.0, float(heights.min(initial=0.0)))
        unit = frame.height() / ((top - bottom) or 1.0)
        zero, pitch = frame.top() + top * unit, frame.width() / max(1, len(heights))
        gap = min(3.0, pitch * 0.25) if pitch > 3 else 0.0
        painter.setPen(Qt.PenStyle.NoPen)
        for place, height in enumerate(heights.tolist()):
            painter.setBrush(theme.tint("positive" if height >= 0 else "negative", 0.85))
            painter.drawRect(QRectF(frame.left() + place * pitch, zero, max(0.6, pitch - gap), -height * unit).normalized())
        painter.setPen(QPen(theme.color("faint"), 1))
        painter.drawLine(frame.bottomLeft().x(), zero, frame.right(), zero)
        marks = [(zero, "0")]
        if top > 0.08 * (top - bottom):
            marks.append((frame.top(), number(self.found.largest)))
        if -bottom > 0.08 * (top - bottom):
            marks.append((frame.bottom(), number(self.found.smallest)))
        for y, text in marks:
            line = QRectF(area.left(), y - line_height() / 2, frame.left() - area.left() - 5, line_height())
            write(painter, line, text, theme.color("muted"), small_mono(), RIGHT)

    def _paint_readout(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        frame, count = self._frame(area), len(self._bars.values)
        if self.hovered is None or not frame.contains(self.hovered) or not count:
            return
        place = min(count - 1, int((self.hovered.x() - frame.left()) / frame.width() * count))
        value = float(self._bars.values[place])
        rows = [("muted", f"{place + 1} of {count}"), ("positive" if value >= 0 else "negative", f"λ {number(value)}")]
        paint_readout(painter, theme, self.hovered, [*rows, *self._share_of(place, count)], area)

    def _share_of(self, place: int, count: int) -> list[tuple[str, str]]:
        """In which parameter most of an eigenvector lies, where it is known: of the first two and the last two."""
        vectors = to_numpy(self.found.vectors)
        number_of = {count - 1 - at: row for row, at in enumerate(sorted({*range(min(2, count)), *range(max(0, count - 2), count)}))}
        if place not in number_of:
            return []
        squares, start, shares = vectors[number_of[place]] ** 2, 0, []
        for name, size in self.found.layout:
            shares.append((float(squares[start : start + size].sum()), name))
            start += size
        share, name = max(shares)
        return [("muted", f"{100 * share:.0f} % in {self.names.get(name, name)}")]

    def _paint_sections(self, painter: QPainter, theme: Theme, room: QRectF) -> None:
        """Heads and facts, as many as fit; a gauge under that of the learning rate."""
        line = QRectF(room.left(), room.top(), room.width(), line_height())
        facts = [fact for section in self.sections for fact in section.facts]
        names = 10 + max((text_width(fact.name) for fact in facts), default=0.0)
        values = 10 + max((text_width(fact.value, number=True) for fact in facts), default=0.0)
        for section in self.sections:
            if line.bottom() + line_height() > room.bottom():
                return
            write(painter, line, section.head.upper(), theme.color("muted"), sans(SMALL, QFont.Weight.Bold))
            line.translate(0, line_height() + 1)
            for fact in section.facts:
                if line.bottom() > room.bottom() + 1:
                    return
                write(painter, line, fact.name, theme.color("muted"))
                write(painter, line.adjusted(names, 0, 0, 0), fact.value, theme.color(fact.tone), small_mono())
                rest = line.adjusted(names + values if fact.value else 0, 0, 0, 0)
                remark = QFontMetricsF(small_sans()).elidedText(fact.remark, Qt.TextElideMode.ElideRight, rest.width())
                write(painter, rest, remark, theme.color("muted"))
                line.translate(0, line_height())
            if section.head == "Stability" and self.found and self.found.stability and line.top() + _GAUGE <= room.bottom():
                self._paint_gauge(painter, theme, QRectF(line.left(), line.top() + 2, line.width(), _GAUGE))
                line.translate(0, _GAUGE + 2)
            line.translate(0, line_height() / 2)

    def _paint_gauge(self, painter: QPainter, theme: Theme, bar: QRectF) -> None:
        """How much of the way to the largest stable rate is used; beyond it in the colour of what is clipped."""
        share = reach(self.found.stability)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("field"))
        painter.drawRoundedRect(bar, 3, 3)
        scale = max(1.0, share)
        painter.setBrush(theme.color("forward" if share <= 1 else "clip"))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), max(6.0, bar.width() * share / scale), bar.height()), 3, 3)
        edge = bar.left() + bar.width() / scale
        painter.fillRect(QRectF(min(edge, bar.right()) - 1, bar.top() - 2, 2, bar.height() + 4), theme.color("text"))
