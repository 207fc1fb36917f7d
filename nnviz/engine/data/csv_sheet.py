"""From the bytes of a file to its columns: numbers where cells are numbers, else their texts. Errors name the line.

A file is read in pieces of rows, so that the time it takes grows as its size does, and can be broken off between two of them.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from nnviz.document.catalog import WIDEST
from nnviz.engine.data.csv_layout import SEPARATORS, Layout, is_missing, layout_of, line_error, reader_of, text_of
from nnviz.engine.data.number_marks import Marks
from nnviz.engine.errors import BuildError

LARGEST = 50_000_000
"""Bytes; a larger file is refused."""
MOST_CELLS = 10_000_000
"""A file with more is refused."""
MOST_TEXTS = 20_000
"""So many different texts of a column are kept."""
SHOWN = 8
"""Rows whose cells are kept as they stand in the file."""

_PIECE, _LEAST_ROWS = 40_000, 64
"""Cells that are read before anything else gets a turn, and rows where there are many columns."""
_NUMBER, _UNKEPT = -1, -2
_NO_PROGRESS: Callable[[float], None] = lambda share: None  # noqa: E731


@dataclass(eq=False)
class SheetColumn:
    """One column. What is not a number has a code: its place among `texts`, or that it is a number, or that its text is not kept."""

    name: str
    values: np.ndarray
    """(rows,) float64; NaN where the cell is no number."""
    codes: np.ndarray | None
    """(rows,) int32; None where every cell is a number."""
    texts: list[str]
    units: dict[str, int]
    """The signs of % or money that numbers were written with, "" for none, and the first row of each."""

    def text(self, row: int) -> str:
        """Return what a cell holds; a number may be written in another way than in the file."""
        code = _NUMBER if self.codes is None else int(self.codes[row])
        return self.texts[code] if code >= 0 else _written(float(self.values[row])) if code == _NUMBER else "…"

    @property
    def missing(self) -> np.ndarray:
        """(rows,) Whether the cell stands for a missing value."""
        return self.holds(is_missing)

    def holds(self, condition: Callable[[str], bool]) -> np.ndarray:
        """(rows,) Whether a cell's text is one of which this holds."""
        if self.codes is None:
            return np.zeros(len(self.values), dtype=bool)
        places = [place for place, text in enumerate(self.texts) if condition(text)]
        return np.isin(self.codes, places)

    @property
    def unkept(self) -> dict[float, str]:
        """The numbers whose texts were not kept, and how they are written."""
        numbers = self.values if self.codes is None else self.values[self.codes == _NUMBER]
        return {float(value): _written(float(value)) for value in np.unique(numbers)}

    def count(self, condition: Callable[[str], bool]) -> int:
        """Return how many cells have a text of which this holds."""
        return int(self.holds(condition).sum())


@dataclass(frozen=True)
class Sheet:
    """A table as it stands in a file: columns with names, and the line each row starts on."""

    file: str
    layout: Layout
    columns: list[SheetColumn]
    lines: np.ndarray
    """(rows,) int32"""
    top: list[list[str]]
    """The cells of the first rows."""

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.lines)

    def error(self, row: int, message: str, cure: str) -> BuildError:
        """Return an error that names the line of a row."""
        return line_error(self.file, int(self.lines[row]), message, cure)


def read_sheet(
    path: Path, target: str = "", options: Mapping[str, Any] | None = None, report: Callable[[float], None] = _NO_PROGRESS
) -> Sheet:
    """Return the columns of a file; one that has just been read is not read again. Raises BuildError naming the line.

    `options`: separator, decimal and header as the catalog's `csv` has them. `report` is told the share read so far, and may raise.
    """
    raw = bytes_of(path)
    layout = layout_of(path.name, raw, target, options or {})
    key = path.name, hashlib.blake2b(raw, digest_size=16).digest(), layout
    sheet = _latest.get(key)
    if sheet is None:
        sheet = sheet_of(path.name, raw, layout, report)
        _latest.clear()
        _latest[key] = sheet
    return sheet


_latest: dict[tuple, Sheet] = {}
"""The file that was read last."""


def first_rows(path: Path, target: str, options: Mapping[str, Any], size: int) -> Sheet | None:
    """Return the sheet that the first bytes of a file make; None if the file is no larger, or they make none."""
    raw = bytes_of(path)
    end = raw.rfind(b"\n", 0, size) + 1
    if len(raw) <= size or not end or raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    try:
        return sheet_of(path.name, raw[:end], layout_of(path.name, raw, target, options))
    except BuildError:
        return None  # the whole file may be another matter, and says what is wrong with it


def bytes_of(path: Path) -> bytes:
    """Return the bytes of a file. Raises BuildError if there is none, or it is too large."""
    if not path.is_file():
        raise BuildError("data.path", f"There is no file {str(path)!r}.", "Choose a CSV file, or correct the path.")
    try:
        if path.stat().st_size > LARGEST:
            raise BuildError("data.path", f"{path.name} is larger than {LARGEST // 10**6} MB.", "Take fewer rows.")
        return path.read_bytes()
    except OSError as error:
        raise BuildError("data.path", f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error


def sheet_of(file: str, raw: bytes, layout: Layout, report: Callable[[float], None] = _NO_PROGRESS) -> Sheet:
    """Return the columns that these bytes make, laid out so."""
    width = len(layout.names)
    if (raw.count(b"\n") or raw.count(b"\r")) * width > MOST_CELLS:
        raise BuildError("data.path", f"{file} has more than {MOST_CELLS:,} cells.", "Take fewer rows, or fewer columns.")
    columns: list[_Growing] = []
    lines, top = [], []
    is_first = layout.has_header
    for begins, rows in _pieces(file, raw, layout, report):
        if is_first and rows:
            _check_names(file, int(begins[0]), layout)
            begins, rows, is_first = begins[1:], rows[1:], False
        columns = columns or [_Growing(layout.marks) for _ in layout.names]
        lines.append(begins)
        top += [[cell.strip() for cell in row] for row in rows[: SHOWN - len(top)]]
        for column, cells in zip(columns, zip(*rows, strict=True), strict=False):
            column.add(cells)
    made = [column.made(name) for column, name in zip(columns, layout.header, strict=bool(columns))]
    while len(made) > layout.needed and not layout.names[len(made) - 1] and np.all(made[-1].missing):
        made.pop()  # there is a separator behind every line
    return Sheet(file, layout, made, np.concatenate([*lines, np.zeros(0, np.int32)]), [row[: len(made)] for row in top])


def _check_names(file: str, line: int, layout: Layout) -> None:
    seen: dict[str, int] = {}
    for place, name in enumerate(layout.header, 1):
        if name in seen:
            message = f"columns {seen[name]} and {place} are both called {name[:40]!r}."
            raise line_error(file, line, message, "Give every column a name of its own, or say that there is no header.")
        seen[name] = place


# --- rows ---


def _pieces(file: str, raw: bytes, layout: Layout, report: Callable[[float], None]) -> Iterator[tuple[np.ndarray, list[list[str]]]]:
    """Yield rows that are not empty, all of one width, with the lines they begin on; the header is the first of them."""
    text = text_of(raw, layout.encoding)
    for _ in range(layout.skipped):
        text.readline()
    lines = _checked(file, text, layout) if _has_endless_line(raw) else text
    reader = reader_of(lines, layout.separator, layout.quote)
    first, rows, size = layout.skipped + 1, [], 0
    is_headed = layout.has_row_names  # its header is a name shorter
    count = max(_LEAST_ROWS, _PIECE // len(layout.names))
    while piece := _piece(file, reader, first, count):
        begins, rows, first = piece
        size += sum(map(len, rows))
        if size > MOST_CELLS:
            raise BuildError("data.path", f"{file} has more than {MOST_CELLS:,} cells.", "Take fewer rows, or fewer columns.")
        if is_headed and any(rows):
            head = next(place for place, row in enumerate(rows) if any(row))
            rows[head] = [layout.names[0], *rows[head]]
            is_headed = False
        yield _even(file, begins, rows, layout)
        report(min(1.0, text.buffer.tell() / len(raw)))


def _has_endless_line(raw: bytes) -> bool:
    """Whether there is a stretch of a million bytes without an end of line."""
    step = 1_000_000
    return any(raw.find(b"\n", start, start + step) < 0 for start in range(0, len(raw) - step, step))


def _checked(file: str, text: Iterator[str], layout: Layout) -> Iterator[str]:
    """The lines; one that is far too wide is refused before it is cut into cells."""
    for number, line in enumerate(text, layout.skipped + 1):
        if len(line) > 1_000_000 and layout.quote not in line:
            _check_width(file, number, line.count(SEPARATORS[layout.separator]) + 1)
        yield line


def _check_width(file: str, line: int, width: int) -> None:
    if width > WIDEST:
        raise line_error(file, line, f"{width:,} columns are more than {WIDEST:,}.", "Leave columns out.")


def _piece(file: str, reader: Any, first: int, count: int) -> tuple[np.ndarray, list[list[str]], int] | None:
    """The next rows with the lines they begin on, and the line behind them; None at the end."""
    rows: list[list[str]] = []
    before = reader.line_num
    try:
        rows.extend(islice(reader, count))  # what was read before an error stays
    except csv.Error as error:
        raise _unreadable(file, first + sum(map(_height, rows)), str(error)) from error
    if not rows:
        return None
    if reader.line_num - before == len(rows):
        return np.arange(first, first + len(rows), dtype=np.int32), rows, first + len(rows)
    heights = list(map(_height, rows))
    return np.fromiter(accumulate(heights[:-1], initial=first), np.int32, len(rows)), rows, first + sum(heights)


def _height(row: list[str]) -> int:
    """How many lines a row takes."""
    return 1 + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row)


def _unreadable(file: str, line: int, what: str) -> BuildError:
    if "expected after" in what:
        return line_error(
            file,
            line,
            "something stands between a closing quotation mark and the next separator.",
            "Double the quotation marks inside a cell.",
        )
    if "limit" in what:
        return line_error(
            file, line, f"a cell has more than {csv.field_size_limit():,} letters.", "Look for a quotation mark that is not closed."
        )
    return line_error(file, line, "a quotation mark is opened and never closed.", "Close it, or take it out.")


def _even(file: str, begins: np.ndarray, rows: list[list[str]], layout: Layout) -> tuple[np.ndarray, list[list[str]]]:
    """The rows that are not empty, each with as many cells as there are columns."""
    width = len(layout.names)
    if width > WIDEST and rows:
        _check_width(file, int(begins[0]), max(map(len, rows)))
    if set(map(len, rows)) == {width} and all(map(str.strip, map(itemgetter(0), rows))):
        return begins, rows
    kept = [place for place, row in enumerate(rows) if any(cell and not cell.isspace() for cell in row)]
    return begins[kept], [_fitted(file, int(begins[place]), rows[place], layout) for place in kept]


def _fitted(file: str, line: int, row: list[str], layout: Layout) -> list[str]:
    """The row with separators behind its last cell taken away, or with columns without a name left open."""
    width = len(layout.names)
    if len(row) > width and not any(cell.strip() for cell in row[width:]):
        return row[:width]
    if layout.needed <= len(row) <= width:
        return row + [""] * (width - len(row))
    _check_width(file, line, len(row))
    cells = f"{len(row):,} cell" if len(row) == 1 else f"{len(row):,} cells"
    cure = "Give every line the same number of cells, or choose another separator."
    raise line_error(file, line, f"{cells}, but the first line has {width:,}.", cure)


# --- columns ---


@dataclass
class _Growing:
    """A column while it is read."""

    marks: Marks
    values: list[np.ndarray] = field(default_factory=list)
    codes: list[np.ndarray] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    known: dict[str, tuple[float, int]] = field(default_factory=dict)
    """What texts were found to be: the number, or NaN, and the code."""
    has_words: bool = False
    """Whether there is anything besides numbers and missing values: then the texts of numbers are kept too."""
    count: int = 0

    def add(self, cells: tuple[str, ...]) -> None:
        """Take the next cells."""
        values, codes = _plain(cells, self.marks), None
        if values is None:
            values, codes = self._with_gaps(cells) or self._one_by_one(cells)
        else:
            self.units.setdefault("", self.count)
        if codes is not None or self.codes:
            before = 0 if self.codes else self.count
            codes = np.full(len(cells), _NUMBER, np.int32) if codes is None else codes
            self.codes.append(np.concatenate([np.full(before, _NUMBER, np.int32), codes]))
        self.values.append(values)
        self.count += len(cells)

    def _with_gaps(self, cells: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray] | None:
        """The numbers and the codes of plain numbers with gaps between them; None for anything else."""
        gaps = {cell for cell in set(cells) if is_missing(cell)}
        full = [place for place, cell in enumerate(cells) if cell not in gaps]
        numbers = _plain(tuple(cells[place] for place in full), self.marks) if gaps and full else None
        if numbers is None:
            return None
        self.units.setdefault("", self.count + full[0])
        values, codes = np.full(len(cells), np.nan), np.full(len(cells), _NUMBER, np.int32)
        values[full] = numbers
        for place in set(range(len(cells))) - set(full):
            codes[place] = self._read(cells[place], 0)[1]
        return values, codes

    def _one_by_one(self, cells: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        if self.has_words and len(self.texts) >= MOST_TEXTS:  # nothing can become of it any more
            found = [self.known.get(cell) or (self._read(cell, self.count) if len(cell) < 6 else (np.nan, _UNKEPT)) for cell in cells]
        else:
            found = [self.known.get(cell) or self._read(cell, row) for row, cell in enumerate(cells, self.count)]
        return np.array([value for value, _ in found]), np.array([code for _, code in found], np.int32)

    def _read(self, cell: str, row: int) -> tuple[float, int]:
        text = cell.strip()
        number, is_gap = self.marks.read(text), is_missing(text)
        if number:
            self.units.setdefault(number[1], row)
        self.has_words |= not number and not is_gap
        if number and not self.has_words:
            return number[0], _NUMBER
        if len(self.texts) >= MOST_TEXTS and text not in self.texts and not is_gap:
            return (number[0], _NUMBER) if number else (np.nan, _UNKEPT)
        self.known[cell] = (number[0] if number else np.nan, self.texts.setdefault(text, len(self.texts)))
        return self.known[cell]

    def made(self, name: str) -> SheetColumn:
        """Return the column of this name, once all cells are there."""
        values = np.concatenate([*self.values, np.zeros(0)])
        self.values.clear()
        return SheetColumn(name, values, np.concatenate(self.codes) if self.codes else None, list(self.texts), self.units)


def _plain(cells: tuple[str, ...], marks: Marks) -> np.ndarray | None:
    """The numbers, if all cells are plain ones, without a sign and without groups of thousands."""
    joined = "\n".join(cells)
    if not joined.isascii() or "_" in joined or "n" in joined or "N" in joined or joined.count("\n") != len(cells) - 1:
        return None  # what Python takes for a number and a table does not
    if ("." if marks.decimal == "," else ",") in joined:
        joined = marks.without_thousands(joined)
        if joined is None:
            return None
    cells = joined.replace(",", ".").split("\n")
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def _written(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
