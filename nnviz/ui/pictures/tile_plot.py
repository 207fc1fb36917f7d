"""Pictures of one kind side by side: weights, kernels, feature maps, attention, maps of units. It draws given numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.data_record import DataRecord, unscaled
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.text import numbers, plot_numbers
from nnviz.ui.pictures.row_box import RowBox
from nnviz.ui.pictures.staleness import PALE, is_old
from nnviz.ui.pictures.tile_grid import TileGrid, filling, tile_grid
from nnviz.ui.pictures.tile_instruments import Instrument, PictureView
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.array_picture import image_of, share_image, signed_image
from nnviz.ui.widgets.color_scale import readable, robust_limit
from nnviz.ui.widgets.header_button import ChoiceButton, choice
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import RIGHT, line_height, paint_readout, small_mono, small_sans, text_width, write

_TALLEST = 56.0
"""Pixels of the cells of a single line of units, at most."""
_BAR = 56.0
_ROOMY, _NARROW, _ROW_BOX = 320, 220, 40
"""Pixels of width below which a header has no room for the scale, and none for the iteration, which then stands below; for that a header
with a number box needs so many more."""


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture: what it is called, its (height, width) values, where its colours end, and the picture itself."""

    caption: str
    values: np.ndarray
    limit: float
    image: QImage
    is_input: bool = False


class TilePlot(Plot):
    """The pictures of an instrument, for a layer (and a row, a channel) that a person chooses."""

    wish_changed = Signal()
    """Another picture is wanted of the engine."""
    row_chosen = Signal(int)
    """A person wants to see this row of the data."""

    def __init__(self, instrument: Instrument, parent: QWidget | None = None) -> None:
        super().__init__(instrument.title, instrument.explanation, instrument.short, parent)
        self.instrument = instrument
        self.wish = PictureWish(instrument.kind)
        self.view: PictureView | None = None
        self.tiles: list[Tile] = []
        self._is_old = False
        self.layers = ChoiceButton("Layer")
        self.layers.chosen.connect(lambda key: self._want(layer=key))
        self.channels = ChoiceButton("Input channel of the kernels")
        self.channels.chosen.connect(lambda key: self._want(channel=int(key)))
        self.scale = choice("What the colours are scaled to", dict(instrument.scales), next(iter(instrument.scales)))
        self.scale.chosen.connect(lambda key: self.renew())
        self.row = RowBox("row", "Row of the data", 0, self)
        self.row.value_changed.connect(lambda row: self.row_chosen.emit(row))
        for hidden in (self.channels, self.row):
            hidden.hide()
        self.tools = (*([self.row] if instrument.of_rows else []), self.channels, self.scale, self.layers)

    def set_run(self, run: RunState) -> None:
        """Show the picture of this run."""
        found = run.pictures.get(self.instrument.kind)
        self.offer(found, None if run.is_data_past else run.data, is_old(run, found))

    def set_row(self, row: int) -> None:
        """Show this row of the data."""
        self.row.set_value(row)
        if self.instrument.of_rows and row != self.wish.row:
            self._want(row=row)

    def set_layer(self, layer: str) -> None:
        """Show the picture of this layer."""
        self._want(layer=layer)

    def take(self, found: tuple[int, Picture] | None = None, data: DataRecord | None = None, is_late: bool = False) -> None:
        if data is not None:
            self.row.setMaximum(max(0, data.x.shape[0] - 1))
        elif found is not None and found[1].rows:
            self.row.setMaximum(found[1].rows - 1)
        self.view, self.tiles = None, []
        self.sentence = "the picture appears once the engine has made it" if found is None else found[1].sentence
        self._offer_choices(found[1] if found else None)
        if self.sentence:
            self.choice = ""
            self.set_heading(self.instrument.title, "", self.instrument.short)
            return
        self._is_old = is_late or found[1].wish != self.wish
        self.view = PictureView(found[1], data, self.names)
        self.tiles = self._made(current_theme())
        self.choice = " · ".join(filter(None, (self.view.title, self.view.row if self.instrument.of_rows else "")))
        self.set_heading(self.instrument.title, plot_numbers.iteration(found[0]), self.instrument.short)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        theme, grid = current_theme(), self._grid(area)
        painter.setOpacity(PALE if self._is_old else 1.0)
        for place, tile in enumerate(self.tiles):
            room = self._room(grid, place)
            self._paint_tile(painter, theme, tile, room)
            if grid.caption:
                text = QFontMetricsF(small_sans()).elidedText(tile.caption, Qt.TextElideMode.ElideRight, room.width())
                write(painter, QRectF(room.left(), room.top() - grid.caption, room.width(), line_height()), text, theme.color("muted"))
                self._paint_labels(painter, theme, tile, room)
        self._paint_ticks(painter, theme, grid)
        self._paint_foot(painter, theme, area)
        painter.setOpacity(1.0)
        self._paint_values(painter, theme, grid, area)

    # --- what is chosen ---

    def _want(self, **what: object) -> None:
        self.wish = replace(self.wish, **what)
        self.renew()
        self.wish_changed.emit()

    def _offer_choices(self, picture: Picture | None) -> None:
        choices = picture.choices if picture else ()
        view = PictureView(picture, None, self.names) if picture else None
        self.layers.set_choices([(key, view.name(key)) for key in choices], picture.layer if picture else "")
        self.layers.setVisible(len(choices) > 1)
        channels = picture.channels if picture else 1
        shown = picture.wish.channel if picture and picture.wish.channel < channels else -1
        self.channels.set_choices([("-1", "mean"), *((str(number), f"in {number}") for number in range(channels))], str(shown))
        self.channels.setVisible(channels > 1)
        self.row.setVisible(self.instrument.of_rows and not self.sentence)
        self._fit_tools()

    def _fit_tools(self) -> None:
        """Leave the title its room: in a narrow card the scale is not chosen."""
        self.scale.setVisible(not self.sentence and self.width() >= scaled(_ROOMY))

    # --- what is drawn ---

    def _made(self, theme: Theme) -> list[Tile]:
        found = self.instrument.tiles(self.view)
        whole = _limit([values for _, values in found], self.instrument.is_signed)
        tiles = []
        for caption, values in found:
            limit = _limit([values], self.instrument.is_signed) if self.scale.key == "own" else whole
            tiles.append(Tile(caption, values, limit, self._image(values, limit, theme)))
        return [*self._input(theme), *tiles]

    def _image(self, values: np.ndarray, limit: float, theme: Theme) -> QImage:
        if self.scale.key == "row":
            with np.errstate(invalid="ignore"):
                return share_image(values / np.maximum(values.max(1, keepdims=True), 1e-300), 1.0, theme)
        return (signed_image if self.instrument.is_signed else share_image)(values, limit, theme)

    def _input(self, theme: Theme) -> list[Tile]:
        """The row itself, where it is an image and what is shown are maps of it."""
        data, row = self.view.data, self.view.picture.wish.row
        if self.instrument.kind != "maps" or data is None or len(data.shape) != 3:
            return []
        x = to_numpy(data.x)[max(0, min(row, data.x.shape[0] - 1))][None]
        values = unscaled(data, x)[0].reshape(data.shape)[0]
        return [Tile(self.view.row, values, 0.0, image_of(values, theme), is_input=True)]

    def _grid(self, area: QRectF) -> TileGrid:
        """Where the tiles stand: above the foot, a single matrix right of the numbers of its rows."""
        area = area.adjusted(0, 2, 0, -line_height() - 6)
        height, width = self.tiles[-1].values.shape
        if len(self.tiles) == 1 and self.instrument.label is None:
            left = text_width(str(height - 1), number=True) + 6
            frame = area.adjusted(left, 0, -2, -line_height())
            frame.setHeight(max(1.0, min(frame.height(), height * _TALLEST)))
            return filling(frame)
        return tile_grid(area, len(self.tiles), min(8.0, max(0.125, width / height)), line_height() * (2 if self.instrument.label else 1))

    def _paint_tile(self, painter: QPainter, theme: Theme, tile: Tile, room: QRectF) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.instrument.is_smooth)
        painter.drawImage(room, tile.image)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(room)
        height, width = tile.values.shape
        across, down = room.width() / width, room.height() / height
        if across < text_width("−0.00042", number=True) or down < line_height() or tile.is_input or self.instrument.is_smooth:
            return
        for row, column in np.ndindex(height, width):
            cell = QRectF(room.left() + column * across, room.top() + row * down, across, down)
            value = float(tile.values[row, column])
            ink = readable(theme, value, tile.limit) if self.scale.key != "row" else theme.color("text")
            write(painter, cell, numbers.short(value), ink, small_mono(), Qt.AlignmentFlag.AlignHCenter)

    def _label_width(self, tile: Tile) -> float:
        labels = (self.instrument.label(self.view, number) for number in range(tile.values.shape[0]))
        return max(text_width(label, number=True) for label in labels) + 4

    def _paint_labels(self, painter: QPainter, theme: Theme, tile: Tile, room: QRectF) -> None:
        """What rows and columns are called, of as many as there is room for."""
        if self.instrument.label is None:
            return
        (height, width), muted, line = tile.values.shape, theme.color("muted"), line_height()
        across, down = room.width() / width, room.height() / height
        for row in range(0, height, max(1, math.ceil(line / down))):
            side = QRectF(room.left() - 60, room.top() + (row + 0.5) * down - line / 2, 57, line)
            write(painter, side, self.instrument.label(self.view, row), muted, small_mono(), RIGHT)
        for column in range(0, width, max(1, math.ceil(self._label_width(tile) / across))):
            over = QRectF(room.left() + (column + 0.5) * across - 30, room.top() - line, 60, line)
            write(painter, over, self.instrument.label(self.view, column), muted, small_mono(), Qt.AlignmentFlag.AlignHCenter)

    def _paint_ticks(self, painter: QPainter, theme: Theme, grid: TileGrid) -> None:
        """The numbers of the first and the last row and column of a single matrix."""
        if len(self.tiles) > 1 or self.instrument.label:
            return
        room, (height, width), (down, across) = grid.room(0), self.tiles[0].values.shape, self.view.picture.block
        muted, line = theme.color("muted"), line_height()
        cell = room.height() / height
        places = (0, height - 1) if room.height() > 2 * line else (0,)
        painter.setPen(QPen(theme.color("text"), 1))
        for block in range(1, len(self.view.picture.blocks)):
            edge = room.top() + block * room.height() / len(self.view.picture.blocks)
            painter.drawLine(QPointF(room.left(), edge), QPointF(room.right(), edge))
        for row in dict.fromkeys(places):
            top = min(max(room.top() + (row + 0.5) * cell - line / 2, room.top() - 2), room.bottom() - line + 2)
            write(painter, QRectF(0, top, room.left() - 5, line), str(row * down), muted, small_mono(), RIGHT)
        foot = QRectF(room.left(), room.bottom() + 1, room.width(), line)
        write(painter, foot, "0", muted, small_mono())
        if width > 1:
            write(painter, foot, str((width - 1) * across), muted, small_mono(), RIGHT)

    def _paint_foot(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        """The colours with the values at their ends, and how to read the picture."""
        foot = QRectF(area.left(), area.bottom() - line_height(), area.width(), line_height())
        shown = [tile for tile in self.tiles if not tile.is_input]
        is_common = self.scale.key == "common" or (len(shown) == 1 and self.scale.key != "row")
        left = foot.left()
        for text in self._ends(shown[0].limit, is_common):
            if text:
                write(painter, QRectF(left, foot.top(), 200, foot.height()), text, theme.color("muted"), small_mono())
                left += text_width(text, number=True) + 5
                continue
            ramp = np.linspace(-1.0 if self.instrument.is_signed else 0.0, 1.0, 64)[None]
            image = (signed_image if self.instrument.is_signed else share_image)(ramp, 1.0, theme)
            width = _BAR / 2 if self._is_narrow else _BAR
            painter.drawImage(QRectF(left, foot.center().y() - 4, width, 8), image)
            left += width + 5
        room = QRectF(left + 6, foot.top(), max(0.0, foot.right() - left - 6), foot.height())
        said = QFontMetricsF(small_sans()).elidedText(self._note(is_common), Qt.TextElideMode.ElideRight, room.width())
        write(painter, room, said, theme.color("muted"), align=RIGHT)

    def _ends(self, limit: float, is_common: bool) -> tuple[str, ...]:
        """What stands around the colours, which are the empty one: the values at their ends, where all tiles have the same."""
        if not is_common:
            return ("−", "", "+") if self.instrument.is_signed else ("0", "", "max")
        if self._is_narrow:
            return (("±" if self.instrument.is_signed else "0 … ") + numbers.short(limit), "")
        end = numbers.steady(limit)
        return (f"−{end}", "", f"+{end}") if self.instrument.is_signed else ("0", "", end)

    @property
    def _is_narrow(self) -> bool:
        """Whether the header has no room for the iteration."""
        return self.width() < scaled(_NARROW + (_ROW_BOX if self.instrument.of_rows else 0))

    def _note(self, is_common: bool) -> str:
        if self._is_narrow:
            return self.heading[2]
        picture, parts = self.view.picture, [self.instrument.note(self.view)]
        if picture.block != (1, 1):
            parts.insert(0, f"each cell the largest of {picture.block[0]}×{picture.block[1]}")
        if picture.total and picture.total[0] > picture.values.shape[0]:
            parts.insert(0, f"the first {picture.values.shape[0]} of {picture.total[0]:,}")
        return " · ".join(parts if is_common else [f"scaled {'row by row' if self.scale.key == 'row' else 'one by one'}", *parts])

    def _paint_values(self, painter: QPainter, theme: Theme, grid: TileGrid, area: QRectF) -> None:
        """The value under the pointer."""
        found = grid.at(self.hovered) if self.hovered is not None else None
        room = self._room(grid, found[0]) if found else QRectF()
        if not room.contains(self.hovered or QPointF()):
            return
        place, (height, width) = found[0], self.tiles[found[0]].values.shape
        row = min(height - 1, int((self.hovered.y() - room.top()) / room.height() * height))
        column = min(width - 1, int((self.hovered.x() - room.left()) / room.width() * width))
        cell = QRectF(room.left() + column * room.width() / width, room.top() + row * room.height() / height,
                      room.width() / width, room.height() / height)  # fmt: skip
        painter.setPen(QPen(theme.color("text"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(cell)
        paint_readout(painter, theme, self.hovered, self.values_at(place, row, column), area)

    def _room(self, grid: TileGrid, place: int) -> QRectF:
        """The room of a tile, right of what its rows are called; the row itself keeps its own proportions in it."""
        room = grid.room(place)
        if self.instrument.label and grid.caption:
            room.setLeft(room.left() + min(room.width() / 3, self._label_width(self.tiles[place])))
        if self.tiles[place].is_input:
            height, width = self.tiles[place].values.shape
            factor = min(room.width() / width, room.height() / height)
            room.setSize(QSizeF(width * factor, height * factor))
        return room

    def values_at(self, place: int, row: int, column: int) -> list[tuple[str, str]]:
        """Return what the readout says of a row and column of a tile, as they are shown."""
        tile, value = self.tiles[place], float(self.tiles[place].values[row, column])
        if tile.is_input:
            return [("muted", f"{tile.caption}, pixel {numbers.place([row, column])}"), ("text", numbers.number(value))]
        shift = sum(other.is_input for other in self.tiles)
        lines = [("muted", self.view.title), ("muted", self.instrument.where(self.view, place - shift, row, column))]
        lines.append(("text", numbers.number(value)))
        if self.scale.key == "own":
            lines.append(("muted", f"scale {'±' if self.instrument.is_signed else '0 … '}{numbers.short(tile.limit)}"))
        return lines

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_tools()


def _limit(values: list[np.ndarray], is_signed: bool) -> float:
    """Where the colours end: of signed values robust to one outlier, of shares the largest."""
    together = np.concatenate([part.ravel() for part in values])
    if is_signed:
        return robust_limit(together) or 1.0
    known = together[np.isfinite(together)]
    return float(known.max(initial=0.0)) or 1.0
