"""What survives an edit while a run goes on, and what is said of the rest."""

from __future__ import annotations

import pytest
import torch

from nnviz.document import edits
from nnviz.document.catalog import new_layer
from nnviz.engine.data.datasets import load
from nnviz.engine.run._state_transfer import transfer
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE, experiment
from tests.engine.kinds import SEQUENCE, around


def trained(document, iterations: int = 3) -> Trainer:
    trainer = Trainer(document, load(document, HERE))
    for _ in range(iterations):
        trainer.advance()
    return trainer


def state_of(trainer: Trainer, name: str) -> dict:
    return trainer.optimizer.state[trainer.parameters[name]]


def test_a_wider_layer_resets_itself_and_the_next_and_says_so():
    old = trained(experiment())
    carried = transfer(old, edits.change_layer(old.experiment, "h2", units=7), old.data)
    assert carried.reasons == (
        "h2 starts anew: its weight was [4, 4] and is [7, 4].",
        "out starts anew: its weight was [2, 4] and is [2, 7].",
    )
    assert carried.kept == ("h1.weight", "h1.bias", "out.bias")
    assert torch.equal(carried.trainer.parameters["h1.weight"], old.parameters["h1.weight"])
    assert torch.equal(state_of(carried.trainer, "h1.weight")["exp_avg"], state_of(old, "h1.weight")["exp_avg"])
    assert carried.trainer.parameters["h2.weight"] not in carried.trainer.optimizer.state
    assert carried.trainer.advance() is None and carried.trainer.position.iteration == 4


def test_a_layer_put_in_between_resets_nothing():
    old = trained(experiment())
    carried = transfer(old, edits.add_layer(old.experiment, "layer_norm", after="h1"), old.data)
    assert carried.reasons == () and set(carried.kept) == set(old.parameters)


@pytest.mark.parametrize(("change", "value"), [(edits.set_initializer, "he_normal"), (edits.set_gain, 3.0)])
def test_another_start_starts_the_layer_anew(change, value):
    old = trained(experiment())
    document = change(old.experiment, "h1", value)
    carried = transfer(old, document, old.data)
    assert carried.reasons == ("h1 starts anew: its initializer is another.",)
    assert carried.is_another_net, "the figures of the last iteration are not its own"
    fresh = Trainer(document, old.data)
    assert torch.equal(carried.trainer.parameters["h1.weight"], fresh.parameters["h1.weight"])
    assert torch.equal(carried.trainer.parameters["h2.weight"], old.parameters["h2.weight"])


def test_a_factor_of_a_layer_and_a_frozen_layer_reset_nothing():
    old = trained(experiment())
    for document in (edits.set_learning_rate_factor(old.experiment, "h1", 0.1), edits.freeze_layer(old.experiment, "h1")):
        carried = transfer(old, document, old.data)
        assert carried.reasons == () and not carried.is_another_net
        assert state_of(carried.trainer, "out.weight")["step"] == 3


def test_another_optimizer_says_that_it_starts_without_memory():
    old = trained(experiment())
    carried = transfer(old, edits.choose_optimizer(old.experiment, "rmsprop"), old.data)
    assert carried.reasons == ("RMSprop starts without what Adam remembered.",)


def test_an_lstm_turned_both_ways_keeps_its_forward_half():
    old = trained(around(SEQUENCE, new_layer("lstm", "k", return_sequences=True)))
    carried = transfer(old, edits.change_layer(old.experiment, "k", bidirectional=True), old.data)
    assert {"k.weight_ih_l0", "k.weight_hh_l0", "k.bias_l0"} <= set(carried.kept)
    assert carried.reset == ("out.weight",)
    assert torch.equal(carried.trainer.parameters["k.weight_hh_l0"], old.parameters["k.weight_hh_l0"])


@pytest.mark.parametrize(("change", "stays"), [({"l2": 0.1}, False), ({"l1": 0.1}, False), ({"clip_norm": 1.0}, True)])
def test_the_best_loss_so_far_counts_as_long_as_losses_can_be_compared(change, stays):
    old = trained(experiment(early_stopping=5), 30)
    assert old.early_stopping.waited or old.early_stopping.tensors
    assert (transfer(old, edits.change_training(old.experiment, **change), old.data).trainer.early_stopping is old.early_stopping) == stays
