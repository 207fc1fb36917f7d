"""What the doctor finds in runs made by the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnviz.doctor.diagnosis import diagnose
from nnviz.document.store import examples
from nnviz.engine.run.timeline import Timeline


def after(name: str, iterations: int) -> Timeline:
    timeline = Timeline(examples.open_document(name), Path())
    while timeline.iteration < iterations and not timeline.advance(at_most=iterations - timeline.iteration):
        pass
    return timeline


def test_a_deep_sigmoid_net_vanishes_from_its_first_iterations_on() -> None:
    found = diagnose(after("example:deep_sigmoid", 300).history())
    assert (found[0].kind, found[0].layer) == ("vanishing", "h1")
    assert found[0].value < found[0].bound and found[0].since < 20


@pytest.mark.parametrize("name", ["moons", "deep_residual"])
def test_a_net_that_learns_has_no_finding(name: str) -> None:
    timeline = after(f"example:{name}", 300)
    assert timeline.checkups and diagnose(timeline.history()) == ()
