"""Several runs beside the present one, without an engine: the test plays it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from nnviz import messages
from nnviz.document import edits
from nnviz.document.run_log import Change, RunLog
from nnviz.document.store import files
from nnviz.document.variations import Variation, variations
from nnviz.records.divergence_record import Divergence, Place
from nnviz.records.run_records import CurvePoint
from nnviz.records.task_records import DivergenceTask, FirstDivergence, Progress, Race, RacedRun, RaceTask
from nnviz.records.verdicts import Verdict
from nnviz.session.session import Session
from tests.curve_points import travelling
from tests.session.sessions import ListWire, Stage

FALLING = Verdict("falling", 0.7, 0.1, 0.1, 0.7, 0, 0.0, 0.0)


def raced(iteration: int, stopped: str = "", message: str = "") -> RacedRun:
    points = travelling(*(CurvePoint(at, 1.0 / (1 + at)) for at in range(iteration + 1)))
    return RacedRun(iteration, stopped, message, 0.5, points, FALLING)


def rates(stage: Stage, *values: str) -> tuple[Variation, ...]:
    return variations(stage.session.experiment, "rate", values)


def names(stage: Stage) -> list[str]:
    return [branch.name for branch in stage.session.branches.all]


def progressed(stage: Stage, *runs: RacedRun, done: int = 5) -> None:
    number = 1
    stage.reply(messages.TaskProgressed(number, 0, 0, Progress(done, 40, "iterations"), Race(runs) if runs else None))


def ended(stage: Stage, reason: str, *runs: RacedRun, **what) -> None:
    stage.reply(messages.TaskDone(1, 0, 0, reason, Race(runs) if runs else None, **what))


@pytest.fixture
def racing(stage) -> Stage:
    """Two learning rates, from the start, for 20 iterations."""
    stage.stand()
    assert stage.session.comparison.start(rates(stage, "0.1", "1"), 20)
    return stage


def test_each_run_becomes_a_branch_beside_the_present_one(racing):
    comparison = racing.session.comparison
    (request,) = racing.wire.take()
    experiments = [experiment for _, experiment in rates(racing, "0.1", "1")]
    assert request == messages.StartTask(1, RaceTask(tuple(map(RunLog, experiments)), 20))
    assert names(racing) == ["lr 0.1", "lr 1", "main"] and len({branch.color for branch in racing.session.branches.all}) == 3
    assert comparison.is_going and all(map(comparison.is_growing, racing.session.branches.kept))
    progressed(racing, raced(3), raced(2))
    assert [branch.reached for branch in racing.session.branches.all] == [3, 2, 0] and comparison.progress.done == 5
    assert racing.session.branches.kept[0].curves.iteration.tolist() == [0, 1, 2, 3]
    racing.session.branches.rename("lr 1", "hot")
    ended(racing, "done", raced(20, "done"), raced(11, "non_finite", "Not finite."))
    first, second = racing.session.branches.kept
    assert (first.branch.reached, second.branch.reached, second.branch.name, second.raced.stopped) == (20, 11, "hot", "non_finite")
    assert not comparison.is_going and not comparison.is_growing(first) and second.raced.points is None and racing.texts == []
    assert racing.session.run.reached == 0 and racing.session.link.log == RunLog(racing.session.experiment)


def test_from_here_they_begin_with_the_present_iteration(stage):
    stage.stand()
    stage.session.training.train()
    stage.frame(1)
    stage.trained(1, "asked")
    stage.wire.take()
    assert stage.session.comparison.start(rates(stage, "0.1"), 20, from_here=True)
    (request,) = stage.wire.of(messages.StartTask)
    changed = rates(stage, "0.1")[0].experiment
    assert request.task == RaceTask((RunLog(stage.session.experiment, (Change(1, changed),)),), 21)


def test_one_that_goes_on_as_the_present_run_does_not_take_it_along(stage):
    stage.stand()
    stage.session.training.train()
    stage.frame(1)
    stage.trained(1, "asked")
    assert stage.session.comparison.start((Variation("same", stage.session.experiment),), 20, from_here=True)
    progressed(stage, raced(9))
    assert [(branch.name, branch.reached) for branch in stage.session.branches.all] == [("same", 9), ("main", 1)]


def test_what_begins_a_run_cannot_go_on_from_here(stage):
    stage.stand()
    seeds = variations(stage.session.experiment, "seed", ("1", "2"))
    assert not stage.session.comparison.start(seeds, 20, from_here=True)
    assert stage.texts == ["seed 1: data, seed and precision begin a run. Compare from the start."] and names(stage) == ["main"]
    assert stage.session.comparison.start(seeds, 20)


def test_one_that_cannot_be_trained_is_refused(stage):
    stage.stand()
    broken = Variation("no input", edits.remove_layers(stage.session.experiment, ["x"]))
    assert not stage.session.comparison.start((broken,), 20)
    assert stage.texts[0].startswith("no input: ") and names(stage) == ["main"]


def test_what_was_made_stays_when_it_is_cancelled(racing):
    progressed(racing, raced(3), raced(2))
    racing.wire.take()
    racing.session.comparison.cancel()
    assert racing.wire.take() == [messages.StopTask(1)]
    ended(racing, "stopped")
    assert [branch.reached for branch in racing.session.branches.all] == [3, 2, 0] and not racing.session.comparison.is_going
    assert "as far as they came" in racing.texts[0]
    racing.session.comparison.cancel()
    assert racing.wire.take() == []


def test_the_end_of_the_engine_ends_it(racing):
    progressed(racing, raced(3), raced(2))
    racing.session.link.lost("It crashed.")
    assert not racing.session.comparison.is_going and names(racing) == ["lr 0.1", "lr 1", "main"]
    racing.reply(messages.Ready("2.13.0"))
    racing.opened()
    assert racing.session.comparison.start(rates(racing, "0.5"), 5)


def test_it_goes_on_while_a_person_goes_to_one_of_the_runs(racing):
    """What is made of that one beside lies ahead of where the person stands; the others grow as before."""
    progressed(racing, raced(3), raced(2))
    racing.session.branches.go_to("lr 0.1")
    progressed(racing, raced(5), raced(4))
    racing.opened(iteration=3)
    assert racing.session.comparison.is_going and racing.session.run.iteration == 3
    assert [(branch.name, branch.reached) for branch in racing.session.branches.all] == [("lr 1", 4), ("main", 0), ("lr 0.1", 5)]
    progressed(racing, raced(7), raced(6))
    assert racing.session.run.ahead.iteration.tolist() == [4, 5, 6, 7]
    racing.session.branches.go_to("main")
    racing.opened()
    ended(racing, "done", raced(20, "done"), raced(20, "done"))
    assert [(branch.name, branch.reached) for branch in racing.session.branches.all] == [("lr 1", 20), ("lr 0.1", 20), ("main", 0)]
    assert racing.texts == []


def test_what_was_found_of_the_runs_is_saved_with_the_document(racing, tmp_path):
    diverged = replace(FALLING, kind="diverged", end=math.inf, non_finite_at=12, validation_lowest=0.5, validation_lowest_at=3)
    points = travelling(*(CurvePoint(at, 1.0 / (1 + at), *((0.5, 0.9, 0.4, 0.8) if at % 7 == 3 else ())) for at in range(2001)))
    hot = replace(raced(11, "non_finite", "Not finite."), verdict=replace(diverged, validation_end=math.nan))
    ended(racing, "done", replace(raced(2000, "done"), points=points), hot)
    path = tmp_path / "raced.nnviz"
    assert racing.session.document.save_as(path)
    again = Session(ListWire(), files.load(path), path, autosaves=False)
    again.document.open(path)
    first, second = again.branches.kept
    assert first.raced == RacedRun(2000, "done", "", 0.5, None, FALLING) == replace(racing.session.branches.kept[0].raced, points=None)
    assert (second.raced.stopped, second.raced.message, second.verdict.kind) == ("non_finite", "Not finite.", "diverged")
    assert second.verdict.sentence == hot.verdict.sentence.replace("inf", "nan") and math.isnan(second.verdict.validation_end)
    measured = first.curves.iteration[~np.isnan(first.curves.training_loss)]
    assert len(measured) >= 150 and first.curves.iteration[-1] == 2000 and len(first.curves.iteration) <= 400
    assert (first.curves.last("metric"), first.curves.last("training_loss"), first.curves.last("training_metric")) == (0.9, 0.4, 0.8)
    assert again.document.is_saved and again.is_saved
    again.close()


def test_what_was_found_of_a_run_stays_while_it_is_only_looked_at(racing):
    ended(racing, "done", raced(20, "done"), raced(20, "done"))
    before = racing.session.branches.kept[0]
    for name, iteration in (("lr 0.1", 4), ("main", None)):
        racing.session.branches.go_to(name, iteration)
        racing.opened(iteration=iteration or 0)
    kept = next(one for one in racing.session.branches.kept if one.branch.name == "lr 0.1")
    assert kept.raced == before.raced and kept.branch.reached == 20
    racing.session.branches.go_to("lr 0.1")
    racing.opened(iteration=20)
    racing.session.training.train()
    racing.frame(21)
    racing.trained(21, "asked")
    racing.session.branches.go_to("main")
    assert racing.session.branches.kept[-1].raced is None, "it is another run now"


def test_a_run_that_a_person_has_trained_further_is_not_set_back(racing):
    progressed(racing, raced(3), raced(2))
    racing.session.branches.go_to("lr 0.1")
    racing.opened(iteration=3)
    racing.session.training.train()
    for number in range(4, 30):
        racing.frame(number)
    racing.trained(29, "asked")
    racing.session.branches.go_to("main")
    racing.opened()
    ended(racing, "done", raced(20, "done"), raced(20, "done"))
    kept = next(one for one in racing.session.branches.kept if one.branch.name == "lr 0.1")
    assert kept.branch.reached == 29 and kept.curves.iteration[-1] == 29


def test_a_forgotten_branch_stays_forgotten(racing):
    racing.session.branches.remove("lr 1")
    progressed(racing, raced(3), raced(2))
    assert names(racing) == ["lr 0.1", "main"]


def test_only_one_comparison_at_a_time(racing):
    assert not racing.session.comparison.start(rates(racing, "0.5"), 5)
    assert "already" in racing.texts[0] and len(racing.session.branches.kept) == 2


def test_without_an_engine_nothing_is_compared(stage):
    assert not stage.session.comparison.start(rates(stage, "0.5"), 5)
    assert stage.texts == ["The engine is starting…"]


def test_names_that_are_taken_get_a_number(racing):
    ended(racing, "done", raced(20, "done"), raced(20, "done"))
    assert racing.session.comparison.start(rates(racing, "0.1"), 5)
    assert names(racing) == ["lr 0.1", "lr 1", "lr 0.1 2", "main"]


def test_another_document_ends_it(racing):
    progressed(racing, raced(3), raced(2))
    racing.wire.take()
    racing.session.document.new(racing.session.experiment)
    assert messages.StopTask(1) in racing.wire.take() and names(racing) == []
    progressed(racing, raced(4), raced(2))
    ended(racing, "stopped")
    assert names(racing) == [] and not racing.session.comparison.is_going and racing.texts == []


# --- where two of them part ---


@pytest.fixture
def apart(racing) -> Stage:
    """The search for the first divergence of lr 0.1 is under way."""
    ended(racing, "done", raced(20, "done"), raced(20, "done"))
    racing.session.training.train()
    for number in range(1, 10):
        racing.frame(number)
    racing.trained(9, "asked")
    racing.wire.take()
    racing.session.comparison.find_divergence("lr 0.1")
    return racing


def test_it_is_searched_as_far_as_both_were_made(apart):
    (request,) = apart.wire.take()
    branch = apart.session.branches.kept[0].branch
    assert request == messages.StartTask(2, DivergenceTask(apart.session.link.log, branch.log, 9))
    apart.reply(messages.TaskProgressed(2, 0, 9, Progress(4, 9, "iterations")))
    assert apart.session.comparison.search.progress.done == 4 and apart.session.comparison.search.found is None
    found = Divergence(1, "update", "row", (Place(step=3), Place(step=3)))
    apart.reply(messages.TaskDone(2, 0, 9, "done", FirstDivergence(9, found)))
    search = apart.session.comparison.search
    assert search.progress is None and search.found == found and search.branch.name == "lr 0.1"
    apart.session.comparison.go_to_divergence()
    assert apart.wire.of(messages.GoTo) == [messages.GoTo(0)]


def test_a_divergence_is_gone_to_in_the_run_it_was_searched_in(apart):
    apart.reply(messages.TaskDone(2, 0, 9, "done", FirstDivergence(9, Divergence(1, "update", "row", (Place(step=3), Place(step=3))))))
    apart.session.branches.rename("main", "first")
    apart.session.branches.go_to("lr 1")
    apart.opened(iteration=20)
    apart.session.comparison.go_to_divergence()
    apart.opened(iteration=0)
    assert apart.session.branches.present.name == "first" and apart.session.run.iteration == 0
    apart.session.branches.go_to("lr 1")
    apart.opened(iteration=20)
    apart.session.branches.remove("first")
    apart.session.comparison.go_to_divergence()
    assert apart.session.branches.present.name == "lr 1" and "not there any more" in apart.texts[-1]


def test_a_search_can_be_left(apart):
    apart.wire.take()
    apart.session.comparison.leave_search()
    assert apart.wire.take() == [messages.StopTask(2)] and apart.session.comparison.search is None
    apart.reply(messages.TaskDone(2, 0, 9, "stopped"))
    assert apart.session.comparison.search is None and apart.texts == []
    apart.session.comparison.find_divergence("nowhere")
    assert apart.session.comparison.search is None


def test_a_search_that_fails_says_why(apart):
    apart.reply(messages.TaskDone(2, 0, 9, "failed", None, "It cannot be built.", "Mend it."))
    assert apart.texts[-1] == "It cannot be built. Mend it." and apart.session.comparison.search is None
