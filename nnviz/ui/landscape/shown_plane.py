"""What is drawn of a plane through the parameters: its losses, and the paths on it with their names and colours. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from nnviz.records.task_records import ExplainedShares, LossPlane
from nnviz.records.tensors import to_numpy
from nnviz.text import plot_numbers
from nnviz.text.names import parameter_title
from nnviz.text.numbers import shape, steady
from nnviz.ui.landscape.loss_field import LossField
from nnviz.ui.theme.colors import Theme

_MOST_LEFT_OUT = 3
"""Of so many runs it is written below the picture why their paths are not there."""
_PALEST, _FULLEST = 0.03, 0.62
"""Shares of the colour of the loss where it is smallest and largest."""


Shape = tuple[int, ...]


@dataclass(frozen=True)
class ShownPath:
    """The path of one run: equally long arrays, oldest first."""

    name: str
    color: int
    """Its place among the colours of branches."""
    iterations: np.ndarray
    points: np.ndarray
    """(k, 2) In the coordinates that the axes show."""
    distances: np.ndarray
    losses: np.ndarray


@dataclass(frozen=True)
class ShownPlane:
    """Coordinates are those that the axes show: of a plane of weights their values."""

    field: LossField
    centre: tuple[float, float]
    loss: float
    """That of the run, at the centre."""
    axis_names: tuple[str, str]
    paths: tuple[ShownPath, ...]
    """That of the run the plane is of comes first, if it is there."""
    shares: ExplainedShares | None
    left_out: tuple[str, ...] = ()
    """Of other runs whose paths are not there: which, and why."""

    @classmethod
    def of(
        cls,
        plane: LossPlane,
        present: str,
        colors: Mapping[str, int],
        axis_names: tuple[str, str],
        left_out: Sequence[tuple[str, str]] = (),
    ) -> ShownPlane:
        """Return what is drawn of a plane; `present`: the branch it is of, `colors`: those of all branches by their names.

        `left_out`: the branches that were not asked for, each with the reason.
        """
        field, origin = LossField.of(plane), np.array(plane.origin)
        field = replace(field, x=field.x + origin[0], y=field.y + origin[1])
        paths = []
        for path in plane.paths:
            name = path.name or present
            numbers = [to_numpy(part) for part in (path.iterations, path.coordinates, path.distances, path.losses)]
            paths.append(ShownPath(name, colors.get(name, 0), numbers[0], numbers[1] + origin, *numbers[2:]))
        missing = tuple(f"without {name}: {why}" for name, why in (*left_out, *plane.left_out))
        return cls(field, (float(origin[0]), float(origin[1])), plane.centre, axis_names, tuple(paths), plane.shares, missing)

    @cached_property
    def footers(self) -> tuple[str, ...]:
        """What stands below the picture, in parts that may stand in lines of their own, the least important last."""
        low, high = self.field.range
        found, spread = [f"loss {steady(self.loss)} at ●, the run", f"on this plane {steady(low)} to {steady(high)}"], ()
        if self.shares:
            own, random = (", ".join(map(_whole_percent, pair)) for pair in (self.shares.about_mean, self.shares.random_about_mean))
            spread = f"the path's spread in 1, 2 directions: {own}", f"a random walk's: {random}"
        rest = len(self.left_out) - _MOST_LEFT_OUT
        return (*found, *self.left_out[:_MOST_LEFT_OUT], *((f"and without {rest} more",) if rest > 0 else ()), *spread)

    def values_at(self, x: float, y: float) -> list[tuple[str, str]]:
        """Return what the readout says of a place: (colour name, text)."""
        names = zip(self.axis_names, (x, y), strict=True)
        return [*(("muted", f"{name} {steady(value)}") for name, value in names), ("loss", f"loss {steady(self.field.at(x, y))}")]

    def values_of(self, path: ShownPath, place: int) -> list[tuple[str, str]]:
        """Return what the readout says of a point of a path."""
        named = f"{path.name}, " if len(self.paths) > 1 else ""
        lines = [
            ("text", f"{named}{plot_numbers.iteration(int(path.iterations[place]))}"),
            ("loss", f"loss {steady(float(path.losses[place]))}"),
        ]
        away = float(path.distances[place])
        return [*lines, ("muted", f"{steady(away)} off this plane")] if away > 0 else lines


def why_left_out(here: Mapping[str, Shape], there: Mapping[str, Shape], titles: Mapping[str, str]) -> str:
    """Return in which parameter two networks differ first, by the shapes of their parameters; empty where they are the same."""
    if list(here.items()) == list(there.items()):
        return ""
    name = next((name for name in (*here, *there) if here.get(name) != there.get(name)), "")
    title = parameter_title(name, titles)
    if name not in here or name not in there:
        return f"it has {'no ' if name not in there else ''}{title}" if name else "its parameters are in another order"
    return f"its {title} is {shape(there[name])}, not {shape(here[name])}"


def _whole_percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def nearest_point(places: Sequence[tuple[ShownPath, np.ndarray]], pointer: QPointF, within: float) -> tuple[ShownPath, int] | None:
    """Return the path and the point of it nearest to the pointer, if one lies within so many pixels; `places`: (k, 2) pixels of each."""
    found = None
    for path, pixels in places:
        away = np.hypot(pixels[:, 0] - pointer.x(), pixels[:, 1] - pointer.y())
        place = int(away.argmin())
        if away[place] <= within:
            found, within = (path, place), float(away[place])
    return found


def loss_color(theme: Theme, share: float) -> QColor:
    """Return the colour of a loss that lies at this share of the range."""
    return theme.tint("loss", _PALEST + (_FULLEST - _PALEST) * share)


def loss_image(theme: Theme, shares: np.ndarray) -> np.ndarray:
    """Return (height, width) shares as (height, width, 3) bytes of colour; what is not finite is hatched."""
    ends = [np.array(loss_color(theme, end).getRgb()[:3], dtype=np.float64) for end in (0.0, 1.0)]
    image = ends[0] + (ends[1] - ends[0]) * np.nan_to_num(shares)[..., None]
    rows, columns = np.indices(shares.shape)
    hatched = np.isnan(shares) & ((rows + columns) % 4 < 2)
    image = np.where(np.isnan(shares)[..., None], np.array(QColor(theme.panel).getRgb()[:3]), image)
    return np.rint(np.where(hatched[..., None], np.array(QColor(theme.loss).getRgb()[:3]), image)).astype(np.uint8)


def edges_of(boxes: Sequence[QRectF]) -> np.ndarray:
    """Return left, top, right and bottom of each, (k, 4)."""
    return np.array([(box.left(), box.top(), box.right(), box.bottom()) for box in boxes]).reshape(-1, 4)


def free_of(taken: np.ndarray, box: QRectF) -> bool:
    """Return whether a text can stand there without touching what has these edges, (k, 4)."""
    left, top, right, bottom = taken.T
    return not bool(((left < box.right()) & (right > box.left()) & (top < box.bottom()) & (bottom > box.top())).any())
