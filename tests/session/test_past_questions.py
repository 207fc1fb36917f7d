"""What is asked of the past: first how long it takes, then curves that stay, told from those of another run; and first times."""

from __future__ import annotations

import numpy as np
import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.records.hindsight_record import FirstTime, PastNumbers, Predicate, Question
from nnviz.records.task_records import FirstTimeTask, PastNumbersTask, PastTime, PastTimeTask, Progress
from nnviz.records.tensors import Array
from nnviz.session.past_questions import MOST, QUICK, stride_for
from tests.session.sessions import stages

NORM, LOSS = Question("weights", "h1"), Question("loss")


@pytest.fixture
def stage(qapp):
    for stage in stages():
        stage.stand()
        stage.session.training.iterations(3)
        stage.frame(3)
        stage.trained(3)
        stage.wire.take()
        yield stage


def numbers(*values: float) -> PastNumbers:
    table, places = np.array([values], dtype=np.float64), np.arange(len(values), dtype=np.int64)
    return PastNumbers(Array("int64", places.shape, places.tobytes()), Array("float64", table.shape, table.tobytes()))


def started(stage) -> messages.StartTask:
    return stage.wire.of(messages.StartTask)[-1]


def done(stage, result=None, reason: str = "done", **why) -> None:
    run = stage.session.run
    stage.reply(messages.TaskDone(started(stage).number, run.revision, run.iteration, reason, result, **why))


def curve(stage, question: Question = NORM, *values: float) -> None:
    assert stage.session.past.ask(question)
    done(stage, PastTime((1,), (0.1,)))
    done(stage, numbers(*(values or (1.0, 2.0, 3.0, 4.0))))


def test_what_is_quick_is_found_at_once_of_every_iteration(stage):
    past = stage.session.past
    assert past.ask(NORM) and started(stage).task == PastTimeTask((NORM,), 3, 1) and past.progress
    done(stage, PastTime((1,), (QUICK,)))
    assert started(stage).task == PastNumbersTask((NORM,), 3, 1) and past.offer is None
    done(stage, numbers(1.0, 2.0, np.nan, 4.0))
    (found,) = past.curves
    assert (found.question, found.stride, found.last, found.iterations.tolist()) == (NORM, 1, 3, [0, 1, 2, 3])
    assert found.values[1] == 2.0 and past.progress is None and past.is_of_this_run(found.log, found.last)


def test_what_takes_long_waits_until_a_person_has_chosen(stage):
    past = stage.session.past
    past.ask(NORM)
    done(stage, PastTime((1, 10), (40.0, 5.0)))
    assert past.offer.seconds == (40.0, 5.0) and len(stage.wire.of(messages.StartTask)) == 1
    past.compute(10)
    assert started(stage).task == PastNumbersTask((NORM,), 3, 10) and past.offer is None
    past.ask(LOSS)
    done(stage, PastTime((1, 10), (40.0, 5.0)))
    past.cancel()
    assert past.offer is None
    past.compute(1)
    assert len(stage.wire.of(messages.StartTask)) == 3, "nothing is offered any more"


def test_it_can_be_left_and_says_how_long_it_takes(stage):
    past = stage.session.past
    past.ask(NORM)
    done(stage, PastTime((1,), (1.0,)))
    run = stage.session.run
    stage.reply(messages.TaskProgressed(started(stage).number, run.revision, 3, Progress(1, 4, "iterations")))
    assert past.progress.done == 1 and past.seconds_left >= 0
    past.cancel()
    assert stage.wire.of(messages.StopTask)[-1].number == started(stage).number
    done(stage, reason="stopped")
    assert past.curves == () and past.progress is None and past.failure == ""


def test_a_failure_says_why_until_the_next_question(stage):
    past = stage.session.past
    past.ask(NORM)
    done(stage, reason="failed", message="The run has no layer 'h1'.", cure="Choose one of its layers.")
    assert past.failure == "The run has no layer 'h1'. Choose one of its layers."
    past.ask(NORM)
    assert past.failure == ""


def test_the_same_question_again_takes_the_place_of_the_former_answer_and_others_stay(stage):
    past = stage.session.past
    curve(stage)
    curve(stage, LOSS)
    curve(stage, NORM, 5.0, 6.0)
    assert [one.question for one in past.curves] == [LOSS, NORM] and past.curves[1].values.tolist() == [5.0, 6.0]
    past.remove(0)
    assert [one.question for one in past.curves] == [NORM]
    for place in range(MOST + 2):
        curve(stage, Question("weights", parameter="h1.weight", element=(place, 0)))
    assert len(past.curves) == MOST


def test_a_curve_of_another_branch_is_told_from_one_of_this_run(stage):
    past = stage.session.past
    curve(stage)
    (kept,) = past.curves
    stage.session.training.iterations(5)
    stage.trained(8)
    stage.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", 0.5)
    stage.opened(new_run=False, iteration=8)
    assert past.is_of_this_run(kept.log, kept.last), "the change came later"
    stage.session.training.go_to(1)
    stage.reply(messages.Moved(1, 0))
    stage.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", 0.25)
    stage.opened(new_run=False, iteration=1)
    assert not past.is_of_this_run(kept.log, kept.last)
    curve(stage)
    assert len(past.curves) == 2, "what was found of the other branch stays"


def test_the_past_reaches_as_far_as_the_run_has_come(stage):
    stage.session.training.go_to(1)
    stage.reply(messages.Moved(1, 0))
    assert stage.session.past.ask(NORM) and started(stage).task.last == 3


def test_when_it_became_true(stage):
    past, predicate = stage.session.past, Predicate(LOSS, "below", 0.5)
    assert past.find(predicate) and started(stage).task == FirstTimeTask(predicate, 3)
    done(stage, FirstTime(2, 0.4, 0.6, "scanned", 3))
    assert past.first.found.iteration == 2 and past.first.predicate == predicate
    past.dismiss()
    assert past.first is None
    past.find(predicate)
    stage.session.link.lost("killed")
    assert past.first is None and past.failure


def test_another_document_has_a_past_of_its_own(stage):
    curve(stage)
    stage.session.document.new(stage.session.experiment)
    assert stage.session.past.curves == () and not stage.session.past.ask(NORM), "nothing is open yet"


@pytest.mark.parametrize(("last", "stride"), [(0, 1), (500, 1), (501, 2), (1_300, 5), (2_501, 10), (40_000, 100), (10**7, 20_000)])
def test_strides_are_round(last, stride):
    assert stride_for(last) == stride
