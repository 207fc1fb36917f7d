"""Warnings of an output that cannot be what the loss asks for; the figures in them are worked out here by hand."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from nnviz.document import edits
from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.document.shapes.report import examine
from nnviz.document.store import examples, files
from tests.engine.experiments import chain, experiment, table

X = new_layer("input", "x", shape=[2])


def document(*layers, loss: str, data=None, **training):
    return experiment(chain(X, *layers), data=data, loss=loss, **training)


def dense(units: int, activation: str = "identity"):
    return new_layer("dense", "out", units=units, activation=activation)


def warned(experiment) -> str:
    """The one warning of a document that has no problem; empty for none."""
    report = examine(experiment)
    assert report.ok and len(report.warnings) <= 1, report.problems
    return report.warnings[0].message if report.warnings else ""


@pytest.mark.parametrize("name", ["sigmoid-then-bce", "softmax-then-cross-entropy", "softmax-before-cross-entropy", "two-accuracies"])
def test_an_activation_that_the_loss_applies_itself(name):
    present = files.load(f"tests/cases/{name}.json")
    (warning,) = examine(present).warnings
    assert (warning.severity, warning.fix.label) == ("warning", "Set activation to identity") and warning.place.endswith(".activation")
    mended = edits.apply_fix(present, warning.fix)
    assert mended.network.layers[-1]["activation"] == "identity" and examine(mended).ok and not examine(mended).warnings


def test_the_bounds_are_those_of_the_loss():
    assert f"below {math.log(1 + 3 / math.e):.4g}" in warned(files.load("tests/cases/softmax-then-cross-entropy.json"))
    sigma = lambda z: 1 / (1 + math.exp(-z))  # noqa: E731
    for activation, low, high in (("sigmoid", 0, 1), ("tanh", -1, 1)):
        text = warned(document(dense(1, activation), loss="bce"))
        assert f"between {sigma(low):.2f} and {sigma(high):.2f}" in text, text
    assert "between 0.50 and 1.00" in warned(document(dense(1, "relu"), loss="bce"))
    assert f"below {math.log(1 + math.exp(-2)):.4g}" in warned(document(dense(2, "tanh"), loss="cross_entropy"))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softplus", "elu", "gelu", "silu"])
def test_binary_cross_entropy_needs_numbers_of_both_signs(activation):
    text = warned(document(dense(1, activation), loss="bce"))
    assert text and ("applies sigmoid itself" in text) == (activation == "sigmoid")


@pytest.mark.parametrize(
    "layers",
    [
        (new_layer("dense", "h", units=2), new_layer("activation", "out", function="softmax")),
        (dense(2, "softmax"), new_layer("dropout", "d", p=0.1)),
        (dense(2, "softmax"), new_layer("activation", "i", function="identity")),
        (new_layer("reshape", "r", shape=[2, 1]), new_layer("lstm", "out", units=2)),
        (new_layer("reshape", "r", shape=[2, 1]), new_layer("rnn", "out", units=2, activation="sigmoid")),
    ],
)
def test_it_is_found_wherever_it_stands(layers):
    present = document(*layers, loss="cross_entropy")
    assert "cannot fall below" in warned(present)
    mended = edits.apply_fix(present, examine(present).warnings[0].fix)
    assert examine(mended).ok and not examine(mended).warnings


@pytest.mark.parametrize(
    ("activation", "targets", "scaling", "warns"),
    [
        ("sigmoid", [0.0, 1.0], "none", False),
        ("sigmoid", [0.2, 1.5], "none", True),
        ("sigmoid", [0.2, 1.5], "min-max", False),
        ("sigmoid", [0.2, 0.5], "standardise", True),
        ("tanh", [-1.0, 1.0], "none", False),
        ("tanh", [-1.5, 1.0], "none", True),
        ("relu", [0.0, 7.0], "none", False),
        ("relu", [-0.1, 7.0], "none", True),
        ("elu", [-0.9, 7.0], "none", False),
        ("leaky_relu", [-5.0, 7.0], "none", False),
        ("identity", [-5.0, 7.0], "none", False),
    ],
)
def test_targets_must_lie_in_the_range_of_the_output(activation, targets, scaling, warns):
    data = table([[0.0, 0.0], [1.0, 1.0]], [[target] for target in targets], target_scaling=scaling)
    assert bool(warned(document(dense(1, activation), loss="mse", data=data))) == warns


def test_softmax_over_one_number_is_a_constant():
    data = table([[0.0, 0.0], [1.0, 1.0]], [[0.1], [0.9]])
    assert "always 1" in warned(document(dense(1, "softmax"), loss="mse", data=data))
    hidden = new_layer("dense", "h", units=1, activation="softmax")
    assert "always 1" in warned(document(hidden, dense(2), loss="cross_entropy"))


@pytest.mark.parametrize("data", [None, new_choice(DATASETS, "csv", path="rows.csv")])
def test_what_is_usual_has_no_warning(data):
    for loss, units in (("cross_entropy", 2), ("bce", 1), ("mse", 1)):
        assert not warned(document(new_layer("dense", "h", units=3, activation="relu"), dense(units), loss=loss, data=data))
    assert not warned(document(dense(2, "sigmoid"), loss="mse")), "one-hot targets are 0 and 1"
    assert not examine(replace(document(dense(2, "softmax"), loss="cross_entropy"), data=new_choice(DATASETS, "iris"))).warnings


@pytest.mark.parametrize("name", [*map("example:{}".format, examples.example_names()), *map("template:{}".format, examples.TEMPLATES)])
def test_no_example_and_no_template_has_a_warning(name):
    assert warned(examples.open_document(name)) == ""
