"""The network's answers over the plane (or line) of the features, with the data over it; on request, or where there is no such plane, as
confusion matrix, mistakes, answer over truth, or a series. Shows what it is given; never evaluates the network.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import Predictions, Surface
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.run import _predictions_picture
from nnviz.ui.run._pencil import ADOPT, OFF, Pencil
from nnviz.ui.run._predictions_picture import PredictionText
from nnviz.ui.run._surface_picture import Points, circles, limits_of
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import ChoiceButton
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, text_width, write
from nnviz.ui.widgets.scales import AxisScale, snapped
from nnviz.ui.widgets.surface_image import class_image, probabilities, value_image, value_limit

MOST_ROWS = 2000
"""No more rows of the data are drawn as points."""
_ROOMY = 280
"""Pixels of width below which the header has no room for the pencil beside the iteration, nor the plane for a hand."""
_MOST_NAMED = 6
"""So many classes a picture names."""
_NEAR = 11.0
"""Pixels within which a point is meant."""
_EXPLANATION = (
    "The network's answer for every point of the plane of both features: the colour is the likeliest class, paler where it is less sure. "
    "Filled points are trained on, rings are validated on. Of a network that is trained against itself it is the discriminator's answer, "
    "and points that the generator makes, always of the same random numbers, lie over the rows."
)


VIEWS = {
    "boundary": ("boundary", "Decision boundary", "Boundary", None),
    "confusion": ("confusion", "Confusion matrix", "Confusion", _predictions_picture.paint_confusion),
    "mistakes": ("mistakes", "Misclassified rows", "Mistakes", _predictions_picture.paint_mistakes),
    "truth": ("answer/truth", "Answer over truth", "Truth", _predictions_picture.paint_truth),
    "series": ("series", "Series and forecast", "Series", _predictions_picture.paint_series),
}
"""What the panel can show: its word in the header, its title, a shorter one, and what paints it."""


def views_of(data: DataRecord) -> tuple[str, ...]:
    """Return the views that suit the data, the one shown at first before all others."""
    plane = ("boundary",) if data.x.shape[1] in (1, 2) else ()
    if data.classes:
        return (*plane, "confusion", "mistakes")
    return ("series", "truth", *plane) if len(data.shape) == 2 else (*plane, "truth")


def _kind_of(data: DataRecord) -> tuple:
    """What two data sets have in common that are looked at in the same way, such as moons with more and with less noise."""
    return data.feature_names, data.shape, data.x.shape[1:], data.classes


class BoundaryPlot(Plot):
    """Decision boundary for two features, curve for one; instead of the answer, on request, the map of one neuron, or another view."""

    needs_changed = Signal()
    """The engine has to measure something else now."""
    put_requested = Signal(float, float, int)
    """A point of a class at a place of the plane, in the units of its axes."""
    erase_requested = Signal(float, float, float, float)
    """The point nearest to a place, and how far from it that may lie across and up."""
    adopt_requested = Signal()
    """Take the rows as a person's own points, which can be changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Decision boundary", _EXPLANATION, "Boundary", parent)
        self.points: Points | None = None
        self._drawn: Points | None = None
        """The same, and what a generator makes."""
        self.image: np.ndarray | None = None
        self._surface: Surface | None = None
        self._output: np.ndarray | None = None
        self._hover_map: np.ndarray | None = None
        self._neuron = ""
        self._said: PredictionText | None = None
        self._by_hand: dict[tuple, str] = {}
        """The view a person chose, by what kind of data it was chosen for; other data is shown as suits it best."""
        self.view = ChoiceButton("How the answers are shown")
        self.view.chosen.connect(self._choose)
        self.pencil, self._is_own = Pencil(), False
        self._is_roomy = self.width() >= _ROOMY
        self.pencil.button.chosen.connect(self._take_up)
        self.tools = (self.pencil.button, self.view)

    @property
    def needs(self) -> str:
        """What the engine has to measure for the present view: surface · answers."""
        return "surface" if self.view.key in ("", "boundary") else "answers"

    def _legend(self) -> tuple[tuple[QColor, str], ...]:
        """Which colour is which class."""
        if self._hover_map is not None or not self.points.classes:
            return ()
        colors, shown = current_theme().classes, range(min(_MOST_NAMED, self.points.classes))
        names = [self.points.class_name(number) for number in shown]
        return tuple((QColor(colors[n % len(colors)]), f"class {name}" if name.isdecimal() else name) for n, name in enumerate(names))

    def set_run(self, run: RunState) -> None:
        """Show the surface and the data of this run, pale if they are old; none while other data is on its way."""
        self.set_past(run.is_late(run.surface_iteration if self.needs == "surface" else run.answers_iteration))
        self.offer(run.surface, None if run.is_data_past else run.data, run.surface_iteration, run.answers, run.answers_iteration)

    def set_own(self, is_own: bool) -> None:
        """Say whether the rows are a person's own points."""
        if is_own != self._is_own:
            self._is_own = is_own
            self._take_up()

    def set_hover_map(self, values: np.ndarray | None, neuron: str = "") -> None:
        """Show a neuron's value over the plane, (height, width), or over the line, (width,), in place of the answer; None ends it."""
        self._hover_map, self._neuron = values, neuron
        self.renew()

    def take(
        self,
        surface: Surface | None = None,
        data: DataRecord | None = None,
        iteration: int = 0,
        answers: Predictions | None = None,
        answered: int = 0,
    ) -> None:
        if data is None or self.points is None or self.points.data is not data:
            self.points = Points.of(data, MOST_ROWS) if data else None
            self._offer_views(data)
        self.legend = ()
        if self.needs == "answers" and data:
            self._take_answers(data, answers, answered)
            return
        self.sentence = _sentence(self.points)
        if self.sentence:
            self.set_heading("Decision boundary", "", "Boundary")
            return
        self.legend = self._legend()
        self._surface, self._output = surface, to_numpy(surface.output) if surface else None
        has_generated = surface is not None and surface.generated is not None
        self._drawn = self.points.with_generated(to_numpy(surface.generated)) if has_generated else self.points
        self.image = self._plane() if self.points.features == 2 else None
        self.set_heading(*self._heading(plot_numbers.iteration(iteration) if surface else ""))

    def _take_up(self, chosen: str = OFF) -> None:
        """Let clicks do what was chosen, as far as it suits the data."""
        self.pencil.offer(self.points.data if self.points else None, self._is_own, self.needs == "surface" and self._is_roomy)
        self.setCursor(Qt.CursorShape.ArrowCursor if self.pencil.button.key == OFF else Qt.CursorShape.CrossCursor)
        if chosen == ADOPT:
            self.adopt_requested.emit()

    def _choose(self, view: str) -> None:
        data = self._parts[1] if self._parts else None
        if data is not None:
            self._by_hand[_kind_of(data)] = view
        self._take_up()
        self.needs_changed.emit()
        self.renew()

    def _offer_views(self, data: DataRecord | None) -> None:
        before, views = self.needs, views_of(data) if data else ()
        key = self._by_hand.get(_kind_of(data), views[0]) if data else ""
        self.view.set_choices([(view, VIEWS[view][0]) for view in views], key)
        self.view.setVisible(len(views) > 1)
        self._take_up()
        if self.needs != before:
            self.needs_changed.emit()

    def _take_answers(self, data: DataRecord, answers: Predictions | None, iteration: int) -> None:
        _, title, short, _ = VIEWS[self.view.key]
        is_of_data = answers is not None and answers.rows.shape[0] <= data.x.shape[0] and (answers.sure.shape[0] > 0) == bool(data.classes)
        self._said = PredictionText(data, answers) if is_of_data else None
        self.sentence = "" if self._said else "the answers appear once the engine has measured them"
        if self._said and not answers.scores:
            self.sentence = "there are no scores: some outputs are not finite"
        if self._said and self.view.key == "mistakes" and not len(self._said.wrong):
            self.sentence = f"no row that is validated on is answered wrong{self._said.limit}"
        self.set_heading(title, plot_numbers.iteration(iteration) if self._said else "", short)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        if self.needs == "answers":
            VIEWS[self.view.key][3](painter, area, theme, self._said, self.hovered)
            return
        frame, x, y = self._scales(area)
        self.axes.place(painter, theme, frame, x, y)
        self.axes.axis("left", lines=self.points.features == 1)
        self.axes.axis("bottom")
        if self.image is not None:
            self.axes.image(self.image, *self._extent())
        room = (max(1.0, frame.width() * frame.height()) / len(self.points.x)) ** 0.5  # of one, so that they shrink where there are many
        self.axes.points(*circles(theme, self._drawn, round(min(8.0, max(3.6, room / 2)), 1)))
        for color, values in self._curves() if self.points.features == 1 and self._surface else ():
            known = np.isfinite(values)
            self.axes.curve(np.linspace(*limits_of(self._surface, self.points, 0), len(values))[known], values[known], color, 2)
        self.axes.render(painter)
        if self._drawn is not self.points:
            self._paint_key(painter, frame)
        if self.hovered is not None and frame.contains(self.hovered):
            paint_readout(painter, theme, self.hovered, self.values_at(x.value(self.hovered.x()), y.value(self.hovered.y())), frame)

    def _paint_key(self, painter: QPainter, frame: QRectF) -> None:
        """Which points are generated and which are real, in a corner."""
        theme, left = current_theme(), frame.left() + 4
        width = sum(text_width(text) + 18 for _, text in self.legend)
        painter.fillRect(QRectF(frame.left(), frame.top(), width + 4, line_height()), theme.color("panel", 0.8))
        for color, text in self.legend:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(QRectF(left, frame.top() + line_height() / 2 - 3, 6, 6))
            write(painter, QRectF(left + 9, frame.top(), text_width(text) + 4, line_height()), text, theme.color("muted"))
            left += text_width(text) + 18

    def _plane(self) -> np.ndarray | None:
        """The image under the points of two features."""
        theme = current_theme()
        if self._hover_map is not None:
            return value_image(theme, self._hover_map, value_limit(self._hover_map))
        if self._output is None:
            return None
        if self.points.classes:
            return class_image(theme, self._output)
        return value_image(theme, self._output[..., 0], value_limit(self.points.y))

    def _heading(self, iteration: str) -> tuple[str, str, str]:
        """Title, subtitle and short title; where colour means a value, the subtitle gives its range."""
        if self._hover_map is not None:
            return self._neuron or "Neuron", f"±{steady(value_limit(self._hover_map))}, {iteration}".rstrip(", "), ""
        if self.points.classes:
            flat = self.points.features == 1
            return ("Class probabilities", iteration, "Classes") if flat else ("Decision boundary", iteration, "Boundary")
        if self.points.features == 1:
            return "Fitted curve", iteration, "Fit"
        return "Fitted surface", f"±{steady(value_limit(self.points.y))}, {iteration}".rstrip(", "), "Fit"

    def _scales(self, area: QRectF) -> tuple[QRectF, AxisScale, AxisScale]:
        """The frame and both scales. The left margin is wide enough for any tick, so that it does not jump."""
        low, high = self._y_limits()
        left = 7 + max(text_width(text, number=True) for text in (plot_numbers.tick(value) for value in (-2.5, *snapped(low, high, 3))))
        frame = area.adjusted(round(left), 7, -8, -line_height() - 3)
        x = AxisScale(*limits_of(self._surface, self.points, 0), frame.left(), frame.right())
        return frame, *self.zoomed(frame, x, AxisScale(low, high, frame.bottom(), frame.top()))

    def _extent(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The lowest and the highest point of the plane."""
        (left, right), (low, high) = (limits_of(self._surface, self.points, axis) for axis in (0, 1))
        return (left, low), (right, high)

    def _y_limits(self) -> tuple[float, float]:
        if self.points.features == 2:
            return limits_of(self._surface, self.points, 1)
        if self.points.classes:
            return -0.05, 1.05
        return snapped(float(self.points.y.min()), float(self.points.y.max()))

    def _curves(self) -> list[tuple[QColor, np.ndarray]]:
        """For one feature: the answer as a curve, one per class for classes; or a neuron's map."""
        theme = current_theme()
        if self._hover_map is not None:
            return [(theme.color("update"), self._hover_map.reshape(-1))]
        if not self.points.classes:
            return [(theme.color("text"), self._output[:, 0])]
        shares = probabilities(self._output)
        return [(QColor(theme.classes[number % len(theme.classes)]), share) for number, share in enumerate(shares.T)]

    def values_at(self, *place: float) -> list[tuple[str, str]]:
        """Return what the readout says about a place: its features and the network's answer (or the neuron's value) there."""
        points, place = self.points, place[: self.points.features]
        rows = [("muted", f"{name} {steady(value)}") for name, value in zip(points.axis_names, place, strict=True)]
        shown = self._output if self._hover_map is None else self._hover_map
        if shown is None or self._surface is None:
            return rows
        limits = [limits_of(self._surface, points, axis) for axis in range(points.features)]
        answer = shown[_cell(limits, place, shown.shape[: points.features])]
        if self._hover_map is not None:
            return [*rows, ("text", f"{self._neuron or 'neuron'} {steady(float(answer))}")]
        if not points.classes:
            return [*rows, ("text", f"ŷ {steady(float(answer[0]))}")]
        shares = probabilities(answer)
        likely = [int(number) for number in np.argsort(-np.nan_to_num(shares))[:3]]
        return [*rows, *(("text", f"{points.class_name(number)} {plot_numbers.percent(float(shares[number]))}") for number in likely)]

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        if (is_roomy := event.size().width() >= _ROOMY) != self._is_roomy:  # a plot that was hidden meanwhile is told no old size
            self._is_roomy = is_roomy
            self._take_up()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """With the pencil in hand a click on the plane asks for another point, or one less."""
        button = self.pencil.button
        if event.button() != Qt.MouseButton.LeftButton or button.isHidden() or button.key == OFF or self.sentence:
            super().mousePressEvent(event)
            return
        frame, x, y = self._scales(QRectF(self.rect()))
        place = event.position()
        if frame.contains(place) and self.pencil.number is not None:
            self.put_requested.emit(x.value(place.x()), y.value(place.y()), self.pencil.number)
        elif frame.contains(place) and self.pencil.erases:
            reach = abs(x.value(_NEAR) - x.value(0.0)), abs(y.value(_NEAR) - y.value(0.0))
            self.erase_requested.emit(x.value(place.x()), y.value(place.y()), *reach)


def _sentence(points: Points | None) -> str:
    if points is None:
        return "the data appear once the engine has read them"
    return "" if len(points.x) else "the data have no finite rows"


def _cell(limits: list[tuple[float, float]], place: tuple[float, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of the grid point nearest to a place: row (second feature) first."""
    shares = [AxisScale(low, high, 0.0, 1.0)(value) for value, (low, high) in zip(place, limits, strict=True)]
    return tuple(min(size - 1, max(0, round(float(share) * (size - 1)))) for share, size in zip(reversed(shares), shape, strict=True))
