"""Two figures of every layer beside each other, along the depth of the net: the spread of its outputs at the start and now, or their
mean in training and in evaluation mode."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.run_records import LayerOutputs
from nnviz.session.run import RunState, Snapshot
from nnviz.text import plot_numbers
from nnviz.text.numbers import number, steady
from nnviz.ui.run.layer_lines import is_past, log_limits, newest
from nnviz.ui.run.layer_rows import LayerRows, number_width
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, paint_readout, small_mono, write
from nnviz.ui.widgets.scales import AxisScale, held, snapped

_RADIUS = 3.5
_ROOMY = 330
"""From this width on the figures are written out."""

Figures = tuple[float | None, float | None]


@dataclass(frozen=True)
class Pair:
    """Which two figures are shown, and how."""

    title: str
    short: str
    explanation: str
    labels: tuple[str, str]
    """What the first and the second figure are called."""
    of: Callable[[LayerOutputs], Figures]
    log: bool
    color: str


SPREAD = Pair(
    "Output spread",
    "Spread",
    "The standard deviation of what every layer puts out, over the rows of a batch and all units, in training mode, on a logarithmic axis: "
    "hollow with the weights the network starts with, over the first batch; filled now, over the batch that comes next.\n\n"
    "A start that suits the functions keeps it along the depth: He with ReLU does; with torch's own start, or Xavier before sigmoid, it "
    "falls from layer to layer. The band is half to twice the spread of the input.",
    ("start", "now"),
    lambda made: (made.start_std, made.std),
    True,
    "forward",
)
MODES = Pair(
    "Means by mode",
    "Means",
    "The mean of what every layer puts out for the batch that comes next, in training mode (hollow: dropout, noise and sampling are on, "
    "batch normalisation takes the batch's own mean and variance) and in evaluation mode (filled), with the same weights and rows.\n\n"
    "Dropout divides what it keeps by 1 − p in training, so that the means agree but for chance, and nothing is left to do in evaluation.",
    ("training", "evaluation"),
    lambda made: (made.mean, made.evaluation_mean),
    False,
    "forward",
)


class LayerPairsPlot(Plot):
    """Two marks a layer, from the input (top) to the output; scrolled where there are more than fit."""

    def __init__(self, pair: Pair, parent: QWidget | None = None) -> None:
        super().__init__(pair.title, pair.explanation, pair.short, parent)
        self.pair = pair
        self.rows = LayerRows(self)
        self.outputs: tuple[LayerOutputs, ...] = ()
        self._limits: tuple[float, float] | None = None

    def set_run(self, run: RunState) -> None:
        """Show the newest measures of this run."""
        self.offer(run.snapshots)
        self.set_past(is_past(run, self._known))

    def _known(self, snapshot: Snapshot) -> tuple:
        return tuple(made for made in snapshot.outputs if self.pair.of(made)[0] is not None and self.pair.of(made)[1] is not None)

    def take(self, snapshots: tuple[Snapshot, ...] = ()) -> None:
        last = newest(snapshots, self._known)
        self.outputs = self._known(last) if last else ()
        self.sentence = "" if self.outputs else "the outputs of layers appear with the first measured iteration"
        self.rows.set_names(tuple(self.names.get(made.layer, made.layer) for made in self.outputs))
        self.least_height = self.rows.least_height
        theme = current_theme()
        self.legend = tuple(zip((theme.tint(self.pair.color, 0.45), theme.color(self.pair.color)), self.pair.labels, strict=True))
        if self.outputs:
            figures = [figure for made in self.outputs for figure in self.pair.of(made) if math.isfinite(figure)]
            wanted = log_limits(figures) if self.pair.log else snapped(min(0.0, *figures), max(0.0, *figures))
            self._limits = held(self._limits, wanted)
        labels = f"○ {self.pair.labels[0]} ● {self.pair.labels[1]}"
        said = f"{plot_numbers.iteration(last.iteration)} · {labels}" if self.outputs else ""
        self.set_heading(self.pair.title, said, self.pair.short)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        texts = [" → ".join(map(steady, self.pair.of(made))) for made in self.outputs]
        is_roomy = area.width() >= _ROOMY
        frame = self.rows.frame(area, number_width(*texts) if is_roomy else _RADIUS)
        x, shown = AxisScale(*self._limits, frame.left(), frame.right(), self.pair.log), self.rows.shown
        self.axes.place(painter, theme, frame, x, AxisScale(0.5 - len(shown), 0.5, frame.bottom(), frame.top()))
        self.axes.axis("bottom", plot_numbers.power_of_ten if self.pair.log else plot_numbers.tick, lines=True)
        if self.pair.log:
            self._paint_band(painter, frame, x)
        self.axes.render(painter)
        for place, row in self.rows.placed(area):
            self.rows.write_name(painter, place, row, frame)
            self._paint_marks(painter, self.pair.of(self.outputs[place]), row, x)
            if is_roomy:
                bad = self.outputs[place].non_finite
                write(painter, row, "NaN/Inf" if bad else texts[place], theme.color("loss" if bad else "text"), small_mono(), RIGHT)
        over = self.rows.at(self.hovered)
        if over is not None:
            paint_readout(painter, theme, self.hovered, self.values_of(self.outputs[over]), area)

    def _paint_band(self, painter: QPainter, frame: QRectF, x: AxisScale) -> None:
        """Half to twice the spread of the input."""
        spread = self.outputs[0].std
        if spread > 0:
            left, right = float(x(spread / 2)), float(x(spread * 2))
            band = QRectF(left, frame.top(), right - left, frame.height()) & frame
            painter.fillRect(band.toRect(), current_theme().tint("forward", 0.13))

    def _paint_marks(self, painter: QPainter, figures: Figures, row: QRectF, x: AxisScale) -> None:
        """Both marks, joined; a figure that has no place on the axis has none."""
        theme, middle = current_theme(), row.center().y()
        places = [None if self.pair.log and figure <= 0 else float(x(figure)) for figure in figures]
        if None not in places:
            painter.setPen(QPen(theme.tint(self.pair.color, 0.45), 1.4))
            painter.drawLine(QPointF(places[0], middle), QPointF(places[1], middle))
        for place, is_filled in zip(places, (False, True), strict=True):
            if place is not None:
                painter.setPen(QPen(theme.color(self.pair.color), 1.4))
                painter.setBrush(theme.color(self.pair.color if is_filled else "panel"))
                painter.drawEllipse(QPointF(place, middle), _RADIUS, _RADIUS)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def values_of(self, made: LayerOutputs) -> list[tuple[str, str]]:
        """Return the lines of the readout for a layer: (colour name, text)."""
        lines = [("text", self.names.get(made.layer, made.layer))]
        lines += [("forward", f"{label} {number(figure)}") for label, figure in zip(self.pair.labels, self.pair.of(made), strict=True)]
        return lines + ([("loss", f"non-finite {made.non_finite:,}")] if made.non_finite else [])

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rows.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.rows.turn(event)
