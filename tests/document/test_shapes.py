"""Shapes, parameter counts, and the problems of single layers."""

from __future__ import annotations

import time
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document import catalog, edits
from nnviz.document.network import Layer, Link, Network
from nnviz.document.shapes.report import RULES, LayerShape, examine
from tests.document.documents import chain, dense_net, experiment, random_document

new = catalog.new_layer


def the_problem(present, place):
    """Return the one problem there is, after checking its place."""
    problems = examine(present).problems
    assert [problem.place for problem in problems] == [place]
    return problems[0]


def test_every_kind_of_layer_has_a_rule():
    assert set(RULES) == set(catalog.LAYERS)


@pytest.mark.parametrize(("sizes", "count"), [((700, 8, 8, 1), 5689), ((2, 4, 4, 2), 42), ((2, 2, 1), 9), ((64, 64, 10), 4810)])
def test_parameters_are_counted(sizes, count):
    assert examine(experiment(dense_net(*sizes))).parameters == count


def test_a_dense_layer_has_a_weight_and_a_bias():
    report = examine(experiment(dense_net(2, 3, 2)))
    assert report.ok and report.output == "h2"
    assert report.layers["h1"] == LayerShape((3,), {"weight": (3, 2), "bias": (3,)})
    assert report.layers["h1"].count == 9


def test_without_a_bias_there_is_only_the_weight():
    layers = examine(experiment(chain(new("input", "x"), new("dense", "h", units=2, bias=False)))).layers
    assert layers["h"].parameters == {"weight": (2, 2)}


def test_shapes_follow_through_every_kind():
    network = chain(
        new("input", "x", shape=[2, 3, 4]), new("batch_norm", "b"), new("layer_norm", "l"), new("dropout", "d"), new("activation", "a"),
        new("flatten", "f"), new("dense", "h", units=5),
    )  # fmt: skip
    layers = examine(experiment(network)).layers
    assert [layers[id].output_shape for id in "xbldafh"] == [(2, 3, 4)] * 5 + [(24,), (5,)]
    assert layers["b"].parameters == {"weight": (2,), "bias": (2,)}
    assert layers["l"].parameters == {"weight": (4,), "bias": (4,)}


def joined(kind, first, second):
    """Return x into two dense layers of these sizes, into a joining layer, into the output."""
    layers = (
        new("input", "x"),
        new("dense", "p", units=first),
        new("dense", "q", units=second),
        new(kind, "j"),
        new("dense", "out", units=2),
    )
    links = (Link("x", "p"), Link("x", "q"), Link("p", "j"), Link("q", "j"), Link("j", "out"))
    return experiment(Network(layers, links))


def test_add_and_concat_join():
    assert examine(joined("add", 3, 3)).layers["j"].output_shape == (3,)
    assert examine(joined("concat", 3, 4)).layers["j"].output_shape == (7,)
    assert examine(joined("concat", 3, 4)).ok


def test_add_needs_equal_shapes():
    problem = the_problem(joined("add", 3, 4), "network.layers[3]")
    assert problem.layer == "j" and "[3] and [4]" in problem.message and "same number of units" in problem.cure


@pytest.mark.parametrize("second", ["x", "f"])
def test_concat_needs_shapes_that_agree_behind_the_first_size(second):
    layers = (new("input", "x", shape=[2, 3]), new("flatten", "f"), new("concat", "j"), new("flatten", "g"), new("dense", "out", units=2))
    links = (Link("x", "f"), Link("f", "j"), Link("x", "j"), Link("j", "g"), Link("g", "out"))
    report = examine(experiment(Network(layers, links)))
    assert any("Concat" in problem.message for problem in report.problems_of("j"))


def test_dense_needs_a_vector():
    problems = examine(experiment(chain(new("input", "x", shape=[1, 2]), new("dense", "h", units=2)))).problems
    assert [(problem.layer, problem.cure) for problem in problems] == [("h", "Add a Flatten layer before it.")]


def test_data_enters_an_input_of_another_shape_with_as_many_elements():
    network = chain(new("input", "x", shape=[1, 8, 8]), new("flatten", "f"), new("dense", "out", units=10))
    assert examine(experiment(network, "digits")).ok


def test_a_layer_far_too_wide_is_named_before_anything_is_allocated():
    started = time.process_time()
    problem = the_problem(experiment(dense_net(2, 1_000_000, 2)), "network.layers[1].units")
    assert problem.layer == "h1" and "4,096" in problem.cure
    assert time.process_time() - started < 0.1


def test_more_than_fifty_million_parameters_are_refused():
    wide = chain(new("input", "x", shape=[4096, 4096]), new("flatten", "f"), new("dense", "h", units=2))
    assert examine(experiment(wide)).layers["h"].output_shape == (2,)
    wide = chain(new("input", "x", shape=[4096, 4096]), new("flatten", "f"), new("dense", "h", units=4))
    problem = examine(experiment(wide)).problems_of("h")[0]
    assert "67,108,868" in problem.message and problem.place == "network.layers[2].units"


def test_so_many_in_the_whole_network_are_refused_where_the_limit_is_passed():
    problems = examine(experiment(dense_net(2, 4096, 4096, 4096, 4096, 2))).problems
    assert [problem.layer for problem in problems] == ["h4"] and "network has" in problems[0].message


def test_a_kind_that_does_not_exist_is_named():
    present = experiment(Network((new("input", "x"), Layer("h", "dence")), (Link("x", "h"),)))
    problem = the_problem(present, "network.layers[1].kind")
    assert "dence" in problem.message and "Did you mean dense?" in problem.cure


def test_settings_outside_their_limits_are_named():
    present = experiment(chain(new("input", "x"), new("dropout", "d", p=1.5), new("dense", "h", units=2)))
    problem = the_problem(present, "network.layers[1].p")
    assert problem.layer == "d" and "from 0 to 0.99" in problem.cure


def test_a_problem_hides_those_that_follow_from_it():
    present = experiment(chain(new("input", "x"), new("dense", "h", units=0), new("dense", "g", units=3), new("dense", "out", units=2)))
    report = examine(present)
    assert [problem.layer for problem in report.problems] == ["h"] and report.problems_of("g") == ()
    assert report.layers["g"].output_shape is None and report.layers["out"].count == 0


@given(st.integers(0, 10**9))
def test_any_document_is_examined(seed):
    report = examine(random_document(seed))
    assert set(report.layers) == {layer.id for layer in random_document(seed).network}
    assert all(problem.message.endswith(".") and problem.cure.endswith(".") and problem.place for problem in report.problems)


def test_two_hundred_layers_are_examined_quickly():
    random = Random(1)
    present = experiment(dense_net(2, *(random.randint(2, 9) for _ in range(199)), 2))
    started = time.process_time()
    assert examine(present).ok
    assert time.process_time() - started < 0.2


# --- dense layers act on the last axis, as torch's Linear does ---


@pytest.mark.parametrize("shape", [[5], [12, 3], [2, 4, 4]])
def test_a_dense_layer_takes_the_last_axis_as_torch_does(shape):
    linear = torch.nn.Linear(shape[-1], 7)
    entry = examine(experiment(chain(new("input", "x", shape=shape), new("dense", "h", units=7)))).layers["h"]
    assert entry.output_shape == tuple(linear(torch.zeros(1, *shape)).shape[1:])
    assert entry.parameters == {"weight": tuple(linear.weight.shape), "bias": tuple(linear.bias.shape)}


def test_a_dense_output_that_is_no_vector_is_cured_by_a_flatten_before_the_first_of_a_chain():
    layers = (new("dense", "h", units=5, activation="relu"), new("dropout", "d"), new("dense", "out", units=3))
    present = experiment(chain(new("input", "x", shape=[2, 2]), *layers), "iris")
    (problem,) = examine(present).problems
    assert problem.layer == "out" and "before h" in problem.cure
    cured = edits.apply_fix(present, problem.fix)
    assert examine(cured).ok and [layer.kind for layer in cured.network.in_order()][1] == "flatten"
    branched = edits.connect_layers(edits.add_layer(present, "add"), "x", "add1")
    assert not examine(branched).ok  # whatever is wrong, it is said and not raised


def test_a_flattened_input_gives_the_same_parameters_as_before():
    entry = examine(experiment(chain(new("input", "x", shape=[1, 8, 8]), new("flatten", "f"), new("dense", "h", units=10)), "digits"))
    assert entry.ok and entry.layers["h"].parameters == {"weight": (10, 64), "bias": (10,)}
