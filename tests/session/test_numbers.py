"""Numbers that did not travel are asked for once, one question at a time, and only while the run stands."""

import msgspec
import numpy as np
import pytest

from nnviz import messages
from nnviz.records.tensors import Array, Tensor
from nnviz.records.trace_record import NodeTensors, Piece
from nnviz.records.trace_state import TraceState
from tests.session.sessions import stages
from tests.session.traces import A1, W1, Z1, trace

ARRAY = Array("float32", (2,), np.array([1.0, 2.0], np.float32).tobytes())


@pytest.fixture
def standing():
    for stage in stages():
        stage.stand()
        yield stage


def _cut(stage) -> TraceState:
    """The moment at which nothing of any node has travelled."""
    whole = trace(0)
    nodes = [msgspec.structs.replace(node, value=Tensor((100, 100))) for node in whole.nodes]
    stage.reply(messages.Traced(stage.session.run.revision, msgspec.structs.replace(whole, nodes=tuple(nodes))))
    stage.wire.take()
    return stage.session.stepping.state


def _answer(stage, node, row=0) -> messages.NodeInspected:
    record = stage.session.run.trace_index.trace
    pieces = (Piece("value", node, ARRAY, is_row=True),)
    return messages.NodeInspected(stage.session.run.revision, NodeTensors(0, record.detail, (), (), node, row, pieces))


def test_they_are_asked_for_once_and_added(standing):
    state, arrived = _cut(standing), []
    standing.session.numbers.arrived.connect(arrived.append)
    standing.session.numbers.want(state, Z1)
    standing.session.numbers.want(state, Z1)
    assert standing.wire.take() == [messages.InspectNode(Z1, 0)]
    standing.reply(_answer(standing, Z1))
    assert arrived == [Z1] and state.row(Z1, state.index.node(Z1).value).tolist() == [1.0, 2.0]
    standing.session.numbers.want(state, Z1)
    assert standing.wire.take() == []


def test_while_one_question_waits_only_the_latest_wish_is_kept(standing):
    state = _cut(standing)
    for node in (Z1, W1, A1):
        standing.session.numbers.want(state, node)
    assert standing.wire.take() == [messages.InspectNode(Z1, 0)]
    standing.reply(_answer(standing, Z1))
    assert standing.wire.take() == [messages.InspectNode(A1, 0)]


def test_what_has_travelled_is_not_asked_for_and_nothing_of_a_run_that_trains(standing):
    standing.session.numbers.want(standing.session.stepping.state, Z1)
    assert standing.wire.take() == []
    state = _cut(standing)
    standing.session.training.train()
    assert standing.session.run.training
    standing.wire.take()
    standing.session.numbers.want(state, Z1)
    assert standing.wire.take() == []


def test_of_neurons_nothing_is_asked(standing):
    state = _cut(standing)
    record = msgspec.structs.replace(state.index.trace, whole=trace(0))
    standing.reply(messages.Traced(standing.session.run.revision, record))
    state = standing.session.stepping.state
    assert state.index.is_scalar and state.index.lacks(Z1, 0)
    standing.wire.take()
    standing.session.numbers.want(state, Z1)
    assert standing.wire.take() == []
