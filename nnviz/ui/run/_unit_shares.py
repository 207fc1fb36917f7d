"""How many values of a layer lie where its function is flat, and how many of its units are dead: as bars now, or over the iterations."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.run_records import FunctionUse
from nnviz.session.run import RunState, Snapshot
from nnviz.text import plot_numbers
from nnviz.ui.run.layer_lines import having, is_past, layer_choice, layer_curves, newest, offer_layers
from nnviz.ui.run.layer_rows import LayerRows, number_width
from nnviz.ui.run.line_chart import LineChart, paint_chart
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import SwitchButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, paint_readout, small_mono, thinned, write
from nnviz.ui.widgets.scales import AxisScale, snapped

_EXPLANATION = (
    "For the batch that comes next, in training mode, with the weights as they are.\n\n"
    "Saturated: the share of values z where the derivative is below 5 % of the largest one the function has, so that hardly any gradient "
    "comes through: sigmoid beyond |z| = 4.36, tanh beyond 2.18.\n\n"
    "Dead: the share of ReLU units that are 0 for every row of this batch; only if they are so for all rows do they never learn again. "
    "The units of a convolution are its channels. Leaky ReLU has neither. Recurrent nets and attention keep their functions inside: "
    "their trace shows them."
)
_ROOMY = 300
"""From this width on the number of units is written out."""

Use = tuple[str, FunctionUse]
"""A layer and one of its functions."""


class UnitSharesPlot(Plot):
    """A bar for every function that can be saturated or dead; or a curve for every layer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Saturated and dead units", _EXPLANATION, "Units", parent)
        self.over_time = SwitchButton("over time", "Show the shares over the iterations")
        self.over_time.toggled.connect(self.renew)
        self.layers = layer_choice()
        self.layers.chosen.connect(self.renew)
        self.tools = (self.over_time, self.layers)
        self.rows = LayerRows(self)
        self.chart: LineChart | None = None
        self.uses: list[Use] = []

    def set_run(self, run: RunState) -> None:
        """Show the measures of this run."""
        self.offer(run.snapshots)
        self.set_past(is_past(run, _functions))

    def take(self, snapshots: tuple[Snapshot, ...] = ()) -> None:
        last, is_measured = newest(snapshots, _functions), newest(snapshots, lambda one: one.outputs) is not None
        everything = _uses(last) if last else []
        is_chart = self.over_time.isChecked() and bool(everything)
        offer_layers(self.layers, dict.fromkeys(layer for layer, _ in everything), self.names, is_shown=is_chart)
        self.uses = everything
        self.sentence = "" if everything else "shares appear with the first measured iteration"
        if is_measured and not everything:
            self.sentence = "no layer here has a function that can be saturated or dead, as sigmoid, tanh and ReLU can"
        self.choice = self.layers.text() if is_chart else ""
        self.rows.set_names(() if is_chart else tuple(self._name(use) for use in self.uses))
        self.least_height = 0 if is_chart else self.rows.least_height
        self.chart = self._chart(having(snapshots, _functions)) if is_chart else None
        self.set_heading(self.heading[0], plot_numbers.iteration(last.iteration) if everything else "", self.heading[1])

    def _chart(self, snapshots: tuple[Snapshot, ...]) -> LineChart:
        moments = [(one.iteration, {layer: share_of(use) for layer, use in _uses(one)}) for one in snapshots]
        curves = layer_curves(moments, self.names, "loss", self.layers.key)
        x_limits = snapped(0.0, max(1.0, float(moments[-1][0])), 10)
        return LineChart(curves, x_limits, (0.0, 1.0), has_legend=True, value_text=plot_numbers.percent, tick_text=_percent)

    def _name(self, use: Use) -> str:
        return self.names.get(use[0], use[0])

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if self.chart:
            paint_chart(self, painter, area, self.chart)
            return
        is_roomy = area.width() >= _ROOMY
        texts = [_written(use, is_roomy) for _, use in self.uses]
        frame = self.rows.frame(area, number_width("100 %", *texts))
        x, shown = AxisScale(0.0, 1.0, frame.left(), frame.right()), self.rows.shown
        self.axes.place(painter, current_theme(), frame, x, AxisScale(0.5 - len(shown), 0.5, frame.bottom(), frame.top()))
        self.axes.axis("bottom", _percent, lines=True)
        self.axes.render(painter)
        for number, row in self.rows.placed(area):
            self._paint_bar(painter, self.uses[number][1], row, x)
            self.rows.write_name(painter, number, row, frame)
            write(painter, row, texts[number], current_theme().color("text"), small_mono(), RIGHT)
        over = self.rows.at(self.hovered)
        if over is not None:
            paint_readout(painter, current_theme(), self.hovered, self.values_of(self.uses[over]), area)

    def _paint_bar(self, painter: QPainter, use: FunctionUse, row: QRectF, x: AxisScale) -> None:
        bar = thinned(row)
        track = QRectF(x.start, bar.top(), x.end - x.start, bar.height())
        painter.fillRect(track, current_theme().tint("line", 0.5))
        color = "loss" if use.dead is not None else "clip"
        painter.fillRect(QRectF(x.start, bar.top(), float(x(share_of(use))) - x.start, bar.height()), current_theme().tint(color, 0.8))

    def values_of(self, use: Use) -> list[tuple[str, str]]:
        """Return the lines of the readout for a function: (colour name, text)."""
        own, lines = use[1], [("text", f"{self._name(use)} · {use[1].function.replace('_', ' ')} · {use[1].units:,} units")]
        if own.dead is not None:
            lines.append(("loss", f"dead: {own.dead:,} of {own.units:,} units are 0 for the whole batch"))
        else:
            lines.append(("clip", f"saturated: {own.saturated:,} of {own.z.count:,} values"))
            lines.append(("muted", f"{own.saturated_units:,} of {own.units:,} units are so for the whole batch"))
        lines.append(("muted", f"z from {plot_numbers.tick(_rounded(own.z.min))} to {plot_numbers.tick(_rounded(own.z.max))}"))
        return lines + ([("loss", f"non-finite {own.z.non_finite:,} of {own.z.count:,}")] if own.z.non_finite else [])

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rows.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.chart:
            super().wheelEvent(event)
        else:
            self.rows.turn(event)


def share_of(use: FunctionUse) -> float:
    """Return the share of dead units of ReLU, else of saturated values."""
    return use.dead / max(1, use.units) if use.dead is not None else use.saturated / max(1, use.z.count)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _written(use: FunctionUse, is_roomy: bool) -> str:
    share = f"{100 * share_of(use):.0f} %"
    if not is_roomy:
        return share
    count = use.dead if use.dead is not None else use.saturated_units
    return f"{share}  {count:,} of {use.units:,}"


def _uses(snapshot: Snapshot) -> list[Use]:
    """The functions that can be saturated or dead, in forward order."""
    uses = ((made.layer, use) for made in snapshot.outputs for use in made.functions)
    return [(layer, use) for layer, use in uses if use.saturated is not None or use.dead is not None]


def _functions(snapshot: Snapshot) -> tuple:
    return tuple(_uses(snapshot))


def _rounded(value: float) -> float:
    return float(np.format_float_scientific(value, precision=3))
