"""Measuring for the doctor: no bit of a run changes, every way to an iteration finds the same, and it stays little."""

from __future__ import annotations

from math import inf
from pathlib import Path

import msgspec
import pytest
import torch

from nnviz.document.catalog import new_layer
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link, Network
from nnviz.engine.run import _checkup_times as checkup_times
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.jobs import open_document
from nnviz.records.checkup_records import Checkup
from tests.doctor.going import after
from tests.doctor.planted import BLOBS, MOONS, behind, experiment, layers
from tests.engine.experiments import chain

NETS = {
    "dropout": experiment(behind(layers(2, (7, 5), "relu", 2), "dropout", p=0.4), MOONS, "adam", 0.01),
    "batch norm": experiment(behind(layers(2, (6,), "tanh", 4), "batch_norm"), BLOBS, settings={"momentum": 0.9}, l2=1e-3),
    "noise, clipped": experiment(behind(layers(2, (6,), "sigmoid", 2), "noise", std=0.2), MOONS, "rmsprop", 0.01, clip_norm=0.5),
}


def written(checkups: tuple[Checkup, ...]) -> bytes:
    return msgspec.msgpack.encode(checkups)


@pytest.mark.parametrize("net", NETS)
def test_no_bit_of_a_run_changes(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = after(NETS[net], 130)
    monkeypatch.setattr(checkup_times, "next_due", lambda iteration, changed_at: 10**9)
    unmeasured = after(NETS[net], 130)
    assert measured.checkups and not unmeasured.checkups
    assert digest(measured.trainer.net) == digest(unmeasured.trainer.net)
    assert [point.loss for point in measured.points] == [point.loss for point in unmeasured.points]
    for name, buffer in measured.trainer.buffers.items():
        assert buffer.equal(unmeasured.trainer.buffers[name]), name


@pytest.mark.parametrize("net", NETS)
def test_every_way_finds_the_same(net: str) -> None:
    straight = written(after(NETS[net], 170).checkups)
    timeline = after(NETS[net], 170)
    timeline.go_to(37)
    known = timeline.checkups
    assert known and known[-1].iteration <= 37
    timeline.go_to(170)
    assert written(timeline.checkups) == straight
    one_by_one = Timeline(NETS[net], Path())
    while one_by_one.iteration < 170:
        one_by_one.advance()
    assert written(one_by_one.checkups) == straight
    assert written(timeline.twin().checkups) == straight


@pytest.mark.parametrize("changed_at", [0, 37])
def test_the_times_are_the_same_from_wherever_it_is_asked(changed_at: int) -> None:
    due = changed_at
    for iteration in range(changed_at, changed_at + 5000):
        due = checkup_times.next_due(due, changed_at) if due == iteration else due
        assert checkup_times.next_due(iteration, changed_at) == due > iteration
    assert 5 <= checkup_times.next_due(changed_at, changed_at) - changed_at < 10


def test_a_run_of_100_000_iterations_keeps_little() -> None:
    at, count = 0, 0
    while (at := checkup_times.next_due(at, 0)) <= 100_000:
        count += 1
    largest = max(len(msgspec.msgpack.encode(one)) for one in after(NETS["dropout"], 100).checkups)
    assert count < 900 and count * largest < 1_000_000


def deep(function: str) -> Experiment:
    return experiment(layers(2, (6,) * 8, function, 2), MOONS, rate=0.1)


def test_weights_gradients_and_updates_are_torchs() -> None:
    timeline = after(deep("tanh"), 15)
    while not timeline.checkups or timeline.checkups[-1].iteration < 60:
        before = {name: parameter.detach().clone() for name, parameter in timeline.trainer.parameters.items()}
        timeline.advance()
    parameters, gradients, last = timeline.trainer.parameters, timeline.trainer.gradients, timeline.checkups[-1]
    assert last.iteration == timeline.iteration and len(last.layers) == 9
    for layer in last.layers:
        name, bias = f"{layer.layer}.weight", f"{layer.layer}.bias"
        of_torch = before[name], gradients[name], parameters[name].detach() - before[name], gradients[bias]
        measured = layer.weight_rms, layer.gradient_rms, layer.update_rms, layer.bias_gradient_rms
        assert measured == pytest.approx([tensor.double().pow(2).mean().sqrt().item() for tensor in of_torch], rel=1e-5)
    assert last.gradient_norm == pytest.approx(torch.nn.utils.get_total_norm(list(gradients.values())).item(), rel=1e-5)


def test_twins_are_measured_again() -> None:
    stack = behind(layers(2, (4,), "tanh", 2, "constant"), "dropout", p=0.5)
    timeline = after(experiment(stack, MOONS), 25)
    assert timeline.facts.symmetric_units == {"h1": (0, 1, 2, 3)}
    assert not timeline.history().wholes[-1][1].symmetric_units
    alike = after(experiment(layers(2, (4,), "tanh", 2, "constant"), MOONS), 25)
    assert alike.history().wholes[-1][1].symmetric_units == {"h1": (0, 1, 2, 3)}


def test_facts_belong_to_the_document_in_force() -> None:
    timeline = after(experiment(layers(2, (4,), "tanh", 2), MOONS), 12)
    entropy = timeline.facts
    other = msgspec.structs.replace(timeline.document, training=msgspec.structs.replace(timeline.document.training, loss="mse"))
    timeline.edit(other)
    assert timeline.facts.constant_loss == pytest.approx(0.25, abs=0.01) and timeline.facts.start_loss == entropy.start_loss
    timeline.go_to(5)
    assert timeline.facts == entropy
    timeline.go_to(12)
    assert timeline.facts.constant_loss == pytest.approx(0.25, abs=0.01)


def test_a_change_before_the_first_iteration_is_a_start_of_its_own() -> None:
    timeline = after(experiment(layers(2, (4,), "tanh", 2, "constant"), MOONS), 0)
    first = timeline.document
    other = experiment(layers(2, (4,), "tanh", 2, "xavier_uniform"), MOONS)
    timeline.edit(other)
    assert not timeline.facts.symmetric_units
    timeline.edit(first)
    assert timeline.facts.symmetric_units


def test_a_chain_of_layers_without_weights_is_measured() -> None:
    net = chain(new_layer("input", "x", shape=[2]), new_layer("dense", "out", units=2), new_layer("activation", "end", function="tanh"))
    timeline = after(Experiment(net, MOONS, NETS["dropout"].training), 30)
    assert [one.layer for one in timeline.checkups[-1].functions] == ["end"] and [one.layer for one in timeline.checkups[-1].layers] == [
        "out"
    ]


def test_weights_whose_squares_are_infinite_are_measured_without_a_warning() -> None:
    opened = open_document("tests/cases/segv-weights-1e308-float64.json")
    assert inf in Timeline(opened.experiment, opened.folder).facts.weights.values()


def test_a_net_of_two_sides_with_noise_is_measured() -> None:
    """In training it answers other rows than those it is given, so that there is no loss to set beside that of evaluation."""
    gan = open_document("example:gan").experiment
    links = tuple(Link("noise", "d1") if link.target == "d1" else link for link in gan.network.links)
    network = Network((*gan.network.layers, new_layer("noise", "noise", std=0.1)), (*links, Link("m", "noise")))
    timeline = after(msgspec.structs.replace(gan, network=network), 60)
    assert timeline.iteration == 60
    losses = [one.whole.training_mode_loss for one in timeline.checkups if one.whole]
    assert losses and set(losses) == {None}
