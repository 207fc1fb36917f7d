"""The loss over a plane through the parameters of a run: of two weights, of two random directions, or of the path it has taken."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from itertools import pairwise, product
from math import inf
from typing import NamedTuple

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from nnviz.engine import seeds
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.run_loss import RunLoss
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.tasks import Work
from nnviz.records.task_records import ExplainedShares, LossPlane, OtherRun, PathOnPlane, PlaneTask, Progress, WeightPlace

PIECE = 0.01
"""Seconds of iterations that are made again in one piece of work."""
COARSEST = 8
"""At first every so many points along each side."""
FEWEST, ENOUGH_AT_FIRST = 5, 40
"""From so many points on a path kept in checkpoints gives a first picture; more than so many are not looked at for it."""
SIZES = 3, 201
"""Fewest and most points along each side."""
MOST_POINTS, MEMORY = 400, 64_000_000
"""So many points a path has at most, and so many bytes they may take: of large networks it has fewer."""
MARGIN = 0.15
"""How far a plane reaches beyond the path, as a share of its extent."""
WALKS, DIMENSIONS = 16, 1000
"""So many random walks are made to compare with, in so many dimensions at most: more make no difference."""


class Directions(NamedTuple):
    """What spans a plane, in float64."""

    origin: Tensor
    """(Q,) The parameters of the run."""
    first: Tensor
    """(Q,)"""
    second: Tensor
    """(Q,)"""

    def at(self, x: float, y: float) -> Tensor:
        """Return origin + x·first + y·second."""
        return self.origin + (x * self.first + y * self.second)

    def projected(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return the coordinates (k, 2) of the plane's nearest points to these (k, Q), by least squares, and how far off they are (k,)."""
        both, rest = torch.stack([self.first, self.second], 1), points.double() - self.origin
        coordinates = rest @ both @ torch.linalg.pinv(both.T @ both, hermitian=True)
        return coordinates, (rest - coordinates @ both.T).norm(dim=1)


class Walk(NamedTuple):
    """The parameters of a run at some of its iterations, oldest first."""

    name: str
    iterations: list[int]
    points: Tensor
    """(k, Q)"""


def loss_plane(task: PlaneTask, timeline: Timeline) -> Work:
    """Return the work that finds the loss over a plane: coarse first, at last whole, with the paths on it. The timeline stays as it is.

    Raises BuildError where there is no such plane.
    """
    if not SIZES[0] <= task.size <= SIZES[1]:
        raise BuildError("", f"A plane has {SIZES[0]} to {SIZES[1]} points along each side, not {task.size}.", "Choose another number.")
    if task.plane not in ("weights", "random", "path"):
        raise BuildError("", f"There is no plane of {task.plane}.", "Choose weights, random or path.")
    if task.reach is not None and not 0 < task.reach < inf:
        raise BuildError("", f"A plane cannot reach {task.reach:g} to each side.", "Give a number above 0.")
    if task.plane == "weights":
        _check_weights(timeline, task.weights)
    return _plane(task, timeline.twin())


def _check_weights(timeline: Timeline, weights: Sequence[WeightPlace]) -> None:
    if len(weights) != 2 or weights[0] == weights[1]:
        raise BuildError("", "A plane of weights is spanned by two different ones.", "Choose two weights.")
    for parameter, element in weights:
        tensor = timeline.trainer.parameters.get(parameter)
        if tensor is None:
            raise BuildError("", f"No parameter is called {parameter}.", f"There is: {', '.join(timeline.trainer.parameters)}.")
        if len(element) != tensor.dim() or not all(0 <= place < size for place, size in zip(element, tensor.shape, strict=True)):
            raise BuildError("", f"{parameter} has no element {list(element)}.", f"Its shape is {list(tensor.shape)}.")


def _plane(task: PlaneTask, twin: Timeline) -> Work:
    loss = RunLoss(private_copy(twin.trainer), task.rows, task.mode)
    if task.plane == "path":
        glimpse = _glimpsed(twin, task.start, min(ENOUGH_AT_FIRST, _most_points(task, loss)))
        if len(glimpse.iterations) >= FEWEST:  # a first picture, without making any iteration again
            yield (yield from _path_plane(task, loss, (glimpse,), COARSEST))
        walks, left_out = yield from _walks(task, twin, loss)
        return replace((yield from _path_plane(task, loss, walks, 1)), left_out=left_out)
    origin = (0.0, 0.0)
    if task.plane == "random":
        directions, extents = random_directions(loss, task.seed), ((-1.0, 1.0), (-1.0, 1.0))
    else:
        directions, origin = _directions_of_weights(loss, task.weights)
        extents = tuple((-reach, reach) for reach in (max(1.0, 1.5 * abs(value)) for value in origin))
    blank = LossPlane(task.plane, *[array_of(np.zeros(0))] * 3, loss.at(loss.centre), origin)
    plane = yield from _losses(blank, _axes(task, extents), directions, loss)
    if not task.points and not task.others:
        return plane
    yield plane
    walks, left_out = yield from _walks(task, twin, loss)
    return replace(plane, paths=(yield from _paths(walks, directions, loss)), left_out=left_out)


def _path_plane(task: PlaneTask, loss: RunLoss, walks: Sequence[Walk], finest: int) -> Generator:
    """The plane of the first of these paths, with all of them on it."""
    directions, shares = yield from _directions_of_path(walks[0], loss)
    extents = _extents([directions.projected(walk.points)[0] for walk in walks])
    paths = yield from _paths(walks, directions, loss)
    blank = LossPlane(task.plane, *[array_of(np.zeros(0))] * 3, loss.at(loss.centre), paths=paths, shares=shares)
    return (yield from _losses(blank, _axes(task, extents), directions, loss, finest))


# --- the grid ---


def _axes(task: PlaneTask, extents: Sequence[tuple[float, float]]) -> tuple[np.ndarray, ...]:
    reach = ((-task.reach, task.reach),) * 2 if task.reach is not None else extents
    return tuple(_axis(task.size, *extent) for extent in reach)


def _axis(size: int, low: float, high: float) -> np.ndarray:
    """Coordinates in equal steps, about from low to high; 0 is one of them."""
    step = (high - low) / (size - 1)
    zero = min(max(round(-low / step), 0), size - 1)
    return (np.arange(size) - zero) * step


def _losses(blank: LossPlane, axes: Sequence[np.ndarray], directions: Directions, loss: RunLoss, finest: int = 1) -> Generator:
    """The plane, twice as fine each time as far as it shall be; every one holds 0."""
    (x, y), found, stride = axes, {}, COARSEST
    while True:
        columns, rows = ([k for k in range(len(axis)) if (k - int(np.argmin(abs(axis)))) % stride == 0] for axis in axes)
        for row, column in [place for place in product(rows, columns) if place not in found]:
            found[row, column] = _loss_at(loss, directions, float(x[column]), float(y[row]))
            yield Progress(len(found), len(x) * len(y), "losses")
        losses = np.array([[found[row, column] for column in columns] for row in rows])
        plane = replace(blank, x=array_of(x[columns]), y=array_of(y[rows]), losses=array_of(losses), stride=stride)
        if stride == finest:
            return plane
        if min(losses.shape) > 2:
            yield plane
        stride //= 2


def _loss_at(loss: RunLoss, directions: Directions, x: float, y: float) -> float:
    is_centre = x == y == 0
    return loss.at(loss.centre if is_centre else directions.at(x, y).to(loss.centre.dtype))


# --- directions ---


def _directions_of_weights(loss: RunLoss, weights: Sequence[WeightPlace]) -> tuple[Directions, tuple[float, float]]:
    units, origin = [], []
    for parameter, element in weights:
        unit = torch.zeros_like(loss.centre, dtype=torch.float64)
        loss.parts(unit)[parameter][element] = 1.0
        units.append(unit)
        origin.append(loss.parts(loss.centre)[parameter][element].item())
    return Directions(loss.centre.double(), *units), tuple(origin)


def random_directions(loss: RunLoss, seed: int) -> Directions:
    """Return two random directions, each row of a weight as long as the row of the parameter itself; 0 for parameters of one axis, and for
    what is frozen or locked.

    Source: Li et al. 2018, "Visualizing the loss landscape of neural nets", section 4 (filter normalisation).
    """
    generator = seeds.stream(seed, "random directions")
    return Directions(loss.centre.double(), *(_random_direction(loss, generator) for _ in range(2)))


def _random_direction(loss: RunLoss, generator: torch.Generator) -> Tensor:
    drawn = torch.randn(len(loss.centre), generator=generator, dtype=torch.float64)
    direction = torch.zeros_like(drawn)
    direction[loss.free] = drawn[loss.free]
    sizes = loss.parts(loss.centre.double())
    for name, part in loss.parts(direction).items():
        if part.dim() < 2:
            part.zero_()
            continue
        rows, lengths = part.view(len(part), -1), sizes[name].reshape(len(part), -1).norm(dim=1)
        norms = rows.norm(dim=1)
        rows *= torch.where(norms > 0, lengths / norms.clamp(min=1e-300), 0.0).unsqueeze(1)
    return direction


def _directions_of_path(walk: Walk, loss: RunLoss) -> Generator:
    """The first two principal directions of the path, of length 1, and which share of it they hold. The plane lies through its end."""
    points = walk.points.double()
    end, mean = loss.centre.double(), points.mean(0)
    away = points - mean
    products = torch.empty(len(points), len(points), dtype=torch.float64)
    for row, one in enumerate(away):
        products[row] = away @ one
        yield Progress(row + 1, len(points), "directions")
    values, vectors = torch.linalg.eigh(products)
    if not values[-1] > 0:
        raise BuildError("", "The parameters have not moved: there is no path yet.", "Train first, or choose another plane.")
    first, second = (vectors[:, -place] @ away for place in (1, 2))
    first = first / first.norm()
    if len(points) < 3 or values[-2] <= values[-1] * 1e-12:  # a straight line: any direction across will do
        second = _random_direction(loss, seeds.stream(0, "across"))
    second = second - (second @ first) * first
    first, second = (_oriented(one / one.norm().clamp(min=1e-300), end - points[0]) for one in (first, second))
    shares = yield from _shares(products, len(loss.free))
    return Directions(end, first, second), shares


def _oriented(direction: Tensor, towards: Tensor) -> Tensor:
    """The direction or its opposite, that which leads from the beginning to the end: the same picture every time."""
    return -direction if direction @ towards < 0 else direction


def _shares(products: Tensor, dimensions: int) -> Generator:
    """What the path shows, beside what random walks do."""
    walked = []
    generator = seeds.stream(0, "random walks")
    for number in range(WALKS):
        steps = torch.randn(len(products), max(1, min(dimensions, DIMENSIONS)), generator=generator, dtype=torch.float64)
        walk = steps.cumsum(0)
        walk -= walk.mean(0)
        walked.append(torch.tensor([_first_two(walk @ walk.T), _first_two(_about_end(walk @ walk.T))]))
        yield Progress(number + 1, WALKS, "random walks")
    about_mean, about_end = torch.stack(walked).mean(0).tolist()
    found = _first_two(products), _first_two(_about_end(products))
    return ExplainedShares(found[0], tuple(about_mean), found[1], tuple(about_end))


def _about_end(products: Tensor) -> Tensor:
    """Of the scalar products of points those of their differences from the last one."""
    return products - products[:, -1:] - products[-1:] + products[-1, -1]


def _first_two(products: Tensor) -> tuple[float, float]:
    """Which share of the squared distances lies in the first direction, and in the first two."""
    values = torch.linalg.eigvalsh(products).flip(0).clamp(min=0)
    shares = values.cumsum(0) / values.sum().clamp(min=1e-300)
    return shares[0].item(), shares[min(1, len(shares) - 1)].item()


def _extents(coordinates: Sequence[Tensor]) -> tuple[tuple[float, float], ...]:
    """How far the plane must reach to hold all these, and its own middle."""
    every = torch.cat([*coordinates, torch.zeros(1, 2, dtype=torch.float64)])
    low, high = every.min(0).values, every.max(0).values
    width = (high - low).clamp(min=max(float((high - low).max()) / 10, 1e-9))
    low, high = torch.minimum(low, (low + high - width) / 2), torch.maximum(high, (low + high + width) / 2)
    return tuple(zip((low - MARGIN * width).tolist(), (high + MARGIN * width).tolist(), strict=True))


# --- paths ---


def _most_points(task: PlaneTask, loss: RunLoss) -> int:
    return max(2, min(task.points or 200, MOST_POINTS, MEMORY // (8 * len(loss.centre))))


def _glimpsed(timeline: Timeline, start: int, most: int) -> Walk:
    """The path by the checkpoints that are kept, as evenly spaced as the sparsest of them, and its end."""
    shapes = _shapes(timeline)
    span = range(start, timeline.iteration)
    kept = [one for one in timeline.kept if one.position.iteration in span and _shapes_in(one.tensors, shapes) == shapes]
    places = [one.position.iteration for one in kept]
    spacing = max((after - before for before, after in pairwise(places)), default=1)
    spacing *= -(-timeline.iteration // (spacing * most)) or 1
    chosen = [one for one in kept if (one.position.iteration - places[0]) % spacing == 0]
    points = [torch.cat([one.tensors[name].ravel() for name in shapes]) for one in chosen]
    end = torch.cat([parameter.detach().ravel() for parameter in timeline.trainer.parameters.values()])
    return Walk("", [*(one.position.iteration for one in chosen), timeline.iteration], torch.stack([*points, end]))


def _shapes_in(tensors: dict[str, Tensor], wanted: Iterable[str]) -> dict[str, torch.Size]:
    return {name: tensors[name].shape for name in wanted if name in tensors}


def _walks(task: PlaneTask, twin: Timeline, loss: RunLoss) -> Generator:
    """The path of the run, made again bit by bit from its checkpoints, and those of the others; and which are left out, and why."""
    points = _most_points(task, loss)
    shapes = _shapes(twin)
    own = yield from _walked("", twin, (task.start, twin.iteration), points, shapes)
    walks, left_out = [own], []
    for other in task.others:
        try:
            walks.append((yield from _walked(other.name, _timeline_of(other, twin), (0, other.iteration), points, shapes)))
        except BuildError as error:
            left_out.append((other.name, error.message))
    return tuple(walks), tuple(left_out)


def _timeline_of(other: OtherRun, known: Timeline) -> Timeline:
    is_known = known.has_same_data(other.log.first, known.folder)
    return Timeline(other.log, known.folder, known.data if is_known else None)


def _shapes(timeline: Timeline) -> dict[str, torch.Size]:
    return {name: parameter.shape for name, parameter in timeline.trainer.parameters.items()}


def _walked(name: str, timeline: Timeline, span: tuple[int, int], count: int, shapes: dict[str, torch.Size]) -> Generator:
    """The parameters at up to so many iterations of the span, both ends among them; only since they have these shapes."""
    start, end = min(span), span[1]
    iterations: list[int] = []
    points: list[Tensor] = []
    timeline.go_to(min(start, timeline.iteration), lambda: True)  # to the checkpoint before it; what is missing is made below
    for wanted in sorted({round(start + (end - start) * number / (count - 1)) for number in range(count)}):
        while timeline.iteration < wanted:
            stop = timeline.advance(at_most=wanted - timeline.iteration, until=time.perf_counter() + PIECE)
            if stop and stop.comes_before:
                break
            yield Progress(timeline.iteration, end, "replaying")
        if timeline.iteration == wanted and list(_shapes(timeline).items()) == list(shapes.items()):
            iterations.append(wanted)
            points.append(torch.cat([parameter.detach().ravel() for parameter in timeline.trainer.parameters.values()]))
    if not points:
        raise BuildError("", "It never has the parameters of this run.", "Compare runs of the same network.")
    return Walk(name, iterations, torch.stack(points))


def _paths(walks: Sequence[Walk], directions: Directions, loss: RunLoss) -> Generator:
    paths = []
    for walk in walks:
        coordinates, distances = directions.projected(walk.points)
        losses = []
        for point in walk.points:
            losses.append(loss.at(point))
            yield Progress(len(losses), len(walk.points), "points of the path")
        arrays = (np.array(walk.iterations), coordinates, distances, np.array(losses))
        paths.append(PathOnPlane(walk.name, *map(array_of, arrays)))
    return tuple(paths)
