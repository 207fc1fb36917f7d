"""What a teacher is told of a question: the right answer, and what each wrong one has thought, worked out from the live state. Pure."""

from __future__ import annotations

from typing import NamedTuple

from nnviz.lessons.checks import filled, is_near, right_answer
from nnviz.lessons.expression import ExpressionError, number, truth
from nnviz.lessons.facts import Facts
from nnviz.lessons.lesson import Ask
from nnviz.lessons.misconceptions import explained

UNKNOWN = "–"


class AnswerKey(NamedTuple):
    """The answers of one question, as Markdown."""

    right: str
    wrong: tuple[tuple[str, str], ...]
    """Answer and what who gives it has thought."""


def letter(place: int) -> str:
    """Return what an option is called on paper, by its place from 0."""
    return chr(ord("A") + place)


def answer_key(ask: Ask, facts: Facts) -> AnswerKey:
    """Return the answers of a question; – for what cannot be worked out in this state."""
    try:
        answer = right_answer(ask, facts)
    except ExpressionError:
        answer = ""
    if not answer:
        return AnswerKey(UNKNOWN, ())
    match ask.kind:
        case "number":
            return AnswerKey(f"{float(answer):.6g}", _wrong_numbers(ask, facts, float(answer)))
        case "choice":
            right = [place for place, option in enumerate(ask.options) if truth(option.when, facts.names)]
            said = "; ".join(f"{letter(place)}: {filled(ask.options[place].text, facts)}" for place in right)
            others = ((place, option) for place, option in enumerate(ask.options) if place not in right and option.idea)
            return AnswerKey(said, tuple((letter(place), explained(option.idea)) for place, option in others))
        case "click":
            return AnswerKey(f"`{answer}`", ())
    name, _, value = answer.partition("=")
    return AnswerKey(f"for example {value} iterations" if name == "iterations" else f"for example `{name}` set to {value}", ())


def _wrong_numbers(ask: Ask, facts: Facts, right: float) -> tuple[tuple[str, str], ...]:
    found = []
    for wrong in ask.wrong:
        try:
            value = number(wrong.answer, facts.names)
        except ExpressionError:
            continue
        if not is_near(value, right, ask.tolerance):  # here both ways lead to one number
            found.append((f"{value:.6g}", explained(wrong.idea)))
    return tuple(found)
