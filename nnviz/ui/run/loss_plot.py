"""The loss over the iterations: of the batches, of all training rows, of the validation rows. It computes a running mean at most."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from nnviz.session.run import RunState
from nnviz.session.run_curves import Curves
from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.run.line_chart import Curve, LineChart, paint_chart
from nnviz.ui.widgets.decimation import first_non_finite, smoothed
from nnviz.ui.widgets.header_button import ChoiceButton, SwitchButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.scales import decades, held, snapped

_EXPLANATION = (
    "How wrong the network is: the loss of every batch, over all training rows, and over the validation rows, which it never learns "
    "from. Training falling while validation rises is overfitting.\n\n"
    "The batch of iteration k is measured before its update. Training and validation rows are measured now and then, after the update of "
    "that iteration, with dropout, noise and sampling off.\n\n"
    "All are the same sum: the error of the answers, and KL (the divergence of a Gaussian latent), L1 and L2 where there are any."
)
_SMOOTHINGS = (("1", "raw"), ("10", "mean of 10"), ("100", "mean of 100"), ("1000", "mean of 1,000"))


class LossPlot(Plot):
    """Training and validation loss; linear or logarithmic, raw or as a running mean."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Loss", _EXPLANATION, parent=parent)
        self.log_switch = SwitchButton("log", "Logarithmic loss axis")
        self.smoothing = ChoiceButton("Running mean of the loss of the batches")
        self.smoothing.set_choices(_SMOOTHINGS, "1")
        self.tools = (self.smoothing, self.log_switch)
        self.chart: LineChart | None = None
        self._limits: tuple[bool, tuple[float, float] | None] = (False, None)
        self._penalties: tuple[str, ...] = ()
        self.log_switch.toggled.connect(self.renew)
        self.smoothing.chosen.connect(self.renew)

    def set_penalties(self, penalties: tuple[str, ...]) -> None:
        """Say that both losses contain these terms besides the error of the answers."""
        if penalties != self._penalties:
            self._penalties = penalties
            self.renew()

    def set_run(self, run: RunState) -> None:
        """Show the curves of this run."""
        self.offer(run.curves, bool(run.data and run.data.classes))

    def take(self, curves: Curves | None = None, classified: bool = False) -> None:
        if curves is None or not curves.iteration.size:
            self.chart, self.sentence, self._limits = None, "the loss appears with the first iteration", (False, None)
            self.set_heading("Loss", "")
            return
        self.sentence = ""
        self.choice = "" if self.smoothing.key == "1" else self.smoothing.text()
        stop = first_non_finite(curves.loss)
        rows = _dated(measured("training", "training_set", curves.iteration, curves.training_loss), curves)
        lines = (*self._batches(curves, stop, bool(rows.x.size)), *((rows,) if rows.x.size else ()), self._validation(curves))
        self.chart = LineChart(
            lines,
            x_limits=snapped(0.0, max(1.0, float(curves.iteration[-1])), 10),
            y_limits=self._y_limits(lines),
            log=self.log_switch.isChecked(),
            stopped_at=None if stop is None else float(curves.iteration[stop]),
            notes=_metric_note(curves, classified) + _penalty_note(self._penalties),
        )
        self.set_heading("Loss", plot_numbers.iteration(int(curves.iteration[-1])))

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if self.chart:
            paint_chart(self, painter, area, self.chart)

    def _batches(self, curves: Curves, stop: int | None, has_rows: bool) -> tuple[Curve, ...]:
        """The loss of the batches. Iteration 0 has none: its loss is that of the training rows, which have a curve of their own."""
        start = int(has_rows and curves.iteration[0] == 0)
        x, y, window = curves.iteration[start:stop], curves.loss[start:stop], int(self.smoothing.key)
        strength = 0.45 if has_rows else 1.0
        if window == 1:
            return (Curve.of("batch", "training_set", x, y, strength=strength),)
        return Curve.of("", "training_set", x, y, pale=True), Curve.of("batch", "training_set", x, smoothed(y, window), strength=strength)

    def _validation(self, curves: Curves) -> Curve:
        return _dated(measured("validation", "validation_set", curves.iteration, curves.validation_loss), curves)

    def _y_limits(self, lines: tuple[Curve, ...]) -> tuple[float, float]:
        log = self.log_switch.isChecked()
        present = self._limits[1] if self._limits[0] == log else None
        wanted = log_limits(lines) if log else linear_limits(lines)
        self._limits = (log, held(present, wanted))
        return self._limits[1]


def linear_limits(curves: tuple[Curve, ...]) -> tuple[float, float]:
    """Return round limits around all drawn points; from 0 where none is negative."""
    low, high = _span(curves)
    return snapped(min(0.0, low), high)


def log_limits(curves: tuple[Curve, ...]) -> tuple[float, float]:
    """Return the powers of ten around all drawn points above 0."""
    values = np.concatenate([curve.drawn[1] for curve in curves])
    values = values[values > 0]
    return decades(float(values.min()), float(values.max())) if values.size else (0.1, 1.0)


def _span(curves: tuple[Curve, ...]) -> tuple[float, float]:
    values = np.concatenate([curve.drawn[1] for curve in curves])
    return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)


def measured(label: str, color: str, x: np.ndarray, y: np.ndarray) -> Curve:
    """Return the curve through the places where validation was measured, up to the first infinite one."""
    known = np.flatnonzero(~np.isnan(y))
    x, y = x.take(known), y.take(known)
    stop = first_non_finite(y)
    return Curve.of(label, color, x[:stop], y[:stop])


def _dated(curve: Curve, curves: Curves) -> Curve:
    """The curve, its label saying of which iteration its last point is where the run has gone on, or what came later is infinite."""
    is_old = curve.x.size and curve.x[-1] != curves.iteration[-1]
    return replace(curve, label=f"{curve.label} at {curve.x[-1]:,.0f}") if is_old else curve


def _penalty_note(penalties: tuple[str, ...]) -> tuple[str, ...]:
    return (f"with {' + '.join(penalties)}",) if penalties else ()


def _metric_note(curves: Curves, classified: bool) -> tuple[str, ...]:
    column = "metric" if curves.last("metric") is not None else "training_metric"
    value = curves.last(column)
    if value is None:
        return ()
    text = f"accuracy {plot_numbers.percent(value)}" if classified else f"RMSE {steady(value)}"
    return (("training " if column == "training_metric" else "") + text + _age(curves, column),)


def _age(curves: Curves, column: str) -> str:
    """Of which iteration the last figure of a column is, where the loss is of a later one."""
    iteration = curves.last_iteration(column)
    return "" if iteration in (None, int(curves.iteration[-1])) else f" at {iteration:,}"
