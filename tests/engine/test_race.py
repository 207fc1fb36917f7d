"""Several runs trained in turns: each is what it would be alone, to the bit, and the present run does not notice."""

from __future__ import annotations

import math

import pytest

from nnviz import jobs, messages
from nnviz.document import edits
from nnviz.document.catalog import DATASETS, new_choice
from nnviz.document.experiment import Experiment
from nnviz.document.run_log import RunLog
from nnviz.document.store.examples import open_document
from nnviz.engine.errors import BuildError
from nnviz.engine.run import race as race_module
from nnviz.engine.run.race import beside, compared, race
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.engine.tasks import Task, TaskQueue
from nnviz.jobs import OpenedFile
from nnviz.records.task_records import DivergenceTask, Progress, Race, RaceTask
from nnviz.records.tensors import to_numpy
from nnviz.records.verdicts import VERDICTS
from tests.engine.experiments import HERE, experiment

OPTIMIZERS = ("sgd", "adagrad", "rmsprop", "adam")
MOONS = open_document("example:moons")
START = experiment(batch_size=16)


def results(task: RaceTask, timeline: Timeline) -> list[Race]:
    """All that is found, on the way and at the end."""
    work, found = Task(race(task, timeline)), []
    while not work.is_over:
        work.advance()
        if work.found is not None and (not found or work.found is not found[-1]):
            found.append(work.found)
    return found


def alone(log: RunLog, iterations: int) -> dict:
    """What the command line makes of it."""
    return jobs.run(OpenedFile(log.last, HERE, log=log), iterations)


def timelines(monkeypatch) -> list[Timeline]:
    """The timelines that are made from now on for runs beside the present one."""
    made = []
    monkeypatch.setattr(race_module, "beside", lambda timeline, log: made.append(beside(timeline, log)) or made[-1])
    return made


def rate(document: Experiment, value: float) -> Experiment:
    return edits.change_optimizer(document, learning_rate=value)


def test_four_optimizers_are_each_what_they_are_alone(monkeypatch):
    made, present = timelines(monkeypatch), Timeline(MOONS, HERE)
    present.go_to(30)
    before = digest(present.trainer.net), list(present.points)
    logs = tuple(RunLog(edits.choose_optimizer(MOONS, kind)) for kind in OPTIMIZERS)
    last = results(RaceTask(logs, 200), present)[-1]
    assert before == (digest(present.trainer.net), present.points) and present.log == RunLog(MOONS)
    for log, timeline, run in zip(logs, made, last.runs, strict=True):
        expected = alone(log, 200)
        assert (run.iteration, run.stopped, digest(timeline.trainer.net)) == (200, "done", expected["digest"])
        assert to_numpy(run.points.iterations).tolist() == list(range(201)) and to_numpy(run.points.losses)[-1] == expected["loss"]
        figures = to_numpy(run.points.figures)[-1].tolist()
        metrics = expected["metrics"]
        assert figures == [expected["validation_loss"], metrics["accuracy"], expected["training_loss"], metrics["training_accuracy"]]
        assert run.verdict.kind == "falling" and run.seconds > 0
    assert len({digest(timeline.trainer.net) for timeline in made}) == 4


def test_from_here_each_goes_on_with_the_present_weights(monkeypatch):
    made, present = timelines(monkeypatch), Timeline(START, HERE)
    present.go_to(70)
    logs = tuple(present.log.changed(70, changed) for changed in (rate(START, 0.1), edits.change_training(START, dropout=False)))
    last = results(RaceTask(logs, 110), present)[-1]
    for log, timeline, run in zip(logs, made, last.runs, strict=True):
        assert (run.iteration, digest(timeline.trainer.net)) == (110, alone(log, 110)["digest"])
        assert to_numpy(run.points.losses)[:71].tolist() == [point.loss for point in present.points]


def test_curves_grow_side_by_side(monkeypatch):
    monkeypatch.setattr(race_module, "NEWS", 0.0)
    present = Timeline(START, HERE)
    found = results(RaceTask(tuple(RunLog(edits.choose_optimizer(START, kind)) for kind in OPTIMIZERS), 1000), present)
    apart = [max(counts) - min(counts) for one in found if (counts := [run.iteration for run in one.runs])]
    assert len(found) > 8 and max(apart[:-1]) < 500 and [run.iteration for run in found[-1].runs] == [1000] * 4
    assert all(len(to_numpy(run.points.iterations)) <= 500 for one in found[:-1] for run in one.runs)
    some = next(run for run in found[-2].runs if run.iteration > 750)
    iterations = to_numpy(some.points.iterations)
    assert iterations[0] == 0 and iterations[-1] == some.iteration and (iterations[1:] > iterations[:-1]).all()
    assert len(to_numpy(found[-1].runs[0].points.iterations)) == 1001


def test_other_seeds_have_other_rows_and_weights(monkeypatch):
    made = timelines(monkeypatch)
    logs = tuple(RunLog(edits.set_seed(MOONS, seed)) for seed in (3, 4))
    results(RaceTask(logs, 20), Timeline(MOONS, HERE))
    assert [digest(timeline.trainer.net) for timeline in made] == [alone(log, 20)["digest"] for log in logs]


def test_four_learning_rates_end_in_four_ways():
    document = open_document("example:learning_rate")
    logs = tuple(RunLog(rate(document, value)) for value in (1e-5, 0.03, 0.3, 1))
    last = results(RaceTask(logs, 300), Timeline(document, HERE))[-1]
    assert tuple(run.verdict.kind for run in last.runs) == VERDICTS


def test_one_that_cannot_go_on_does_not_stop_the_others():
    document = open_document("example:learning_rate")
    broken = document.replaced(data=new_choice(DATASETS, "csv", path="nowhere.csv"))
    logs = (RunLog(broken), RunLog(rate(document, 1000.0)), RunLog(document))
    failed, diverged, good = results(RaceTask(logs, 60), Timeline(document, HERE))[-1].runs
    assert failed.stopped == "failed" and failed.message and failed.points is None and failed.verdict is None
    assert diverged.stopped == "non_finite" and diverged.iteration < 60 and diverged.verdict.kind == "diverged"
    assert good.stopped == "done" and good.iteration == 60


def test_what_was_made_stays_when_it_is_stopped(monkeypatch):
    monkeypatch.setattr(race_module, "NEWS", 0.0)
    sent: list[messages.Reply] = []
    queue = TaskQueue(sent.append, lambda error: messages.Failed("StartTask", str(error)))
    queue.start(3, (1, 0), Task(race(RaceTask((RunLog(START), RunLog(rate(START, 0.5))), 100_000), Timeline(START, HERE))))
    while not any(isinstance(one, messages.TaskProgressed) and one.result and one.result.runs[1].iteration > 20 for one in sent):
        queue.advance(0.0)
    queue.stop(3)
    assert sent[-1] == messages.TaskDone(3, 1, 0, "stopped") and queue.is_empty
    shown = [one.progress for one in sent[:-1]]
    assert shown[-1].total == 200_000 and all(isinstance(one, Progress) for one in shown)


@pytest.mark.parametrize("task", [RaceTask((), 10), RaceTask((RunLog(START),), 0)])
def test_nothing_to_train_is_said(task):
    with pytest.raises(BuildError, match="nothing to train"):
        race(task, Timeline(START, HERE))


# --- where two of them part ---


def first(task: DivergenceTask, timeline: Timeline):
    work = Task(compared(task, timeline))
    while not work.is_over:
        work.advance()
    return work.found


def test_first_divergence_of_a_branch():
    present = Timeline(START, HERE)
    present.go_to(60)
    other = present.log.changed(41, rate(START, 0.5))
    found = first(DivergenceTask(present.log, other, 60), present)
    assert (found.compared, found.found.iteration, found.found.phase) == (60, 42, "update")
    assert present.iteration == 60


def test_the_same_run_differs_nowhere():
    present = Timeline(START, HERE)
    present.go_to(20)
    assert first(DivergenceTask(present.log, RunLog(START), 20), present).found is None
    with pytest.raises(BuildError):
        compared(DivergenceTask(present.log, RunLog(START), -1), present)


def test_another_seed_differs_at_the_start():
    other = RunLog(edits.set_seed(MOONS, 5))
    found = first(DivergenceTask(RunLog(MOONS), other, 5), Timeline(MOONS, HERE)).found
    assert found.iteration == 0 and not math.isnan(found.difference)
