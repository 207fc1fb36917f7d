"""Every cure that is offered as an edit cures what it is offered for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nnviz.document import catalog, edits
from nnviz.document.checks.training_checks import MOST_BYTES, memory
from nnviz.document.network import Layer, Link, Network
from nnviz.document.problems import Problem
from nnviz.document.shapes.report import examine
from nnviz.document.store import files
from tests.document.documents import chain, dense_net, experiment
from tests.document.random_networks import broken_experiment, sound_experiment

new = catalog.new_layer


def same(problem: Problem) -> tuple[str, str]:
    """What tells one problem of a document from the others, wherever its layer stands."""
    return problem.layer, problem.message


@settings(max_examples=60)
@given(st.integers(0, 10**9))
def test_sound_networks_have_no_problem(seed):
    assert examine(sound_experiment(seed)).problems == ()


@settings(max_examples=200)
@given(st.integers(0, 10**9))
def test_every_fix_of_a_broken_document_cures_its_problem(seed):
    broken = broken_experiment(seed)
    for problem in examine(broken).problems:
        assert problem.place and problem.message.endswith(".") and problem.cure.endswith(".")
        if problem.fix is not None:
            assert problem.fix.label and not problem.fix.label.endswith(".")
            mended = edits.apply_fix(broken, problem.fix)
            left = [same(other) for other in examine(mended).problems].count(same(problem))
            assert left < [same(other) for other in examine(broken).problems].count(same(problem))  # two loose links may read the same


def image(*layers: Layer):
    return experiment(chain(new("input", "x", shape=[1, 8, 8]), *layers, new("dense", "out", units=10)), "digits")


def series(*layers: Layer, loss: str = "mse"):
    data = catalog.new_choice(catalog.DATASETS, "sine_wave", window=12)
    return replace(experiment(chain(new("input", "x", shape=[12, 1]), *layers, new("dense", "out", units=1)), loss=loss), data=data)


@pytest.mark.parametrize(
    ("broken", "label"),
    [
        (image(new("conv2d", "c")), "Add a flatten layer before it"),
        (image(new("conv2d", "c", kernel_size=9), new("flatten", "f")), "Set kernel_size to 8"),
        (image(new("max_pool", "p", padding=2), new("flatten", "f")), "Set padding to 1"),
        (image(new("flatten", "f"), new("reshape", "r", shape=[3, 8])), "Reshape to [8, 8]"),
        (experiment(chain(new("input", "x", shape=[64]), new("conv2d", "c"), new("flatten", "f"), new("dense", "out", units=10)), "digits"),
         "Add a reshape to [1, 8, 8] before it"),
        (series(new("lstm", "a"), new("gru", "b")), "Let the layer before return its whole sequence"),
        (series(new("lstm", "a"), new("dropout", "d"), new("attention", "b"), new("flatten", "f")),
         "Let the layer before return its whole sequence"),
        (series(new("lstm", "a", return_sequences=True), new("attention", "b", num_heads=3), new("flatten", "f")), "Set num_heads to 2"),
        (series(new("flatten", "f"), new("rnn", "a")), "Add a reshape to [12, 1] before it"),
        (experiment(dense_net(2, 10**6, 2)), "Set units to 4096"),
        (experiment(dense_net(2, 4096, 4096, 4096, 4096, 2)), "Set units to 4,009"),
        (experiment(dense_net(2, 4, 3)), "Set its units to 2"),
        (experiment(chain(new("input", "x"), new("dense", "h", units=3), new("dropout", "d"))),
         "End the network with a Dense layer of 2 units"),
        (experiment(dense_net(3, 4, 2)), "Set the shape of the input layer to [2]"),
        (experiment(loss="mse", batch_size=1, network=chain(new("input", "x"), new("batch_norm", "b"), new("dense", "out", units=2))),
         "Set the batch size to 32"),
        (experiment(dense_net(1, 4, 1), "sine"), "Choose mean squared error"),
        (experiment(optimizer=catalog.new_choice(catalog.OPTIMIZERS, "sgd", nesterov=True)), "Set momentum to 0.9"),
        (experiment(weights={"h1.bias": [1.0]}), "Leave it to the initializer"),
        (experiment(chain(new("input", "x"), new("activation", "a"))), "Add a dense layer"),
        (experiment(Network((new("dense", "h"), new("dense", "out", units=2)), (Link("h", "out"),))), "Add an input layer"),
        (experiment(chain(new("input", "x", shape=[4]), new("embedding", "e"), new("flatten", "f"), new("dense", "out", units=3)), "iris"),
         "Switch scaling off"),
    ],
)  # fmt: skip
def test_the_obvious_cure_is_one_click(broken, label):
    problem = next(problem for problem in examine(broken).problems if problem.fix)
    assert problem.fix.label.startswith(label)
    mended = edits.apply_fix(broken, problem.fix)
    assert same(problem) not in {same(other) for other in examine(mended).problems}
    assert files.loads(files.dumps(mended)) == mended


def test_an_add_layer_is_given_what_it_lacks_at_one_click():
    layers = (new("input", "x"), new("dense", "p", units=4), new("add", "j"), new("dense", "out", units=2))
    network = Network(layers, tuple(Link(*pair.split()) for pair in ("x p", "p j", "j out")))
    present, labels = experiment(network), []
    while problems := examine(present).problems:
        labels.append(problems[0].fix.label)
        present = edits.apply_fix(present, problems[0].fix)
    assert labels == ["Link x to it", "Add a dense layer of 4 units behind the other"]
    assert present.network.inputs_of("j") == ("p", "dense1")


def test_the_cure_of_a_sequence_as_output_says_both_layers_that_it_adds():
    network = chain(new("input", "x", shape=[12, 1]), new("lstm", "a", return_sequences=True))
    present = series(loss="mse")
    present = replace(present, network=network)
    (problem,) = examine(present).problems
    assert problem.cure == "End the network with a Flatten and a Dense layer of 1 unit."
    mended = edits.apply_fix(present, problem.fix)
    assert examine(mended).ok and [layer.kind for layer in mended.network.in_order()] == ["input", "lstm", "flatten", "dense"]


def test_joined_layers_of_unequal_width_are_made_equal():
    layers = (new("input", "x"), new("dense", "p", units=3), new("activation", "a"), new("dense", "q", units=5), new("add", "j"))
    links = [Link(*pair.split()) for pair in ("x q", "x p", "p a", "q j", "a j")]
    broken = experiment(Network((*layers, new("dense", "out", units=2)), (*links, Link("j", "out"))))
    (problem,) = examine(broken).problems
    assert problem.fix.label == "Give all of them 5 units"
    mended = edits.apply_fix(broken, problem.fix)
    assert examine(mended).ok and mended.network.layer("p")["units"] == 5


def test_one_click_after_the_other_mends_a_network():
    present = image(new("conv2d", "c", kernel_size=9), new("lstm", "l"), new("attention", "a"))
    for _ in range(6):
        problems = examine(present).problems
        if problems:
            present = edits.apply_fix(present, problems[0].fix)
    assert [layer.kind for layer in examine(present).problems] == [] and examine(present).layers["out"].output_shape == (10,)


def test_a_fix_of_another_document_is_refused():
    (problem,) = examine(experiment(dense_net(2, 4, 3))).problems
    with pytest.raises(edits.Refused):
        edits.apply_fix(experiment(chain(new("input", "x"))), problem.fix)


def test_memory_is_estimated_and_refused_before_anything_is_allocated():
    wide = [new("conv2d", "c", out_channels=1024, padding=60, kernel_size=1), new("global_pool", "g"), new("dense", "out", units=10)]
    present = experiment(chain(new("input", "x", shape=[1, 8, 8]), *wide), "digits", batch_size=None)
    (problem,) = examine(present).problems
    assert problem.layer == "c" and "GB" in problem.message
    mended = edits.apply_fix(present, problem.fix)
    assert examine(mended).ok and memory(mended, examine(mended).layers) <= MOST_BYTES < memory(present, examine(present).layers)
    one_more = edits.change_training(mended, batch_size=mended.training.batch_size + 1)
    assert not examine(one_more).ok
