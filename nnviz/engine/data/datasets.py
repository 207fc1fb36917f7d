"""One table: where the rows come from; then the split and the scaling. Everything follows from the document and its seed.

scikit-learn is imported where it is used: only the sets that come with it need it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnviz.document import adversarial
from nnviz.document.catalog import LOSSES
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice
from nnviz.document.shapes.rows import held_out, held_out_rows, row_shape
from nnviz.engine import seeds
from nnviz.engine.data import _scikit_rows as scikit_rows
from nnviz.engine.data import _series as series
from nnviz.engine.data.csv_table import CsvTable, read_csv
from nnviz.engine.errors import BuildError


@dataclass(frozen=True)
class Rows:
    """Rows as they come from their source. `x`: (rows, features) float64; `y`: (rows,) class numbers, or (rows, targets) float64."""

    x: np.ndarray
    """NaN where a value is missing, which becomes the mean of its column."""
    y: np.ndarray
    classes: int = 0
    """0 for regression."""
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    is_ordered: bool = False
    """Whether the rows follow each other in time: the last are validated on."""


@dataclass(frozen=True)
class Data:
    """Rows after the scaling, with the split. Fields as in Rows."""

    x: np.ndarray
    y: np.ndarray
    training: np.ndarray
    """(rows,) True for rows trained on, False for rows validated on."""
    classes: int = 0
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    raw: np.ndarray | None = None
    """(rows, features) before the scaling; None where nothing was scaled."""
    shape: tuple[int, ...] = ()
    """A row's own shape: [channels, height, width] for images, [time, columns] for series, else [features]."""
    is_ordered: bool = False
    """Whether the rows follow each other in time."""
    labels: np.ndarray | None = None
    """(rows,) The classes of the rows, where a network is to reproduce its input and never learns them; None without any."""
    label_names: tuple[str, ...] = ()
    """What these are called."""


def data_key(experiment: Experiment, folder: Path) -> tuple[Any, ...]:
    """Return what the rows depend on: equal keys, equal rows. Numbers in a CSV's target are classes only under a classification loss;
    what is to be reproduced is limited under binary cross-entropy."""
    training = experiment.training
    limited = training.target == "input" and training.loss == "bce"
    from_csv = is_classification(experiment.training.loss) if experiment.data.kind == "csv" else None
    return (experiment.data, experiment.seed, str(folder), from_csv, training.target, limited)


def is_classification(loss: str) -> bool:
    """Return whether the loss compares class numbers."""
    return LOSSES[loss].group == "Classification"


def load(experiment: Experiment, folder: Path) -> Data:
    """Return the experiment's data, split and scaled. Raises BuildError if there is none, or it is not what it says.

    Where the network is to reproduce its input, that is the target of every row. Under binary cross-entropy, which compares shares from
    0 to 1, what lies outside the range of the training rows counts as 0 or 1. Where it is to tell rows from generated ones all are real.
    """
    data = prepared(experiment, _beside_noise(experiment, SOURCES[experiment.data.kind](experiment, folder)))
    if experiment.training.target == adversarial.TARGET:
        return replace(data, y=np.ones(len(data.x), dtype=np.int64), classes=2, class_names=adversarial.CLASSES)
    if experiment.training.target != "input":
        return data
    y = data.x.clip(0.0, 1.0) if experiment.training.loss == "bce" else data.x
    return replace(data, y=y, classes=0, class_names=(), labels=data.y if data.classes else None, label_names=data.class_names)


def prepared(experiment: Experiment, rows: Rows) -> Data:
    """Return rows of the experiment's data split and scaled. Raises BuildError where numbers are too large."""
    data = experiment.data
    training = _split(rows, held_out(data), _seed(experiment, "split"))
    shape = row_shape(data, rows.x.shape[1])
    columns = shape[1] if len(shape) == 2 else rows.x.shape[1]
    filled = with_means(rows.x, training, columns, rows.feature_names)
    x = scaled(filled, training, data.settings.get("scaling", "none"), columns)
    y = rows.y if rows.classes else scaled(rows.y, training, data.settings.get("target_scaling", "none"))
    check_size(x, rows.feature_names, experiment.precision)
    check_size(y.reshape(len(y), -1), ("the target",), experiment.precision)
    raw = None if x is filled else filled
    return Data(x, y, training, rows.classes, rows.feature_names, rows.class_names, raw, shape, rows.is_ordered)


def _seed(experiment: Experiment, purpose: str) -> int:
    return seeds.number(experiment.seed, purpose) % 2**32


# --- the split ---


def _split(rows: Rows, share: float, seed: int) -> np.ndarray:
    """Drawn so that every class keeps its share, where every class has rows enough for that; in time the last rows are held out."""
    count = len(rows.x)
    validated = held_out_rows(count, share)
    training = np.ones(count, dtype=bool)
    if validated > 0 and rows.is_ordered:
        training[-validated:] = False
    elif validated > 0:
        sizes = np.unique(rows.y, return_counts=True)[1] if rows.classes else np.zeros(1)
        stratified = sizes.min() >= 2 and min(validated, count - validated) >= len(sizes)
        labels = rows.y if stratified else None
        training[scikit_rows.held_out_of(count, validated, labels, seed)] = False
    return training


# --- the sources ---


def _beside_noise(experiment: Experiment, rows: Rows) -> Rows:
    """The rows, which stay as they are, with columns of noise behind the features that is as wide as these are on the mean."""
    count = experiment.data.settings.get("noise_columns", 0)
    if not count:
        return rows
    generator = np.random.default_rng(_seed(experiment, "noise columns"))
    noise = generator.normal(0.0, rows.x.std(0).mean(), (len(rows.x), count))
    names = tuple(f"noise {number}" for number in range(1, count + 1))
    return replace(rows, x=np.concatenate([rows.x, noise], axis=1), feature_names=(*rows.feature_names, *names))


def _drawn(draw: Callable[..., scikit_rows.Drawn], **fixed: Any) -> Callable[[Experiment, Path], Rows]:
    """Points that take `samples` and `noise`."""

    def drawn(experiment: Experiment, folder: Path) -> Rows:
        data = experiment.data
        return _classified(*draw(data["samples"], data["noise"], _seed(experiment, "data"), **fixed), ("x₁", "x₂"))

    return drawn


def _blobs(experiment: Experiment, folder: Path) -> Rows:
    """Clouds around centres drawn evenly from the square ±10."""
    data, seed = experiment.data, _seed(experiment, "data")
    return _classified(*scikit_rows.blobs(data["samples"], data["noise"], seed, data["classes"]), ("x₁", "x₂"), data["classes"])


def _bundled(name: str) -> Callable[[Experiment, Path], Rows]:
    """A set that comes with scikit-learn."""

    def read(experiment: Experiment, folder: Path) -> Rows:
        import sklearn.datasets

        bunch = getattr(sklearn.datasets, name)()
        rows = _classified(bunch.data, bunch.target, tuple(map(str, bunch.feature_names)))
        return replace(rows, class_names=tuple(str(label) for label in bunch.target_names))

    return read


def _classified(x: np.ndarray, y: np.ndarray, feature_names: tuple[str, ...], classes: int = 0) -> Rows:
    classes = classes or int(y.max()) + 1
    return Rows(np.asarray(x, dtype=np.float64), y.astype(np.int64), classes, feature_names, tuple(str(label) for label in range(classes)))


def _generator(experiment: Experiment) -> np.random.Generator:
    return np.random.default_rng(_seed(experiment, "data"))


def _noise(generator: np.random.Generator, data: Choice, shape: tuple[int, ...]) -> np.ndarray:
    return generator.normal(0.0, data["noise"], shape)


def _spiral(experiment: Experiment, folder: Path) -> Rows:
    """Two arms of one and a half turns, radius 0.3 to 3, points evenly along the arm."""
    data, generator = experiment.data, _generator(experiment)
    y = np.arange(data["samples"]) % 2
    along = np.sqrt(generator.uniform(0.01, 1.0, len(y)))
    angle = 3 * np.pi * along + np.pi * y
    x = 3 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _classified(x + _noise(generator, data, x.shape), y, ("x₁", "x₂"))


def _xor(experiment: Experiment, folder: Path) -> Rows:
    """Points drawn evenly over the square ±1, or its corners; the class is decided before the noise moves them."""
    data, generator = experiment.data, _generator(experiment)
    if data["corners"]:
        return _classified(np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]), np.array([0, 1, 1, 0]), ("x₁", "x₂"))
    x = generator.uniform(-1.0, 1.0, (data["samples"], 2))
    x[0], x[1] = (0.5, 0.5), (0.5, -0.5)  # so that both classes are there however few rows are drawn
    y = (x[:, 0] * x[:, 1] < 0).astype(np.int64)
    return _classified(x + _noise(generator, data, x.shape), y, ("x₁", "x₂"))


def _rings(experiment: Experiment, folder: Path) -> Rows:
    """Rings of radius 1, 2, 3, …, points evenly along them."""
    data, generator = experiment.data, _generator(experiment)
    y = np.arange(data["samples"]) % data["classes"]
    angle = generator.uniform(0.0, 2 * np.pi, len(y))
    x = (y + 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _classified(x + _noise(generator, data, x.shape), y, ("x₁", "x₂"), data["classes"])


def _sine(experiment: Experiment, folder: Path) -> Rows:
    """x drawn evenly from ±2π."""
    data, generator = experiment.data, _generator(experiment)
    x = generator.uniform(-2 * np.pi, 2 * np.pi, (data["samples"], 1))
    return Rows(x, np.sin(x) + _noise(generator, data, x.shape), 0, ("x",))


def _series(experiment: Experiment, folder: Path) -> Rows:
    x, y = series.drawn_rows(experiment.data, _seed(experiment, "data"))
    return Rows(x, y, 0, _lags(experiment.data["window"], ("x",)), is_ordered=True)


def _lags(window: int, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the numbers of a window: "x t−2", "x t−1", "x t"."""
    return tuple(f"{column} t" + (f"−{window - 1 - step}" if step < window - 1 else "") for step in range(window) for column in columns)


def _text(experiment: Experiment, folder: Path) -> Rows:
    x, y, names = series.text_rows(experiment.data)
    return Rows(x, y, len(names), _lags(experiment.data["window"], ("token",)), names, is_ordered=True)


def _csv(experiment: Experiment, folder: Path) -> Rows:
    data = experiment.data
    table = read_csv(folder / data["path"], data["target"], is_classification(experiment.training.loss), data.settings)
    return rows_of_table(table, data)


def rows_of_table(table: CsvTable, data: Choice) -> Rows:
    """Return the rows of a file, cut into windows if it is taken as a series. Raises BuildError if it is too short for them."""
    x, y, names, window = table.x, table.y, table.feature_names, data["window"]
    if window:
        x, y = series.rows_of(x, y, window, data["horizon"])
        names = _lags(window, names)
    return Rows(x, y, len(table.class_names), names, table.class_names, is_ordered=bool(window))


def _table(experiment: Experiment, folder: Path) -> Rows:
    x, y = experiment.data["x"], experiment.data["y"]
    if not x or not y:
        raise BuildError("data.x" if not x else "data.y", "The table has no rows.", "Write at least one row, such as [[0.0, 1.0]].")
    if len(x) != len(y):
        raise BuildError("data.y", f"There are {len(y)} targets for {len(x)} rows.", "Give one for each row.")
    rows = np.array(x, dtype=np.float64)
    if isinstance(y[0], list | tuple):
        return Rows(rows, np.array(y, dtype=np.float64))
    classes = max(2, max(y) + 1)
    if classes > 10_000:
        raise BuildError("data.y", f"Class number {max(y)} is too high.", "Number the classes 0, 1, 2, …")
    return Rows(rows, np.array(y, dtype=np.int64), classes, (), tuple(str(label) for label in range(classes)))


SOURCES: dict[str, Callable[[Experiment, Path], Rows]] = {
    "moons": _drawn(scikit_rows.moons),
    "circles": _drawn(scikit_rows.circles, factor=0.5),
    "blobs": _blobs,
    "rings": _rings,
    "spiral": _spiral,
    "xor": _xor,
    "sine": _sine,
    **dict.fromkeys(series.SERIES, _series),
    "iris": _bundled("load_iris"),
    "wine": _bundled("load_wine"),
    "breast_cancer": _bundled("load_breast_cancer"),
    "digits": _bundled("load_digits"),
    "text": _text,
    "csv": _csv,
    "table": _table,
}
"""Data kind -> function (experiment, folder that relative paths start from) -> rows."""


# --- missing values and scaling ---


def with_means(x: np.ndarray, training: np.ndarray, columns: int, names: tuple[str, ...]) -> np.ndarray:
    """Return the rows with the mean of a column over the training rows where a value is missing; of a series, over all its time steps.

    Raises BuildError, which names the column, where no training row has a value. `names`: of all numbers of a row.
    """
    gaps = np.isnan(x)
    if not gaps.any():
        return x
    seen = np.where(training[:, None], x, np.nan).reshape(-1, columns)
    counts = (~np.isnan(seen)).sum(0)
    if (lost := gaps.reshape(-1, columns).any(0) & (counts == 0)).any():
        name = names[int(lost.argmax())]
        message = f"Column {name[:40]!r} has values in rows that are validated on, and none in the rows that are trained on."
        raise BuildError("data.missing", message, "Leave the column out, or hold fewer rows out.")
    with np.errstate(over="ignore"):
        means = np.nan_to_num(np.nansum(seen, axis=0) / np.maximum(counts, 1), posinf=np.finfo(np.float64).max)
    return np.where(gaps.reshape(-1, columns), means, x.reshape(-1, columns)).reshape(x.shape)


def scaled(x: np.ndarray, training: np.ndarray, scaling: str, columns: int | None = None) -> np.ndarray:
    """Return the rows scaled: none · min-max to [0, 1] · standardise to mean 0 and standard deviation 1.

    `x`: (rows, features); `training`: (rows,) the rows it is fitted on. `columns`: of a series, whose time steps are scaled alike.
    """
    if scaling == "none":
        return x
    columns = columns or x.shape[1]
    scale = scikit_rows.standardised if scaling == "standardise" else scikit_rows.to_unit_range
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at in check_size
        return scale(x.reshape(-1, columns), x[training].reshape(-1, columns)).reshape(x.shape)


def check_size(x: np.ndarray, names: tuple[str, ...], precision: str) -> None:
    """Raises BuildError, which names the column, where scaled numbers are too large to compute with."""
    largest = math.sqrt(float(np.finfo(np.float32 if precision == "float32" else np.float64).max))
    bad = ~(np.abs(x) < largest)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        name = names[column] if column < len(names) else f"column {column + 1}"
        message = f"Row {row + 1} of column {name[:40]!r} is too large to compute with in {precision} (from {largest:.0e} on)."
        raise BuildError("data.scaling", message, "Leave the column out, give it another unit, or scale it.")
