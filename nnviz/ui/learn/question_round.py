"""A round of questions as a frozen value: which are asked, where one is, what was written and how each went. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from nnviz.lessons.interview import InterviewQuestion

INTERVIEW, QUIZ = "interview", "quiz"
OUTCOMES = {INTERVIEW: ("knew", "nearly", "not"), QUIZ: ("right", "helped", "missed")}
"""How a question of each kind can go, the best first."""


class AskedQuestion(NamedTuple):
    """A question and its topic."""

    topic: str
    question: InterviewQuestion


@dataclass(frozen=True)
class QuestionRound:
    """Every change makes another one."""

    kind: str
    """interview: the person judges; quiz: the answer is computed."""
    asked: tuple[AskedQuestion, ...]
    place: int = 0
    """Of the question, from 0; as many as there are: the round is over."""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """By the name of the question."""
    written: Mapping[str, str] = field(default_factory=dict)
    """What the person has written."""
    shown: frozenset[str] = frozenset()
    """The questions whose answer has been shown."""

    @property
    def is_over(self) -> bool:
        """Whether every question has been gone through."""
        return self.place >= len(self.asked)

    @property
    def present(self) -> InterviewQuestion | None:
        """The question that is asked; None at the end."""
        return None if self.is_over else self.asked[self.place].question

    @property
    def outcome(self) -> str:
        """How the present question went; empty before that is known."""
        return self.outcomes.get(self.present.name, "") if self.present else ""

    def judged(self, name: str, outcome: str) -> QuestionRound:
        """Return the round after a question went so."""
        return replace(self, outcomes={**self.outcomes, name: outcome})

    def wrote(self, text: str) -> QuestionRound:
        """Return the round with what the person has written to the present question."""
        return replace(self, written={**self.written, self.present.name: text})

    def revealed(self) -> QuestionRound:
        """Return the round with the answer to the present question shown."""
        return replace(self, shown=self.shown | {self.present.name})

    def at(self, place: int) -> QuestionRound:
        """Return the round at another question, or behind the last one."""
        return replace(self, place=max(0, min(place, len(self.asked))))

    def missed(self) -> tuple[AskedQuestion, ...]:
        """Return those that did not go as well as can be, or were passed over."""
        best = OUTCOMES[self.kind][0]
        return tuple(one for one in self.asked if self.outcomes.get(one.question.name) != best)

    def scores(self) -> list[tuple[str, int, int]]:
        """Return (topic, how many went as well as can be, how many were asked) in the order of the topics."""
        missed = {one.question.name for one in self.missed()}
        topics = dict.fromkeys(topic for topic, _ in self.asked)
        return [(topic, *_counted([one.name not in missed for of, one in self.asked if of == topic])) for topic in topics]


def _counted(went_well: list[bool]) -> tuple[int, int]:
    return sum(went_well), len(went_well)


def askable(questions: Sequence[AskedQuestion], kind: str, topics: Sequence[str]) -> list[AskedQuestion]:
    """Return the questions of these topics; for a quiz those whose answer is computed."""
    return [one for one in questions if one.topic in topics and (kind == INTERVIEW or one.question.quiz)]


def drawn(
    questions: Sequence[AskedQuestion], kind: str, known: Mapping[str, str], count: int | None, chance: random.Random | None = None
) -> QuestionRound:
    """Return a round of at most `count` of these questions (None: of all), in their order, or drawn by `chance`.

    Those that did not go as well as can be the last time, as `known` says by name, come first.
    """
    pool = list(questions)
    if chance is not None:
        chance.shuffle(pool)
    pool.sort(key=lambda one: known.get(one.question.name) == OUTCOMES[kind][0])
    return QuestionRound(kind, tuple(pool[:count]))
