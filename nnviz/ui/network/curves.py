"""Where the curves of a link run, and which one is near a point. Pure numbers, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnviz.document.catalog import layer_kind
from nnviz.ui.network.layer_places import Point
from nnviz.ui.network.layer_sizes import LayerSize

MOST_CURVES = 400
"""A link with more weights than this is drawn as bands, one per unit of the smaller side."""
_AWAY = 16.0
_BESIDE = 6.0
"""How far a detour passes beside the texts of a layer."""
_SAMPLES = np.linspace(0, 1, 21)
_WEIGHTS = np.stack([(1 - _SAMPLES) ** 3, 3 * (1 - _SAMPLES) ** 2 * _SAMPLES, 3 * (1 - _SAMPLES) * _SAMPLES**2, _SAMPLES**3])


@dataclass(frozen=True)
class LinkEnds:
    """Where a link runs: the two faces, where they stand, and the height it passes other layers at (None: straight across)."""

    source: LayerSize
    target: LayerSize
    start: Point
    stop: Point
    detour: float | None = None
    kind: str = ""
    """The kind of the target layer."""
    offset: int = 0
    """For concat: how many units of the target belong to earlier links."""


class Course:
    """The curves of one link. `pairs` are (target unit, source unit); -1 stands for all units."""

    def __init__(self, ends: LinkEnds) -> None:
        self.ends = ends
        self.style = style(ends)
        self.pairs = _pairs(self.style, ends)
        self.controls = np.array([_controls(ends, pair) for pair in self.pairs])
        """(curves, 4, 2): control points of cubic Bézier curves; of no use for a detour."""
        self.points = np.einsum("cs,pcx->psx", _WEIGHTS, self.controls) if ends.detour is None else _around(ends)[None]
        """(curves, samples, 2): the same as polylines."""
        self._low, self._high = self.points.min(axis=(0, 1)), self.points.max(axis=(0, 1))

    @property
    def bounds(self) -> tuple[Point, Point]:
        """The corners of the rectangle around all curves."""
        return tuple(self._low), tuple(self._high)

    def nearest(self, point: Point, reach: float) -> tuple[int, float]:
        """Return the curve nearest to a point and its distance; (-1, inf) when none is within `reach`."""
        at = np.array(point)
        if (at < self._low - reach).any() or (at > self._high + reach).any():
            return -1, np.inf
        away = _distances(self.points, at)
        curve = int(away.argmin())
        return (curve, float(away[curve])) if away[curve] <= reach else (-1, np.inf)


def style(ends: LinkEnds) -> str:
    """Return how to draw a link: weights · straight (unit to unit) · bands (to or from a block) ·
    ribbon (from block to block) · band (a single line)."""
    source, target = ends.source, ends.target
    if ends.detour is not None or not source.units or not target.units:
        return "band"
    if source.style == target.style == "block":
        return "ribbon"
    if source.style != target.style:
        return "bands"
    if ends.kind == "dense":
        return "weights" if source.units * target.units <= MOST_CURVES else "bands"
    kind = layer_kind(ends.kind)
    unit_to_unit = kind.slim or kind.straight
    return "straight" if unit_to_unit and ends.offset + source.units <= target.units else "band"


def _pairs(style: str, ends: LinkEnds) -> list[tuple[int, int]]:
    if style == "weights":
        return [(target, source) for target in range(ends.target.units) for source in range(ends.source.units)]
    if style == "straight":
        return [(ends.offset + unit, unit) for unit in range(ends.source.units)]
    if style == "bands":
        by_target = ends.target.style == "neurons" and (ends.source.style == "block" or ends.target.units <= ends.source.units)
        return [(unit, -1) for unit in range(ends.target.units)] if by_target else [(-1, unit) for unit in range(ends.source.units)]
    return [(-1, -1)]


def _controls(ends: LinkEnds, pair: tuple[int, int]) -> np.ndarray:
    """The four control points of a curve that is horizontal at both ends."""
    target, source = pair
    x0, x1 = ends.start[0] + ends.source.body[0] / 2, ends.stop[0] - ends.target.body[0] / 2
    y0, y1 = (
        ends.start[1] + _height(ends.source, source, ends.target, target),
        ends.stop[1] + _height(ends.target, target, ends.source, source),
    )
    bend = max(24.0, abs(x1 - x0) * 0.5)
    return np.array(((x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)))


def _height(face: LayerSize, unit: int, other: LayerSize, other_unit: int) -> float:
    """Where a curve meets a face, from its middle: at its neuron, or at a block spread as the neurons of the other side are."""
    if unit >= 0 and face.style == "neurons":
        return face.unit_y(unit)
    if face.style == "block" and other_unit >= 0 and other.units > 1:
        return (other_unit / (other.units - 1) - 0.5) * 0.8 * face.block[1]
    return 0.0


def _around(ends: LinkEnds) -> np.ndarray:
    """Points (samples, 2) of a line that leaves to the right, passes at the detour's height and comes in from the left."""
    x0, x1 = ends.start[0] + ends.source.body[0] / 2, ends.stop[0] - ends.target.body[0] / 2
    left = max(x0 + _AWAY, ends.start[0] + ends.source.half_width + _BESIDE)
    right = min(x1 - _AWAY, ends.stop[0] - ends.target.half_width - _BESIDE)
    y0, y1 = ends.start[1], ends.stop[1]
    corners = np.array(((x0, y0), (left, y0), (left, ends.detour), (right, ends.detour), (right, y1), (x1, y1)))
    pieces = [corners[:1]]
    for before, corner, behind in zip(corners, corners[1:], corners[2:], strict=False):
        pieces.append(_rounded(before, corner, behind))
    return np.concatenate([*pieces, corners[-1:]])


def _rounded(before: np.ndarray, corner: np.ndarray, behind: np.ndarray) -> np.ndarray:
    start, stop = before - corner, behind - corner
    lengths = np.linalg.norm(start), np.linalg.norm(stop)
    radius = min(_AWAY, lengths[0] / 2, lengths[1] / 2)
    first, last = corner + start / max(lengths[0], 1e-9) * radius, corner + stop / max(lengths[1], 1e-9) * radius
    along = np.linspace(0, 1, 7)[:, None]
    return (1 - along) ** 2 * first + 2 * (1 - along) * along * corner + along**2 * last


def _distances(points: np.ndarray, point: np.ndarray) -> np.ndarray:
    """For each polyline (curves, samples, 2) its distance from a point."""
    start, step = points[:, :-1], np.diff(points, axis=1)
    length = np.maximum((step**2).sum(-1), 1e-12)
    along = np.clip(((point - start) * step).sum(-1) / length, 0, 1)
    nearest = start + along[..., None] * step
    return np.sqrt(((nearest - point) ** 2).sum(-1)).min(axis=1)
