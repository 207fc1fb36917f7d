"""How numbers are written in a table: the decimal mark, groups of thousands, per cent and money."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

UNITS = "%$€£¥"
"""Signs that may stand at one end of a number. A number with % is read as hundredths."""

_SPACES = " \u00a0\u2009\u202f"
_PLAIN = {mark: re.compile(rf"[+-]?(?:\d+(?:{re.escape(mark)}\d*)?|{re.escape(mark)}\d+)(?:[eE][+-]?\d+)?", re.ASCII) for mark in ".,"}
_GROUPED = {
    mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:([{re.escape(other)}'’{_SPACES}])\d{{3}})(?:\1\d{{3}})*(?:{re.escape(mark)}\d*)?", re.ASCII)
    for mark, other in ((".", ","), (",", "."))
}
_PARTED = {
    mark: re.compile(rf"(?:[+-]?(?:[1-9]\d{{0,2}}(?:{re.escape(other)}\d{{3}})+|\d+)(?:{re.escape(mark)}\d*)?\n)+", re.ASCII)
    for mark, other in ((".", ","), (",", "."))
}
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
"""What is thousands with one decimal mark, and a fraction with the other."""
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:[T ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2})?", re.ASCII
)


@dataclass(frozen=True)
class Marks:
    """How the numbers of a file are written."""

    decimal: str = "."
    """The mark before the fraction, a point or a comma."""
    parts_thousands: bool = True
    """Whether the other mark is known to part thousands: else 1,234 could be a fraction that somebody else has written."""

    def read(self, cell: str) -> tuple[float, str] | None:
        """Return the number a cell is written as, and its sign of % or money; None where it is none, or could be two."""
        if cell[:1].isalpha():
            return None
        text = cell.strip().replace("−", "-")
        sign = next((sign for sign in (text[-1:], text[:1]) if sign and sign in UNITS), "")
        text = text.strip(sign + _SPACES) if sign else text
        if _PLAIN[self.decimal].fullmatch(text):
            value = float(text.replace(",", "."))
        elif _GROUPED[self.decimal].fullmatch(text) and (self.parts_thousands or not _EITHER.fullmatch(text)):
            value = float(re.sub(rf"[^\d+\-{self.decimal}]", "", text).replace(",", "."))
        else:
            return None
        return (value / 100 if sign == "%" else value, sign) if math.isfinite(value) else None

    def without_thousands(self, lines: str) -> str | None:
        """Return lines of numbers, one to a line, with nothing between their thousands; None if they are anything else."""
        parted = _PARTED[self.decimal] if self.parts_thousands else None
        return lines.replace("," if self.decimal == "." else ".", "") if parted and parted.fullmatch(f"{lines}\n") else None


POINT, COMMA = Marks("."), Marks(",")


def marks_of(cells: list[str], decimal: str = "auto") -> Marks:
    """Return how the numbers among these cells are written, where the person has not said it: auto · point · comma."""
    if decimal != "auto":
        return COMMA if decimal == "comma" else POINT
    telling = [cell for cell in cells if "." in cell or "," in cell]
    telling = [cell for cell in telling if not _EITHER.fullmatch(cell.strip(UNITS + _SPACES))]
    points, commas = (sum(marks.read(cell) is not None for cell in telling) for marks in (POINT, COMMA))
    mark = "," if commas > points else "."
    other = "." if commas > points else ","
    return Marks(mark, any(other in cell and Marks(mark).read(cell) is not None for cell in telling))


def is_nearly_number(cell: str) -> bool:
    """Return whether a cell is a number with one decimal mark or the other."""
    return POINT.read(cell) is not None or COMMA.read(cell) is not None


def is_date(cell: str) -> bool:
    """Return whether a cell is a day, a time, or both, written in digits."""
    return _DATE.fullmatch(cell.strip()) is not None


def why_no_number(cell: str, marks: Marks) -> tuple[str, str]:
    """Return what is wrong with a cell in a column of numbers, as the rest of a sentence that names it, and the cure."""
    one, other = ("point", "comma") if marks.decimal == "." else ("comma", "point")
    if not marks.parts_thousands and _EITHER.fullmatch(cell.strip(UNITS + _SPACES)):
        return (
            f"which is two numbers: with a {other} for thousands, or for the fraction",
            "Say which decimal mark the file has (data.decimal).",
        )
    if is_nearly_number(cell):
        return (
            f"with a decimal {other}, and the file has a decimal {one}",
            f"Write every number with a {one}, or say which mark it is (data.decimal).",
        )
    return "which is not a finite number", "Correct it, empty the cell, or leave the column out."
