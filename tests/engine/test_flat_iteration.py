"""A flat iteration has the very bits of an eager one, for all that can be built, or it is not used, and says why."""

from __future__ import annotations

import gc
from contextlib import suppress
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nnviz.document import catalog
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.catalog import new_layer
from nnviz.document.network import Network
from nnviz.document.store import examples
from nnviz.engine.flat import _update_lines, recorded_calls
from nnviz.engine.flat.evaluation_program import EvaluationProgram
from nnviz.engine.flat.gradient_program import GradientProgram
from nnviz.engine.flat.kernel_forms import same_bits
from nnviz.engine.model.dense_layers import Dense
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.measures import layer_measures
from nnviz.engine.run import flat_iteration
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.training_breakpoints import TrainingBreakpoints
from nnviz.trace import TraceError
from tests.document.random_networks import sound_experiment
from tests.engine.experiments import HERE, chain, experiment, mlp, table
from tests.engine.flat_runs import SCHEDULES, assert_flat, compared, eager, some_document, some_schedule, state, to, toggle
from tests.engine.kinds import EXPERIMENTS, SEQUENCE, around

DOCUMENTS = [f"example:{name}" for name in examples.example_names()] + [f"template:{name}" for name in examples.TEMPLATES]


def opened(name: str) -> tuple:
    return examples.open_document(name), examples.document_path(name).parent


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- whole runs ---


@pytest.mark.parametrize("name", DOCUMENTS)
def test_80_iterations_and_the_way_back_and_forth(name):
    document, folder = opened(name)
    run = compared(document, to(80, Random(name).randrange(1, 79), 80), folder)
    if run.iteration == 80:
        assert_flat(run)
    else:
        assert name == "example:exploding" and run.trainer.flat.reason == "", "it is over before anything is flat"


def wander(timeline: Timeline, random: Random) -> list:
    """8 changes on the way, every third iteration stepped in between, and a few ways back."""
    seen = []
    timeline.trainer.keep_previous(True)
    for number in range(8):
        toggle(timeline, random)
        for _ in range(random.choice([0, 0, 4])):
            if timeline.iteration % 3 == 0:
                with suppress(TraceError):  # an update that is nothing but rounding cannot be shown
                    capture_next(timeline.trainer, "math")
            seen.append(timeline.advance())
        if number % 4 == 3:
            timeline.go_to(random.randrange(timeline.iteration + 1))
        seen += [timeline.go_to(timeline.iteration + random.choice([1, 8, 15])), state(timeline)]
    return seen


def of_a_kind(name: str) -> tuple:
    """The kinds of layers, the optimizer and the loss of a document."""
    document, _ = opened(name)
    return frozenset(layer.kind for layer in document.network.layers), document.training.optimizer.kind, document.training.loss


@pytest.mark.parametrize("name", {of_a_kind(name): name for name in DOCUMENTS}.values())
def test_8_changes_on_the_way(name):
    document, folder = opened(name)
    timeline = compared(document, lambda timeline: wander(timeline, Random(name)), folder)
    while timeline.trainer.flat.reason == "" and not timeline.trainer.flat.lines and timeline.iteration < 1000:
        timeline.edit(replace(timeline.document, training=replace(timeline.document.training, optimizer=document.training.optimizer)))
        if timeline.go_to(timeline.iteration + 30):
            return  # a run that diverged on the way stands
    assert_flat(timeline)


def test_a_checkpoint_of_a_flat_stretch_holds_all():
    timeline = compared(experiment(batch_size=16, clip_norm=0.1), to(77, 160, 51, 50, 160))
    checkpoint, there = timeline.trainer.checkpoint(), state(timeline)
    timeline.go_to(190)
    later = timeline.trainer.checkpoint()
    timeline.trainer.restore(checkpoint)
    assert all(same_bits(tensor, there[name]) for name, tensor in timeline.trainer.tensors().items())
    for _ in range(30):
        timeline.trainer.advance()
    again = timeline.trainer.checkpoint()
    assert all(same_bits(tensor, again.tensors[name]) for name, tensor in later.tensors.items())
    assert repr(again.state) == repr(later.state) and again.position == later.position


# --- optimizers and schedules ---


@pytest.mark.parametrize("kind", catalog.OPTIMIZERS)
def test_every_optimizer_with_all_its_settings(kind):
    flats = 0
    for seed in range(6):
        timeline = compared(some_document(Random(seed), kind), to(35))
        assert timeline.trainer.flat.reason == ""
        flats += bool(timeline.trainer.flat.lines)
    assert flats > 3  # the others diverged before


@pytest.mark.parametrize("every", [0, 1])
@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_schedule(kind, every):
    document = experiment(batch_size=7)
    for seed in range(2 + every):
        schedule = some_schedule(Random(seed), kind)
        assert_flat(compared(replace(document, training=replace(document.training, schedule=schedule)), to(40)))


def test_early_stopping_at_the_same_iteration_with_the_same_weights():
    document = experiment(optimizer="sgd", settings={"learning_rate": 2.0}, batch_size=16, early_stopping=2)

    def drive(timeline: Timeline) -> list:
        seen = []
        while not (seen and seen[-1]) and timeline.iteration < 400:
            seen.append(timeline.advance(at_most=50))
        return [timeline.iteration, seen[-1]]

    timeline = compared(document, drive)
    assert timeline.iteration < 400
    assert_flat(timeline)


# --- networks ---


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_kind_of_layer(name, precision):
    assert_flat(compared(replace(EXPERIMENTS[name], precision=precision), to(12)))


def test_a_pool_of_sequences_directly_behind_the_input():
    """Whose result torch lays out otherwise where calls are recorded, so that the mean over it has other bits."""
    layers = new_layer("max_pool", "k", stride=1), new_layer("batch_norm", "n"), new_layer("dropout", "d", p=0.3)
    document = around(SEQUENCE, *layers, batch_size=4)
    assert_flat(compared(replace(document, precision="float32"), to(30)))


def test_a_layer_that_reads_a_number(monkeypatch):
    right = Dense.forward
    monkeypatch.setattr(Dense, "forward", lambda self, x: right(self, x if x.sum().item() > 0 else -x))
    timeline = compared(experiment(), to(12))
    assert timeline.trainer.flat.reason == "it reads a value, on which its calls may depend" and not timeline.trainer.flat.lines


@settings(max_examples=15)
@given(st.integers(0, 10**9))
def test_random_networks(seed):
    assert_flat(compared(sound_experiment(seed, 1 + seed % 7), to(10)))


@pytest.mark.parametrize("loss", catalog.LOSSES)
@pytest.mark.parametrize("penalty", [0.0, 0.01])
def test_every_loss(loss, penalty):
    network = chain(
        new_layer("input", "x", shape=[2]), new_layer("dense", "h", units=3, activation="tanh"), new_layer("dense", "o", units=1)
    )
    if loss == "cross_entropy":
        network = mlp()
    assert_flat(compared(experiment(network, loss=loss, l1=penalty, l2=penalty), to(20)))


ODD = [
    *("def", "loss", "torch", "rows", "gradients", "x", "a-b", "a_b", "1", "_1", "täglich", "target", "parameters", "copy_", "float"),
    *("dot", "differentiate", "evaluate", "update", "__builtins__", "None", "all_x", "outputs", "training", "addmm", "y", "loss_1"),
    *("x_1", "norm", "set_grad_enabled", "index_select", "values", "kept", "rates", "steps", "locked", "lambda", "_", "direction"),
]
"""Words that mean something in a source, or that become the same name in it."""


@pytest.mark.parametrize("first", range(0, len(ODD), 3))
def test_layers_may_have_any_name(first):
    a, b, c, d, e, f = (ODD + ODD)[first : first + 6]
    network = chain(
        new_layer("input", a, shape=[2]),
        new_layer("dense", b, units=4, activation="relu"),
        new_layer("dropout", c, p=0.2),
        new_layer("batch_norm", d),
        new_layer("layer_norm", e),
        new_layer("dense", f, units=2),
    )
    document = replace(experiment(network, batch_size=16, clip_norm=0.5, l2=0.01), locks={f"{b}.weight": [[0, 1]]})
    assert_flat(compared(document, to(14)))


@pytest.mark.parametrize("frozen", [["h1"], ["h2"], ["out"], ["h1", "h2"]])
def test_frozen_layers(frozen):
    network = mlp()
    layers = tuple(replace(layer, frozen=layer.id in frozen) for layer in network.layers)
    assert_flat(compared(experiment(Network(layers, network.links), clip_norm=0.1, clip_value=0.05, l1=0.01), to(30)))


# --- batches ---


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("size", [1, 2, 4, 5, None, 100])
def test_batches_of_any_size(rows, size):
    x, y = [[0.1 * row, -0.3 * row] for row in range(rows)], [row % 2 for row in range(rows)]
    timeline = compared(experiment(data=table(x, y, validation=0.0), batch_size=size), to(40))
    assert_flat(timeline)


def test_another_batch_size_in_mid_epoch_30_times():
    def drive(timeline: Timeline) -> list:
        for number in range(30):
            training = replace(timeline.document.training, batch_size=(3, 5, 8, 11)[number % 4] + number // 4)
            timeline.edit(replace(timeline.document, training=training))
            timeline.go_to(timeline.iteration + 13)
        return [timeline.trainer.position]

    timeline = compared(experiment(batch_size=16), drive)
    assert_flat(timeline)
    assert len(timeline.trainer.flat_net._programs) == flat_iteration.MOST_PROGRAMS
    del timeline
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, GradientProgram)]


def test_few_large_programs_are_kept():
    net = Timeline(experiment(), HERE).trainer.flat_net
    for number in range(10):
        net.program(("of", number), flat_iteration.LARGE // net.net.numbers_per_row, object)
    assert len(net._programs) == flat_iteration.MOST_NUMBERS // flat_iteration.LARGE
    assert net.program(("of", 9), 1, lambda: None) is net.program(("of", 9), 1, lambda: None) is not None


def test_a_long_run_keeps_no_more_tensors():
    trainer = Timeline(experiment(batch_size=16, clip_norm=0.1), HERE).trainer
    counts = []
    for _ in range(3):
        for _ in range(100):
            trainer.advance_quietly(10, float("inf"))
            trainer.advance()
        gc.collect()
        counts.append(sum(isinstance(one, torch.Tensor) for one in gc.get_objects()))
    assert counts[1] == counts[2]


# --- where a run stands still ---


@pytest.mark.parametrize("batch_size", [16, None])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("network", ["plain", "batch_norm"])
def test_divergence_stops_at_the_same_iteration_with_the_same_words(network, precision, batch_size):
    layers = mlp(activation="identity")
    if network == "batch_norm":
        layers = chain(*layers.layers[:-1], new_layer("batch_norm", "n"), layers.layers[-1])
    document = experiment(layers, "sgd", settings={"learning_rate": 3.0, "momentum": 0.9}, loss="mse", batch_size=batch_size)
    document = replace(document, precision=precision)
    timeline = compared(document, to(400, 400, 5, 400))
    assert timeline.iteration < 400 and timeline.trainer.flat.reason == ""


def test_nothing_is_shown_of_an_iteration_that_was_not_made():
    document = experiment(mlp(activation="identity"), "sgd", settings={"learning_rate": 3.0}, loss="mse", batch_size=4)
    trainer = Timeline(document, HERE).trainer
    while trainer.has_last or trainer.position.iteration == 0:
        assert not trainer.advance()
        trainer.advance_quietly(10, float("inf"))
    at = trainer.position
    assert trainer.flat.lines and not sum(gradient.square().sum() for gradient in trainer.gradients.values()).isfinite()
    stop = trainer.advance()
    assert stop.reason == "non_finite" if stop else trainer.position.iteration == at.iteration + 1


def test_gradients_whose_square_overflows_are_no_divergence():
    scale = {"h1.weight": [[1e10, -1e10]] * 4, "h2.weight": [[3e-10] * 4] * 4}
    document = experiment(mlp(p=0.0, activation="identity"), "sgd", settings={"learning_rate": 0.0}, loss="mse", weights=scale)
    big = {"out.weight": [[1e10] * 4] * 2}
    timeline = compared(replace(document, weights=scale | big), to(30))
    largest = max(gradient.abs().max().item() for gradient in timeline.trainer.gradients.values())
    assert timeline.iteration == 30 and 2e19 < largest < float("inf")


BREAKPOINTS = [
    Breakpoint("loss_rising"),
    Breakpoint("gradient", comparison="above", threshold=0.3),
    Breakpoint("gradient", "out.weight", comparison="below", threshold=0.05),
    Breakpoint("activation", comparison="above", threshold=1.4),
    Breakpoint("activation", "h1", comparison="above", threshold=1.2),
    Breakpoint("non_finite"),
]


@pytest.mark.parametrize("one", BREAKPOINTS, ids=lambda one: f"{one.kind} {one.target}")
def test_breakpoints_stop_at_the_same_iterations(one):
    def drive(timeline: Timeline) -> list:
        breakpoints, seen = TrainingBreakpoints(), []
        breakpoints.set_breakpoints([one])
        while timeline.iteration < 60:
            stop = timeline.advance(breakpoints.active_check, 60 - timeline.iteration)
            seen.append((timeline.iteration, stop))
            breakpoints.skip(timeline.iteration if stop else None)
        return seen

    assert_flat(compared(experiment(batch_size=16), drive))


def test_what_is_shown_of_a_run():
    def drive(timeline: Timeline) -> list:
        timeline.trainer.keep_previous(True)
        timeline.go_to(30)
        timeline.trainer.record(None)
        timeline.record_weight("h1.weight", (1, 0))
        timeline.go_to(90)
        rows = [row for row in timeline.trainer.recorder.rows(90) if row[0] > 30]
        return [rows, state(timeline), repr(layer_measures(timeline.trainer))]

    assert_flat(compared(experiment(batch_size=16, clip_norm=0.05), drive))


# --- the proof ---


def slightly_wrong(monkeypatch, name: str) -> None:
    """Let this kernel give other bits when it is called by a flat iteration."""
    right = recorded_calls.new_form

    def form(called, op, args, kwargs, result):
        found = right(called, op, args, kwargs, result)
        if called != name:
            return found

        def function(*given, **named):
            found.function(*given, **named)
            return named["out"].mul_(1.000001)

        return found._replace(function=function)

    monkeypatch.setattr(recorded_calls, "new_form", form)


@pytest.mark.parametrize("kernel", ["tanh", "addmm", "mm", "sum"])
def test_a_wrong_kernel_is_not_used(monkeypatch, kernel):
    slightly_wrong(monkeypatch, kernel)
    timeline = compared(experiment(), to(20))
    assert "does not give the bits" in timeline.trainer.flat.reason and not timeline.trainer.flat.lines


@pytest.mark.parametrize(
    "line, what",
    [
        ("mul_(parameters, 1.000001)", "h1.weight"),
        ("mul_(exp_avg, 1.000001)", "exp_avg of h1.weight"),
        ("mul_(exp_avg_sq, 1.000001)", "exp_avg_sq of h1.weight"),
        ("mul_(gradients, 1.000001)", "the gradient of h1.weight"),
    ],
)
def test_a_wrong_update_is_not_used(monkeypatch, line, what):
    right = _update_lines.UPDATES["adam"]
    monkeypatch.setitem(_update_lines.UPDATES, "adam", lambda settings: [*right(settings), line])
    timeline = compared(experiment(), to(20))
    assert what in timeline.trainer.flat.reason and not timeline.trainer.flat.lines


def test_a_wrong_evaluation_is_not_used(monkeypatch):
    monkeypatch.setattr(EvaluationProgram, "run", lambda self: {"loss": 0.0, "metric": 1.0})
    timeline = compared(experiment(batch_size=16), to(300))
    assert not timeline.trainer._evaluations._programs


def test_evaluations_are_flat():
    def drive(timeline: Timeline) -> list:
        trainer, seen = timeline.trainer, []
        for _ in range(8):
            timeline.go_to(timeline.iteration + 3)
            seen += [trainer.evaluate(trainer.training_rows), trainer.evaluate(trainer.validation_rows)]
        return seen

    timeline = compared(experiment(batch_size=16, l2=0.01), drive)
    assert set(timeline.trainer._evaluations._programs) == {"training", "validation"}


def test_rows_that_are_evaluated_in_parts_are_not_evaluated_at_once(monkeypatch):
    monkeypatch.setattr("nnviz.engine.run._evaluations.evaluated_rows", lambda *given: 7)
    timeline = compared(experiment(batch_size=16, l2=0.01), to(300))
    assert not timeline.trainer._evaluations._programs


def test_twice_the_same_and_lines_that_name_their_layer():
    one, two = Timeline(experiment(batch_size=16), HERE), Timeline(experiment(batch_size=16), HERE)
    for timeline in (one, two):
        timeline.go_to(100)
    assert one.trainer.flat.lines == two.trainer.flat.lines
    assert {line.layer for line in one.trainer.flat.lines} >= {"x", "h1", "h2", "out"}
    with eager():
        three = Timeline(experiment(batch_size=16), HERE)
        three.go_to(100)
    assert repr(one.points) == repr(two.points) == repr(three.points)
