"""How formulas with numbers in them are written: products, sums cut in the middle with the true rest, functions. Pure text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nnviz.operations.recorded_call import RecordedCall
from nnviz.text.numbers import MINUS, number

MOST_TERMS = 6
"""Longer sums are cut in the middle."""
_FIRST, _LAST = 3, 1
"""How many terms of a long sum stand before and behind what is cut."""


class Substitution(NamedTuple):
    """The right side of a formula with numbers, and what those numbers, unrounded, give."""

    text: str
    value: float


class Term(NamedTuple):
    """One term of a sum: what it is worth, and how it is written without its sign."""

    value: float
    text: str
    is_negative: bool


def bracketed(value: float) -> str:
    """Return the number, in brackets if it is negative."""
    return f"({number(value)})" if value < 0 else number(value)


def plain(value: float) -> Term:
    """Return a number as a term."""
    return Term(float(value), number(abs(value)), value < 0)


def product(left: float, right: float) -> Term:
    """Return the term left · right, with the sign of the left one."""
    return Term(float(left * right), f"{number(abs(left))}·{bracketed(right)}", left < 0)


def added(count: int, term: Callable[[int], Term], values: np.ndarray, tail: Sequence[Term] = ()) -> Substitution:
    """Return the sum of so many terms and of those behind them: "0.1·1.3 + (… 7 more: 0.4) − 0.3·0.2 + 0.9".

    Only terms that are shown are written; `values` holds what each of the others is worth.
    """
    total = float(np.sum(values)) + sum(one.value for one in tail)
    if count + len(tail) <= MOST_TERMS:
        return Substitution(_joined([*map(term, range(count)), *tail]), total)
    hidden = values[_FIRST : count - _LAST]
    rest = Term(float(np.sum(hidden)), f"(… {len(hidden)} more: {number(float(np.sum(hidden)))})", False)
    shown = [*map(term, range(_FIRST)), rest, *map(term, range(count - _LAST, count)), *tail]
    return Substitution(_joined(shown), total)


def products(left: np.ndarray, right: np.ndarray, tail: Sequence[Term] = ()) -> Substitution:
    """Return Σ left · right over two vectors."""
    return added(len(left), lambda k: product(left[k], right[k]), left * right, tail)


def numbers(values: np.ndarray) -> Substitution:
    """Return the sum of a vector's numbers."""
    return added(len(values), lambda k: plain(values[k]), values)


def powers(values: np.ndarray) -> Substitution:
    """Return Σ eᶻ over a vector."""
    with np.errstate(over="ignore"):
        each = np.exp(values)
    return added(len(values), lambda k: Term(float(each[k]), exponential(values[k]), False), each)


def factors(values: np.ndarray) -> Substitution:
    """Return the product of a vector's numbers."""
    if len(values) <= MOST_TERMS:
        return Substitution("·".join(map(bracketed, values)), float(np.prod(values)))
    hidden = values[_FIRST : len(values) - _LAST]
    rest = f"(… {len(hidden)} more: {number(float(np.prod(hidden)))})"
    shown = [*map(bracketed, values[:_FIRST]), rest, *map(bracketed, values[len(values) - _LAST :])]
    return Substitution("·".join(shown), float(np.prod(values)))


def squares(values: np.ndarray, center: float | None = None) -> Substitution:
    """Return Σ x², or Σ (x − center)²."""
    away = values if center is None else values - center

    def term(k: int) -> Term:
        inside = bracketed(values[k]) if center is None else f"({number(values[k])} {MINUS} {bracketed(center)})"
        return Term(float(away[k] ** 2), f"{inside}²", False)

    return added(len(values), term, away**2)


def listed(name: str, values: np.ndarray) -> Substitution:
    """Return max(…) or min(…) of a vector."""
    best = {"max": np.max, "min": np.min}[name]
    if len(values) <= MOST_TERMS:
        return Substitution(f"{name}({', '.join(map(number, values))})", float(best(values)))
    hidden = values[_FIRST : len(values) - _LAST]
    rest = f"(… {len(hidden)} more, at {'most' if name == 'max' else 'least'} {number(float(best(hidden)))})"
    shown = [*map(number, values[:_FIRST]), rest, *map(number, values[len(values) - _LAST :])]
    return Substitution(f"{name}({', '.join(shown)})", float(best(values)))


def exponential(z: float) -> str:
    """Return "e^0.3", "e^(−0.3)"."""
    return f"e^{bracketed(z)}"


def divided(said: Substitution, by: float, text: str = "") -> Substitution:
    """Return (…)/n; a single term needs no brackets."""
    top = said.text if _is_one_term(said.text) else f"({said.text})"
    return Substitution(f"{top}/{text or bracketed(by)}", said.value / by if by else float("nan"))


def multiplied(by: float, said: Substitution) -> Substitution:
    """Return a number times what is said; a single term needs no brackets."""
    return Substitution(f"{bracketed(by)}·{said.text if _is_one_term(said.text) else f'({said.text})'}", by * said.value)


def _is_one_term(text: str) -> bool:
    """Whether no sum or difference stands outside of brackets."""
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == " " and not depth:
            return False
    return True


def _joined(terms: Sequence[Term]) -> str:
    parts = [f" {MINUS if term.is_negative else '+'} {term.text}" for term in terms[1:]]
    return f"{MINUS if terms and terms[0].is_negative else ''}{terms[0].text if terms else '0'}{''.join(parts)}"


def line(x: np.ndarray, place: tuple[int, ...], axis: int) -> np.ndarray:
    """Return the numbers along an axis through an element."""
    return x[(*place[: axis % x.ndim], slice(None), *place[axis % x.ndim + 1 :])]


def of_number(text: str, value: Callable[[float], float]) -> Callable[[float, RecordedCall], Substitution]:
    """Return the rule of a function of one number: the text with {z} for it, {b} for it in brackets if negative, {m} for its opposite."""
    return lambda z, call: Substitution(text.format(z=number(z), b=bracketed(z), m=number(-z)), value(z))


def between(low: str, high: str, least: float | None = None, most: float | None = None) -> Callable[[float, RecordedCall], Substitution]:
    """Return the rule of a function that keeps a number between two options of the call, which have these defaults."""

    def write(z: float, call: RecordedCall) -> Substitution:
        bottom, top = call.option(low, least), call.option(high, most)
        text, value = number(z), z
        if bottom is not None:
            text, value = f"max({text}, {number(bottom)})", max(value, bottom)
        if top is not None:
            text, value = f"min({text}, {number(top)})", min(value, top)
        return Substitution(text, value)

    return write
