"""A cure is tried by the real engine; what is said of it is what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from nnviz.doctor.cures import cures
from nnviz.doctor.diagnosis import diagnose
from nnviz.doctor.trial import Trial, TrialVerdict, trial, verdict
from nnviz.document import edits
from nnviz.document.problems import fix, step
from nnviz.document.run_log import RunLog
from nnviz.document.store import examples
from nnviz.engine.run.race import race
from nnviz.engine.run.timeline import Timeline
from nnviz.records.finding import Finding
from nnviz.records.run_records import CurvePoint
from nnviz.records.task_records import RacedRun, RaceTask
from tests.curve_points import travelling
from tests.doctor.planted import MOONS, experiment, layers


def trained(timeline: Timeline, iterations: int) -> Timeline:
    while timeline.iteration < iterations and not timeline.advance(at_most=iterations - timeline.iteration):
        pass
    return timeline


def tried(timeline: Timeline, trials: list[Trial]) -> list[TrialVerdict]:
    work = race(RaceTask((trials[0].control, *(one.treated for one in trials)), trials[0].end), timeline)
    while True:
        try:
            next(work)
        except StopIteration as end:
            control, *runs = end.value.runs
            return [verdict(one, control, run) for one, run in zip(trials, runs, strict=True)]


def test_relu_cures_the_vanishing_net_and_another_start_does_not() -> None:
    timeline = trained(Timeline(examples.open_document("example:deep_sigmoid"), Path()), 300)
    (finding, *_) = diagnose(timeline.history())
    by_label = {one.label: one for one in cures(finding, timeline.document)}
    trials = [trial(timeline.log, finding, by_label[label], 300) for label in ("ReLU with He start", "Xavier start")]
    good, bad = tried(timeline, trials)
    control = trained(Timeline(timeline.document, Path()), 300)
    control.complete_last_point()
    treated = trained(Timeline(edits.apply_fix(timeline.document, by_label["ReLU with He start"]), Path()), 300)
    treated.complete_last_point()
    assert good.outcome == "helps" and (good.before, good.after) == (control.points[-1].training_loss, treated.points[-1].training_loss)
    assert f"{good.before:.3g} → {good.after:.3g} in 300 iterations" in good.sentence
    assert bad.outcome == "no help" and "does not help" in bad.sentence


def test_a_fix_of_the_training_starts_before_the_onset_with_the_weights_of_then() -> None:
    timeline = trained(Timeline(examples.open_document("example:moons"), Path()), 100)
    timeline.edit(edits.change_optimizer(timeline.document, learning_rate=30.0))
    trained(timeline, 200)
    finding = Finding("diverging", "training.optimizer.learning_rate", "", "", since=105, at=200)
    slower = fix("Slower", step("change_optimizer", learning_rate=0.02), step("change_training", clip_norm=1.0))
    one = trial(timeline.log, finding, slower, 200)
    assert (one.start, one.end) == (100, 400) and one.control == timeline.log
    assert [change.iteration for change in one.treated.changes] == [100, 100] and one.treated.last.training.clip_norm == 1.0
    assert trial(timeline.log, replace(finding, since=150), slower, 200).start == 149
    (found,) = tried(timeline, [one])
    assert found.outcome == "helps" and found.after < 0.8 * found.before


def test_what_changes_the_start_begins_a_run_with_all_later_changes() -> None:
    first = examples.open_document("example:moons")
    log = RunLog(first).changed(50, edits.change_training(first, dropout=False))
    finding = Finding("saturated", "h1", "", "", since=80, at=120)
    one = trial(log, finding, fix("Xavier start", step("set_initializer", id="h1", initializer="xavier_uniform")), 120)
    assert one.start == 0 and one.treated.first.network.layer("h1").initializer == "xavier_uniform"
    assert [(change.iteration, change.experiment.training.dropout) for change in one.treated.changes] == [(50, False)]
    assert one.treated.last.network.layer("h1").initializer == "xavier_uniform"


def test_what_is_about_layers_that_were_added_later_begins_with_them() -> None:
    """Seven layers of sigmoids are added at iteration 40, whose gradients vanish: a start of theirs cannot be another one before."""
    first = experiment(layers(2, (6,), "sigmoid", 2), MOONS)
    timeline = trained(Timeline(first, Path()), 40)
    deep = first
    for _ in range(7):
        deep = edits.add_layer(deep, kind="dense", after="h1", units=6, activation="sigmoid")
    timeline.edit(deep)
    trained(timeline, 120)
    finding = next(one for one in diagnose(timeline.history()) if one.kind == "vanishing")
    trials = [trial(timeline.log, finding, one, 120) for one in cures(finding, deep)]
    assert len(trials) > 3 and all(one.treated.first == first for one in trials if one.start == 40)
    relu = next(one for one in trials if one.fix.label == "ReLU with He start")
    assert relu.start == 40 and relu.treated.last.network.layer("dense7").initializer == "he_uniform"
    (found,) = tried(timeline, [relu])
    assert found.outcome == "helps" and found.after < 0.5 * found.before


def point(**figures: float) -> CurvePoint:
    return CurvePoint(300, 0.5, **figures)


CASES = [
    ({"training_loss": 0.7}, {"training_loss": 0.1}, "helps"),
    ({"training_loss": 0.7}, {"training_loss": 0.69}, "no help"),
    ({"training_loss": 0.1}, {"training_loss": 0.7}, "worse"),
    (None, {"training_loss": 0.1}, "helps"),
    ({"training_loss": 0.1}, None, "worse"),
    (None, None, "no help"),
]


@pytest.mark.parametrize(("without", "with_it", "outcome"), CASES)
def test_outcomes(without: dict | None, with_it: dict | None, outcome: str) -> None:
    """None stands for a run that was not finite any more."""
    log = RunLog(examples.open_document("example:moons"))
    finding = Finding("vanishing", "h1", "", "", since=5, at=300)
    one = Trial(finding, fix("A cure"), log, log, 0, 300)
    runs = [
        RacedRun(10, "non_finite", last=point(training_loss=float("nan")))
        if figures is None
        else RacedRun(300, "done", last=point(**figures), findings=(finding,))
        for figures in (without, with_it)
    ]
    found = verdict(one, *runs)
    assert found.outcome == outcome and "no better" not in found.sentence


def test_a_finding_that_goes_without_a_better_loss_is_told_as_such() -> None:
    log = RunLog(examples.open_document("example:moons"))
    one = Trial(Finding("dead_relu", "h1", "", ""), fix("Leaky ReLU"), log, log, 0, 300)
    run = RacedRun(300, "done", last=point(training_loss=0.5))
    assert verdict(one, run, run).outcome == "gone"


def test_what_is_finite_again_but_learns_nothing_is_told_as_such() -> None:
    log = RunLog(examples.open_document("example:moons"))
    one = Trial(Finding("non_finite", "h1", "", ""), fix("Slower"), log, log, 0, 300)
    points = travelling(CurvePoint(0, 1.0, training_loss=1.0), CurvePoint(300, 9.0, training_loss=9.0))
    runs = (
        RacedRun(10, "non_finite", last=point(training_loss=float("nan"))),
        RacedRun(300, "done", points=points, last=point(training_loss=9.0)),
    )
    assert "but nothing is learnt: training loss not finite → 9 in 300" in verdict(one, *runs).sentence


def test_overfitting_is_judged_by_the_validation_loss_and_a_penalty_by_the_score() -> None:
    first = examples.open_document("example:overfitting")
    stopping = Trial(Finding("overfitting", "", "", ""), fix("Stop"), RunLog(first), RunLog(first), 0, 300)
    before, after = (RacedRun(300, "done", last=point(training_loss=a, validation_loss=b)) for a, b in ((0.01, 2.0), (0.2, 0.5)))
    found = verdict(stopping, before, after)
    assert (found.outcome, found.before, found.after) == ("helps", 2.0, 0.5) and "validation loss" in found.sentence
    penalty = Trial(stopping.finding, fix("L2"), RunLog(first), RunLog(edits.change_training(first, l2=0.01)), 0, 300)
    scored = [RacedRun(300, "done", last=point(validation_loss=1.0, metric=metric)) for metric in (0.7, 0.9)]
    assert verdict(penalty, *scored).outcome == "helps" and "validation accuracy 0.7 → 0.9" in verdict(penalty, *scored).sentence
