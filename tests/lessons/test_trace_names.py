"""Names of lessons lead to nodes and places of a trace, whole or opened into neurons."""

from __future__ import annotations

import pytest

from nnviz.document.store.examples import open_document
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.lessons.trace_names import node_named, place_known, place_named
from nnviz.records.trace_index import TraceIndex


@pytest.fixture(scope="module", params=["textbook", "neurons"])
def index(request, tmp_path_factory) -> TraceIndex:
    timeline = Timeline(open_document("template:worked_2-2-1"), tmp_path_factory.mktemp("lesson"))
    return TraceIndex(to_record(capture_next(timeline.trainer, request.param)))


@pytest.mark.parametrize(
    ("expression", "phase", "name"),
    [
        ("value('h1/relu')[0, 0] + value('x')[0, 0]", "forward", "h1/relu"),
        ("gradient('h1/relu') * value('h1/linear')", "backward", "out/linear"),
        ("gradient('h1.weight')[1, 0]", "backward", "h1/linear"),
        ("updated('h1.weight') < updated('out.bias')", "update", "out.bias"),
        ("loss + value('mse_loss')", "loss", "mse_loss"),
        ("abs(loss)", "loss", "mse_loss"),
        ("gradient_norm('h1')", "backward", "h1/linear"),
        ("contribution('h1/relu', 'out/linear')[0, 0]", "backward", "out/linear"),
    ],
)
def test_what_is_asked_for_is_known_behind_the_step_that_makes_it(index, expression, phase, name):
    place = place_known(index, (expression,))
    assert place == place_named(index, name, phase) or index.is_scalar
    assert index.trace.steps[place - 1].phase == phase


def test_what_is_there_from_the_start_is_not_waited_for(index):
    for expression in ("value('h1.weight')", "value('x') + 1", "final('loss', 'a')", "position('h1/relu', 'forward')", "value('nowhere')"):
        assert place_known(index, (expression,)) is None
    assert place_known(index, ()) is None


def test_a_phase_without_a_step_of_the_node_and_a_phase_alone(index):
    assert index.trace.steps[place_named(index, "h1/linear", "batch") - 1].phase == "forward"
    assert place_named(index, "", "backward") == index.phase_spans["backward"][0] + 1
    assert (
        place_named(index, "", "clip") is None and place_named(index, "nowhere", "forward") is None and node_named(index, "nowhere") is None
    )
