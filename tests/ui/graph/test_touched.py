"""A move of the cursor looks only at what its steps touch, and leaves every node and edge as if all had been looked at."""

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnviz import jobs
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.graph.grouping import tree
from nnviz.ui.graph.trace_scene import TraceScene, touched
from tests.ui import captured


@pytest.mark.parametrize("name", ["lstm", "dropout_train", "tied_weights"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_walk_shows_what_a_fresh_look_shows(qapp, name, data):
    index = captured.index(name)
    keys = sorted(tree(index.trace).groups)
    folded = frozenset(data.draw(st.lists(st.sampled_from(keys)))) if keys else frozenset()
    walk = data.draw(st.lists(st.integers(0, index.length) | st.sampled_from([-1, +1]), min_size=2, max_size=12))
    walked, fresh, cursor = TraceScene(), TraceScene(), 0
    for scene in (walked, fresh):
        scene.travel.set_animated(False)
    walked.set_trace_state(TraceState(index, 0, 0))
    walked.set_folded(folded)
    for step in walk:
        cursor = step if step not in (-1, +1) else max(0, min(index.length, cursor + step))
        walked.set_trace_state(TraceState(index, cursor, 0))
    fresh.set_trace_state(TraceState(index, cursor, 0))
    fresh.set_folded(folded)
    assert {key: item.state for key, item in walked.cards.items()} == {key: item.state for key, item in fresh.cards.items()}
    assert {ends: item.state for ends, item in walked.edges.items()} == {ends: item.state for ends, item in fresh.edges.items()}


@pytest.mark.parametrize("name", ["worked_2-2-1", "residual"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_walk_among_neurons_shows_what_a_fresh_look_shows(qapp, name, data):
    index = _neurons(name)
    nodes = st.none() | st.integers(0, len(index.trace.nodes) - 1)
    walk = data.draw(st.lists(st.tuples(st.integers(0, index.length) | st.sampled_from([-1, +1]), nodes), min_size=2, max_size=12))
    walked, fresh, cursor, selected = TraceScene(), TraceScene(), 0, None
    for scene in (walked, fresh):
        scene.travel.set_animated(False)
    walked.set_trace_state(TraceState(index, 0, 0))
    for step, selected in walk:
        cursor = step if step not in (-1, +1) else max(0, min(index.length, cursor + step))
        walked.set_trace_state(TraceState(index, cursor, 0))
        walked.set_look(selected=selected)
    fresh.set_look(selected=selected)
    fresh.set_trace_state(TraceState(index, cursor, 0))
    assert {key: item.state for key, item in walked.cards.items()} == {key: item.state for key, item in fresh.cards.items()}
    assert {ends: item.state for ends, item in walked.edges.items()} == {ends: item.state for ends, item in fresh.edges.items()}


@cache
def _neurons(name):
    return TraceIndex(jobs.trace_record(jobs.open_document(f"example:{name}"), 0, "neurons"))


def test_a_step_touches_its_node_what_it_reads_and_those_it_sends_to():
    index = captured.index("lstm")
    place = next(step.index for step in index.trace.steps if step.phase == "backward") + 5
    before, now = TraceState(index, place, 0), TraceState(index, place + 1, 0)
    found = touched(before, now)
    assert {now.node.id, before.node.id, *now.node.inputs, *now.reads()} <= found and len(found) < 12


def test_another_phase_row_or_trace_touches_all():
    index = captured.index("lstm")
    end = index.phase_spans["forward"][1]
    assert touched(TraceState(index, end, 0), TraceState(index, end + 1, 0)) is None
    assert touched(TraceState(index, 5, 0), TraceState(index, 6, 1)) is None
    assert touched(TraceState(captured.index("tied_weights"), 5, 0), TraceState(index, 6, 0)) is None
    assert touched(None, TraceState(index, 6, 0)) is None
