"""What an edit cost of the training so far is said in one message."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from tests.session.sessions import stages

stage = pytest.fixture(stages)


def test_what_starts_anew_is_said_and_why(stage):
    stage.stand()
    stage.session.edit("Widen h1", edits.change_layer, "h1", units=6)
    run = stage.session.run
    reasons = ("h1 starts anew: its weight was [4, 2] and is [6, 2].", "out starts anew: its weight was [2, 4] and is [2, 6].")
    stage.reply(messages.Opened(run.revision, 8, 1, False, 2, reset=("h1.weight", "out.weight"), reasons=reasons))
    assert stage.messages[-1] == ("info", " ".join(reasons))


def test_nothing_lost_nothing_said(stage):
    stage.stand()
    stage.session.edit("Another rate", edits.change_optimizer, learning_rate=0.5)
    stage.opened(new_run=False, iteration=8)
    assert stage.messages == []
