"""Gradients as text: what NumPy and torch print, lists, dicts, CSV, `name = …` lines. What is not clear is refused, with place and cure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)\b"
_WRAP = re.compile(r"(?:np\.|numpy\.|torch\.)?(?:array|asarray|tensor|Tensor|float(?:16|32|64))\s*\(")
_OPTIONS = re.compile(r",?\s*(?:dtype|device|requires_grad|grad_fn|size|shape)\s*=\s*(?:'[^']*'|\"[^\"]*\"|<[^>]*>|\([^)]*\)|[\w.]+)")
_CALL = "\x01"
"""Stands for the name and the bracket of a call around an array, which is no list."""
_BEGIN = rf"[\[({_CALL}]|(?:{_NUMBER})(?![\w/.])"
_NAMED = re.compile(rf"\s*(?P<quote>['\"]?)(?P<name>[^\[\](){{}},;\"']+)(?P=quote)\s*[=:]\s*(?=(?:{_BEGIN})|$)(?P<rest>.*)", re.IGNORECASE)
_WORD = r"[^\s,;\"'\[\](){}]*"
_NAME_AND_CELLS = re.compile(rf"\s*(?P<quote>['\"]?)(?P<name>{_WORD}[^\W\d]{_WORD})(?P=quote)\s*(?:[,;\s]\s*(?P<rest>(?:{_BEGIN}).*))?$")
_TOKEN = re.compile(rf"\s*(?:(?P<open>[\[({_CALL}])|(?P<close>[\])])|(?P<number>{_NUMBER})|(?P<comma>[,;]))", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"\d,\d+\s*;")
MOST_LETTERS = 5_000_000
"""A longer text is not read."""


class GradientTextError(ValueError):
    """The text cannot be read; the sentence names the line and the cure."""


class _Part(NamedTuple):
    """One array of the text: its name ("" where there is none), where it begins, and its lines with their numbers."""

    name: str
    line: int
    lines: list[tuple[int, str]]


def read(text: str) -> dict[str, np.ndarray]:
    """Return the arrays of a text by their names, in order; one without a name has the name "".

    Raises GradientTextError, with the line and the cure, for what cannot be read in one way only.
    """
    if len(text) > MOST_LETTERS:
        raise GradientTextError(f"The text is longer than {MOST_LETTERS:,} letters. Paste fewer arrays at a time.")
    found: dict[str, np.ndarray] = {}
    for part in _parts(text):
        if part.name in found:
            raise GradientTextError(f"Line {part.line}: {_called(part.name)} stands here for the second time. Leave one of them out.")
        found[part.name] = _array(part)
    if not found:
        raise GradientTextError("There is no number in the text. Write a line as “h1.weight = [[0.1, 0.2]]”.")
    if "" in found and len(found) > 1:
        raise GradientTextError("One array has no name, others have. Write the name and = in front of it, as “h1.weight = …”.")
    return found


def read_array(text: str) -> np.ndarray:
    """Return the only array of a text, as it stands in one cell. Raises GradientTextError."""
    found = read(text)
    if len(found) > 1:
        raise GradientTextError(f"There are {len(found)} arrays: {', '.join(found)}. One belongs here.")
    return next(iter(found.values()))


def _called(name: str) -> str:
    return f"“{name}”" if name else "an array without a name"


# --- from lines to parts ---


def _parts(text: str) -> list[_Part]:
    parts: list[_Part] = []
    depth = 0
    for number, line in enumerate(_plain(text).split("\n"), 1):
        rest = line
        while rest.strip():
            name, rest = _name(rest) if depth == 0 else ("", rest)
            is_row = bool(parts) and depth == 0 and name == parts[-1].name and "[" not in rest
            if (name and not is_row) or not parts:
                parts.append(_Part(name, number, []))
            end, depth = _end(rest, depth)
            parts[-1].lines.append((number, rest[:end]))
            rest = rest[end:].lstrip(" ,;")
    if depth:
        raise GradientTextError(f"Line {parts[-1].line}: a bracket of {_called(parts[-1].name)} is not closed. Paste it to its end.")
    return parts


def _plain(text: str) -> str:
    """Without comments, prompts, the braces of a dict, and what says how an array is kept rather than its numbers."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "").replace("−", "-")
    text = re.sub(r"(?m)^\s*>>> ?|#(?!\d).*$", "", text)
    text = re.sub(r"(?:OrderedDict|dict)\s*\(|[{}]", lambda found: " " if found[0] in "{}" else "", text)
    text = _OPTIONS.sub("", text)
    return _WRAP.sub(_CALL, text)


def _name(line: str) -> tuple[str, str]:
    """The name a line begins with, and what is behind it; "" where it begins with a number or a bracket."""
    found = _NAMED.match(line)
    if found is None and not re.match(rf"\s*(?:{_NUMBER})\s*(?:[,;\s]|$)", line, re.IGNORECASE):
        found = _NAME_AND_CELLS.match(line)
    return (found["name"].strip(), found["rest"] or "") if found else ("", line)


def _end(rest: str, depth: int) -> tuple[int, int]:
    """Where the array ends in the rest of a line, and how deep in brackets that is."""
    for at, letter in enumerate(rest):
        if letter in f"[({_CALL}":
            depth += 1
        elif letter in "])":
            depth -= 1
            if depth <= 0:
                return at + 1, 0
    return len(rest), depth


# --- from a part to its array ---


def _array(part: _Part) -> np.ndarray:
    rows = [_read_line(part, number, line) for number, line in part.lines]
    tokens = [token for row in rows for token in row]
    if not tokens:
        raise GradientTextError(f"Line {part.line}: {_called(part.name)} has no numbers. Write them behind it, or leave it out.")
    if any(kind != "n" for kind, _, _ in tokens):
        return _filled(part, _nested(part, tokens), part.line)
    numbers = [[value for _, value, _ in row] for row in rows if row]
    if len({len(row) for row in numbers}) > 1:
        first = next(k for k, row in enumerate(numbers) if len(row) != len(numbers[0]))
        line = [number for (number, _), row in zip(part.lines, rows, strict=True) if row][first]
        raise GradientTextError(
            f"Line {line}: this row of {_called(part.name)} has {len(numbers[first])} numbers, the first has {len(numbers[0])}. "
            "Give all rows the same length."
        )
    array = np.array(numbers)
    return array[0] if len(array) == 1 and array.shape[1] > 1 else array.reshape(()) if array.size == 1 else array


def _read_line(part: _Part, number: int, line: str) -> list[tuple[str, float, int]]:
    """The brackets and numbers of a line: (kind, value, line), the kind "[", "]", "n", or "(" for that of a call."""
    if _DECIMAL_COMMA.search(line):
        raise GradientTextError(f"Line {number}: numbers with a decimal comma are not read. Write 0.5, not 0,5.")
    tokens, at = [], 0
    while at < len(line.rstrip()):
        found = _TOKEN.match(line, at)
        if found is None or found.end() == at:
            raise GradientTextError(_fault(part, number, line[at:].strip()))
        if found["number"] and re.match(r"[\w.]", line[found.end() :][:1] or " "):
            raise GradientTextError(_fault(part, number, line[found.start("number") :].strip()))
        if not found["comma"]:
            kind = "(" if found["open"] == _CALL else "[" if found["open"] else "]" if found["close"] else "n"
            tokens.append((kind, float(found["number"]) if kind == "n" else 0.0, number))
        at = found.end()
    return tokens


def _fault(part: _Part, number: int, rest: str) -> str:
    word = rest.split(maxsplit=1)[0][:24]
    if word.startswith(("...", "…")):
        return f"Line {number}: NumPy left numbers of {_called(part.name)} out (…). Print all: np.set_printoptions(threshold=sys.maxsize)."
    return f"Line {number}: “{word}” is no number. Take it out, or write a name and = in front of an array."


def _nested(part: _Part, tokens: list[tuple[str, float, int]]) -> Any:
    """The lists that the brackets make; brackets around one array alone are those of a call."""
    root: list[Any] = []
    stack, opened = [root], []
    for kind, value, line in tokens:
        if kind == "n":
            stack[-1].append(value)
        elif kind == "]":
            if not opened:
                raise GradientTextError(f"Line {line}: a bracket of {_called(part.name)} is closed that was not opened. Take it out.")
            if opened.pop() == "[":
                stack.pop()
        else:
            opened.append(kind)
            if kind == "[":
                stack[-1].append([])
                stack.append(stack[-1][-1])
    if len(root) > 1:
        raise GradientTextError(f"Line {tokens[0][2]}: two arrays stand one behind the other. Write a name and = in front of each.")
    return root[0]


def _filled(part: _Part, nested: Any, line: int) -> np.ndarray:
    try:
        return np.array(nested, dtype=float)
    except ValueError as error:
        raise GradientTextError(
            f"Line {line}: the rows of {_called(part.name)} have different lengths. Give all rows the same length."
        ) from error
