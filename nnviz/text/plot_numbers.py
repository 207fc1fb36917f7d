"""Numbers as plots print them, on the rules of numbers.py: ticks, shares, iterations."""

from __future__ import annotations

import math

from nnviz.text.numbers import RAISED, signed


def tick(value: float) -> str:
    """Return a round value as short as it can be: 0.5, 20k, 1e−5."""
    if 1e3 <= abs(value) < 1e9:
        unit, size = ("M", 1e6) if abs(value) >= 1e6 else ("k", 1e3)
        return signed(f"{value / size:.4g}{unit}")
    return _power(f"{value:.4g}")


def power_of_ten(value: float) -> str:
    """Return a power of ten as 10⁻³; other values as ticks."""
    exponent = round(math.log10(value))
    if math.isclose(value, 10.0**exponent):
        return "10" + str(exponent).translate(RAISED)
    return tick(value)


def percent(value: float) -> str:
    """Return a share of 0 to 1 as 96.7 %."""
    return f"{100 * value:.1f} %"


def iteration(number: int) -> str:
    """Return the words that say which iteration a plot shows."""
    return f"iteration {number:,}"


def _power(text: str) -> str:
    mantissa, mark, exponent = text.partition("e")
    return signed(f"{mantissa}e{int(exponent)}" if mark else mantissa)
