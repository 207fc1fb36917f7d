"""How far every update moves a layer, as a share of its weights, over the iterations. Shows measures; it never sees a weight."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from nnviz.session.run import RunState, Snapshot
from nnviz.text import plot_numbers
from nnviz.ui.run.layer_lines import drawn_values, having, is_past, layer_choice, layer_curves, log_limits, offer_layers
from nnviz.ui.run.line_chart import LineChart, paint_chart
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.scales import held, snapped

BAND = (3e-4, 3e-3)
"""Around 1e-3."""
_EXPLANATION = (
    "‖Δθ‖/‖θ‖ of every layer: what the last update added, as a share of the parameters before it, on a logarithmic axis. "
    "The band is half a decade on either side of 10⁻³, where it lies in many trainings that go well: far below, a layer hardly learns; "
    "far above, it is thrown about. It is a rule of thumb, no law. The paler a curve, the nearer is its layer to the input. "
    "A layer that does not move has no curve."
)


class UpdateRatioPlot(Plot):
    """One curve a layer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Update/weight ratio", _EXPLANATION, "Update/weight", parent)
        self.layers = layer_choice()
        self.layers.chosen.connect(self.renew)
        self.tools = (self.layers,)
        self.chart: LineChart | None = None
        self._limits: tuple[float, float] | None = None

    def set_run(self, run: RunState) -> None:
        """Show the measures of this run."""
        self.offer(run.snapshots)
        self.set_past(is_past(run, _layers))

    def take(self, snapshots: tuple[Snapshot, ...] = ()) -> None:
        snapshots = having(snapshots, _layers)
        moments = [(one.iteration, {layer.layer: layer.update_ratio for layer in one.layers}) for one in snapshots]
        offer_layers(self.layers, moments[-1][1] if moments else (), self.names)
        self.choice = self.layers.text()
        curves = layer_curves(moments, self.names, "update", self.layers.key, log=True)
        is_known = any(curve.x.size for curve in curves)
        self.sentence = "" if is_known else "ratios appear with the first update that is measured"
        self.set_heading(self.heading[0], plot_numbers.iteration(snapshots[-1].iteration) if is_known else "", self.heading[1])
        if not is_known:
            self.chart = self._limits = None
            return
        self._limits = held(self._limits, log_limits([*drawn_values(curves), *BAND]))
        still = [self.names.get(layer, layer) for layer, ratio in moments[-1][1].items() if ratio == 0]
        notes = (f"does not move: {', '.join(still[:3])}{' …' if len(still) > 3 else ''}",) if still else ()
        x_limits = snapped(0.0, max(1.0, float(snapshots[-1].iteration)), 10)
        marks = {"notes": notes, "band": BAND, "has_legend": True}
        self.chart = LineChart(curves, x_limits, self._limits, log=True, tick_text=plot_numbers.power_of_ten, **marks)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if self.chart:
            paint_chart(self, painter, area, self.chart)


def _layers(snapshot: Snapshot) -> tuple:
    return snapshot.layers
