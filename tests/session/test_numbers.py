"""Numbers that did not travel are asked for once, one question at a time, and only while the run stands."""

import msgspec
import numpy as np
import pytest

from nnviz import protocol
from nnviz.session.moment import Moment
from tests.session.sessions import stages
from tests.session.traces import A1, W1, Z1, trace

ARRAY = protocol.Array("float32", (2,), np.array([1.0, 2.0], np.float32).tobytes())


@pytest.fixture
def standing():
    for stage in stages():
        stage.stand()
        yield stage


def _cut(stage) -> Moment:
    """The moment at which nothing of any node has travelled."""
    whole = trace(0)
    nodes = [msgspec.structs.replace(node, value=protocol.Tensor((100, 100))) for node in whole.nodes]
    stage.reply(protocol.Traced(stage.session.run.revision, msgspec.structs.replace(whole, nodes=tuple(nodes))))
    stage.wire.take()
    return stage.session.moment


def _answer(stage, node, row=0) -> protocol.NodeInspected:
    record = stage.session.run.reading.trace
    pieces = (protocol.Piece("value", node, ARRAY, is_row=True),)
    return protocol.NodeInspected(stage.session.run.revision, 0, record.detail, (), (), node, row, pieces)


def test_they_are_asked_for_once_and_added(standing):
    moment, arrived = _cut(standing), []
    standing.session.numbers.arrived.connect(arrived.append)
    standing.session.numbers.want(moment, Z1)
    standing.session.numbers.want(moment, Z1)
    assert standing.wire.take() == [protocol.InspectNode(Z1, 0)]
    standing.reply(_answer(standing, Z1))
    assert arrived == [Z1] and moment.row(Z1, moment.reading.node(Z1).value).tolist() == [1.0, 2.0]
    standing.session.numbers.want(moment, Z1)
    assert standing.wire.take() == []


def test_while_one_question_waits_only_the_latest_wish_is_kept(standing):
    moment = _cut(standing)
    for node in (Z1, W1, A1):
        standing.session.numbers.want(moment, node)
    assert standing.wire.take() == [protocol.InspectNode(Z1, 0)]
    standing.reply(_answer(standing, Z1))
    assert standing.wire.take() == [protocol.InspectNode(A1, 0)]


def test_what_has_travelled_is_not_asked_for_and_nothing_of_a_run_that_trains(standing):
    standing.session.numbers.want(standing.session.moment, Z1)
    assert standing.wire.take() == []
    moment = _cut(standing)
    standing.session.trainer.train()
    assert standing.session.run.training
    standing.wire.take()
    standing.session.numbers.want(moment, Z1)
    assert standing.wire.take() == []


def test_of_neurons_nothing_is_asked(standing):
    moment = _cut(standing)
    record = msgspec.structs.replace(moment.reading.trace, whole=trace(0))
    standing.reply(protocol.Traced(standing.session.run.revision, record))
    moment = standing.session.moment
    assert moment.reading.is_scalar and moment.reading.lacks(Z1, 0)
    standing.wire.take()
    standing.session.numbers.want(moment, Z1)
    assert standing.wire.take() == []
