"""What is said of an expression while an author types it: what it gives where the window stands, or what is wrong with it. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnviz.lessons.checks import is_near
from nnviz.lessons.expression import ExpressionError, evaluate, number, truth
from nnviz.lessons.facts import Facts
from nnviz.lessons.lesson import Ask
from nnviz.ui.teach.expression_field import Told


def told(text: str, purpose: str, ask: Ask | None, facts: Facts | None) -> Told:
    """Return what is said of an expression of a question: number · wrong · condition · claim. Nothing while no facts are known."""
    if facts is None or (ask is None and purpose != "claim"):
        return Told("")
    if ask is not None and ask.kind == "click" and purpose == "condition":
        facts = replace(facts, clicked=ask.example)
    try:
        if purpose in ("condition", "claim"):
            return _told_truth(text, facts, purpose)
        return _told_number(number(text, facts.names), ask, purpose, facts)
    except ExpressionError as error:
        return Told(_without_text(str(error), text), True)


def _told_number(value: float, ask: Ask, purpose: str, facts: Facts) -> Told:
    said = f"= {value:.6g} now"
    if not np.isfinite(value):
        return Told(f"{said}: that cannot be asked for.", True)
    if purpose == "wrong":
        try:
            right = number(ask.answer, facts.names)
        except ExpressionError:
            return Told(said)
        if is_near(value, right, ask.tolerance):
            return Told(f"{said}: that is the right answer here. Choose another place, or another idea.", True)
    return Told(said)


def _told_truth(text: str, facts: Facts, purpose: str) -> Told:
    when = f"where {facts.clicked} is clicked" if facts.clicked else "now"
    value = evaluate(text, facts.names)
    if truth(text, facts.names):
        return Told(f"true {when}" if purpose == "condition" else text)
    if purpose == "claim":
        return Told(f"{text}: does not hold now", True)
    return Told(f"false {when}" if np.asarray(value).dtype.kind == "b" else f"= {value}: a condition compares, as loss < 1")


def _without_text(error: str, text: str) -> str:
    """The error without the expression, which stands above it."""
    said = error.removeprefix(f"{text!r}").lstrip(": ").strip() or error
    return said[:1].upper() + said[1:]
