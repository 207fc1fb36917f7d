"""The plane of two units inside a net with the rows of the data in it, and what a variational autoencoder makes of samples."""

from __future__ import annotations

import math

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.data_record import DataRecord, known_classes, unscaled
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.text import numbers, plot_numbers
from nnviz.ui.pictures.row_box import RowBox
from nnviz.ui.pictures.staleness import PALE, is_old
from nnviz.ui.pictures.tile_grid import TileGrid, tile_grid
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.array_picture import image_of
from nnviz.ui.widgets.header_button import ChoiceButton, choice
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, text_width, write
from nnviz.ui.widgets.scales import AxisScale, snapped

_EXPLANATION = (
    "Where each row of the data lies in two units of a layer, with dropout, noise and sampling off. Of a variational autoencoder also what "
    "it makes of samples of N(0, 1), the same for the same seed, and of two units of a grid over their plane."
)
_CODES = {"samples": "codes", "grid": "grid_codes"}
"""The views of samples, and the part of a picture that holds what they are made of."""
_NEAR = 9.0
"""Pixels within which a point is meant."""
_MOST_NAMED = 10
_ROOMY = 330
"""Pixels of width below which a header has no room for the units beside the iteration."""
_FEWEST_SPREAD = 20
"""Among fewer rows none lies far out."""


class LatentPlot(Plot):
    """Rows as points of the plane, or samples: decoded into pictures, or points over the data."""

    wish_changed = Signal()
    """Another picture is wanted of the engine."""
    row_chosen = Signal(int)
    """A person wants to see this row of the data."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Latent plane", _EXPLANATION, "Latent", parent)
        self.wish = PictureWish("latent")
        self.picture: Picture | None = None
        self.data: DataRecord | None = None
        self._is_old = False
        self._points: tuple[np.ndarray, ...] = ()
        self.key: tuple[tuple[QColor, str], ...] = ()
        """Which colour is what; it stands in the plane where there is room for it, else below a picture."""
        self.layers = ChoiceButton("Layer")
        self.layers.chosen.connect(lambda key: self._want(layer=key, units=(0, 1)))
        self.units = ChoiceButton("Unit across"), ChoiceButton("Unit up")
        for button in self.units:
            button.chosen.connect(lambda key: self._want(units=tuple(int(one.key) for one in self.units)))
        self.view = choice("What is shown", {"rows": "rows"}, "rows")
        self.view.chosen.connect(lambda key: self.renew())
        self.seed = RowBox("seed", "Seed of the samples", 9999)
        self.seed.value_changed.connect(lambda seed: self._want(seed=seed))
        self.tools = (self.seed, self.view, *self.units, self.layers)

    def set_run(self, run: RunState) -> None:
        """Show the plane of this run."""
        found = run.pictures.get("latent")
        self.offer(found, None if run.is_data_past else run.data, is_old(run, found))

    @property
    def shows_samples(self) -> bool:
        """Whether samples are shown in place of the rows, drawn ones or those of a grid."""
        return self.view.key in _CODES and self.picture is not None and self.view.key in self.picture.parts

    def take(self, found: tuple[int, Picture] | None = None, data: DataRecord | None = None, is_late: bool = False) -> None:
        self.picture, self.data, self.legend, self.key = found[1] if found else None, data, (), ()
        self.sentence = "the plane appears once the engine has made it" if found is None else found[1].sentence
        self.sentence = self.sentence or ("" if data is not None else "the plane appears with the data")
        self._offer_choices()
        if self.sentence:
            self.choice = ""
            self.set_heading("Latent plane", "", "Latent")
            return
        self._is_old = is_late or self.picture.wish != self.wish
        units, title = to_numpy(self.picture.parts["units"]), self.names.get(self.picture.layer, self.picture.layer)
        self.choice = f"{title}, units {units[0]} and {units[1]}"
        if self.shows_samples:
            self.choice = f"samples of {title} ~ N(0, 1), seed {self.picture.wish.seed}"
            if self.view.key == "grid":
                self.choice = f"samples on a grid of {title}, equally likely parts of N(0, 1)"
        self._points = self._placed()
        self.key = self._key()
        self.legend = self.key if self._key_width(0) > self.width() - text_width("−0.000", number=True) - 20 else ()
        title = ("Samples", "Samples") if self.shows_samples else ("Latent plane", "Latent")
        self.set_heading(title[0], plot_numbers.iteration(found[0]), title[1])

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        painter.setOpacity(PALE if self._is_old else 1.0)
        if self.shows_samples and not self._are_points:
            self._paint_samples(painter, theme, area)
            painter.setOpacity(1.0)
            self._read_sample(painter, theme, area)
            return
        frame, x, y = self._scales(area)
        self.axes.place(painter, theme, frame, x, y)
        self.axes.axis("left")
        self.axes.axis("bottom")
        across, up, pens, brushes = self._marks(theme)
        outside = (across < x.low) | (across > x.high) | (up < y.low) | (up > y.high)
        if not self.zoom.is_on:
            across, up = np.clip(across, x.low, x.high), np.clip(up, y.low, y.high)
        room = (max(1.0, frame.width() * frame.height()) / max(1, len(across))) ** 0.5
        self.axes.points(across, up, round(min(8.0, max(3.6, room / 2)), 1), pens, brushes)
        self.axes.render(painter)
        self._paint_key(painter, theme, frame, 0 if self.zoom.is_on else int(outside.sum()))
        painter.setOpacity(1.0)
        if self.hovered is not None and frame.contains(self.hovered):
            self._read_point(painter, theme, frame, x, y)

    # --- what is chosen ---

    def _want(self, **what: object) -> None:
        self.wish = replace(self.wish, **what)
        self.renew()
        self.wish_changed.emit()

    def _offer_choices(self) -> None:
        picture = self.picture
        choices = picture.choices if picture and not self.sentence else ()
        self.layers.set_choices([(key, self.names.get(key, key)) for key in choices], picture.layer if picture else "")
        self.layers.setVisible(len(choices) > 1)
        width = int(to_numpy(picture.parts["width"])) if choices else 0
        units = to_numpy(picture.parts["units"]).tolist() if choices else (0, 1)
        for button, own, other in zip(self.units, units, reversed(units), strict=True):
            button.set_choices([(str(unit), f"unit {unit}") for unit in range(width) if unit != other], str(own))
            button.setVisible(width > 2 and not self.shows_samples and self.width() >= scaled(_ROOMY))
        views = [("rows", "rows"), *((key, key) for key in _CODES if picture and key in picture.parts)]
        if choices:  # else what a person chose stays for the next picture
            self.view.set_choices(views, self.view.key if (self.view.key, self.view.key) in views else "rows")
        self.view.setVisible(len(views) > 1)
        self.seed.setVisible(len(views) > 1 and self.view.key == "samples")

    # --- what is drawn ---

    @property
    def _are_points(self) -> bool:
        """Whether samples are points of the plane of two features."""
        return self._samples().shape[1:] == (2,)

    def _samples(self) -> np.ndarray:
        """(samples, *shape of a row)"""
        return to_numpy(self.picture.parts[self.view.key])

    def _placed(self) -> tuple[np.ndarray, ...]:
        """Places across and up, the rows of the data (−1 for a sample), of what can be drawn."""
        rows = to_numpy(self.picture.parts["rows"])
        if self.shows_samples and self._are_points:
            x, samples = to_numpy(self.data.x)[rows], self._samples()
            places, rows = np.concatenate([x, samples]), np.concatenate([rows, np.full(len(samples), -1)])
        else:
            places = to_numpy(self.picture.values)
        known = np.isfinite(places).all(1)
        return places[known, 0].astype(float), places[known, 1].astype(float), rows[known]

    def _marks(self, theme: Theme) -> tuple[np.ndarray, np.ndarray, list[QPen], list[QBrush]]:
        """Filled circles for rows that are trained on, rings for others, in the colours of their classes; samples in one of their own."""
        across, up, rows = self._points
        pale = 0.35 if self.shows_samples else 1.0
        colors, training = self._colors(theme), to_numpy(self.data.training)
        looks = {}
        for color in {*colors, theme.update}:
            filled = QColor(color)
            filled.setAlphaF(1.0 if color == theme.update and self.shows_samples else pale)
            looks[color] = (QPen(filled, 1.2), QBrush(theme.color("panel", 0.5))), (QPen(theme.color("panel"), 0.8), QBrush(filled))
        chosen = [looks[theme.update][1] if row < 0 else looks[colors[row]][int(training[row])] for row in rows.tolist()]
        return across, up, [pen for pen, _ in chosen], [brush for _, brush in chosen]

    def _colors(self, theme: Theme) -> list[str]:
        """The colour of every row of the data."""
        classes, _ = known_classes(self.data)
        if classes is not None:
            return [theme.classes[int(number) % len(theme.classes)] for number in classes]
        return [theme.training_set if training else theme.validation_set for training in to_numpy(self.data.training)]

    def _key_width(self, outside: int) -> float:
        texts = [text.removeprefix("class ") for _, text in self.key] + ([f"{outside} farther out, at the edge"] if outside else [])
        return sum(text_width(text) + 16 for text in texts)

    def _key(self) -> tuple[tuple[QColor, str], ...]:
        theme = current_theme()
        if self.shows_samples and not self._are_points:
            return ()
        samples = ((theme.color("update"), "samples"),) if self.shows_samples else ()
        classes, _ = known_classes(self.data)
        if classes is None:
            return (*samples, (theme.color("training_set"), "training rows"), (theme.color("validation_set"), "validation rows"))
        shown = range(min(_MOST_NAMED, int(classes.max(initial=-1)) + 1))
        return (*samples, *((QColor(theme.classes[number % len(theme.classes)]), self._class(number)) for number in shown))

    def _class(self, number: int) -> str:
        _, names = known_classes(self.data)
        return names[number] if number < len(names) and not names[number].isdecimal() else f"class {number}"

    def _scales(self, area: QRectF) -> tuple[QRectF, AxisScale, AxisScale]:
        limits = [_limits(part) for part in self._points[:2]]
        left = 7 + max(text_width(plot_numbers.tick(value), number=True) for value in (-2.5, *limits[1]))
        frame = area.adjusted(round(left), 7, -8, -line_height() - 3)
        return frame, *self.zoomed(
            frame, AxisScale(*limits[0], frame.left(), frame.right()), AxisScale(*limits[1], frame.bottom(), frame.top())
        )

    def _paint_key(self, painter: QPainter, theme: Theme, frame: QRectF, outside: int) -> None:
        """Which colour is which class, and how many points lie farther out than the axes reach."""
        entries = [(color, text.removeprefix("class ")) for color, text in self.key]
        entries += [(theme.color("faint"), f"{outside} farther out, at the edge")] if outside else []
        if self._key_width(outside) > frame.width():
            entries = entries[len(self.key) :]
        widths = [text_width(text) + 16 for _, text in entries]
        left = frame.right() - sum(widths)
        painter.fillRect(QRectF(left - 4, frame.top(), sum(widths) + 4, line_height()), theme.color("panel", 0.8))
        for (color, text), width in zip(entries, widths, strict=True):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(QRectF(left, frame.top() + line_height() / 2 - 3, 6, 6))
            write(painter, QRectF(left + 9, frame.top(), width, line_height()), text, theme.color("muted"))
            left += width

    def _read_point(self, painter: QPainter, theme: Theme, frame: QRectF, x: AxisScale, y: AxisScale) -> None:
        place = self._nearest(x, y)
        if place is None:
            lines = [("muted", f"{numbers.short(x.value(self.hovered.x()))}, {numbers.short(y.value(self.hovered.y()))}")]
        else:
            lines = self.values_of(place)
        paint_readout(painter, theme, self.hovered, lines, frame)

    def _nearest(self, x: AxisScale, y: AxisScale) -> int | None:
        across, up, rows = self._points
        if not rows.size:
            return None
        if not self.zoom.is_on:
            across, up = np.clip(across, x.low, x.high), np.clip(up, y.low, y.high)
        away = np.hypot(x(across) - self.hovered.x(), y(up) - self.hovered.y())
        return int(away.argmin()) if away.min() <= _NEAR else None

    def values_of(self, place: int) -> list[tuple[str, str]]:
        """Return what the readout says of a point."""
        across, up, row = (part[place] for part in self._points)
        where = ("text", f"{numbers.number(float(across))}, {numbers.number(float(up))}")
        if row < 0:
            return [("update", "sample"), where]
        set_name = "trained on" if to_numpy(self.data.training)[row] else "validated on"
        classes, _ = known_classes(self.data)
        named = [("muted", self._class(int(classes[row])))] if classes is not None else []
        return [("muted", f"row {row}, {set_name}"), *named, where]

    # --- samples as pictures ---

    def _sample_tiles(self) -> np.ndarray:
        """(samples, height, width) in the units of the data before its scaling."""
        samples = self._samples()
        flat = unscaled(self.data, samples.reshape(len(samples), -1)) if samples[0].size == self.data.x.shape[1] else samples
        return flat.reshape(samples.shape)[:, 0] if samples.ndim == 4 else flat.reshape(len(samples), -1, samples.shape[-1])

    def _sample_grid(self, area: QRectF) -> TileGrid:
        shape = self._sample_tiles().shape
        aspect = shape[2] / shape[1]
        if self.view.key == "grid" and shape[1] == 1 and area.height() > 0:
            aspect = min(aspect, area.width() / area.height())  # a line of numbers may be as high as there is room
        columns = math.isqrt(shape[0]) if self.view.key == "grid" else 0
        return tile_grid(area.adjusted(0, 2, -2, -line_height() - 4), shape[0], min(8.0, max(0.125, aspect)), 0.0, columns)

    def _paint_samples(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        tiles, grid = self._sample_tiles(), self._sample_grid(area)
        known = tiles[np.isfinite(tiles)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        for place, tile in enumerate(tiles):
            ends = np.pad(tile, ((0, 0), (0, 2)))  # the scale of all: the least and the largest stand beside each, and are cut off
            ends[:, -2:] = low, high
            painter.drawImage(grid.room(place), image_of(ends, theme).copy(0, 0, tile.shape[1], tile.shape[0]))
            painter.setPen(QPen(theme.color("line"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(grid.room(place))
        foot = QRectF(area.left(), area.bottom() - line_height(), area.width(), line_height())
        write(painter, foot, f"{len(tiles)} samples · {numbers.short(low)} … {numbers.short(high)}", theme.color("muted"))

    def _read_sample(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        found = self._sample_grid(area).at(self.hovered) if self.hovered is not None else None
        if found is None:
            return
        place, across, down = found
        tile, code = self._sample_tiles()[place], to_numpy(self.picture.parts[_CODES[self.view.key]])[place]
        row, column = min(tile.shape[0] - 1, int(down * tile.shape[0])), min(tile.shape[1] - 1, int(across * tile.shape[1]))
        value = numbers.number(float(tile[row, column]))
        lines = [("update", f"sample {place}: z = {numbers.row(code, 4)}"), ("text", f"{numbers.place([row, column])} {value}")]
        paint_readout(painter, theme, self.hovered, lines, area)

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._parts:
            self.renew()


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Round limits around all values; where a few lie far out, around the others."""
    if not values.size:
        return -1.0, 1.0
    low, high = (float(end) for end in (values.min(), values.max()))
    if len(values) >= _FEWEST_SPREAD:
        first, last = float(np.percentile(values, 1, method="higher")), float(np.percentile(values, 99, method="lower"))
        room = 0.5 * (last - first) or high - low
        low, high = max(low, first - room), min(high, last + room)
    return snapped(low, high)
