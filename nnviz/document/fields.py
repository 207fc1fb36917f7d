"""Which values a field of the catalog takes, and how text from a command line becomes one."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from nnviz.document.catalog import MOST_CLASSES, Field
from nnviz.document.problems import Refused, listed, offered, shown

LONGEST_TEXT = 200
LONGEST_PATH = 4096
MOST_AXES = 4
MOST_WEIGHT_AXES = 8

_NOTHING = ("none", "null", "off", "")
_TRUTHS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


def accepted(field: Field, value: Any) -> Any:
    """Return the value as the document keeps it (a whole number as a float where the field is a number).

    Raises Refused, with what the field takes, for everything else.
    """
    if value is None and field.optional:
        return None
    kept = _READERS[field.type](field, value)
    if kept is None:
        raise Refused(f"{shown(value)} is not allowed.", f"Give {expected(field)}.")
    return kept


def takes(field: Field, value: Any) -> bool:
    """Return whether the field takes the value."""
    try:
        accepted(field, value)
    except Refused:
        return False
    return True


def nearest(field: Field, value: Any) -> Any:
    """Return the value the field takes that is nearest to this one: the limit it passes, else the field's default."""
    number = finite(value)
    if field.type not in ("integer", "number") or number is None:
        return field.default
    limited = max(
        field.minimum if field.minimum is not None else number, min(number, field.maximum if field.maximum is not None else number)
    )
    return round(limited) if field.type == "integer" else limited


def expected(field: Field) -> str:
    """Return what the field takes, as the end of a sentence: "a whole number from 1 to 4,096"."""
    text = {
        "integer": f"a whole number{_limits(field)}",
        "number": f"a number{_limits(field)}",
        "boolean": "true or false",
        "choice": f"one of: {listed(field.choices)}",
        "shape": f"a list of 1 to {MOST_AXES} whole numbers, each{_limits(field)}",
        "path": f"text of at most {LONGEST_PATH:,} characters without control characters",
        "text": f"one line of at most {LONGEST_TEXT} characters",
        "table": "a list of rows, all equally long lists of finite numbers"
        + (", or one class number from 0 up per row" if field.name == "y" else ""),
        "names": f"a list of names, each of at most {LONGEST_TEXT} characters",
    }[field.type]
    return f"{text}, or none" if field.optional else text


def parsed(field: Field, text: str) -> Any:
    """Return the value a text stands for. Raises Refused where the field does not take it."""
    if field.optional and text.strip().lower() in _NOTHING:
        return None
    try:
        value = _PARSERS.get(field.type, str)(text)
    except (ValueError, KeyError, RecursionError):
        value = None
    return accepted(field, text if value is None else value)


def checked(fields: tuple[Field, ...], label: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings as the document keeps them. Raises Refused for an unknown field or a value it does not take."""
    rows = {field.name: field for field in fields}
    kept = {}
    for name, value in settings.items():
        if name not in rows:
            raise Refused(f'{label} has no field "{name}".', offered(name, rows))
        try:
            kept[name] = accepted(rows[name], value)
        except Refused as refused:
            raise Refused(f"{name}: {refused.message}", refused.cure) from None
    return kept


def faults(fields: tuple[Field, ...], settings: dict[str, Any]) -> Iterator[tuple[Field, Refused, Any]]:
    """Return the fields whose value is not taken, why it is not, and the nearest value that is."""
    for field in fields:
        try:
            accepted(field, settings.get(field.name))
        except Refused as refused:
            yield field, refused, nearest(field, settings.get(field.name))


def _limits(field: Field) -> str:
    low, high = field.minimum, field.maximum
    if low is not None and high is not None:
        return f" from {_figure(low)} to {_figure(high)}"
    return f" from {_figure(low)} up" if low is not None else ""


def _figure(number: float) -> str:
    return f"{int(number):,}" if number == int(number) and abs(number) < 1e10 else f"{number:g}"


def _within(field: Field, value: float) -> bool:
    return (field.minimum is None or value >= field.minimum) and (field.maximum is None or value <= field.maximum)


# --- one reader per type: the value as it is kept, or None ---


def _integer(field: Field, value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and _within(field, value) else None


def _number(field: Field, value: Any) -> float | None:
    number = finite(value)
    return number if number is not None and _within(field, number) else None


def _boolean(field: Field, value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _choice(field: Field, value: Any) -> str | None:
    return value if isinstance(value, str) and value in field.choices else None


def _shape(field: Field, value: Any) -> list[int] | None:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_AXES:
        return None
    return list(value) if all(_integer(field, size) is not None for size in value) else None


def _path(field: Field, value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= LONGEST_PATH and _is_plain(value) else None


def _text(field: Field, value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= LONGEST_TEXT and _is_plain(value) else None


def _is_plain(text: str) -> bool:
    """Whether the text is one line that UTF-8 can write: no control characters, no halves of surrogate pairs."""
    return text.isprintable() or not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text)


def _table(field: Field, value: Any) -> list | None:
    if not isinstance(value, list | tuple):
        return None
    if field.name == "y" and all(isinstance(entry, int) and not isinstance(entry, bool) for entry in value):
        return list(value) if all(0 <= entry < MOST_CLASSES for entry in value) else None
    if not all(isinstance(row, list | tuple) and row for row in value) or len(set(map(len, value))) > 1:
        return None
    return [list(map(float, row)) for row in value] if are_finite(list(chain.from_iterable(value))) else None


def _names(field: Field, value: Any) -> list[str] | None:
    if not isinstance(value, list | tuple) or len(value) > MOST_CLASSES:
        return None
    return list(value) if all(_text(field, name) is not None for name in value) else None


_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "integer": _integer, "number": _number, "boolean": _boolean, "choice": _choice,
    "shape": _shape, "path": _path, "text": _text, "table": _table, "names": _names,
}  # fmt: skip


_PARSERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda text: _TRUTHS[text.strip().lower()],
    "shape": lambda text: json.loads(text if text.strip().startswith("[") else f"[{text}]"),
    "table": json.loads,
    "names": json.loads,
}


# --- numbers and nested lists of them ---


def finite(value: Any) -> float | None:
    """Return the number as a float; None if it is none, or NaN, infinite, or too large for a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def are_finite(values: Sequence[Any]) -> bool:
    """Return whether all are numbers that `finite` returns. Quick also for millions."""
    try:
        return set(map(type, values)) <= {int, float} and all(map(math.isfinite, values))
    except OverflowError:
        return False


def shape_of(nested: Any) -> tuple[int, ...] | None:
    """Return the shape of nested lists of finite numbers, () for a bare number; None if they are not rectangular or hold anything else."""
    level, shape = [nested], []
    while level and isinstance(level[0], list | tuple):
        sizes = {len(entry) if isinstance(entry, list | tuple) else -1 for entry in level}
        if len(sizes) != 1 or 0 in sizes or len(shape) == MOST_WEIGHT_AXES:
            return None
        shape.append(sizes.pop())
        level = [number for entry in level for number in entry]
    return tuple(shape) if are_finite(level) else None
