"""Tensors too large to travel: around the node on the card they come when asked for, and the card has their numbers then."""

import math

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import nn

from nnviz import protocol
from nnviz.engine.looking import ALONE, node_inspected
from nnviz.engine.records import to_record
from nnviz.engine.tracing import Captured
from nnviz.session.moment import Moment
from nnviz.session.reading import Reading
from nnviz.trace import capture
from nnviz.ui.inspector import chain
from nnviz.ui.inspector.card import ChainRuleCard
from nnviz.ui.inspector.elements import row_shape
from nnviz.ui.inspector.substitution import substituted
from nnviz.ui.numerals import number

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
def reading(captured):
    return Reading(protocol.decode_reply(protocol.frame(protocol.Traced(0, to_record(captured)))[4:]).trace)


def _answer(captured, node, row):
    return protocol.decode_reply(protocol.frame(node_inspected(captured, protocol.InspectNode(node, row)))[4:])


@pytest.mark.parametrize("row", [5, None])
def test_what_is_too_large_comes_as_a_row_and_is_torchs_own(captured, reading, row):
    node = next(node for node in reading.trace.nodes if node.operation == "conv2d")
    own = captured.trace.nodes[node.id].value
    moment = Moment(reading, reading.length, row)
    assert own.numel() > ALONE and moment.row(node.id, node.value) is None and reading.lacks(node.id, row)
    assert reading.take(_answer(captured, node.id, row)) and not reading.lacks(node.id, row)
    wanted = own.double().mean(0) if row is None else own[row]
    assert abs(moment.row(node.id, node.value) - wanted.numpy()).max() < 1e-7
    assert Moment(reading, reading.length, 6).row(node.id, node.value) is None, "of another row nothing is known"


def test_every_formula_has_its_numbers_then(captured, reading):
    silent = []
    for node in reading.trace.nodes:
        moment = Moment(reading, reading.length, 3)
        if node.kind == "operation":
            reading.take(_answer(captured, node.id, 3))
            silent += [] if substituted(moment, node, (0,) * len(row_shape(node))) else [node.operation]
            assert not any(" mean " in line.text for line in chain.chain_lines(moment, node))
    assert silent == []


def test_an_answer_about_another_trace_is_not_taken(captured, reading):
    answer = _answer(captured._replace(iteration=1), 2, 0)
    assert not reading.take(answer)


def test_the_card_shows_them_as_soon_as_they_are_there(qtbot, captured, reading):
    card = ChainRuleCard()
    qtbot.addWidget(card)
    node = next(node for node in reading.trace.nodes if node.operation == "relu")
    card.set_moment(Moment(reading, reading.length, 3), node.id)
    assert card._numbers.text() == ""
    reading.take(_answer(captured, node.id, 3))
    card.set_moment(Moment(reading, reading.length, 3), node.id)
    assert card._numbers.text().startswith("a[") and "max(0, " in card._numbers.text()
    assert [line.label for line in card._rows.lines()] == ["upstream ∂L/∂a", "× local ∂a/∂z", "= ∂L/∂z"]
    assert all(line.text.count("\n") >= 3 for line in card._rows.lines())


def test_upstream_times_local_is_the_contribution(captured, reading):
    node = next(node for node in reading.trace.nodes if node.operation == "relu")
    reading.take(_answer(captured, node.id, 3))
    moment, (edge,) = Moment(reading, reading.length, 3), reading.in_edges[node.id]
    slope, is_row = reading.local(edge, 3)
    assert is_row == (captured.trace.nodes[node.id].value.numel() > ALONE)
    slope = slope if is_row else slope[3]
    upstream, sent = moment.row(node.id, node.gradient), moment.row(edge.source, edge.contribution)
    assert abs(upstream * slope - sent).max() == 0


def test_a_local_that_came_whole_is_known_at_every_row(captured, reading):
    node = next(node for node in reading.trace.nodes if node.operation == "relu")
    answer, (edge,) = _answer(captured, node.id, 3), reading.in_edges[node.id]
    whole = np.arange(math.prod(node.shape), dtype=np.float32).reshape(node.shape)
    local = protocol.Piece("local", node.id, protocol.Array("float32", node.shape, whole.tobytes()), False, node.id, 0)
    reading.take(replace(answer, pieces=(local,)))
    assert all(np.array_equal(reading.local(edge, row)[0], whole) and not reading.local(edge, row)[1] for row in (3, 5, None))
    reading = Reading(reading.trace)
    reading.take(replace(answer, pieces=(replace(local, is_row=True),)))
    assert reading.local(edge, 3)[1] and reading.local(edge, 5) is None


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
    reading = Reading(to_record(Captured(trace, torch.arange(4), 0, 0, "float32", "x")))
    node = next(node for node in reading.trace.nodes if node.operation == "tanh")
    line = chain.forward_lines(Moment(reading, reading.length, 1), node, (0,))[0]
    assert line.text == number(trace.nodes[node.inputs[0]].values[1][1, 0].item())
