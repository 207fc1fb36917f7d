"""The metric of validation and training rows over the iterations: accuracy for classes, RMSE for regression. It computes neither."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from nnviz.session.run import RunState
from nnviz.session.run_curves import Curves
from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.run.line_chart import Curve, GhostCurve, LineChart, paint_chart
from nnviz.ui.run.loss_plot import ahead_of, ghost_of, linear_limits, measured, time_limits, with_room_for
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.scales import held, snapped

_EXPLANATION = (
    "On the validation rows, and on the training rows: accuracy is the share of rows whose class is predicted right; "
    "for regression, RMSE is the root of the mean squared error, in units of the scaled target. Measured after the update of an "
    "iteration, with dropout, noise and sampling off."
)


class MetricPlot(Plot):
    """The metric of the validation rows, if there are any, and of the training rows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Validation metric", _EXPLANATION, "Metric", parent)
        self.chart: LineChart | None = None
        self._limits: tuple[float, float] | None = None

    def set_run(self, run: RunState) -> None:
        """Show the metric of this run."""
        self.offer(run.curves, run.ahead, bool(run.data and run.data.classes))

    def take(self, curves: Curves | None = None, ahead: Curves | None = None, classified: bool = False) -> None:
        found = _lines(curves) if curves else ()
        if not found:
            self.chart, self._limits, self.sentence = None, None, "the metric appears once it has been measured"
            self.set_heading("Validation metric", "", "Metric")
            return
        self.sentence, line = "", found[-1]
        later = (ahead_of(curves, ahead, "training_metric", "training_set"), ahead_of(curves, ahead, "metric", "validation_set"))
        drawn = (*(curve for curve in later if curve is not None), *found)
        ghosts = tuple(ghost_of(ghost, "metric", "training_metric") for ghost in self.surroundings.ghosts)
        wanted = _accuracy_limits((*drawn, *ghosts)) if classified else with_room_for(ghosts, linear_limits(drawn))
        self._limits = held(self._limits, wanted)
        self.chart = LineChart(
            drawn,
            time_limits(curves, ahead, ghosts),
            self._limits,
            ghosts=ghosts,
            value_text=plot_numbers.percent if classified else steady,
            tick_text=_percent_tick if classified else plot_numbers.tick,
        )
        title = f"{line.label.capitalize()} {'accuracy' if classified else 'RMSE'}"
        self.set_heading(title, plot_numbers.iteration(int(line.x[-1])), "Accuracy" if classified else "RMSE")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if self.chart:
            paint_chart(self, painter, area, self.chart)


def _lines(curves: Curves) -> tuple[Curve, ...]:
    """The curves that have a point; the one the heading names is the last."""
    training = measured("training", "training_set", curves.iteration, curves.training_metric)
    validation = measured("validation", "validation_set", curves.iteration, curves.metric)
    return tuple(line for line in (training, validation) if line.x.size)


def _accuracy_limits(lines: tuple[Curve | GhostCurve, ...]) -> tuple[float, float]:
    low, _ = snapped(min(0.9, *(float(line.drawn[1].min()) for line in lines if line.x.size)), 1.0)
    return max(0.0, low), 1.0


def _percent_tick(value: float) -> str:
    return f"{100 * value:.4g} %"
