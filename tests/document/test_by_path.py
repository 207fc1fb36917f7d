"""Values named by text, as on the command line."""

from __future__ import annotations

import pytest

from nnviz.document.edits import choose_data, set_value
from nnviz.document.problems import Refused
from nnviz.document.shapes.report import examine
from tests.document.documents import experiment


@pytest.mark.parametrize(
    ("path", "text", "found", "value"),
    [
        ("seed", "3", lambda e: e.seed, 3),
        ("title", "Two words", lambda e: e.title, "Two words"),
        ("precision", "float64", lambda e: e.precision, "float64"),
        ("training.optimizer.learning_rate", "0.1", lambda e: e.training.optimizer["learning_rate"], 0.1),
        ("training.optimizer.learning_rate", "1e-3", lambda e: e.training.optimizer["learning_rate"], 0.001),
        ("training.optimizer.learning_rate", 1, lambda e: e.training.optimizer["learning_rate"], 1.0),
        ("training.optimizer.amsgrad", "on", lambda e: e.training.optimizer["amsgrad"], True),
        ("training.optimizer.kind", "sgd", lambda e: e.training.optimizer.kind, "sgd"),
        ("training.optimizer", "sgd", lambda e: e.training.optimizer.kind, "sgd"),
        ("training.schedule.kind", "constant", lambda e: e.training.schedule.kind, "constant"),
        ("training.dropout", "false", lambda e: e.training.dropout, False),
        ("training.dropout", False, lambda e: e.training.dropout, False),
        ("training.batch_size", "none", lambda e: e.training.batch_size, None),
        ("training.clip_norm", "null", lambda e: e.training.clip_norm, None),
        ("training.clip_norm", ".5", lambda e: e.training.clip_norm, 0.5),
        ("training.loss", "mse", lambda e: e.training.loss, "mse"),
        ("data.noise", "0.3", lambda e: e.data["noise"], 0.3),
        ("data.kind", "circles", lambda e: e.data.kind, "circles"),
        ("network.layers.h1.units", "8", lambda e: e.network.layer("h1")["units"], 8),
        ("network.layers[1].units", "8", lambda e: e.network.layer("h1")["units"], 8),
        ("network.layers.h1.activation", "relu", lambda e: e.network.layer("h1")["activation"], "relu"),
        ("network.layers.h1.bias", "no", lambda e: e.network.layer("h1")["bias"], False),
        ("network.layers.h1.name", "first", lambda e: e.network.layer("h1").name, "first"),
        ("network.layers.h1.frozen", "true", lambda e: e.network.layer("h1").frozen, True),
        ("network.layers.h1.initializer", "zeros", lambda e: e.network.layer("h1").initializer, "zeros"),
        ("network.layers.x.shape", "8,8", lambda e: e.network.layer("x")["shape"], [8, 8]),
        ("network.layers.x.shape", "[3]", lambda e: e.network.layer("x")["shape"], [3]),
        ("weights.h2.bias", "[1, 2.5]", lambda e: e.weights, {"h2.bias": [1.0, 2.5]}),
    ],
)
def test_a_value_is_set(path, text, found, value):
    assert found(set_value(experiment(), path, text)) == value


def test_choosing_data_keeps_the_network_working():
    assert examine(set_value(experiment(), "data.kind", "iris")).ok


@pytest.mark.parametrize(
    ("path", "value", "name", "message"),
    [
        (
            "training.optimizer.learning_rate",
            1e6,
            "Learning rate",
            "Learning rate: 1000000.0 is not allowed. Give a number from 0 to 10,000.",
        ),
        ("training.batch_size", 0, "Batch", "Batch: 0 is not allowed. Give a whole number from 1 to 100,000, or none."),
        ("data.noise", "a: b", "Noise", 'Noise: "a: b" is not allowed. Give a number from 0 to 10.'),
    ],
)
def test_a_person_who_sees_no_paths_is_told_the_name(path, value, name, message):
    with pytest.raises(Refused) as refused:
        set_value(experiment(), path, value, name)
    assert str(refused.value) == message


def test_table_and_path_values():
    present = choose_data(experiment(), "table")
    assert set_value(present, "data.x", "[[1, 2]]").data["x"] == [[1.0, 2.0]]
    assert set_value(choose_data(experiment(), "csv"), "data.path", "a b.csv").data["path"] == "a b.csv"


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("sead", "3", "sead: Nothing has this path. Did you mean seed"),
        ("", "3", "There is: title, description, seed"),
        ("seed", "three", 'seed: seed: "three" is not allowed|seed: "three" is not allowed'),
        ("seed", "3.5", "whole number"),
        ("seed", "9" * 5000, "whole number"),
        ("training.optimizer.learning_rat", "0.1", "Did you mean learning_rate"),
        ("training.optimizer.learning_rate", "nan", "a number from 0 to 10,000"),
        ("training.optimizer.momentum", "0.9", "learning_rate, beta1"),
        ("training.optimizer.kind", "adamm", "Did you mean adam"),
        ("training.optimizer.kind.deep", "adam", "There is: learning_rate"),
        ("training.epochs", "3", "There is: loss, target, batch_size"),
        ("training.dropout", "maybe", "true or false"),
        ("data.kind", "moon", "Did you mean moons"),
        ("data.noise", "-1", "data.noise: .*from 0 to 10"),
        ("network.layers.h7.units", "3", "There is: x, h1, h2|Did you mean h"),
        ("network.layers[9].units", "3", "There are 3 layers"),
        ("network.layers.h1.p", "0.5", "units, activation"),
        ("network.layers.h1", "3", "Nothing has this path"),
        ("network.layers.x.frozen", "true", "no parameters to freeze"),
        ("network.layers.x.shape", "a,b", "whole numbers"),
        ("weights.h1.bias", "[1]", "shape"),
        ("weights.h1.bias", "no list", "shape"),
        ("weights.h1.gain", "[1]", "No parameter"),
        ("network.links", "[]", "Nothing has this path"),
    ],
)
def test_errors_name_the_path_and_what_there_is(path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        set_value(experiment(), path, text)
    assert str(caught.value).startswith(f"{path}: ")
