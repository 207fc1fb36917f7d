"""The learning-rate range test: loss over learning rate with its band over seeds, the rates it suggests, the rate now. Trains nothing."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from nnviz.records.task_records import RangeTest
from nnviz.records.tensors import to_numpy
from nnviz.text import plot_numbers
from nnviz.text.numbers import number, short, steady
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, text_width, write
from nnviz.ui.widgets.scales import AxisScale, snapped

_EXPLANATION = (
    "The learning rate grows by the same factor every iteration, on copies of the run; the loss shows how far that goes well. "
    "Marked is where it falls fastest: rates there, or somewhat below, suit. Nothing of the run is changed.\n\n"
    "The line is the median over the seeds, smoothed; the band reaches from the lowest of them to the highest. Where most of the seeds "
    "fall no faster than the noise of their batches explains, no rate is suggested."
)
_NOISE = (
    "no rate is suggested: the loss falls no faster than the noise of the batches",
    "none suggested: no faster than the noise",
    "no rate: only noise",
)
_NO_FALL = ("no rate is suggested: the loss does not fall", "no rate: no fall")
_ABOVE, _MOST = 1.25, 75
"""The picture reaches to so many times what this percentage of the rates stays below: what has diverged would flatten all else."""


class RangeTestPlot(Plot):
    """A click chooses a rate; until then it is the middle of the suggested ones."""

    rate_chosen = Signal()

    def __init__(self, *tools: QWidget, parent: QWidget | None = None) -> None:
        super().__init__("Learning-rate range test", _EXPLANATION, "Range", parent)
        self.tools = tools
        self.found: RangeTest | None = None
        self._rates = np.zeros(0)
        self._curves = np.zeros((0, 0))
        self._present: float | None = None
        self._chosen: float | None = None
        self._x: AxisScale | None = None

    @property
    def rate(self) -> float | None:
        """The rate that is chosen or suggested; None where there is none."""
        found = self.found
        if self._chosen is not None or found is None or found.low is None or found.high is None:
            return self._chosen if found else None
        return float(f"{math.sqrt(found.low * found.high):.1e}")

    def set_found(self, found: RangeTest | None, iteration: int, present: float, failure: str = "") -> None:
        """Show this, from where the run stood after so many iterations; `present`: the learning rate now.

        None: not yet; `failure` says why, if it was asked for.
        """
        if found is not self.found:
            self._chosen = None
        self.found = found
        if present != self._present:
            self._present = present
            self.update()
        self.offer(found, iteration, failure)

    def take(self, found: RangeTest | None = None, iteration: int = 0, failure: str = "") -> None:
        if found is None:
            self.sentence = failure or "which learning rate suits where the run stands: press compute"
            self.set_heading("Learning-rate range test", "", "Range")
            return
        rates, smoothed = to_numpy(found.rates), to_numpy(found.smoothed)
        known = np.isfinite(smoothed).any(0)
        self._rates, self._curves = rates[known], smoothed[:, known]
        self.sentence = "" if known.any() else "the loss is not finite at any of these rates"
        seeds = len(smoothed)
        self.set_heading("Learning-rate range test", f"{plot_numbers.iteration(iteration)}, {seeds} seed{'s' * (seeds > 1)}", "Range")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        frame, x, y = self._scales(area)
        self._x = x
        self.axes.place(painter, theme, frame, x, y)
        self.axes.axis("left", lines=True)
        self.axes.axis("bottom", plot_numbers.power_of_ten)
        low, middle, high = self._spread()
        for rate, name in ((self._present, "muted"), (self.rate, "forward")):
            if rate and x.low <= rate <= x.high:
                style = Qt.PenStyle.DashLine if name == "muted" else Qt.PenStyle.SolidLine
                self.axes.vertical(rate, theme.color(name), style)
        self.axes.curve(self._rates, middle, theme.color("training_set"), 1.8)
        self._paint_bands(painter, theme, frame, x, y, low, high)
        self.axes.render(painter)
        self._write_notes(painter, theme, frame)
        if self.hovered is not None and frame.contains(self.hovered):
            paint_readout(painter, theme, self.hovered, self.values_at(float(x.value(self.hovered.x()))), frame)

    def _spread(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The lowest, the median and the highest of the seeds that were still going on, at every rate."""
        return np.nanmin(self._curves, 0), np.nanmedian(self._curves, 0), np.nanmax(self._curves, 0)

    def _scales(self, area: QRectF) -> tuple[QRectF, AxisScale, AxisScale]:
        low, _, high = self._spread()
        least, usual = float(low.min()), max(self.found.start, float(np.percentile(high, _MOST)))
        limits = snapped(least, min(float(high.max()), least + _ABOVE * (usual - least)))
        left = 7 + max(text_width(plot_numbers.tick(limit), number=True) for limit in (*limits, 0.25))
        frame = area.adjusted(round(left), 7, -10, -line_height() - 3)
        rates = to_numpy(self.found.rates)
        x = AxisScale(float(rates[0]), float(rates[-1]), frame.left(), frame.right(), log=True)
        return frame, *self.zoomed(frame, x, AxisScale(*limits, frame.bottom(), frame.top()))

    def _paint_bands(self, painter: QPainter, theme: Theme, frame: QRectF, x: AxisScale, y: AxisScale, *ends: np.ndarray) -> None:
        """The suggested rates over the whole height, and the seeds' spread."""
        painter.save()
        painter.setClipRect(frame)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.found.low and self.found.high:
            left, right = float(x(self.found.low)), float(x(self.found.high))
            painter.fillRect(QRectF(left - 2, frame.top(), right - left + 4, frame.height()), theme.tint("forward", 0.16))
        across = x(self._rates)
        low, high = (np.stack([across, y(end)], 1).tolist() for end in ends)
        painter.setBrush(theme.color("training_set", 0.18))
        painter.drawPolygon(QPolygonF([QPointF(*point) for point in (*low, *reversed(high))]))
        painter.restore()

    def _write_notes(self, painter: QPainter, theme: Theme, frame: QRectF) -> None:
        """What the marks are, in the corner that the curve leaves free: it falls, then rises at the right."""
        found = self.found
        is_falling = found.low is not None and found.high is not None
        fitting = [text for text in said_of(found) if text_width(text) + 16 <= frame.width()]
        notes = [("forward" if is_falling else "muted", fitting[0])] if fitting else []
        if self._present:
            notes.append(("muted", f"┆ now η = {number(self._present)}"))
        for place, (color, text) in enumerate(notes):
            line = QRectF(frame.left() + 6, frame.bottom() - line_height() * (len(notes) - place) - 4, text_width(text) + 8, line_height())
            painter.fillRect(line, theme.color("panel", 0.8))
            write(painter, line.adjusted(4, 0, 0, 0), text, theme.color(color))

    def values_at(self, rate: float) -> list[tuple[str, str]]:
        """Return what the readout says of a rate."""
        place = int(np.abs(np.log(self._rates) - math.log(rate)).argmin())
        low, middle, high = (float(end[place]) for end in self._spread())
        going = int(np.isfinite(self._curves[:, place]).sum())
        lines = [("text", f"η {number(float(self._rates[place]))}"), ("training_set", f"loss {steady(middle)}")]
        if len(self._curves) > 1:
            lines.append(("muted", f"{steady(low)} to {steady(high)}, {going} of {len(self._curves)} seeds"))
        return lines

    # --- Qt ---

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click, not a drag, chooses the rate under it."""
        super().mouseReleaseEvent(event)
        if (
            event.button() == Qt.MouseButton.LeftButton
            and not self.sentence
            and not self.zoom.is_on
            and self.zoom.contains(event.position())
        ):
            self._chosen = float(f"{self._x.value(event.position().x()):.1e}")
            self.rate_chosen.emit()
            self.update()


def said_of(found: RangeTest) -> tuple[str, ...]:
    """Return what it says of the rates, the longest text first."""
    low, high = found.low, found.high
    if low is None or high is None:
        return _NOISE if found.is_noise else _NO_FALL
    ends = short(low) if low == high else f"{short(low)} to {short(high)}"
    return f"the loss falls fastest at η = {ends}", f"falls fastest at {ends}", ends
