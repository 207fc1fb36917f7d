"""How far the rows of a run lie apart, and how these distances become alike as columns of noise are added."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nnviz.engine import seeds
from nnviz.engine.data.datasets import Data
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.tasks import Work
from nnviz.records.distance_record import Distances
from nnviz.records.task_records import DistancesTask, Progress

NEIGHBOURS = 5
BINS, REACH = 60, 3.0
"""Of the histograms, which reach to so many times the mean distance."""
EQUAL = 1e-6
"""Rows no farther apart than this share of the largest distance are equal."""
PIECE = 256
"""So many columns of noise are drawn at once."""


def distances(task: DistancesTask, trainer: Trainer) -> Work:
    """Return the work that compares rows of the trainer's data, each with each. Columns of noise are normal, as wide as the rows' own are
    on the mean. Raises BuildError for fewer than three training rows, and where all are equal."""
    data = trainer.data
    if data.training.sum() < 3:
        raise BuildError("", "Fewer than three training rows have no distances to compare.", "Train on more rows.")
    if np.ptp(data.x[data.training], axis=0).max() == 0:
        raise BuildError("", "All training rows are equal: they have no distances to compare.", "Choose other data.")
    return _compared(task, trainer.experiment.seed, data)


def _compared(task: DistancesTask, seed: int, data: Data) -> Work:
    random = np.random.default_rng(seeds.number(seed, "distances"))
    training, validation = (_drawn(random, np.flatnonzero(mask), task.rows) for mask in (data.training, ~data.training))
    own = data.x[np.concatenate([training, validation])].astype(np.float64)
    width = float(own[: len(training)].std(0).mean()) or 1.0
    squares, added = _squares(own, len(training)), [0, *(1 << power for power in range(task.doublings + 1))]
    found: list[tuple] = []
    for number, (before, count) in enumerate(zip([0, *added], added, strict=False)):
        yield Progress(number, len(added), "columns of noise")
        for more in _pieces(count - before):
            squares += _squares(random.normal(0.0, width, (len(own), more)), len(training))
            yield Progress(number, len(added), "columns of noise")
        found.append((*_figures(np.sqrt(squares[: len(training)])), _score(squares[len(training) :], data, training, validation)))
    ratios, spreads, histograms, scores = (np.array(part) for part in zip(*found, strict=True))
    metric = ("accuracy" if data.classes else "RMSE") if len(validation) else ""
    shown = array_of(ratios), array_of(spreads), array_of(histograms)
    parts = REACH, metric, array_of(scores) if metric else None
    return Distances(len(training), own.shape[1], array_of(np.array(added)), *shown, *parts)


def _drawn(random: np.random.Generator, places: np.ndarray, most: int) -> np.ndarray:
    return places if len(places) <= most else random.choice(places, most, replace=False)


def _pieces(count: int) -> Iterator[int]:
    for start in range(0, count, PIECE):
        yield min(PIECE, count - start)


def _squares(x: np.ndarray, compared: int) -> np.ndarray:
    """Squared distances of the first rows to all, (rows, compared)."""
    lengths = (x**2).sum(1)
    return np.maximum(lengths[:, None] + lengths[:compared] - 2 * x @ x[:compared].T, 0.0)


def _figures(among: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Ratio, spread and histogram of the distances of rows from each other, (rows, rows)."""
    pairs = among[np.triu_indices(len(among), 1)]
    different = among > EQUAL * pairs.max()
    is_far = different.any(1)
    nearest = np.where(different, among, np.inf).min(1)[is_far]
    histogram = np.histogram(pairs / pairs.mean(), BINS, (0.0, REACH))[0]
    return float(np.median(among.max(1)[is_far] / nearest)), float(pairs.std() / pairs.mean()), histogram


def _score(apart: np.ndarray, data: Data, training: np.ndarray, validation: np.ndarray) -> float:
    """How well the mean of the nearest training rows answers validation rows, `apart` from them (validation, training)."""
    if not len(validation):
        return math.nan
    nearest = training[np.argsort(apart, axis=1, kind="stable")[:, :NEIGHBOURS]]
    if data.classes:
        votes = np.eye(data.classes)[data.y[nearest]].mean(1)
        return float((votes.argmax(1) == data.y[validation]).mean())
    return float(np.sqrt(((data.y[nearest].mean(1) - data.y[validation]) ** 2).mean()))
