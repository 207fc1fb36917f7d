"""Long work in slices never changes the run: not while it goes on, not where it is left, not when training goes on in between."""

from __future__ import annotations

import pytest
import torch
from msgspec.structs import replace

from nnviz import messages
from nnviz.document import edits
from nnviz.document.run_log import RunLog
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.curvature import curvature
from nnviz.engine.observe.gradient_noise import gradient_noise
from nnviz.engine.observe.hindsight import first_time_work, past_numbers_work, past_time_work
from nnviz.engine.observe.landscape import loss_plane
from nnviz.engine.run.optimizers import save_state
from nnviz.engine.run.race import compared, race
from nnviz.engine.run.range_test import range_test
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.engine.tasks import Task, TaskQueue, Work
from nnviz.records.hindsight_record import Predicate, Question
from nnviz.records.task_records import (
    CurvatureTask,
    DivergenceTask,
    FirstTimeTask,
    NoiseTask,
    PastNumbersTask,
    PastTimeTask,
    PlaneTask,
    Progress,
    Race,
    RaceTask,
    RangeTest,
    RangeTestTask,
    WeightPlace,
)
from nnviz.records.tensors import Array
from tests.engine.experiments import HERE, experiment
from tests.engine.test_landscape import NORMED

START = experiment(batch_size=16, clip_norm=1.0)
OTHER = edits.choose_optimizer(START, "sgd")
ASKED = (Question("gradients", "h1"), Question("loss"))
TWO = (WeightPlace("h1.weight", (0, 1)), WeightPlace("out.bias", (1,)))
WORKS = {
    "path": lambda timeline: loss_plane(PlaneTask("path", size=7, mode="training"), timeline),
    "weights": lambda timeline: loss_plane(PlaneTask("weights", TWO, size=5), timeline),
    "random": lambda timeline: loss_plane(PlaneTask("random", size=5, rows="batch", mode="training"), timeline),
    "curvature": lambda timeline: curvature(CurvatureTask(), timeline.trainer),
    "noise": lambda timeline: gradient_noise(NoiseTask(batches=4), timeline.trainer),
    "range test": lambda timeline: range_test(RangeTestTask(iterations=12, seeds=2), timeline.trainer),
    "race": lambda timeline: race(RaceTask((timeline.log, RunLog(OTHER)), timeline.iteration + 9), timeline),
    "divergence": lambda timeline: compared(DivergenceTask(timeline.log, RunLog(OTHER), timeline.iteration + 9), timeline),
    "past numbers": lambda timeline: past_numbers_work(PastNumbersTask(ASKED, 20), timeline),
    "past numbers by stride": lambda timeline: past_numbers_work(PastNumbersTask(ASKED, 20, 5), timeline),
    "first time": lambda timeline: first_time_work(FirstTimeTask(Predicate(ASKED[0], "below", -1.0), 20), timeline),
}
each_work = pytest.mark.parametrize("name", WORKS)


def at(iteration: int, document=START) -> Timeline:
    timeline = Timeline(document, HERE)
    timeline.go_to(iteration)
    return timeline


def state(timeline: Timeline) -> tuple:
    """All that the further run depends on, as bits."""
    trainer = timeline.trainer
    optimizer = {
        name: {key: str(value) for key, value in entry.items()} for name, entry in save_state(trainer.optimizer, trainer.names).items()
    }
    buffers = {name: buffer.tolist() for name, buffer in trainer.buffers.items()}
    gradients = {name: one.tolist() for name, one in trainer.gradients.items()}
    place = trainer.position, trainer.early_stopping, trainer.plateau, trainer.experiment, trainer.has_last, trainer.net.training
    return digest(trainer.net), buffers, optimizer, gradients, place, tuple(timeline.points), timeline.changes, timeline.applied


def draws() -> list[float]:
    """What torch's generator would give, without taking it."""
    with torch.random.fork_rng(devices=[]):
        return torch.rand(3).tolist()


def timeless(result):
    """The result without how long anything took."""
    return replace(result, runs=tuple(replace(run, seconds=0.0) for run in result.runs)) if isinstance(result, Race) else result


def finished(work: Work):
    task = Task(work)
    while not task.is_over:
        task.advance()
    return task.found


@each_work
@pytest.mark.parametrize("pieces", [0, 1, 2, 5, 30, 100_000])
def test_a_run_is_the_same_to_the_bit_wherever_the_work_is_left(name, pieces):
    timeline, drawn = at(23), draws()
    before = state(timeline)
    task = Task(WORKS[name](timeline))
    while pieces and not task.is_over:
        task.advance()
        pieces -= 1
    task.stop()
    assert state(timeline) == before and draws() == drawn and task.is_over
    timeline.go_to(40)
    assert state(timeline) == state(at(40))


@each_work
def test_training_goes_on_in_between_and_neither_notices(name):
    timeline = at(23)
    expected = finished(WORKS[name](timeline))
    task = Task(WORKS[name](timeline))
    while not task.is_over:
        task.advance()
        timeline.advance()
    assert timeless(task.found) == timeless(expected)
    assert state(timeline) == state(at(timeline.iteration))


@pytest.mark.parametrize("name", ["path", "random", "curvature", "noise", "range test"])  # the others are about layers it has not
@pytest.mark.parametrize("iteration", [1, 60])
def test_running_statistics_and_the_way_back_stay(name, iteration):
    timeline = at(iteration, NORMED)
    before = state(timeline)
    finished(WORKS[name](timeline))
    assert state(timeline) == before
    timeline.go_to(max(0, iteration - 7))
    assert state(timeline)[:2] == state(at(timeline.iteration, NORMED))[:2]


def test_a_twin_goes_its_own_way():
    timeline = at(60)
    timeline.edit(edits.choose_optimizer(START, "sgd"))
    timeline.go_to(70)
    before = state(timeline)
    twin = timeline.twin()
    assert state(twin)[:3] == before[:3] and twin.points == timeline.points and twin.iteration == 70
    twin.go_to(12)
    assert state(twin)[:3] == state(at(12))[:3] and state(timeline) == before
    twin.go_to(70)
    assert state(twin)[:3] == before[:3] and twin.points == timeline.points
    timeline.go_to(20)
    ahead = timeline.twin()  # of a run that stands before what it has already made
    assert ahead.go_to(70) is None and state(ahead)[:3] == before[:3] and len(ahead.points) == 71
    timeline.go_to(70)
    twin.edit(edits.change_training(twin.document, l2=0.5))
    twin.go_to(90)
    assert state(timeline) == before
    timeline.go_to(55)
    timeline.go_to(70)
    assert state(timeline) == before


def test_pieces_are_short_and_say_how_far_it_is():
    task, seen = Task(WORKS["curvature"](at(5))), []
    while not task.is_over:
        task.advance()
        seen.append(task.progress)
    assert {one.what for one in seen} >= {"gradient", "rows of the Hessian"} and all(0 <= one.done <= one.total for one in seen)
    assert len(seen) > 42


def test_an_estimate_is_made_for_every_iteration_and_for_some():
    timeline, drawn = at(23), draws()
    before, found = state(timeline), finished(past_time_work(PastTimeTask(ASKED, 20, 5), timeline))
    assert found.strides == (1, 5) and all(seconds > 0 for seconds in found.seconds)
    assert finished(past_time_work(PastTimeTask(ASKED, 20), timeline)).strides == (1,)
    assert state(timeline) == before and draws() == drawn


# --- the queue ---

NOTHING = Array("float64", (0,), b"")


def found(start: float) -> RangeTest:
    return RangeTest(*[NOTHING] * 6, start)


def counting(name: str, steps: int, log: list) -> Work:
    for step in range(steps):
        log.append(name)
        yield Progress(step + 1, steps, name)
        yield found(float(step))
    return found(99.0)


def failing() -> Work:
    yield Progress(0, 1, "nothing")
    raise BuildError("here", "It cannot be.", "Leave it.")


def queue() -> tuple[TaskQueue, list[messages.Reply]]:
    sent: list[messages.Reply] = []
    return TaskQueue(sent.append, lambda error: messages.Failed("StartTask", error.message, error.cure)), sent


def test_tasks_take_turns_and_say_what_they_have_found():
    tasks, sent = queue()
    log: list[str] = []
    for number, name in ((1, "one"), (2, "two")):
        tasks.start(number, (7, 40), Task(counting(name, 2, log)))
    while not tasks.is_empty:
        tasks.advance(0.0)
    assert log == ["one", "two", "one", "two"]
    done = [one for one in sent if isinstance(one, messages.TaskDone)]
    assert done == [messages.TaskDone(number, 7, 40, "done", found(99.0)) for number in (1, 2)]
    results = [one.result.start for one in sent if isinstance(one, messages.TaskProgressed) and one.number == 1 and one.result]
    assert results == [0.0, 1.0]


def test_a_task_can_be_left_and_one_that_has_ended_is_not_missed():
    tasks, sent = queue()
    for number in (1, 2, 3):
        tasks.start(number, (7, 40), Task(counting("", 2, [])))
    tasks.stop(2)
    tasks.stop(2)
    tasks.stop(9)
    assert sent == [messages.TaskDone(2, 7, 40, "stopped")]
    tasks.stop(1)
    tasks.stop(3)
    assert [one.number for one in sent] == [2, 1, 3] and tasks.is_empty


def test_what_is_not_about_the_run_that_is_left_goes_on():
    tasks, sent = queue()
    tasks.start(1, (7, 40), Task(counting("", 2, [])))
    tasks.start(2, (7, 40), Task(counting("", 2, [])), is_of_run=False)
    tasks.leave_run()
    assert sent == [messages.TaskDone(1, 7, 40, "stopped")]
    while not tasks.is_empty:
        tasks.advance(0.0)
    assert sent[-1] == messages.TaskDone(2, 7, 40, "done", found(99.0))


def test_a_task_that_fails_says_why_and_the_others_go_on():
    tasks, sent = queue()
    tasks.start(1, (7, 40), Task(failing()))
    tasks.start(2, (7, 40), Task(counting("", 1, [])))
    while not tasks.is_empty:
        tasks.advance(0.0)
    assert messages.TaskDone(1, 7, 40, "failed", None, "It cannot be.", "Leave it.") in sent
    assert sent[-1] == messages.TaskDone(2, 7, 40, "done", found(99.0))
