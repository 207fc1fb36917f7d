"""The rows of the batch are asked for once per iteration, while somebody looks."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.messages import BatchInspected
from nnviz.records.tensors import Array
from tests.session.sessions import stages

EMPTY = Array("float64", (0,), b"")


@pytest.fixture
def stage(qapp):
    yield from stages()


def asked(stage) -> int:
    return len(stage.wire.of(messages.InspectBatch))


def test_once_per_iteration_and_only_while_it_is_wanted(stage):
    stage.stand()
    assert asked(stage) == 0
    batch, seen = stage.session.batch, []
    batch.changed.connect(seen.append)
    batch.want(True)
    assert asked(stage) == 1
    stage.reply(BatchInspected(0, (1, 2), EMPTY, EMPTY, EMPTY))
    assert asked(stage) == 1 and batch.inspected is seen[0] and seen[0].rows == (1, 2)
    stage.session.training.iterations(1)
    stage.frame(1)
    assert asked(stage) == 1, "not while it trains"
    stage.trained(1)
    assert asked(stage) == 2
    batch.want(False)
    stage.session.training.iterations(1)
    stage.trained(2)
    assert asked(stage) == 2


def test_another_document_is_asked_about_anew(stage):
    stage.stand()
    stage.session.batch.want(True)
    stage.opened()
    assert asked(stage) == 2
