"""Trials of cures, without an engine: the test plays it."""

from __future__ import annotations

import numpy as np

from nnviz import messages
from nnviz.document.problems import fix, step
from nnviz.document.run_log import LogUpdate
from nnviz.records.data_record import DataRecord
from nnviz.records.finding import Finding
from nnviz.records.run_records import CurvePoint
from nnviz.records.task_records import Race, RacedRun
from nnviz.records.tensors import Array
from tests.curve_points import travelling
from tests.session.sessions import Stage

ROWS = np.arange(60) < 42
DATA = DataRecord(Array("f4", (0,), b""), Array("i8", (0,), b""), Array("bool", (60,), ROWS.tobytes()), 2)
FINDING = Finding("vanishing", "h1", "h1 hardly learns.", "", since=5, at=40)
SLOWER = fix("Learning rate 0.1", step("change_optimizer", learning_rate=0.1))
CLIPPED = fix("Clip gradients to norm 1", step("change_training", clip_norm=1.0))


def ended(loss: float, stopped: str = "done") -> RacedRun:
    return RacedRun(300, stopped, last=CurvePoint(300, loss, training_loss=loss))


def begun(stage: Stage) -> tuple[RacedRun, ...]:
    stage.stand()
    assert stage.session.trials.start(FINDING, (SLOWER, CLIPPED))
    return stage.wire.take()


def test_each_cure_becomes_a_branch_and_the_run_without_it_none(stage) -> None:
    (request,) = begun(stage)
    control, *treated = request.task.logs
    assert control.first == stage.session.experiment and request.task.iterations == 300
    assert [log.first.training.clip_norm for log in treated] == [None, 1.0]
    assert [branch.name for branch in stage.session.branches.all] == ["Learning rate 0.1", "Clip gradients to norm 1", "main"]
    assert stage.session.trials.is_going and stage.session.trials.of(FINDING, SLOWER).verdict is None


def test_what_was_measured_is_kept(stage) -> None:
    begun(stage)
    stage.reply(messages.TaskDone(1, 0, 0, "done", Race((ended(0.7), ended(0.69), ended(0.05)))))
    trials = stage.session.trials
    assert not trials.is_going
    assert [trials.of(FINDING, one).verdict.outcome for one in (SLOWER, CLIPPED)] == ["gone", "helps"]
    assert "0.7 → 0.05" in trials.of(FINDING, CLIPPED).verdict.sentence
    notes = {branch.name: branch.note for branch in stage.session.branches.all}
    assert notes == {
        one.fix.label: trials.of(FINDING, one.fix).verdict.sentence for one in (trials.known[0].trial, trials.known[1].trial)
    } | {"main": ""}
    stage.session.branches.go_to(CLIPPED.label)
    assert stage.session.branches.present.note == notes[CLIPPED.label], "also once it is the document"


def test_a_cancelled_trial_has_no_verdict(stage) -> None:
    begun(stage)
    stage.session.comparison.cancel()
    stage.reply(messages.TaskDone(1, 0, 0, "stopped", Race((ended(0.7), ended(0.6, ""), ended(0.5, "")))))
    assert not stage.session.trials.is_going and stage.session.trials.of(FINDING, CLIPPED).verdict is None


def test_one_group_at_a_time(stage) -> None:
    begun(stage)
    assert not stage.session.trials.start(FINDING, (SLOWER,))
    assert len(stage.session.trials.known) == 2


def test_a_question_is_answered_without_a_branch(stage) -> None:
    stage.stand()
    stage.reply(messages.Opened(0, 40, 0, False, 2, data=DATA, log=LogUpdate(0)))
    stage.wire.take()
    assert stage.session.trials.ask("noise")
    (request,) = stage.wire.take()
    assert [log.last.training.batch_size for log in request.task.logs] == [32, 42, 32] and request.task.iterations == 240
    assert [branch.name for branch in stage.session.branches.all] == ["main"]
    points = travelling(*(CurvePoint(at, 1.0 + (at % 2)) for at in range(241)))
    calm = travelling(*(CurvePoint(at, 1.0) for at in range(241)))
    runs = tuple(RacedRun(240, "done", points=found) for found in (points, calm, points))
    stage.reply(messages.TaskDone(1, 0, 40, "done", Race(runs)))
    at, said = stage.session.trials.answers["noise"]
    assert at == 40 and said.startswith("It is noise of the batches.") and not stage.session.trials.is_going


def test_a_question_that_cannot_be_asked_says_why(stage) -> None:
    stage.stand()
    stage.reply(messages.Opened(0, 0, 0, False, 2, data=DATA, log=LogUpdate(0)))
    said = []
    stage.session.trials.message_posted.connect(lambda kind, text: said.append(text))
    assert not stage.session.trials.ask("inputs") and "Nothing has been trained" in said[0]
