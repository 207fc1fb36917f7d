"""How numbers are written on the screen: 4 significant digits, a true minus sign, columns that do not jump."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

DIGITS = 4
MINUS = "−"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
"""Turns the digits of a power of ten into small raised ones."""
MOST_SHOWN = 6
"""A row of more numbers than this is abbreviated."""
WIDEST = 40
"""No line of numbers is longer than this, in characters."""
_MORE = 8
"""By how much one of complex numbers may be: else hardly any of them would stand in it."""


def number(value: complex) -> str:
    """Return the number in 4 significant digits: "3.062", "−0.72", "1.3e−9", "NaN", "∞", "0.8+1.39j"."""
    if np.iscomplexobj(value):
        return _whole(number(value.real), number(abs(value.imag)), value.imag)
    value = float(value)
    if not math.isfinite(value):
        return _non_finite(value)
    if value == 0:
        return "0"
    exponent = _exponent(value)
    if -4 <= exponent <= 5:
        return signed(trimmed(f"{value:.{max(0, DIGITS - 1 - exponent)}f}"))
    return _scientific(value, DIGITS - 1)


def steady(value: complex) -> str:
    """Return the number as `aligned` writes it alone, zeros at the end included, so that it keeps its width: "0.3700"."""
    if np.iscomplexobj(value):
        return _whole(steady(value.real), steady(abs(value.imag)), value.imag)
    value = float(value)
    if not math.isfinite(value) or (value == round(value) and abs(value) < 10**DIGITS):
        return number(value)
    exponent = _exponent(value)
    return signed(f"{value:.{max(0, DIGITS - 1 - exponent)}f}") if -3 <= exponent <= 5 else number(value)


def short(value: float) -> str:
    """Return the number in 2 significant digits, for captions: "2.1", "0.031", "1.2e5"."""
    value = float(value)
    return number(float(f"{value:.1e}")) if math.isfinite(value) else _non_finite(value)


def aligned(values: Sequence[complex] | np.ndarray, digits: int = DIGITS) -> list[str]:
    """Return the numbers equally wide, with as many decimals as the largest needs for 4 significant digits; 3 if they are complex."""
    array = _as_numbers(values).reshape(-1)
    if np.iscomplexobj(array):
        texts = aligned(np.concatenate([array.real, np.abs(array.imag)]), digits - 1)
        pairs = zip(texts[: array.size], texts[array.size :], array.imag, strict=True)
        return [_whole(real, imaginary.strip(), sign) for real, imaginary, sign in pairs]
    decimals = _decimals(array, digits)
    texts = [number(v) if decimals is None else _in_column(v, decimals) for v in array]
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def row(values: Sequence[complex] | np.ndarray, most: int = MOST_SHOWN) -> str:
    """Return the numbers in brackets, "[ 0.1 −2.3 ]", with an ellipsis behind the first `most`."""
    array = _as_numbers(values).reshape(-1)
    if array.size == 0:
        return "[ ]"
    while True:
        tail = f" … {array.size - most} more" if array.size > most else ""
        scaled, factor = _factored(array[:most])
        text = f"[ {' '.join(text.strip() for text in aligned(scaled))}{tail} ]{factor}"
        if len(text) <= WIDEST + (_MORE if np.iscomplexobj(array) else 0) or most == 1:
            return text
        most = min(most, array.size) - 1


def table(values: np.ndarray, rows: int = 4, columns: int = 5) -> str:
    """Return an array as lines of text: one element as a number, a vector as a row, the rest as a matrix of at most rows × columns."""
    array = _as_numbers(values)
    if array.size == 1:
        return number(array.reshape(-1)[0])
    if array.ndim == 1:
        return row(array)
    matrix = array.reshape(-1, array.shape[-1])
    shown, factor = _factored(matrix[:rows, :columns])
    texts = np.array(aligned(shown)).reshape(shown.shape)
    tail = " …" if matrix.shape[1] > columns else ""
    lines = [f"[ {' '.join(line)}{tail} ]" for line in texts]
    lines[0] += factor
    if len(lines[0]) > WIDEST and columns > 1:
        return table(array, rows, columns - 1)
    return "\n".join(lines + ([f"… {len(matrix) - rows} more rows"] if len(matrix) > rows else []))


def around(values: np.ndarray, element: Sequence[int], rows: int = 4, columns: int = 5) -> str:
    """Return an array as `table` does, but with this element in it; a first line says which part it is, where it is not the first."""
    array = _as_numbers(values)
    if len(element) != array.ndim or array.size <= 1:
        return table(array, rows, columns)
    matrix, line = array.reshape(-1, array.shape[-1]), _line(element, array)
    plain = table(array, rows, columns)
    shown = len(plain.split("\n")[0].partition("]")[0].partition("…")[0].strip("[ ").split())
    if line < rows and element[-1] < shown:
        return plain
    height = array.shape[-2] if array.ndim > 2 and array.shape[-2] >= rows else len(matrix)  # no rows of another matrix
    first, left = line // height * height + _start(line % height, rows, height), _start(element[-1], shown, matrix.shape[1])
    part, factor = _factored(matrix[first : first + rows, left : left + shown])
    texts = np.array(aligned(part)).reshape(part.shape)
    before, behind = "… " if left else "", " …" if left + shown < matrix.shape[1] else ""
    lines = [f"[ {before}{' '.join(line)}{behind} ]" for line in texts]
    names = [_rows_named(first, first + len(part) - 1, array), f"columns {left}–{left + shown - 1}" if shown < matrix.shape[1] else ""]
    return "\n".join([", ".join(filter(None, names)), lines[0] + factor, *lines[1:]])


def _as_numbers(values: Sequence[complex] | np.ndarray) -> np.ndarray:
    array = np.asarray(values)
    return array if np.iscomplexobj(array) else array.astype(float)


def _whole(real: str, imaginary: str, sign: float) -> str:
    """Both parts of a complex number; the imaginary one without its sign."""
    return f"{real}{MINUS if np.signbit(sign) else '+'}{imaginary}j"


def mark(text: str, values: np.ndarray, element: Sequence[int]) -> tuple[int, int, int] | None:
    """Return where an element stands in what `around` or `table` wrote: line, first character, how many; None if it does not."""
    array = np.asarray(values)
    if len(element) != array.ndim or array.size <= 1:
        return None
    head, *lines = text.split("\n")
    has_head = not head.startswith("[")
    lines = lines if has_head else [head, *lines]
    first, left = _first_shown(head, array) if has_head else (0, 0)
    line, column = _line(element, array) - first, element[-1] - left
    shown = list(re.finditer(r"[^\s\[\]…]+", re.sub(r" … \d+ more.*| \].*", "", lines[line]))) if 0 <= line < len(lines) else []
    if not 0 <= column < len(shown):
        return None
    return line + has_head, shown[column].start(), len(shown[column].group())


def _first_shown(head: str, array: np.ndarray) -> tuple[int, int]:
    """The first row and column that a first line names."""
    rows = re.search(r"rows (\[[\d, ]*\]|\d+)–", head)
    places = tuple(map(int, re.findall(r"\d+", rows[1]))) if rows else ()
    row = int(np.ravel_multi_index(places, array.shape[:-1])) if len(places) > 1 else places[0] if places else 0
    columns = re.search(r"columns (\d+)–", head)
    return row, int(columns[1]) if columns else 0


def _line(element: Sequence[int], array: np.ndarray) -> int:
    return int(np.ravel_multi_index(tuple(element[:-1]), array.shape[:-1])) if array.ndim > 1 else 0


def _start(wanted: int, room: int, count: int) -> int:
    """Where a stretch of `room` places begins that has the wanted one in it, in the middle if it can be."""
    return max(0, min(wanted - room // 2, count - room))


def _rows_named(first: int, last: int, array: np.ndarray) -> str:
    """ "rows 12–15", or by their places where there are more axes; empty for a vector and where all rows are shown."""
    if array.ndim == 1 or (first == 0 and last + 1 == array[..., 0].size):
        return ""
    ends = [place(tuple(map(int, np.unravel_index(line, array.shape[:-1])))) if array.ndim > 2 else str(line) for line in (first, last)]
    return f"rows {ends[0]}–{ends[1]}"


def shape(sizes: Sequence[int]) -> str:
    """Return a shape as "32×4"; "scalar" for none."""
    return "×".join(map(str, sizes)) if len(sizes) else "scalar"


def place(element: Sequence[int]) -> str:
    """Return the place of an element as torch writes it, counted from 0: "[3, 1]"; empty for that of a scalar."""
    return f"[{', '.join(map(str, element))}]" if len(element) else ""


def signed(text: str) -> str:
    """Return the text with true minus signs."""
    return text.replace("-", MINUS)


def _non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "∞" if value > 0 else f"{MINUS}∞"


def _exponent(value: float) -> int:
    """The power of ten of the number once it is rounded to 4 digits."""
    return int(f"{value:.{DIGITS - 1}e}".split("e")[1])


def trimmed(text: str) -> str:
    """Return a decimal number without the zeros at its end."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return signed(f"{trimmed(mantissa)}e{int(exponent)}")


def _factored(array: np.ndarray) -> tuple[np.ndarray, str]:
    """The numbers divided by a common power of ten, and that power as text, where all are so small or so large that it saves room."""
    known = np.abs(array[np.isfinite(array) & (array != 0)])
    if known.size == 0 or -2 <= (exponent := _exponent(float(known.max()))) <= 5:
        return array, ""
    return array / 10.0**exponent, f" ·10{str(exponent).translate(RAISED)}"


def _decimals(array: np.ndarray, digits: int = DIGITS) -> int | None:
    """How many decimals a column of these numbers gets; None where a common number of decimals would hide them."""
    known = np.abs(array[np.isfinite(array) & (array != 0)])
    if known.size == 0 or ((known == np.round(known)).all() and known.max() < 10**DIGITS):
        return 0
    exponent = _exponent(float(known.max()))
    return min(max(0, digits - 1 - exponent), 6) if -3 <= exponent <= 5 else None


def _in_column(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return _non_finite(value)
    if value == 0:
        return "0"
    text = f"{value:.{decimals}f}"
    return signed(text) if float(text) != 0 else _scientific(value, 0)
