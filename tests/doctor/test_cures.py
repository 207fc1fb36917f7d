"""Cures are edits that can be made, whatever the document."""

from __future__ import annotations

import pytest

from nnviz.doctor.cures import cures
from nnviz.document import edits
from nnviz.document.finding_kinds import FINDING_KINDS
from nnviz.document.shapes.report import examine
from nnviz.document.store import examples
from nnviz.records.finding import Finding

NAMES = examples.example_names()


def finding(kind: str, layer: str = "") -> Finding:
    return Finding(kind, layer, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_every_cure_can_be_made_and_changes_something(name: str) -> None:
    experiment = examples.open_document(f"{examples.PREFIX}{name}")
    for kind in FINDING_KINDS:
        found = cures(finding(kind), experiment)
        assert len({one.label for one in found}) == len(found)
        for one in found:
            changed = edits.apply_fix(experiment, one)
            assert changed != experiment and not examine(changed).problems, (kind, one.label)


def test_links_around_hidden_layers_make_the_net_of_the_residual_example() -> None:
    deep, residual = (examples.open_document(f"example:deep_{name}") for name in ("sigmoid", "residual"))
    around = next(one for one in cures(finding("vanishing"), deep) if "around" in one.label)
    network = edits.apply_fix(deep, around).network
    assert [len(network.inputs_of(layer.id)) for layer in network if layer.kind == "add"] == [2] * 9
    assert sorted(layer.kind for layer in network) == sorted(layer.kind for layer in residual.network)


def test_weights_set_by_hand_give_way_to_another_start() -> None:
    experiment = edits.set_gain(examples.open_document("example:moons"), "h1", 50.0)
    by_hand = edits.set_parameter(experiment, "h2.bias", [3.0, 0.0, 0.0, 0.0])
    start = next(one for one in cures(finding("saturated"), by_hand) if one.label.startswith("Start"))
    cured = edits.apply_fix(by_hand, start)
    assert not cured.weights and cured.network.layer("h1").gain == 1.0 and cured.network.layer("h1").initializer == "he_uniform"
