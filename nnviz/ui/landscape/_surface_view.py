"""The loss over a plane as a surface in space, seen from a side that can be turned: parallel projection, the farthest painted first."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from nnviz.ui.landscape.loss_field import LossField
from nnviz.ui.landscape.path_marks import paint_path, paint_standing
from nnviz.ui.landscape.shown_plane import ShownPlane, loss_color, nearest_point
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, text_width, write

_HEIGHT = 0.62
"""How high the largest loss stands over the smallest, in widths of the plane."""
_SHADES = 24
"""So many colours there are; a brush for every face would take longer."""
_EDGE = 0.25
"""By how much the edges of faces are darker, as a share of the range of colours."""
_RESTING, _MOVING = 41, 21
"""So many points along a side have faces between them, at rest and while it is turned."""
_NEAR = 12.0
_LEAST_HIGH, _MOST_HIGH = 0.12, 1.45
"""Radians one looks down at least and at most."""


@dataclass(frozen=True)
class View:
    """From where one looks: turned about the vertical, and down, in radians."""

    turn: float = math.radians(-35)
    down: float = math.radians(32)

    def turned(self, x: float, y: float) -> View:
        """Return the view after the mouse has dragged the surface by so many pixels."""
        return View(self.turn + x / 150, min(_MOST_HIGH, max(_LEAST_HIGH, self.down + y / 200)))

    def seen(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where points (…, 3) of the unit cube about 0 are seen, (…, 2) with y down, and how far away they are, (…)."""
        x, y, z = np.moveaxis(points, -1, 0)
        across = x * math.cos(self.turn) - y * math.sin(self.turn)
        away = x * math.sin(self.turn) + y * math.cos(self.turn)
        up = z * math.cos(self.down) + away * math.sin(self.down)
        return np.stack([across, -up], -1), away * math.cos(self.down) - z * math.sin(self.down)


@dataclass(frozen=True)
class _Stage:
    """Turns places of a plane into pixels."""

    shown: ShownPlane
    view: View
    area: QRectF

    def placed(self, x: np.ndarray, y: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Places of the plane, at a height given as share, in the unit cube about 0."""
        field = self.shown.field
        across, along = ((v - axis[0]) / (axis[-1] - axis[0]) - 0.5 for v, axis in ((x, field.x), (y, field.y)))
        return np.stack([across, along, (share - 0.5) * _HEIGHT], -1)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """As large as fits whichever way it is turned."""
        wide, high = math.sqrt(2), _HEIGHT * math.cos(self.view.down) + math.sqrt(2) * math.sin(self.view.down)
        size = max(1.0, min(self.area.width() / wide, self.area.height() / high))
        return self.view.seen(points)[0] * size + np.array([self.area.center().x(), self.area.center().y()])


def paint_surface(plot: Plot, painter: QPainter, area: QRectF, shown: ShownPlane, view: View, is_turning: bool) -> None:
    """Paint the surface, coarser while it is being turned, the floor with its axes, the paths over it, the values under the pointer."""
    theme, field = current_theme(), shown.field
    stage = _Stage(shown, view, area.adjusted(8, line_height(), -8, -line_height()))
    floor = _paint_floor(painter, theme, stage)
    grid_x, grid_y = np.meshgrid(field.x, field.y)
    corners = stage.placed(grid_x, grid_y, field.share(field.losses))
    pixels = stage.pixels(corners)
    some = _some(field.losses.shape, is_turning)
    _paint_faces(painter, theme, pixels[some], view.seen(corners)[1][some], field.share(field.losses)[some])
    _write_names(painter, theme, stage, floor)
    places = [(path, stage.pixels(_on_surface(stage, path.points))) for path in shown.paths]
    for number, (path, line) in reversed(list(enumerate(places))):
        paint_path(painter, theme, path, line, number == 0, area)
    if not places:
        paint_standing(painter, theme, QPointF(*stage.pixels(_on_surface(stage, np.array([shown.centre])))[0]), 0)
    if plot.hovered is not None and (rows := _read(shown, places, pixels, plot.hovered)):
        paint_readout(painter, theme, plot.hovered, rows, area)


def _on_surface(stage: _Stage, points: np.ndarray) -> np.ndarray:
    """Points of the plane, at the height of its loss there; beyond its edge at that of the edge."""
    field: LossField = stage.shown.field
    inside = np.clip(points, (field.x[0], field.y[0]), (field.x[-1], field.y[-1]))
    heights = field.share(np.array([field.at(*point) for point in inside.tolist()]))
    return stage.placed(points[:, 0], points[:, 1], np.nan_to_num(heights, nan=1.0))


def _paint_floor(painter: QPainter, theme: Theme, stage: _Stage) -> np.ndarray:
    """The plane under the surface; return the pixels of its corners, (4, 2)."""
    square = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    floor = np.concatenate([square, np.full((4, 1), -0.5 * _HEIGHT)], 1)
    corners = stage.pixels(floor)
    painter.setPen(QPen(theme.color("faint"), 1))
    painter.setBrush(theme.color("field"))
    painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners.tolist()]))
    return corners


def _write_names(painter: QPainter, theme: Theme, stage: _Stage, corners: np.ndarray) -> None:
    """The names of both axes, at the sides of the floor that are in front."""
    for name, (first, second) in zip(stage.shown.axis_names, _front_edges(corners), strict=True):
        middle = (corners[first] + corners[second]) / 2
        text = f"{name} →" if corners[second][0] >= corners[first][0] else f"← {name}"
        width = text_width(text) + 4
        left = middle[0] + 6 if middle[0] > corners[:, 0].mean() else middle[0] - 6 - width
        left = min(max(left, stage.area.left()), stage.area.right() - width)
        write(painter, QRectF(left, middle[1] + 3, width, line_height()), text, theme.color("muted"))


def _front_edges(corners: np.ndarray) -> list[tuple[int, int]]:
    """Of the edges along x and of those along y the lower one on the screen, from low to high."""
    pairs = (((0, 1), (3, 2)), ((0, 3), (1, 2)))
    return [max(edges, key=lambda edge: corners[edge[0]][1] + corners[edge[1]][1]) for edges in pairs]


def _some(shape: tuple[int, int], is_turning: bool) -> tuple[slice, slice]:
    """Of many points along a side every second or fourth, the last one among them: every face takes its time."""
    steps = []
    for size in shape:
        step = next((step for step in (1, 2, 4, 8) if size <= step * (_MOVING if is_turning else _RESTING)), 8)
        while (size - 1) % step:
            step //= 2
        steps.append(step)
    return slice(None, None, steps[0]), slice(None, None, steps[1])


def _paint_faces(painter: QPainter, theme: Theme, pixels: np.ndarray, depth: np.ndarray, share: np.ndarray) -> None:
    """One face between every four points, without those that are not finite."""
    four = [(slice(0, -1), slice(0, -1)), (slice(0, -1), slice(1, None)), (slice(1, None), slice(1, None)), (slice(1, None), slice(0, -1))]
    faces = np.stack([pixels[place] for place in four], -2).reshape(-1, 4, 2)
    middles, shares = (np.mean([values[place] for place in four], 0).ravel() for values in (depth, share))
    looks = [
        (QPen(loss_color(theme, number / (_SHADES - 1) + _EDGE), 0.5), loss_color(theme, number / (_SHADES - 1)))
        for number in range(_SHADES)
    ]
    for place in np.argsort(-np.nan_to_num(middles, nan=math.inf)).tolist():
        if math.isfinite(shares[place]):
            pen, color = looks[round(shares[place] * (_SHADES - 1))]
            painter.setPen(pen)
            painter.setBrush(color)
            painter.drawConvexPolygon(QPolygonF([QPointF(*corner) for corner in faces[place].tolist()]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _read(shown: ShownPlane, places: list, pixels: np.ndarray, pointer: QPointF) -> list[tuple[str, str]]:
    """The point of a path, or else the point of the surface, that is nearest to the pointer."""
    if at := nearest_point(places, pointer, _NEAR):
        return shown.values_of(*at)
    away = np.nan_to_num(np.hypot(pixels[..., 0] - pointer.x(), pixels[..., 1] - pointer.y()), nan=math.inf)
    row, column = np.unravel_index(int(away.argmin()), away.shape)
    near = away[row, column] <= _NEAR
    return shown.values_at(float(shown.field.x[column]), float(shown.field.y[row])) if near else []
