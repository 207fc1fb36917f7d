"""Where a person stands in a lesson, as a frozen value, and all that leads to a step. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from nnviz.lessons.checks import Judged
from nnviz.lessons.lesson import Lesson, LessonStep

BESIDE = {
    "build": ("network", "properties", "parameters"),
    "step": ("network", "graph", "inspector"),
    "train": ("loss", "boundary"),
}
"""What stands beside a lesson by the workspace its step names; in `train` the panels that are named instead."""


class Move(NamedTuple):
    """One thing that has to be done so that a step stands."""

    kind: str
    """open · set · back (if the run is beyond) · go · train · runs · measure"""
    what: Any
    iterations: int = 0


@dataclass(frozen=True)
class LessonState:
    """Where a person stands in a lesson, and what was said to the answer. Every change makes another one."""

    name: str
    lesson: Lesson
    place: int = 0
    """Of the step, from 0."""
    answered: frozenset[int] = frozenset()
    """Places of the steps whose question is answered, or was given up."""
    hints: int = 0
    """How many of them are shown."""
    tries: int = 0
    """How many answers were given."""
    answer: str = ""
    """The last one."""
    verdict: str = ""
    """wrong · right · shown (it was given up); empty before any answer."""
    said: str = ""
    """What a wrong answer has thought, where that is known."""

    @property
    def step(self) -> LessonStep:
        """The step that is open."""
        return self.lesson.steps[self.place]

    @property
    def is_answered(self) -> bool:
        """Whether the reveal may be seen, and the next step be gone to."""
        return self.step.ask is None or self.place in self.answered

    @property
    def is_last(self) -> bool:
        """Whether no step follows."""
        return self.place == len(self.lesson.steps) - 1

    def at(self, place: int) -> LessonState:
        """Return the state at another step."""
        return LessonState(self.name, self.lesson, place, self.answered)

    def judged(self, answer: str, judged: Judged) -> LessonState:
        """Return the state after an answer."""
        tried = replace(self, answer=answer, tries=self.tries + 1)
        if judged.is_right:
            return replace(tried, verdict="right", said="", answered=self.answered | {self.place})
        return replace(tried, verdict="wrong", said=judged.sentence)

    def given_up(self, answer: str) -> LessonState:
        """Return the state after the answer was shown."""
        return replace(self, answer=answer, verdict="shown", said="", answered=self.answered | {self.place})

    def hinted(self) -> LessonState:
        """Return the state with one hint more."""
        return replace(self, hints=min(self.hints + 1, len(self.step.ask.hints)) if self.step.ask else 0)


def moves_to(lesson: Lesson, place: int) -> tuple[Move, ...]:
    """Return all that leads to a step, from the opening of its document on; of runs beside only those that stand there at last."""
    first = next((one for one in range(place, -1, -1) if lesson.steps[one].document is not None), 0)
    moves: list[Move] = []
    for one in range(first, place + 1):
        moves += _moves_of(lesson.steps[one])
        if one < place:
            moves += example_of(lesson.steps[one])
    runs = [move for move in moves if move.kind == "runs"]
    return tuple(move for move in moves if move.kind != "runs" or move is runs[-1])


def _moves_of(step: LessonStep) -> list[Move]:
    moves = [Move("open", step.document)] if step.document is not None else []
    if step.set:
        moves += [Move("back", step.iteration)] if step.iteration is not None and step.document is None else []
        moves.append(Move("set", step.set))
    if step.iteration is not None:
        moves.append(Move("go", step.iteration))
    moves += [Move("runs", step.runs, step.run_iterations)] if step.runs else []
    return moves + [Move("measure", name) for name in step.measure]


def example_of(step: LessonStep) -> list[Move]:
    """Return what makes the change that a step asks for; nothing for another question."""
    if step.ask is None or step.ask.kind != "change":
        return []
    name, _, value = step.ask.example.partition("=")
    return [Move("train", int(value))] if name == "iterations" else [Move("set", {name: value})]


def asked_for(step: LessonStep) -> tuple[str, ...]:
    """Return the expressions whose numbers are the answer of a question that is to be predicted; none for another."""
    if step.ask is None or step.ask.kind not in ("number", "choice"):
        return ()
    return (step.ask.answer,) if step.ask.kind == "number" else tuple(option.when for option in step.ask.options)


def lasting(moves: tuple[Move, ...]) -> list[Move]:
    """Return what of these the run does not take back by going to another iteration."""
    return [move for move in moves if move.kind in ("open", "set", "train")]


def latest(state: LessonState, field: str) -> Any:
    """Return what a step says, or else the last one before it in the same document."""
    for step in reversed(state.lesson.steps[: state.place + 1]):
        if found := getattr(step, field):
            return found
        if step.document is not None:
            break
    return None


def cursor_of(state: LessonState) -> tuple[str, str]:
    """Return node and phase at which a step stands."""
    for step in reversed(state.lesson.steps[: state.place + 1]):
        if step.cursor or step.phase:
            return step.cursor, step.phase
        if step.document is not None:
            break
    return "", ""


def shown_panels(state: LessonState) -> tuple[str, tuple[str, ...]]:
    """Return what stands beside a step: build · step · train, and the panels it names."""
    workspace, panels = "step", ()
    for step in state.lesson.steps[: state.place + 1]:
        if step.workspace or step.document is not None:
            workspace, panels = step.workspace or workspace, ()
        panels = step.panels or panels
    return workspace, panels


def naming(visible: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return workspace and panels with which a step has these panels shown beside it, as `shown_panels` returns them."""
    for workspace in ("step", "build"):
        if set(BESIDE[workspace]) <= set(visible):
            return workspace, tuple(name for name in visible if name not in BESIDE[workspace])
    return "train", tuple(name for name in visible if name != "training")
