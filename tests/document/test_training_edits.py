"""Training, optimizer, data, seed, precision, title: what each edit makes, and what it refuses."""

from __future__ import annotations

import pytest

from nnviz.document import catalog, edits
from nnviz.document.network import Link, Network
from nnviz.document.shapes.report import examine
from nnviz.document.shapes.rows import RowSize
from tests.document.documents import chain, dense_net, experiment

new = catalog.new_layer


def test_training_fields_change():
    present = edits.change_training(experiment(), batch_size=None, l2=1, clip_norm=0.5, dropout=False, loss="mse")
    training = present.training
    assert (training.batch_size, training.l2, training.clip_norm, training.dropout, training.loss) == (None, 1.0, 0.5, False, "mse")
    assert isinstance(training.l2, float) and present.network == experiment().network


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"batch_size": 0}, "batch_size: 0 is not allowed. Give a whole number from 1 to 100,000, or none"),
        ({"l1": None}, "l1: null"),
        ({"l1": -1.0}, "from 0 to 1,000"),
        ({"clip_norm": 0.0}, "clip_norm"),
        ({"loss": "mze"}, "one of: mse"),
        ({"optimizer": "sgd"}, 'no field "optimizer"'),
        ({"dropout": "yes"}, "true or false"),
    ],
)
def test_change_training_refuses(fields, message):
    with pytest.raises(ValueError, match=message):
        edits.change_training(experiment(), **fields)


def test_the_learning_rate_and_what_was_set_stay_with_another_optimizer():
    present = edits.change_optimizer(edits.choose_optimizer(experiment(), "sgd"), momentum=0.9, learning_rate=0.25)
    after = edits.choose_optimizer(present, "rmsprop").training.optimizer
    assert (after.kind, after["learning_rate"], after["momentum"], after["alpha"]) == ("rmsprop", 0.25, 0.9, 0.99)


def test_defaults_are_not_carried_over():
    assert edits.choose_optimizer(experiment(), "adamw").training.optimizer["weight_decay"] == 0.01
    assert edits.choose_optimizer(experiment(), "adagrad").training.optimizer["epsilon"] == 1e-10
    assert edits.choose_optimizer(experiment(), "sgd").training.optimizer["learning_rate"] == 0.001


def test_settings_go_before_what_is_carried_over():
    assert edits.choose_optimizer(experiment(), "sgd", learning_rate=0.5).training.optimizer["learning_rate"] == 0.5


def test_choosing_the_same_optimizer_changes_nothing():
    before = experiment()
    assert edits.choose_optimizer(before, "adam") is before
    assert edits.choose_schedule(before, "constant") is before
    assert edits.change_schedule(before) is before


@pytest.mark.parametrize("kind", list(catalog.OPTIMIZERS))
def test_every_optimizer_can_be_chosen(kind):
    present = edits.choose_optimizer(experiment(), kind)
    assert set(present.training.optimizer.settings) == set(catalog.OPTIMIZERS[kind].defaults) and examine(present).ok


def test_optimizers_refuse():
    with pytest.raises(ValueError, match="Did you mean adam"):
        edits.choose_optimizer(experiment(), "adamm")
    with pytest.raises(ValueError, match="Adam has no field"):
        edits.change_optimizer(experiment(), momentum=0.9)
    with pytest.raises(ValueError, match="from 0 to 10,000"):
        edits.change_optimizer(experiment(), learning_rate=-0.1)


# --- data ---


@pytest.mark.parametrize("kind", list(catalog.DATA_SIZES))
@pytest.mark.parametrize("before", ["moons", "sine", "digits"])
def test_the_network_goes_on_working_with_any_known_data(before, kind):
    present = edits.choose_data(edits.choose_data(experiment(), before), kind)
    assert examine(present).problems == () and present.data.kind == kind


def test_the_loss_stays_where_it_suits():
    assert edits.choose_data(experiment(dense_net(2, 4, 1), loss="bce"), "circles").training.loss == "bce"
    assert edits.choose_data(experiment(dense_net(2, 4, 1), loss="bce"), "iris").training.loss == "cross_entropy"
    sine = edits.choose_data(experiment(), "sine")
    assert sine.training.loss == "mse"
    assert edits.choose_data(edits.change_training(sine, loss="huber"), "moons").training.loss == "cross_entropy"


def test_the_last_dense_layer_is_found_through_layers_that_keep_the_shape():
    network = chain(new("input", "x"), new("dense", "h", units=2), new("batch_norm", "b"), new("dropout", "d"))
    present = edits.choose_data(experiment(network), "iris")
    assert present.network.layer("h")["units"] == 3 and examine(present).ok


def test_a_network_with_two_ends_is_left_alone_but_for_its_input():
    network = Network((new("input", "x"), new("dense", "a"), new("dense", "b")), (Link("x", "a"), Link("x", "b")))
    present = edits.choose_data(experiment(network), "iris")
    assert [layer.settings for layer in present.network.layers[1:]] == [layer.settings for layer in network.layers[1:]]
    assert present.network.layer("x")["shape"] == [4]


@pytest.mark.parametrize("kind", [kind for kind in catalog.DATASETS if kind not in ("csv", "table")])
def test_every_field_of_data_that_changes_its_size_takes_the_network_along(kind):
    present = edits.choose_data(experiment(), kind)
    assert examine(present).problems == ()
    changes = {"window": 20, "classes": 5, "unit": "words", "horizon": 2}
    for name in changes.keys() & present.data.settings.keys():
        present = edits.change_data(present, **{name: changes[name]})
        assert examine(present).problems == () and present.data[name] == changes[name]


def test_a_table_that_has_been_looked_at_gives_the_network_its_size():
    present = edits.choose_table(experiment(), {"path": "rows.csv", "missing": "leave out"}, RowSize(5, 0, 1))
    assert present.data["path"] == "rows.csv" and present.training.loss == "mse"
    assert present.network.layers[0]["shape"] == [5] and examine(present).ok
    again = edits.choose_table(present, {"path": "rows.csv", "missing": "leave out"}, RowSize(5, 0, 1))
    assert again == present


def test_the_same_rows_flat_or_with_axes():
    present = edits.choose_data(experiment(), "digits")
    assert edits.shape_input(present, [1, 8, 8]).network.layers[0]["shape"] == [1, 8, 8]
    with pytest.raises(ValueError, match="no input layer"):
        edits.shape_input(experiment(Network((new("dense", "a"),), ())), [2])


def test_an_input_that_already_fits_keeps_its_shape():
    network = chain(new("input", "x", shape=[8, 8]), new("flatten", "f"), new("dense", "out", units=2))
    assert edits.choose_data(experiment(network), "digits").network.layer("x")["shape"] == [8, 8]


def test_own_data_leaves_the_network_until_its_size_is_known():
    assert edits.choose_data(experiment(), "csv").network == experiment().network
    typed = edits.choose_data(experiment(), "table", x=[[1, 2, 3]], y=[[0.5]])
    assert typed.network.layer("x")["shape"] == [3] and typed.training.loss == "mse" and examine(typed).ok
    assert typed.data["x"] == [[1.0, 2.0, 3.0]]


def test_choices_stay_with_other_data_but_noise_does_not():
    present = edits.change_data(experiment(), samples=900, noise=0.7, validation=0.5, scaling="none")
    data = edits.choose_data(present, "circles").data
    assert data.settings == {"samples": 900, "noise": 0.1, "noise_columns": 0, "validation": 0.5, "scaling": "none"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": -0.1}, "noise: -0.1 is not allowed. Give a number from 0 to 10"),
        ({"samples": 3}, "from 4 to 100,000"),
        ({"path": "x.csv"}, "Two moons has no field"),
        ({"scaling": "maximal"}, "one of: none, min-max, standardise"),
    ],
)
def test_change_data_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        edits.change_data(experiment(), **settings)


@pytest.mark.parametrize("x", [[[1.0], [1.0, 2.0]], [["a"]], [[]], "text", [[float("inf")]], [1.0], [[True]]])
def test_a_table_must_be_rows_of_numbers(x):
    with pytest.raises(ValueError, match="equally long lists of finite numbers"):
        edits.choose_data(experiment(), "table", x=x)


@pytest.mark.parametrize("y", [[0.5, 0.25], [-1], [10_000], [True]])
def test_class_numbers_count_from_zero(y):
    with pytest.raises(ValueError, match="class number"):
        edits.choose_data(experiment(), "table", x=[[1.0]] * len(y), y=y)


def test_data_that_does_not_exist():
    with pytest.raises(ValueError, match="Did you mean moons"):
        edits.choose_data(experiment(), "moon")


# --- the rest ---


def test_seed_precision_title():
    present = edits.set_title(edits.set_precision(edits.set_seed(experiment(), 5), "float64"), "é 网")
    assert (present.seed, present.precision, present.title) == (5, "float64", "é 网")
    for call in (lambda: edits.set_seed(present, -1), lambda: edits.set_seed(present, 2**32), lambda: edits.set_precision(present, "half")):
        with pytest.raises(ValueError, match="not allowed"):
            call()
    with pytest.raises(ValueError, match="one line"):
        edits.set_title(present, "two\nlines")
