"""The scatter of gradients: against gradients of single rows by plain torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnviz.document.catalog import new_layer
from nnviz.engine.errors import BuildError
from nnviz.engine.observe import gradient_noise as module
from nnviz.engine.observe.gradient_noise import gradient_noise
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.tasks import Task
from nnviz.records.task_records import GradientNoise, NoiseTask
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, chain, experiment, mlp, table

PLAIN = experiment(mlp(p=0.0), batch_size=16, precision="float64")


def trained(document=PLAIN, iterations: int = 10) -> Trainer:
    timeline = Timeline(document, HERE)
    timeline.go_to(iterations)
    return timeline.trainer


def finished(trainer: Trainer, task: NoiseTask | None = None) -> GradientNoise:
    work = Task(gradient_noise(task or NoiseTask(), trainer))
    while not work.is_over:
        work.advance()
    return work.found


def of_rows(trainer: Trainer) -> torch.Tensor:
    """(rows, P) The gradient of every training row."""
    found = []
    for row in range(trainer.training_rows.count):
        trainer.differentiate(torch.tensor([row]))
        found.append(torch.cat([one.grad.ravel() for one in trainer.parameters.values()]))
    return torch.stack(found)


def test_it_is_the_variance_of_the_rows_over_the_square_of_their_mean():
    trainer = trained()
    noise, gradients = finished(trainer), of_rows(trainer)
    assert noise.trace == pytest.approx(gradients.var(0).sum().item(), rel=1e-10)
    assert noise.square == pytest.approx(gradients.mean(0).square().sum().item(), rel=1e-10)
    assert noise.scale == pytest.approx(noise.trace / noise.square) and noise.batch_size == 16


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_it_falls_as_one_over_the_batch(p):
    noise = finished(trained(experiment(mlp(p=p), batch_size=16)), NoiseTask(batches=200))
    sizes, variances = to_numpy(noise.sizes), to_numpy(noise.variances)
    assert sizes.tolist() == [1, 2, 4, 8, 16, 32]
    assert np.polyfit(np.log(sizes), np.log(variances), 1)[0] == pytest.approx(-1, abs=0.12)
    assert variances * sizes == pytest.approx(np.full(6, noise.trace), rel=0.4)


def test_of_a_part_of_the_rows_the_square_is_corrected(monkeypatch):
    """Without the correction the mean of few rows is too long: E‖ḡ‖² = ‖g‖² + tr Σ/B·(1 − B/N)."""
    trainer = trained()
    whole = of_rows(trainer).mean(0).square().sum().item()
    monkeypatch.setattr(module, "MOST_ROWS", 6)
    found = []
    for iteration in range(300):  # which also decides on the rows
        trainer.set_progress(trainer.position._replace(iteration=iteration), trainer.early_stopping, trainer.plateau)
        found.append(finished(trainer, NoiseTask(batches=2)))
    squares, added = np.array([one.square for one in found]), np.mean([one.trace for one in found]) / 6 * (1 - 6 / 42)
    error = squares.std() / 300**0.5
    assert abs(squares.mean() - whole) < 3.5 * error < added


def test_with_batch_normalisation_it_is_that_of_batches():
    network = chain(new_layer("input", "x", shape=[2]), new_layer("batch_norm", "bn"), new_layer("dense", "out", units=2))
    noise = finished(trained(experiment(network, batch_size=14)))
    assert noise.trace > 0 and to_numpy(noise.sizes)[0] == 2


def test_one_batch_has_no_variance():
    with pytest.raises(BuildError, match="two of every size"):
        gradient_noise(NoiseTask(batches=1), trained())


def test_one_row_has_no_variance():
    network = chain(new_layer("input", "x", shape=[1]), new_layer("dense", "out", units=1))
    data = table([[1.0]], [[2.0]], validation=0.0, scaling="none")
    with pytest.raises(BuildError, match="single training row"):
        gradient_noise(NoiseTask(), trained(experiment(network, "sgd", data=data, loss="mse"), 1))
