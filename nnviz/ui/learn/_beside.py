"""Which panels stand beside a step of a lesson, and which of them are covered before its question is answered. Pure."""

from __future__ import annotations

from nnviz.session.lesson_state import LessonState, asked_for, shown_panels

_BESIDE = {
    "build": ("network", "properties", "parameters"),
    "step": ("network", "graph", "inspector"),
    "train": ("loss", "boundary"),
}
"""What stands beside a lesson by the workspace its step names; in `train` the panels that are named instead."""
DEFAULT = _BESIDE["step"]
_SHOW_RUNS = ("loss", "metric", "runs", "landscape", "distances")
"""Panels that show the runs of a step, and so the answer to what is asked of them."""


def panels_beside(state: LessonState) -> tuple[str, ...]:
    """Return the panels that a step needs."""
    workspace, named = shown_panels(state)
    base = named or _BESIDE[workspace] if workspace == "train" else (*_BESIDE[workspace], *named)
    ask = state.step.ask
    return tuple(dict.fromkeys((*base, *(("training",) if workspace == "train" or (ask and ask.kind == "change") else ()))))


def covered_panels(state: LessonState) -> tuple[str, ...]:
    """Return the panels that would show what the question wants predicted; none once it is answered."""
    step = state.step
    is_predicted = bool(step.runs) and not state.is_answered and step.ask.kind in ("number", "choice")
    return _SHOW_RUNS if is_predicted else ()


def silent_panels(state: LessonState) -> tuple[str, ...]:
    """Return the panels whose subtitle would say what the question wants worked out: how many parameters there are."""
    is_counted = not state.is_answered and any("parameters(" in expression for expression in asked_for(state.step))
    return ("network",) if is_counted else ()
