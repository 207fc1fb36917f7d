from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.document.catalog import DATASETS, OPTIMIZERS, new_choice, new_layer
from nnviz.document.network import Network
from nnviz.engine import seeds
from nnviz.engine.data.datasets import load
from nnviz.engine.errors import BuildError
from nnviz.engine.run.position import Position, iterations_per_epoch, next_rows
from nnviz.engine.run.trainer import Trainer, digest
from tests.engine.experiments import HERE, chain, experiment, mlp, table


def trainer_of(document) -> Trainer:
    return Trainer(document, load(document, HERE))


def trained(document, iterations: int) -> Trainer:
    trainer = trainer_of(document)
    for _ in range(iterations):
        trainer.advance()
    return trainer


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    ("kind", "oracle"),
    [
        ("sgd", torch.optim.SGD),
        ("adagrad", torch.optim.Adagrad),
        ("rmsprop", torch.optim.RMSprop),
        ("adam", torch.optim.Adam),
        ("adamw", torch.optim.AdamW),
    ],
)
def test_training_equals_a_plain_torch_loop_bit_for_bit(kind, oracle, precision):
    document = experiment(optimizer=kind, precision=precision, batch_size=16, clip_norm=0.5, clip_value=0.2, l1=1e-3, l2=1e-2)
    ours, start = trainer_of(document), trainer_of(document)
    twin = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Dropout(0.2), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)).to(
        ours.training_rows.x.dtype
    )
    twin.load_state_dict(dict(zip(twin.state_dict(), start.net.state_dict().values(), strict=True)))
    optimizer = oracle(twin.parameters(), lr=0.01)
    weights = [parameter for name, parameter in twin.named_parameters() if name.endswith("weight")]
    x, y = ours.training_rows.x, ours.training_rows.y
    order, taken, epoch = None, 42, -1
    for iteration in range(25):
        if taken >= 42:
            epoch, taken = epoch + 1, 0
            order = torch.randperm(42, generator=seeds.stream(7, "epoch", epoch))
        rows = order[taken : taken + 16]
        taken += 16
        seeds.start_iteration(7, iteration)
        optimizer.zero_grad()
        loss = F.cross_entropy(twin(x[rows]), y[rows])
        loss = loss + torch.stack([term for w in weights for term in (1e-3 * w.abs().sum(), 1e-2 / 2 * w.pow(2).sum())]).sum()
        loss.backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
        nn.utils.clip_grad_value_(twin.parameters(), 0.2)
        optimizer.step()
        assert ours.rows().tolist() == rows.tolist()
        ours.advance()
        assert ours.point.loss == loss.item()
    assert all(torch.equal(one, other) for one, other in zip(ours.parameters.values(), twin.parameters(), strict=True))


@pytest.mark.parametrize("loss", ["mse", "mae", "rmse", "huber", "bce", "cross_entropy"])
def test_losses_are_torchs(loss):
    oracle = {
        "mse": nn.MSELoss(),
        "mae": nn.L1Loss(),
        "rmse": lambda output, target: (output - target).pow(2).mean().sqrt(),
        "huber": nn.HuberLoss(),
        "bce": nn.BCEWithLogitsLoss(),
        "cross_entropy": nn.CrossEntropyLoss(),
    }[loss]
    units = 1 if loss == "bce" else 2
    document = experiment(chain(new_layer("input", "x", shape=[2]), new_layer("dense", "out", units=units)), loss=loss)
    trainer = trainer_of(document)
    rows = trainer.rows()
    output = trainer.net(trainer.training_rows.x[rows])
    y = trainer.training_rows.y[rows]
    target = y if loss == "cross_entropy" else y[:, None].float() if loss == "bce" else F.one_hot(y, 2).float()
    assert trainer.differentiate(rows) == oracle(output, target).item()


def test_l2_is_weight_decay_without_biases_and_l1_its_sign():
    network = chain(new_layer("input", "x", shape=[2]), new_layer("dense", "out", units=2))
    plain, l2, l1 = (trained(experiment(network, "sgd", precision="float64", **way), 1) for way in ({}, {"l2": 0.5}, {"l1": 0.5}))
    start = trainer_of(experiment(network, precision="float64")).parameters["out.weight"]
    torch.testing.assert_close(plain.parameters["out.weight"] - l2.parameters["out.weight"], 0.01 * 0.5 * start)
    torch.testing.assert_close(plain.parameters["out.weight"] - l1.parameters["out.weight"], 0.01 * 0.5 * start.sign())
    assert torch.equal(plain.parameters["out.bias"], l2.parameters["out.bias"])


def test_the_same_seed_gives_the_same_digest_and_another_does_not():
    assert digest(trained(experiment(), 20).net) == digest(trained(experiment(), 20).net) != digest(trained(experiment(seed=8), 20).net)


def test_masks_and_batches_depend_on_seed_and_iteration_only():
    one = trained(experiment(), 3)
    other = trainer_of(experiment(optimizer="sgd"))
    other.position = one.position
    torch.rand(100)
    masks = []
    for trainer in (one, other):
        trainer.differentiate(trainer.rows())
        masks.append(trainer.activations["d1"] == 0)
        assert trainer.rows().tolist() == one.rows().tolist()
    x = torch.ones(20, 4)
    seeds.start_iteration(7, 3)
    mask = F.dropout(x, 0.2)
    seeds.start_iteration(7, 3)
    assert torch.equal(mask, F.dropout(x, 0.2))


def test_dropouts_master_switch():
    document = experiment(dropout=False)
    trainer = trainer_of(document)
    trainer.differentiate(trainer.rows())
    assert torch.equal(trainer.activations["d1"], trainer.activations["h1"])


def test_frozen_layers_stay():
    network = mlp()
    frozen = Network(tuple(type(each)(each.id, each.kind, each.settings, frozen=each.id == "h1") for each in network), network.links)
    start, end = trainer_of(experiment(frozen)), trained(experiment(frozen), 5)
    assert torch.equal(start.parameters["h1.weight"], end.parameters["h1.weight"])
    assert not torch.equal(start.parameters["h2.weight"], end.parameters["h2.weight"])


# --- epochs and rows ---


@pytest.mark.parametrize(
    ("count", "batch", "per_epoch"), [(350, 32, 11), (350, None, 1), (350, 1000, 1), (350, 1, 350), (7, 7, 1), (7, 6, 2)]
)
def test_an_epoch_takes_every_row_once(count, batch, per_epoch):
    position, rows = Position(), []
    assert iterations_per_epoch(count, batch) == per_epoch
    while position.epoch == 0:
        taken = next_rows(3, position, count, batch)
        rows += taken.tolist()
        position = position.after(len(taken), count)
    assert sorted(rows) == list(range(count)) and position == Position(per_epoch, 1, 0)


def test_a_batch_size_changed_on_the_way_still_takes_every_row_once():
    position, rows, sizes = Position(), [], iter([32, 5, 100, None, 7, 1000])
    while position.epoch == 0:
        taken = next_rows(3, position, 200, next(sizes))
        rows += taken.tolist()
        position = position.after(len(taken), 200)
    assert sorted(rows) == list(range(200))


def test_epochs_are_shuffled_differently():
    assert next_rows(1, Position(11, 1), 50, 8).tolist() != next_rows(1, Position(0, 0), 50, 8).tolist()


# --- validation, early stopping ---


def test_figures():
    trainer = trained(experiment(batch_size=16), 3)
    assert trainer.point.iteration == 3 and trainer.position.epoch == 1
    loss, accuracy = trainer.evaluate(trainer.validation_rows)
    assert (trainer.point.validation_loss, trainer.point.metric) == (loss, accuracy)
    output = trainer.answer(trainer.validation_rows.x)
    assert accuracy == pytest.approx((output.argmax(1) == trainer.validation_rows.y).double().mean().item())
    assert trained(experiment(batch_size=16), 2).point.validation_loss is None
    network = chain(new_layer("input", "x", shape=[1]), new_layer("dense", "out", units=1))
    sine = trainer_of(experiment(network, data=new_choice(DATASETS, "sine", samples=40), loss="mse"))
    loss, rmse = sine.evaluate(sine.validation_rows)
    assert rmse == pytest.approx(math.sqrt(loss), rel=1e-6)


def test_early_stopping_restores_the_best_weights():
    document = experiment(
        settings={"learning_rate": 0.3}, data=new_choice(DATASETS, "moons", samples=40, noise=1.0), early_stopping=4, dropout=False
    )
    trainer, best, best_digest, stop = trainer_of(document), math.inf, "", None
    for _ in range(2000):
        before = trainer.position.epoch
        if stop := trainer.advance():
            break
        if trainer.position.epoch > before and trainer.point.validation_loss < best:
            best, best_digest, at = trainer.point.validation_loss, digest(trainer.net), trainer.position.iteration
    assert stop.reason == "early_stopping" and f"iteration {at} are back" in stop.message
    assert digest(trainer.net) == best_digest and trainer.evaluate(trainer.validation_rows)[0] == best
    assert trainer.position.iteration == at + 4
    point, shown = trainer.point, trainer.evaluate(trainer.training_rows)
    assert point.iteration == at + 4 and point.validation_loss == best, "all figures but the batch's are of the weights that are back"
    assert (point.training_loss, point.training_metric) == shown


def test_early_stopping_needs_validation_rows():
    with pytest.raises(BuildError) as caught:
        trainer_of(experiment(data=new_choice(DATASETS, "moons", validation=0.0), early_stopping=3))
    assert caught.value.place == "training.early_stopping"


def test_batch_norm_refuses_a_lonely_row():
    network = chain(new_layer("input", "x", shape=[2]), new_layer("batch_norm", "bn"), new_layer("dense", "out", units=2))
    with pytest.raises(BuildError, match="the last has one"):
        trainer_of(experiment(network, batch_size=41))  # 42 rows to train on
    assert trained(experiment(network, batch_size=21), 4).position.epoch == 2


# --- what is not finite ---


def bad(document, iterations: int = 1):
    trainer = trainer_of(document)
    for _ in range(iterations):
        stop = trainer.advance()
        if stop:
            return trainer, stop
    raise AssertionError("it went on")


def test_a_layer_that_overflows_is_named_and_nothing_moves():
    document = experiment(
        weights={
            "h2.bias": [0.0, 0.0, 0.0, 0.0],
            "out.weight": [[3e38, 3e38, 3e38, 3e38]] * 2,
            "h2.weight": [[9.0] * 4] * 4,
            "h1.bias": [9.0] * 4,
        }
    )
    trainer, stop = bad(document)
    assert stop.reason == "non_finite" and "The output of out" in stop.message and "Iteration 1" in stop.message
    assert trainer.position == Position() and digest(trainer.net) == digest(trainer_of(document).net)


def test_buffers_stand_where_they_stood():
    layers = (new_layer("input", "x", shape=[2]), new_layer("batch_norm", "bn"), new_layer("dense", "out", units=2))
    trainer, _ = bad(experiment(chain(*layers), weights={"out.weight": [[3e38, 3e38]] * 2, "out.bias": [3e38, 3e38]}))
    assert trainer.buffers["bn.num_batches_tracked"] == 0 and trainer.buffers["bn.running_mean"].tolist() == [0.0, 0.0]


def test_data_that_is_not_finite_is_named():
    document = experiment()
    data = load(document, HERE)
    data.x[np.flatnonzero(data.training)[5], 1] = np.nan
    trainer, stops = Trainer(document, data), []
    for _ in range(4):
        stops.append(trainer.advance())
    assert any(stop and "The data is not finite: 1 of" in stop.message for stop in stops)


def test_a_gradient_that_overflows_is_named():
    network = chain(new_layer("input", "x", shape=[1]), new_layer("dense", "a", units=1), new_layer("dense", "out", units=1))
    weights = {"a.weight": [[1e-30]], "a.bias": [0.0], "out.weight": [[1e25]], "out.bias": [0.0]}
    document = experiment(network, data=table([[1e19], [-1e19]], [[0.0], [0.0]]), loss="mae", weights=weights)
    _, stop = bad(document)
    assert "the gradient of a.weight is not" in stop.message and "The loss is finite" in stop.message


def test_large_finite_gradients_go_on():
    """Their squares add up to more than float32 holds."""
    network = chain(new_layer("input", "x", shape=[4]), new_layer("dense", "out", units=1))
    document = experiment(network, "sgd", data=table([[1.5e19] * 4] * 2, [[0.0], [0.0]]), loss="mae", settings={"learning_rate": 0.0})
    assert trainer_of(document).advance() is None


def test_a_learning_rate_that_explodes_stops_with_a_name():
    _, stop = bad(experiment(optimizer="sgd", settings={"learning_rate": 1e4}, loss="mse", network=mlp(activation="identity")), 500)
    assert stop.reason == "non_finite" and "is the first" in stop.message


def test_every_optimizer_of_the_catalog_trains():
    for kind in OPTIMIZERS:
        assert trained(experiment(optimizer=kind, settings={}), 3).position.iteration == 3
