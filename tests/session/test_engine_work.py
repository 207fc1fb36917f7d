"""What the engine is at is said when it takes long, can be cancelled, and stands in nobody's way; with a list as wire."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nnviz import messages
from nnviz.document import edits
from nnviz.document.shapes.rows import RowSize
from nnviz.document.store.examples import open_document
from nnviz.messages import Open, TraceNext
from nnviz.session import engine_work
from nnviz.session.engine_work import Work
from tests.session.sessions import kinds, two_moons

SENTENCES = "Change the document, open another one, or choose Restart the engine."


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A moment is 10 ms, a second 30 ms."""
    for name, value in {"SHOWN": 10, "CANCELLABLE": 30, "LONG_ITERATION": 60, "PATIENCE": 60}.items():
        monkeypatch.setattr(engine_work, name, value)


@pytest.fixture
def works(standing) -> list[Work | None]:
    """What is said from now on."""
    said: list[Work | None] = []
    standing.session.work.changed.connect(said.append)
    standing.session.work._ticking.setInterval(5)
    standing.session.work._breaking.setInterval(60)
    return said


def test_nothing_is_said_of_what_is_answered_at_once(standing, works, qtbot):
    standing.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    standing.opened(new_run=False)
    standing.traced()
    qtbot.wait(50)
    assert works == [] and standing.session.work.current is None


def test_a_long_trace_is_said_then_can_be_cancelled_and_is_not_asked_for_again(standing, works, qtbot):
    session = standing.session
    standing.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    standing.opened(new_run=False)
    assert kinds(standing.wire.take())[-1] == "TraceNext"
    qtbot.waitUntil(lambda: session.work.can_cancel)
    assert works == [Work("Tracing the next iteration"), Work("Tracing the next iteration", True)]
    session.work.cancel()
    assert (standing.wire.kills, session.run.engine, session.link.pending.oldest) == (1, "restarting", None)
    standing.reply(messages.Ready(""))
    standing.opened()
    assert not standing.wire.of(TraceNext), "nobody has asked for it"
    session.stepping.move("node", +1)
    assert len(standing.wire.of(TraceNext)) == 1
    standing.traced()
    assert session.stepping.cursor == 1


def test_an_edit_asks_for_the_trace_again_that_was_cancelled(standing, works, qtbot):
    session = standing.session
    session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    standing.opened(new_run=False)
    session.work.cancel()
    standing.reply(messages.Ready(""))
    standing.opened()
    session.edit("Rate", edits.change_optimizer, learning_rate=0.25)
    standing.opened(new_run=False)
    assert len(standing.wire.of(TraceNext)) == 2


def test_training_that_goes_on_is_no_news_but_one_long_iteration_is(standing, works, qtbot):
    session = standing.session
    session.training.train()
    for iteration in range(1, 6):
        qtbot.wait(20)
        standing.frame(iteration)
    assert works == []
    qtbot.waitUntil(lambda: session.work.can_cancel)
    assert session.work.current == Work("Making iteration 6", True)
    standing.frame(6)
    qtbot.waitUntil(lambda: session.work.current is None)


def test_training_ends_by_itself_if_it_can(standing, works, qtbot):
    standing.session.training.train()
    qtbot.waitUntil(lambda: standing.session.work.can_cancel)
    standing.wire.take()
    standing.session.work.cancel()
    assert kinds(standing.wire.take()) == ["Pause"]
    standing.trained(4, "asked")
    qtbot.wait(100)
    assert (standing.wire.kills, standing.session.run.engine, standing.session.run.iteration) == (0, "ready", 4)


def test_an_iteration_that_does_not_end_is_ended(standing, works, qtbot):
    session = standing.session
    session.training.train()
    standing.frame(7)
    qtbot.waitUntil(lambda: session.work.can_cancel)
    session.work.cancel()
    qtbot.waitUntil(lambda: standing.wire.kills == 1)
    assert (session.run.training, session.run.iteration) == (False, 7)
    standing.wire.take()
    standing.reply(messages.Ready(""))
    assert standing.wire.of(Open)[0].iteration == 7


def test_on_the_way_to_an_iteration_it_is_said_how_far_it_is(standing, works, qtbot):
    session = standing.session
    session.training.go_to(5000)
    standing.frame(1200)
    qtbot.waitUntil(lambda: session.work.can_cancel)
    assert session.work.current.text == "Going to iteration 5,000: at 1,200"


def test_what_could_not_be_opened_rests_until_something_changes(standing, works, qtbot):
    session = standing.session
    session.document.new(two_moons(5))
    qtbot.waitUntil(lambda: session.work.can_cancel)
    starts = standing.wire.starts
    session.work.cancel()
    assert (session.run.engine, standing.wire.kills, standing.wire.starts) == ("stopped", 1, starts)
    assert standing.texts[-1] == "Cancelled: the engine rests. " + SENTENCES
    session.training.train()
    assert "Restart the engine" in standing.texts[-1]
    session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    assert (session.run.engine, standing.wire.starts) == ("starting", starts + 1)
    standing.wire.take()
    standing.reply(messages.Ready(""))
    assert standing.wire.of(Open)[0].log.last.training.optimizer.settings["learning_rate"] == 0.5


def test_a_run_whose_making_again_is_cancelled_stands_at_its_start(standing, works, qtbot):
    session = standing.session
    standing.frame(40)
    session.restart_engine()
    standing.reply(messages.Ready(""))
    assert standing.wire.of(Open)[-1].iteration == 40
    qtbot.waitUntil(lambda: session.work.can_cancel)
    assert session.work.current.text == "Making the run again up to iteration 40"
    standing.wire.take()
    session.work.cancel()
    assert kinds(standing.wire.take()) == ["Pause"], "between two iterations it would end by itself"
    qtbot.waitUntil(lambda: standing.wire.kills == 2)
    standing.reply(messages.Ready(""))
    assert standing.wire.of(Open)[-1].iteration == 0


def test_another_document_does_not_wait_for_what_nobody_needs_any_more(standing, works, qtbot):
    session = standing.session
    session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    standing.opened(new_run=False)
    session.document.new(two_moons(5))
    qtbot.waitUntil(lambda: standing.wire.kills == 1)
    standing.wire.take()
    standing.reply(messages.Ready(""))
    opened = standing.wire.of(Open)[0]
    assert opened.log.first.network == two_moons(5).network
    standing.opened()
    standing.traced()
    assert session.run.is_traced


def test_an_engine_that_keeps_dying_over_the_same_work_is_given_up(standing, works):
    session = standing.session
    session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    standing.opened(new_run=False)
    for _ in range(2):
        session.link.lost("It was ended by signal 9.")
        standing.reply(messages.Ready(""))
        standing.opened()
    assert session.run.engine == "ready"
    session.link.lost("It was ended by signal 9.")
    assert session.run.engine == "failed"
    assert standing.texts[-1] == "The engine does not run. It ended 3 times over the same work. It was ended by signal 9."
    session.restart_engine()
    assert session.run.engine == "restarting"


def test_an_engine_that_is_ended_at_rest_always_comes_back(standing, works):
    for _ in range(10):
        standing.session.link.lost("It was ended by signal 9.")
        standing.reply(messages.Ready(""))
        standing.opened()
        standing.traced()
    assert standing.session.run.engine == "ready"


def test_deaths_between_which_the_same_work_was_answered_are_not_in_a_row(standing, works):
    session = standing.session
    for _ in range(4):
        session.link.ask(messages.InspectBatch())
        session.link.lost("It was ended by signal 9.")
        assert session.run.engine == "restarting"
        standing.reply(messages.Ready(""))
        standing.opened()
        standing.traced()
        session.link.ask(messages.InspectBatch())
        standing.reply(messages.Failed("InspectBatch", "No."))


@pytest.mark.parametrize("end", (messages.Moved(5, 0), messages.Failed("GoTo", "No.")))
def test_a_way_to_an_iteration_ends_the_training_it_is_asked_for_in(standing, works, qtbot, end):
    session = standing.session
    session.training.train()
    standing.frame(7)
    session.training.go_to(5)
    standing.reply(end)
    standing.traced()
    assert session.link.pending.oldest is None
    qtbot.wait(100)
    assert session.work.current is None


def test_training_that_is_refused_is_over(standing, works):
    standing.session.training.train()
    standing.reply(messages.Failed("Train", "No run is open."))
    assert standing.session.link.pending.oldest is None and not standing.session.run.training


def test_an_engine_that_does_not_come_up_is_started_again_by_hand(standing, works):
    session = standing.session
    session.restart_engine()
    assert (session.run.engine, standing.wire.kills, standing.wire.starts) == ("restarting", 1, 2)
    session.restart_engine()
    assert (session.run.engine, standing.wire.kills, standing.wire.starts) == ("restarting", 2, 3)
    standing.reply(messages.Ready(""))
    standing.opened()
    standing.traced()
    assert session.run.is_traced


def test_undo_to_a_former_network_starts_the_engine_that_rests(standing, works):
    session, network = standing.session, standing.session.experiment.network
    session.edit("Delete", edits.remove_layers, ["h1", "out"])
    assert not session.report.ok and session.link.log is None
    session.edit("Another one", lambda experiment: replace(experiment, network=two_moons(5).network))
    assert isinstance(session.link.pending.oldest, Open)
    session.work.cancel()
    assert session.run.engine == "stopped"
    session.document.undo()
    assert session.run.engine == "stopped", "nothing can be built of that"
    session.document.undo()
    assert session.experiment.network is network and session.run.engine == "restarting"
    standing.wire.take()
    standing.reply(messages.Ready(""))
    assert len(standing.wire.of(Open)) == 1
    standing.opened()
    standing.traced()
    assert session.run.is_traced


def test_who_cancels_again_and_again_does_not_wait_for_ever(standing, works, qtbot):
    session = standing.session
    session.training.train()
    standing.frame(7)
    session.work.cancel()
    for _ in range(6):
        qtbot.wait(25)
        session.work.cancel()
        standing.reply(messages.Logged("still there"))
        if standing.wire.kills:
            break
    assert standing.wire.kills == 1


def test_restarting_the_engine_by_hand_has_the_document_traced_that_was_cancelled(standing, works):
    session = standing.session
    session.document.new(two_moons(5))
    session.work.cancel()
    assert session.run.engine == "stopped"
    session.restart_engine()
    standing.reply(messages.Ready(""))
    standing.opened()
    standing.traced()
    assert session.run.is_traced and len(standing.wire.of(TraceNext)) == 1


def said(session, qtbot) -> str:
    qtbot.waitUntil(lambda: session.work.can_cancel)
    return session.work.current.text


def test_other_data_is_said_by_its_name(standing, works, qtbot):
    session, table = standing.session, {"path": "/far/away/rooms.csv", "target": "rented"}
    session.document.new(edits.choose_table(session.experiment, table, RowSize(2, 2, 0)))
    assert session.report.ok
    assert said(session, qtbot) == "Reading rooms.csv"
    session.document.new(open_document("example:xor"))
    standing.opened()
    standing.traced()
    session.edit("Data", edits.choose_data, "circles")
    assert said(session, qtbot) == "Preparing the data: Circles"
    standing.opened()
    standing.traced()
    session.edit("Rate", edits.change_optimizer, learning_rate=0.25)
    assert said(session, qtbot) == "Taking over the change"
