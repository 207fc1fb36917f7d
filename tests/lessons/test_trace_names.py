"""Names of lessons lead to nodes and places of a trace, whole or opened into neurons."""

from __future__ import annotations

import pytest

from nnviz.document.store.examples import open_document
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.lessons.trace_names import node_named, place_before, place_named
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState


@pytest.fixture(scope="module", params=["textbook", "neurons"])
def index(request, tmp_path_factory) -> TraceIndex:
    timeline = Timeline(open_document("template:worked_2-2-1"), tmp_path_factory.mktemp("lesson"))
    return TraceIndex(to_record(capture_next(timeline.trainer, request.param)))


@pytest.mark.parametrize(("name", "phase"), [("h1/relu", "forward"), ("out/linear", "forward"), ("h1.weight", "update")])
def test_a_node_has_nothing_before_its_step_and_all_behind_it(index, name, phase):
    node = node_named(index, name)
    known = index.scalars_of[node].values() if index.is_scalar else (node,)

    def has(cursor: int) -> list[bool]:
        state = TraceState(index, cursor, None)
        return [(state.is_made if phase == "forward" else state.is_updated)(one) for one in known]

    assert not any(has(place_before(index, name, phase))) and all(has(place_named(index, name, phase)))


@pytest.mark.parametrize("name", ["out/linear", "h1/relu", "h1.weight"])
def test_backward_comes_behind_the_loss(index, name):
    before, behind = place_before(index, name, "backward"), place_named(index, name, "backward")
    assert index.phase_spans["loss"][1] <= before < behind and index.trace.steps[behind - 1].phase == "backward"


def test_a_phase_without_a_step_of_the_node_and_a_phase_alone(index):
    batch = index.phase_spans["batch"]
    assert place_before(index, "h1/linear", "batch") == batch[1]
    assert index.trace.steps[place_named(index, "h1/linear", "batch") - 1].phase == "forward"
    assert place_named(index, "", "backward") == index.phase_spans["backward"][0] + 1
    assert place_before(index, "", "backward") == index.phase_spans["backward"][0]
    assert (
        place_named(index, "", "clip") is None and place_named(index, "nowhere", "forward") is None and node_named(index, "nowhere") is None
    )
