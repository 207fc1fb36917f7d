"""How a file with a table is laid out: encoding, separator, quotation mark, decimal mark and header, found in its first lines or given.

A separator is judged by whole lines: under the right one all have equally many cells, and many of those are numbers.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nnviz.engine.data.number_marks import Marks, is_date, is_nearly_number, marks_of
from nnviz.engine.errors import BuildError

SEPARATORS = {"semicolon": ";", "tab": "\t", "bar": "|", "comma": ",", "space": " "}
"""The likelier first. "space" is any run of white space."""
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "?"})
"""What stands where a value is missing, in small letters."""
ROW_NAMES = "row names"
"""What the first column is called where there is one name fewer than cells, as R writes it."""
CODECS = {"UTF-8": "utf-8-sig", "UTF-16": "utf-16", "Windows-1252": "cp1252", "Latin-1": "latin-1"}

_HEAD_LINES, _HEAD_LETTERS, _LONGEST_LINE, _MOST_BLANK, _JUDGED = 200, 100_000, 1_000_000, 10_000, 4_000
_EXCEL = re.compile(r"sep=(\t|.)\s*", re.IGNORECASE)
_TOKENS = re.compile(r'("(?:[^"]|"")*"?)|\s+')


@dataclass(frozen=True)
class Layout:
    """What has to be known to cut a file into cells. `names`: of the columns, "" where there is none."""

    encoding: str
    separator: str
    quote: str
    marks: Marks
    skipped: int
    """Lines above the table: that in which Excel names the separator."""
    has_header: bool
    has_row_names: bool
    names: tuple[str, ...]

    @property
    def header(self) -> list[str]:
        """What the columns are called: one without a name has its number."""
        return [name or f"column {place}" for place, name in enumerate(self.names, 1)]

    @property
    def needed(self) -> int:
        """How many cells a line has at least: columns without a name at the end may be left open."""
        return max((place for place, name in enumerate(self.names, 1) if name), default=1)


def line_error(file: str, line: int, message: str, cure: str) -> BuildError:
    """Return an error that names file and line."""
    return BuildError("data.path", f"{file}, line {line}: {message}", cure)


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for a missing value."""
    return cell.strip().lower() in MISSING


def layout_of(file: str, raw: bytes, target: str, options: Mapping[str, Any]) -> Layout:
    """Return the layout of a file. Raises BuildError if it is empty or no text.

    `options`: separator, decimal and header as the catalog's `csv` has them; a first line that holds `target` is a header.
    """
    encoding = _encoding(file, raw)
    head = _head(raw, encoding)
    if not any(line.strip() for line in head):
        first = "" if not raw.strip() else f" in its first {len(head):,} lines"
        raise BuildError("data.path", f"{file} is empty{first}.", "Choose a file with a table.")
    named, chosen = _EXCEL.fullmatch(head[0]), options.get("separator", "auto")
    by_excel = next((name for name, mark in SEPARATORS.items() if named and mark == named[1]), None)
    skipped = 1 if by_excel else 0
    separator, quote, rows = _best_way(head[skipped:], (by_excel or "auto") if chosen == "auto" else chosen)
    marks = marks_of([cell for row in rows[:_JUDGED] for cell in row], options.get("decimal", "auto"))
    return _named(Layout(encoding, separator, quote, marks, skipped, False, False, ()), rows, target, options.get("header", "auto"))


# --- bytes to lines ---


def _encoding(file: str, raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            raw.decode("utf-16")
        except UnicodeDecodeError as error:
            line = raw[: error.start].decode("utf-16", "replace").count("\n") + 1
            raise line_error(file, line, "it is not UTF-16, as its first bytes say.", "Save the table as CSV in UTF-8.") from error
        return "UTF-16"
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        raise line_error(file, line, "a NUL byte: this is not a text file.", "Save the table as CSV in UTF-8.")
    return next((name for name in ("UTF-8", "Windows-1252") if _is_in(raw, CODECS[name])), "Latin-1")


def _is_in(raw: bytes, codec: str) -> bool:
    """Whether the bytes are of this encoding; they are looked at in pieces, as text takes up to four times the room."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for start in range(0, len(raw), 1 << 20):
            decoder.decode(raw[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def text_of(raw: bytes, encoding: str) -> io.TextIOWrapper:
    """Return the text of a file, to be read line by line; the ends of lines stay as they are."""
    return io.TextIOWrapper(io.BytesIO(raw), encoding=CODECS[encoding], newline="")


def _head(raw: bytes, encoding: str) -> list[str]:
    """The first lines, empty ones included. The last is whole, if it is not the only one and very long."""
    text, lines, letters, filled = text_of(raw, encoding), [], 0, 0
    while len(lines) < _MOST_BLANK and filled < _HEAD_LINES and (letters < _HEAD_LETTERS or filled < 3):
        line = text.readline(_LONGEST_LINE)
        if not line or (filled and len(line) == _LONGEST_LINE):
            break
        lines.append(line)
        letters, filled = letters + len(line), filled + bool(line.strip())
    return lines


def joined_tokens(lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines of a table made with white space, with one space between two cells and none at the ends."""
    for line in lines:
        words = line.split() if '"' not in line else [_TOKENS.sub(lambda found: found[1] or " ", line).strip()]
        yield " ".join(words) + "\n"


def reader_of(lines: Iterator[str], separator: str, quote: str, strict: bool = True) -> Any:
    """Return a csv.reader over lines."""
    tokens = joined_tokens(lines) if separator == "space" else lines
    return csv.reader(tokens, delimiter=SEPARATORS[separator], quotechar=quote, strict=strict, skipinitialspace=True)


# --- the separator ---


def _best_way(head: list[str], chosen: str) -> tuple[str, str, list[list[str]]]:
    """The separator and the quotation mark under which the first lines are most of all a table, and their cells."""
    quotes = ('"', "'") if any("'" in line for line in head) and not any('"' in line for line in head) else ('"',)
    separators = tuple(SEPARATORS) if chosen == "auto" else (chosen,)
    ways = [(name, quote, _cells(head, name, quote)) for quote in quotes for name in separators]
    scored = [(_score(rows, name, chosen != "auto") * _are_quoted(rows, head, quote), name, quote, rows) for name, quote, rows in ways]
    best = max(scored, key=lambda way: way[0])
    single = [[line.strip()] for line in head if line.strip()]
    is_single = (
        len(single) > 1 and all(len(way[3][0]) == 1 for way in scored if way[3]) and all(is_nearly_number(row[0]) for row in single[1:])
    )
    if best[0] <= 0 or (is_single and chosen == "auto"):
        apart = next(
            (name for name in ("comma", "semicolon", "tab", "bar") if not any(SEPARATORS[name] in row[0] for row in single)), "comma"
        )
        name = apart if chosen == "auto" else chosen
        return name, '"', _cells(head, name, '"') or single
    return best[1:]


def _cells(head: list[str], separator: str, quote: str) -> list[list[str]]:
    """The rows of the first lines that are not empty; none where they cannot be cut so."""
    try:
        rows = list(reader_of(iter(head), separator, quote, strict=quote == "'"))
    except csv.Error:
        return []
    return [stripped for row in rows if any(stripped := [cell.strip() for cell in row])]


def _are_quoted(rows: list[list[str]], head: list[str], quote: str) -> float:
    """More than 1 where all words stand between single quotation marks, 0 where some do not; 1 for double ones."""
    words = sum(bool(cell) and not is_nearly_number(cell) for row in rows for cell in row)
    return 1.0 if quote == '"' else 1.001 * (sum(line.count(quote) for line in head) >= max(2, 2 * words))


def _score(rows: list[list[str]], separator: str, is_chosen: bool) -> float:
    """How much a table these rows are: 0 for none; what counts is how many have equally many cells, and how many cells are numbers."""
    if not rows:
        return 0.0
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width == 1:
        return 0.01 if is_chosen else 0.0
    even = sum(len(row) == width or (len(row) > width and not any(row[width:])) for row in rows) / len(rows)
    cells = [cell for row in rows[: max(2, _JUDGED // width)] for cell in row if cell][:_JUDGED]
    typed = sum(is_nearly_number(cell) or is_date(cell) or is_missing(cell) for cell in cells) / max(1, len(cells))
    if separator == "space" and not is_chosen and typed < 0.5:
        return 0.0  # a text has spaces too
    return even * (0.25 + typed)


# --- the names of the columns ---


def _named(layout: Layout, rows: list[list[str]], target: str, header: str) -> Layout:
    """The layout with its header, and with as many columns as the lines have."""
    top, body = rows[0], rows[1:]
    width = Counter(map(len, body)).most_common(1)[0][0] if body else len(top)
    has_row_names = False
    if width < len(top) and not any(top[width:]):
        top = top[:width]
    elif width == len(top) + 1 > 2 and header != "no" and not any(layout.marks.read(cell) for cell in top):
        has_row_names = any(row[len(top)] for row in body if len(row) > len(top))  # else it is a separator behind every line
    if has_row_names:
        return _with(layout, True, True, (ROW_NAMES, *top))
    found = {"yes": True, "no": False}.get(header)
    is_header = _is_header(top, body, layout.marks, target) if found is None else found
    names = top if is_header else [f"column {place}" if cell else "" for place, cell in enumerate(top, 1)]
    return _with(layout, is_header, False, tuple(names))


def _with(layout: Layout, has_header: bool, has_row_names: bool, names: tuple[str, ...]) -> Layout:
    return Layout(layout.encoding, layout.separator, layout.quote, layout.marks, layout.skipped, has_header, has_row_names, names)


def _is_header(top: list[str], body: list[list[str]], marks: Marks, target: str) -> bool:
    """Whether the first line names the columns: it has no number, or words above numbers, or numbers that count on."""
    if target and target in top:
        return True
    top = list(top)
    while top and not top[-1] and not any(len(row) >= len(top) and row[len(top) - 1] for row in body):
        top.pop()  # behind a separator at the end of every line
    numbers = [cell for cell in top if is_nearly_number(cell)]
    if not numbers:
        return any(not is_missing(cell) for cell in top)
    body = [row[: len(top)] for row in body if len(row) >= len(top)]
    if not body:
        return False
    columns = list(zip(*body, strict=True))
    words_above = sum(_is_word_above(cell, column, marks) for cell, column in zip(top, columns, strict=True))
    return words_above > len(numbers) or (all(map(marks.read, numbers)) and _counts_on(top, columns, body, marks))


def _is_word_above(cell: str, column: tuple[str, ...], marks: Marks) -> bool:
    known = [one for one in column if not is_missing(one)]
    return not is_missing(cell) and not is_nearly_number(cell) and 2 * sum(marks.read(one) is not None for one in known) > len(known)


def _counts_on(top: list[str], columns: list[tuple[str, ...]], body: list[list[str]], marks: Marks) -> bool:
    """Whether the numbers of the first line are years, or counted on above fractions, and those of no other line are."""
    places = [place for place, cell in enumerate(top) if marks.read(cell)]

    def steps(row: list[str]) -> set[float]:
        values = [marks.read(row[place]) for place in places]
        if None in values or any(not value[0].is_integer() for value in values):
            return set()
        found = {after[0] - before[0] for before, after in pairwise(values)}
        if all(1500 <= value[0] <= 2200 for value in values):
            return {1.0} if all(step > 0 for step in found) else set()
        return found

    first = marks.read(top[places[0]])[0]
    are_years = all(1500 <= marks.read(top[place])[0] <= 2200 for place in places)
    enough = any if len(places) > 1 else all
    above_fractions = all(enough("." in cell or "," in cell for cell in columns[place]) for place in places)
    counts_on = [steps(row) == {1.0} for row in (top, *body)]
    if not counts_on[0] or any(counts_on[1:]) or not (above_fractions or (are_years and len(places) > 1)):
        return False
    if len(places) == len(top):
        return len(top) > 2 and first in (0.0, 1.0) and above_fractions
    return above_fractions or any(not is_missing(cell) for place, cell in enumerate(top) if place not in places)
