"""A run as it was recorded, with all that is needed to write it down as a program of its own."""

from __future__ import annotations

import msgspec

from nnviz.document.experiment import Experiment
from nnviz.document.run_log import Change
from nnviz.records.tensors import Array


class ClassShare(msgspec.Struct, frozen=True):
    """How the rows of one class are split."""

    count: int
    trained: int
    held_out: int


class CsvColumnUse(msgspec.Struct, frozen=True):
    """A column of a file that is used."""

    place: int
    """Counted from 0 in the file."""
    words: tuple[str, ...] = ()
    """Sorted, where an input holds words: each becomes a column of its own."""


class CsvReading(msgspec.Struct, frozen=True):
    """How a few plain lines of Python read a file to the same numbers."""

    path: str
    encoding: str
    separator: str
    skipped: int
    """Lines of the table that hold no row: that with the names of the columns."""
    decimal: str
    features: tuple[CsvColumnUse, ...]
    target: CsvColumnUse
    target_is: str
    """numbers · classes (numbers that name them) · words."""


class RecordedData(msgspec.Struct, frozen=True):
    """What the rows of a run were like, and which of their steps plain formulas make to the bit."""

    rows: int
    trained: int
    """How many rows are trained on."""
    classes: int
    """0 for numbers."""
    columns: int
    """How many columns are scaled, each by itself; of a series those of one time step."""
    shares: tuple[ClassShare, ...] = ()
    """By class number, where every class keeps its share; empty where rows are held out whatever their class."""
    is_by_lot: bool = False
    """Whether rounding the shares took random numbers."""
    is_plain: bool = True
    """Whether (x − mean)/std, or (x − min)/(max − min), gives the scaled rows to the bit."""
    is_plain_target: bool = True
    csv: CsvReading | None = None
    x: Array | None = None
    """(rows, features) Before the scaling, where the rows come from a file that plain lines do not read."""
    y: Array | None = None


class RecordedRun(msgspec.Struct, frozen=True):
    """A run up to one of its iterations."""

    experiment: Experiment
    """With which the first iteration was made."""
    changes: tuple[Change, ...]
    """Those made behind iterations 1 to the last, oldest first."""
    iterations: int
    losses: Array
    """(iterations,) Of each batch before its update, in float64."""
    digest: str
    """SHA-256 over all parameters at the end in name order, as float64 in big-endian bytes."""
    start: dict[str, Array]
    """Parameters and running statistics before the first iteration, by name."""
    end: dict[str, Array]
    """And behind the last."""
    drawn: frozenset[str]
    """Names of those that start as the initializers draw them."""
    data: RecordedData
    libraries: tuple[tuple[str, str], ...] = ()
    """Those it was made with, and their versions."""
