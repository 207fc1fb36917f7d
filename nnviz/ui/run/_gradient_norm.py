"""The norm of every layer's gradient as bars on a logarithmic axis, or over the iterations. Shows measures; it never sees a gradient."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from msgspec import structs
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.run_records import LayerMeasures
from nnviz.records.tensors import Measure
from nnviz.session.run import RunState, Snapshot
from nnviz.text import plot_numbers
from nnviz.text.numbers import number, steady
from nnviz.ui.run.layer_lines import drawn_values, having, is_past, layer_choice, layer_curves, log_limits, offer_layers
from nnviz.ui.run.layer_rows import LayerRows, number_width
from nnviz.ui.run.line_chart import LineChart, paint_chart
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import SwitchButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, paint_readout, small_mono, thinned, write
from nnviz.ui.widgets.scales import AxisScale, held, snapped

_EXPLANATION = (
    "‖∂L/∂θ‖ of every layer with parameters, before any clipping, on a logarithmic axis. Norms that shrink from the output towards the "
    "input vanish, norms that grow explode. It is the gradient of the last iteration made, and before the first that of the one to come. "
    "Where the norm is clipped, the dashed line is what the norm of all layers together is brought down to."
)
_TOGETHER = "all together"


class GradientNormPlot(Plot):
    """One bar a layer, from the input (top) to the output, scrolled where there are more than fit; or curves over the iterations."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Gradient norm by layer", _EXPLANATION, "Gradient norm", parent)
        self.layers: tuple[LayerMeasures, ...] = ()
        self.over_time = SwitchButton("over time", "Show the norms over the iterations")
        self.over_time.toggled.connect(self.renew)
        self.choices = layer_choice()
        self.choices.chosen.connect(self.renew)
        self.tools = (self.over_time, self.choices)
        self.chart: LineChart | None = None
        self._limits: tuple[float, float] | None = None
        self._clip_norm: float | None = None
        self._clipping = ""
        self.rows = LayerRows(self)
        self.bar = self.rows.bar

    def set_clipping(self, clip_norm: float | None, clip_value: float | None) -> None:
        """Say how gradients are clipped after what is shown; None: not."""
        limits = (("all together to norm", clip_norm), ("every element to", clip_value))
        clipping = ", ".join(f"{what} {number(limit)}" for what, limit in limits if limit is not None)
        if clipping != self._clipping:
            self._clip_norm, self._clipping = clip_norm, clipping
            self.renew()

    def set_run(self, run: RunState) -> None:
        """Show the newest measures of this run."""
        self.offer(run.snapshots)
        self.set_past(is_past(run, _layers))

    def take(self, snapshots: tuple[Snapshot, ...] = ()) -> None:
        snapshots = having(snapshots, _layers)
        self.layers = self._with_all(snapshots[-1].layers) if snapshots else ()
        is_chart = bool(self.over_time.isChecked() and self.layers)
        offer_layers(self.choices, (layer.layer for layer in self.layers if layer.layer), self.names, is_shown=is_chart)
        self.sentence = "" if self.layers else "gradient norms appear with the first measured iteration"
        self.choice = self.choices.text() if is_chart else ""
        self.chart = self._chart([(one.iteration, self._with_all(one.layers)) for one in snapshots]) if is_chart else None
        marked = () if self._clip_norm is None else (self._clip_norm,)
        norms = drawn_values(self.chart.curves) if self.chart else [layer.gradients.norm for layer in self.layers]
        self._limits = held(self._limits, log_limits([*norms, *marked])) if self.layers else None
        if self.chart:
            self.chart = replace(self.chart, y_limits=self._limits)
        self.rows.set_names(() if is_chart else tuple(map(self._name, self.layers)))
        self.least_height = 0 if is_chart else self.rows.least_height
        clipped = "" if self._clip_norm is None else f" · clipped to {number(self._clip_norm)}"
        said = plot_numbers.iteration(snapshots[-1].iteration) + clipped if self.layers else ""
        self.set_heading("Gradient norm by layer", said, "Norms" if is_chart else "Gradient norm")

    def _with_all(self, layers: tuple[LayerMeasures, ...]) -> tuple[LayerMeasures, ...]:
        """The layers, and where the norm of all together is clipped, these."""
        return layers if self._clip_norm is None else (*layers, _together(layers))

    def _chart(self, moments: list[tuple[int, tuple[LayerMeasures, ...]]]) -> LineChart:
        norms = [(at, {one.layer: _finite_norm(one.gradients) for one in layers}) for at, layers in moments]
        curves = layer_curves(norms, {**self.names, "": _TOGETHER}, "backward", self.choices.key, log=True)
        x_limits = snapped(0.0, max(1.0, float(moments[-1][0])), 10)
        bad = [self._name(one) for one in self.layers if one.gradients.non_finite]
        notes = (f"NaN/Inf: {', '.join(bad[:3])}{' …' if len(bad) > 3 else ''}",) if bad else ()
        marks = {"level": self._clip_norm, "notes": notes, "has_legend": True}
        return LineChart(curves, x_limits, (0.1, 1.0), log=True, tick_text=plot_numbers.power_of_ten, **marks)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if self.chart:
            paint_chart(self, painter, area, self.chart)
            return
        theme, shown = current_theme(), self.rows.shown
        numbers = number_width("0.000000", *(number(layer.gradients.norm) for layer in self.layers))
        frame = self.rows.frame(area, numbers)
        x = AxisScale(*self._limits, frame.left(), frame.right(), log=True)
        self.axes.place(painter, theme, frame, x, AxisScale(0.5 - len(shown), 0.5, frame.bottom(), frame.top()))
        self.axes.axis("bottom", plot_numbers.power_of_ten, lines=True)
        self._draw_bars(tuple(self.layers[place] for place in shown), x, thinned(QRectF(0, 0, 1, self.rows.pitch)).height())
        if self._clip_norm is not None:
            self.axes.vertical(self._clip_norm, theme.color("clip"), Qt.PenStyle.DashLine)
        self.axes.render(painter)
        for place, row in self.rows.placed(area):
            self._write_row(painter, place, row, frame)
        over = self.rows.at(self.hovered)
        if over is not None:
            row = self.rows.row(over, area)
            painter.fillRect(QRectF(frame.left(), row.bottom(), frame.width(), 1), theme.color("faint"))
            paint_readout(painter, theme, self.hovered, self.values_of(self.layers[over]), area)

    def _draw_bars(self, layers: tuple[LayerMeasures, ...], x: AxisScale, height: float) -> None:
        """Bars with round corners in rows counted down from 0; where the norm is not finite, one that is hatched and as long as can be."""
        measures = {-place: layer.gradients for place, layer in enumerate(layers) if layer.gradients.norm or layer.gradients.non_finite}
        color, loss = current_theme().tint("backward", 0.75), current_theme().color("loss")
        whole = QPen(QBrush(color), 6, j=Qt.PenJoinStyle.RoundJoin), QBrush(color)
        hatched = QPen(loss, 1), QBrush(loss, Qt.BrushStyle.BDiagPattern)
        looks = [hatched if measure.non_finite else whole for measure in measures.values()]
        ends = np.array([x.high if measure.non_finite else measure.norm for measure in measures.values()])
        if measures:
            self.axes.bars(ends, np.array(list(measures)), height, [pen for pen, _ in looks], [brush for _, brush in looks])

    def _write_row(self, painter: QPainter, place: int, row: QRectF, frame: QRectF) -> None:
        """Name and norm of a layer."""
        gradients = self.layers[place].gradients
        text = "NaN/Inf" if gradients.non_finite else steady(gradients.norm)
        self.rows.write_name(painter, place, row, frame)
        write(painter, row, text, current_theme().color("loss" if gradients.non_finite else "text"), small_mono(), RIGHT)

    def _name(self, layer: LayerMeasures) -> str:
        return self.names.get(layer.layer, layer.layer) or _TOGETHER

    def values_of(self, layer: LayerMeasures) -> list[tuple[str, str]]:
        """Return the lines of the readout for a layer: (colour name, text)."""
        gradients = layer.gradients
        lines = [
            ("text", self._name(layer)),
            ("backward", f"‖∂L/∂θ‖ {number(gradients.norm)}"),
            ("muted", f"‖θ‖ {number(layer.weights.norm)}"),
        ]
        lines += [("update", f"update/weight {number(layer.update_ratio)}")] if layer.update_ratio is not None else []
        lines += [("muted", f"before clipping: {self._clipping}")] if self._clipping else []
        return lines + ([("loss", f"non-finite {gradients.non_finite:,} of {gradients.count:,}")] if gradients.non_finite else [])

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rows.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.chart:
            super().wheelEvent(event)
        else:
            self.rows.turn(event)


def _layers(snapshot: Snapshot) -> tuple:
    return snapshot.layers


def _finite_norm(measure: Measure) -> float | None:
    return None if measure.non_finite else measure.norm


def _together(layers: tuple[LayerMeasures, ...]) -> LayerMeasures:
    """All layers as one: that norm is clipped."""
    weights, gradients = (_joined([getattr(layer, part) for layer in layers]) for part in ("weights", "gradients"))
    return LayerMeasures("", weights, gradients, layers[0].activations)


def _joined(measures: list[Measure]) -> Measure:
    """The measure of what several are of, as far as it is told here: its norm, and how many elements are not finite."""
    count, bad = sum(one.count for one in measures), sum(one.non_finite for one in measures)
    return structs.replace(measures[0], norm=math.hypot(*(one.norm for one in measures)), count=count, non_finite=bad)
