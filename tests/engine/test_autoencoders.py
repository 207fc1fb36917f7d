"""Networks that reproduce their input: autoencoders, and variational ones whose divergence is part of the loss."""

from __future__ import annotations

import pytest
import torch

from nnviz.document import edits
from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.document.checks import training_checks
from nnviz.document.shapes.report import examine
from nnviz.document.store import files
from nnviz.engine.data.datasets import data_key, load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE, chain, experiment


def autoencoder(latent: str = "dense", **changes):
    """Iris through two numbers and back."""
    layers = (
        new_layer("input", "x", shape=[4]),
        new_layer("dense", "encode", units=5, activation="tanh"),
        new_layer(latent, "code", units=2),
        new_layer("dense", "decode", units=5, activation="tanh"),
        new_layer("dense", "out", units=3),
    )
    document = experiment(chain(*layers), data=new_choice(DATASETS, "iris"), precision="float64")
    return edits.change_training(document, target="input", **changes)


def trainer_of(document) -> Trainer:
    return Trainer(document, load(document, HERE))


def test_the_edit_fits_loss_and_output_and_back():
    document = autoencoder()
    assert document.training.loss == "mse" and document.network.layer("out")["units"] == 4 and examine(document).ok
    assert files.loads(files.dumps(document)) == document
    back = edits.change_training(document, target="labels")
    assert back.training.loss == "cross_entropy" and back.network.layer("out")["units"] == 3 and examine(back).ok


def test_the_target_of_every_row_is_the_row():
    trainer = trainer_of(autoencoder())
    assert torch.equal(trainer.training_rows.targets, trainer.training_rows.x)
    loss, rmse = trainer.evaluate(trainer.validation_rows)
    assert rmse == pytest.approx(loss**0.5)
    for _ in range(200):
        trainer.advance()
    assert trainer.evaluate(trainer.training_rows)[0] < 0.5 * loss


def test_another_target_is_another_run():
    document = autoencoder()
    labels = edits.change_training(document, target="labels")
    assert data_key(document, HERE) != data_key(labels, HERE)
    assert not Timeline(document, HERE).can_go_on_with(labels)


def test_binary_cross_entropy_wants_numbers_from_0_to_1():
    document = edits.change_training(autoencoder(), loss="bce")
    (problem,) = examine(document).problems
    assert problem.place == "data.scaling"
    mended = edits.apply_fix(document, problem.fix)
    assert examine(mended).ok and trainer_of(mended).advance() is None


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_the_divergence_of_a_latent_is_part_of_the_loss_and_of_the_trace(detail):
    trainer = trainer_of(autoencoder("gaussian_latent", l1=1e-3, l2=1e-2))
    trace = capture_next(trainer, detail).trace
    rows = trainer.rows()
    loss = trainer.differentiate(rows)
    net, weights = trainer.net, [parameter for parameter in trainer.parameters.values() if parameter.dim() > 1]
    error = torch.nn.functional.mse_loss(net.outputs["out"], trainer.training_rows.targets[rows])
    penalty = sum(1e-3 * weight.abs().sum() + 1e-2 / 2 * weight.square().sum() for weight in weights)
    divergence = net.get_submodule("code").divergence()
    assert divergence > 0 and loss == pytest.approx((error + divergence + penalty).item(), abs=1e-12)
    assert trace.loss == pytest.approx(loss, abs=1e-12) and trace.worst_error <= 1e-12
    penalties = [node.operation for node in trace.nodes if node.group[-1:] == ("penalty",)]
    assert {"abs", "exp", "pow", "sum", "stack"} <= set(penalties)


@pytest.mark.parametrize("chunk", [7, 4096])
@pytest.mark.parametrize("loss", ["mse", "rmse", "huber"])
def test_validation_is_the_sum_that_is_trained_on(loss, chunk, monkeypatch):
    monkeypatch.setattr(training_checks, "MOST_EVALUATED_ROWS", chunk)
    trainer = trainer_of(autoencoder("gaussian_latent", l1=1e-3, l2=1e-2, loss=loss))
    for _ in range(30):
        trainer.advance()
    weights = [parameter for parameter in trainer.parameters.values() if parameter.dim() > 1]
    penalty = sum(1e-3 * weight.abs().sum() + 1e-2 / 2 * weight.square().sum() for weight in weights)
    point = trainer.start_point()
    for rows, found in ((trainer.training_rows, point.loss), (trainer.validation_rows, point.validation_loss)):
        with torch.no_grad():
            output = trainer.net(rows.x)
            mean, log_variance = trainer.net.get_submodule("code").moments
            normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
            divergence = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
            error = trainer.loss(output, rows.targets)
        assert found == pytest.approx((error + divergence + penalty).item(), rel=1e-12)
