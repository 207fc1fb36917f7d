"""What goes wrong while the engine measures is said, and the engine goes on."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document.run_log import RunLog
from nnviz.engine._service import Service
from nnviz.engine.frame_channel import Closed
from nnviz.engine.observe.reporter import Reporter
from tests.engine.experiments import experiment


class Requests:
    """An inbox that holds these requests, and then the end of the window."""

    def __init__(self, *requests: messages.Request) -> None:
        self._items = [*requests, Closed()]
        self.interrupts = lambda: False

    @property
    def is_empty(self) -> bool:
        return len(self._items) == 1

    def take(self):
        return self._items.pop(0)


@pytest.mark.parametrize("method", ["report_at_rest", "report_iteration"])
def test_an_error_while_measuring_leaves_the_engine_up(monkeypatch, method):
    right = getattr(Reporter, method)

    def wrong(reporter, timeline, *what):
        if 0 < timeline.iteration < 3:
            raise OSError("no room")
        right(reporter, timeline, *what)

    monkeypatch.setattr(Reporter, method, wrong)
    replies = []
    Service(Requests(messages.Open(1, RunLog(experiment())), messages.Train(2)), replies.append).run()
    failed, trained = [reply for reply in replies if isinstance(reply, messages.Failed | messages.Trained)][:2]
    assert "no room" in failed.message and isinstance(trained, messages.Trained)
    assert (trained.iteration, trained.reason) == ((2, "done") if method == "report_at_rest" else (1, "asked"))
