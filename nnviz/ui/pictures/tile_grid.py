"""Where pictures of one size stand beside and above each other, as large as the room allows. Pure geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

_GAP = 6.0


@dataclass(frozen=True)
class TileGrid:
    """The rooms of `count` pictures, each with a caption of `caption` pixels above it."""

    area: QRectF
    count: int
    columns: int
    size: tuple[float, float]
    caption: float

    def room(self, place: int) -> QRectF:
        """Return the room of a picture, without its caption."""
        width, height = self.size
        down, across = divmod(place, self.columns)
        left = self.area.left() + across * (width + _GAP)
        return QRectF(left, self.area.top() + down * (height + self.caption + _GAP) + self.caption, width, height)

    def at(self, point: QPointF) -> tuple[int, float, float] | None:
        """Return which picture is at a point, and how far across and down in it, 0 to 1; None beside all."""
        for place in range(self.count):
            room = self.room(place)
            if room.left() <= point.x() < room.right() and room.top() <= point.y() < room.bottom():
                return place, (point.x() - room.left()) / room.width(), (point.y() - room.top()) / room.height()
        return None


def tile_grid(area: QRectF, count: int, aspect: float, caption: float, columns: int = 0) -> TileGrid:
    """Return the grid with the largest pictures of this width over height, in so many columns, where these are given; without captions
    where these would take most of the room."""
    grids = [_grid(area, count, aspect, caption, number) for number in ([columns] if columns else range(1, count + 1))]
    best = max(grids, key=lambda grid: grid.size[0])
    if caption and best.size[1] < 2.2 * caption:
        return tile_grid(area, count, aspect, 0.0, columns)
    return best


def filling(area: QRectF) -> TileGrid:
    """Return the grid of one picture that takes all the room."""
    return TileGrid(area, 1, 1, (area.width(), area.height()), 0.0)


def _grid(area: QRectF, count: int, aspect: float, caption: float, columns: int) -> TileGrid:
    rows = math.ceil(count / columns)
    width = (area.width() - (columns - 1) * _GAP) / columns
    height = (area.height() - (rows - 1) * _GAP) / rows - caption
    width = max(1.0, min(width, height * aspect))
    return TileGrid(area, count, columns, (width, width / aspect), caption)
