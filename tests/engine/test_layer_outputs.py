"""What layers put out and where their functions are flat, against torch by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from msgspec.structs import replace

from nnviz.document.catalog import SCHEDULES, new_choice, new_layer
from nnviz.document.store.examples import open_document
from nnviz.engine import seeds
from nnviz.engine.observe._layer_outputs import layer_outputs, start_spread
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, chain, experiment, mlp

ALL = ("outputs", "functions", "modes")


def timeline_of(network=None, at: int = 12, **settings) -> Timeline:
    timeline = Timeline(experiment(network, precision="float64", **settings), HERE)
    timeline.go_to(at)
    return timeline


def by_layer(trainer, watched=ALL, start=None):
    return {made.layer: made for made in layer_outputs(trainer, start or {}, watched)}


def test_the_outputs_are_those_of_the_next_iteration_in_both_modes():
    trainer = timeline_of(batch_size=16).trainer
    found = by_layer(trainer)
    values, x = dict(trainer.parameters), trainer.training_rows.x[trainer.rows()]
    z = F.linear(x, values["h1.weight"], values["h1.bias"])
    a = torch.relu(z)
    seeds.start_iteration(7, 12)
    dropped = F.dropout(a, 0.2, True)
    for layer, expected in (("x", x), ("h1", a), ("d1", dropped)):
        assert found[layer].mean == pytest.approx(expected.mean().item(), rel=1e-12)
        assert found[layer].std == pytest.approx(expected.std(unbiased=False).item(), rel=1e-12)
    in_evaluation = torch.tanh(F.linear(a, values["h2.weight"], values["h2.bias"]))
    assert found["d1"].evaluation_mean == pytest.approx(a.mean().item(), rel=1e-12)
    assert found["h2"].evaluation_mean == pytest.approx(in_evaluation.mean().item(), rel=1e-12)
    (use,) = found["h1"].functions
    assert (use.function, use.units, use.dead, use.saturated) == ("relu", 4, int((a == 0).all(0).sum()), None)
    assert (use.z.min, use.z.max, use.z.count) == (z.min().item(), z.max().item(), z.numel())


def test_the_spread_at_the_start_is_that_of_the_first_iteration():
    timeline = timeline_of(at=0, batch_size=16)
    first = {layer: made.std for layer, made in by_layer(timeline.trainer).items()}
    timeline.go_to(12)
    found = by_layer(timeline.trainer, start=start_spread(timeline.trainer))
    assert {layer: made.start_std for layer, made in found.items()} == first
    assert found["h2"].std != first["h2"] and found["h1"].start_std == first["h1"]


def test_looking_changes_no_run():
    looked, plain = timeline_of(batch_size=16), timeline_of(batch_size=16)
    for _ in range(5):
        start_spread(looked.trainer)
        layer_outputs(looked.trainer, {}, ALL)
        looked.advance()
        plain.advance()
    assert digest(looked.trainer.net) == digest(plain.trainer.net)


@pytest.mark.parametrize("function", ["sigmoid", "tanh", "elu", "gelu", "silu", "softplus"])
def test_saturated_is_where_the_derivative_is_below_a_twentieth_of_the_largest(function):
    trainer = timeline_of(mlp(activation=function), at=3, weights={"h1.bias": [10.0, -10.0, 0.0, 0.5]}).trainer
    (use,) = by_layer(trainer)["h1"].functions
    values = dict(trainer.parameters)
    z = F.linear(trainer.training_rows.x[trainer.rows()], values["h1.weight"], values["h1.bias"]).detach().requires_grad_()
    applied = torch.sigmoid if function == "sigmoid" else torch.tanh if function == "tanh" else getattr(F, function)
    (slope,) = torch.autograd.grad(applied(z).sum(), z)
    wide = torch.linspace(-30, 30, 600_001, dtype=torch.float64).requires_grad_()
    largest = torch.autograd.grad(applied(wide).sum(), wide)[0].max().item()
    flat = slope.abs() < 0.05 * largest
    assert (use.saturated, use.saturated_units) == (int(flat.sum()), int(flat.all(0).sum()))
    assert use.saturated_units >= (2 if function in ("sigmoid", "tanh") else 1), "at |z| = 10 a unit is saturated"
    place, value, derivative = map(torch.tensor, to_numpy(use.curve))
    place.requires_grad_()
    assert torch.equal(applied(place), value) and torch.equal(torch.autograd.grad(applied(place).sum(), place)[0], derivative)
    assert place[0] <= z.min() and place[-1] >= z.max() and 0 in place


def test_a_large_negative_bias_kills_a_unit():
    trainer = timeline_of(at=2, weights={"h1.bias": [-100.0, 0.0, 0.0, 0.0]}).trainer
    (use,) = by_layer(trainer)["h1"].functions
    assert use.dead >= 1 and use.units == 4


def test_a_channel_is_the_unit_of_a_convolution_and_time_steps_are_taken_together():
    layers = (
        new_layer("input", "x", shape=[1, 2]),
        new_layer("rnn", "memory", units=3, activation="sigmoid"),
        new_layer("dense", "out", units=2),
    )
    network = chain(new_layer("input", "x", shape=[2]), new_layer("reshape", "r", shape=[1, 2]), *layers[1:])
    (use,) = by_layer(timeline_of(network, at=1).trainer)["memory"].functions
    assert (use.function, use.units) == ("sigmoid", 3)
    digits = Timeline(open_document("example:digits"), HERE).trainer
    images = [made for made in layer_outputs(digits, {}, ALL) if made.functions]
    channels = {layer.id: layer["out_channels"] for layer in digits.experiment.network if layer.kind == "conv2d"}
    assert all(made.functions[0].units == channels[made.layer] for made in images if made.layer in channels)


def test_what_is_not_finite_is_counted_apart():
    trainer = timeline_of(at=0, weights={"h1.bias": [1e308, 0.0, 0.0, 0.0], "h1.weight": [[1e308, 1e308]] * 4}).trainer
    found = by_layer(trainer)["h1"]
    assert found.non_finite > 0 and np.isfinite([found.mean, found.std]).all() and found.functions[0].z.non_finite > 0


def test_nothing_is_worked_out_that_is_not_asked_for():
    (_, made, *_) = layer_outputs(timeline_of().trainer, {}, ("outputs",))
    assert made.start_std is None and made.evaluation_mean is None and made.functions == ()


@pytest.mark.parametrize("kind", ["constant", "step", "exponential", "cosine", "warm_up", "plateau"])
def test_every_point_of_the_curves_says_its_learning_rate(kind):
    document = experiment(batch_size=8, precision="float64")
    schedule = new_choice(SCHEDULES, kind)
    if "every" in schedule.settings:
        schedule = new_choice(SCHEDULES, kind, every="iteration")
    document = replace(document, training=replace(document.training, schedule=schedule))
    single, quick = Timeline(document, HERE), Timeline(document, HERE)
    rates = []
    for _ in range(40):
        rates.append(single.trainer.learning_rate)
        single.advance()
    quick.go_to(40)
    assert quick.points[0].learning_rate is None
    assert [point.learning_rate for point in quick.points[1:]] == [point.learning_rate for point in single.points[1:]] == rates
