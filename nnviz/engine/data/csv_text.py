"""From the bytes of a file to rows of cells: encoding, separator, decimal comma and header, found or given. Errors name the line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnviz.document.catalog import WIDEST
from nnviz.engine.errors import BuildError

LARGEST = 50_000_000
"""Bytes; a larger file is refused."""
SEPARATORS = {"semicolon": ";", "tab": "\t", "bar": "|", "comma": ",", "space": " "}
GUESSED = ("semicolon", "tab", "bar", "comma")
"""The separators that are worked out, the likelier first; a space has to be chosen."""
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "?"})
"""What stands where a value is missing, in small letters."""

_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Sheet:
    """Rows of cells under named columns, with the line each starts on."""

    file: str
    encoding: str
    separator: str
    """semicolon · tab · bar · comma · space"""
    comma: bool
    """Whether numbers have a decimal comma."""
    has_header: bool
    header: list[str]
    lines: list[int]
    rows: list[list[str]]

    def is_number(self, cell: str) -> bool:
        """Return whether the cell is written as a number."""
        return bool((_COMMA if self.comma else _POINT).fullmatch(cell.strip()))

    def number(self, cell: str) -> float:
        """Return the number a cell is written as; it may be infinite."""
        return float(cell.replace(",", ".") if self.comma else cell)

    def column(self, place: int) -> list[str]:
        """Return the cells of a column without the spaces around them."""
        return [row[place].strip() for row in self.rows]

    def error(self, row: int, message: str, cure: str) -> BuildError:
        """Return an error that names the line of a row."""
        return line_error(self.file, self.lines[row], message, cure)


def read_sheet(path: Path, target: str = "", options: Mapping[str, Any] | None = None) -> Sheet:
    """Return the cells of a file. Raises BuildError naming the line.

    `options`: separator, decimal and header as the catalog's `csv` has them; a first line that holds `target` is a header.
    """
    options = options or {}
    text, encoding = _text(path)
    separator, comma = _guess(text, options.get("separator", "auto"), options.get("decimal", "auto"))
    lines, rows = _rows(path.name, text, SEPARATORS[separator])
    sheet = Sheet(path.name, encoding, separator, comma, False, [f"column {place}" for place in range(1, len(rows[0]) + 1)], lines, rows)
    top = [cell.strip() for cell in rows[0]]
    guessed = target in top or not any(map(sheet.is_number, top))
    return _headed(sheet, top) if {"yes": True, "no": False}.get(options.get("header", "auto"), guessed) else sheet


def line_error(file: str, line: int, message: str, cure: str) -> BuildError:
    """Return an error that names file and line."""
    return BuildError("data.path", f"{file}, line {line}: {message}", cure)


# --- bytes to text ---


def _text(path: Path) -> tuple[str, str]:
    """The text of a file, and its encoding."""
    if not path.is_file():
        raise BuildError("data.path", f"There is no file {str(path)!r}.", "Choose a CSV file, or correct the path.")
    try:
        if path.stat().st_size > LARGEST:
            raise BuildError("data.path", f"{path.name} is larger than {LARGEST // 10**6} MB.", "Take fewer rows.")
        raw = path.read_bytes()
    except OSError as error:
        raise BuildError("data.path", f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decoded(path.name, raw, "utf-16"), "UTF-16"
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        raise line_error(path.name, line, "a NUL byte: this is not a text file.", "Save the table as CSV in UTF-8.")
    try:
        return raw.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "Latin-1"


def _decoded(file: str, raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].decode(encoding, "replace").count("\n") + 1
        raise line_error(file, line, f"it is not {encoding.upper()}, as its first bytes say.", "Save the table as CSV in UTF-8.") from error


# --- text to rows ---


def _rows(file: str, text: str, separator: str) -> tuple[list[int], list[list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=separator == " ")
    lines, rows, first = [], [], 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                lines.append(first)
                rows.append(row)
                _check_width(file, first, row, rows[0])
            first = reader.line_num + 1
    except csv.Error as error:
        raise line_error(file, first, f"{error}.", "Look for a quotation mark that is not closed.") from error
    if not rows:
        raise BuildError("data.path", f"{file} is empty.", "Choose a file with a table.")
    return lines, rows


def _check_width(file: str, line: int, row: list[str], top: list[str]) -> None:
    if len(row) > WIDEST:
        raise line_error(file, line, f"{len(row):,} columns are more than {WIDEST:,}.", "Leave columns out.")
    if len(row) != len(top):
        cells = f"{len(row)} cell" if len(row) == 1 else f"{len(row)} cells"
        cure = "Give every line the same number of cells, or choose another separator."
        raise line_error(file, line, f"{cells}, but the first line has {len(top)}.", cure)


def _guess(text: str, separator: str, decimal: str) -> tuple[str, bool]:
    """The separator under which most cells of the first lines are numbers, and whether those have a decimal comma."""
    head = [line for line in text[:100_000].splitlines()[:50] if line.strip()]
    separators = GUESSED if separator == "auto" else (separator,)
    commas = (False, True) if decimal == "auto" else (decimal == "comma",)
    ways = [(name, comma) for name in separators for comma in commas if not (comma and name == "comma" and decimal == "auto")]
    return max(ways, key=lambda way: _fit(head, *way))


def _fit(head: list[str], separator: str, comma: bool) -> tuple[float, int, bool]:
    rows = [line.split(SEPARATORS[separator]) for line in head]
    cells = [cell.strip().strip('"') for row in rows for cell in row]
    pattern = _COMMA if comma else _POINT
    widest = max((len(row) for row in rows), default=0)
    share = sum(bool(pattern.fullmatch(cell)) for cell in cells) / max(1, len(cells))
    return (share if widest > 1 else -1.0, widest, not comma)


def _headed(sheet: Sheet, top: list[str]) -> Sheet:
    """The sheet with its first line as header. A column without a name keeps its number as name."""
    names = [name or numbered for name, numbered in zip(top, sheet.header, strict=True)]
    for place, name in enumerate(names):
        if name in names[:place]:
            message = f"columns {names.index(name) + 1} and {place + 1} are both called {name[:40]!r}."
            raise sheet.error(0, message, "Give every column a name of its own, or say that there is no header.")
    return replace(sheet, has_header=True, header=names, lines=sheet.lines[1:], rows=sheet.rows[1:])
