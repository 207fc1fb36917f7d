"""A step of a lesson from where an author stands: what has been done since the step before it, as data and in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from msgspec import structs

from nnviz.document.differences import differences
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused
from nnviz.document.run_log import RunLog, same_run
from nnviz.lessons.lesson import Lesson, LessonStep, RunBeside
from nnviz.lessons.lesson_documents import built_in_name, opened, with_document
from nnviz.lessons.step_settings import with_settings

PLACE = ("document", "set", "iteration", "detail", "workspace", "panels", "cursor", "phase", "element", "runs", "run_iterations", "measure")
"""The fields of a step that are recorded; all others are written."""
_ITERATIONS = LessonStep("").run_iterations


@dataclass(frozen=True)
class Situation:
    """Where somebody stands in the window, in the words of a step."""

    origin: Experiment
    """The document as it was opened."""
    experiment: Experiment
    iteration: int = 0
    detail: str = "textbook"
    workspace: str = "step"
    panels: tuple[str, ...] = ()
    cursor: str = ""
    phase: str = ""
    element: tuple[int, ...] = ()
    runs: Mapping[str, RunBeside] = field(default_factory=dict)
    """Those beside the present one, each from its start."""
    run_iterations: int = _ITERATIONS
    measure: tuple[str, ...] = ()
    """What has been worked out of where the run stands."""


class RecordedStep(NamedTuple):
    """A step that sets up where the author stands, without any text, and the lesson with the documents that it needs."""

    lesson: Lesson
    step: LessonStep
    told: tuple[str, ...]
    """What it sets up, in words."""


def behind(lesson: Lesson, count: int) -> Situation | None:
    """Return where a learner stands behind so many steps, their changes made as in their examples; None where nothing is open yet.

    Raises ValueError where that cannot be set up.
    """
    found = None
    for step in lesson.steps[:count]:
        found = _after_example(step, _set_up(lesson, step, found))
    return found


def _set_up(lesson: Lesson, step: LessonStep, before: Situation | None) -> Situation | None:
    if step.document is not None:
        document = opened(lesson.documents, step.document)
        before = Situation(document, document, workspace=before.workspace if before else "step")
    if before is None:
        return None
    is_other, moves = bool(step.cursor or step.phase), bool(step.set) or step.iteration is not None
    return Situation(
        before.origin,
        with_settings(before.experiment, step.set),
        before.iteration if step.iteration is None else step.iteration,
        step.detail or before.detail,
        step.workspace or before.workspace,
        step.panels or (() if step.workspace else before.panels),
        step.cursor if is_other else before.cursor,
        step.phase if is_other else before.phase,
        step.element,
        step.runs or before.runs,
        step.run_iterations if step.runs else before.run_iterations,
        tuple(dict.fromkeys((*(() if moves else before.measure), *step.measure))),
    )


def _after_example(step: LessonStep, stands: Situation | None) -> Situation | None:
    """The situation behind the change that a step asks for, made as in its example."""
    if stands is None or step.ask is None or step.ask.kind != "change":
        return stands
    name, _, value = step.ask.example.partition("=")
    if name == "iterations":
        return replace(stands, iteration=stands.iteration + (int(value) if value.isdecimal() else 0))
    return replace(stands, experiment=with_settings(stands.experiment, {name: value})) if name else stands


def recorded(lesson: Lesson, place: int, now: Situation) -> RecordedStep:
    """Return the step that comes at this place and leads from those before it to where the author stands.

    Raises Refused, where the document reads a file.
    """
    try:
        before = behind(lesson, place)
    except ValueError:
        before = None
    lesson, document, settings = _opening(lesson, before, now)
    if document is not None:
        before = Situation(now.origin, now.origin, workspace=before.workspace if before else "")
    fields: dict[str, Any] = {"document": document, "set": settings}
    if document is not None or settings or before.iteration != now.iteration:
        fields["iteration"] = now.iteration
    if now.detail != before.detail:
        fields["detail"] = now.detail
    if (now.workspace, now.panels) != (before.workspace, before.panels):
        fields |= {"workspace": now.workspace, "panels": now.panels}
    if _at(now) != _at(before):
        fields |= dict(zip(("cursor", "phase"), _at(now), strict=True))
    fields["element"] = now.element
    if "iteration" in fields or not set(now.measure) <= set(before.measure):  # what was found at another place is none of this one
        fields["measure"] = now.measure
    if now.runs and (now.runs, now.run_iterations) != (before.runs, before.run_iterations):
        fields |= {"runs": dict(now.runs), "run_iterations": now.run_iterations}
    step = LessonStep(text="", **fields)
    return RecordedStep(lesson, step, tuple(_told(lesson, step, now.element != before.element)))


def _at(situation: Situation) -> tuple[str, str]:
    """Node and phase; before the first step it is the batch, as an empty place would be that of the step before."""
    return situation.cursor, situation.phase or ("" if situation.cursor else "batch")


def _opening(lesson: Lesson, before: Situation | None, now: Situation) -> tuple[Lesson, str | None, dict[str, Any]]:
    """The lesson with the documents it needs, the one to open, if any, and the settings."""
    if before is not None and same_run(before.origin, now.origin):
        settings = settings_between(before.experiment, now.experiment)
        if settings is not None:
            return lesson, None, settings
    name, settings = built_in_name(now.origin), settings_between(now.origin, now.experiment)
    if name and settings is not None:
        return lesson, name, settings
    lesson, name = with_document(lesson, now.experiment)
    return lesson, name, {}


def settings_between(one: Experiment, other: Experiment) -> dict[str, Any] | None:
    """Return the settings by path that make the run of one document that of the other; None where settings cannot."""
    paths = sorted((one.path for one in differences(one, other)), key=lambda path: not path.endswith(".kind"))
    found = {path: value for path in paths if (value := _value(other, path)) is not _NOTHING}
    try:
        made = with_settings(one, found)
    except (Refused, ValueError):
        return None
    return found if same_run(made, other) else None


_NOTHING = object()


def _value(experiment: Experiment, path: str) -> Any:
    """The value at a path, its default where the file would not name it; _NOTHING where the document has no such path."""
    training = experiment.training
    match path.split("."):
        case ["network", "layers", id, name] if id in experiment.network.titles:
            layer = experiment.network.layer(id)
            return layer.settings.get(name, getattr(layer, name, _NOTHING))
        case ["data", name]:
            return experiment.data.kind if name == "kind" else experiment.data.settings.get(name, _NOTHING)
        case ["training", ("optimizer" | "schedule") as part, name]:
            choice = getattr(training, part)
            return choice.kind if name == "kind" else choice.settings.get(name, _NOTHING)
        case ["training", name]:
            return getattr(training, name, _NOTHING)
        case ["weights", *name]:
            return experiment.weights.get(".".join(name), _NOTHING)
        case [name]:
            return getattr(experiment, name, _NOTHING)
    return _NOTHING


def runs_beside(present: RunLog, others: Mapping[str, RunLog]) -> tuple[dict[str, RunBeside], tuple[str, ...]]:
    """Return the runs that a step can have trained beside the present one, by name, and the names of those that it cannot.

    It trains them from their start, without a change on the way: the document as the present run's first iteration finds it, or one
    that comes with the program, with other settings.
    """
    found: dict[str, RunBeside] = {}
    for name, log in others.items():
        first, settings = log.at(0), settings_between(present.at(0), log.at(0))
        if log.last != first:
            continue
        if settings is not None:
            found[name] = RunBeside(settings)
        elif document := built_in_name(first):
            found[name] = RunBeside({}, document)
    return found, tuple(name for name in others if name not in found)


def late_change(log: RunLog, iteration: int, start: int) -> int | None:
    """Return the last iteration at which a change was made on the way from `start` to `iteration`; None if there was none.

    A step changes settings where it begins: such a change needs a step of its own.
    """
    return next((change.iteration for change in reversed(log.changes) if start < change.iteration <= iteration), None)


# --- in words ---


def _told(lesson: Lesson, step: LessonStep, is_other_element: bool) -> Iterator[str]:
    if step.document is not None:
        own = lesson.documents.get(step.document, {}).get("title", "")
        yield f"open {own or step.document}"
    yield from (f"{path} = {_short(value)}" for path, value in step.set.items())
    if step.iteration is not None:
        yield f"iteration {step.iteration:,}"
    if step.detail:
        yield f"detail {step.detail}"
    if step.cursor or step.phase:
        yield " ".join(filter(None, ("stand at", step.cursor, f"in {step.phase}" if step.phase else "")))
    if step.element and (is_other_element or step.cursor):
        yield f"element [{', '.join(map(str, step.element))}]"
    if step.runs:
        yield f"beside: {', '.join(step.runs)}, {step.run_iterations:,} iterations each"
    if step.measure:
        yield f"measured: {', '.join(step.measure)}"
    if step.workspace:
        yield ", ".join((f"panels of {step.workspace.capitalize()}", *step.panels))


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


# --- steps in another order ---


def retaken(steps: Sequence[LessonStep], place: int, step: LessonStep) -> tuple[LessonStep, ...]:
    """Return the steps with one of them set up as another one is; its texts and its question stay."""
    return (*steps[:place], _set_as(steps[place], step), *steps[place + 1 :])


def rearranged(lesson: Lesson, order: Sequence[int | LessonStep]) -> Lesson:
    """Return the lesson with its steps in this order, named by their places; one may be there twice or not at all, or be a new one.

    Each is set up as before, whatever stands before it now: what it had left as the step before it did, it says itself where it must.
    """
    made = structs.replace(lesson, steps=())
    for at, one in enumerate(order):
        if not isinstance(one, int):
            made = structs.replace(made, steps=(*made.steps, one))
            continue
        step = lesson.steps[one]
        if (order[at - 1] if at else -1) != one - 1:
            made, step = _set_up_anew(lesson, one, made)
        made = structs.replace(made, steps=(*made.steps, step))
    return made


def _set_up_anew(lesson: Lesson, place: int, made: Lesson) -> tuple[Lesson, LessonStep]:
    """A step as it comes behind those that are made."""
    step = lesson.steps[place]
    try:
        stands = _set_up(lesson, step, behind(lesson, place))
        taken = recorded(made, len(made.steps), stands) if stands else None
    except ValueError:  # it cannot be set up where it stood either: that is told by the check
        taken = None
    return (taken.lesson, _set_as(step, taken.step)) if taken else (made, step)


def _set_as(step: LessonStep, other: LessonStep) -> LessonStep:
    return structs.replace(step, **{name: getattr(other, name) for name in PLACE})
