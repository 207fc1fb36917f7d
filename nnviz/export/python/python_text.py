"""Python source as `ruff format` lays it out: calls and collections broken over lines where they are too long for one."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import dedent, indent
from typing import Any, NamedTuple

import numpy as np

from nnviz.records.tensors import Array, to_numpy

WIDTH = 88
FEW_NUMBERS = 64
"""So many numbers are written out; more of them as base64 of their bytes."""
_BASE64_WIDTH = 80


class CallSource(NamedTuple):
    """`head(items)`: in one line, or its arguments in one line of their own, or in one line each."""

    head: str
    items: tuple[Any, ...]


class Bracketed(NamedTuple):
    """A collection between two brackets: in one line, or one item to a line."""

    opening: str
    items: tuple[Any, ...]
    closing: str
    comma: str = ""
    """What stands behind a single item of a tuple."""


class Keyed(NamedTuple):
    """`head` and behind it a value, as a keyword argument or an entry of a dict."""

    head: str
    value: Any


Source = str | CallSource | Bracketed | Keyed


def flat(source: Source) -> str:
    """Return it in one line."""
    match source:
        case CallSource(head, items):
            return f"{head}({', '.join(map(flat, items))})"
        case Bracketed(opening, items, closing, comma):
            return f"{opening}{', '.join(map(flat, items))}{comma if len(items) == 1 else ''}{closing}"
        case Keyed(head, value):
            return head + flat(value)
    return source


def laid_out(source: Source, before: str = "", behind: str = "", margin: int = 0) -> str:
    """Return it over as many lines as it needs, none indented but for those inside brackets; `margin` will be put before all.

    `before` and `behind`: what stands in the same line before its beginning and behind its end.
    """
    line = before + flat(source) + behind
    if "\n" not in line and margin + len(line) <= WIDTH:
        return line
    match source:
        case Keyed(head, value):
            return laid_out(value, before + head, behind, margin)
        case CallSource(head, items) if items:
            inside = ", ".join(map(flat, items))
            if "\n" not in inside and margin + 4 + len(inside) <= WIDTH and not (len(items) == 1 and isinstance(items[0], Bracketed)):
                return f"{before}{head}(\n    {inside}\n){behind}"
            return f"{before}{head}(\n{_one_a_line(items, margin)}){behind}"
        case Bracketed(opening, items, closing) if items:
            return f"{before}{opening}\n{_one_a_line(items, margin)}{closing}{behind}"
    return line


def _one_a_line(items: Sequence[Source], margin: int) -> str:
    return "".join(indent(laid_out(item, behind=",", margin=margin + 4), "    ") + "\n" for item in items)


def assigned(name: str, value: Source, margin: int = 0) -> str:
    """Return `name = value`."""
    return laid_out(value, f"{name} = ", margin=margin)


def numbers(values: Any) -> Source:
    """Return nested lists of numbers as they are written."""
    if isinstance(values, list | tuple):
        return Bracketed("[", tuple(map(numbers, values)), "]")
    return number(values)


def number(value: Any) -> str:
    """Return one number, or another constant, as it is written."""
    return repr(value).replace("e+", "e") if isinstance(value, float) else repr(value)


def quoted(text: str) -> str:
    """Return a text between the quotation marks that ruff prefers."""
    written = repr(text)
    if written.startswith("'") and '"' not in text:
        return '"' + written[1:-1].replace("\\'", "'") + '"'
    return written


def comment(text: str, margin: int = 0) -> list[str]:
    """Return a comment over as many lines as it needs."""
    return [f"# {line}" for line in wrapped(text, WIDTH - margin - 2)]


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of at most so many letters, cut at its spaces."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def block(text: str, **parts: str) -> str:
    """Return source that is indented in ours as it stands alone, with <parts> put in; a line that holds only an empty part goes."""
    lines = []
    for line in dedent(text).strip("\n").split("\n"):
        name = line.strip().removeprefix("<").removesuffix(">")
        if line.strip() == f"<{name}>" and name in parts:
            margin = line[: len(line) - len(line.lstrip())]
            lines += [indent(parts[name], margin)] if parts[name] else []
            continue
        for part, value in parts.items():
            line = line.replace(f"<{part}>", value)
        lines.append(line)
    return "\n".join(lines)


@dataclass
class WeightConstant:
    """Constants of arrays by name, written at the end of a program: few numbers as they are, many as base64 of their bytes."""

    name: str
    arrays: Mapping[str, Array]
    is_short: bool = True
    """Whether few numbers are written as they are."""

    @property
    def is_written_out(self) -> bool:
        """Whether all are plain numbers."""
        return self.is_short and sum(to_numpy(array).size for array in self.arrays.values()) <= FEW_NUMBERS

    def text(self) -> str:
        """Return the constant."""
        if self.is_written_out:
            entries = (Keyed(f"{quoted(name)}: ", numbers(shortest(to_numpy(array)))) for name, array in self.arrays.items())
            return assigned(self.name, Bracketed("{", tuple(entries), "}"))
        lines = [line for name, array in self.arrays.items() for line in _base64_lines(quoted(name), to_numpy(array))]
        return "\n".join([f"{self.name} = {{", *lines, "}"])


def _base64_lines(name: str, values: np.ndarray) -> list[str]:
    """An entry of a dict; the comma behind it keeps it in lines of its own."""
    written = base64.b64encode(little_endian(values)).decode()
    if len(written) <= _BASE64_WIDTH - 20:
        return [f'    {name}: "{written}",']
    lines = [f"    {written[start : start + _BASE64_WIDTH]}" for start in range(0, len(written), _BASE64_WIDTH)]
    return [f'    {name}: """', *lines, '    """,']


def little_endian(values: np.ndarray) -> bytes:
    """Return the bytes of these numbers in C order, the lowest first."""
    return values.astype(values.dtype.newbyteorder("<")).tobytes()


def shortest(values: np.ndarray) -> Any:
    """Return numbers as nested lists, each in the fewest digits that give the same bits."""
    if values.dtype == np.float32:
        return np.array([float(str(value)) for value in values.ravel()]).reshape(values.shape).tolist()
    return values.tolist()


def joined(blocks: Iterable[str]) -> str:
    """Return definitions with two empty lines between them."""
    return "\n\n\n".join(block for block in blocks if block)
