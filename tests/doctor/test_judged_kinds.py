"""Nothing is called judged before it was measured, nor what a net has not."""

from pathlib import Path

import pytest

from nnviz.doctor.judged_kinds import judged_kinds
from nnviz.document.finding_kinds import FINDING_KINDS
from nnviz.document.store.examples import open_document
from nnviz.engine.run.timeline import Timeline

AT_START = {"output_range", "symmetric_start", "input_scale", "start_loss"}


def judged(example: str, iterations: int, **changed) -> set[str]:
    timeline = Timeline(open_document(f"example:{example}"), Path())
    while timeline.iteration < iterations:
        timeline.advance(at_most=iterations - timeline.iteration)
    return set(judged_kinds(timeline.history(), changed))


@pytest.mark.parametrize(
    ("example", "iterations", "more"),
    [
        ("moons", 0, set()),
        ("moons", 23, set()),
        ("moons", 24, {"exploding", "vanishing", "rate_too_small", "rate_too_large", "diverging"}),
        ("moons", 60, {"exploding", "vanishing", "rate_too_small", "rate_too_large", "diverging", "dead_relu"}),
        ("deep_sigmoid", 60, {"exploding", "vanishing", "rate_too_small", "rate_too_large", "diverging", "saturated"}),
    ],
)
def test_what_is_judged_when(example, iterations, more):
    assert judged(example, iterations) == AT_START | more
    assert judged(example, iterations) <= set(FINDING_KINDS)


def test_what_is_not_looked_for_is_not_judged():
    assert judged("moons", 24, vanishing={"enabled": False}) == judged("moons", 24) - {"vanishing"}
