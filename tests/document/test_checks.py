"""Every diagnostic of the wiring, the data, the output, the training and the weights."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nnviz.document import catalog
from nnviz.document.network import Choice, Link, Network
from nnviz.document.shapes.report import examine
from nnviz.document.shapes.rows import data_size
from tests.document.documents import chain, dense_net, experiment

new = catalog.new_layer


def problems(present):
    """Return (place, layer) of every problem."""
    return [(problem.place, problem.layer) for problem in examine(present).problems]


def linked(network, *links):
    """Return an experiment with these links besides."""
    return experiment(Network(network.layers, (*network.links, *(Link(*link) for link in links))))


# --- wiring ---


def test_a_sound_network_has_no_problem():
    assert examine(experiment()).ok


def test_an_empty_network_needs_an_input():
    report = examine(experiment(Network()))
    assert problems(experiment(Network())) == [("network.layers", "")]
    assert "Input" in report.problems[0].cure and report.output == ""


def test_a_network_without_an_input():
    assert ("network.layers", "") in problems(experiment(chain(new("dense", "h"), new("dense", "g"))))


def test_an_input_alone_has_no_output():
    assert problems(experiment(chain(new("input", "x")))) == [("network.layers[0]", "x")]


def test_a_second_input():
    present = experiment(Network((new("input", "x"), new("input", "y"), new("dense", "h", units=2)), (Link("x", "h"),)))
    assert problems(present) == [("network.layers[1]", "y")]


def test_two_outputs_are_pinned_to_all_but_the_last():
    network = dense_net(2, 4, 2)
    present = experiment(Network((*network.layers, new("dense", "side")), (*network.links, Link("x", "side"))))
    report = examine(present)
    assert problems(present) == [("network.layers[3]", "side")] and report.output == ""
    assert "side, h2" in report.problems[0].message and "h2" in report.problems[0].cure


def test_a_circle_is_named_with_the_link_to_remove():
    present = linked(dense_net(2, 3, 3, 2), ("h2", "h1"))
    circle = next(problem for problem in examine(present).problems if "circle" in problem.message)
    assert (circle.place, circle.layer) == ("network.links[3]", "h1")
    assert "h1 → h2 → h1" in circle.message and "h2 → h1" in circle.cure


def test_every_circle_is_named():
    layers = tuple(new("concat", id) for id in "abcd")
    links = (Link("a", "b"), Link("b", "a"), Link("c", "d"), Link("d", "c"))
    found = [problem.place for problem in examine(experiment(Network(layers, links))).problems if "circle" in problem.message]
    assert found == ["network.links[1]", "network.links[3]"]


def test_a_layer_behind_a_circle_is_not_part_of_it():
    present = linked(dense_net(2, 3, 3, 2), ("h2", "h1"))
    assert "h3" not in {problem.layer for problem in examine(present).problems}


def test_a_link_to_itself():
    assert ("network.links[2]", "h1") in problems(linked(dense_net(2, 3, 2), ("h1", "h1")))


def test_a_link_that_is_there_twice():
    assert ("network.links[2]", "h1") in problems(linked(dense_net(2, 3, 2), ("x", "h1")))


@pytest.mark.parametrize("link", [("h1", "nobody"), ("nobody", "h1")])
def test_a_link_that_hangs_in_the_air(link):
    assert ("network.links[2]", "h1") in problems(linked(dense_net(2, 3, 2), link))


def test_two_layers_with_one_id():
    network = dense_net(2, 3, 2)
    present = experiment(Network((*network.layers, new("dense", "h1")), network.links))
    assert problems(present) == [("network.layers[3].id", "h1")]


def test_too_many_inputs():
    present = linked(dense_net(2, 2, 2), ("x", "h2"))
    assert problems(present) == [("network.layers[2]", "h2")] and "Add or Concat" in examine(present).problems[0].cure


def test_an_input_layer_takes_no_input():
    network = Network((new("dense", "h"), new("input", "x"), new("dense", "g", units=2)), (Link("h", "x"), Link("x", "g")))
    assert ("network.layers[1]", "x") in problems(experiment(network))


def test_too_few_inputs():
    present = experiment(chain(new("input", "x"), new("add", "a"), new("dense", "h", units=2)))
    assert problems(present) == [("network.layers[1]", "a")] and "at least 2" in examine(present).problems[0].message


def test_a_layer_nothing_leads_to_is_the_only_one_named_of_its_branch():
    network = dense_net(2, 3, 2)
    present = experiment(
        Network((*network.layers, new("dense", "lost"), new("dropout", "behind")), (*network.links, Link("lost", "behind")))
    )
    assert problems(present) == [("network.layers[3]", "lost")]
    assert examine(present).problems[0].message == "Nothing leads into this layer."


# --- data ---


def test_features_must_fit_the_input_and_the_cure_names_the_number():
    present = experiment(dense_net(3, 4, 3), "iris")
    problem = examine(present).problems[0]
    assert problems(present) == [("network.layers[0].shape", "x")]
    assert "4 features" in problem.message and "[4]" in problem.cure


def test_a_csv_file_must_be_chosen():
    assert problems(experiment(data="csv")) == [("data.path", "")]


def table(x, y):
    return replace(experiment(dense_net(2, 3, 1), loss="mse"), data=catalog.new_choice(catalog.DATASETS, "table", x=x, y=y))


def test_a_table_needs_rows():
    assert ("data.x", "") in problems(table([], []))


def test_a_table_needs_as_many_targets_as_rows():
    assert ("data.y", "") in problems(table([[1.0, 2.0]], [[1.0], [2.0]]))


def test_a_table_tells_its_size():
    choice = catalog.new_choice(catalog.DATASETS, "table", x=[[1.0, 2.0]], y=[[3.0, 4.0, 5.0]])
    assert data_size(choice) == (2, 0, 3)
    assert data_size(Choice("table", choice.settings | {"y": [2]})) == (2, 3, 0)
    assert data_size(Choice("table", choice.settings | {"y": [0]})) == (2, 2, 0)
    assert data_size(catalog.new_choice(catalog.DATASETS, "csv")) is None
    assert data_size(catalog.new_choice(catalog.DATASETS, "sine")) == (1, 0, 1)


def test_data_that_does_not_exist():
    assert ("data.kind", "") in problems(replace(experiment(), data=Choice("loons")))


def test_data_settings_outside_their_limits():
    present = replace(experiment(), data=catalog.new_choice(catalog.DATASETS, "moons", noise=-1.0))
    assert problems(present) == [("data.noise", "")]


# --- output and loss ---


@pytest.mark.parametrize(
    ("sizes", "data", "loss", "cure"),
    [
        ((2, 4, 3), "moons", "cross_entropy", "Set its units to 2."),
        ((2, 4, 2), "moons", "bce", "Set its units to 1."),
        ((1, 4, 2), "sine", "mse", "Set its units to 1."),
        ((64, 4, 1), "digits", "mse", "Set its units to 10."),
        ((2, 4, 3), "moons", "mae", "Set its units to 2."),
    ],
)
def test_output_units_must_fit_loss_and_data(sizes, data, loss, cure):
    present = experiment(dense_net(*sizes), data, loss=loss)
    assert problems(present) == [("network.layers[2].units", "h2")]
    assert examine(present).problems[0].cure == cure


@pytest.mark.parametrize(
    ("sizes", "data", "loss"),
    [((2, 4, 1), "moons", "bce"), ((2, 4, 1), "moons", "mse"), ((2, 4, 2), "moons", "huber"), ((1, 4, 1), "sine", "mae")],
)
def test_outputs_that_fit(sizes, data, loss):
    assert examine(experiment(dense_net(*sizes), data, loss=loss)).ok


def test_an_output_that_is_not_dense_gets_another_cure():
    present = experiment(chain(new("input", "x"), new("dense", "h", units=3), new("dropout", "d")))
    assert problems(present) == [("network.layers[2]", "d")] and "Dense layer of 2 units" in examine(present).problems[0].cure


@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
def test_a_loss_for_classes_on_numbers(loss):
    present = experiment(dense_net(1, 4, 1), "sine", loss=loss)
    assert problems(present) == [("training.loss", "")] and "squared error" in examine(present).problems[0].cure


def test_binary_cross_entropy_on_three_classes():
    present = experiment(dense_net(4, 4, 1), "iris", loss="bce")
    assert problems(present) == [("training.loss", "")] and "Choose cross-entropy." in examine(present).problems[0].cure


def test_a_loss_that_does_not_exist():
    assert problems(experiment(loss="cross_entropi")) == [("training.loss", "")]


# --- training ---


def sgd(**settings):
    return experiment(optimizer=catalog.new_choice(catalog.OPTIMIZERS, "sgd", **settings))


def test_nesterov_needs_momentum():
    assert problems(sgd(nesterov=True)) == [("training.optimizer.nesterov", "")]
    assert problems(sgd(nesterov=True, momentum=0.9, dampening=0.5)) == [("training.optimizer.nesterov", "")]
    assert examine(sgd(nesterov=True, momentum=0.9)).ok


def test_optimizers_and_schedules_that_do_not_exist():
    assert problems(experiment(optimizer=Choice("adamant"))) == [("training.optimizer.kind", "")]
    assert problems(experiment(schedule=Choice("never"))) == [("training.schedule.kind", "")]
    assert problems(sgd(learning_rate=-1.0)) == [("training.optimizer.learning_rate", "")]


def test_nothing_to_learn():
    present = experiment(chain(new("input", "x"), new("activation", "a")))
    assert problems(present) == [("network.layers", "")] and "Dense" in examine(present).problems[0].cure


def test_everything_frozen():
    network = dense_net(2, 3, 2)
    frozen = tuple(replace(layer, frozen=True) for layer in network.layers)
    assert problems(experiment(Network(frozen, network.links))) == [("network.layers", "")]
    assert examine(experiment(Network((*frozen[:2], network.layers[2]), network.links))).ok


def test_batch_norm_needs_more_than_one_row():
    network = chain(new("input", "x"), new("dense", "h"), new("batch_norm", "b"), new("dense", "g", units=2))
    assert problems(experiment(network, batch_size=1)) == [("network.layers[2]", "b")]
    assert examine(experiment(network, batch_size=2)).ok


# --- weights ---


def test_weights_that_fit():
    weights = {"h1.weight": [[0.1, 0.5], [0.8, -0.3]], "h1.bias": [-1.2, 0.9]}
    assert examine(experiment(dense_net(2, 2, 2), weights=weights)).ok


@pytest.mark.parametrize("name", ["h1.gamma", "h9.weight", "x.weight", "weight", ""])
def test_weights_that_name_nothing(name):
    report = examine(experiment(weights={name: [1.0]}))
    assert [problem.place for problem in report.problems] == [f"weights.{name}"] and "h1.weight" in report.problems[0].cure


@pytest.mark.parametrize("values", [[1.0, 2.0], [[1.0]], 1.0, [1.0, 2.0, 3.0, [4.0]], [1.0, 2.0, 3.0, float("nan")], []])
def test_weights_that_do_not_fit(values):
    report = examine(experiment(weights={"h1.bias": values}))
    assert problems(experiment(weights={"h1.bias": values})) == [("weights.h1.bias", "h1")] and "[4]" in report.problems[0].message
