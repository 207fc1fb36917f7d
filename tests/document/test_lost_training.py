"""What a change costs the training so far, as the document alone says it: the same as the engine says when it makes the change."""

from __future__ import annotations

import pytest

from nnviz.document import edits
from nnviz.document.lost_training import lost
from nnviz.engine.run._state_transfer import transfer
from tests.engine.experiments import experiment
from tests.engine.test_state_transfer import trained

START = experiment()
SGD = edits.choose_optimizer(START, "sgd")
CHANGES = {
    "another optimizer": edits.choose_optimizer(START, "rmsprop"),
    "a wider layer": edits.change_layer(START, "h2", units=7),
    "another start": edits.set_initializer(START, "h1", "he_normal"),
    "both": edits.change_layer(SGD, "h2", units=7),
    "a layer in between": edits.add_layer(START, "layer_norm", after="h1"),
    "a rate": edits.set_value(START, "training.optimizer.learning_rate", 0.5),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_document_says_what_the_engine_says(name):
    old = trained(START)
    assert lost([START, CHANGES[name]]) == transfer(old, CHANGES[name], old.data).reasons
    assert bool(lost([START, CHANGES[name]])) == (name not in ("a layer in between", "a rate"))


def test_an_optimizer_without_memory_loses_none():
    old = trained(SGD)
    assert lost([SGD, START]) == transfer(old, START, old.data).reasons == ()
    momentum = edits.set_value(SGD, "training.optimizer.momentum", 0.9)
    old = trained(momentum)
    assert lost([momentum, START]) == transfer(old, START, old.data).reasons == ("Adam starts without what SGD remembered.",)


def test_of_changes_without_training_between_each_is_said_once_and_memory_is_lost_to_the_first():
    other = edits.set_value(START, "training.optimizer.learning_rate", 0.5)
    assert lost([START, SGD, CHANGES["another optimizer"]]) == ("SGD starts without what Adam remembered.",)
    assert lost([START, SGD, other]) == ("SGD starts without what Adam remembered.",)
    assert lost([START, CHANGES["a wider layer"], START])[0] == "h2 starts anew: its weight was [4, 4] and is [7, 4]."
