from __future__ import annotations

import random
from itertools import pairwise

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nnviz.document import edits
from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.document.run_log import Change, RunLog
from nnviz.document.store.examples import open_document
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.measures import layer_measures
from nnviz.engine.observe.reporter import Reporter
from nnviz.engine.run import checkpoints
from nnviz.engine.run.optimizers import save_state
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer, digest
from tests.curve_points import arrived
from tests.engine.experiments import HERE, chain, experiment

START = experiment(batch_size=16)

CHANGES = {
    "dropout off": lambda e: edits.change_training(e, dropout=False),
    "dropout on": lambda e: edits.change_training(e, dropout=True),
    "sgd": lambda e: edits.choose_optimizer(e, "sgd"),
    "momentum": lambda e: edits.change_optimizer(edits.choose_optimizer(e, "sgd"), momentum=0.9),
    "amsgrad": lambda e: edits.change_optimizer(edits.choose_optimizer(e, "adam"), amsgrad=True),
    "rate": lambda e: edits.change_optimizer(e, learning_rate=0.05),
    "batch": lambda e: edits.change_training(e, batch_size=None if e.training.batch_size else 10),
    "units": lambda e: edits.change_layer(e, "h2", units=e.network.layer("h2")["units"] % 6 + 1),
    "activation": lambda e: edits.change_layer(e, "h1", activation="sigmoid"),
    "freeze": lambda e: edits.freeze_layer(e, "h1", not e.network.layer("h1").frozen),
    "weight": lambda e: edits.set_parameter(e, "out.bias", [len(e.weights) + 0.5, -1.0]),
    "penalty": lambda e: edits.change_training(e, l2=0.1, clip_norm=0.1),
}


def state(timeline: Timeline) -> tuple:
    """Everything that may differ, as bits."""
    trainer = timeline.trainer
    optimizer = {
        name: {key: value.tolist() if isinstance(value, torch.Tensor) else value for key, value in entry.items()}
        for name, entry in save_state(trainer.optimizer, trainer.names).items()
    }
    return (
        digest(trainer.net),
        {name: buffer.tolist() for name, buffer in trainer.buffers.items()},
        optimizer,
        trainer.position,
        tuple(timeline.points),
    )


@pytest.fixture
def dense_checkpoints(monkeypatch):
    """Every seventh iteration, so that short runs have some in their middle."""
    monkeypatch.setattr(checkpoints, "SPACING", 7)


def test_going_back_and_forth_is_exact():
    timeline = Timeline(START, HERE)
    seen = {0: state(timeline)}
    for iteration in range(1, 131):
        timeline.advance()
        seen[iteration] = state(timeline)
    for iteration in (130, 0, 77, 49, 50, 51, 130, 1, 0):
        timeline.go_to(iteration)
        assert state(timeline) == seen[iteration]


def test_two_hundred_jumps_over_ten_thousand_iterations_are_exact():
    """Wherever they lead, to the bit of a run that never goes back; what lies beyond the checkpoints thinned out with age as well."""

    def bits(timeline: Timeline) -> tuple:
        return *state(timeline)[:4], timeline.points[-1], len(timeline.points)

    chance = random.Random(7)
    targets = [chance.randrange(10_001) for _ in range(200)]
    timeline, seen = Timeline(open_document("example:moons"), HERE), {}
    for target in (*sorted(targets), 10_000):
        while timeline.iteration < target:
            timeline.advance(at_most=target - timeline.iteration)
        seen[target] = bits(timeline)
    assert timeline.trainer.flat.lines, "at full speed"
    for target in (*targets, 10_000):
        timeline.go_to(target)
        assert bits(timeline) == seen[target], target


def test_batch_norm_and_early_stopping_replay_exactly():
    network = chain(new_layer("input", "x", shape=[2]), new_layer("batch_norm", "bn"), new_layer("dense", "out", units=2))
    document = experiment(network, batch_size=14, early_stopping=2, settings={"learning_rate": 0.5})
    timeline = Timeline(document, HERE)
    stops = [timeline.advance() for _ in range(160)]
    assert any(stops)
    end = state(timeline)
    timeline.go_to(71)
    timeline.go_to(160)
    assert state(timeline) == end


@pytest.mark.usefixtures("dense_checkpoints")
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 25), st.sampled_from(sorted(CHANGES))), max_size=6),
    st.lists(st.integers(0, 35), min_size=1, max_size=3),
)
def test_any_iteration_is_reached_bit_for_bit_whatever_was_changed_on_the_way(changes, places):
    straight = Timeline(START, HERE)
    seen, names = {}, {}
    for iteration, name in changes:
        names.setdefault(iteration, []).append(name)
    for iteration in range(36):
        for name in names.get(iteration, ()):
            straight.edit(CHANGES[name](straight.document))
        seen[iteration] = state(straight)
        straight.advance()
    moving = Timeline(RunLog(START, straight.changes), HERE)
    for place in places:
        for timeline in (straight, moving):
            timeline.go_to(place)
            assert state(timeline) == seen[place]


@pytest.mark.parametrize("iteration", [0, 3, 4])
def test_after_another_penalty_no_figure_of_the_former_one_is_left(iteration):
    timeline, sent = Timeline(START, HERE), []
    timeline.go_to(iteration)
    before = timeline.points[-1]
    timeline.edit(edits.change_training(START, l2=10.0))
    Reporter(sent.append).report_at_rest(timeline, 0)
    start = timeline.trainer.start_point()
    loss = start.loss if iteration == 0 else before.loss
    assert arrived(sent[-1].points)[-1] == replace(start, loss=loss, learning_rate=before.learning_rate)
    assert start.validation_loss > 1


def test_an_edit_keeps_what_fits_and_says_so():
    timeline = Timeline(START, HERE)
    timeline.go_to(20)
    before = {name: parameter.detach().clone() for name, parameter in timeline.trainer.parameters.items()}
    moments = save_state(timeline.trainer.optimizer, timeline.trainer.names)
    carried = timeline.edit(edits.change_layer(timeline.document, "h2", units=5))
    after = timeline.trainer.parameters
    assert carried.kept == ("h1.weight", "h1.bias", "out.bias") and carried.reset == ("h2.weight", "h2.bias", "out.weight")
    assert torch.equal(after["h1.weight"], before["h1.weight"]) and after["h2.weight"].shape == (5, 4)
    state_after = save_state(timeline.trainer.optimizer, timeline.trainer.names)
    assert torch.equal(state_after["h1.weight"]["exp_avg"], moments["h1.weight"]["exp_avg"]) and "h2.weight" not in state_after
    assert timeline.iteration == 20


def test_only_weights_whose_entry_changed_are_set():
    timeline = Timeline(with_weights(START, {"h1.bias": [1.0, 1.0, 1.0, 1.0], "out.bias": [0.5, 0.5]}), HERE)
    timeline.go_to(10)
    trained = timeline.trainer.parameters["h1.bias"].tolist()
    timeline.edit(edits.set_parameter(timeline.document, "out.bias", [3.0, 4.0]))
    assert timeline.trainer.parameters["out.bias"].tolist() == [3.0, 4.0]
    assert timeline.trainer.parameters["h1.bias"].tolist() == trained


CHANGED = {"typed weight": CHANGES["weight"], "units": lambda e: edits.change_layer(e, "h2", units=8), "rate": CHANGES["rate"]}


@pytest.mark.parametrize("iteration", [0, 3, 50, 57])
@pytest.mark.parametrize("name", sorted(CHANGED))
def test_a_document_brought_back_at_once_brings_everything_back(name, iteration):
    timeline = Timeline(START, HERE)
    timeline.go_to(iteration)
    before, changed = state(timeline), CHANGED[name](START)
    timeline.edit(changed)
    after = state(timeline)
    carried = timeline.edit(edits.set_title(START, "Another title"))
    assert state(timeline) == before and timeline.changes == ()
    assert set(carried.kept) == set(timeline.trainer.parameters) and not carried.reset
    timeline.edit(changed)  # redo
    assert state(timeline) == after and timeline.changes == (Change(iteration, changed),)
    timeline.edit(START)
    timeline.go_to(iteration + 60)
    straight = Timeline(START, HERE)
    straight.go_to(iteration + 60)
    assert state(timeline) == state(straight)


def test_after_training_the_trained_weights_stay_when_an_entry_goes():
    timeline = Timeline(START, HERE)
    timeline.go_to(5)
    timeline.edit(CHANGES["weight"](START))
    timeline.advance()
    trained = timeline.trainer.parameters["out.bias"].tolist()
    timeline.edit(START)
    assert timeline.trainer.parameters["out.bias"].tolist() == trained and len(timeline.changes) == 2


@pytest.mark.parametrize("name", ["typed weight", "units"])
def test_another_net_has_its_own_figures(name):
    timeline = Timeline(START, HERE)
    timeline.go_to(9)
    made = timeline.points[-1]
    timeline.edit(CHANGED[name](START))
    assert timeline.points[-1] == replace(timeline.trainer.start_point(), loss=made.loss, learning_rate=0.01) != made
    assert [point.iteration for point in timeline.points] == list(range(10))


@pytest.mark.parametrize("name", ["rate", "freeze", "dropout off", "sgd"])
def test_the_same_net_keeps_the_figures_and_the_gradients_of_its_last_iteration(name):
    timeline = Timeline(START, HERE)
    timeline.trainer.keep_previous(True)
    timeline.go_to(9)
    points, measures = list(timeline.points), layer_measures(timeline.trainer)
    timeline.edit(CHANGES[name](START))
    capture_next(timeline.trainer, "textbook")
    assert timeline.points == points and layer_measures(timeline.trainer) == measures


def with_weights(document, weights):
    for name, values in weights.items():
        document = edits.set_parameter(document, name, values)
    return document


def test_a_refused_edit_changes_nothing():
    timeline = Timeline(START, HERE)
    timeline.go_to(20)
    before = state(timeline)
    for network in (
        chain(new_layer("input", "x", shape=[2]), new_layer("dense", "out", units=3)),
        chain(new_layer("input", "x", shape=[2])),
    ):
        with pytest.raises(BuildError):
            timeline.edit(experiment(network, batch_size=16))
        assert state(timeline) == before and timeline.document == START
    with pytest.raises(BuildError):
        timeline.edit(experiment(batch_size=16, optimizer="sgd", settings={"nesterov": True}))
    assert state(timeline) == before


def test_going_on_from_the_past_makes_the_same_iterations_with_the_settings_that_held_then():
    straight = Timeline(START, HERE)
    straight.go_to(30)
    straight.edit(CHANGES["sgd"](straight.document))
    straight.go_to(60)
    timeline = Timeline(straight.log, HERE)
    timeline.go_to(60)
    timeline.go_to(10)
    shown = capture_next(timeline.trainer, "textbook").trace
    assert timeline.trainer.experiment == START and timeline.document == straight.document
    timeline.advance()
    made = {update.parameter: update.after for update in shown.updates}
    assert all(torch.equal(made[name], parameter) for name, parameter in timeline.trainer.parameters.items())
    for _ in range(49):
        timeline.advance()
    assert timeline.changes == straight.changes and timeline.trainer.experiment == straight.document
    assert digest(timeline.trainer.net) == digest(straight.trainer.net)


def test_data_seed_and_precision_start_a_new_run():
    timeline = Timeline(START, HERE)
    for changed in (edits.set_seed(START, 8), edits.set_precision(START, "float64"), edits.change_data(START, noise=0.3)):
        assert not timeline.can_go_on_with(changed)
        with pytest.raises(BuildError, match="another run"):
            Timeline(RunLog(START, (Change(3, changed),)), HERE)
    assert timeline.can_go_on_with(CHANGES["units"](START))


def test_a_long_way_can_be_left():
    timeline = Timeline(START, HERE)
    timeline.go_to(1000, lambda: timeline.iteration >= 25)
    assert 25 <= timeline.iteration < 1000
    with pytest.raises(BuildError):
        timeline.go_to(-1)


def test_checkpoints_thin_out_with_age(monkeypatch):
    monkeypatch.setattr(checkpoints, "SPACING", 1)
    monkeypatch.setattr(checkpoints, "DENSE", 16)
    timeline = Timeline(START, HERE)
    for _ in range(400):
        timeline.advance()
    kept = sorted(timeline._checkpoints.kept)
    assert kept[0] == 0 and kept[-1] == 400 and len(kept) <= 16 * 6
    assert max(b - a for a, b in pairwise(kept)) <= 32
    end = state(timeline)
    timeline.go_to(203)
    timeline.go_to(400)
    assert state(timeline) == end


def test_checkpoints_of_a_large_net_take_no_more_room_than_they_may(monkeypatch):
    monkeypatch.setattr(checkpoints, "SPACING", 1)
    timeline = Timeline(START, HERE)
    size = timeline.trainer.checkpoint().nbytes
    monkeypatch.setattr(checkpoints, "BUDGET", 40 * size)
    for _ in range(400):
        timeline.advance()
        assert len(timeline._checkpoints.kept) <= 40


def test_on_the_way_forth_it_begins_at_the_nearest_checkpoint(monkeypatch):
    timeline = Timeline(START, HERE)
    for _ in range(330):
        timeline.advance()
    end, made, advance = state(timeline), [], Trainer.advance
    timeline.go_to(20)
    monkeypatch.setattr(Trainer, "advance", lambda self, check=None: made.append(self.position.iteration) or advance(self, check))
    timeline.go_to(330)
    assert state(timeline) == end and min(made) >= 300
    made.clear()
    timeline.edit(CHANGES["sgd"](START))
    timeline.go_to(20)
    timeline.edit(CHANGES["rate"](START))
    timeline.go_to(330)
    assert len(timeline.points) == 331 and state(timeline) != end, "what lay ahead is not what is made now"


def test_the_history_of_a_weight_has_no_gap_on_the_way_forth():
    timeline = Timeline(START, HERE)
    timeline.record_weight("h1.weight", (0, 0))
    for _ in range(430):
        timeline.advance()
    rows = timeline.trainer.recorder.rows(430)
    timeline.go_to(20)
    timeline.go_to(430)
    assert timeline.trainer.recorder.rows(430) == rows and len(rows) == 200


def test_the_first_point_is_the_untrained_net():
    timeline = Timeline(START, HERE)
    trainer = timeline.trainer
    assert timeline.points[0].loss == trainer.evaluate(trainer.training_rows)[0]
    assert timeline.points[0].validation_loss == trainer.evaluate(trainer.validation_rows)[0]


def test_data_of_another_run_may_be_shared():
    one = Timeline(START, HERE)
    assert one.has_same_data(CHANGES["sgd"](START), HERE)
    assert not one.has_same_data(experiment(data=new_choice(DATASETS, "moons", samples=61)), HERE)
    two = Timeline(CHANGES["sgd"](START), HERE, data=one.data)
    assert two.data is one.data


# --- branches ---


def test_a_branch_knows_what_it_has_in_common_with_another_run():
    main = Timeline(START, HERE)
    main.go_to(230)
    before = state(main)
    log = main.log.until(120).changed(120, CHANGES["momentum"](START))
    branch = main.branch(log)
    branch.go_to(160)
    fresh = Timeline(log, HERE)
    fresh.go_to(160)
    assert state(branch) == state(fresh)
    assert state(main) == before, "the run it leaves is as it was"
    back = branch.branch(main.log)
    back.go_to(230)
    assert state(back) == before


@pytest.mark.parametrize("here", ["rate", "units", "dropout off"])
@pytest.mark.parametrize("there", ["momentum", "activation", "freeze"])
def test_two_branches_that_begin_at_the_same_checkpoint_are_each_their_own(here, there):
    one, other = (RunLog(START).changed(50, CHANGES[name](START)) for name in (here, there))
    main = Timeline(one, HERE)
    main.go_to(120)  # its change is in force at the checkpoint of iteration 50
    branch, fresh = main.branch(other), Timeline(other, HERE)
    for iteration in (70, 50, 110):
        branch.go_to(iteration)
        fresh.go_to(iteration)
        assert state(branch) == state(fresh)


def test_a_run_with_another_beginning_has_nothing_in_common():
    main = Timeline(START, HERE)
    main.go_to(120)
    other = main.branch(RunLog(CHANGES["activation"](START)))
    assert sorted(other._checkpoints.kept) == [0] and other._known == []
