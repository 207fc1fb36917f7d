"""The validation metric over the iterations: accuracy for classes, root mean squared error for regression. It computes neither."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from nnviz.session.run import Curves, RunState
from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.run.line_chart import Curve, LineChart, paint_chart
from nnviz.ui.run.loss_plot import linear_limits, measured
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.scales import held, snapped

_EXPLANATION = (
    "On the validation rows: accuracy is the share of rows whose class is predicted right; "
    "for regression, RMSE is the root of the mean squared error, in units of the scaled target."
)


class MetricPlot(Plot):
    """One curve of the validation metric."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Validation metric", _EXPLANATION, "Metric", parent)
        self.chart: LineChart | None = None
        self._limits: tuple[float, float] | None = None

    def set_run(self, run: RunState) -> None:
        """Show the metric of this run."""
        self.offer(run.curves, bool(run.data and run.data.classes))

    def take(self, curves: Curves | None = None, classified: bool = False) -> None:
        line = measured("accuracy" if classified else "RMSE", "validation_set", curves.iteration, curves.metric) if curves else None
        if line is None or not line.x.size:
            self.chart, self._limits, self.sentence = None, None, "the metric appears once validation has been measured"
            self.set_heading("Validation metric", "", "Metric")
            return
        self.sentence = ""
        self._limits = held(self._limits, _accuracy_limits(line) if classified else linear_limits((line,)))
        self.chart = LineChart(
            (line,),
            snapped(0.0, max(1.0, float(curves.iteration[-1])), 10),
            self._limits,
            value_text=plot_numbers.percent if classified else steady,
            tick_text=_percent_tick if classified else plot_numbers.tick,
        )
        title = "Validation accuracy" if classified else "Validation RMSE"
        self.set_heading(title, plot_numbers.iteration(int(line.x[-1])), "Accuracy" if classified else "RMSE")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if self.chart:
            paint_chart(self, painter, area, self.chart)


def _accuracy_limits(line: Curve) -> tuple[float, float]:
    low, _ = snapped(min(float(line.drawn[1].min()), 0.9), 1.0)
    return max(0.0, low), 1.0


def _percent_tick(value: float) -> str:
    return f"{100 * value:.4g} %"
