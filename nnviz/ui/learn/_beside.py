"""Which panels stand beside a step of a lesson, and which of them are covered before its question is answered. Pure."""

from __future__ import annotations

from nnviz.session.lesson_state import BESIDE, LessonState, asked_for, shown_panels

DEFAULT = BESIDE["step"]
_SHOW_RUNS = ("loss", "metric", "runs", "landscape", "distances")
"""Panels that show the runs of a step, and so the answer to what is asked of them."""
_OF_THE_RUN = ("loss", "metric", "score(", "averaged(")
"""Words of expressions that ask for numbers of the run as a whole."""


def panels_beside(state: LessonState) -> tuple[str, ...]:
    """Return the panels that a step needs."""
    workspace, named = shown_panels(state)
    base = named or BESIDE[workspace] if workspace == "train" else (*BESIDE[workspace], *named)
    ask = state.step.ask
    return tuple(dict.fromkeys((*base, *(("training",) if workspace == "train" or (ask and ask.kind == "change") else ()))))


def covered_panels(state: LessonState) -> tuple[str, ...]:
    """Return the panels that would show what the question wants predicted; none once it is answered."""
    step = state.step
    if state.is_answered or step.ask is None:
        return ()
    is_predicted = step.ask.kind in ("number", "choice")
    shown = (*step.measure, *(_SHOW_RUNS if step.runs else ())) if is_predicted else ()
    return tuple(dict.fromkeys((*step.covers, *shown)))


def silent_panels(state: LessonState) -> tuple[str, ...]:
    """Return the panels whose subtitle would say what the question wants worked out: how many parameters there are."""
    is_counted = not state.is_answered and "parameters(" in " ".join(asked_for(state.step))
    return ("network",) if is_counted else ()


def asks_for_measures(state: LessonState) -> bool:
    """Return whether loss or score of the run would say what the question wants worked out."""
    asked = " ".join(asked_for(state.step))
    return not state.is_answered and ("loss" in state.step.covers or any(word in asked for word in _OF_THE_RUN))
