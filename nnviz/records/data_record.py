"""The data as the window is shown it: rows, columns before and after the scaling, what was found in a table."""

from __future__ import annotations

import msgspec
import numpy as np

from nnviz.records.tensors import Array, to_numpy


class Spread(msgspec.Struct, frozen=True):
    """How the values of one column are spread over the training rows."""

    min: float
    max: float
    mean: float
    std: float
    counts: tuple[int, ...]
    """In equal bins from `min` to `max`."""


class ColumnRecord(msgspec.Struct, frozen=True):
    """One column of the input before and after the scaling, which moves and stretches it."""

    name: str
    before: Spread
    after: Spread


class DataRecord(msgspec.Struct, frozen=True):
    """The data after scaling: what the network sees."""

    x: Array
    """(rows, features)"""
    y: Array
    """(rows,) class numbers, or (rows, targets)"""
    training: Array
    """(rows,) True for rows trained on, False for rows validated on."""
    classes: int
    """0 for regression."""
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    """A row's own shape: [channels, height, width] for images, [time, columns] for series, else [features]."""
    columns: tuple[ColumnRecord, ...] = ()
    """The first columns of the input; of a series, not of its single time steps."""
    labels: Array | None = None
    """(rows,) The classes of the rows, where a network is to reproduce its input and never learns them."""
    label_names: tuple[str, ...] = ()
    """What these are called."""


class TableColumn(msgspec.Struct, frozen=True):
    """One column of a file, as it was found."""

    name: str
    kind: str
    """numbers · words · empty"""
    missing: int
    """Rows without a value in it."""
    different: int
    """How many different values it has."""


class TableRecord(msgspec.Struct, frozen=True):
    """What was found in a file with a table, and what would become of it."""

    encoding: str
    separator: str
    """semicolon · tab · bar · comma · space"""
    decimal: str
    """point · comma"""
    has_header: bool
    rows: int
    columns: tuple[TableColumn, ...]
    cells: tuple[tuple[str, ...], ...]
    """The first rows of the first columns, as they stand in the file; long ones are cut."""
    lines: tuple[int, ...]
    """The line each of them starts on."""
    missing: int
    """Values that are missing, in the columns that are used."""
    missing_rows: int
    missing_lines: tuple[int, ...]
    """The first lines in which they are."""
    target: str
    task: str
    """classes · numbers: chosen, or what the target seems to be."""
    used_rows: int = 0
    """Rows, or windows, that can be trained on and validated on."""
    features: int = 0
    classes: int = 0
    targets: int = 0
    """Sizes of what the network would get; all 0 where the table cannot be used as it is."""
    remarks: tuple[str, ...] = ()
    """Sentences about columns that are not taken as one would think at first sight."""


def known_classes(data: DataRecord) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return the class number of every row, learnt or not, and what the classes are called; None and no names where there are none."""
    if data.classes:
        return to_numpy(data.y), data.class_names
    return (None, ()) if data.labels is None else (to_numpy(data.labels), data.label_names)


def unscaled(data: DataRecord, x: np.ndarray) -> np.ndarray:
    """Return rows as they were before the scaling, which moves and stretches every column; as they are where it is not known."""
    if len(data.columns) != x.shape[1]:
        return x
    spreads = [(column.before.mean, column.before.std, column.after.mean, column.after.std) for column in data.columns]
    mean, std, scaled_mean, scaled_std = np.array(spreads).T
    return mean + (x - scaled_mean) * np.where(scaled_std > 0, std / np.where(scaled_std > 0, scaled_std, 1.0), 0.0)
