"""From the columns of a CSV file to numbers: words one-hot, missing values as the person chose. Errors name the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnviz.document.catalog import WIDEST
from nnviz.engine.data.csv_layout import is_missing
from nnviz.engine.data.csv_sheet import MOST_TEXTS, Sheet, SheetColumn, read_sheet
from nnviz.engine.data.number_marks import is_date, is_nearly_number, why_no_number
from nnviz.engine.errors import BuildError

MOST_CLASSES = 1000
MOST_WORDS = 50
"""A column of words with more different ones is not turned into columns."""
FEW = 12
"""A target of whole numbers with at most so many different ones is guessed to be classes."""


@dataclass(frozen=True)
class CsvTable:
    """The columns of a file. `y`: (rows,) class numbers where there are class names, else (rows, 1)."""

    x: np.ndarray
    """(rows, features); NaN where a value is missing and is to be the column's mean."""
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CsvColumn:
    """What one column holds, before anything is done with it."""

    cells: SheetColumn
    kind: str
    """numbers · words · empty"""

    @property
    def name(self) -> str:
        """What it is called in the file."""
        return self.cells.name

    @cached_property
    def missing(self) -> np.ndarray:
        """(rows,) Whether the row has no value in it."""
        return self.cells.missing

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The different values of a column of words, sorted."""
        if self.kind != "words":
            return ()
        return tuple(sorted({*self.cells.unkept.values(), *(text for text in self.cells.texts if not is_missing(text))}))

    @cached_property
    def different(self) -> int:
        """How many different values it has."""
        return len(self.words) if self.kind == "words" else len(np.unique(self.cells.values[~self.missing]))

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
    if sheet.count < 2:
        raise BuildError("data.path", f"{sheet.file} has {sheet.count} rows of data.", "Give at least two.")
    goal, columns = target_place(sheet, target), columns_of(sheet)
    features = _features(sheet, columns, goal, options)
    treatment = options.get("missing", "refuse")
    if treatment == "refuse":
        _refuse_missing(sheet, list(dict.fromkeys([*features, columns[goal]])))
    kept = _kept_rows(sheet, features if treatment == "leave out" else [], columns[goal])
    y, class_names = _targets(sheet, columns[goal], kept, _task(classification, columns[goal], options))
    return CsvTable(_inputs(sheet, features, kept), y, tuple(name for column in features for name in column.names), class_names)


def columns_of(sheet: Sheet) -> list[CsvColumn]:
    """Return every column: numbers where at least half of its values are, or seem to be, else words."""
    return [CsvColumn(cells, _kind(cells)) for cells in sheet.columns]


def _kind(cells: SheetColumn) -> str:
    known = len(cells.values) - int(cells.missing.sum())
    if not known:
        return "empty"
    numbers = int((~np.isnan(cells.values)).sum()) + (_doubtful(cells).sum() if cells.codes is not None else 0)
    return "numbers" if 2 * numbers >= known else "words"


def _doubtful(cells: SheetColumn) -> np.ndarray:
    """(rows,) Which cells would be numbers with another decimal mark."""
    return np.isnan(cells.values) & cells.holds(is_nearly_number)


def target_place(sheet: Sheet, target: str) -> int:
    """Return which column is the target; the last where none is named. Raises BuildError if there is none of this name."""
    if not target:
        return len(sheet.header) - 1
    if target not in sheet.header:
        names = ", ".join(sheet.header[:20]) + (", …" if len(sheet.header) > 20 else "")
        raise BuildError("data.target", f"{sheet.file} has no column {target!r}.", f"There is: {names}.")
    return sheet.header.index(target)


def likely_target(columns: list[CsvColumn]) -> CsvColumn:
    """Return the last column that can be learnt: with several values, and no days, names or free text."""
    likely = [column for column in columns if 1 < column.different <= _most_different(column) and not holds_dates(column)]
    return (likely or columns)[-1]


def _most_different(column: CsvColumn) -> float:
    return float("inf") if column.kind == "numbers" else min(MOST_CLASSES, max(2, len(column.missing) // 2))


def guessed_task(column: CsvColumn) -> str:
    """Return what a target seems to be: classes for words and for few different whole numbers, else numbers."""
    values = np.unique(column.cells.values[~np.isnan(column.cells.values)])
    are_few = 2 <= len(values) <= FEW and bool(np.all(values == np.round(values)))
    return "classes" if column.kind == "words" or are_few else "numbers"


def holds_dates(column: CsvColumn) -> bool:
    """Return whether most values of a column of words are days or times."""
    return column.kind == "words" and 2 * column.cells.count(is_date) > len(column.missing) - int(column.missing.sum())


def remarks(columns: list[CsvColumn]) -> tuple[str, ...]:
    """Return sentences about columns that are not taken as one would think at first sight."""
    told = []
    for column in columns:
        name = f"Column {column.name[:40]!r}"
        words = [word for word in column.words if any(map(str.isdigit, word)) and not any(map(str.isalpha, word))]
        if holds_dates(column):
            told.append(f"{name} holds days or times, taken as words: leave it out, or write it as a number.")
        elif column.kind == "words" and words:
            told.append(f"{name} is taken as words, such as {words[0][:40]!r}, though it has digits.")
        elif "%" in column.cells.units:
            told.append(f"{name} is in per cent: 5% is taken as 0.05.")
        elif column.kind != "empty" and column.different == 1:
            told.append(f"{name} has the same value in every row.")
    return tuple(told)


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
        count = f"{len(column.words):,}" if len(column.words) < MOST_TEXTS else f"{MOST_TEXTS:,} or more"
        what = "days or times" if holds_dates(column) else "words"
        message = f"Column {column.name[:40]!r} of {sheet.file} has {count} different {what}, more than {MOST_WORDS}."
        raise BuildError("data.path", message, "Leave the column out.")


def _refuse_missing(sheet: Sheet, columns: list[CsvColumn]) -> None:
    gaps = [(int(column.missing.argmax()), place) for place, column in enumerate(columns) if column.missing.any()]
    if not gaps:
        return
    row, place = min(gaps)
    cell, count = columns[place].cells.text(row), sum(int(column.missing.sum()) for column in columns)
    rows = int(np.any([column.missing for column in columns], axis=0).sum())
    what = "is empty" if not cell else f"holds {cell!r}, no value"
    more = f" It is the first of {count:,} missing values in {rows:,} {'row' if rows == 1 else 'rows'}." if count > 1 else ""
    cure = "Fill it in, leave its row out, or put in the column's mean (data.missing)."
    raise sheet.error(row, f"column {columns[place].name[:40]!r} {what}.{more}", cure)


def _kept_rows(sheet: Sheet, features: list[CsvColumn], goal: CsvColumn) -> np.ndarray:
    """(rows,) Which rows there are values for; without a target a row is of no use however missing values are treated."""
    kept = ~np.any([column.missing for column in (*features, goal)], axis=0)
    if kept.sum() < 2:
        left = "No row" if not kept.any() else "Only one row"
        raise BuildError("data.missing", f"{left} of {sheet.file} has all its values.", "Put in the column's mean instead.")
    return kept


# --- numbers ---


def _inputs(sheet: Sheet, features: list[CsvColumn], kept: np.ndarray) -> np.ndarray:
    """(rows, features) The values, one column for each word; NaN where one is missing."""
    x, place = np.empty((int(kept.sum()), sum(len(column.names) for column in features))), 0
    for column in features:
        width = len(column.names)
        x[:, place : place + width] = _hot(column, kept) if column.kind == "words" else _numbers(sheet, column)[kept, None]
        place += width
    return x


def _numbers(sheet: Sheet, column: CsvColumn) -> np.ndarray:
    """(rows,) The numbers of a column, NaN where one is missing. Raises BuildError for a cell that is none."""
    cells = column.cells
    bad = np.isnan(cells.values) & ~column.missing
    if bad.any():
        row = int(bad.argmax())
        what, cure = why_no_number(cells.text(row), sheet.layout.marks)
        raise sheet.error(row, f"column {column.name[:40]!r} holds {cells.text(row)[:40]!r}, {what}.", cure)
    if len(cells.units) > 1:
        (one, _), (other, row) = sorted(cells.units.items(), key=lambda item: item[1])[:2]
        signs = [f"with {sign}" if sign else "without a sign" for sign in (other, one)]
        message = f"column {column.name[:40]!r} has a number {signs[0]}, and the ones before are {signs[1]}."
        raise sheet.error(row, message, "Write all its numbers alike.")
    return cells.values


def _hot(column: CsvColumn, kept: np.ndarray) -> np.ndarray:
    """(rows, words) 1 in the column of the word; NaN where there is none."""
    places, rows = _word_places(column), np.flatnonzero(kept)
    hot = np.zeros((len(rows), len(column.words)))
    found = places[rows]
    hot[np.flatnonzero(found >= 0), found[found >= 0]] = 1.0
    hot[column.missing[rows]] = np.nan
    return hot


def _word_places(column: CsvColumn) -> np.ndarray:
    """(rows,) Which of the column's words a row holds; −1 where it holds none."""
    cells, order = column.cells, {word: place for place, word in enumerate(column.words)}
    if cells.codes is None:
        places = np.full(len(cells.values), -1)
    else:
        places = np.array([*(order.get(text, -1) for text in cells.texts), -1, -1])[cells.codes]
    for value, text in cells.unkept.items():
        places[(cells.values == value) & (places < 0)] = order[text]
    return places


# --- the target ---


def _task(classification: bool, goal: CsvColumn, options: Mapping[str, Any]) -> str:
    """What the target's values are: as chosen, else words are classes, and numbers under a classification loss."""
    chosen = options.get("task", "auto")
    return chosen if chosen != "auto" else "classes" if classification or goal.kind == "words" else "numbers"


def _targets(sheet: Sheet, goal: CsvColumn, kept: np.ndarray, task: str) -> tuple[np.ndarray, tuple[str, ...]]:
    if task == "numbers":
        return _numbers(sheet, goal)[kept, None], ()
    if goal.kind == "words" or (np.isnan(goal.cells.values) & ~goal.missing).any() or len(goal.cells.units) > 1:
        goal = CsvColumn(goal.cells, "words")
        _check_classes(sheet, goal, len(goal.words))
        places = _word_places(goal)[kept]
        used, numbers = np.unique(places, return_inverse=True)
        names = tuple(goal.words[place] for place in used)
    else:
        used, numbers = np.unique(_numbers(sheet, goal)[kept], return_inverse=True)
        _check_classes(sheet, goal, len(used))
        names = tuple(_label(goal, kept, value) for value in used)
    _check_classes(sheet, goal, len(used))
    return numbers.astype(np.int64), names


def _label(goal: CsvColumn, kept: np.ndarray, value: float) -> str:
    """What a class is called whose rows hold this number: as its first row has it."""
    return goal.cells.text(int((kept & (goal.cells.values == value)).argmax()))


def _check_classes(sheet: Sheet, goal: CsvColumn, count: int) -> None:
    if count > MOST_CLASSES:
        message = f"Column {goal.name[:40]!r} has {count:,} different values."
        raise BuildError("data.target", message, "Choose a regression loss, or another target.")
    if count == 1:
        message = f"Column {goal.name[:40]!r} of {sheet.file} has the same class in every row, so there is nothing to tell apart."
        raise BuildError("data.target", message, "Choose another target.")
