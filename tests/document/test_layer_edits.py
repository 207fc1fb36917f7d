"""Layers, links, weights and places: what each edit makes, and what it refuses."""

from __future__ import annotations

import pytest

from nnviz.document import catalog, edits
from nnviz.document.network import Link, Network
from nnviz.document.problems import Refused
from nnviz.document.shapes.report import examine
from tests.document.documents import chain, dense_net, experiment

new = catalog.new_layer


def links(present):
    """Return the links as "source target"."""
    return [f"{link.source} {link.target}" for link in present.network.links]


def ids(present):
    return [layer.id for layer in present.network]


# --- add ---


def test_a_new_id_is_the_kind_and_the_first_free_number():
    present = experiment()
    assert edits.new_id(present, "dense") == "dense1"
    for _ in range(2):
        present = edits.add_layer(present, "dense")
    assert edits.new_id(present, "dense") == "dense3"
    assert edits.new_id(edits.remove_layers(present, ["dense1"]), "dense") == "dense1"


def test_an_unlinked_layer_has_its_defaults():
    present = edits.add_layer(experiment(), "dropout")
    assert present.network.layer("dropout1") == new("dropout", "dropout1")
    assert links(present) == links(experiment())


def test_a_layer_behind_another_takes_over_its_links():
    present = edits.add_layer(experiment(), "dropout", after="h1", p=0.5)
    assert links(present) == ["x h1", "h1 dropout1", "dropout1 h2"]
    assert present.network.layer("dropout1")["p"] == 0.5 and examine(present).ok


def test_a_layer_behind_the_last_one():
    assert links(edits.add_layer(experiment(), "dense", after="h2")) == ["x h1", "h1 h2", "h2 dense1"]


@pytest.mark.parametrize("link", [Link("h1", "h2"), ("h1", "h2")])
def test_a_layer_in_the_middle_of_a_link(link):
    assert links(edits.add_layer(experiment(), "batch_norm", between=link)) == ["x h1", "h1 batch_norm1", "batch_norm1 h2"]


def test_only_the_chosen_link_is_divided():
    layers = (new("input", "x"), new("dense", "a", units=3), new("dense", "b", units=3), new("add", "s"), new("dense", "out", units=2))
    network = Network(layers, tuple(Link(*link.split()) for link in ("x a", "x b", "a s", "b s", "s out")))
    present = edits.add_layer(experiment(network), "dropout", between=("a", "s"))
    assert present.network.inputs_of("s") == ("dropout1", "b") and examine(present).ok


def test_a_layer_at_a_place():
    assert edits.add_layer(experiment(), "dense", position=(10.123, -3)).canvas == {"dense1": (10.12, -3.0)}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: edits.add_layer(e, "dence"), "Did you mean dense"),
        (lambda e: edits.add_layer(e, "dense", after="nobody"), 'No layer has the id "nobody"'),
        (lambda e: edits.add_layer(e, "dense", between=("h2", "h1")), "no link from h2 to h1"),
        (lambda e: edits.add_layer(e, "input", after="h1"), "takes no input"),
        (lambda e: edits.add_layer(e, "dense", units=0), "from 1 to 4,096"),
        (lambda e: edits.add_layer(e, "dense", unit=3), 'no field "unit". Did you mean units'),
        (lambda e: edits.add_layer(e, "dense", position=(float("inf"), 0)), "finite"),
    ],
)
def test_add_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call(experiment())


def test_there_is_a_most_number_of_layers(monkeypatch):
    monkeypatch.setattr(catalog, "MOST_LAYERS", 3)
    with pytest.raises(Refused, match="at most 3 layers"):
        edits.add_layer(experiment(), "dense")


# --- remove ---


def test_removing_a_middle_layer_keeps_the_chain():
    assert links(edits.remove_layers(experiment(dense_net(2, 4, 3, 2)), ["h2"])) == ["x h1", "h1 h3"]


def test_removing_two_neighbours_keeps_the_chain():
    assert links(edits.remove_layers(experiment(dense_net(2, 4, 3, 2)), ["h1", "h2"])) == ["x h3"]


def test_removing_an_end_leaves_no_link_in_the_air():
    assert links(edits.remove_layers(experiment(), ["h2"])) == ["x h1"]
    assert links(edits.remove_layers(experiment(), ["x"])) == ["h1 h2"]


def test_removing_keeps_the_order_of_inputs():
    layers = (new("input", "x"), new("dropout", "d"), new("dense", "b"), new("concat", "c"))
    network = Network(layers, (Link("x", "d"), Link("x", "b"), Link("d", "c"), Link("b", "c")))
    assert edits.remove_layers(experiment(network), ["d"]).network.inputs_of("c") == ("x", "b")


def test_removing_does_not_link_twice():
    network = Network((new("input", "x"), new("dense", "a"), new("add", "s")), (Link("x", "a"), Link("a", "s"), Link("x", "s")))
    assert links(edits.remove_layers(experiment(network), ["a"])) == ["x s"]


def test_weights_and_places_go_with_their_layer():
    present = experiment(weights={"h1.bias": [0.0] * 4, "h2.bias": [0.0] * 2}, canvas={"h1": (1.0, 2.0), "x": (0.0, 0.0)})
    after = edits.remove_layers(present, ["h1"])
    assert set(after.weights) == {"h2.bias"} and set(after.canvas) == {"x"}


def test_removing_nobody_is_refused():
    with pytest.raises(ValueError, match="There is: x, h1, h2"):
        edits.remove_layers(experiment(), ["zzz"])


# --- links ---


def test_connecting_and_disconnecting():
    apart = edits.disconnect_layers(experiment(), "h1", "h2")
    assert links(apart) == ["x h1"]
    assert edits.connect_layers(apart, "h1", "h2") == experiment()


def test_a_link_can_take_the_place_of_another():
    assert links(edits.connect_layers(experiment(), "x", "h2", replace_link=True)) == ["x h1", "x h2"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("h1", "h1", "cannot feed itself"),
        ("h1", "h2", "already linked"),
        ("h2", "h1", "close a circle"),
        ("x", "h2", "already has h1"),
        ("x", "nobody", "No layer has the id"),
        ("nobody", "x", "No layer has the id"),
    ],
)
def test_connect_refuses(source, target, message):
    with pytest.raises(ValueError, match=message):
        edits.connect_layers(experiment(), source, target)


def test_connect_refuses_to_lead_into_an_input():
    with pytest.raises(ValueError, match="the data enters there"):
        edits.connect_layers(edits.add_layer(experiment(), "input"), "h2", "input1")


def test_disconnect_refuses_a_link_that_is_not_there():
    with pytest.raises(ValueError, match="no link from h2 to x"):
        edits.disconnect_layers(experiment(), "h2", "x")


# --- one layer ---


def test_changing_a_layer_leaves_all_else_as_it_is():
    before = experiment()
    after = edits.change_layer(before, "h1", units=8, activation="relu")
    assert after.network.layer("h1").settings == {"units": 8, "activation": "relu", "negative_slope": 0.01, "bias": True}
    assert after.network.layer("h2") is before.network.layer("h2") and after.training is before.training


def test_an_edit_that_changes_nothing_returns_the_same_experiment():
    before = experiment(canvas={"x": (1.0, 2.0)})
    assert edits.change_layer(before, "h1", units=4) is before
    assert edits.rename_layer(before, "h1", "") is before
    assert edits.move_layers(before, {"x": (1, 2)}) is before
    assert edits.freeze_layer(before, "h1", False) is before
    assert edits.remove_layers(before, []) is before
    assert edits.clear_weights(before, "h1") is before


def test_weights_that_no_longer_fit_are_given_up_and_only_those():
    present = experiment(weights={"h1.bias": [0.0] * 4, "h2.bias": [1.0, 2.0], "h9.bias": [0.0]})
    assert set(edits.change_layer(present, "h1", units=5).weights) == {"h2.bias", "h9.bias"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"units": 4097}, "h1 cannot have 4,097 units: 12,291 parameters and about 8.0 MB .* Give a whole number from 1 to 4,096"),
        ({"units": 10**6}, "h1 cannot have 1,000,000 units: 3,000,000 parameters and about 301.4 MB of memory"),
        ({"units": 0}, "units: 0 is not allowed. Give a whole number from 1 to 4,096"),
        ({"units": 2.0}, "whole number"),
        ({"units": True}, "whole number"),
        ({"activation": "rely"}, "one of: identity, relu"),
        ({"bias": 1}, "true or false"),
        ({"p": 0.5}, "Dense has no field"),
    ],
)
def test_change_layer_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        edits.change_layer(experiment(), "h1", **settings)


def test_renaming():
    present = edits.rename_layer(experiment(), "h1", "  first é 网 ")
    assert present.network.layer("h1").title == "first é 网"
    assert edits.rename_layer(present, "h1", "h1").network.layer("h1").name == ""
    for bad in ("a\nb", "x" * 201, "\ud800"):
        with pytest.raises(ValueError, match="one line"):
            edits.rename_layer(present, "h1", bad)


def test_freezing_and_initializing():
    present = edits.set_initializer(edits.freeze_layer(experiment(), "h1"), "h1", "he_normal")
    assert (present.network.layer("h1").frozen, present.network.layer("h1").initializer) == (True, "he_normal")
    with pytest.raises(ValueError, match="one of: default, zeros"):
        edits.set_initializer(present, "h1", "he")
    with pytest.raises(ValueError, match="Input has no parameters"):
        edits.freeze_layer(present, "x")
    with pytest.raises(ValueError, match="Batch norm has no weights"):
        edits.set_initializer(edits.add_layer(present, "batch_norm"), "batch_norm1", "zeros")


# --- duplicate ---


def test_duplicating_copies_links_weights_and_places():
    present = experiment(weights={"h2.bias": [1.0, 2.0]}, canvas={"h1": (0.0, 0.0)})
    after = edits.duplicate_layers(present, ["h2", "h1"], offset=(10, 20))
    assert ids(after) == ["x", "h1", "h2", "dense1", "dense2"]
    assert links(after)[-1] == "dense1 dense2" and after.network.layer("dense1")["units"] == 4
    assert after.weights["dense2.bias"] == [1.0, 2.0] and after.canvas["dense1"] == (10.0, 20.0)


# --- weights ---


def test_one_weight_is_set_within_its_whole_parameter():
    current = [[0.1, 0.5], [0.8, -0.3], [0.0, 0.0], [1.0, 1.0]]
    present = edits.set_weight(experiment(), "h1.weight", (1, 0), 2, (4, 2), current)
    assert present.weights == {"h1.weight": [[0.1, 0.5], [2.0, -0.3], [0.0, 0.0], [1.0, 1.0]]}
    assert current[1][0] == 0.8 and examine(present).ok
    assert edits.clear_weights(present, "h1").weights == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("h1.bias", (4,), 1.0, (4,), [0.0] * 4), "no element"),
        (("h1.bias", (-1,), 1.0, (4,), [0.0] * 4), "no element"),
        (("h1.bias", (0, 0), 1.0, (4,), [0.0] * 4), "no element"),
        (("h1.bias", (0,), float("nan"), (4,), [0.0] * 4), "not a finite number"),
        (("h1.bias", (0,), 1.0, (3,), [0.0] * 4), "not of shape"),
        (("h1.bias", (0,), 1.0, (3,), [0.0] * 3), "not finite numbers of shape"),
        (("h1.gain", (0,), 1.0, (3,), [0.0] * 3), "Did you mean h1.bias|No parameter"),
    ],
)
def test_set_weight_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        edits.set_weight(experiment(), *arguments)


# --- canvas ---


def test_moving_and_tidying():
    present = edits.move_layers(experiment(), {"x": (1.005, 2), "h1": (3, 4)})
    assert present.canvas == {"x": (1.0, 2.0), "h1": (3.0, 4.0)} or present.canvas["x"] == (1.01, 2.0)
    assert set(edits.tidy(present, ["x"]).canvas) == {"h1"} and edits.tidy(present).canvas == {}
    with pytest.raises(ValueError, match="No layer"):
        edits.move_layers(present, {"nobody": (0, 0)})


def test_every_layer_kind_can_stand_in_a_chain():
    for kind in catalog.LAYERS:
        present = edits.add_layer(experiment(chain(new("input", "x"), new("dense", "out", units=2))), kind)
        assert present.network.layers[-1].kind == kind


# --- other ends, and layers into links ---


def test_a_link_is_led_to_another_layer_and_keeps_its_place():
    present = experiment(chain(new("input", "x"), new("dense", "a", units=2), new("dense", "b", units=2)))
    present = edits.connect_layers(edits.connect_layers(edits.add_layer(present, "add"), "a", "add1"), "b", "add1")
    after = edits.reconnect_link(present, ("a", "add1"), "x", "add1")
    assert after.network.inputs_of("add1") == ("x", "b")
    other = edits.reconnect_link(edits.add_layer(present, "dense"), ("a", "b"), "a", "dense1")
    assert other.network.inputs_of("dense1") == ("a",) and other.network.inputs_of("b") == ()
    assert edits.reconnect_link(present, ("a", "add1"), "a", "add1") is present


def test_a_link_that_would_close_a_circle_stays_where_it_was():
    present = experiment()
    with pytest.raises(ValueError, match="close a circle"):
        edits.reconnect_link(present, ("x", "h1"), "h2", "h1")
    with pytest.raises(ValueError, match="takes no input"):
        edits.reconnect_link(edits.add_layer(present, "input"), ("h1", "h2"), "h1", "input1")


def test_a_loose_layer_goes_into_the_middle_of_a_link():
    present = edits.add_layer(experiment(), "dropout", position=(4, 4))
    after = edits.insert_layer(present, "dropout1", ("h1", "h2"))
    assert links(after) == ["x h1", "h1 dropout1", "dropout1 h2"] and after.canvas == present.canvas
    with pytest.raises(ValueError, match="linked already"):
        edits.insert_layer(after, "dropout1", ("x", "h1"))
    with pytest.raises(ValueError, match="does not fit in the middle"):
        edits.insert_layer(edits.add_layer(present, "add"), "add1", ("x", "h1"))
    with pytest.raises(ValueError, match="no link from"):
        edits.insert_layer(present, "dropout1", ("x", "h2"))


def test_several_layers_are_named_with_numbers():
    after = edits.rename_layers(experiment(), ["h2", "h1"], " hidden ")
    assert [after.network.layer(id).name for id in ("h1", "h2")] == ["hidden 2", "hidden 1"]
    assert edits.rename_layers(after, ["h1"], "one").network.layer("h1").name == "one"
    assert [layer.name for layer in edits.rename_layers(after, ["h1", "h2"], "").network] == ["", "", ""]
