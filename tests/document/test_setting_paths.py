"""Every setting a sweep can change is offered with values that the document takes."""

from __future__ import annotations

import pytest

from nnviz.document.edits import set_value
from nnviz.document.setting_paths import setting_paths
from nnviz.document.store.examples import open_document
from nnviz.document.sweep_plan import SweepOrder, planned, read_axis


@pytest.mark.parametrize("name", ["moons", "digits", "thinned_nets", "tiny_text", "gan"])
def test_each_setting_is_one_that_can_be_set_with_the_values_that_are_offered(name):
    experiment = open_document(f"example:{name}")
    found = setting_paths(experiment)
    assert len({one.path for one in found}) == len(found) > 20 and all(one.label and one.explanation for one in found)
    for one in found:
        if one.value is not None:
            set_value(experiment, one.path, one.value)
        if one.usual and one.path != "training.early_stopping":
            runs = planned(experiment, SweepOrder((read_axis(f"{one.path}={one.usual}"),), iterations=3))
            assert any(not run.problem for run in runs)


def test_what_is_tried_most_often_comes_first_with_useful_values():
    usual = {one.path: one.usual for one in setting_paths(open_document("example:moons"))}
    assert next(iter(usual)) == "training.optimizer.kind" and usual["training.optimizer.learning_rate"] == "0.001, 0.01, 0.1"
    assert usual["network.layers.h1.units"] == "2, 4, 8" and usual["training.dropout"] == "true, false"
    assert usual["training.optimizer.beta2"] == "0.99, 0.999, 0.9999" and usual["training.clip_norm"].startswith("none, ")
    assert usual["data.validation"] == "0, 0.2, 0.5" and usual["seed"] == "11, 12, 13, 14, 15"
