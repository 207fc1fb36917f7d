"""Layers whose units begin alike are told without building anything; torch shows that they stay so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import examine
from nnviz.engine.run.timeline import Timeline
from tests.session.sessions import two_moons


def begun(*initializers: str) -> Experiment:
    experiment = two_moons()
    for layer, initializer in zip(("h1", "out"), initializers, strict=True):
        experiment = edits.set_initializer(experiment, layer, initializer)
    return experiment


def warned(experiment: Experiment) -> list[str]:
    return [warning.layer for warning in examine(experiment).warnings if warning.place.endswith(".initializer")]


@pytest.mark.parametrize(
    "kinds", [("zeros", "zeros"), ("constant", "constant"), ("constant", "zeros"), ("default", "zeros"), ("constant", "default")]
)
def test_a_warning_stands_where_the_units_stay_alike(kinds: tuple[str, str]) -> None:
    experiment = begun(*kinds)
    timeline = Timeline(experiment, Path())
    while timeline.iteration < 20:
        timeline.advance(at_most=20 - timeline.iteration)
    weight = timeline.trainer.parameters["h1.weight"].detach()
    stays_alike = bool(torch.equal(weight, weight[:1].expand_as(weight)))
    assert bool(warned(experiment)) == stays_alike


def test_the_fix_takes_it_away() -> None:
    experiment = begun("zeros", "zeros")
    (warning,) = [one for one in examine(experiment).warnings if one.place.endswith(".initializer")]
    assert not warned(edits.apply_fix(experiment, warning.fix)) and warning.severity == "warning"


def test_dropout_between_them_and_weights_by_hand_tell_units_apart() -> None:
    assert not warned(edits.add_layer(begun("zeros", "zeros"), "dropout", after="h1"))
    assert warned(edits.add_layer(begun("zeros", "zeros"), "activation", after="h1")) == ["h1"]
    assert not warned(edits.set_parameter(begun("zeros", "zeros"), "h1.bias", [0.0, 1.0, 2.0, 3.0]))
