"""Why iterations are not made flat is said in the log: each reason once in a run."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.document.run_log import RunLog
from nnviz.engine._service import Service
from nnviz.engine.frame_channel import Closed
from nnviz.engine.run import flat_iteration
from tests.engine.experiments import experiment

DOCUMENT = experiment(batch_size=16)
FASTER = edits.set_value(DOCUMENT, "training.optimizer.learning_rate", 0.1)


class Script:
    """Hands the engine one request after the other, each when the one before is done with."""

    is_empty = True

    def __init__(self, *requests: messages.Request) -> None:
        self._items = [*requests, Closed()]

    def take(self) -> messages.Request | Closed:
        return self._items.pop(0)

    def interrupts(self) -> bool:
        return False


def said(*requests: messages.Request) -> list[str]:
    """What stands in the log after these requests."""
    replies: list[messages.Reply] = []
    Service(Script(*requests), replies.append).run()
    assert not [reply for reply in replies if isinstance(reply, messages.Failed)]
    return [reply.text for reply in replies if isinstance(reply, messages.Logged)]


@pytest.fixture
def large(monkeypatch):
    """Every net is too large to be made flat."""
    monkeypatch.setattr(flat_iteration, "LARGE", 10)


def test_nothing_is_said_of_a_net_that_is_made_flat():
    assert said(messages.Open(1, RunLog(DOCUMENT)), messages.Train(20)) == []


def test_it_is_said_once_in_a_run_also_after_edits_and_on_the_way_back(large):
    begin = messages.Open(1, RunLog(DOCUMENT)), messages.Train(20)
    reason = "This network is trained without a flat list of calls, at torch's own speed: its kernels take nearly all of the time.\n"
    assert said(*begin) == [reason]
    assert said(*begin, messages.Edit(2, FASTER), messages.Train(20), messages.GoTo(5), messages.GoTo(30)) == [reason]


def test_another_run_says_it_again_and_another_reason_is_another_sentence(large, monkeypatch):
    assert len(said(*(request for number in (1, 2) for request in (messages.Open(number, RunLog(DOCUMENT)), messages.Train(9))))) == 2
    reasons = iter(["one", "another"])

    class Planted(flat_iteration.FlatIterations):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.reason = next(reasons, "another")

    monkeypatch.setattr("nnviz.engine.run.trainer.FlatIterations", Planted)
    texts = said(messages.Open(1, RunLog(DOCUMENT)), messages.Train(3), messages.Edit(2, FASTER), messages.Train(3))
    assert [text.rpartition(": ")[2] for text in texts] == ["one.\n", "another.\n"]


def test_calls_are_listed_of_what_is_in_force_where_the_run_stands():
    replies: list[messages.Reply] = []
    clipped = edits.set_value(DOCUMENT, "training.clip_value", 1.0)
    requests = (
        messages.Open(7, RunLog(DOCUMENT)),
        messages.ListCalls(),
        messages.Train(12),
        messages.Edit(8, clipped),
        messages.ListCalls(),
        messages.GoTo(3),
        messages.ListCalls(),
    )
    Service(Script(*requests), replies.append).run()
    listed = [reply for reply in replies if isinstance(reply, messages.CallsListed)]
    assert [(one.revision, one.iteration) for one in listed] == [(7, 0), (8, 12), (8, 3)]
    assert ["clip" in {call.phase for call in one.listed.calls} for one in listed] == [False, True, False]
