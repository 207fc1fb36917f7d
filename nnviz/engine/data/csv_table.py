"""From the cells of a CSV file to numbers: words one-hot, missing values as the person chose. Errors name the line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nnviz.document.catalog import WIDEST
from nnviz.engine.data.csv_text import MISSING, Sheet, read_sheet
from nnviz.engine.errors import BuildError

MOST_CLASSES = 1000
MOST_WORDS = 50
"""A column of words with more different ones is not turned into columns."""
FEW = 12
"""A target of whole numbers with at most so many different ones is guessed to be classes."""


@dataclass(frozen=True)
class CsvTable:
    """The columns of a file. `x`: (rows, features); `y`: (rows,) class numbers where there are class names, else (rows, 1)."""

    x: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class CsvColumn:
    """What one column holds, before anything is done with it."""

    name: str
    kind: str
    """numbers · words · empty"""
    cells: list[str]
    missing: list[int]
    """Rows in which it has no value."""
    words: tuple[str, ...]
    """The different values of a column of words, sorted."""

    @property
    def names(self) -> tuple[str, ...]:
        """What its columns of numbers are called."""
        return tuple(f"{self.name} = {word}" for word in self.words) if self.kind == "words" else (self.name,)


def read_csv(path: Path, target: str, classification: bool, options: Mapping[str, Any] | None = None) -> CsvTable:
    """Return the table; numbers in the target column are class labels if `classification`. Raises BuildError naming the line.

    `options`: further fields of the catalog's `csv`, by name.
    """
    return table_of(read_sheet(path, target, options), target, classification, options or {})


def table_of(sheet: Sheet, target: str, classification: bool, options: Mapping[str, Any]) -> CsvTable:
    """Return the numbers of a sheet, as `read_csv` does."""
    if len(sheet.rows) < 2:
        raise BuildError("data.path", f"{sheet.file} has {len(sheet.rows)} rows of data.", "Give at least two.")
    goal, columns = target_place(sheet, target), columns_of(sheet)
    features = _features(sheet, columns, goal, options)
    treatment = options.get("missing", "refuse")
    if treatment == "refuse":
        _refuse_missing(sheet, [*features, columns[goal]])
    kept = _kept_rows(sheet, features if treatment == "leave out" else [], columns[goal])
    numbers = np.concatenate([_numbers(sheet, column) for column in features], axis=1)[kept]
    y, class_names = _targets(sheet, columns[goal], kept, _task(classification, columns[goal], options))
    return CsvTable(_filled(numbers), y, tuple(name for column in features for name in column.names), class_names)


def columns_of(sheet: Sheet) -> list[CsvColumn]:
    """Return every column: numbers where at least half of its values are, else words."""
    return [_column(sheet, name, sheet.column(place)) for place, name in enumerate(sheet.header)]


def _column(sheet: Sheet, name: str, cells: list[str]) -> CsvColumn:
    missing = [row for row, cell in enumerate(cells) if cell.lower() in MISSING]
    known = [cell for cell in cells if cell.lower() not in MISSING]
    if not known:
        return CsvColumn(name, "empty", cells, missing, ())
    is_numeric = 2 * sum(map(sheet.is_number, known)) >= len(known)
    return CsvColumn(name, "numbers" if is_numeric else "words", cells, missing, () if is_numeric else tuple(sorted(set(known))))


def target_place(sheet: Sheet, target: str) -> int:
    """Return which column is the target; the last where none is named. Raises BuildError if there is none of this name."""
    if not target:
        return len(sheet.header) - 1
    if target not in sheet.header:
        names = ", ".join(sheet.header[:20]) + (", …" if len(sheet.header) > 20 else "")
        raise BuildError("data.target", f"{sheet.file} has no column {target!r}.", f"There is: {names}.")
    return sheet.header.index(target)


def guessed_task(sheet: Sheet, column: CsvColumn) -> str:
    """Return what a target seems to be: classes for words and for few different whole numbers, else numbers."""
    known = {cell for cell in column.cells if cell.lower() not in MISSING}
    whole = all(sheet.is_number(cell) and sheet.number(cell).is_integer() for cell in known)
    return "classes" if column.kind == "words" or (whole and 2 <= len(known) <= FEW) else "numbers"


# --- which columns and rows ---


def _features(sheet: Sheet, columns: list[CsvColumn], goal: int, options: Mapping[str, Any]) -> list[CsvColumn]:
    """The columns of the input; in a series the past of the target is one of them."""
    left_out = set(options.get("without", ()))
    for name in left_out - set(sheet.header):
        raise BuildError("data.without", f"{sheet.file} has no column {name[:40]!r} to leave out.", "Choose the columns anew.")
    series = bool(options.get("window"))
    chosen = [column for place, column in enumerate(columns) if column.name not in left_out and (series or place != goal)]
    if not chosen:
        message = f"{sheet.file} has one column only." if len(columns) == 1 else f"No column of {sheet.file} is left for the input."
        raise BuildError("data.path", message, "It needs one column beside the target; or, as a series, a window.")
    for column in chosen:
        _check_column(sheet, column)
    width = sum(len(column.names) for column in chosen)
    if width > WIDEST:
        raise BuildError("data.path", f"{sheet.file} makes {width:,} columns of numbers, more than {WIDEST:,}.", "Leave columns out.")
    return chosen


def _check_column(sheet: Sheet, column: CsvColumn) -> None:
    if column.kind == "empty":
        raise BuildError("data.path", f"Column {column.name[:40]!r} of {sheet.file} has no value in any row.", "Leave it out.")
    if len(column.words) > MOST_WORDS:
        message = f"Column {column.name[:40]!r} of {sheet.file} has {len(column.words):,} different words, more than {MOST_WORDS}."
        raise BuildError("data.path", message, "Leave the column out.")


def _refuse_missing(sheet: Sheet, columns: list[CsvColumn]) -> None:
    gaps = sorted((row, place) for place, column in enumerate(columns) for row in column.missing)
    if not gaps:
        return
    row, place = gaps[0]
    cell, rows = columns[place].cells[row], len({row for row, _ in gaps})
    what = "is empty" if not cell else f"holds {cell!r}, no value"
    more = f" It is the first of {len(gaps):,} missing values in {rows:,} {'row' if rows == 1 else 'rows'}." if len(gaps) > 1 else ""
    cure = "Fill it in, leave its row out, or put in the column's mean (data.missing)."
    raise sheet.error(row, f"column {columns[place].name[:40]!r} {what}.{more}", cure)


def _kept_rows(sheet: Sheet, features: list[CsvColumn], goal: CsvColumn) -> np.ndarray:
    """(rows,) Which rows there are values for; without a target a row is of no use however missing values are treated."""
    kept = np.ones(len(sheet.rows), dtype=bool)
    for column in (*features, goal):
        kept[column.missing] = False
    if kept.sum() < 2:
        left = "No row" if not kept.any() else "Only one row"
        raise BuildError("data.missing", f"{left} of {sheet.file} has all its values.", "Put in the column's mean instead.")
    return kept


# --- numbers ---


def _numbers(sheet: Sheet, column: CsvColumn) -> np.ndarray:
    """(rows, columns) The values, one column for each word; NaN where one is missing."""
    gaps = set(column.missing)
    if column.kind == "words":
        hot = np.array([[cell == word for word in column.words] for cell in column.cells], dtype=np.float64)
        hot[column.missing] = np.nan
        return hot
    read = partial(_number, sheet, column)
    return np.array([[math.nan if row in gaps else read(row)] for row in range(len(column.cells))])


def _number(sheet: Sheet, column: CsvColumn, row: int) -> float:
    cell = column.cells[row]
    value = sheet.number(cell) if sheet.is_number(cell) else math.nan
    if math.isfinite(value):
        return value
    message = f"column {column.name[:40]!r} holds {cell[:40]!r}, which is not a finite number."
    raise sheet.error(row, message, "Correct it, empty the cell, or leave the column out.")


def _filled(numbers: np.ndarray) -> np.ndarray:
    """The numbers with their column's mean where one is missing."""
    gaps = np.isnan(numbers)
    if not gaps.any():
        return numbers
    with np.errstate(over="ignore"):
        return np.where(gaps, np.nan_to_num(np.nanmean(numbers, axis=0), posinf=np.finfo(np.float64).max), numbers)


# --- the target ---


def _task(classification: bool, goal: CsvColumn, options: Mapping[str, Any]) -> str:
    """What the target's values are: as chosen, else words are classes, and numbers under a classification loss."""
    chosen = options.get("task", "auto")
    return chosen if chosen != "auto" else "classes" if classification or goal.kind == "words" else "numbers"


def _targets(sheet: Sheet, goal: CsvColumn, kept: np.ndarray, task: str) -> tuple[np.ndarray, tuple[str, ...]]:
    rows = np.flatnonzero(kept).tolist()
    if task == "numbers":
        return np.array([[_number(sheet, goal, row)] for row in rows]), ()
    cells = [goal.cells[row] for row in rows]
    if not all(map(sheet.is_number, cells)):
        return _numbered(goal, cells, {cell: cell for cell in sorted(set(cells))})
    values = [sheet.number(cell) for cell in cells]
    labels = dict(zip(values, cells, strict=True))
    return _numbered(goal, values, {value: labels[value] for value in sorted(labels)})


def _numbered(goal: CsvColumn, values: list, labels: dict[Any, str]) -> tuple[np.ndarray, tuple[str, ...]]:
    if len(labels) > MOST_CLASSES:
        message = f"Column {goal.name[:40]!r} has {len(labels):,} different values."
        raise BuildError("data.target", message, "Choose a regression loss, or another target.")
    places = {value: place for place, value in enumerate(labels)}
    return np.array([places[value] for value in values], dtype=np.int64), tuple(labels.values())
