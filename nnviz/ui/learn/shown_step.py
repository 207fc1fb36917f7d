"""A step of a lesson as its page shows it: all its texts filled with numbers, and what there is of an answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnviz.lessons.checks import filled
from nnviz.lessons.facts import Facts
from nnviz.session.lesson_state import LessonState


@dataclass(frozen=True)
class ShownStep:
    """All texts of a step, filled with its numbers, and what there is of an answer."""

    text: str
    place: int
    count: int
    kind: str = ""
    """number · choice · click · change; empty where nothing is asked."""
    question: str = ""
    options: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    """Those that are shown."""
    has_more_hints: bool = False
    answer: str = ""
    verdict: str = ""
    said: str = ""
    """What is said to a wrong answer."""
    reveal: str = ""
    """Empty before the answer."""
    is_answered: bool = False
    chosen: str = ""
    """What is chosen in the graph, for a question that asks for a click."""
    waits: str = ""
    """What is being done before the step stands; empty where it does."""
    is_away: bool = False
    """Whether the person has left what the step has set up."""
    is_last: bool = False
    finish: str = "Finish  ✓"
    """What the button says that leads on from the last step."""
    source: str = ""
    """What shows the answer and can be gone to."""


def shown_step(state: LessonState, facts: Facts | None, waits: str = "", is_away: bool = False, chosen: str = "") -> ShownStep:
    """Return the step that is open. `facts`: the numbers for its texts; `chosen`: what is chosen in the graph."""
    step, ask = state.step, state.step.ask

    def said(text: str) -> str:
        return filled(text, facts)

    shown = ShownStep(said(step.text), state.place, len(state.lesson.steps), waits=waits, is_away=is_away, is_last=state.is_last)
    if ask is None:
        return replace(shown, reveal=said(step.reveal), is_answered=True)
    return replace(
        shown,
        kind=ask.kind,
        question=said(ask.text),
        options=tuple(said(option.text) for option in ask.options),
        hints=tuple(said(hint) for hint in ask.hints[: state.hints]),
        has_more_hints=state.hints < len(ask.hints),
        answer=_readable(state),
        verdict=state.verdict,
        said=f"That is `{state.answer}`." if state.verdict == "wrong" and ask.kind == "click" and not state.said else state.said,
        reveal=said(step.reveal) if state.is_answered else "",
        is_answered=state.is_answered,
        chosen=chosen if ask.kind == "click" else "",
    )


def _readable(state: LessonState) -> str:
    """The answer as it is shown: a number that was measured with 6 digits."""
    if state.verdict == "shown" and state.step.ask.kind == "number" and state.answer:
        return f"{float(state.answer):.6g}"
    return state.answer
