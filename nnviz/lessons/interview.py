"""The questions of the interview mode as data: a question, a short answer, what shows it, and where it can be, a quiz nnviz measures."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec.structs import replace

from nnviz.lessons.lesson import Ask, Lesson, LessonError, LessonStep, what_is_missing
from nnviz.resource_files import resource_folder


class Quiz(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question whose answer is measured in a document."""

    document: str
    """example:NAME or template:NAME"""
    ask: Ask
    """A number, a choice or a click."""
    set: dict[str, Any] = {}
    iteration: int = 0
    cursor: str = ""
    """The node at which the step stands, before what is asked for is known, as in a lesson."""
    phase: str = ""

    @property
    def step(self) -> LessonStep:
        """Return it as the step of a lesson, which sets it up and asks it."""
        return LessonStep(
            "", document=self.document, set=self.set, iteration=self.iteration, cursor=self.cursor, phase=self.phase, ask=self.ask
        )


class InterviewQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question with its answer."""

    question: str
    answer: str
    """Two to four sentences in Markdown."""
    rows: tuple[str, ...]
    """Rows of the curriculum it belongs to."""
    shown_by: str
    """What shows it: lesson:NAME, example:NAME or template:NAME."""
    quiz: Quiz | None = None

    @property
    def name(self) -> str:
        """What a score calls it: the words of the question."""
        return re.sub(r"\W+", "_", self.question.lower()).strip("_")


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The questions of one file."""

    topic: str
    questions: tuple[InterviewQuestion, ...]


def topics() -> tuple[Topic, ...]:
    """Return all questions by topic, in the order of their files. Raises LessonError for one that cannot be read."""
    return tuple(decode_topic(path.read_bytes(), path.name) for path in sorted(resource_folder("interview").glob("*.json")))


def questions(name: str | None = None) -> list[tuple[str, InterviewQuestion]]:
    """Return (topic, question) of all topics, or of the one with this name. Raises LessonError where there is none."""
    every = topics()
    if name is not None and name not in {one.topic for one in every}:
        raise LessonError(f"There is no topic {name!r}. There is: {', '.join(one.topic for one in every)}.")
    return [(one.topic, question) for one in every for question in one.questions if name in (None, one.topic)]


def decode_topic(text: bytes, name: str = "interview") -> Topic:
    """Return the topic in a JSON text. Raises LessonError."""
    try:
        topic = msgspec.json.decode(text, type=Topic)
    except msgspec.DecodeError as error:
        raise LessonError(f"{name}: {error}") from None
    for number, one in enumerate(topic.questions, 1):
        if one.quiz and (fault := _fault(one.quiz.ask)):
            raise LessonError(f"{name}, question {number}: {fault}")
    return topic


def quiz_lesson(*asked: InterviewQuestion) -> Lesson | None:
    """Return the quizzes of these questions as a lesson of as many steps, which can be played and checked like any other; None if one
    has none."""
    steps = tuple(replace(one.quiz.step, text=one.question, reveal=one.answer) for one in asked if one.quiz)
    return Lesson("Quiz", "", len(steps), steps) if len(steps) == len(asked) else None


def experiment_lesson(question: InterviewQuestion) -> Lesson | None:
    """Return a lesson of one step that opens the example or template which shows a question, with its answer; None if a lesson shows it."""
    if question.shown_by.startswith("lesson:"):
        return None
    text = f"**{question.question}**\n\n{question.answer}"
    return Lesson("Experiment", "", 1, (LessonStep(text, document=question.shown_by, workspace="train", panels=("network", "loss")),))


def _fault(ask: Ask) -> str:
    if ask.kind not in ("number", "choice", "click"):
        return "A quiz asks for a number, a choice or a click."
    return what_is_missing(ask)
