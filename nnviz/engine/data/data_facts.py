"""How the rows of a run came about: the split by classes, and whether plain formulas scale them to the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnviz.document.experiment import Experiment
from nnviz.document.shapes.rows import held_out, held_out_rows
from nnviz.engine.data._csv_reading import plain_reading
from nnviz.engine.data.datasets import SOURCES, Data, Rows, with_means
from nnviz.engine.errors import BuildError
from nnviz.records.recorded_run import ClassShare, RecordedData
from nnviz.records.tensors import Array

MOST_NUMBERS = 2_000_000
"""More are not written into a program."""
DTYPES = {"float32": np.float32, "float64": np.float64}


def recorded_data(experiment: Experiment, folder: Path, data: Data) -> RecordedData:
    """Return what there is to know of these rows, `data` being how the run has them."""
    rows = SOURCES[experiment.data.kind](experiment, folder)
    settings, dtype = experiment.data.settings, DTYPES[experiment.precision]
    columns = data.shape[1] if len(data.shape) == 2 else rows.x.shape[1]
    filled = with_means(rows.x, data.training, columns, rows.feature_names)
    is_plain = _is_plain(filled, data.x, data.training, settings.get("scaling", "none"), columns, dtype)
    numbers = not rows.classes and experiment.training.target == "labels"
    target = settings.get("target_scaling", "none") if numbers else "none"
    is_plain_target = target == "none" or _is_plain(rows.y, data.y, data.training, target, rows.y.shape[1], dtype)
    shares, is_by_lot = _shares(experiment, rows, data.training)
    is_file = experiment.data.kind == "csv"
    reading = plain_reading(experiment, folder, rows) if is_file else None
    x, y = (_array(filled), _array(rows.y)) if is_file and reading is None else (None, None)
    return RecordedData(
        rows=len(rows.x),
        trained=int(data.training.sum()),
        classes=data.classes,
        columns=columns,
        shares=shares,
        is_by_lot=is_by_lot,
        is_plain=is_plain,
        is_plain_target=is_plain_target,
        csv=reading,
        x=x,
        y=y,
    )


def _array(values: np.ndarray) -> Array:
    """As it travels. Raises BuildError where there is too much of it for the text of a program."""
    if values.size > MOST_NUMBERS:
        message = f"Plain Python does not read this file as it was read, and {values.size:,} numbers are too many for a program."
        raise BuildError("data.path", message, "Save it as a CSV file with commas, decimal points and no empty cells.")
    return Array(values.dtype.name, values.shape, values.tobytes())


def _is_plain(x: np.ndarray, scaled: np.ndarray, training: np.ndarray, scaling: str, columns: int, dtype: type) -> bool:
    if scaling == "none":
        return True
    flat, fitted = x.reshape(-1, columns), x[training].reshape(-1, columns)
    with np.errstate(all="ignore"):
        if scaling == "standardise":
            made = (flat - fitted.mean(0)) / fitted.std(0)
        else:
            made = (flat - fitted.min(0)) / (fitted.max(0) - fitted.min(0))
        return np.array_equal(made.reshape(x.shape).astype(dtype), scaled.astype(dtype))


def _shares(experiment: Experiment, rows: Rows, training: np.ndarray) -> tuple[tuple[ClassShare, ...], bool]:
    """The split of each class, and whether it took random numbers to round their shares; none where classes do not keep theirs."""
    count = len(rows.x)
    validated = held_out_rows(count, held_out(experiment.data))
    if validated <= 0 or rows.is_ordered or not rows.classes:
        return (), False
    labels, sizes = np.unique(rows.y, return_counts=True)
    if sizes.min() < 2 or min(validated, count - validated) < len(sizes):
        return (), False
    shares = [ClassShare(int(size), int(training[rows.y == label].sum()), 0) for label, size in zip(labels, sizes, strict=True)]
    shares = tuple(ClassShare(one.count, one.trained, one.count - one.trained) for one in shares)
    exact = sizes / count * (count - validated)
    left = sizes - np.floor(exact)
    is_by_lot = bool(np.any(exact != np.floor(exact)) or np.any(left / left.sum() * validated != np.floor(left / left.sum() * validated)))
    return shares, is_by_lot
