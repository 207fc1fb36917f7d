"""Numbers asked for afterwards: of every past iteration of a run, by making it again exactly; and when something first became true."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnviz.document.network import split_parameter
from nnviz.document.run_log import RunLog
from nnviz.engine.errors import BuildError
from nnviz.engine.model import loss_functions
from nnviz.engine.model.build import set_training
from nnviz.engine.observe.measures import array_of, layer_gradient, layer_weights, plain
from nnviz.engine.observe.node_marks import FLAT, STEEPNESS
from nnviz.engine.run.replay_slices import Found, InSlices, in_slices
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from nnviz.records.hindsight_record import OF_TENSORS, STATISTICS, FirstTime, PastNumbers, Predicate, Question
from nnviz.records.task_records import FirstTimeTask, PastNumbersTask, PastTime, PastTimeTask, Progress

SAMPLE = 24
"""So many iterations are measured for an estimate, if they are quick …"""
SAMPLED = 0.25
"""… and no longer than so many seconds."""


class PastIterations(NamedTuple):
    """Iterations to look at: 0 is the start."""

    first: int
    last: int
    stride: int = 1

    @property
    def places(self) -> range:
        """All of them."""
        return range(self.first, self.last + 1, self.stride)


def past_numbers(timeline: Timeline, questions: Sequence[Question], span: PastIterations) -> InSlices[PastNumbers]:
    """Measure numbers after every iteration of the span, as far as they can be made. Raises BuildError for what no iteration can answer.

    `timeline` is moved: it is to be a fork of the run, which stays where it is.
    """
    _prepare(timeline, questions)
    values: list[list[float]] = []
    for place in span.places:
        yield len(values), len(span.places)
        for _ in in_slices(timeline, place):
            yield len(values), len(span.places)
        if timeline.iteration != place:
            break
        values.append(_measured(timeline, questions))
    table = np.array(values, dtype=np.float64).reshape(-1, len(questions)).T
    return PastNumbers(array_of(np.array(span.places[: len(values)], dtype=np.int64)), array_of(np.ascontiguousarray(table)))


def estimated_seconds(timeline: Timeline, questions: Sequence[Question], span: PastIterations) -> InSlices[float]:
    """Find about how long `past_numbers` will take: some iterations are made and measured, no longer than a fraction of a second."""
    _prepare(timeline, questions)
    spent, times = 0.0, []
    for place in span.places[:SAMPLE]:
        work, before, is_made = _looked_at(timeline, questions, place), spent, None
        while is_made is None and spent <= SAMPLED:
            start = time.perf_counter()  # what others do between two slices does not count
            try:
                next(work)
            except StopIteration as end:
                is_made = end.value
            spent += time.perf_counter() - start
            yield len(times), SAMPLE
        if not is_made:
            break
        times.append(spent - before)
    if not times:  # not even the first was reached
        return SAMPLED / max(1, timeline.iteration) * span.last
    later = sorted(times[len(times) // 2 :])  # the first ones of a run are slower: nothing is prepared for them yet
    return sum(times) + later[len(later) // 2] * (len(span.places) - len(times))


def _looked_at(timeline: Timeline, questions: Sequence[Question], place: int) -> InSlices[bool]:
    """Make the run stand there and measure it; return whether it got there."""
    for here in in_slices(timeline, place):
        yield here, place
    if timeline.iteration == place:
        _measured(timeline, questions)
    return timeline.iteration == place


def first_time(timeline: Timeline, predicate: Predicate, last: int, stays: bool | None = None) -> InSlices[FirstTime]:
    """Find when a predicate became true for the first time, up to iteration `last`. `timeline` is moved, as by `past_numbers`.

    `stays`: whether it stays true once it is; then it is bisected between the checkpoints of the run. False: every iteration is looked at.
    None: it is looked at behind all checkpoints, and bisected if it is so there.
    """
    _prepare(timeline, (predicate.question,))
    search, looks = _Search(timeline, predicate, last), sorted({0, last, *(at + 1 for at in timeline.checkpoint_places if at < last)})
    if stays is None:
        stays = len(looks) > 2 and (yield from search.compare(looks))
    gap = (yield from search.bisect(looks)) if stays else None
    return (yield from search.scan(*gap, "bisected") if gap else search.scan(-1, last, "scanned"))


# --- as long work beside the run, which stays where it is ---

InProgress = Generator[Progress, None, Found]


def past_numbers_work(task: PastNumbersTask, timeline: Timeline) -> InProgress[PastNumbers]:
    """Measure numbers of past iterations of a run. Raises BuildError for what no iteration can answer."""
    return _told("iterations", past_numbers(timeline.branch(timeline.log), task.questions, PastIterations(0, task.last, task.stride)))


def first_time_work(task: FirstTimeTask, timeline: Timeline) -> InProgress[FirstTime]:
    """Find when something became true for the first time. Raises BuildError for what no iteration can answer."""
    return _told("at iteration", first_time(timeline.branch(timeline.log), task.predicate, task.last, task.stays))


def past_time_work(task: PastTimeTask, timeline: Timeline) -> InProgress[PastTime]:
    """Say how long the numbers would take. Raises BuildError for what no iteration can answer."""
    return _tried(task, timeline, timeline.log)


def _tried(task: PastTimeTask, timeline: Timeline, log: RunLog) -> InProgress[PastTime]:
    """The same, of the run as it was when that was asked for."""
    strides = tuple(sorted({1, task.stride}))
    seconds = []
    for stride in strides:
        fork = timeline.branch(log)
        work = estimated_seconds(fork, task.questions, PastIterations(0, task.last, stride))
        seconds.append((yield from _told("trying some iterations", work)))
    return PastTime(strides, tuple(seconds))


def _told(what: str, work: InSlices[Found]) -> InProgress[Found]:
    """The same work, saying how far it is as tasks do."""
    while True:
        try:
            done, total = next(work)
        except StopIteration as end:
            return end.value
        yield Progress(done, total, what)


# --- searching ---


class _Search:
    """Looks at one iteration after another, and remembers what it saw."""

    def __init__(self, timeline: Timeline, predicate: Predicate, last: int) -> None:
        self.seen: dict[int, float] = {}
        self._timeline, self._predicate, self._last = timeline, predicate, last

    def look(self, place: int) -> InSlices[bool]:
        """Whether it holds there; not where the run does not get."""
        if place not in self.seen:
            yield min(place, self._last), self._last
            for here in in_slices(self._timeline, place):
                yield min(here, self._last), self._last
            is_there = self._timeline.iteration == place
            self.seen[place] = _measured(self._timeline, (self._predicate.question,))[0] if is_there else math.nan
        return self._predicate.holds(self.seen[place])

    def bisect(self, places: Sequence[int]) -> InSlices[tuple[int, int] | None]:
        """The neighbours of these between which it becomes true, if it stays so; None if it is not at the last. −1 is before the first."""
        low, high = -1, len(places) - 1
        if not (yield from self.look(places[high])):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if (yield from self.look(places[middle])) else (middle, high)
        return places[low] if low >= 0 else -1, places[high]

    def compare(self, places: Sequence[int]) -> InSlices[bool]:
        """Whether it is true at the last of these, and at none of them after which it is false at another."""
        held = []
        for place in places:
            held.append((yield from self.look(place)))
        return held[-1] and held == sorted(held)

    def scan(self, low: int, high: int, how: str) -> InSlices[FirstTime]:
        """Look at every iteration behind `low` up to `high`."""
        for place in range(low + 1, high + 1):
            if (yield from self.look(place)):
                return FirstTime(place, self.seen[place], self.seen.get(place - 1), how, len(self.seen))
        return FirstTime(None, None, None, how, len(self.seen))


# --- measuring ---


def _prepare(timeline: Timeline, questions: Sequence[Question]) -> None:
    """Raises BuildError for a question that no iteration of the run can answer."""
    titles = {
        id for experiment in (timeline.log.first, *(change.experiment for change in timeline.changes)) for id in experiment.network.titles
    }
    for question in questions:
        layer = question.layer or split_parameter(question.parameter).layer
        if question.of not in (*OF_TENSORS, "loss", "metric") or question.statistic not in STATISTICS:
            raise BuildError("question", f"{question.of} {question.statistic} is nothing that can be measured.", "Ask for something else.")
        if question.of in OF_TENSORS and layer not in titles:
            raise BuildError("question", f"The run has no layer {layer!r}.", "Choose one of its layers.")
        count = timeline.trainer.training_rows.count
        if isinstance(question.rows, tuple) and not all(0 <= row < count for row in question.rows):
            raise BuildError("question", f"There are {count} training rows, numbered from 0.", "Choose some of them.")
    timeline.trainer.keep_previous(any(question.of == "updates" for question in questions))


def _measured(timeline: Timeline, questions: Sequence[Question]) -> list[float]:
    """The numbers where the timeline stands. What an iteration leaves behind is measured first: an evaluation makes other activations."""
    if timeline.iteration and not timeline.trainer.has_last and any(question.of in OF_TENSORS for question in questions):
        here = timeline.iteration
        timeline.go_to(here - 1)
        timeline.go_to(here)
    found = {question: _of_tensor(timeline.trainer, question) for question in questions if question.of in OF_TENSORS}
    return [found[question] if question in found else _of_rows(timeline.trainer, question) for question in questions]


def _of_rows(trainer: Trainer, question: Question) -> float:
    if isinstance(question.rows, tuple):
        numbers = _of_some_rows(trainer, torch.tensor(question.rows, dtype=torch.int64))
    else:
        rows = trainer.training_rows if question.rows == "training" else trainer.validation_rows
        numbers = trainer.evaluate(rows) if rows.count else (None, None)
    number = numbers[question.of == "metric"]
    return math.nan if number is None else number


def _of_some_rows(trainer: Trainer, numbers: Tensor) -> tuple[float, float]:
    """Loss, with all penalties, and metric of some training rows."""
    rows, experiment = trainer.training_rows, trainer.experiment
    set_training(trainer.net, False)
    with torch.no_grad():
        output = trainer.net(rows.x[numbers])
        loss = trainer.loss(output, rows.targets[numbers]).item()
        penalty = trainer.penalty(trainer.net).item() if trainer.penalty else 0.0
        metric = loss_functions.metric(experiment.training.loss, output, rows.y[numbers], trainer.data.classes).item()
    return loss + penalty, metric


def _of_tensor(trainer: Trainer, question: Question) -> float:
    tensor = _tensor(trainer, question)
    if tensor is None or not tensor.numel():
        return math.nan
    if question.element:
        place = (slice(None), *question.element) if question.of == "activations" else question.element
        if len(question.element) + (question.of == "activations") != tensor.dim():
            return math.nan
        if any(not 0 <= at < size for at, size in zip(reversed(question.element), reversed(tensor.shape), strict=False)):
            return math.nan
        tensor = tensor[place]
        if question.of != "activations":
            return tensor.item()
    return _statistic(tensor.detach(), question.statistic, _function(trainer, question.layer))


def _tensor(trainer: Trainer, question: Question) -> Tensor | None:
    """What is asked about; None where there is no such thing after this iteration."""
    if question.of == "activations":
        return trainer.activations.get(question.layer) if trainer.has_last else None
    if question.of == "weights":
        return trainer.parameters.get(question.parameter) if question.parameter else _of_layer(trainer, question, layer_weights)
    if not trainer.has_last:
        return None
    if question.of == "gradients":
        return trainer.gradients.get(question.parameter) if question.parameter else _of_layer(trainer, question, layer_gradient)
    names = [name for name in trainer.previous if question.parameter == name or split_parameter(name).layer == question.layer]
    moved = [trainer.parameters[name].detach() - trainer.previous[name] for name in names if name in trainer.parameters]
    return torch.cat([one.ravel() for one in moved]) if moved and not question.parameter else next(iter(moved), None)


def _of_layer(trainer: Trainer, question: Question, part: Callable[[Trainer, str], Tensor]) -> Tensor | None:
    has_any = any(split_parameter(name).layer == question.layer for name in trainer.parameters)
    return part(trainer, question.layer) if has_any else None


def _function(trainer: Trainer, layer: str) -> str:
    """The activation of a layer."""
    network = trainer.experiment.network
    settings = network.layer(layer).settings if network.has(layer) else {}
    return settings.get("activation") or settings.get("function") or ""


def _statistic(tensor: Tensor, name: str, function: str) -> float:
    if name == "dead":
        return float((tensor == 0).all(0).double().mean())
    if name == "saturated":
        return float((STEEPNESS[function](tensor) < FLAT).double().mean()) if function in STEEPNESS else math.nan
    values = plain(tensor).numpy().ravel().astype(np.float64)
    with np.errstate(all="ignore"):
        return float(_NUMBERS[name](values))


_NUMBERS: dict[str, Callable[[np.ndarray], float]] = {
    "norm": lambda values: math.sqrt(np.einsum("i,i->", values, values)),
    "mean": np.mean,
    "std": np.std,
    "min": np.min,
    "max": np.max,
    "largest": lambda values: np.abs(values).max(),
    "zeros": lambda values: (values == 0).mean(),
    "non_finite": lambda values: (~np.isfinite(values)).mean(),
}
