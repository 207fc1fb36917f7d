"""The norm of every layer's gradient as bars on a logarithmic axis. Shows measures; it never sees a gradient."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QScrollBar, QWidget

from nnviz.records.run_records import LayerMeasures
from nnviz.session.run import RunState, Snapshot
from nnviz.text import plot_numbers
from nnviz.text.numbers import number, steady
from nnviz.ui.theme.colors import BODY, current_theme
from nnviz.ui.theme.fonts import sans, scaled
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, text_width, thinned, write
from nnviz.ui.widgets.scales import AxisScale, decades, held

_EXPLANATION = (
    "‖∂L/∂θ‖ of every layer with parameters, before any clipping, on a logarithmic axis. Norms that shrink from the output towards the "
    "input vanish, norms that grow explode. It is the gradient of the last iteration made, and before the first that of the one to come."
)
_LOWEST, _HIGHEST = 15.0, 160.0
"""Height of a row in pixels."""
_BAR = 8
"""Width of the scroll bar in pixels."""


class GradientNormPlot(Plot):
    """One bar a layer, from the input (top) to the output; scrolled where there are more than fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Gradient norm by layer", _EXPLANATION, "Gradient norm", parent)
        self.layers: tuple[LayerMeasures, ...] = ()
        self._limits: tuple[float, float] | None = None
        self._clipping = ""
        self.bar = QScrollBar(Qt.Orientation.Vertical, self, accessibleName="Layers", visible=False)
        self.bar.valueChanged.connect(self.update)

    def set_clipping(self, clip_norm: float | None, clip_value: float | None) -> None:
        """Say how gradients are clipped after what is shown; None: not."""
        limits = (("all together to norm", clip_norm), ("every element to", clip_value))
        self._clipping = ", ".join(f"{what} {number(limit)}" for what, limit in limits if limit is not None)

    def set_run(self, run: RunState) -> None:
        """Show the newest measures of this run."""
        self.offer(run.snapshots)

    def take(self, snapshots: tuple[Snapshot, ...] = ()) -> None:
        self.layers = snapshots[-1].layers if snapshots else ()
        self.sentence = "" if self.layers else "gradient norms appear with the first measured iteration"
        self._limits = held(self._limits, log_limits([layer.gradients.norm for layer in self.layers])) if self.layers else None
        self.least_height = round(len(self.layers) * scaled(_LOWEST)) + line_height() + 4
        self._fit_bar()
        self.set_heading("Gradient norm by layer", plot_numbers.iteration(snapshots[-1].iteration) if self.layers else "", "Gradient norm")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme, rows, pitch = current_theme(), self._rows(), self._pitch()
        if rows < len(self.layers):
            area = area.adjusted(0, 0, -_BAR - 2, 0)
        first = min(self.bar.value(), len(self.layers) - rows)
        shown = self.layers[first : first + rows]
        frame = self._frame(area, rows * pitch)
        x = AxisScale(*self._limits, frame.left(), frame.right(), log=True)
        self.axes.place(painter, theme, frame, x, AxisScale(0.5 - rows, 0.5, frame.bottom(), frame.top()))
        self.axes.axis("bottom", plot_numbers.power_of_ten, lines=True)
        self._draw_bars(shown, x, thinned(QRectF(0, 0, 1, pitch)).height())
        self.axes.render(painter)
        for place, layer in enumerate(shown):
            self._write_row(painter, layer, QRectF(0, place * pitch, area.width(), pitch), frame.left() - 10)
        place = int(self.hovered.y() / pitch) if self.hovered is not None else len(shown)
        if place < len(shown):
            painter.fillRect(QRectF(frame.left(), (place + 1) * pitch, frame.width(), 1), theme.color("faint"))
            paint_readout(painter, theme, self.hovered, self.values_of(shown[place]), area)

    def _pitch(self) -> float:
        """Height of a row in pixels."""
        return min(scaled(_HIGHEST), max(scaled(_LOWEST), (self.height() - line_height() - 3) / max(1, len(self.layers))))

    def _rows(self) -> int:
        """How many layers can be seen at once."""
        return min(len(self.layers), max(1, int((self.height() - line_height() - 3) / self._pitch() + 1e-6)))

    def _fit_bar(self) -> None:
        """Let the scroll bar reach all layers, or go where all are seen."""
        rows = self._rows()
        self.bar.setPageStep(rows)
        self.bar.setRange(0, len(self.layers) - rows)
        self.bar.setVisible(rows < len(self.layers))
        self.bar.setGeometry(self.width() - _BAR, 0, _BAR, round(rows * self._pitch()))

    def _frame(self, area: QRectF, height: float) -> QRectF:
        """Where the bars stand: between the names and the numbers, above the axis."""
        names = max(QFontMetricsF(sans(BODY)).horizontalAdvance(self._name(layer)) for layer in self.layers)
        numbers = max(text_width(text, number=True) for text in ("0.000000", *(number(layer.gradients.norm) for layer in self.layers)))
        left = round(min(names, 0.36 * area.width())) + 12
        return QRectF(left, 0, round(area.width() - left - numbers) - 12, height)

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

    def _write_row(self, painter: QPainter, layer: LayerMeasures, row: QRectF, room: float) -> None:
        """Name, cut to so many pixels, and norm of a layer."""
        bad = bool(layer.gradients.non_finite)
        name = QFontMetricsF(sans(BODY)).elidedText(self._name(layer), Qt.TextElideMode.ElideRight, room)
        text = "NaN/Inf" if bad else steady(layer.gradients.norm)
        write(painter, row, name, current_theme().color("muted"), sans(BODY))
        write(painter, row, text, current_theme().color("loss" if bad else "text"), small_mono(), RIGHT)

    def _name(self, layer: LayerMeasures) -> str:
        return self.names.get(layer.layer, layer.layer)

    def values_of(self, layer: LayerMeasures) -> list[tuple[str, str]]:
        """Return the lines of the readout for a layer: (colour name, text)."""
        gradients = layer.gradients
        lines = [
            ("text", self._name(layer)),
            ("backward", f"‖∂L/∂θ‖ {number(gradients.norm)}"),
            ("muted", f"‖θ‖ {number(layer.weights.norm)}"),
            ("update", f"update/weight {number(layer.update_ratio)}"),
        ]
        lines += [("muted", f"before clipping: {self._clipping}")] if self._clipping else []
        return lines + ([("loss", f"non-finite {gradients.non_finite:,} of {gradients.count:,}")] if gradients.non_finite else [])

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_bar()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.bar.maximum():
            self.bar.event(event)
            event.accept()
        else:
            event.ignore()


def log_limits(norms: list[float]) -> tuple[float, float]:
    """Return powers of ten around the norms above 0, the lower one at least a third of a decade below the smallest."""
    known = [norm for norm in norms if norm > 0]
    return decades(min(known) / 2, max(known)) if known else (0.1, 1.0)
