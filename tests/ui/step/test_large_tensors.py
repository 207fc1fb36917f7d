"""Tensors too large to travel: around the node on the card they come when asked for, and the card has their numbers then."""

import math

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import nn

from nnviz import messages
from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.inspection import ALONE, node_tensors
from nnviz.engine.observe.trace_records import to_record
from nnviz.operations.substitution import substituted
from nnviz.records.tensors import Array
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import Piece
from nnviz.records.trace_state import TraceState
from nnviz.text.numbers import number
from nnviz.trace import capture
from nnviz.ui.step import chain
from nnviz.ui.step._chain_rule_card import ChainRuleCard
from nnviz.ui.step.elements import row_shape

ROWS = 32


@pytest.fixture(scope="module")
def captured():
    torch.manual_seed(0)
    convolution = nn.Conv2d(1, 12, 3, padding=1)
    net = nn.Sequential(convolution, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12 * 14 * 14, 3))
    x, y = torch.randn(ROWS, 1, 28, 28), torch.randint(3, (ROWS,))
    trace = capture(net, x, loss=nn.functional.cross_entropy, target=y)
    return Captured(trace, torch.arange(ROWS), 0, 0, "float32", "x")


@pytest.fixture
def index(captured):
    return TraceIndex(messages.decode_reply(messages.frame(messages.Traced(0, to_record(captured)))[4:]).trace)


def _answer(captured, node, row):
    return messages.decode_reply(messages.frame(messages.NodeInspected(0, node_tensors(captured, node, row)))[4:]).tensors


@pytest.mark.parametrize("row", [5, None])
def test_what_is_too_large_comes_as_a_row_and_is_torchs_own(captured, index, row):
    node = next(node for node in index.trace.nodes if node.operation == "conv2d")
    own = captured.trace.nodes[node.id].value
    state = TraceState(index, index.length, row)
    assert own.numel() > ALONE and state.row(node.id, node.value) is None and index.lacks(node.id, row)
    assert index.take(_answer(captured, node.id, row)) and not index.lacks(node.id, row)
    wanted = own.double().mean(0) if row is None else own[row]
    assert abs(state.row(node.id, node.value) - wanted.numpy()).max() < 1e-7
    assert TraceState(index, index.length, 6).row(node.id, node.value) is None, "of another row nothing is known"


def test_every_formula_has_its_numbers_then(captured, index):
    silent = []
    for node in index.trace.nodes:
        state = TraceState(index, index.length, 3)
        if node.kind == "operation":
            index.take(_answer(captured, node.id, 3))
            silent += [] if substituted(state, node, (0,) * len(row_shape(node))) else [node.operation]
            assert not any(" mean " in line.text for line in chain.chain_lines(state, node))
    assert silent == []


def test_an_answer_about_another_trace_is_not_taken(captured, index):
    answer = _answer(captured._replace(iteration=1), 2, 0)
    assert not index.take(answer)


def test_the_card_shows_them_as_soon_as_they_are_there(qtbot, captured, index):
    card = ChainRuleCard()
    qtbot.addWidget(card)
    node = next(node for node in index.trace.nodes if node.operation == "relu")
    card.set_trace_state(TraceState(index, index.length, 3), node.id)
    assert card._numbers.text() == ""
    index.take(_answer(captured, node.id, 3))
    card.set_trace_state(TraceState(index, index.length, 3), node.id)
    assert card._numbers.text().startswith("a[") and "max(0, " in card._numbers.text()
    assert [line.label for line in card._rows.lines()] == ["upstream ∂L/∂a", "× local ∂a/∂z", "∂L/∂z[7, 10, 2]", "= ∂L/∂z"]
    assert all(line.text.count("\n") >= 3 for line in card._rows.lines() if not line.wraps)


def test_upstream_times_local_is_the_contribution(captured, index):
    node = next(node for node in index.trace.nodes if node.operation == "relu")
    index.take(_answer(captured, node.id, 3))
    state, (edge,) = TraceState(index, index.length, 3), index.in_edges[node.id]
    slope, is_row = index.local(edge, 3)
    assert is_row == (captured.trace.nodes[node.id].value.numel() > ALONE)
    slope = slope if is_row else slope[3]
    upstream, sent = state.row(node.id, node.gradient), state.row(edge.source, edge.contribution)
    assert abs(upstream * slope - sent).max() == 0


def test_a_local_that_came_whole_is_known_at_every_row(captured, index):
    node = next(node for node in index.trace.nodes if node.operation == "relu")
    answer, (edge,) = _answer(captured, node.id, 3), index.in_edges[node.id]
    whole = np.arange(math.prod(node.shape), dtype=np.float32).reshape(node.shape)
    local = Piece("local", node.id, Array("float32", node.shape, whole.tobytes()), False, node.id, 0)
    index.take(replace(answer, pieces=(local,)))
    assert all(np.array_equal(index.local(edge, row)[0], whole) and not index.local(edge, row)[1] for row in (3, 5, None))
    index = TraceIndex(index.trace)
    index.take(replace(answer, pieces=(replace(local, is_row=True),)))
    assert index.local(edge, 3)[1] and index.local(edge, 5) is None


def test_an_input_from_a_later_output_has_that_outputs_numbers():
    module = nn.Linear(2, 2)

    def halves(x):
        first, second = module(x).chunk(2, -1)
        return (first * second.tanh()).mean()

    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = module

        def forward(self, x):
            return halves(x)

    trace = capture(Halves(), torch.randn(4, 2))
    index = TraceIndex(to_record(Captured(trace, torch.arange(4), 0, 0, "float32", "x")))
    node = next(node for node in index.trace.nodes if node.operation == "tanh")
    line = chain.forward_lines(TraceState(index, index.length, 1), node, (0,))[0]
    assert line.text == number(trace.nodes[node.inputs[0]].values[1][1, 0].item())
