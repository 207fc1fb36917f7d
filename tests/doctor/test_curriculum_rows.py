"""What a course tells of nets that do not learn, row by row: the doctor names it where it is so, and is silent where it is cured."""

from __future__ import annotations

import pytest

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.store import examples
from tests.doctor.going import diagnoses


def example(name: str) -> Experiment:
    return examples.open_document(f"example:{name}")


def with_every(experiment: Experiment, change) -> Experiment:
    """The document with each hidden dense layer changed."""
    for layer in experiment.network.layers:
        if layer.kind == "dense" and layer.id != "out":
            experiment = change(experiment, layer.id)
    return experiment


def saturating(experiment: Experiment) -> Experiment:
    tanh = with_every(experiment, lambda one, id: edits.change_layer(one, id, activation="tanh"))
    return with_every(tanh, lambda one, id: edits.set_gain(one, id, 60.0))


def slower(experiment: Experiment, rate: float) -> Experiment:
    return edits.change_optimizer(experiment, learning_rate=rate)


def layer_normed(experiment: Experiment) -> Experiment:
    return with_every(experiment, lambda one, id: edits.add_layer(one, "layer_norm", after=id))


DYING = edits.set_parameter(example("moons"), "h1.bias", [-30.0] * 4)
ROWS = {
    "B2 saturated": (saturating(example("moons")), {"saturated"}, 60),
    "B3 dead": (DYING, {"dead_relu"}, 90),
    "C1 too small": (slower(example("moons"), 1e-7), {"rate_too_small"}, 60),
    "C1 right": (example("moons"), set(), 300),
    "C1 too large": (slower(example("moons"), 3.0), {"rate_too_large"}, 60),
    "C1 far too large": (slower(example("learning_rate"), 100.0), {"non_finite"}, 60),
    "C2 unscaled": (example("unscaled"), {"input_scale"}, 10),
    "C2 scaled": (example("wine"), set(), 200),
    "D1 vanishing": (example("deep_sigmoid"), {"vanishing"}, 60),
    "D2 ReLU": (example("deep_relu"), set(), 200),
    "D3 exploding": (example("exploding"), {"non_finite"}, 10),
    "D4 zeros": (
        with_every(edits.set_initializer(example("moons"), "out", "zeros"), lambda one, id: edits.set_initializer(one, id, "zeros")),
        {"symmetric_start"},
        30,
    ),
    "D5 residual": (example("deep_residual"), set(), 200),
    "D6 batch norm": (example("batch_norm"), set(), 200),
    "D7 layer norm": (layer_normed(example("deep_sigmoid")), set(), 150),
    "D8 clipped": (edits.change_training(example("exploding"), clip_norm=1e-3), {"exploding"}, 120),
    "E1 overfitting": (example("overfitting"), {"overfitting"}, 200),
}
"""Row, document, what is to be found of it at some time, within so many iterations; with nothing to be found, nothing at any time."""


@pytest.mark.parametrize("row", ROWS)
def test_rows(row: str) -> None:
    experiment, wanted, iterations = ROWS[row]
    found = {one.kind for _, findings in diagnoses(experiment, iterations) for one in findings if not one.is_information}
    assert wanted <= found if wanted else not found, found
