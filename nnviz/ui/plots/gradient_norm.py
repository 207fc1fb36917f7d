"""The norm of every layer's gradient as bars on a logarithmic axis. Shows measures; it never sees a gradient."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QWidget

from nnviz.protocol import LayerMeasures
from nnviz.session.run import RunState, Snapshot
from nnviz.ui.fonts import sans
from nnviz.ui.numerals import number
from nnviz.ui.plots import figures
from nnviz.ui.plots.axes import LINE, paint_readout, paint_x_axis, small_mono, small_sans, text_width, thinned
from nnviz.ui.plots.plot import Plot
from nnviz.ui.plots.scales import Scale, decades, held
from nnviz.ui.theme import BODY

_EXPLANATION = (
    "‖∂L/∂θ‖ of every layer with parameters, on a logarithmic axis. Norms that shrink from the output towards the input vanish, "
    "norms that grow explode."
)
_LOWEST, _HIGHEST = 15.0, 80.0
"""Height of a row in pixels."""


class GradientNormPlot(Plot):
    """One bar a layer, from the input (top) to the output."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Gradient norm by layer", _EXPLANATION, "Gradient norm", parent)
        self.layers: tuple[LayerMeasures, ...] = ()
        self._limits: tuple[float, float] | None = None

    def set_run(self, run: RunState) -> None:
        """Show the newest measures of this run."""
        self.offer(run.snapshots)

    def take(self, snapshots: tuple[Snapshot, ...] = ()) -> None:
        self.layers = snapshots[-1].layers if snapshots else ()
        self.sentence = "" if self.layers else "gradient norms appear with the first measured iteration"
        self._limits = held(self._limits, log_limits([layer.gradients.norm for layer in self.layers])) if self.layers else None
        self.set_heading("Gradient norm by layer", figures.iteration(snapshots[-1].iteration) if self.layers else "", "Gradient norm")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        frame = self._frame(area)
        x = Scale(*self._limits, frame.left(), frame.right(), log=True)
        stride = max(1, round(44 / max(1.0, x(10 * x.low) - x.start)))
        ticks = {value: figures.power_of_ten(value) for value in x.ticks(99)[::stride]}
        paint_x_axis(painter, self.theme, frame, x, ticks, beyond=12, lines=True)
        shown = self._shown(frame)
        for place, layer in enumerate(self.layers[:shown]):
            self._paint_row(painter, layer, self._row(frame, place), x)
        if shown < len(self.layers):
            self._paint_more(painter, self._row(frame, shown), len(self.layers) - shown)
        self._paint_values(painter, frame)

    def _frame(self, area: QRectF) -> QRectF:
        """Where the bars stand: between the names and the numbers, above the axis."""
        names = max(QFontMetricsF(sans(BODY)).horizontalAdvance(self._name(layer)) for layer in self.layers)
        left = min(names, 0.36 * area.width()) + 12
        numbers = max(text_width(text, number=True) for text in ("0.000000", *(number(layer.gradients.norm) for layer in self.layers)))
        frame = area.adjusted(left, 0, -numbers - 12, -LINE - 3)
        frame.setHeight(min(frame.height(), _HIGHEST * len(self.layers)))
        return frame

    def _name(self, layer: LayerMeasures) -> str:
        return self.names.get(layer.layer, layer.layer)

    def _pitch(self, frame: QRectF) -> float:
        return min(_HIGHEST, max(_LOWEST, frame.height() / max(1, len(self.layers))))

    def _shown(self, frame: QRectF) -> int:
        """How many layers have a row; the last row tells of the rest where not all fit."""
        fitting = int(frame.height() / self._pitch(frame) + 1e-6)
        return len(self.layers) if fitting >= len(self.layers) else max(0, fitting - 1)

    def _row(self, frame: QRectF, place: int) -> QRectF:
        pitch = self._pitch(frame)
        return QRectF(frame.left(), frame.top() + place * pitch, frame.width(), pitch)

    def _paint_row(self, painter: QPainter, layer: LayerMeasures, row: QRectF, x: Scale) -> None:
        measure = layer.gradients
        painter.setPen(self.theme.color("muted"))
        painter.setFont(sans(BODY))
        room = QRectF(0, row.top(), row.left() - 10, row.height())
        name = QFontMetricsF(painter.font()).elidedText(self._name(layer), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        bar = thinned(QRectF(x.start, row.top(), float(x(measure.norm)) - x.start, row.height()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.tint("backward", 0.75))
        if measure.non_finite:
            bar.setRight(x.end)
            painter.setPen(QPen(self.theme.color("loss"), 1))
            painter.setBrush(QBrush(self.theme.color("loss"), Qt.BrushStyle.BDiagPattern))
        painter.drawRoundedRect(bar, 3, 3)
        painter.setPen(self.theme.color("loss" if measure.non_finite else "text"))
        painter.setFont(small_mono())
        text = "NaN/Inf" if measure.non_finite else figures.figure(measure.norm)
        numbers = QRectF(row.right(), row.top(), painter.device().width() - row.right(), row.height())
        painter.drawText(numbers, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_more(self, painter: QPainter, row: QRectF, count: int) -> None:
        painter.setPen(self.theme.color("muted"))
        painter.setFont(small_sans())
        room = QRectF(0, row.top(), row.right(), row.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"and {count} more layers")

    def _paint_values(self, painter: QPainter, frame: QRectF) -> None:
        """Norms and ratio of the layer under the pointer."""
        if self.hovered is None or not frame.top() <= self.hovered.y() <= frame.bottom():
            return
        place = int((self.hovered.y() - frame.top()) / self._pitch(frame))
        if place < self._shown(frame):
            row = self._row(frame, place)
            painter.setPen(QPen(self.theme.color("faint"), 1))
            painter.drawLine(QPointF(row.left(), row.bottom()), QPointF(row.right(), row.bottom()))
            paint_readout(painter, self.theme, self.hovered, self.values_of(self.layers[place]), QRectF(self.rect()))

    def values_of(self, layer: LayerMeasures) -> list[tuple[str, str]]:
        """Return the lines of the readout for a layer: (colour name, text)."""
        gradients = layer.gradients
        lines = [
            ("text", self._name(layer)),
            ("backward", f"‖∂L/∂θ‖ {number(gradients.norm)}"),
            ("muted", f"‖θ‖ {number(layer.weights.norm)}"),
            ("update", f"update/weight {number(layer.update_ratio)}"),
        ]
        return lines + ([("loss", f"non-finite {gradients.non_finite:,} of {gradients.count:,}")] if gradients.non_finite else [])


def log_limits(norms: list[float]) -> tuple[float, float]:
    """Return powers of ten around the norms above 0, the lower one at least a third of a decade below the smallest."""
    known = [norm for norm in norms if norm > 0]
    return decades(min(known) / 2, max(known)) if known else (0.1, 1.0)
