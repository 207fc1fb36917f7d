"""What a layer has when a person adds it: its activation, its name; and the warning about linear layers in a row."""

from __future__ import annotations

import pytest

from nnviz.document import catalog, edits
from nnviz.document.network import Link, Network
from nnviz.document.shapes.report import examine
from nnviz.document.store.examples import TEMPLATES, open_document
from tests.document.documents import chain, dense_net, experiment

new = catalog.new_layer


def activations(present):
    return [layer["activation"] for layer in present.network.in_order() if layer.kind == "dense"]


def titles(present):
    return [layer.title for layer in present.network.in_order()]


def test_a_dense_layer_in_a_link_has_relu_and_the_output_stays_as_the_loss_needs_it():
    present = edits.add_usual_layer(experiment(dense_net(2, 2)), "dense", between=("x", "h1"))
    assert activations(present) == ["relu", "identity"] and examine(present).warnings == ()


def test_dense_layers_typed_one_behind_the_other_are_bent_but_for_the_last():
    present = experiment(Network())
    present = edits.add_usual_layer(present, "input")
    for after in ("input1", "dense1", "dense2"):
        present = edits.add_usual_layer(present, "dense", after=after)
    assert activations(present) == ["relu", "relu", "identity"]
    assert titles(present) == ["input", "dense 1", "dense 2", "dense 3"]


def test_a_dense_layer_beside_a_whole_network_is_meant_to_be_hidden_and_the_first_of_all_is_not():
    beside = edits.add_usual_layer(experiment(dense_net(2, 2)), "dense")
    assert beside.network.layer("dense1")["activation"] == "relu"
    assert edits.add_usual_layer(experiment(Network()), "dense").network.layer("dense1")["activation"] == "identity"


def test_an_activation_that_was_chosen_stays():
    present = edits.change_layer(experiment(dense_net(2, 2)), "h1", activation="tanh")
    assert edits.add_usual_layer(present, "dense", after="h1").network.layer("h1")["activation"] == "tanh"


# --- names ---


def test_names_count_in_the_order_of_the_network_and_stand_once():
    present = edits.rename_layer(edits.rename_layer(experiment(dense_net(2, 4, 2)), "h1", "dense 1"), "h2", "output")
    present = edits.add_usual_layer(present, "dense", between=("x", "h1"))
    assert titles(present) == ["x", "dense 1", "dense 2", "output"]
    present = edits.add_usual_layer(present, "dense", after="h1")
    assert titles(present) == ["x", "dense 1", "dense 2", "dense 3", "output"]


def test_a_name_that_was_typed_stays():
    present = edits.rename_layer(experiment(dense_net(2, 4, 2)), "h1", "my layer")
    assert titles(edits.add_usual_layer(present, "dense", between=("x", "h1"))) == ["x", "dense", "my layer", "h2"]


def test_names_follow_the_word_that_is_used():
    present = open_document("template:cnn")
    present = edits.add_usual_layer(present, "conv2d", after="c1" if present.network.has("c1") else present.network.layers[1].id)
    named = [layer.title for layer in present.network.in_order() if layer.kind == "conv2d"]
    assert named == ["conv 1", "conv 2", "conv 3"]


# --- two linear layers in a row ---


def test_two_linear_layers_in_a_row_are_warned_of_with_a_cure():
    present = experiment(dense_net(2, 4, 2))
    report = examine(present)
    (warning,) = report.warnings
    assert report.ok and (warning.layer, warning.place, warning.severity) == ("h1", "network.layers[1].activation", "warning")
    cured = edits.apply_fix(present, warning.fix)
    assert cured.network.layer("h1")["activation"] == "relu" and examine(cured).warnings == ()


@pytest.mark.parametrize("kind", ["dropout", "flatten"])
def test_what_keeps_it_linear_does_not_hide_it(kind):
    present = experiment(chain(new("input", "x", shape=[2]), new("dense", "h", units=4), new(kind, "k"), new("dense", "out", units=2)))
    assert [warning.layer for warning in examine(present).warnings] == ["h"]


@pytest.mark.parametrize("kind", ["activation", "batch_norm", "layer_norm"])
def test_what_is_not_linear_or_learns_between_them_is_no_reason(kind):
    between = new(kind, "k", function="relu") if kind == "activation" else new(kind, "k")
    present = experiment(chain(new("input", "x", shape=[2]), new("dense", "h", units=4), between, new("dense", "out", units=2)))
    assert examine(present).ok and examine(present).warnings == ()


def test_a_bottleneck_and_a_layer_that_feeds_two_are_meant_so():
    assert examine(experiment(dense_net(2, 1, 2))).warnings == ()
    layers = (new("input", "x", shape=[2]), new("dense", "h", units=2), new("dense", "g", units=2), new("add", "s"))
    links = (Link("x", "h"), Link("h", "g"), Link("h", "s"), Link("g", "s"))
    assert examine(experiment(Network(layers, links))).warnings == ()


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_is_warned_of(name):
    assert examine(open_document(f"template:{name}")).warnings == ()
