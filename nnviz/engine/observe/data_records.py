"""From data to what the window is shown of it: rows, and how every column is spread before and after the scaling."""

from __future__ import annotations

import numpy as np

from nnviz.engine.data.datasets import Data
from nnviz.engine.observe.measures import array_of
from nnviz.records.data_record import ColumnRecord, DataRecord, Spread

MOST_COLUMNS = 100
"""No more columns are described."""
BINS = 24


def data_record(data: Data, most: int | None = None) -> DataRecord:
    """Return the data as it travels; with `most`, at most so many rows: evenly picked, or the first where they follow each other."""
    even = most is not None and not data.is_ordered
    picked = np.unique(np.linspace(0, len(data.x) - 1, most).astype(int)) if even else slice(most)
    y = data.y if data.classes else data.y.astype("float32")
    return DataRecord(
        array_of(data.x[picked].astype("float32")),
        array_of(y[picked]),
        array_of(data.training[picked]),
        data.classes,
        data.feature_names,
        data.class_names,
        data.shape,
        column_records(data),
        None if data.labels is None else array_of(data.labels[picked]),
        data.label_names,
    )


def column_records(data: Data) -> tuple[ColumnRecord, ...]:
    """Return the first columns of the input, before and after the scaling, over the training rows."""
    columns = data.shape[1] if len(data.shape) == 2 else data.x.shape[1]
    after = data.x[data.training].reshape(-1, columns)
    before = after if data.raw is None else data.raw[data.training].reshape(-1, columns)
    names = _column_names(data, columns)
    return tuple(ColumnRecord(names[place], spread(before[:, place]), spread(after[:, place])) for place in range(len(names)))


def _column_names(data: Data, columns: int) -> list[str]:
    shown = min(columns, MOST_COLUMNS)
    if len(data.shape) == 2:  # the names of the last time step end in " t"
        return [name.removesuffix(" t") for name in data.feature_names[-columns:]][:shown]
    return [data.feature_names[place] if place < len(data.feature_names) else f"x{place + 1}" for place in range(shown)]


def spread(values: np.ndarray) -> Spread:
    """Return how these numbers are spread. Equal ones fill the first bin."""
    low, high = float(values.min()), float(values.max())
    with np.errstate(over="ignore", invalid="ignore"):
        places = np.clip(np.nan_to_num((values - low) / (high - low) * BINS), 0, BINS - 1) if high > low else np.zeros(len(values))
        mean, std = float(np.mean(values)), float(np.std(values))
    return Spread(low, high, mean, std, tuple(np.bincount(places.astype(int), minlength=BINS).tolist()))
