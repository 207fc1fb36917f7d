"""A lesson as data: steps that set something up, say something, ask something nnviz itself can answer, and show it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

SUFFIX = ".lesson.json"
"""How the name of a lesson's own file ends."""


class Wrong(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A number that a documented wrong idea leads to."""

    answer: str
    """An expression: it is worked out from the live state like the right answer."""
    idea: str
    """The name of a misconception (see misconceptions.py), or a sentence that says what was thought."""


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of several answers."""

    text: str
    when: str
    """A condition: whether it is right is measured."""
    idea: str = ""
    """As for Wrong: what who chooses it has thought, where it is wrong."""


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question whose answer is measured, never written down.

    number: `answer` is an expression · choice: those of `options` whose condition holds · click: on a node, weight or layer for which
    `when` holds, in which its name is `clicked` · change: whatever the person does until `when` holds.
    """

    kind: Literal["number", "choice", "click", "change"]
    text: str
    answer: str = ""
    tolerance: float = 0.01
    """Of the right answer, relative; below 1 in absolute numbers of the same size."""
    wrong: tuple[Wrong, ...] = ()
    options: tuple[Option, ...] = ()
    when: str = ""
    example: str = ""
    """For click and change: what a player without a person does: the name that is clicked, or `path=value` of the document, or
    `iterations=N`."""
    hints: tuple[str, ...] = ()


class RunBeside(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A run beside the present one, from its start: the document as the first iteration finds it, with other settings."""

    set: dict[str, Any]
    """By path, as `--set` names it."""
    document: str | None = None
    """example:NAME or template:NAME, where it is a run of another document than the present one."""


class LessonStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One screen of a lesson. What it does not say stays as the step before has left it."""

    text: str
    """Markdown with $formulas$ and {= expressions }, which are worked out from the live state."""
    document: str | None = None
    """What to open: example:NAME, template:NAME, or the name of one of the lesson's own `documents`."""
    set: dict[str, Any] = {}
    """Edits of the document by path, as `--set` names it; `layer.field` of a layer is `network.layers.layer.field`."""
    iteration: int | None = None
    """Where the run is to stand."""
    detail: str = ""
    """layer · textbook · math · neurons"""
    workspace: str = ""
    """What stands beside the lesson: build · step · train."""
    panels: tuple[str, ...] = ()
    """Panels that are to be seen."""
    covers: tuple[str, ...] = ()
    """Those of them that would show the answer: they are covered until it is given."""
    cursor: str = ""
    """A node, as `h1/relu`, a parameter as `h1.weight`; the cursor stands on its step in `phase`."""
    phase: str = ""
    """forward · loss · backward · clip · update; without a `cursor` the first step of that phase."""
    element: tuple[int, ...] = ()
    """Which element of the cursor's node the card works out, without the batch axis; empty: the one the card chooses."""
    runs: dict[str, RunBeside] = {}
    """Runs to be trained beside, by name, each up to `run_iterations`. They stand there until a later step names others."""
    run_iterations: int = 200
    measure: tuple[Literal["baselines", "distances"], ...] = ()
    """What the engine works out once the run stands there, as these panels show it; expressions name its numbers."""
    ask: Ask | None = None
    reveal: str = ""
    """Said once the question is answered; as `text`."""
    claims: tuple[str, ...] = ()
    """Conditions that have to hold here, whatever is said: a test measures them."""


class Lesson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A lesson. Its name is that of its file."""

    title: str
    summary: str
    """One sentence: what one can do afterwards."""
    minutes: int
    steps: tuple[LessonStep, ...]
    rows: tuple[str, ...] = ()
    """Rows of the curriculum it shows."""
    group: str = ""
    """What it stands under in the list."""
    documents: dict[str, dict[str, Any]] = {}
    """Documents that only this lesson has, by name: each as its file would hold it, with its rows in it."""


class LessonError(ValueError):
    """A lesson that cannot be read: the place and what is wrong, as a sentence."""


def decode(text: bytes, name: str = "lesson") -> Lesson:
    """Return the lesson in a JSON text. Raises LessonError."""
    lesson = decode_draft(text, name)
    if not lesson.steps:
        raise LessonError(f"{name}: a lesson has at least one step. Write it under steps.")
    for number, step in enumerate(lesson.steps, 1):
        if min(step.iteration or 0, step.run_iterations) < 0:
            raise LessonError(f"{name}, step {number}: Iterations are counted from 0. Write 0 or more.")
        if step.ask and (fault := what_is_missing(step.ask)):
            raise LessonError(f"{name}, step {number}: {fault}")
    return lesson


def decode_draft(text: bytes, name: str = "lesson") -> Lesson:
    """Return the lesson in a JSON text, which may have no steps yet, and questions that are not whole. Raises LessonError."""
    try:
        return msgspec.json.decode(text, type=Lesson)
    except msgspec.ValidationError as error:
        raise LessonError(
            f"{name}: {error}. Mend that place in a text editor; `title`, `summary`, `minutes`, `steps` are needed."
        ) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise LessonError(f"{name}: This is no lesson: {error}. The file is cut off or not JSON; open another one.") from None


def encode(lesson: Lesson) -> bytes:
    """Return the lesson as JSON, without what has its default."""
    return msgspec.json.format(msgspec.json.encode(lesson), indent=1)


def what_is_missing(ask: Ask) -> str:
    """Return what a question lacks, as a sentence; "" if it is whole."""
    if ask.kind == "number" and not ask.answer:
        return "A question for a number needs `answer`, an expression."
    if ask.kind == "choice" and len(ask.options) < 2:
        return "A choice needs two options or more."
    if ask.kind in ("click", "change") and not (ask.when and ask.example):
        return f"A question for a {ask.kind} needs `when`, a condition, and `example`, which makes it true."
    return ""
