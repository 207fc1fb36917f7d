"""Curves of the runs of a sweep: for each combination of settings the mean over its seeds, and a band from the lowest to the highest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from nnviz.text.numbers import steady
from nnviz.ui.sweep.swept_values import SeedBand
from nnviz.ui.theme.colors import Theme, current_theme, mixed
from nnviz.ui.widgets.header_button import SwitchButton, choice
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, text_width, write
from nnviz.ui.widgets.scales import AxisScale, decades, snapped

_EXPLANATION = (
    "Loss over the iterations: a line for each combination of settings, the mean over its seeds; the band reaches from the lowest of them "
    "to the highest. The loss of batches is thinned: each point is the mean since the one before."
)
CURVES = {"losses": "batch loss", "validation_losses": "validation loss"}
_ABOVE, _MOST = 1.25, 90
"""The picture reaches to so many times what this percentage of all points stays below: what has diverged would flatten all else."""
_MANY = 40
"""Of more lines than this each is as thin as can be, which is several times as quick, and only the one that stands out has its band."""
_LOG = 20.0
"""Where most losses are up to so many times the lowest, equal factors are equally far apart, until a person says otherwise."""
_NAMED = 9
"""More lines than this are not named at their ends."""


class BandPlot(Plot):
    """The line under the pointer, or that of the chosen run, stands out and is named."""

    def __init__(self, color: Callable[[Theme, float | None], QColor], parent: QWidget | None = None) -> None:
        """`color`: that of a line by the rank of its runs."""
        super().__init__("Loss over seeds", _EXPLANATION, "Curves", parent)
        self._color = color
        self.curve = choice("Which loss is drawn", CURVES, "losses")
        self.log = SwitchButton("log", "Equal factors are equally far apart")
        self.log.toggled.connect(self.renew)
        self.log.clicked.connect(self._note_log)
        self.tools = (self.curve, self.log)
        self._bands: tuple[SeedBand, ...] = ()
        self._colors: tuple[QColor, ...] = ()
        self._seeds = 1
        self._is_asked = self._is_log_asked = False
        """Whether a person has chosen the curve, and whether its axis is logarithmic."""
        self.curve.chosen.connect(self._note)
        self._chosen = 0

    def _note(self) -> None:
        self._is_asked = True

    def _note_log(self) -> None:
        self._is_log_asked = True

    def set_bands(self, bands: tuple[SeedBand, ...], ranks: tuple[float, ...]) -> None:
        """Show these; `ranks`: 0 for the best runs, 1 for the worst."""
        self.offer(bands, ranks)

    def prefer(self, curve: str) -> None:
        """Draw this curve as long as a person has not chosen another."""
        if not self._is_asked:
            self.curve.set_choices(tuple(CURVES.items()), curve)

    def choose(self, number: int) -> None:
        """Let the line of this run stand out; 0 for none."""
        self._chosen = number
        self.update()

    def take(self, bands: tuple[SeedBand, ...] = (), ranks: tuple[float, ...] = ()) -> None:
        theme = current_theme()
        kept = [(band, self._color(theme, rank)) for band, rank in zip(bands, ranks, strict=True) if band.iterations.size]
        self._bands, self._colors = tuple(band for band, _ in kept), tuple(color for _, color in kept)
        self.sentence = "" if kept else f"no {CURVES[self.curve.key]} is known yet"
        if kept and not self._is_log_asked:
            self._suit()
        self._seeds = max((len(band.numbers) for band in self._bands), default=1)
        said = f"mean, and lowest to highest of {self._seeds} seeds" if self._seeds > 1 else "a line for each run"
        self.set_heading("Loss over seeds" if self._seeds > 1 else "Loss", said if kept else "", "Curves")

    def _ends(self) -> tuple[float, float, float]:
        """The lowest loss, what most stay below, and the highest, of what did not diverge."""
        bands = [band for band in self._bands if not band.is_diverged] or self._bands
        low, high = (np.concatenate([getattr(band, end) for band in bands]) for end in ("low", "high"))
        return float(low.min()), float(np.percentile(high, _MOST)), float(high.max())

    def _suit(self) -> None:
        """As long as a person has not said how the axis is to be, it is logarithmic where losses are many times others."""
        least, usual, _ = self._ends()
        with QSignalBlocker(self.log):
            self.log.setChecked(least > 0 and usual / least >= _LOG)
        self.log.update()

    def _scales(self, area: QRectF) -> tuple[QRectF, AxisScale, AxisScale]:
        least, usual, highest = self._ends()
        most = min(highest, least + _ABOVE * (usual - least))
        is_log = self.log.isChecked() and least > 0
        limits = decades(least, most) if is_log else snapped(least, most)
        frame = area.adjusted(
            round(7 + max(text_width(f"{limit:.3g}", number=True) for limit in (*limits, 0.25))), 7, -10, -line_height() - 3
        )
        last = max(float(band.iterations[-1]) for band in self._bands)
        x = AxisScale(0.0, max(1.0, last), frame.left(), frame.right())
        return frame, *self.zoomed(frame, x, AxisScale(*limits, frame.bottom(), frame.top(), is_log))

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        frame, x, y = self._scales(area)
        meant = self._meant(frame, x, y)
        self.axes.place(painter, theme, frame, x, y)
        self.axes.axis("left", lines=True)
        self.axes.axis("bottom")
        self.axes.render(painter)
        painter.save()
        painter.setClipRect(frame)
        self._paint_bands(painter, x, y, meant)
        width = 1.4 if len(self._bands) <= _MANY else 0.0
        for band, color in zip(self._bands, self._colors, strict=True):
            if band is not meant:
                _paint_line(painter, x(band.iterations), y(band.mean), QPen(color, width))
        if meant is not None:
            _paint_line(painter, x(meant.iterations), y(meant.mean), QPen(theme.color("text"), 2.4))
        painter.restore()
        if meant is not None and self.hovered is not None and frame.contains(self.hovered):
            paint_readout(painter, theme, self.hovered, self.values_at(meant, float(x.value(self.hovered.x()))), frame)
        elif len(self._bands) <= _NAMED:
            self._write_names(painter, theme, frame, x, y)

    def _meant(self, frame: QRectF, x: AxisScale, y: AxisScale) -> SeedBand | None:
        """The band whose line is nearest to the pointer; without one that of the chosen run."""
        if self.hovered is not None and frame.contains(self.hovered):
            iteration = float(x.value(self.hovered.x()))
            return min(self._bands, key=lambda band: abs(float(y(band.mean[_nearest(band, iteration)])) - self.hovered.y()))
        return next((band for band in self._bands if self._chosen in band.numbers), None)

    def _paint_bands(self, painter: QPainter, x: AxisScale, y: AxisScale, meant: SeedBand | None) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for band, color in zip(self._bands, self._colors, strict=True):
            if len(band.numbers) > 1 and (band is meant or len(self._bands) <= _MANY):
                across = x(band.iterations)
                low, high = (np.stack([across, y(end)], 1).tolist() for end in (band.low, band.high))
                faint = QColor(color)
                faint.setAlphaF(0.32 if band is meant else 0.14 if len(self._bands) <= _NAMED else 0.05)
                painter.setBrush(faint)
                painter.drawPolygon(QPolygonF([QPointF(*point) for point in (*low, *reversed(high))]))

    def _write_names(self, painter: QPainter, theme: Theme, frame: QRectF, x: AxisScale, y: AxisScale) -> None:
        """At the ends of the lines that are in sight; of those that would touch, the best."""
        taken: list[float] = []
        for band, color in reversed(list(zip(self._bands, self._colors, strict=True))):
            end = QPointF(float(x(band.iterations[-1])), float(y(band.mean[-1])))
            top = min(max(frame.top(), end.y() - line_height() - 2), frame.bottom() - line_height())
            if any(abs(top - other) < line_height() for other in taken) or not frame.top() <= end.y() <= frame.bottom():
                continue
            width = min(text_width(band.name) + 6, frame.width())
            room = QRectF(min(frame.right() - width, max(frame.left(), end.x())), top, width, line_height())
            painter.fillRect(room, theme.color("panel", 0.85))
            write(painter, room.adjusted(3, 0, 0, 0), band.name, mixed(color, theme.color("text"), 0.35))
            taken.append(top)

    def values_at(self, band: SeedBand, iteration: float) -> list[tuple[str, str]]:
        """Return what the readout says of a band at an iteration."""
        place = _nearest(band, iteration)
        lines = [
            ("text", band.name),
            ("muted", f"iteration {band.iterations[place]:,.0f}"),
            ("text", f"{CURVES[self.curve.key]} {steady(band.mean[place])}"),
        ]
        if len(band.numbers) > 1:
            lines.append(("muted", f"{steady(band.low[place])} to {steady(band.high[place])}, {len(band.numbers)} seeds"))
        return lines


def _paint_line(painter: QPainter, x: np.ndarray, y: np.ndarray, pen: QPen) -> None:
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF([QPointF(*point) for point in np.stack([x, y], 1).tolist()]))


def _nearest(band: SeedBand, iteration: float) -> int:
    return int(np.abs(band.iterations - iteration).argmin())
