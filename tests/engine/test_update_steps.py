"""Steps of an update and the step sizes behind them, against torch's own optimizer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nnviz.engine.observe._update_steps import QUANTILES, layer_steps
from nnviz.engine.observe.measures import layer_measures
from nnviz.engine.run.timeline import Timeline
from tests.engine.experiments import HERE, experiment


def timeline_of(at: int = 12, **settings) -> Timeline:
    timeline = Timeline(experiment(precision="float64", batch_size=16, **settings), HERE)
    timeline.trainer.keep_previous(True)
    timeline.go_to(at)
    return timeline


def rows_of(trainer, layer: str, tensors) -> torch.Tensor:
    return torch.cat([tensors[name].detach().ravel() for name in trainer.parameters if name.startswith(layer + ".")])


OPTIMIZERS = {
    "sgd": {"learning_rate": 0.1, "momentum": 0.9},
    "adagrad": {"learning_rate": 0.1, "lr_decay": 0.01},
    "rmsprop": {"learning_rate": 0.01, "centered": True},
    "adam": {"learning_rate": 0.01, "amsgrad": True},
    "adamw": {"learning_rate": 0.01, "weight_decay": 0.1},
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_steps_and_ratios_are_those_between_two_iterations(kind):
    settings = OPTIMIZERS[kind]
    before = timeline_of(11, optimizer=kind, settings=settings).trainer
    trainer = timeline_of(12, optimizer=kind, settings=settings).trainer
    steps, measures = layer_steps(trainer), layer_measures(trainer, with_updates=True)
    assert [step.layer for step in steps] == [one.layer for one in measures] == ["h1", "h2", "out"]
    for step, one in zip(steps, measures, strict=True):
        old, new = rows_of(before, step.layer, before.parameters), rows_of(trainer, step.layer, trainer.parameters)
        assert step.mean == pytest.approx((new - old).abs().mean().item(), rel=1e-12)
        assert one.update_ratio == pytest.approx(((new - old).norm() / old.norm()).item(), rel=1e-12)
        assert one.updates.norm == pytest.approx((new - old).norm().item(), rel=1e-12) and one.updates.count == new.numel()


@pytest.mark.parametrize("at", [2, 12])
@pytest.mark.parametrize("kind", ["adagrad", "rmsprop", "adam", "adamw"])
def test_step_sizes_are_what_torch_divides_by(kind, at):
    """From the gradients of every iteration the moments are worked out again, as the papers say them."""
    trainer = timeline_of(0, optimizer=kind, settings=OPTIMIZERS[kind]).trainer
    timeline = timeline_of(0, optimizer=kind, settings=OPTIMIZERS[kind])
    square = mean = largest = 0.0
    for _ in range(at):
        timeline.advance()
        trainer = timeline.trainer
        gradient = rows_of(trainer, "h2", trainer.gradients)
        if kind == "adagrad":
            square = square + gradient**2
        elif kind == "rmsprop":
            square, mean = 0.99 * square + 0.01 * gradient**2, 0.99 * mean + 0.01 * gradient
        else:
            square = 0.999 * square + 0.001 * gradient**2
            largest = torch.maximum(torch.as_tensor(largest, dtype=torch.float64), square)
    rate = OPTIMIZERS[kind]["learning_rate"]
    expected = {
        "adagrad": lambda: rate / (1 + (at - 1) * 0.01) / (square.sqrt() + 1e-10),
        "rmsprop": lambda: rate / ((square - mean**2).sqrt() + 1e-8),
        "adam": lambda: rate / ((largest / (1 - 0.999**at)).sqrt() + 1e-8),
        "adamw": lambda: rate / ((square / (1 - 0.999**at)).sqrt() + 1e-8),
    }[kind]()
    found = {step.layer: step.rates for step in layer_steps(trainer)}["h2"]
    assert found == pytest.approx(np.quantile(expected.numpy(), QUANTILES), rel=1e-9)


def test_plain_gradient_descent_has_one_step_size_for_all():
    assert all(step.rates == () for step in layer_steps(timeline_of(optimizer="sgd", settings={"learning_rate": 0.1}).trainer))


def test_before_the_first_update_nothing_is_known_of_steps():
    trainer = timeline_of(0).trainer
    assert layer_steps(trainer) == ()
    assert all(one.update_ratio is None and one.updates is None for one in layer_measures(trainer, with_updates=True))


def test_gradients_are_those_before_clipping():
    trainer = timeline_of(12, clip_norm=1e-3).trainer
    raw = {one.layer: one.gradients.norm for one in layer_measures(trainer)}
    assert math.hypot(*raw.values()) > 1e-2
    clipped = torch.cat([parameter.grad.ravel() for parameter in trainer.parameters.values()]).norm().item()
    assert clipped == pytest.approx(1e-3, rel=1e-3), "what the optimizer was given"


def test_a_layer_that_starts_at_zero_has_an_infinite_ratio_at_first():
    zeros = {"out.weight": [[0.0] * 4] * 2, "out.bias": [0.0, 0.0]}
    measures = {one.layer: one for one in layer_measures(timeline_of(1, weights=zeros).trainer)}
    assert measures["out"].update_ratio == math.inf and measures["h1"].update_ratio == 0.0, "no gradient comes through zeros"
