"""How alike the distances of rows become as columns of noise are added: farthest over nearest, and all distances for one number of them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from nnviz.records.distance_record import Distances
from nnviz.records.tensors import to_numpy
from nnviz.text import plot_numbers
from nnviz.text.numbers import number, steady
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.widgets.header_button import ChoiceButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, small_sans, text_width, write
from nnviz.ui.widgets.scales import AxisScale, decades

_EXPLANATION = (
    "Distances between training rows, each with each, scaled as the net sees them, in their own columns and with more and more columns of "
    "normal noise that are as wide. The more columns, the more alike all distances: farthest over nearest falls towards 1, and the nearest "
    "rows, which have become nearest by chance, answer no better than any others.\n\nThe number of added columns is chosen in the header."
)
_WIDE, _HIGH = 420.0, 170.0
"""Pixels from which on both pictures have room beside each other, or below each other; else only the ratios are shown."""


class DistancesPlot(Plot):
    """On the left the ratio for every number of columns, on the right the distances for one of them; narrow, below each other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Distances", _EXPLANATION, parent=parent)
        self.added = ChoiceButton("How many columns of noise are added")
        self.added.chosen.connect(lambda key: self.renew())
        self.tools = (self.added,)
        self.found: Distances | None = None

    def set_found(self, found: Distances | None, failure: str = "") -> None:
        """Show this. None: not yet; `failure` says why, if it was asked for."""
        self.offer(found, failure)

    def take(self, found: Distances | None = None, failure: str = "") -> None:
        self.found = found
        self.added.setVisible(found is not None)
        if found is None:
            self.sentence = failure or "how far rows lie apart, with more and more columns of noise: press compute"
            self.set_heading("Distances", "")
            return
        self.sentence = ""
        counts = [str(count) for count in to_numpy(found.added).tolist()]
        self.added.set_choices([(count, f"{int(count):,} added") for count in counts], self.added.key if self.added.key in counts else "0")
        self.choice = self.added.text()
        self.set_heading("Distances", f"{found.rows:,} rows, {found.columns:,} column{'s' * (found.columns > 1)}")

    @property
    def place(self) -> int:
        """Which of the numbers of added columns is chosen."""
        return to_numpy(self.found.added).tolist().index(int(self.added.key))

    def said(self, place: int) -> str:
        """Return what stands over the curve of a number of added columns."""
        found = self.found
        ratio = f"farthest / nearest {number(float(to_numpy(found.ratios)[place]))}"
        return ratio if found.scores is None else f"{ratio} · nearest 5: {self._score(place)}"

    def _score(self, place: int) -> str:
        score = float(to_numpy(self.found.scores)[place])
        return f"accuracy {plot_numbers.percent(score)}" if self.found.metric == "accuracy" else f"RMSE {steady(score)}"

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        if area.width() < _WIDE and area.height() < _HIGH:
            self._paint_ratios(painter, theme, area)
            return
        if area.width() >= _WIDE:
            half = round(area.width() / 2)
            rooms = QRectF(area.left(), area.top(), half - 6, area.height()), area.adjusted(half + 6, 0, 0, 0)
        else:
            half = round(area.height() / 2)
            rooms = QRectF(area.left(), area.top(), area.width(), half - 4), area.adjusted(0, half + 4, 0, 0)
        self._paint_ratios(painter, theme, rooms[0])
        self._paint_histogram(painter, theme, rooms[1])

    def _paint_ratios(self, painter: QPainter, theme: Theme, room: QRectF) -> None:
        found, place = self.found, self.place
        columns, ratios = to_numpy(found.added) + found.columns, to_numpy(found.ratios)
        _write(painter, room, self.said(place), theme, "text")
        frame = room.adjusted(round(8 + text_width("10⁻¹", number=True)), line_height() + 7, -12, -line_height() - 3)
        x = AxisScale(*decades(float(columns[0]), float(columns[-1])), frame.left(), frame.right(), log=True)
        y = AxisScale(*decades(1.0, float(ratios.max()) * 1.01), frame.bottom(), frame.top(), log=True)
        self.axes.place(painter, theme, frame, x, y)
        self.axes.axis("left", plot_numbers.power_of_ten, lines=True)
        self.axes.axis("bottom", plot_numbers.power_of_ten)
        self.axes.curve(columns, ratios, theme.color("training_set"), 1.8)
        color = theme.color("training_set")
        brushes = [QBrush(color if one == place else theme.color("panel")) for one in range(len(columns))]
        self.axes.points(columns, ratios, 8, [QPen(color, 1.2)] * len(columns), brushes)
        self.axes.render(painter)
        if self.hovered is not None and frame.contains(self.hovered):
            nearest = int(np.abs(np.log(columns) - np.log(float(x.value(self.hovered.x())))).argmin())
            paint_readout(painter, theme, self.hovered, self.values_of(nearest), frame)

    def values_of(self, place: int) -> list[tuple[str, str]]:
        """Return the lines of the readout for a number of added columns."""
        found = self.found
        columns, spread = int(to_numpy(found.added)[place]) + found.columns, float(to_numpy(found.spreads)[place])
        lines = [("text", f"{columns:,} columns"), ("training_set", f"farthest / nearest {number(float(to_numpy(found.ratios)[place]))}")]
        lines.append(("muted", f"deviation / mean {number(spread)}"))
        return lines if found.scores is None else [*lines, ("muted", f"nearest 5: {self._score(place)}")]

    def _paint_histogram(self, painter: QPainter, theme: Theme, room: QRectF) -> None:
        found, counts = self.found, to_numpy(self.found.histograms)[self.place]
        _write(painter, room, f"distances of all pairs / their mean, {self.added.text()}", theme, "muted")
        frame = room.adjusted(4, line_height() + 7, -12, -line_height() - 3)
        x = AxisScale(0.0, found.reach, frame.left(), frame.right())
        y = AxisScale(0.0, float(counts.max()) * 1.05, frame.bottom(), frame.top())
        wide = frame.width() / len(counts)
        painter.fillRect(QRectF(frame.left(), frame.bottom(), frame.width(), 1), theme.color("line"))
        for place, count in enumerate(counts):
            top = float(y(float(count)))
            bar = QRectF(frame.left() + place * wide, top, wide - 1, frame.bottom() - top)
            painter.fillRect(bar, theme.color("training_set", 0.75))
        for value in range(round(found.reach) + 1):
            text = str(value)
            left = min(float(x(value)) - text_width(text, number=True) / 2, frame.right() - text_width(text, number=True))
            below = QRectF(QPointF(left, frame.bottom() + 2), QPointF(left + 20, frame.bottom() + 2 + line_height()))
            write(painter, below, text, theme.color("muted"))


def _write(painter: QPainter, room: QRectF, text: str, theme: Theme, color: str) -> None:
    line = QRectF(room.left() + 4, room.top(), room.width() - 8, line_height())
    shown = QFontMetricsF(small_sans()).elidedText(text, Qt.TextElideMode.ElideRight, line.width())
    write(painter, line, shown, theme.color(color))
