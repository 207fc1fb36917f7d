"""The runs of a comparison: one thing changed in each, with a name."""

from __future__ import annotations

import pytest

from nnviz.document.problems import Refused
from nnviz.document.store.examples import open_document
from nnviz.document.variations import SUBJECTS, subject, usual_values, values_of, variations

MOONS = open_document("example:moons")


def named(key: str, *values: str, path: str = "") -> dict:
    return {one.name: one.experiment for one in variations(MOONS, key, values, path)}


def test_optimizers_keep_the_learning_rate():
    found = named("optimizer", "sgd", "adam")
    assert [one.training.optimizer.kind for one in found.values()] == ["sgd", "adam"] and list(found) == ["SGD", "Adam"]
    assert {one.training.optimizer["learning_rate"] for one in found.values()} == {MOONS.training.optimizer["learning_rate"]}


def test_everything_that_can_be_changed():
    rates = named("rate", "0.1", "1e-3")
    assert {name: one.training.optimizer["learning_rate"] for name, one in rates.items()} == {"lr 0.1": 0.1, "lr 1e-3": 0.001}
    assert {name: one.training.dropout for name, one in named("dropout", "true", "false").items()} == {"dropout": True, "no dropout": False}
    assert {name: one.training.batch_size for name, one in named("batch", "8", "all").items()} == {"batch 8": 8, "all rows": None}
    assert {name: one.seed for name, one in named("seed", "3", "4").items()} == {"seed 3": 3, "seed 4": 4}
    started = named("initializer", "zeros", "he_normal")
    assert [{layer.initializer for layer in one.network if layer.kind == "dense"} for one in started.values()] == [{"zeros"}, {"he_normal"}]
    assert list(started) == ["Zeros", "He normal"]
    units = named("path", "2", "16", path="network.layers.h1.units")
    assert {name: one.network.layer("h1")["units"] for name, one in units.items()} == {"units 2": 2, "units 16": 16}


@pytest.mark.parametrize(
    ("key", "values", "path", "sentence"),
    [
        ("rate", ("0.1", "fast"), "", "learning rate"),
        ("rate", (), "", "No values"),
        ("seed", tuple("123456789"), "", "9 runs are more"),
        ("path", ("1",), "", "No setting is named"),
        ("path", ("1",), "training.l3", "training.l3"),
    ],
)
def test_what_cannot_be_is_said(key, values, path, sentence):
    with pytest.raises(Refused, match=sentence):
        variations(MOONS, key, values, path)


def test_values_that_are_typed():
    assert values_of("0.1, 1,,0.1 ") == ("0.1", "1") and values_of("8,8; 4,4") == ("8,8", "4,4") and values_of(" ") == ()


@pytest.mark.parametrize("key", [one.key for one in SUBJECTS if one.key != "path"])
def test_the_usual_values_can_be_trained(key):
    assert len(variations(MOONS, key, usual_values(key, MOONS))) > 1 and subject(key).label
