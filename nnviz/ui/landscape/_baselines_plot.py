"""Other models beside the net: their scores as a table, what they answer over the plane, and what averaging many of them makes."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from nnviz.records.baseline_record import Averaged, Baseline, Baselines
from nnviz.records.tensors import to_numpy
from nnviz.text import plot_numbers
from nnviz.text.numbers import steady
from nnviz.ui.landscape.score_table import ScoreTable, paint_table
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.widgets.header_button import choice
from nnviz.ui.widgets.plot import Plot, paint_sentence
from nnviz.ui.widgets.readout import line_height, paint_readout, small_mono, small_sans, text_width, write
from nnviz.ui.widgets.scales import AxisScale, snapped
from nnviz.ui.widgets.surface_image import class_image, value_image, value_limit

_EXPLANATION = (
    "Models without a hidden layer, and models of trees, on the very rows and split the net learns from, scaled as it gets them. A net "
    "that reproduces its input stands beside as many principal components as its narrowest layer is wide.\n\n"
    "The nearest neighbours of a training row include the row itself: only the validation score says how good they are. Averages: a random "
    "forest answers with the mean of its trees; dropout trains many thinned nets, for whose mean the whole net stands in evaluation mode."
)
_COLUMNS = ("training", "validation", "has learned", "seconds")
_COLORS = {"random forest": "clip", "thinned nets": "forward"}
_CENTRE = Qt.AlignmentFlag.AlignHCenter


class BaselinesPlot(Plot):
    """The header chooses what is shown; pictures and averages can be chosen where there are some."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Baselines", _EXPLANATION, parent=parent)
        self.view = choice("What is shown", {"scores": "scores", "pictures": "pictures", "averages": "averages"}, "scores")
        self.view.chosen.connect(lambda key: self.renew())
        self.tools = (self.view,)
        self.found: Baselines | None = None
        self._frame: tuple[QRectF, AxisScale] | None = None
        """Where the averages stand."""

    def set_found(self, found: Baselines | None, iteration: int, failure: str = "") -> None:
        """Show this, of the net after so many iterations. None: not yet; `failure` says why, if it was asked for."""
        self.offer(found, iteration, failure)

    def take(self, found: Baselines | None = None, iteration: int = 0, failure: str = "") -> None:
        self.found = found
        self.choice = self.view.text()
        if found is None:
            self.sentence = failure or "how well other models do on the same rows: press compute"
            self.set_heading("Baselines", "")
            return
        self.sentence = {"scores": "", "pictures": _without_pictures(found), "averages": _without_averages(found)}[self.view.key]
        self.set_heading("Baselines", plot_numbers.iteration(iteration))

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        self._frame = None
        if self.view.key == "scores":
            paint_table(painter, theme, area, self.table)
        elif self.view.key == "pictures":
            self._paint_pictures(painter, theme, area)
        else:
            self._paint_averages(painter, theme, area)

    def score(self, value: float | None) -> str:
        """Return a score as it is written in the table."""
        if value is None:
            return "–"
        return plot_numbers.percent(value) if self.found.metric == "accuracy" else steady(value)

    @property
    def best(self) -> Baseline:
        """The model with the best score over the validation rows, over the training rows where there are none."""
        sign = -1 if self.found.metric == "accuracy" else 1
        scores = [model.training if model.validation is None else model.validation for model in self.found.models]
        return self.found.models[int(np.nanargmin(sign * np.array(scores)))] if np.isfinite(scores).any() else self.found.models[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands under the table, as sentences."""
        found = self.found
        rows = f"{found.metric} over {found.fitted:,} training" + (
            f" and {found.held_out:,} validation rows" if found.held_out else " rows"
        )
        return (rows, *(f"without {name}: {why}" for name, why in found.left_out))

    # --- the table ---

    def cells(self, model: Baseline) -> tuple[str, ...]:
        """Return what the table says of a model, in the order of its columns."""
        seconds = "–" if model.seconds is None else f"{model.seconds:.2f}"
        size = f"{model.size:,} {model.unit}" if model.size != 1 else f"1 {model.unit.removesuffix('s')}"
        return self.score(model.training), self.score(model.validation), size, seconds

    @property
    def table(self) -> ScoreTable:
        """What is painted of the scores."""
        models = self.found.models
        best = models.index(self.best), 1
        return ScoreTable(_COLUMNS, [(model.name, *self.cells(model)) for model in models], 0, best, self.notes, frozenset({2, 3}))

    # --- pictures ---

    def _paint_pictures(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        models = self.found.models
        foot = 2 * line_height() + 4
        columns = max(range(1, len(models) + 1), key=lambda n: min(area.width() / n, area.height() / math.ceil(len(models) / n) - foot))
        wide, high = area.width() / columns, area.height() / math.ceil(len(models) / columns)
        if high - foot < 24:
            paint_sentence(painter, area, theme, "more when enlarged")
            return
        for place, model in enumerate(models):
            room = QRectF(area.left() + place % columns * wide, area.top() + place // columns * high, wide, high).adjusted(4, 2, -4, -2)
            side = min(room.width(), room.height() - foot)
            flat = to_numpy(model.picture).ndim == 2
            frame = QRectF(room.center().x() - side / 2, room.top(), side, side) if not flat else room.adjusted(0, 0, 0, -foot)
            self._paint_picture(painter, theme, frame, to_numpy(model.picture))
            name = QFontMetricsF(small_sans()).elidedText(model.name, Qt.TextElideMode.ElideRight, room.width())
            below = QRectF(room.left(), frame.bottom() + 2, room.width(), line_height())
            write(painter, below, name, theme.color("text"), align=_CENTRE)
            score = self.score(model.training if model.validation is None else model.validation)
            write(painter, below.translated(0, line_height()), score, theme.color("muted"), small_mono(), _CENTRE)

    def _paint_picture(self, painter: QPainter, theme: Theme, frame: QRectF, values: np.ndarray) -> None:
        if values.ndim == 3:
            is_of_classes = self.found.metric == "accuracy"
            colors = class_image(theme, values) if is_of_classes else value_image(theme, values[..., 0], self._limit())
            height, width, _ = colors.shape
            image = QImage(np.ascontiguousarray(colors[::-1]).data, width, height, 3 * width, QImage.Format.Format_RGB888)
            painter.drawImage(frame, image)
        else:
            curves = [to_numpy(model.picture)[:, -1] for model in self.found.models]
            x = AxisScale(0, len(values) - 1, frame.left() + 2, frame.right() - 2)
            limits = snapped(float(min(curve.min() for curve in curves)), float(max(curve.max() for curve in curves)))
            y = AxisScale(*limits, frame.bottom() - 2, frame.top() + 2)
            points = np.stack([x(np.arange(len(values))), y(values[:, -1])], 1).tolist()
            painter.setPen(QPen(theme.color("training_set"), 1.5))
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in points]))
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)

    def _limit(self) -> float:
        """The same for all pictures, so that they can be compared."""
        return max(value_limit(to_numpy(model.picture)) for model in self.found.models)

    # --- averages ---

    def _paint_averages(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        every = self.found.averaged
        said = [(_COLORS[one.name], self.said_of(one)) for one in every]
        said.append(("muted", "line: the mean of the first models · ring: one of them alone"))
        tick_text = plot_numbers.percent if self.found.metric == "accuracy" else plot_numbers.tick
        head = len(said) * line_height() + 6
        singles = [to_numpy(one.singles) for one in every]
        values = np.concatenate([*singles, *(to_numpy(one.means) for one in every)])
        limits = snapped(float(np.nanmin(values)), float(np.nanmax(values)))
        left = 8 + max(text_width(tick_text(limit), number=True) for limit in (*limits, sum(limits) / 2 + 0.001))
        frame = area.adjusted(round(left), head, -12, -line_height() - 3)
        x = AxisScale(1, max(2, *map(len, singles)), frame.left(), frame.right(), log=True)
        x, y = self.zoomed(frame, x, AxisScale(*limits, frame.bottom(), frame.top()))
        self._frame = frame, x
        self.axes.place(painter, theme, frame, x, y)
        self.axes.axis("left", tick_text, lines=True)
        self.axes.axis("bottom")
        for one, alone in zip(every, singles, strict=True):
            color, numbers = _COLORS[one.name], np.arange(1, len(alone) + 1)
            look = [QPen(theme.color(color, 0.55), 1)] * len(alone), [theme.color(color, 0.0)] * len(alone)
            self.axes.points(numbers, alone, 4, *look)
            self.axes.curve(numbers, to_numpy(one.means), theme.color(color), 2.0)
            if one.whole is not None:
                self.axes.curve(np.array([1, len(alone)]), np.full(2, one.whole), theme.color("text"), 1.0)
        self.axes.render(painter)
        for place, (color, text) in enumerate(said):
            line = QRectF(area.left() + 6, area.top() + place * line_height(), area.width() - 8, line_height())
            shown = QFontMetricsF(small_sans()).elidedText(text, Qt.TextElideMode.ElideRight, line.width())
            write(painter, line, shown, theme.color(color))
        if self.hovered is not None and frame.contains(self.hovered):
            paint_readout(painter, theme, self.hovered, self.values_at(round(float(x.value(self.hovered.x())))), frame)

    def said_of(self, one: Averaged) -> str:
        """Return what averaging makes of these models, in a line."""
        singles, means = to_numpy(one.singles), to_numpy(one.means)
        whole = "" if one.whole is None else f" · the whole net in evaluation mode {self.score(one.whole)}"
        return f"{one.name}: one alone {self.score(float(singles.mean()))}, mean of {len(means)} {self.score(float(means[-1]))}{whole}"

    def values_at(self, count: int) -> list[tuple[str, str]]:
        """Return what the readout says of the mean of so many models."""
        lines = [("text", f"mean of {count:,}")]
        for one in self.found.averaged:
            place = min(max(count, 1), len(to_numpy(one.means))) - 1
            alone = self.score(float(to_numpy(one.singles)[place]))
            lines.append((_COLORS[one.name], f"{one.name} {self.score(float(to_numpy(one.means)[place]))}, no. {place + 1} alone {alone}"))
        return lines


def said_of_best(plot: BaselinesPlot) -> str:
    """Return which model is best, in a line."""
    best, net = plot.best, plot.found.models[0]
    of = "training" if best.validation is None else "validation"
    scores = [model.training if model.validation is None else model.validation for model in (best, net)]
    if best is net:
        return f"best {of} {plot.found.metric}: this net, {plot.score(scores[0])}"
    return f"best {of} {plot.found.metric}: {best.name}, {plot.score(scores[0])}; this net {plot.score(scores[1])}"


def _without_pictures(found: Baselines) -> str:
    return "" if found.low else "pictures are drawn of one or two features"


def _without_averages(found: Baselines) -> str:
    return "" if found.averaged else "there is nothing that is averaged"
