"""The curve of a layer's activation function and of its derivative, and where the values of the batch fall on it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPen
from PySide6.QtWidgets import QWidget

from nnviz.records.run_records import FunctionUse
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState, Snapshot
from nnviz.text import plot_numbers
from nnviz.text.numbers import number, steady
from nnviz.ui.run.layer_lines import is_past, newest
from nnviz.ui.run.ridgeline import bin_at, outline
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import ChoiceButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, text_width, write
from nnviz.ui.widgets.scales import AxisScale, held, snapped

_EXPLANATION = (
    "a = f(z) and its derivative f′(z), which every gradient on its way back is multiplied with, as torch computes them.\n\n"
    "Below, where the z of the batch that comes next fall, over all rows and units: few as points on the curve, many as a histogram with "
    "its own bins. Where the derivative is below 5 % of its largest, the ground is tinted: values there are saturated."
)
_FLAT = 0.05
_HISTOGRAM = 0.3
"""Its height as a share of the plot's."""


class ActivationCurvePlot(Plot):
    """One function of one layer, chosen in the header."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Activation curve", _EXPLANATION, "Curve", parent)
        self.layers = ChoiceButton("Layer")
        self.layers.chosen.connect(self.renew)
        self.tools = (self.layers,)
        self.use: FunctionUse | None = None
        self._limits: tuple[tuple[float, float], tuple[float, float]] | None = None
        self._shown = ""

    def set_run(self, run: RunState) -> None:
        """Show the newest measures of this run."""
        self.offer(run.snapshots)
        self.set_past(is_past(run, _functions))

    def take(self, snapshots: tuple[Snapshot, ...] = ()) -> None:
        last, is_measured = newest(snapshots, _functions), newest(snapshots, lambda one: one.outputs) is not None
        uses = {f"{layer}/{place}": use for layer, place, use in _functions(last)} if last else {}
        choices = [(key, f"{self._title(key)} · {use.function.replace('_', ' ')}") for key, use in uses.items()]
        self.layers.set_choices(choices, self.layers.key if self.layers.key in uses else next(iter(uses), ""))
        self.layers.setVisible(bool(uses))
        self.choice = self.layers.text()
        self.use = uses.get(self.layers.key)
        self.sentence = "" if self.use else "curves appear with the first measured iteration"
        if is_measured and not self.use:
            self.sentence = "no layer here has an activation function of its own"
        if self.use:
            self._take_limits(self.use)
        self.set_heading(self.heading[0], self._said(last.iteration) if self.use else "", self.heading[1])

    def _title(self, key: str) -> str:
        layer = key.rpartition("/")[0]
        return self.names.get(layer, layer)

    def _said(self, iteration: int) -> str:
        share = () if self.use.saturated is None else (f"{100 * self.use.saturated / max(1, self.use.z.count):.0f} % saturated",)
        dead = () if self.use.dead is None else (f"{self.use.dead} of {self.use.units} units dead",)
        return " · ".join((plot_numbers.iteration(iteration), *share, *dead))

    def _take_limits(self, use: FunctionUse) -> None:
        z, value, slope = to_numpy(use.curve)
        both = np.concatenate((value, slope))
        wanted = snapped(float(z[0]), float(z[-1])), snapped(float(both.min()), float(both.max()))
        known = self._limits if self._limits and self._shown == self.layers.key else (None, None)
        self._limits, self._shown = tuple(held(*pair) for pair in zip(known, wanted, strict=True)), self.layers.key

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme, (z, value, slope) = current_theme(), to_numpy(self.use.curve)
        left = 7 + max(text_width(plot_numbers.tick(limit), number=True) for limit in (*self._limits[1], 0.25))
        frame = area.adjusted(round(left), 7, -12, -line_height() - 3)
        x = AxisScale(*self._limits[0], frame.left(), frame.right())
        x, y = self.zoomed(frame, x, AxisScale(*self._limits[1], frame.bottom(), frame.top()))
        self._paint_flat(painter, frame, x, z, slope)
        self.axes.place(painter, theme, frame, x, y)
        self.axes.axis("left", plot_numbers.tick, lines=True)
        self.axes.axis("bottom")
        self.axes.curve(z, value, theme.color("forward"), 1.8)
        self.axes.curve(z, slope, theme.color("backward"), 1.4)
        if not self.use.z.values:
            self._paint_histogram(painter, frame, x)
        self.axes.render(painter)
        if self.use.z.values:
            self._paint_points(painter, frame, x, y, z, value)
        self._paint_legend(painter, frame, y(value[0]) < y(value[-1]))
        if self.hovered is not None and frame.contains(self.hovered):
            painter.setPen(QPen(theme.color("faint"), 1))
            painter.drawLine(QPointF(self.hovered.x(), frame.top()), QPointF(self.hovered.x(), frame.bottom()))
            paint_readout(painter, theme, self.hovered, self.values_at(x.value(self.hovered.x())), frame)

    def _paint_flat(self, painter: QPainter, frame: QRectF, x: AxisScale, z: np.ndarray, slope: np.ndarray) -> None:
        """The ground where values are saturated."""
        if self.use.saturated is None:
            return
        flat = np.abs(slope) < _FLAT * np.abs(slope).max()
        edges = np.concatenate(([z[0]], (z[1:] + z[:-1]) / 2, [z[-1]]))
        starts = np.flatnonzero(np.diff(np.concatenate(([0], flat.astype(int), [0]))))
        for first, last in starts.reshape(-1, 2):
            left, right = float(x(edges[first])), float(x(edges[last]))
            ground = QRectF(left, frame.top(), right - left, frame.height()) & frame
            painter.fillRect(ground.toRect(), current_theme().tint("clip", 0.13))

    def _paint_histogram(self, painter: QPainter, frame: QRectF, x: AxisScale) -> None:
        places, heights = outline(self.use.z)
        if places.size:
            tops = frame.bottom() - _HISTOGRAM * frame.height() * heights
            painter.save()
            painter.setClipRect(frame)
            painter.setPen(QPen(current_theme().color("positive"), 1))
            painter.setBrush(current_theme().color("positive", 0.16))
            painter.drawPolygon(list(map(QPointF, x(places).tolist(), tops.tolist())))
            painter.restore()

    def _paint_points(self, painter: QPainter, frame: QRectF, x: AxisScale, y: AxisScale, z: np.ndarray, value: np.ndarray) -> None:
        """Each value on the curve; the exact 0, which a measure counts apart, once."""
        places = np.array((*self.use.z.values, *((0.0,) if self.use.z.zeros else ())))
        painter.setPen(QPen(current_theme().color("panel"), 1))
        painter.setBrush(QBrush(current_theme().color("positive")))
        for left, top in zip(x(places).tolist(), y(np.interp(places, z, value)).tolist(), strict=True):
            if frame.adjusted(-1, -1, 1, 1).contains(QPointF(left, top)):
                painter.drawEllipse(QPointF(left, top), 3.5, 3.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_legend(self, painter: QPainter, frame: QRectF, falls: bool) -> None:
        """What the curves are, in the corner they leave free."""
        rows = [("forward", "f(z)"), ("backward", "f′(z)"), *_apart(self.use)]
        for place, (color, text) in enumerate(rows):
            width = text_width(text) + 8
            left = frame.right() - width if falls else frame.left() + 6
            room = QRectF(left, frame.top() + 2 + place * line_height(), width, line_height())
            painter.fillRect(room, current_theme().color("panel", 0.8))
            write(painter, room, text, current_theme().color(color))

    def values_at(self, place: float) -> list[tuple[str, str]]:
        """Return the lines of the readout for a z: (colour name, text)."""
        z, value, slope = to_numpy(self.use.curve)
        lines = [("muted", f"z {steady(place)}")]
        if z[0] <= place <= z[-1]:
            lines.append(("forward", f"f(z) {number(float(np.interp(place, z, value)))}"))
            lines.append(("backward", f"f′(z) {number(float(np.interp(place, z, slope)))}"))
        found = bin_at(self.use.z, place)
        if found and not self.use.z.values:
            lines.append(("positive", f"{found[2]:,} of {self.use.z.count:,} between {number(found[0])} and {number(found[1])}"))
        return lines


def _apart(use: FunctionUse) -> list[tuple[str, str]]:
    zeros = [("muted", f"z = 0: {use.z.zeros:,}")] if use.z.zeros else []
    return zeros + ([("loss", f"non-finite {use.z.non_finite:,}")] if use.z.non_finite else [])


def _functions(snapshot: Snapshot) -> tuple[tuple[str, int, FunctionUse], ...]:
    return tuple((made.layer, place, use) for made in snapshot.outputs for place, use in enumerate(made.functions))
