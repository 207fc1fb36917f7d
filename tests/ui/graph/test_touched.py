"""A move of the cursor looks only at what its steps touch, and leaves every card and wire as if all had been looked at."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnviz.session.moment import Moment
from nnviz.ui.graph import structure
from nnviz.ui.graph.scene import GraphScene
from nnviz.ui.graph.touched import touched
from tests.ui import captured


@pytest.mark.parametrize("name", ["lstm", "dropout_train", "tied_weights"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_walk_shows_what_a_fresh_look_shows(qapp, name, data):
    reading = captured.reading(name)
    keys = sorted(structure.block_keys(reading.trace))
    folded = frozenset(data.draw(st.lists(st.sampled_from(keys)))) if keys else frozenset()
    walk = data.draw(st.lists(st.integers(0, reading.length) | st.sampled_from([-1, +1]), min_size=2, max_size=12))
    walked, fresh, cursor = GraphScene(), GraphScene(), 0
    for scene in (walked, fresh):
        scene.travel.set_animated(False)
    walked.set_moment(Moment(reading, 0, 0))
    walked.set_folded(folded)
    for step in walk:
        cursor = step if step not in (-1, +1) else max(0, min(reading.length, cursor + step))
        walked.set_moment(Moment(reading, cursor, 0))
    fresh.set_moment(Moment(reading, cursor, 0))
    fresh.set_folded(folded)
    assert {key: item.state for key, item in walked.cards.items()} == {key: item.state for key, item in fresh.cards.items()}
    assert {ends: item.state for ends, item in walked.wires.items()} == {ends: item.state for ends, item in fresh.wires.items()}


def test_a_step_touches_its_node_what_it_reads_and_those_it_sends_to():
    reading = captured.reading("lstm")
    place = next(step.index for step in reading.trace.steps if step.phase == "backward") + 5
    before, now = Moment(reading, place, 0), Moment(reading, place + 1, 0)
    found = touched(before, now)
    assert {now.node.id, before.node.id, *now.node.inputs, *now.reads()} <= found and len(found) < 12


def test_another_phase_row_or_trace_touches_all():
    reading = captured.reading("lstm")
    end = reading.phase_spans["forward"][1]
    assert touched(Moment(reading, end, 0), Moment(reading, end + 1, 0)) is None
    assert touched(Moment(reading, 5, 0), Moment(reading, 6, 1)) is None
    assert touched(Moment(captured.reading("tied_weights"), 5, 0), Moment(reading, 6, 0)) is None
    assert touched(None, Moment(reading, 6, 0)) is None
