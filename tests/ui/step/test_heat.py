"""The heat map of attention weights: which nodes have one, whose head and row it shows, and that it is not there before it is computed."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from nnviz import jobs
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.resource_files import resource_folder
from nnviz.ui.step._chain_rule_card import ChainRuleCard
from nnviz.ui.step._heat import is_attention, limits, matrix


@functools.cache
def index() -> TraceIndex:
    return TraceIndex(jobs.trace_record(jobs.open_document(str(resource_folder("pictures") / "attention.json")), 2, "textbook"))


def weights(of: TraceIndex):
    return next(node for node in of.trace.nodes if is_attention(TraceState(of, 0), node))


def test_only_a_softmax_over_keys_is_one():
    of = index()
    found = [node for node in of.trace.nodes if is_attention(TraceState(of, 0), node)]
    assert [(node.operation, node.batch_axis, node.shape[1:]) for node in found] == [("softmax", 0, (2, 6, 6))]
    moons = TraceIndex(jobs.trace_record(jobs.open_document("example:moons"), 0, "math"))
    assert not any(is_attention(TraceState(moons, 0), node) for node in moons.trace.nodes)


@pytest.mark.parametrize("sample", [0, 7, None])
def test_rows_are_queries_and_add_up_to_1(sample):
    of = index()
    node, whole = weights(of), of.array(weights(of).value)
    cells = matrix(TraceState(of, of.length, sample), node, node.value, (1, 3, 4))
    expected = whole.mean(0)[1] if sample is None else whole[sample, 1]
    assert np.array_equal(cells, expected) and cells.sum(-1) == pytest.approx(np.ones(6), abs=1e-5)


def test_it_comes_with_its_step_and_its_gradient_with_that(qtbot):
    of = index()
    node = weights(of)
    card = ChainRuleCard()
    qtbot.addWidget(card)
    made, back = of.made_at[node.id], of.backward_at[node.id]
    told = []
    for cursor in (made - 1, made, back):
        card.set_trace_state(TraceState(of, cursor, 0), node.id)
        assert card.heat.isVisibleTo(card)
        told.append([" not computed" in picture.accessibleDescription() for picture in (card.heat.weights, card.heat.gradients)])
    assert told == [[True, True], [False, True], [False, False]]
    card.resize(320, 700)
    assert not card.grab().isNull()
    card.set_trace_state(TraceState(of, back, 0), node.inputs[0])
    assert not card.heat.isVisibleTo(card)


def test_full_colour_is_the_largest_of_the_matrix_or_of_each_row(qtbot):
    cells = np.array([[0.05, 0.12, 0.08], [0.01, 0.02, 0.9]])
    assert limits(cells, "row").tolist() == [0.12, 0.9]
    assert len(set(limits(cells, "matrix").tolist())) == 1
    assert limits(np.array([[0.05, 0.12], [0.1, 0.11]]), "matrix")[0] < 0.13, "not 1: the small numbers can be told apart"
    assert limits(np.array([[0.0, 0.0]]), "row").tolist() == [1.0]
    of, card = index(), ChainRuleCard()
    qtbot.addWidget(card)
    node = weights(of)
    card.set_trace_state(TraceState(of, of.length, 0), node.id)
    before = card.heat.weights.grab().toImage()
    card.heat.scale.choose("row")
    assert card.heat.weights.grab().toImage() != before
    assert "HEAD 1" in card._attention.text() or "HEAD 0" in card._attention.text()
