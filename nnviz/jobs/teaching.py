"""The job `lessons` of the command line: plays a lesson without a window, answers it rightly and wrongly, and holds its claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnviz.doctor.diagnosis import diagnose
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused
from nnviz.lessons.checks import expressions_of, is_near, judge, right_answer
from nnviz.lessons.expression import ExpressionError, evaluate, number, truth
from nnviz.lessons.facts import Columns, Facts
from nnviz.lessons.lesson import Ask, Lesson, LessonStep
from nnviz.lessons.lesson_documents import opened
from nnviz.lessons.measurements import MEASURES
from nnviz.lessons.step_settings import with_settings
from nnviz.records.run_records import CurvePoint
from nnviz.records.trace_index import TraceIndex

if TYPE_CHECKING:
    from nnviz.engine.run.timeline import Timeline


class Fault(NamedTuple):
    """What of a lesson does not hold."""

    step: int
    """Its number, from 1."""
    sentence: str


def faults(lesson: Lesson) -> list[Fault]:
    """Play a lesson through and return what does not hold; nothing if all is well."""
    import torch

    torch.set_num_threads(1)  # with two threads on a busy machine a small net is ten times slower
    player = _Player(lesson.documents)
    return [Fault(number, sentence) for number, step in enumerate(lesson.steps, 1) for sentence in player.faults(step)]


class _Player:
    """Stands where a person would who takes one step after the other."""

    def __init__(self, documents: Mapping[str, Any] | None = None) -> None:
        """`documents`: the lesson's own."""
        self._documents = documents or {}
        self._timeline: Timeline | None = None
        self._detail = "textbook"
        self._runs: dict[str, Columns] = {}
        self._measured: dict[str, object] = {}

    def faults(self, step: LessonStep) -> Iterator[str]:
        """Set a step up and try all that is said and asked in it."""
        try:
            self._set_up(step)
        except (Refused, ValueError) as error:
            yield f"It cannot be set up: {error}"
            return
        facts = self.facts()
        yield from self._texts(step, facts)
        if step.cursor and (fault := _fails(lambda: facts.names["value"](step.cursor))):
            yield f"The cursor: {fault}"
        if step.ask:
            yield from self._question(step.ask, facts)

    def _texts(self, step: LessonStep, facts: Facts) -> Iterator[str]:
        for claim in step.claims:
            fault = _fails(lambda claim=claim: truth(claim, facts.names))
            if fault or not truth(claim, facts.names):
                yield fault or f"The claim does not hold: {claim}"
        for text in expressions_of(step):
            if fault := _fails(lambda text=text: evaluate(text, facts.names)):
                yield fault

    # --- setting up ---

    def _set_up(self, step: LessonStep) -> None:
        from nnviz.engine.run.timeline import Timeline

        if step.document is not None:
            self._timeline, self._runs, self._detail = Timeline(opened(self._documents, step.document), Path()), {}, "textbook"
        if self._timeline is None:
            raise ValueError("no document is open. Name one in the first step.")
        if step.document is not None or step.set or step.iteration is not None:
            self._measured = {}
        self._detail = step.detail or self._detail
        if step.iteration is not None and step.iteration < self._timeline.iteration:
            self._go_to(step.iteration)
        if step.set:
            self._change(with_settings(self._timeline.document, step.set))
        if step.iteration is not None:
            self._go_to(step.iteration)
        self._runs = {} if step.runs else self._runs
        for name, run in step.runs.items():
            first = self._timeline.log.at(0) if run.document is None else opened(self._documents, run.document)
            other = Timeline(with_settings(first, run.set), Path())
            other.go_to(step.run_iterations)
            other.complete_last_point()
            self._runs[name] = columns(other.points)
        self._measured |= {name: _worked_out(name, self._timeline) for name in step.measure if name not in self._measured}

    def _change(self, experiment: Experiment) -> None:
        from nnviz.engine.run.timeline import Timeline

        if self._timeline.iteration and self._timeline.can_go_on_with(experiment):
            self._timeline.edit(experiment)
        else:
            self._timeline = Timeline(experiment, Path())

    def _go_to(self, iteration: int) -> None:
        self._timeline.go_to(iteration)
        self._timeline.complete_last_point()

    def facts(self) -> Facts:
        """Return what is known where it stands."""
        from nnviz.engine.observe.capture import capture_next
        from nnviz.engine.observe.trace_records import to_record

        timeline = self._timeline
        try:
            index = TraceIndex(to_record(capture_next(timeline.trainer, self._detail)))
        except RuntimeError:  # the next iteration is not finite
            index = None
        return Facts(
            timeline.trainer.experiment, index, columns(timeline.points), dict(self._runs), diagnose(timeline.history()), self._measured
        )

    # --- questions ---

    def _question(self, ask: Ask, facts: Facts) -> Iterator[str]:
        try:
            if ask.kind == "change":
                yield from self._changed(ask, facts)
            elif ask.kind == "number":
                yield from _numbers(ask, facts)
            else:
                answer = right_answer(ask, facts)
                if not (answer and judge(ask, answer, facts).is_right):
                    yield f"No answer is right: {ask.text}"
                yield from _options(ask, facts)
        except ExpressionError as error:
            yield str(error)

    def _changed(self, ask: Ask, facts: Facts) -> Iterator[str]:
        if judge(ask, "", facts).is_right:
            yield f"It holds before anything is changed: {ask.when}"
        name, _, value = ask.example.partition("=")
        if name == "iterations":
            self._go_to(self._timeline.iteration + int(value))
        else:
            self._change(with_settings(self._timeline.document, {name: value}))
        if not judge(ask, "", self.facts()).is_right:
            yield f"The example does not make it true: {ask.example}"


def _numbers(ask: Ask, facts: Facts) -> Iterator[str]:
    right = number(ask.answer, facts.names)
    if not judge(ask, repr(right), facts).is_right:
        yield f"The right answer is refused: {ask.answer}"
    for wrong in ask.wrong:
        value = number(wrong.answer, facts.names)
        if is_near(value, right, ask.tolerance):
            yield f"The wrong idea leads to the right number: {wrong.answer}"
        elif not judge(ask, repr(value), facts).sentence:
            yield f"The wrong idea is not named: {wrong.answer}"


def _options(ask: Ask, facts: Facts) -> Iterator[str]:
    """Of a choice at least one is wrong; a click on nothing is."""
    if ask.kind == "click":
        if judge(ask, "", facts).is_right:
            yield f"A click on nothing is right: {ask.when}"
        return
    said = [judge(ask, str(place), facts) for place in range(len(ask.options))]
    if all(one.is_right for one in said):
        yield "All options are right."


def _worked_out(name: str, timeline: Timeline) -> object:
    """What a step measures. Raises BuildError, a ValueError, where that cannot be done."""
    from nnviz.engine.observe.baselines import baselines
    from nnviz.engine.observe.distances import distances
    from nnviz.engine.tasks import Task

    begin = {"baselines": baselines, "distances": distances}[name]
    task = Task(begin(MEASURES[name](), timeline.trainer))
    task.advance(until=inf)
    return task.found


def _fails(call: Callable[[], object]) -> str:
    try:
        call()
    except ExpressionError as error:
        return str(error)
    return ""


def columns(points: list[CurvePoint]) -> Columns:
    """Return the figures of a run by name; NaN where something was not measured."""
    rows = np.array([[np.nan if value is None else value for value in _fields(point)] for point in points], dtype=np.float64)
    return dict(zip(CurvePoint.__struct_fields__, rows.T, strict=True))


def _fields(point: CurvePoint) -> list[float | None]:
    return [getattr(point, name) for name in CurvePoint.__struct_fields__]
