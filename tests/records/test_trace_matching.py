"""What in one trace is what in another: at other details, and between tensors and neurons."""

from __future__ import annotations

import numpy as np
import pytest

from nnviz import jobs
from nnviz.document import edits
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import counterpart, same_node, same_place, same_what_ifs
from nnviz.records.trace_record import WhatIf
from nnviz.records.trace_state import TraceState
from tests.session.traces import A1, LENGTH, index

# places of `reading`: 0 start · 1 batch · 2 z1 3 a1 4 z2 · 5 loss · 6 loss 7 z2 8 a1 9 z1 · 10 clip · 11 W1 12 b1 13 W2 14 b2


@pytest.mark.parametrize("cursor", range(LENGTH + 1))
def test_same_place_in_the_same_trace(cursor):
    assert same_place(index(0), index(1), cursor) == cursor


@pytest.mark.parametrize(
    ("cursor", "place"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (7, 6), (8, 7), (9, 7), (10, 8), (12, 10), (LENGTH, LENGTH - 2)]
)
def test_same_place_at_another_detail(cursor, place):
    """Without its own step, the last one of the same layer and phase."""
    assert same_place(index(), index(relu=False), cursor) == place


def test_same_node_is_found_by_what_it_is():
    old, new = TraceState(index(), 3), TraceState(index(1), 0)
    assert same_node(old, new, A1) == A1
    assert same_node(old, new, None) is None
    assert same_node(old, None, A1) is None
    assert same_node(old, new, 99) is None


# --- tensors and neurons ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trainer():
    document = jobs.open_document("example:moons")
    experiment = edits.add_layer(document.experiment, "dropout", between=("h1", "h2"))
    return jobs.HeadlessRun(jobs.OpenedFile(experiment, document.folder)).timeline.trainer


def _read(trainer, detail, what_ifs=()) -> TraceIndex:
    return TraceIndex(to_record(capture_next(trainer, detail, what_ifs=what_ifs)))


@pytest.fixture(scope="module")
def tensors(trainer):
    return _read(trainer, "textbook")


@pytest.fixture(scope="module")
def neurons(trainer):
    return _read(trainer, "neurons")


def test_a_tensor_is_found_among_its_neurons_and_back(tensors, neurons):
    for node in tensors.trace.nodes:
        first = counterpart(tensors, neurons, node.id)
        assert neurons.node(first).whole == node.id and not any(neurons.node(first).element)
        assert {counterpart(neurons, tensors, one) for one in neurons.scalars_of[node.id].values()} == {node.id}


def test_the_cursor_stands_at_the_same_tensor_and_phase(tensors, neurons):
    for cursor in range(1, tensors.length):
        step = tensors.trace.steps[cursor - 1]
        place = same_place(tensors, neurons, cursor)
        there = neurons.trace.steps[place - 1]
        assert there.phase == step.phase
        if step.phase in ("forward", "backward"):
            assert neurons.node(there.node).whole == step.node
            assert same_place(neurons, tensors, place) == cursor
            following = neurons.trace.steps[place]
            assert (following.phase, following.node < 0 or neurons.node(following.node).whole) != (step.phase, step.node), "all are made"
        elif step.node >= 0:
            assert step.node in {neurons.node(one).whole for one in (there.node, *there.others)}


def test_in_the_middle_of_a_tensor_the_cursor_stands_at_it(tensors, neurons):
    for place in range(1, neurons.length):
        step = neurons.trace.steps[place - 1]
        if step.phase in ("forward", "backward"):
            there = tensors.trace.steps[same_place(neurons, tensors, place) - 1]
            assert (there.phase, there.node) == (step.phase, neurons.node(step.node).whole)


@pytest.mark.parametrize("label", ["linear", "relu", "h1.weight", "h2.bias", "dropout_mask", "cross_entropy"])
@pytest.mark.parametrize("kind", ["set", "scale"])
@pytest.mark.parametrize("where", ["all", "first", "row"])
def test_what_is_supposed_of_a_tensor_is_supposed_of_its_neurons(trainer, tensors, neurons, label, kind, where):
    node = next(node for node in tensors.trace.nodes if node.label == label)
    element = {"all": None, "first": (0,) * len(node.shape), "row": (1, *[None] * (len(node.shape) - 1))}[where]
    if where == "row" and node.batch_axis is None:
        element = (None, *[0] * (len(node.shape) - 1)) if node.shape else None
    items = (WhatIf(node.id, kind, 0.5, element),)
    split = same_what_ifs(tensors, neurons, items)
    one, other = _read(trainer, "textbook", items), _read(trainer, "neurons", split)
    for tensor in one.trace.nodes:
        again = other.whole.node(tensor.id)
        for mine, its in ((tensor.value, again.value), (tensor.gradient, again.gradient)):
            assert (mine is None) == (its is None)
            if mine is not None and mine.values is not None:
                np.testing.assert_allclose(one.array(mine), other.whole.array(its), rtol=1e-12, atol=1e-12)
    back = same_what_ifs(neurons, tensors, split)
    assert len(back) <= len(split)
    third = _read(trainer, "textbook", back)
    assert third.trace.loss == pytest.approx(one.trace.loss, rel=1e-12)
    if where == "all":
        assert back == items, "said once, not of every element"


def test_what_has_no_place_there_is_told(tensors, neurons):
    mask = next(node.id for node in tensors.trace.nodes if node.label == "dropout_mask")
    bare = TraceIndex(jobs.trace_record(jobs.open_document("example:moons"), 0, "neurons"))
    assert same_what_ifs(tensors, bare, [WhatIf(mask, "ablate")]) is None
    assert same_what_ifs(tensors, neurons, [WhatIf(mask, "ablate")])
    assert counterpart(tensors, bare, mask) is None
