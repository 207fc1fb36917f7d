"""Whether an answer is right, and what a wrong one has thought: everything is worked out from the live state. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nnviz.lessons.expression import ExpressionError, evaluate, number, truth
from nnviz.lessons.facts import Facts
from nnviz.lessons.lesson import Ask, LessonStep
from nnviz.lessons.misconceptions import explained

_TEMPLATE = re.compile(r"\{=\s*(.+?)\s*(?:::\s*([^{}:]*?)\s*)?\}", re.DOTALL)
"""{= expression } or {= expression :: format }"""
_LISTED = re.compile(r"^(\{=[^{}]*\})(?=[.)](\s|$))", re.MULTILINE)
"""A number that would begin a list in Markdown: `{= expression }. ` at the start of a line."""


class Judged(NamedTuple):
    """What is said to an answer."""

    is_right: bool
    sentence: str
    """What was thought, where that is known; "" otherwise."""


def judge(ask: Ask, answer: str, facts: Facts) -> Judged:
    """Return whether an answer is right: a number as text, the place of an option, or what was clicked. Raises ExpressionError where the
    question cannot be answered in this state."""
    match ask.kind:
        case "number":
            return _judge_number(ask, answer, facts)
        case "choice":
            return _judge_choice(ask, answer, facts)
        case "click":
            return Judged(_is_hit(ask.when, replace(facts, clicked=answer)), "")
    return Judged(truth(ask.when, facts.names), "")


def right_answer(ask: Ask, facts: Facts) -> str:
    """Return the right answer, as `judge` takes it: what is measured for a number, the first right option, or the example."""
    if ask.kind == "number":
        return repr(number(ask.answer, facts.names))
    if ask.kind == "choice":
        return next((str(place) for place, option in enumerate(ask.options) if truth(option.when, facts.names)), "")
    return ask.example


def read_number(text: str) -> float | None:
    """Return the number a person has typed, with a decimal point or comma, or as a fraction; None if it is none."""
    try:
        parts = [float(part.replace(",", ".").replace("−", "-")) for part in text.strip().split("/")]
    except ValueError:
        return None
    if len(parts) == 2 and parts[1]:
        return parts[0] / parts[1]
    return parts[0] if len(parts) == 1 else None


def is_near(given: float, right: float, tolerance: float) -> bool:
    """Return whether a number is right within its tolerance: relative, and absolute for what is smaller than 0.01."""
    return bool(np.isfinite(given)) and abs(given - right) <= tolerance * max(abs(right), 0.01)


def _judge_number(ask: Ask, answer: str, facts: Facts) -> Judged:
    given = read_number(answer)
    if given is None:
        return Judged(False, "That is no number. Write it as 0.25, 2.5e-3 or 1/4.")
    if is_near(given, number(ask.answer, facts.names), ask.tolerance):
        return Judged(True, "")
    ideas = [wrong.idea for wrong in ask.wrong if is_near(given, number(wrong.answer, facts.names), ask.tolerance)]
    return Judged(False, " Or: ".join(explained(idea) for idea in dict.fromkeys(ideas)))


def _is_hit(when: str, facts: Facts) -> bool:
    """Whether a click is right; on something that has not what is asked for it is not."""
    try:
        return truth(when, facts.names)
    except ExpressionError:
        return False


def _judge_choice(ask: Ask, answer: str, facts: Facts) -> Judged:
    option = ask.options[int(answer)]
    if truth(option.when, facts.names):
        return Judged(True, "")
    return Judged(False, explained(option.idea))


def filled(text: str, facts: Facts | None) -> str:
    """Return a text with its {= expressions } worked out: numbers and those of lists with 4 digits, or in the format behind ::; – where
    it cannot be. A matrix in a paragraph of its own has a line for each row. Without facts each of them is …
    """

    def written(match: re.Match[str]) -> str:
        if facts is None:
            return "…"
        try:
            found = evaluate(match[1], facts.names)
        except ExpressionError:
            return "–"
        if np.ndim(found) == 2 and _is_alone(match):
            return _matrix(np.asarray(found), match[2] or ".4g")
        return _written(found, match[2] or "")

    return _TEMPLATE.sub(written, _LISTED.sub(r"\1\\", text))


def _written(found: object, form: str) -> str:
    if found is None:  # a setting that is off
        return "–"
    if isinstance(found, str | bool | np.bool_):
        return str(found)
    values = np.asarray(found)
    if values.size != 1:
        numbers = {"all": lambda value: _number(value, form or ".4g")}
        return np.array2string(values, separator=", ", threshold=64, max_line_width=10_000, formatter=numbers).replace("\n", "")
    value = values.reshape(-1)[0]
    if form or not (float(value).is_integer() and abs(value) < 1e9):
        return _number(value, form or ".4g")
    return f"{int(value):,}"


def _number(value: float, form: str) -> str:
    """A number as it stands in the whole program: no −0, no zeros in front of the power of ten, and a space before the %."""
    return re.sub(r"e\+?(-?)0*(?=\d)", r"e\1", format(float(value) + 0.0, form)).replace("%", "\N{NO-BREAK SPACE}%")


def _is_alone(match: re.Match[str]) -> bool:
    text = match.string
    return text[: match.start()].endswith("\n\n") and text[match.end() : match.end() + 2] in ("", "\n\n")


def _matrix(values: np.ndarray, form: str) -> str:
    """Rows below each other, in columns."""
    cells = [[_number(value, form) for value in row] for row in values]
    width = max(len(cell) for row in cells for cell in row)
    return "  \n".join(f"`[ {' '.join(cell.rjust(width) for cell in row)} ]`" for row in cells)


def expressions_of(step: LessonStep) -> tuple[str, ...]:
    """Return all expressions in the texts of a step."""
    ask = step.ask
    texts = (step.text, step.reveal, *((ask.text, *ask.hints, *(option.text for option in ask.options)) if ask else ()))
    return tuple(match[1] for text in texts for match in _TEMPLATE.finditer(text))
