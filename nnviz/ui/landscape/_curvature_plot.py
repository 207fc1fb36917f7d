"""The eigenvalues of the Hessian as signed bars, and beside them what they say. Shows what it is given; computes no eigenvalue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import QWidget

from nnviz.records.task_records import Curvature, GradientNoise
from nnviz.records.tensors import to_numpy
from nnviz.text import plot_numbers
from nnviz.text.numbers import number, short
from nnviz.ui.landscape.curvature_text import Fact, Section, noise_section, reach, sections
from nnviz.ui.theme.colors import SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.widgets.header_button import SwitchButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, text_width, write

_EXPLANATION = (
    "The Hessian, all second derivatives of the loss where the run stands. Its eigenvalues say how the loss bends along its own "
    "directions: positive is a valley, negative a ridge. The largest one limits the learning rate.\n\n"
    "The limit is that of steps with the gradient of all rows. It is information, not an error: training often goes on at the edge."
)
_DECADES = 6
"""Decades of |λ| on a logarithmic axis; smaller ones have no bar."""
_NARROWEST, _LOWEST = 200.0, 64.0
"""Pixels the bars need at least beside the words, and over them."""
_GAP = 16.0
_MORE = "more when enlarged"
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

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Curvature", _EXPLANATION, parent=parent)
        self.log_switch = SwitchButton("log", "Logarithmic axis of the eigenvalues")
        self.log_switch.toggled.connect(self.renew)
        self.tools = (self.log_switch,)
        self.found: Curvature | None = None
        self.sections: tuple[Section, ...] = ()
        self._bars = Bars(np.zeros(0), np.zeros(0))

    def set_found(self, found: Curvature | None, iteration: int, noise: GradientNoise | None, failure: str = "") -> None:
        """Show this, of the parameters after so many iterations, and the gradient noise if it is known of the same.

        None: not yet; `failure` says why, if it was asked for.
        """
        self.offer(found, iteration, noise, failure)

    def take(self, found: Curvature | None = None, iteration: int = 0, noise: GradientNoise | None = None, failure: str = "") -> None:
        self.found = found
        self.sections = (*sections(found), *((noise_section(noise),) if noise else ())) if found else ()
        self.sentence = "" if self.sections else failure or "how the loss bends where the run stands: press compute"
        self.least_height = round(line_height() * sum(len(section.facts) + 1.5 for section in self.sections))
        if found:
            self._bars = bars_of(to_numpy(found.eigenvalues), self.log_switch.isChecked())
        self.set_heading("Curvature", plot_numbers.iteration(iteration) if self.sections else "")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        needed = _width(self.sections)
        if area.width() >= needed + _NARROWEST:
            bars = area.adjusted(0, 0, -needed - _GAP, 0)
            texts = QRectF(bars.right() + _GAP, area.top(), needed, area.height())
        else:
            high = max(_LOWEST, area.height() - self.least_height - _GAP)
            bars, texts = area.adjusted(0, 0, 0, high - area.height()), area.adjusted(0, high + _GAP / 2, 0, 0)
        self._paint_bars(painter, theme, bars)
        self._paint_sections(painter, theme, texts)
        self._paint_readout(painter, theme, bars)

    def _frame(self, area: QRectF) -> QRectF:
        texts = [number(self.found.largest), number(self.found.smallest), "<0.00001"]
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
        for y, text in self._marks(frame, zero):
            line = QRectF(area.left(), y - line_height() / 2, frame.left() - area.left() - 5, line_height())
            write(painter, line, text, theme.color("muted"), small_mono(), RIGHT)

    def _marks(self, frame: QRectF, zero: float) -> list[tuple[float, str]]:
        """Numbers at the axis, as (y, text): the largest, the smallest where it is below 0, and what has no height."""
        largest = max(abs(self.found.largest), abs(self.found.smallest))
        none = f"<{short(largest * 10.0**-_DECADES)}" if self.log_switch.isChecked() and largest > 0 else "0"
        ends = ((frame.top(), self.found.largest), (frame.bottom(), self.found.smallest))
        return [(zero, none), *((y, number(value)) for y, value in ends if abs(y - zero) > line_height())]

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
        """Heads and facts, as many as fit; a gauge under that of the learning rate. The fact under the pointer is read in full."""
        line, is_whole, read = QRectF(room.left(), room.top(), room.width(), line_height()), True, None
        for section in self.sections:
            if line.bottom() + line_height() > room.bottom() - line_height() * (section is not self.sections[-1]):
                is_whole = False
                break
            write(painter, line, section.head.upper(), theme.color("muted"), sans(SMALL, QFont.Weight.Bold))
            line.translate(0, line_height() + 1)
            for fact, columns in zip(section.facts, _columns(section), strict=True):
                if line.bottom() > room.bottom() + 1:
                    is_whole = False
                    break
                self._write_fact(painter, theme, line, fact, columns)
                read = fact if self.hovered is not None and line.contains(self.hovered) else read
                line.translate(0, line_height())
            if section.head == "Stability" and self.found and self.found.stability and line.top() + _GAUGE <= room.bottom():
                self._paint_gauge(painter, theme, QRectF(line.left(), line.top() + 2, line.width(), _GAUGE))
                line.translate(0, _GAUGE + 2)
            line.translate(0, line_height() / 2)
        if not is_whole and line.bottom() <= room.bottom() + 1:
            write(painter, line, _MORE, theme.color("faint"))
        if read and read.remark:
            said = " ".join(filter(None, (read.name, read.value)))
            rows = [("text", said)] if said else []
            paint_readout(painter, theme, self.hovered, [*rows, *(("muted", part) for part in read.remark.split(", "))], room)

    def _write_fact(self, painter: QPainter, theme: Theme, line: QRectF, fact: Fact, columns: tuple[float, float]) -> None:
        """Name, figure, and the parts of the remark that fit."""
        write(painter, line, fact.name, theme.color("muted"))
        write(painter, line.adjusted(columns[0], 0, 0, 0), fact.value, theme.color(fact.tone), small_mono())
        rest = line.adjusted(columns[1], 0, 0, 0)
        parts = fact.remark.split(", ")
        fitting = (", ".join(parts[:count]) for count in range(len(parts), 0, -1))
        write(painter, rest, next((text for text in fitting if text_width(text) <= rest.width()), ""), theme.color("muted"))

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


def _columns(section: Section) -> list[tuple[float, float]]:
    """Where the figure and the remark of every fact begin: one below the other, and a remark alone at the left."""
    names = 8 + max(text_width(fact.name) for fact in section.facts)
    values = 8 + max(text_width(fact.value, number=True) for fact in section.facts)
    return [(names, names + values if fact.name or fact.value else 0.0) for fact in section.facts]


def _width(sections: Sequence[Section]) -> float:
    """Pixels that the longest line takes."""
    lines = ((columns[1], fact.remark) for section in sections for fact, columns in zip(section.facts, _columns(section), strict=True))
    return max((left + text_width(remark) + 4 for left, remark in lines), default=0.0)
