"""Reads a formula with numbers as a person does: the text worked out, and how far that may be off because its numbers are rounded."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"(?<![\w.])(?<!\*\*)\d+(?:\.\d+)?(?:e-?\d+)?(?![\w(.])")
_NAMES = {
    "exp": lambda x: math.exp(x) if x < 700 else math.inf,
    "sigma": lambda z: 1 / (1 + math.exp(-z)) if z > -700 else 0.0,
    "phi": lambda z: (1 + math.erf(z / math.sqrt(2))) / 2,
    "lnsigma": lambda z: -math.log1p(math.exp(-z)),
    "ln": lambda x: math.log(x) if x > 0 else -math.inf,
    "sqrt": lambda x: math.sqrt(max(x, 0.0)),
    **{name: getattr(math, name) for name in ("tanh", "sin", "cos")},
    "max": max, "min": min, "abs": abs, "inf": math.inf, "__builtins__": {},
}  # fmt: skip


def sides(line: str) -> tuple[str, str]:
    """Return what is worked out and the result of "z[1] = … = 3" or "this row: … = 3"."""
    found = re.fullmatch(r"(?:this row: |[^=]*? = )(.*) = ([^=]*)", line)
    return found.group(1), found.group(2)


def as_code(text: str) -> str:
    """Return the text as an expression of Python."""
    text = re.sub(r"\(… \d+ more(?:, at (?:most|least)|:) ([^()]*)\)", r"(\1)", text)
    for sign, code in (("−", "-"), ("·", "*"), ("½", "0.5"), ("²", "**2"), ("∞", "inf")):
        text = text.replace(sign, code)
    text = re.sub(r" \((?:from [ab]|masked|not masked)\)$", "", text)
    text = re.sub(r"e\^(\((?:[^()]*)\)|\d+(?:\.\d+)?(?:e-?\d+)?)", r"exp(\1)", text)
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    text = re.sub(r"(?<=[\d)])\^", "**", text)
    for name, code in (("ln σ(", "lnsigma("), ("σ(", "sigma("), ("Φ(", "phi("), ("√(", "sqrt(")):
        text = text.replace(name, code)
    return text


def worked_out(text: str) -> tuple[float, float]:
    """Return the value of a text, and the error that half a unit in the last place of each of its numbers makes."""
    code = as_code(text)
    value = eval(code, _NAMES)
    error = 0.0
    for found in _NUMBER.finditer(code):
        for sign in (-1, 1):
            moved = f"({found.group()}{'+-'[sign < 0]}{_half_a_unit(found.group()):.3e})"
            there = eval(code[: found.start()] + moved + code[found.end() :], _NAMES)
            error += abs(there - value) if math.isfinite(there) and math.isfinite(value) else 0.0
    return value, error


def result(text: str) -> tuple[float, float]:
    """Return a number as it is written, and half a unit of its last place."""
    plain = text.replace("−", "-").replace("∞", "inf").replace("NaN", "nan")
    return float(plain), _half_a_unit(plain.lstrip("-")) if re.match(r"-?\d", plain) else 0.0


def _half_a_unit(number: str) -> float:
    """Half a unit of the fourth digit: zeros behind the last are not written."""
    value = abs(float(number))
    return 0.5 * 10.0 ** (math.floor(math.log10(value)) - 3) if value else 0.0
