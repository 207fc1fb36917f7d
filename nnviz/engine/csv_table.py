"""A table from a CSV file: separator, decimal comma, header and encoding are worked out. It never guesses a value; errors name the line."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnviz.document.catalog import WIDEST
from nnviz.engine.errors import BuildError

LARGEST = 50_000_000
"""Bytes; a larger file is refused."""
MOST_CLASSES = 1000
SEPARATORS = (";", "\t", "|", ",")

_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class CsvTable:
    """The columns of a file. `x`: (rows, features); `y`: (rows,) class numbers where there are class names, else (rows, 1)."""

    x: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class _Sheet:
    """Rows of text with the line each starts on."""

    file: str
    lines: list[int]
    rows: list[list[str]]
    comma: bool
    """Whether numbers have a decimal comma."""

    def is_number(self, cell: str) -> bool:
        return bool((_COMMA if self.comma else _POINT).fullmatch(cell.strip()))

    def number(self, row: int, column: int, name: str) -> float:
        """Return one cell as a finite number. Raises BuildError with its line otherwise."""
        cell = self.rows[row][column]
        value = float(cell.replace(",", ".") if self.comma else cell) if self.is_number(cell) else math.nan
        if not math.isfinite(value):
            what = "is empty" if not cell.strip() else f"holds {cell[:40]!r}, which is not a finite number"
            raise _error(
                self.file, self.lines[row], f"column {name[:40]!r} {what}.", "Every cell needs a number; the target may be a word."
            )
        return value


def read_csv(path: Path, target: str, classification: bool) -> CsvTable:
    """Return the table; numbers in the target column are class labels if `classification`. Raises BuildError naming the line."""
    sheet, header = _headed(_sheet(path.name, _text(path)), target)
    if len(sheet.rows) < 2:
        raise BuildError("data.path", f"{path.name} has {len(sheet.rows)} rows of data.", "Give at least two.")
    goal = _target_column(path.name, header, target)
    features = [column for column in range(len(header)) if column != goal]
    if not features:
        raise BuildError("data.path", f"{path.name} has one column only.", "It needs at least one column of numbers beside the target.")
    x = np.array([[sheet.number(row, column, header[column]) for column in features] for row in range(len(sheet.rows))])
    y, class_names = _targets(sheet, goal, header[goal], classification)
    return CsvTable(x, y, tuple(header[column] for column in features), class_names)


# --- bytes to text ---


def _text(path: Path) -> str:
    if not path.is_file():
        raise BuildError("data.path", f"There is no file {str(path)!r}.", "Choose a CSV file, or correct the path.")
    try:
        if path.stat().st_size > LARGEST:
            raise BuildError("data.path", f"{path.name} is larger than {LARGEST // 10**6} MB.", "Take fewer rows.")
        raw = path.read_bytes()
    except OSError as error:
        raise BuildError("data.path", f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    if b"\0" in raw:
        raise _error(path.name, raw[: raw.index(b"\0")].count(b"\n") + 1, "a NUL byte: this is not a text file.", "Save the table as CSV.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _error(file: str, line: int, message: str, cure: str) -> BuildError:
    return BuildError("data.path", f"{file}, line {line}: {message}", cure)


# --- text to rows ---


def _sheet(file: str, text: str) -> _Sheet:
    separator, comma = _guess(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines, rows, first = [], [], 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                lines.append(first)
                rows.append(row)
                _check_width(file, first, row, rows[0])
            first = reader.line_num + 1
    except csv.Error as error:
        raise _error(file, first, f"{error}.", "Look for a quotation mark that is not closed.") from error
    if not rows:
        raise BuildError("data.path", f"{file} is empty.", "Choose a file with a table.")
    return _Sheet(file, lines, rows, comma)


def _check_width(file: str, line: int, row: list[str], top: list[str]) -> None:
    if len(row) > WIDEST:
        raise _error(file, line, f"{len(row):,} columns are more than {WIDEST:,}.", "Leave columns out.")
    if len(row) != len(top):
        raise _error(file, line, f"{_cells(len(row))}, but the first line has {len(top)}.", "Give every line the same number of cells.")


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"


def _guess(text: str) -> tuple[str, bool]:
    """The separator under which most cells of the first lines are numbers, and whether those have a decimal comma."""
    head = [line for line in text[:100_000].splitlines()[:50] if line.strip()]
    ways = [(separator, comma) for separator in SEPARATORS for comma in (False, True) if not (comma and separator == ",")]
    return max(ways, key=lambda way: _fit(head, *way))


def _fit(head: list[str], separator: str, comma: bool) -> tuple[float, int, bool]:
    rows = [line.split(separator) for line in head]
    cells = [cell.strip().strip('"') for row in rows for cell in row]
    pattern = _COMMA if comma else _POINT
    widest = max((len(row) for row in rows), default=0)
    share = sum(bool(pattern.fullmatch(cell)) for cell in cells) / max(1, len(cells))
    return (share if widest > 1 else -1.0, widest, not comma)


def _headed(sheet: _Sheet, target: str) -> tuple[_Sheet, list[str]]:
    """The sheet without its header, and the names of the columns."""
    top = [cell.strip() for cell in sheet.rows[0]]
    if target in top or not any(sheet.is_number(cell) for cell in top):
        return _Sheet(sheet.file, sheet.lines[1:], sheet.rows[1:], sheet.comma), top
    return sheet, [f"column {number}" for number in range(1, len(top) + 1)]


# --- the target ---


def _target_column(file: str, header: list[str], target: str) -> int:
    if not target:
        return len(header) - 1
    if target not in header:
        names = ", ".join(header[:20]) + (", …" if len(header) > 20 else "")
        raise BuildError("data.target", f"{file} has no column {target!r}.", f"There is: {names}.")
    return header.index(target)


def _targets(sheet: _Sheet, column: int, name: str, classification: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    cells = [row[column].strip() for row in sheet.rows]
    numeric = all(sheet.is_number(cell) for cell in cells)
    if not classification and (numeric or sheet.is_number(cells[0])):
        return np.array([[sheet.number(row, column, name)] for row in range(len(cells))]), ()
    if "" in cells:
        raise _error(sheet.file, sheet.lines[cells.index("")], f"the target {name[:40]!r} is empty.", "Every row needs a target.")
    labels = sorted(set(cells), key=(lambda cell: float(cell.replace(",", "."))) if numeric else None)
    if len(labels) > MOST_CLASSES:
        raise BuildError(
            "data.target", f"Column {name[:40]!r} has {len(labels):,} different values.", "Choose a regression loss, or another target."
        )
    places = {label: place for place, label in enumerate(labels)}
    return np.array([places[cell] for cell in cells], dtype=np.int64), tuple(labels)
