"""The learning rate of every iteration, and what becomes of it in one layer: the step sizes of its parameters, and how far they move."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from nnviz.session.run import RunState, Snapshot
from nnviz.session.run_curves import Curves
from nnviz.text import plot_numbers
from nnviz.ui.run.layer_lines import drawn_values, having, log_limits, offer_layers
from nnviz.ui.run.line_chart import Curve, LineChart, paint_chart
from nnviz.ui.run.loss_plot import ghost_of, time_limits
from nnviz.ui.widgets.header_button import ChoiceButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.scales import held

_EXPLANATION = (
    "η as the schedule had it in every iteration, on a logarithmic axis.\n\n"
    "Of the chosen layer: mean |Δθ|, how far the update moved a parameter on the mean; and under Adam, RMSprop and Adagrad η/(√v̂+ε), the "
    "step size that every parameter has of its own: its median, and pale the 5, 25, 75 and 95 % of the parameters. v̂ is the mean of "
    "squared gradients, no curvature."
)
_LABELS = ("5 %", "25 %", "η/(√v̂+ε)", "75 %", "95 %")


class LearningRatesPlot(Plot):
    """Curves over the iterations; a layer is chosen in the header."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Learning rate and steps", _EXPLANATION, "Rate", parent)
        self.layers = ChoiceButton("Layer")
        self.layers.chosen.connect(self.renew)
        self.tools = (self.layers,)
        self.chart: LineChart | None = None
        self._limits: tuple[float, float] | None = None

    def set_run(self, run: RunState) -> None:
        """Show the rates and steps of this run."""
        self.offer(run.curves, run.snapshots)

    def take(self, curves: Curves | None = None, snapshots: tuple[Snapshot, ...] = ()) -> None:
        snapshots = having(snapshots, lambda one: one.steps)
        offer_layers(self.layers, [step.layer for step in snapshots[-1].steps] if snapshots else (), self.names, with_all=False)
        self.choice = self.layers.text()
        rate = _rate(curves) if curves else None
        self.sentence = "the learning rate appears with the first iteration" if rate is None else ""
        if rate is None:
            self.chart = self._limits = None
            self.set_heading(self.heading[0], "", self.heading[1])
            return
        lines = (*self._of_layer(snapshots), rate)
        middle = [line for line in lines if line.label not in (_LABELS[0], _LABELS[-1])]  # a parameter without a gradient has η/ε
        ghosts = tuple(ghost_of(ghost, "learning_rate") for ghost in self.surroundings.ghosts)
        self._limits = held(self._limits, log_limits(drawn_values((*middle, *ghosts))))
        looks = {"log": True, "has_legend": True, "tick_text": plot_numbers.power_of_ten, "ghosts": ghosts}
        self.chart = LineChart(lines, time_limits(curves, None, ghosts), self._limits, **looks)
        self.set_heading(self.heading[0], plot_numbers.iteration(int(rate.x[-1])), self.heading[1])

    def _of_layer(self, snapshots: tuple[Snapshot, ...]) -> tuple[Curve, ...]:
        """Step sizes and steps of the chosen layer; what was measured at the newest moment decides whether there are sizes."""
        steps = [(one.iteration, step) for one in snapshots for step in one.steps if step.layer == self.layers.key]
        x = np.array([iteration for iteration, _ in steps], dtype=np.float64)
        moved = Curve.of("mean |Δθ|", "backward", x, np.array([step.mean for _, step in steps], dtype=np.float64))
        sized = [(iteration, step.rates) for iteration, step in steps if step.rates]
        places = np.array([iteration for iteration, _ in sized], dtype=np.float64)
        sizes = np.array([rates for _, rates in sized], dtype=np.float64).reshape(-1, len(_LABELS)).T
        of_sizes = [Curve.of(label, "clip", places, row, label.endswith("%")) for label, row in zip(_LABELS, sizes, strict=True)]
        return tuple(_above_zero(curve) for curve in (*of_sizes, moved) if curve.x.size)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if self.chart:
            paint_chart(self, painter, area, self.chart)


def _rate(curves: Curves) -> Curve | None:
    """The rate of every iteration of which it is known, which is nearly always all but the start; None of none."""
    start = int(curves.iteration.size > 0 and curves.iteration[0] == 0)
    x, y = curves.iteration[start:], curves.learning_rate[start:]
    if not (y > 0).all():
        known = np.flatnonzero(y > 0)
        x, y = x[known], y[known]
    return Curve.of("η", "update", x, y) if y.size else None


def _above_zero(curve: Curve) -> Curve:
    """The curve without what has no place on a logarithmic axis."""
    known = np.flatnonzero(curve.y > 0)
    return Curve.of(curve.label, curve.color, curve.x[known], curve.y[known], curve.pale, curve.strength)
