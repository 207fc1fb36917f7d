"""How much the gradient differs from batch to batch, by the size of the batch: worked out when a person asks for it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QAction, QBrush, QPainter, QPen
from PySide6.QtWidgets import QWidget

from nnviz.records.task_records import GradientNoise
from nnviz.records.tensors import to_numpy
from nnviz.session.long_tasks import NOTHING, TaskState
from nnviz.text import plot_numbers
from nnviz.text.numbers import number
from nnviz.ui.run.layer_lines import log_limits
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import ActionButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, text_width, write
from nnviz.ui.widgets.scales import AxisScale, decades

_EXPLANATION = (
    "The variance of the gradient from batch to batch, summed over all parameters, for batches of 1, 2, 4, … rows, where the run stands. "
    "It falls as 1/size: the line is tr Σ/size, with tr Σ the variance over single rows.\n\n"
    "tr Σ/‖g‖² is about the batch size at which noise and gradient are equally large: below it twice as many rows make twice as good a "
    "step, far above it they hardly help."
)


class GradientNoisePlot(Plot):
    """Variance against batch size, both logarithmic; a button in the header computes it, or leaves it."""

    compute_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Gradient noise", _EXPLANATION, "Noise", parent)
        self.action = QAction("Work out the gradient noise where the run stands", self)
        self.action.triggered.connect(lambda: (self.cancel_requested if self._is_running else self.compute_requested).emit())
        self.button = ActionButton(self.action, "compute")
        self.tools = (self.button,)
        self._is_running = False
        self.noise: GradientNoise | None = None

    def set_state(self, state: TaskState, is_present: bool, obstacle: str) -> None:
        """Show what is known of it, whether that is about where the run stands, and why it cannot be asked for now, if so."""
        self.offer(state)
        self.set_past(state.result is not None and not is_present)
        self.action.setEnabled(self._is_running or not obstacle)
        self.action.setToolTip(obstacle or self.action.text())

    def take(self, state: TaskState = NOTHING) -> None:
        self.noise, self._is_running = state.result, state.progress is not None
        word = "cancel" if self._is_running else "compute"
        if word != self.button.text():
            self.button.setText(word)
            self.button.updateGeometry()
        said = f"{state.progress.what} {state.progress.done:,} of {state.progress.total:,}" if self._is_running else ""
        self.sentence = "" if self.noise else said or state.failure or "“compute” finds how much the gradient differs from batch to batch"
        scale = "" if self.noise is None else f" · tr Σ/‖g‖² {'not known' if self.noise.scale is None else number(self.noise.scale)}"
        self.set_heading(self.heading[0], said or (plot_numbers.iteration(state.iteration) + scale if self.noise else ""), self.heading[1])

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme, (sizes, variances) = current_theme(), self._points()
        line = self.noise.trace / sizes
        left = 7 + max(text_width(text, number=True) for text in ("10⁻¹⁰", "10²"))
        frame = area.adjusted(round(left), 7 + line_height(), -12, -line_height() - 3)
        x = AxisScale(*decades(1.0, max([*sizes.tolist(), self.noise.batch_size])), frame.left(), frame.right(), log=True)
        y = AxisScale(*log_limits([*variances.tolist(), *line.tolist()]), frame.bottom(), frame.top(), log=True)
        x, y = self.zoomed(frame, x, y)
        self.axes.place(painter, theme, frame, x, y)
        self.axes.axis("left", plot_numbers.power_of_ten, lines=True)
        self.axes.axis("bottom")
        if self.noise.trace > 0:
            self.axes.curve(sizes, line, theme.color("muted"), 1.2)
        look = [QPen(theme.color("panel"), 1)] * sizes.size, [QBrush(theme.color("backward"))] * sizes.size
        self.axes.points(sizes, variances, 8, *look)
        self.axes.vertical(self.noise.batch_size, theme.color("batch"), Qt.PenStyle.DashLine, f"batch {self.noise.batch_size:,}")
        self.axes.render(painter)
        write(painter, QRectF(frame.left(), area.top(), frame.width(), line_height()), "● variance", theme.color("backward"))
        if self.hovered is not None and frame.contains(self.hovered) and sizes.size:
            nearest = int(np.abs(np.log(sizes) - np.log(x.value(self.hovered.x()))).argmin())
            paint_readout(painter, theme, self.hovered, self.values_of(nearest), frame)

    def _points(self) -> tuple[np.ndarray, np.ndarray]:
        """Sizes and variances that have a place on a logarithmic axis."""
        sizes, variances = to_numpy(self.noise.sizes).astype(np.float64), to_numpy(self.noise.variances)
        known = np.isfinite(variances) & (variances > 0)
        return sizes[known], variances[known]

    def values_of(self, place: int) -> list[tuple[str, str]]:
        """Return the lines of the readout for a size: (colour name, text)."""
        sizes, variances = self._points()
        return [
            ("text", f"batches of {sizes[place]:,.0f}"),
            ("backward", f"variance {number(float(variances[place]))}"),
            ("muted", f"tr Σ/size {number(self.noise.trace / float(sizes[place]))}"),
        ]
