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
from nnviz.ui.run.line_chart import Curve, GhostCurve, LineChart, paint_chart
from nnviz.ui.run.run_tree import Ghost
from nnviz.ui.widgets.decimation import first_non_finite, smoothed
from nnviz.ui.widgets.header_button import ChoiceButton, SwitchButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.scales import decades, held, snapped

_EXPLANATION = (
    "How wrong the network is: the loss of every batch, over all training rows, and over the validation rows, which it never learns "
    "from. Training falling while validation rises is overfitting.\n\n"
    "The batch of iteration k is measured before its update. Training and validation rows are measured now and then, after the update of "
    "that iteration, with dropout, noise and sampling off.\n\n"
    "All are the same sum: the error of the answers, and KL (the divergence of a Gaussian latent), L1 and L2 where there are any.\n\n"
    "Pale behind the present iteration: what it was before the run went back. Thin curves with a name are the validation loss of other "
    "branches; flags at the foot stand where something was changed."
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
        self.offer(run.curves, run.ahead, bool(run.data and run.data.classes))

    def take(self, curves: Curves | None = None, ahead: Curves | None = None, classified: bool = False) -> None:
        if curves is None or not curves.iteration.size:
            self.chart, self.sentence, self._limits = None, "the loss appears with the first iteration", (False, None)
            self.set_heading("Loss", "")
            return
        self.sentence = ""
        self.choice = "" if self.smoothing.key == "1" else self.smoothing.text()
        stop = first_non_finite(curves.loss)
        rows = _dated(measured("training", "training_set", curves.iteration, curves.training_loss), curves)
        lines = (*self._batches(curves, stop, bool(rows.x.size)), *((rows,) if rows.x.size else ()), self._validation(curves))
        later = () if stop is not None else self._ahead(curves, ahead)
        ghosts = tuple(ghost_of(ghost, "validation_loss", "training_loss", "loss") for ghost in self.surroundings.ghosts)
        self.chart = LineChart(
            (*later, *lines),
            x_limits=time_limits(curves, ahead, ghosts),
            y_limits=self._y_limits((*later, *lines), ghosts),
            log=self.log_switch.isChecked(),
            stopped_at=None if stop is None else float(curves.iteration[stop]),
            notes=_metric_note(curves, classified) + _penalty_note(self._penalties),
            ghosts=ghosts,
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

    def _ahead(self, curves: Curves, ahead: Curves | None) -> tuple[Curve, ...]:
        """What is known of the iterations ahead."""
        columns = (("loss", "training_set"), ("training_loss", "training_set"), ("validation_loss", "validation_set"))
        found = (ahead_of(curves, ahead, column, color) for column, color in columns)
        return tuple(curve for curve in found if curve is not None)

    def _y_limits(self, lines: tuple[Curve, ...], ghosts: tuple[GhostCurve, ...]) -> tuple[float, float]:
        log = self.log_switch.isChecked()
        present = self._limits[1] if self._limits[0] == log else None
        wanted = log_limits(lines) if log else with_room_for(ghosts, linear_limits(lines))
        self._limits = (log, held(present, wanted))
        return self._limits[1]


def ahead_of(curves: Curves, ahead: Curves | None, column: str, color: str) -> Curve | None:
    """Return the pale curve of what is known of iterations ahead, from the last known point on; None where nothing is."""
    if ahead is None or not ahead.iteration.size:
        return None
    whole, size = curves.followed_by(ahead), curves.iteration.size
    y = getattr(whole, column)
    known = np.flatnonzero(~np.isnan(y))
    first = max(0, int(np.searchsorted(known, size)) - 1)
    places = known[first:]
    stop = first_non_finite(y.take(places))
    places = places[:stop]
    if not places.size or places[-1] < size:
        return None
    return Curve.of("", color, whole.iteration.take(places), y.take(places), pale=True)


def ghost_of(ghost: Ghost, *columns: str) -> GhostCurve:
    """Return the first of these figures that is known of a branch, up to the first infinite one."""
    known = [column for column in columns if not np.isnan(getattr(ghost.curves, column)).all()]
    x, y = ghost.curves.iteration, getattr(ghost.curves, (known or columns)[0])
    places = np.flatnonzero(~np.isnan(y))
    x, y = x.take(places), y.take(places)
    stop = first_non_finite(y)
    return GhostCurve.of(ghost.name, ghost.color, x[:stop], y[:stop], ghost.is_chosen)


def time_limits(curves: Curves, ahead: Curves | None, ghosts: tuple[GhostCurve, ...]) -> tuple[float, float]:
    """Return round limits of the iterations that are drawn."""
    drawn = (curves.iteration, *(() if ahead is None else (ahead.iteration,)), *(ghost.x for ghost in ghosts))
    lasts = [iterations[-1] for iterations in drawn if iterations.size]
    return snapped(0.0, max(1.0, *map(float, lasts)), 10)


def with_room_for(ghosts: tuple[GhostCurve, ...], limits: tuple[float, float]) -> tuple[float, float]:
    """Return limits with room for the other branches as well, but for one that grows beyond all measure: at most twice as high."""
    tops = [float(ghost.drawn[1].max()) for ghost in ghosts if ghost.x.size]
    low, high = limits
    return snapped(low, max(high, min(max(tops, default=high), low + 2 * (high - low))))


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
