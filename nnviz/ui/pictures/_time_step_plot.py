"""A bar for every time step: what it adds to the gradient of a weight that all steps share, or how large the gradient of its state is."""

from __future__ import annotations

import math

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.data_record import DataRecord
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.text import numbers, plot_numbers
from nnviz.ui.pictures.staleness import PALE, is_old
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.header_button import ChoiceButton, SwitchButton, choice
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, small_sans, text_width, write
from nnviz.ui.widgets.scales import AxisScale, decades, snapped

_EXPLANATION = (
    "Backpropagation through time, for the batch of the next iteration: what each time step adds to the gradient of a weight that all "
    "steps share. What they add sums to the whole gradient (without penalties). With a sigmoid of one unit the gradient of the state k "
    "steps back is at most (0.25·|w|)ᵏ of that of the last: so it vanishes."
)
_ROOMY = 330
"""Pixels of width below which a header has room for nothing but the layer and the gradient beside the iteration."""
_CENTRE = Qt.AlignmentFlag.AlignHCenter


class TimeStepPlot(Plot):
    """Bars over time, as sizes (on request on a logarithmic axis) or as shares of the whole, which can be negative."""

    wish_changed = Signal()
    """Another picture is wanted of the engine."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Gradient by time step", _EXPLANATION, "By time step", parent)
        self.wish = PictureWish("time")
        self.picture: Picture | None = None
        self.values = np.empty(0)
        self._is_old = False
        self.layers = ChoiceButton("Layer")
        self.layers.chosen.connect(self._choose_layer)
        self.parts = ChoiceButton("Which gradient")
        self.measure = choice("Sizes, or shares of the whole", {"size": "size", "share": "share"}, "size")
        self.log = SwitchButton("log", "Logarithmic axis")
        for button in (self.parts, self.measure):
            button.chosen.connect(lambda key: self.renew())
        self.log.clicked.connect(self.renew)
        self.tools = (self.log, self.measure, self.parts, self.layers)

    def set_run(self, run: RunState) -> None:
        """Show the time steps of this run."""
        found = run.pictures.get("time")
        self.offer(found, None if run.is_data_past else run.data, is_old(run, found))

    def take(self, found: tuple[int, Picture] | None = None, data: DataRecord | None = None, is_late: bool = False) -> None:
        self.picture = found[1] if found else None
        self.sentence = "the bars appear once the engine has made them" if found is None else found[1].sentence
        self._offer_choices()
        if self.sentence:
            self.choice = ""
            self.set_heading("Gradient by time step", "", "By time step")
            return
        self._is_old = is_late or self.picture.wish != self.wish
        self.values = to_numpy(self.picture.parts[self.parts.key])[1 if self._shows_shares else 0]
        layer = self.names.get(self.picture.layer, self.picture.layer)
        self.choice = f"{layer}, {self.parts.text()}"
        self.set_heading("Gradient by time step", plot_numbers.iteration(found[0]), "By time step")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        scale, frame = self._scale(area)
        painter.setOpacity(PALE if self._is_old else 1.0)
        wide, ground = frame.width() / len(self.values), float(scale(max(scale.low, 0.0)))
        for tick in self._ticks(scale):
            place = float(scale(tick))
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawLine(frame.left(), place, frame.right(), place)
            room = QRectF(0, min(max(place - line_height() / 2, 0), area.bottom()), frame.left() - 6, line_height())
            text = plot_numbers.power_of_ten(tick) if scale.log else plot_numbers.percent(tick) if self._shows_shares else None
            write(painter, room, text or plot_numbers.tick(tick), theme.color("muted"), small_mono(), RIGHT)
        for t, value in enumerate(self.values.tolist()):
            self._paint_bar(painter, theme, frame, t, value, scale, ground)
            if wide >= text_width("00", number=True) + 2 or t % 5 == 0:
                room = QRectF(frame.left() + t * wide - 10, frame.bottom() + 2, wide + 20, line_height())
                write(painter, room, str(t), theme.color("muted"), small_mono(), _CENTRE)
        self._paint_foot(painter, theme, area)
        painter.setOpacity(1.0)
        if self.hovered is not None and frame.contains(self.hovered):
            t = min(len(self.values) - 1, int((self.hovered.x() - frame.left()) / wide))
            paint_readout(painter, theme, self.hovered, self.values_at(t), area)

    def values_at(self, t: int) -> list[tuple[str, str]]:
        """Return what the readout says of a time step."""
        part = to_numpy(self.picture.parts[self.parts.key])
        back = len(self.values) - 1 - t
        lines = [("muted", f"t = {t}, {back} steps before the last"), ("backward", f"size {numbers.number(float(part[0, t]))}")]
        if len(part) > 1:
            return [*lines, ("text", f"{plot_numbers.percent(float(part[1, t]))} of the whole")]
        last = float(part[0, -1])
        return [*lines, ("text", f"{numbers.number(float(part[0, t]) / last)} of the last")] if last else lines

    # --- what is chosen ---

    @property
    def _shows_shares(self) -> bool:
        return self.measure.key == "share" and self.picture.parts[self.parts.key].shape[0] > 1

    def _choose_layer(self, layer: str) -> None:
        self.wish = replace(self.wish, layer=layer)
        self.renew()
        self.wish_changed.emit()

    def _offer_choices(self) -> None:
        has_picture = not self.sentence
        choices = self.picture.choices if has_picture else ()
        self.layers.set_choices([(key, self.names.get(key, key)) for key in choices], self.picture.layer if self.picture else "")
        self.layers.setVisible(len(choices) > 1)
        parts = [name for name in self.picture.parts if name != "whole"] if has_picture else []
        first = next((name for name in parts if name.startswith("weight_hh")), "")
        words = [(name, f"state {name.removeprefix('h_')}" if name.startswith("h_") else name) for name in parts]
        self.parts.set_choices(words, self.parts.key if self.parts.key in parts else first)
        self.parts.setVisible(has_picture)
        has_shares = has_picture and self.picture.parts[self.parts.key].shape[0] > 1
        is_roomy = self.width() >= scaled(_ROOMY)
        self.measure.setVisible(has_shares and is_roomy)
        self.log.setVisible(has_picture and is_roomy and not (has_shares and self.measure.key == "share"))

    # --- what is drawn ---

    def _scale(self, area: QRectF) -> tuple[AxisScale, QRectF]:
        known = self.values[np.isfinite(self.values)]
        is_log = self.log.isChecked() and not self._shows_shares and bool((known > 0).any())
        if is_log:
            low, high = decades(float(known[known > 0].min()) * 0.5, float(known.max()))
        else:
            low, high = snapped(min(0.0, float(known.min(initial=0.0))), max(0.0, float(known.max(initial=0.0))), 4)
        frame = area.adjusted(text_width("−100.0 %", number=True) + 8, 6, -4, -2 * line_height() - 8)
        return AxisScale(low, high, frame.bottom(), frame.top(), log=is_log), frame

    def _ticks(self, scale: AxisScale) -> list[float]:
        if scale.log:
            first, last = round(math.log10(scale.low)), round(math.log10(scale.high))
            room = max(1, int(abs(scale.end - scale.start) / (line_height() + 4)))
            return [10.0**power for power in range(first, last + 1, max(1, -(-(last - first) // room)))]
        return sorted({scale.low, scale.high, 0.0} if scale.low < 0 < scale.high else {scale.low, scale.high})

    def _paint_bar(self, painter: QPainter, theme: Theme, frame: QRectF, t: int, value: float, scale: AxisScale, ground: float) -> None:
        wide = frame.width() / len(self.values)
        inset = min(wide * 0.18, 6.0)
        left, width = frame.left() + t * wide + inset, wide - 2 * inset
        if not math.isfinite(value):
            painter.fillRect(QRectF(left, frame.top(), width, frame.height()), theme.tint("loss", 0.35))
            return
        top = float(scale(value)) if value > 0 or not scale.log else ground
        color = theme.tint("negative", 0.85) if value < 0 else theme.tint("backward", 0.75)
        painter.fillRect(QRectF(left, min(top, ground), width, max(abs(ground - top), 1.0 if value else 0.0)), color)

    def _paint_foot(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        """What the whole is, and what the numbers below the bars count."""
        foot = QRectF(area.left(), area.bottom() - line_height(), area.width(), line_height())
        names = [name for name in self.picture.parts if name != "whole" and not name.startswith("h_")]
        if self.parts.key in names:
            whole = to_numpy(self.picture.parts["whole"])[names.index(self.parts.key)]
            said = f"whole ‖∂L/∂{self.parts.key}‖ {numbers.number(float(whole))}"
        else:
            said = "‖∂L/∂h‖ after each step"
        said = QFontMetricsF(small_sans()).elidedText(said, Qt.TextElideMode.ElideRight, foot.width() - text_width("time step") - 8)
        write(painter, foot, said, theme.color("muted"))
        write(painter, foot, "time step", theme.color("muted"), align=RIGHT)

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._parts:
            self.renew()
