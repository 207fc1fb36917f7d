"""Blocks of numbers as text: what a spreadsheet puts on the clipboard, read back with every fault named at its place, and written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from nnviz.document.problems import Refused

MOST = 1_000_000
"""Characters of a block."""


def read_block(text: str, columns: int | None = None) -> list[list[float]]:
    """Return the rows of numbers in a text: separated by tabs, semicolons, spaces or commas, also as nested lists ([[1, 2], [3, 4]]).

    Between tabs, semicolons or spaces a comma is a decimal comma. Where only commas are there, they separate, unless each row then had
    another number of cells than `columns` and exactly that many with decimal commas. Raises Refused, with line and cell, for what is no
    finite number, and for rows of different length.
    """
    if len(text) > MOST:
        raise Refused(f"The clipboard holds {len(text):,} characters; {MOST:,} are the most.", "Copy a smaller block.")
    text = _plain(text)
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise Refused("There are no numbers on the clipboard.", "Copy a block of cells first.")
    separator = next((sign for sign in ("\t", ";") if sign in text), None)
    if separator is None and "," in text and not all(_is_spaced(line) for line in lines):
        return _numbers(_between_commas(lines, columns), decimal_comma=False)
    return _numbers([line.split(separator) for line in lines], decimal_comma=True)


def write_block(rows: Sequence[Sequence[float]]) -> str:
    """Return the rows as a spreadsheet reads them: tabs between cells, each with as many digits as bring the number back."""
    return "\n".join("\t".join(repr(float(value)) for value in row) for row in rows)


def _is_spaced(line: str) -> bool:
    """Whether spaces separate the numbers of a line, so that its commas are decimal commas."""
    cells = line.split()
    return len(cells) > 1 and not any(cell.startswith(",") or cell.endswith(",") for cell in cells)


def _between_commas(lines: list[str], columns: int | None) -> list[list[str]]:
    rows = [line.rstrip().rstrip(",").split(",") for line in lines]
    if columns is None or any(len(row) == columns for row in rows) or any(len(row) != 2 * columns for row in rows):
        return rows
    return [[f"{whole}.{part}" for whole, part in zip(row[::2], row[1::2], strict=True)] for row in rows]


def _plain(text: str) -> str:
    """The text with brackets of nested lists made into lines, and a true minus sign into a hyphen."""
    text = text.replace("−", "-").replace("\u00a0", " ").replace("\ufeff", "").strip("\r\n")
    if not text.lstrip().startswith("["):
        return text
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return re.sub(r"\]\s*,?\s*\[", "\n", text).replace("[", "").replace("]", "").replace(", ", " ").strip()
    rows = rows if isinstance(rows, list) and rows and all(isinstance(row, list) for row in rows) else [rows]
    return "\n".join("\t".join(str(cell) for cell in row) for row in rows)


def _numbers(rows: list[list[str]], decimal_comma: bool) -> list[list[float]]:
    cells = [[(cell, f"Line {line}, cell {place}") for place, cell in enumerate(row, 1)] for line, row in enumerate(rows, 1)]
    read = [[_number(cell, place, decimal_comma) for cell, place in row] for row in cells]
    uneven = next((line for line, row in enumerate(read, 1) if len(row) != len(read[0])), None)
    if uneven:
        message = f"Line {uneven} has {len(read[uneven - 1])} numbers and line 1 has {len(read[0])}."
        raise Refused(message, "Copy a block whose rows are equally long.")
    return read


def _number(cell: str, place: str, decimal_comma: bool) -> float:
    text = cell.strip().strip('"').strip()
    plain = text.replace(",", ".") if decimal_comma and text.count(",") == 1 and "." not in text else text
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", plain, re.ASCII) or not math.isfinite(float(plain)):
        shown = text if len(text) <= 30 else text[:27] + "…"
        raise Refused(f"{place} {f'is “{shown}”, which is no finite number' if text else 'is empty'}.", "Copy numbers only.")
    return float(plain)
