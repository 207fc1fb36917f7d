"""The calls of an iteration are asked for while somebody looks, once for every network the run goes on with."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.messages import CallsListed
from nnviz.records.call_list import CallList
from tests.session.sessions import stages


@pytest.fixture
def stage(qapp):
    yield from stages()


def asked(stage) -> int:
    return len(stage.wire.of(messages.ListCalls))


def answer(stage, iteration: int = 0, revision: int | None = None) -> CallList:
    listed = CallList(f"revision {stage.session.run.revision}", 32, "x")
    stage.reply(CallsListed(stage.session.run.revision if revision is None else revision, iteration, listed))
    return listed


def test_only_while_it_is_wanted_and_once(stage):
    stage.stand()
    calls, said = stage.session.calls, []
    calls.changed.connect(lambda: said.append(calls.is_present))
    assert asked(stage) == 0
    calls.want(True)
    calls.want(True)
    assert asked(stage) == 1 and not calls.is_present
    listed = answer(stage)
    assert calls.listed is listed and calls.is_present and said == [True]
    stage.session.training.iterations(3)
    stage.trained(3)
    assert asked(stage) == 1, "the calls do not depend on the iteration"


def test_an_edit_makes_the_list_a_thing_of_the_past_until_the_present_one_is_there(stage):
    stage.stand()
    calls = stage.session.calls
    calls.want(True)
    answer(stage)
    old = stage.session.run.revision
    stage.session.edit("Rate", edits.set_value, "training.loss", "mse")
    assert not calls.is_present and asked(stage) == 1
    answer(stage, revision=old)
    assert not calls.is_present, "of the network before"
    stage.opened(new_run=False)
    assert asked(stage) == 2
    answer(stage)
    assert calls.is_present


def test_what_was_not_looked_at_when_the_network_changed_is_asked_for_when_it_is_opened_again(stage):
    stage.stand()
    calls = stage.session.calls
    calls.want(True)
    answer(stage)
    calls.want(False)
    stage.session.edit("Clip", edits.set_value, "training.clip_value", "1")
    stage.opened(new_run=False)
    assert asked(stage) == 1
    calls.want(True)
    assert asked(stage) == 2 and not calls.is_present


def test_a_refusal_is_kept_as_a_sentence(stage):
    stage.stand()
    calls = stage.session.calls
    calls.want(True)
    stage.reply(messages.Failed("ListCalls", "It cannot be done."))
    assert calls.failure == "It cannot be done." and asked(stage) == 1
    stage.opened()
    assert not calls.failure and asked(stage) == 2
