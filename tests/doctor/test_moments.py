"""A finding is that of the moment at which the run stands: not before it began, the same there again, and gone once it is cured."""

from __future__ import annotations

from math import nan

import pytest
from msgspec.structs import replace

from nnviz.doctor.diagnosis import diagnose
from nnviz.doctor.history import LOOKED_AT
from nnviz.doctor.judged_kinds import judged_kinds
from nnviz.document import edits
from nnviz.document.catalog import SCHEDULES, new_choice, new_layer
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer
from nnviz.document.store import examples
from nnviz.engine.run.timeline import Timeline
from nnviz.jobs import open_document
from tests.doctor.going import after
from tests.doctor.planted import ALL, MOONS, WAVE, WINE, behind, drawn, experiment, full, layers, rows


def kinds(timeline: Timeline, doctor: dict | None = None) -> list[str]:
    return [one.kind for one in diagnose(timeline.history(doctor))]


def with_layers(document: Experiment, **changes: object) -> Experiment:
    """Every hidden layer made otherwise."""

    def made(layer: Layer) -> Layer:
        settings = {name: value for name, value in changes.items() if name in layer.settings}
        return replace(layer, settings=layer.settings | settings) if layer.id.startswith("h") else layer

    return replace(document, network=replace(document.network, layers=tuple(made(layer) for layer in document.network)))


@pytest.fixture
def vanishing() -> Timeline:
    return after(experiment(layers(2, (6,) * 8, "sigmoid", 2), MOONS), 90)


def test_it_is_not_found_before_it_began_and_again_behind(vanishing: Timeline) -> None:
    found = diagnose(vanishing.history())
    assert found[0].kind == "vanishing" and 0 < found[0].since < 30
    vanishing.go_to(found[0].since - 1)
    assert diagnose(vanishing.history()) == ()
    vanishing.go_to(90)
    assert diagnose(vanishing.history()) == found


def test_an_edit_that_cures_ends_it(vanishing: Timeline) -> None:
    vanishing.edit(with_layers(vanishing.document, activation="leaky_relu"))
    assert "vanishing" not in kinds(vanishing)
    known = len(vanishing.checkups)
    while len(vanishing.checkups) < known + LOOKED_AT:
        vanishing.advance()
        assert "vanishing" not in kinds(vanishing)


def test_an_edit_that_does_not_cure_is_told_from_itself(vanishing: Timeline) -> None:
    vanishing.edit(with_layers(vanishing.document, units=5))
    assert "vanishing" not in kinds(vanishing)
    vanishing.go_to(140)
    found = diagnose(vanishing.history())
    assert found[0].kind == "vanishing" and found[0].since > 90


def test_a_branch_that_cures_has_none(vanishing: Timeline) -> None:
    log = vanishing.log.changed(40, with_layers(vanishing.document, activation="leaky_relu"))
    branch = vanishing.branch(log)
    branch.go_to(30)
    assert kinds(branch)[0] == "vanishing"
    branch.go_to(90)
    assert "vanishing" not in kinds(branch) and kinds(vanishing)[0] == "vanishing"


def test_what_it_judges_by_can_be_changed(vanishing: Timeline) -> None:
    assert "vanishing" not in kinds(vanishing, {"vanishing": {"enabled": False}})
    assert "vanishing" not in kinds(vanishing, {"vanishing": {"ratio": 1e-12}})
    assert kinds(vanishing, {}) == kinds(vanishing) and "vanishing" in kinds(vanishing)


def test_symmetry_that_dropout_breaks_is_gone() -> None:
    stack = behind(layers(2, (4,), "tanh", 2, "constant"), "dropout", p=0.5)
    timeline = after(experiment(stack, MOONS), 0)
    assert kinds(timeline)[0] == "symmetric_start"
    timeline.go_to(25)
    assert "symmetric_start" not in kinds(timeline)


def test_the_layer_that_is_not_finite_is_the_place() -> None:
    timeline = after(examples.open_document("example:exploding"), 20)
    first = diagnose(timeline.history())[0]
    assert first.kind == "non_finite" and timeline.document.network.titles[first.layer] in first.cause
    timeline.go_to(1)
    assert "non_finite" not in kinds(timeline)


def test_scaled_or_normed_inputs_are_in_order() -> None:
    raw = rows("wine", scaling="none")
    assert "input_scale" in kinds(after(experiment(layers(13, (5,), "tanh", 3), raw), 0))
    assert "input_scale" not in kinds(after(experiment(layers(13, (5,), "tanh", 3), WINE), 0))
    stack = layers(13, (5,), "tanh", 3)
    assert "input_scale" not in kinds(after(experiment([stack[0], new_layer("batch_norm", "n"), *stack[1:]], raw), 0))


def test_one_dead_unit_is_information_and_none_with_leaky_relu() -> None:
    dead = {"h1.bias": [0.1, -30.0]}
    found = [one for one in diagnose(after(experiment(layers(2, (2,), "relu", 2), MOONS, weights=dead, rate=0.01), 45).history())]
    assert [(one.kind, one.layer, one.is_information, one.value) for one in found] == [("dead_relu", "h1", True, 0.5)]
    assert not kinds(after(experiment(layers(2, (2,), "leaky_relu", 2), MOONS, weights=dead, rate=0.01), 45))


def test_a_loss_that_comes_back_is_information() -> None:
    """Weights are thrown away at iteration 30, and the net learns again."""
    timeline = after(experiment(layers(9, (8,), "tanh", 1), WAVE, "adam", 0.01, loss="mse", batch_size=None), 40)
    points = list(timeline.points)
    shot = timeline.history()
    shot.points[-6:] = [replace(point, loss=40.0) for point in points[-6:]]
    (one,) = [one for one in diagnose(shot) if one.kind == "diverging"]
    assert one.is_information and one.since > 30


def test_few_epochs_do_not_overfit() -> None:
    timeline = after(experiment(layers(5, (50,), "relu", 2), drawn(70, 5, 2, 82, validation=0.3), "adam", 0.01), 10)
    assert "overfitting" not in kinds(timeline)


def test_a_decayed_rate_is_not_too_small() -> None:
    made = experiment(layers(2, (5,), "tanh", 2), rows("xor", samples=400), rate=0.02)
    stopped = replace(made.training, schedule=new_choice(SCHEDULES, "exponential", gamma=0.01))
    assert "rate_too_small" not in kinds(after(replace(made, training=stopped), 150))
    assert "rate_too_small" in kinds(after(experiment(layers(2, (5,), "tanh", 2), rows("xor", samples=400), rate=1e-7), 60))


def test_a_net_with_a_dead_first_layer_gets_no_other_rate() -> None:
    timeline = after(experiment(layers(2, (6,), "relu", 2), MOONS, weights={"h1.bias": full(-20.0, 6)}), 60)
    assert "dead_relu" in kinds(timeline) and "rate_too_small" not in kinds(timeline)


def test_a_rare_class_is_no_start_that_is_sure() -> None:
    """Of 300 rows 3 are of the other class: a constant answer has a tenth of ln 2, and the net starts with ln 2."""
    timeline = after(experiment(layers(2, (8,), "relu", 2), drawn(300, 2, 2, 3, rare=3, apart=2.0)), 0)
    assert timeline.facts.start_loss > 8 * timeline.facts.constant_loss
    assert "start_loss" not in kinds(timeline)


@pytest.mark.parametrize("change", [{"l2": 0.1}, {"l1": 0.05}])
def test_a_penalty_that_is_added_is_no_loss_that_has_risen(change: dict) -> None:
    timeline = after(experiment(layers(2, (16,), "tanh", 2), MOONS, "adam", 0.01), 300)
    loss = timeline.points[-1].loss
    timeline.edit(edits.change_training(timeline.document, **change))
    for end in (304, 310, 325, 345):
        timeline.go_to(end)
        assert "diverging" not in kinds(timeline)
    assert timeline.points[305].loss > 2 * loss


def test_another_rate_is_told_from_the_loss_it_found() -> None:
    timeline = after(experiment(layers(2, (16,), "tanh", 2), MOONS, rate=0.01), 100)
    timeline.edit(edits.change_optimizer(timeline.document, learning_rate=200.0))
    timeline.go_to(110)
    assert "diverging" in kinds(timeline)


def test_behind_a_change_the_start_is_not_called_healthy() -> None:
    timeline = after(experiment(layers(2, (4,), "tanh", 2), MOONS), 30)
    start = {"start_loss", "symmetric_start"}
    assert start <= {*judged_kinds(timeline.history(), {})}
    timeline.edit(edits.change_layer(timeline.document, "h1", activation="relu"))
    assert not start & {*judged_kinds(timeline.history(), {})}


def test_a_net_that_learnt_nothing_knows_no_row_by_heart() -> None:
    """Its validation rows lie elsewhere, and their loss rises while that of the others stays what a constant answer has."""
    opened = open_document("tests/cases/csv-mean-leak.json")
    timeline = Timeline(opened.experiment, opened.folder)
    timeline.go_to(120)
    validation = [point.validation_loss for point in timeline.points]
    assert timeline.history().is_no_better and validation[-1] > 3 * min(validation)
    assert "overfitting" not in kinds(timeline)


def test_a_loss_that_was_0_is_told_without_a_ratio() -> None:
    found = diagnose(after(examples.open_document("example:dropout_by_hand"), 200).history())
    (one,) = [finding for finding in found if finding.kind == "diverging"]
    assert "its least so far was 0" in one.evidence and "inf" not in one.evidence


def test_a_validation_loss_that_is_not_a_number_hides_no_overfitting() -> None:
    planted = next(one for one in ALL if one.kind == "overfitting")
    history = after(planted.experiment, planted.within).history()
    places = [place for place, point in enumerate(history.points) if point.validation_loss is not None]
    history.points[places[3]] = replace(history.points[places[3]], validation_loss=nan)
    assert "overfitting" in {one.kind for one in diagnose(history)}
