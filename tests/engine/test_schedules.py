"""Learning rates over time equal torch.optim.lr_scheduler's; update rows stay true under schedules and factors of layers."""

from __future__ import annotations

import math
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from torch.optim import lr_scheduler as torch_schedules

from nnviz.document.catalog import DATASETS, SCHEDULES, new_choice, new_layer
from nnviz.document.network import Network
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.run import schedules
from nnviz.engine.run.position import Position
from nnviz.engine.run.schedules import Plateau, learning_rate
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE, chain, experiment, mlp

WAYS = [
    ("constant", {}, lambda optimizer: torch_schedules.ConstantLR(optimizer, 1.0)),
    ("step", {"step_size": 7, "gamma": 0.3}, lambda optimizer: torch_schedules.StepLR(optimizer, 7, 0.3)),
    ("exponential", {"gamma": 0.93}, lambda optimizer: torch_schedules.ExponentialLR(optimizer, 0.93)),
    ("cosine", {"t_max": 23, "eta_min": 0.01}, lambda optimizer: torch_schedules.CosineAnnealingLR(optimizer, 23, 0.01)),
    ("warm_up", {"start_factor": 0.2, "total_iters": 9}, lambda optimizer: torch_schedules.LinearLR(optimizer, 0.2, 1.0, 9)),
]


def torch_optimizer(rate: float = 0.4) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def test_every_schedule_has_a_row():
    assert set(schedules.SCHEDULES) == set(SCHEDULES)


@pytest.mark.parametrize("every", ["epoch", "iteration"])
@pytest.mark.parametrize(("kind", "settings", "oracle"), WAYS)
def test_rates_equal_torchs(kind, settings, oracle, every):
    counted = {"every": every} if "every" in SCHEDULES[kind].defaults else {}
    choice, optimizer = new_choice(SCHEDULES, kind, **settings, **counted), torch_optimizer()
    scheduler = oracle(optimizer)
    for t in range(40):
        when = {"iteration": t, "epoch": 0} if every == "iteration" else {"iteration": 99, "epoch": t}
        assert learning_rate(choice, 0.4, **when, plateau=Plateau()) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("settings", [{"patience": 2}, {"patience": 0, "cooldown": 2}, {"patience": 1, "threshold": 0.2, "min_lr": 0.02}])
@pytest.mark.parametrize("seed", range(4))
def test_plateau_reduces_as_torchs(settings, seed):
    choice, optimizer, plateau = new_choice(SCHEDULES, "plateau", **settings), torch_optimizer(), Plateau()
    theirs = {name: value for name, value in choice.settings.items() if name != "factor"}
    scheduler = torch_schedules.ReduceLROnPlateau(optimizer, "min", choice["factor"], **theirs)
    random, loss = Random(seed), 3.0
    for _ in range(80):
        assert learning_rate(choice, 0.4, 0, 0, plateau) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        loss = max(0.1, loss + random.gauss(-0.02, 0.3))
        plateau = plateau.after(choice, loss)
        scheduler.step(loss)
    assert plateau.reductions > 0


def trainer_of(document) -> Trainer:
    return Trainer(document, load(document, HERE))


def scheduled(kind: str, optimizer: str = "adam", network: Network | None = None, data=None, **settings) -> Trainer:
    document = experiment(network, optimizer, data, precision="float64", batch_size=16)
    training = replace(document.training, schedule=new_choice(SCHEDULES, kind, **settings))
    return trainer_of(replace(document, training=training))


def with_factors(network: Network, **factors: float) -> Network:
    return Network(tuple(replace(layer, learning_rate_factor=factors.get(layer.id, 1.0)) for layer in network), network.links)


@pytest.mark.parametrize("kind", ["sgd", "adagrad", "rmsprop", "adam", "adamw"])
def test_update_rows_are_true_under_a_schedule_and_factors_of_layers(kind):
    trainer = scheduled("cosine", kind, with_factors(mlp(), h1=0.1, out=3.0), every="iteration", t_max=9)
    for iteration in range(6):
        trace = capture_next(trainer, "textbook").trace
        rate = trainer.learning_rate
        trainer.prepare()
        rates = {group["factor"]: group["lr"] for group in trainer.optimizer.param_groups}
        trainer.advance()
        for update in trace.updates:
            factor = {"h1": 0.1, "out": 3.0}.get(update.parameter.partition(".")[0], 1.0)
            named = [row for row in update.rows if row.symbol == "η" and ("schedule" in row.formula or "layer" in row.formula)]
            assert bool(named) == (iteration > 0 or factor != 1)
            assert rates[factor] == pytest.approx(rate * factor, rel=1e-12)
            assert all(row.value.item() == pytest.approx(rates[factor], rel=1e-12) for row in named)
            assert (update.rows[-1].value - trainer.parameters[update.parameter]).abs().max() <= 1e-12


@pytest.mark.parametrize(("kind", "settings", "oracle"), WAYS)
def test_every_schedule_moves_every_group_as_torch_does(kind, settings, oracle):
    document = experiment(with_factors(mlp(), h1=0.1, out=3.0), "sgd", precision="float64", settings={"learning_rate": 0.4})
    schedule = new_choice(SCHEDULES, kind, **settings)
    trainer = trainer_of(replace(document, training=replace(document.training, schedule=schedule)))
    theirs = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": 0.4 * group["factor"]} for group in trainer.optimizer.param_groups])
    scheduler = oracle(theirs)
    assert len(theirs.param_groups) == 3
    for epoch in range(40):
        trainer.position = Position(epoch=epoch)
        trainer.prepare()
        rates = [group["lr"] for group in trainer.optimizer.param_groups]
        assert rates == pytest.approx([group["lr"] for group in theirs.param_groups], rel=1e-12)
        theirs.step()
        scheduler.step()


FLOORED = {
    "cosine": lambda optimizer, chosen: torch_schedules.CosineAnnealingLR(optimizer, chosen["t_max"], chosen["eta_min"]),
    "plateau": lambda optimizer, chosen: torch_schedules.ReduceLROnPlateau(
        optimizer, "min", chosen["factor"], chosen["patience"], chosen["threshold"], "rel", chosen["cooldown"], chosen["min_lr"]
    ),
}
LOSSES = [3.0, 3.0, 2.9, 2.95, 2.95, 2.95, 1.0, 1.1, 1.1, 1.1, 1.1, 1.1]


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(sorted(FLOORED)),
    rate=st.floats(1e-3, 0.5),
    floor=st.floats(0, 0.2),
    factors=st.tuples(st.floats(0.01, 5), st.sampled_from([0.0, 0.1, 1.0])),
)
def test_a_floor_is_that_of_every_group_as_in_torch(kind, rate, floor, factors):
    network = with_factors(mlp(), h1=factors[0], out=factors[1])
    document = experiment(network, "sgd", precision="float64", settings={"learning_rate": rate})
    floors = {"cosine": {"t_max": 12, "eta_min": floor}, "plateau": {"patience": 0, "min_lr": floor}}[kind]
    chosen = new_choice(SCHEDULES, kind, **floors)
    trainer = trainer_of(replace(document, training=replace(document.training, schedule=chosen)))
    theirs = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": rate * group["factor"]} for group in trainer.optimizer.param_groups])
    scheduler = FLOORED[kind](theirs, chosen)
    for epoch, loss in enumerate(LOSSES):
        trainer.position = Position(epoch=epoch)
        trainer.prepare()
        rates = [group["lr"] for group in trainer.optimizer.param_groups]
        assert rates == pytest.approx([group["lr"] for group in theirs.param_groups], rel=1e-12, abs=1e-15)
        theirs.step()
        scheduler.step(*([loss] if kind == "plateau" else []))
        if kind == "plateau":
            trainer.plateau = trainer.plateau.after(chosen, loss)


def test_a_factor_is_a_learning_rate_of_its_own():
    trainer = trainer_of(experiment(with_factors(mlp(), h2=0.25), "sgd", precision="float64"))
    plain = trainer_of(experiment(mlp(), "sgd", precision="float64"))
    before = trainer.tensors()
    trainer.advance()
    plain.advance()
    for name, parameter in trainer.parameters.items():
        share = 0.25 if name.startswith("h2.") else 1.0
        torch.testing.assert_close(parameter - before[name], share * (plain.parameters[name] - before[name]), rtol=0, atol=1e-15)


def test_a_factor_of_zero_keeps_a_layer_where_it_is():
    trainer = trainer_of(experiment(with_factors(mlp(), h1=0.0), "adamw"))
    before = trainer.tensors()
    trainer.advance()
    assert torch.equal(trainer.parameters["h1.weight"], before["h1.weight"])
    assert not torch.equal(trainer.parameters["h2.weight"], before["h2.weight"])


def test_a_checkpoint_keeps_what_the_plateau_has_seen():
    network = chain(new_layer("input", "x", shape=[2]), new_layer("dense", "out", units=2))
    data = new_choice(DATASETS, "moons", samples=40, noise=1.0)
    trainer = scheduled("plateau", network=network, data=data, patience=0, threshold=0.5)
    kept, rates = None, []
    for iteration in range(24):
        if iteration == 10:
            kept = trainer.checkpoint()
        trainer.advance()
        rates.append(trainer.learning_rate)
    assert rates[-1] < rates[0] and math.isfinite(trainer.plateau.best)
    trainer.restore(kept)
    again = []
    for _ in range(14):
        trainer.advance()
        again.append(trainer.learning_rate)
    assert again == rates[10:]
