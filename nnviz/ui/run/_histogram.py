"""Histograms of weights, gradients, activations or updates of one layer over time, as ridges. Shows measures; it never sees a tensor."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from nnviz.records.tensors import Measure
from nnviz.session.run import RunState, Snapshot
from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.run.layer_lines import having, is_past
from nnviz.ui.run.ridgeline import bin_at, common_range, in_time, moments, nearest_value, outline
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import ChoiceButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, text_width, write
from nnviz.ui.widgets.scales import AxisScale
from nnviz.ui.widgets.time_axis import TimeAxis

QUANTITIES = {"weights": ("θ", "update"), "gradients": ("∂L", "backward"), "activations": ("a", "forward"), "updates": ("Δθ", "update")}
"""What can be shown: its sign in the graph, and the colour of the phase that makes it."""
_EXPLANATION = (
    "How the values of one layer are distributed, the newest iteration in front, the others as far behind as they are apart in time. "
    "Few values are marks, many a histogram with its own bins, each as high as the others; "
    "exact zeros and non-finite values are counted apart. "
    "A second layer can be set beside it, on the same axis: one with a norm, say, and one without."
)
_OVERLAP = 1.5
"""Height of a ridge in distances between ridges."""
_DENSEST, _MOST_ROWS = 13.0, 32
_LEAST_GAP = 7.0
"""Pixels between two ridges."""
_MARK = 9.0
"""Height of a mark in pixels."""
_BETWEEN = 12.0
"""Pixels between two layers."""
_NEAR = 6.0
"""Pixels within which a mark is meant."""
Row = tuple[int, Measure, float]
"""Iteration, measure, and where its ground line stands."""


class HistogramPlot(Plot):
    """Ridges of one quantity of one layer, oldest at the top, newest in front at the bottom."""

    needs_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Weights over time", _EXPLANATION, "Weights", parent)
        self.quantity = "weights"
        self.layers = ChoiceButton("Layer")
        self.layers.chosen.connect(self.renew)
        self.beside = ChoiceButton("Another layer beside it, on the same axis")
        self.beside.chosen.connect(self.renew)
        self.quantities = ChoiceButton("Weights, gradients, activations or updates")
        self.quantities.set_words({quantity: sign for quantity, (sign, _) in QUANTITIES.items()})
        self.quantities.set_choices([(quantity, f"{sign}  {quantity}") for quantity, (sign, _) in QUANTITIES.items()], self.quantity)
        self.quantities.chosen.connect(self.set_quantity)
        self.tools = (self.quantities, self.layers, self.beside)
        self._snapshots: tuple[Snapshot, ...] = ()

    def set_run(self, run: RunState) -> None:
        """Show the measures of this run."""
        self.offer(run.snapshots)
        self.set_past(is_past(run, self._measured))

    @property
    def needs(self) -> str:
        """What the engine has to measure for it."""
        return "updates" if self.quantity == "updates" else "measures"

    def set_quantity(self, quantity: str) -> None:
        """Show weights, gradients, activations or updates."""
        before, self.quantity = self.needs, quantity
        self.quantities.choose(quantity)
        self.renew()
        if self.needs != before:
            self.needs_changed.emit()

    def _measured(self, snapshot: Snapshot) -> tuple:
        """The layers of which the quantity was measured."""
        return tuple(measures for measures in snapshot.layers if getattr(measures, self.quantity) is not None)

    def set_layer(self, layer: str) -> None:
        """Show this layer; one the run does not know is ignored."""
        if any(layer == measures.layer for snapshot in self._snapshots[-1:] for measures in snapshot.layers):
            self.layers.set_choices(self._choices(), layer)
            self.renew()

    def take(self, snapshots: tuple[Snapshot, ...] = ()) -> None:
        self._snapshots = having(snapshots, self._measured)
        choices = self._choices()
        known = [layer for layer, _ in choices]
        self.layers.set_choices(choices, self.layers.key if self.layers.key in known else next(iter(known), ""))
        self.layers.setVisible(bool(known))
        self.beside.set_choices([("", "alone"), *choices], self.beside.key if self.beside.key in known else "")
        self.beside.setVisible(len(known) > 1)
        self.choice = " | ".join(self.names.get(layer, layer) for layer in self._shown)
        self.sentence = "" if known else f"histograms of {self.quantity} appear with the first measured iteration"
        said = plot_numbers.iteration(self._snapshots[-1].iteration) if known else ""
        self.set_heading(f"{self.quantity.capitalize()} over time", said, self.quantity.capitalize())

    @property
    def _shown(self) -> tuple[str, ...]:
        """The layers that stand beside each other."""
        return (self.layers.key, self.beside.key) if self.beside.key else (self.layers.key,)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        most = int(min(_MOST_ROWS, max(4, (area.height() - line_height() - 3) / _DENSEST)))
        found = {layer: moments(self._snapshots, layer, self.quantity, most) for layer in self._shown}
        found = {layer: rows for layer, rows in found.items() if rows}
        if not found:
            return
        reach = common_range([row for rows in found.values() for row in rows])
        width, times, pointed = area.width() / len(found), [], None
        for place, (layer, rows) in enumerate(found.items()):
            room = QRectF(area.left() + place * width, area.top(), width - (_BETWEEN if place + 1 < len(found) else 0), area.height())
            if len(found) > 1:
                write(
                    painter,
                    QRectF(room.topLeft(), QSizeF(room.width(), line_height())),
                    self.names.get(layer, layer),
                    self._muted,
                    align=RIGHT,
                )
                room.setTop(room.top() + line_height())
            frame, placed, x, time = self._paint_layer(painter, room, rows, reach)
            times.append(time)
            if self.hovered is not None and frame.contains(self.hovered):
                pointed = frame, placed, x
        told = self.paint_times(painter, *times)
        if pointed is not None:
            self._paint_values(painter, *pointed, told)

    @property
    def _muted(self) -> QColor:
        return current_theme().color("muted")

    def _paint_layer(
        self, painter: QPainter, room: QRectF, rows: list[tuple[int, Measure]], reach: tuple[float, float]
    ) -> tuple[QRectF, list[Row], AxisScale, TimeAxis]:
        """Return where its ridges stand, the scale of their values and the axis of time."""
        frame = room.adjusted(0, 0, 0, -line_height() - 3)
        frame.setLeft(frame.left() + 6 + max(text_width(f"{iteration:,}", number=True) for iteration, _ in rows))
        scales = AxisScale(*reach, frame.left(), frame.right()), AxisScale(0, 1, frame.bottom(), frame.top())
        x, _ = self.zoomed(frame, *scales)
        self.axes.place(painter, current_theme(), frame, x, scales[1])
        self.axes.axis("bottom")
        self.axes.render(painter)
        peak = _MARK + 2 if all(measure.values for _, measure in rows) else _peak(frame, len(rows))
        lowest = round(frame.bottom() - 1) - 0.5
        placed = in_time(rows, frame.height() - 3 - peak, _LEAST_GAP)
        placed = [(iteration, measure, round(lowest + place - placed[-1][2]) - 0.5) for iteration, measure, place in placed]
        painter.save()
        painter.setClipRect(frame)
        for _, measure, base in placed:
            self._paint_marks(painter, x, base, measure) if measure.values else self._paint_ridge(painter, x, base, peak, measure)
        painter.restore()
        self._paint_iterations(painter, room.left(), frame, placed)
        self._paint_apart(painter, frame, rows[-1][1])
        (first, _, top), (last, _, bottom) = placed[0], placed[-1]
        time = TimeAxis(frame, AxisScale(first, max(last, first + 1), top, max(bottom, top + 1)), is_down=True)
        return frame, placed, x, time

    def _choices(self) -> tuple[tuple[str, str], ...]:
        """The layers of the newest moment, and what they are called."""
        newest = self._snapshots[-1].layers if self._snapshots else ()
        return tuple((measures.layer, self.names.get(measures.layer, measures.layer)) for measures in newest)

    def _paint_ridge(self, painter: QPainter, x: AxisScale, base: float, peak: float, measure: Measure) -> None:
        color = QUANTITIES[self.quantity][1]
        values, heights = outline(measure)
        tops = list(map(QPointF, x(values).tolist(), (base - peak * heights).tolist()))
        painter.setPen(QPen(current_theme().color("line"), 1))
        painter.drawLine(QPointF(x.start, base), QPointF(x.end, base))
        painter.setPen(QPen(current_theme().color(color), 1))
        painter.setBrush(current_theme().tint(color, 0.10))
        painter.drawPolygon(tops)

    def _paint_marks(self, painter: QPainter, x: AxisScale, base: float, measure: Measure) -> None:
        """A mark for every value, on the ground line."""
        painter.setPen(QPen(current_theme().color("line"), 1))
        painter.drawLine(QPointF(x.start, base), QPointF(x.end, base))
        painter.setPen(QPen(current_theme().color(QUANTITIES[self.quantity][1]), 1.6))
        for place in x(np.array(measure.values)).tolist():
            painter.drawLine(QPointF(place, base), QPointF(place, base - _MARK))

    def _paint_iterations(self, painter: QPainter, left: float, frame: QRectF, rows: list[Row]) -> None:
        """Which iteration a ridge is of, left of as many as there is room for; always of the newest."""
        lowest = frame.bottom() + line_height()
        for iteration, _, base in reversed(rows):
            if base <= lowest - line_height():
                room = QRectF(left, base - line_height() / 2 - 1, frame.left() - 6 - left, line_height())
                write(painter, room, f"{iteration:,}", self._muted, small_mono(), RIGHT)
                lowest = base

    def _paint_apart(self, painter: QPainter, frame: QRectF, newest: Measure) -> None:
        """What is not in the newest histogram: exact zeros and non-finite values."""
        for place, (color, text) in enumerate(_apart(newest)):
            room = QRectF(frame.right() - text_width(text) - 8, frame.top() + place * line_height(), text_width(text) + 8, line_height())
            painter.fillRect(room, current_theme().color("panel", 0.8))
            write(painter, room, text, current_theme().color(color), align=Qt.AlignmentFlag.AlignHCenter)

    def _paint_values(self, painter: QPainter, frame: QRectF, rows: list[Row], x: AxisScale, told: list[tuple[str, str]]) -> None:
        """The value or the bin under the pointer, of the row whose ground is next below it, and what flags there say."""
        iteration, measure, base = min(rows, key=lambda row: abs(row[2] - self.hovered.y() - 3))
        painter.setPen(QPen(current_theme().color("faint"), 1))
        painter.drawLine(QPointF(self.hovered.x(), frame.top()), QPointF(self.hovered.x(), base))
        lines = [("muted", plot_numbers.iteration(iteration)), ("text", read_off(measure, x, self.hovered.x())), *_apart(measure), *told]
        paint_readout(painter, current_theme(), self.hovered, lines, frame)


def read_off(measure: Measure, x: AxisScale, pixel: float) -> str:
    """Return what a measure says of a place on the axis: the value there of few, else the bin and how many are in it."""
    if measure.values:
        value = nearest_value(measure, x.value(pixel - _NEAR), x.value(pixel + _NEAR))
        return "no value here" if value is None else f"{steady(value)}, one of {len(measure.values)} values"
    found = bin_at(measure, x.value(pixel))
    if not found or not found[2]:
        return "no values here"
    return f"{plot_numbers.tick(found[0])} … {plot_numbers.tick(found[1])}: {found[2]:,} of {measure.count:,}"


def _peak(frame: QRectF, rows: int) -> float:
    """How high the highest place of a ridge stands over its ground."""
    return min((frame.height() - 3) / (rows - 1 + _OVERLAP) * _OVERLAP, frame.height() * 0.6)


def _apart(measure: Measure) -> list[tuple[str, str]]:
    lines = [("muted", f"zeros {100 * measure.zeros / measure.count:.0f} %")] if measure.zeros else []
    return lines + ([("loss", f"non-finite {measure.non_finite:,}")] if measure.non_finite else [])
