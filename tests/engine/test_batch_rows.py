"""Every row of a batch by itself: torch, run on that row alone, is the oracle; the run is left as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.engine.data.datasets import load
from nnviz.engine.observe import batch_rows
from nnviz.engine.observe.batch_rows import inspected_batch
from nnviz.engine.run.trainer import Trainer, digest
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, chain, experiment, mlp

ORACLES = {
    "cross_entropy": lambda output, y: F.cross_entropy(output, y),
    "bce": lambda output, y: F.binary_cross_entropy_with_logits(output, y.double().unsqueeze(1)),
    "mse": lambda output, y: ((output - y) ** 2).mean(),
    "mae": lambda output, y: (output - y).abs().mean(),
    "huber": lambda output, y: F.huber_loss(output, y),
}


def plain(loss: str, **more):
    """A net without layers that mix rows or draw chance."""
    kind, units = ("moons", 2 if loss == "cross_entropy" else 1) if loss in ("cross_entropy", "bce") else ("sine", 1)
    features = 2 if kind == "moons" else 1
    hidden = new_layer("dense", "h", units=5, activation="tanh")
    net = chain(new_layer("input", "x", shape=[features]), hidden, new_layer("dense", "out", units=units))
    return experiment(net, data=new_choice(DATASETS, kind, samples=40), precision="float64", loss=loss, batch_size=8, **more)


def trainer_of(document) -> Trainer:
    trainer = Trainer(document, load(document, HERE))
    for _ in range(3):
        trainer.advance()
    return trainer


@pytest.mark.parametrize("loss", ORACLES)
def test_loss_and_gradient_norm_are_those_of_the_row_alone(loss):
    trainer = trainer_of(plain(loss))
    reply = inspected_batch(trainer)
    assert reply.rows == tuple(trainer.rows().tolist()) and reply.iteration == 3
    for place, row in enumerate(reply.rows):
        x, y = trainer.training_rows.x[row : row + 1], trainer.training_rows.y[row : row + 1]
        alone = ORACLES[loss](trainer.net(x), y)
        gradients = torch.autograd.grad(alone, list(trainer.net.parameters()))
        norm = torch.cat([gradient.ravel() for gradient in gradients]).norm()
        assert to_numpy(reply.losses)[place] == pytest.approx(alone.item(), rel=1e-12)
        assert to_numpy(reply.gradient_norms)[place] == pytest.approx(norm.item(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("document", [experiment(mlp(), precision="float64"), plain("mse", l2=0.1)], ids=["dropout", "penalty"])
def test_the_mean_of_the_losses_is_the_loss_of_the_batch(document):
    trainer = trainer_of(document)
    reply = inspected_batch(trainer)
    batch = trainer.differentiate(trainer.rows()) - (trainer.penalty(trainer.net).item() if trainer.penalty else 0.0)
    assert to_numpy(reply.losses).mean() == pytest.approx(batch, rel=1e-12)


def test_answers_are_probabilities_of_the_batch():
    trainer = trainer_of(plain("cross_entropy"))
    outputs = to_numpy(inspected_batch(trainer).outputs)
    assert outputs.shape == (4, 2) and np.allclose(outputs.sum(1), 1, atol=1e-6)


def test_the_run_goes_on_as_if_nobody_had_looked():
    net = chain(
        new_layer("input", "x", shape=[2]),
        new_layer("dense", "h", units=4),
        new_layer("batch_norm", "b"),
        new_layer("dropout", "d", p=0.5),
        new_layer("dense", "out", units=2),
    )
    one, other = (trainer_of(experiment(net)) for _ in range(2))
    inspected_batch(one)
    for trainer in (one, other):
        trainer.advance()
    assert digest(one.net) == digest(other.net)
    assert all(torch.equal(one.buffers[name], other.buffers[name]) for name in one.buffers)


def test_large_batches_are_cut(monkeypatch):
    trainer = trainer_of(experiment(plain("mse").network, data=new_choice(DATASETS, "sine", samples=60), loss="mse", batch_size=None))
    monkeypatch.setattr(batch_rows, "MOST_ROWS", 20)
    monkeypatch.setattr(batch_rows, "WORK", 5 * 42 * sum(p.numel() for p in trainer.net.parameters()))
    reply = inspected_batch(trainer)
    assert (len(reply.rows), reply.losses.shape, reply.gradient_norms.shape) == (42, (20,), (5,))
