"""Long work beside the run: it is asked for once, told by its number, can be given up, and what is old is never taken for new."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.records.task_records import NoiseTask, PlaneTask, Progress, RangeTest, RangeTestTask
from nnviz.records.tensors import Array
from nnviz.session.long_tasks import ENGINE_ENDED, NOTHING, RUN_LEFT
from tests.session.sessions import stages

EMPTY = Array("float64", (0,), b"")
PLANE = PlaneTask("random")


@pytest.fixture
def stage(qapp):
    for stage in stages():
        stage.stand()
        yield stage


def found(start: float) -> RangeTest:
    return RangeTest(*[EMPTY] * 6, start)


def number(stage) -> int:
    return stage.wire.of(messages.StartTask)[-1].number


def progressed(stage, result=None, iteration: int = 0, done: int = 3) -> None:
    revision = stage.session.run.revision
    stage.reply(messages.TaskProgressed(number(stage), revision, iteration, Progress(done, 9, "losses"), result))


def done(stage, reason: str = "done", result=None, number_=None, **why) -> None:
    stage.reply(messages.TaskDone(number_ or number(stage), stage.session.run.revision, stage.session.run.iteration, reason, result, **why))


def test_what_is_found_so_far_and_at_last(stage):
    tasks, said = stage.session.tasks, []
    tasks.changed.connect(said.append)
    assert tasks.state(PlaneTask) is NOTHING and not tasks.is_present(PlaneTask)
    assert tasks.ask(PLANE)
    assert stage.wire.of(messages.StartTask) == [messages.StartTask(1, PLANE)] and tasks.state(PlaneTask).progress.done == 0
    progressed(stage, found(1.0))
    state = tasks.state(PlaneTask)
    assert (state.result, state.progress.done, state.is_whole, state.task) == (found(1.0), 3, False, PLANE)
    progressed(stage, done=4)
    assert tasks.state(PlaneTask).result == found(1.0), "no news of the result"
    done(stage, result=found(2.0))
    state = tasks.state(PlaneTask)
    assert (state.result, state.progress, state.is_whole, state.failure) == (found(2.0), None, True, "")
    assert tasks.is_present(PlaneTask) and set(said) == {PlaneTask} and len(said) == 4


def test_kinds_go_on_beside_each_other_and_one_of_a_kind_takes_the_place_of_the_former(stage):
    tasks = stage.session.tasks
    tasks.ask(PLANE)
    tasks.ask(NoiseTask())
    tasks.ask(PlaneTask("path"))
    assert [(one.number, type(one.task)) for one in stage.wire.of(messages.StartTask)] == [(1, PlaneTask), (2, NoiseTask), (3, PlaneTask)]
    assert stage.wire.of(messages.StopTask) == [messages.StopTask(1)]
    done(stage, "stopped", number_=1)
    assert tasks.state(PlaneTask).progress is not None, "the answer to the former one"
    done(stage, result=found(5.0), number_=2)
    assert tasks.state(NoiseTask).result == found(5.0) and tasks.state(PlaneTask).result is None


def test_what_is_cancelled_keeps_what_it_has_found(stage):
    tasks = stage.session.tasks
    tasks.cancel(PlaneTask)
    assert not stage.wire.sent
    tasks.ask(PLANE)
    progressed(stage, found(1.0))
    tasks.cancel(PlaneTask)
    assert stage.wire.of(messages.StopTask) == [messages.StopTask(1)]
    done(stage, "stopped")
    state = tasks.state(PlaneTask)
    assert (state.result, state.progress, state.is_whole, state.failure) == (found(1.0), None, False, "")


def test_a_failure_says_why(stage):
    tasks = stage.session.tasks
    tasks.ask(PLANE)
    done(stage, "failed", message="It has not moved.", cure="Train first.")
    assert tasks.state(PlaneTask).failure == "It has not moved. Train first." and tasks.state(PlaneTask).progress is None
    tasks.ask(PLANE)
    assert tasks.state(PlaneTask).failure == ""


def test_what_is_older_than_the_run_is_past_and_is_present_again_when_the_run_comes_back(stage):
    tasks = stage.session.tasks
    tasks.ask(PLANE)
    stage.session.training.iterations(3)
    stage.frame(2)
    progressed(stage, found(1.0), iteration=0)
    assert not tasks.is_present(PlaneTask) and tasks.state(PlaneTask).iteration == 0, "of iteration 0, the run is at 2"
    stage.trained(3)
    done(stage, result=found(2.0))
    assert tasks.is_present(PlaneTask)
    stage.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", 0.5)
    assert not tasks.is_present(PlaneTask), "another document"


def test_it_is_not_asked_for_on_the_way_to_another_iteration_nor_without_an_engine(stage):
    stage.session.training.iterations(3)
    stage.trained(3)
    stage.wire.take()
    stage.session.training.go_to(1)
    assert not stage.session.tasks.ask(RangeTestTask()) and "on its way" in stage.session.tasks.obstacle
    assert not stage.wire.of(messages.StartTask)


def test_a_run_or_an_engine_that_goes_takes_its_work_with_it(stage):
    tasks = stage.session.tasks
    tasks.ask(PLANE)
    done(stage, "stopped")
    assert tasks.state(PlaneTask).failure == RUN_LEFT
    tasks.ask(PLANE)
    stage.session.link.lost("killed")
    assert tasks.state(PlaneTask).failure == ENGINE_ENDED and tasks.state(PlaneTask).progress is None
    assert not tasks.ask(PLANE)


def test_another_document_has_results_of_its_own(stage):
    tasks = stage.session.tasks
    tasks.ask(PLANE)
    done(stage, result=found(1.0))
    tasks.ask(PLANE)
    stage.session.document.new(stage.session.experiment)
    assert tasks.state(PlaneTask) is NOTHING
    progressed(stage, found(3.0))
    assert tasks.state(PlaneTask) is NOTHING
