"""The engine dies, with a list as wire: what the session says, and what it asks the next one for."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.document.run_log import Change, RunLog
from nnviz.messages import Edit, Open, TraceNext, Train, Watch
from nnviz.records.run_records import LayerMeasures
from nnviz.records.tensors import Measure
from tests.session.sessions import Stage, kinds


def set_rate(stage: Stage, rate: float) -> None:
    assert stage.session.edit("Rate", edits.change_optimizer, learning_rate=rate)


@pytest.fixture
def trained(standing, qtbot) -> Stage:
    """A run with a change at iteration 10 that trains and has been seen at 40."""
    standing.first = standing.session.experiment
    standing.session.watch(("curves",))
    standing.session.training.train()
    set_rate(standing, 0.5)
    standing.opened(new_run=False, iteration=10)
    standing.frame(40)
    qtbot.wait(10)  # it is acknowledged
    standing.wire.take()
    return standing


def test_the_next_engine_makes_the_run_again_up_to_where_it_was_seen(trained):
    session, starts = trained.session, trained.wire.starts
    session.link.lost("It was ended by signal 9.")
    assert (session.run.engine, session.run.training, session.run.iteration) == ("restarting", False, 40)
    assert trained.messages == [("warning", "The engine stopped unexpectedly; starting a new one. It was ended by signal 9.")]
    assert (trained.wire.take(), trained.wire.starts) == ([], starts + 1)
    trained.reply(messages.Ready(""))
    expected = Open(session.run.revision, RunLog(trained.first, (Change(10, session.experiment),)), "", 40)
    assert trained.wire.take() == [expected, Watch(("curves",), "textbook")]
    trained.opened(iteration=40)
    assert (session.run.engine, session.run.iteration, session.run.training) == ("ready", 40, False)
    assert trained.wire.take() == [TraceNext("textbook")]
    trained.traced()
    assert session.stepping.state.index.trace.iteration == 40
    assert session.link.log.changes == expected.log.changes


def test_nothing_is_sent_while_there_is_no_engine(trained):
    trained.session.link.lost("")
    trained.session.watch(("surface",))
    trained.session.training.train()
    trained.session.branches.start_over()
    trained.session.check_gradient(0, (0, 0))
    set_rate(trained, 0.25)
    assert trained.wire.take() == []


def test_edits_made_meanwhile_follow_the_replay(trained):
    session = trained.session
    session.link.lost("")
    set_rate(trained, 0.25)
    trained.reply(messages.Ready(""))
    trained.wire.take()
    trained.opened(iteration=40)
    assert trained.wire.take() == [Edit(session.run.revision, session.experiment)]
    trained.opened(new_run=False, iteration=40)
    assert [change.iteration for change in session.link.log.changes] == [10, 40]
    assert trained.wire.take() == [TraceNext("textbook")]


def test_an_edit_the_dead_engine_never_answered_is_made_again(trained):
    session = trained.session
    set_rate(trained, 0.25)
    session.link.lost("")
    trained.wire.take()
    trained.reply(messages.Ready(""))
    opened = trained.wire.take()[0]
    assert [change.iteration for change in opened.log.changes] == [10]
    trained.opened(iteration=40)
    assert kinds(trained.wire.take()) == ["Edit"]


def test_what_waited_to_be_trained_is_forgotten(trained):
    trained.session.training.pause()
    trained.session.training.train()
    trained.session.link.lost("")
    trained.reply(messages.Ready(""))
    trained.opened(iteration=40)
    assert trained.wire.of(Train) == []
    trained.session.training.train()
    assert trained.wire.of(Train) == [Train()]


def test_a_move_the_dead_engine_never_answered_does_not_block_training(trained):
    trained.session.training.go_to(3)
    trained.session.link.lost("")
    trained.reply(messages.Ready(""))
    trained.opened(iteration=40)
    trained.session.training.train()
    assert trained.wire.of(Train) == [Train()]


def test_measures_over_time_survive(trained):
    measure = Measure(1, 0, 0, 0, 0, 0, 0, 0, (1,), 0, 1)
    layer = LayerMeasures("h1", measure, measure, measure)
    trained.reply(messages.Frame(9, trained.session.run.revision, 41, 0, 0.1, measures=(layer,)))
    trained.session.link.lost("")
    trained.reply(messages.Ready(""))
    trained.opened(iteration=41)
    assert [snapshot.iteration for snapshot in trained.session.run.snapshots] == [41]


def test_a_run_that_stands_in_its_past_stands_there_again(trained):
    trained.trained(60, "asked")
    set_rate(trained, 0.25)
    trained.opened(new_run=False, iteration=60)
    trained.session.training.go_to(20)
    trained.reply(messages.Moved(20, 0))
    trained.session.link.lost("")
    trained.wire.take()
    trained.reply(messages.Ready(""))
    opened = trained.wire.take()[0]
    assert (opened.iteration, [change.iteration for change in opened.log.changes]) == (20, [10, 60])


def test_a_death_before_the_run_was_open(stage):
    stage.ready()
    stage.session.link.lost("")
    stage.wire.take()
    stage.reply(messages.Ready(""))
    assert stage.wire.of(Open) == [Open(stage.session.run.revision, RunLog(stage.session.experiment))]


def test_playback_and_a_waiting_step_end_with_the_engine(standing):
    standing.session.stepping.to_end()
    standing.session.stepping.play(100_000)
    assert standing.session.stepping.is_awaiting
    standing.session.link.lost("")
    assert (standing.session.stepping.is_awaiting, standing.session.stepping.is_playing) == (False, False)


def test_stepping_in_the_last_trace_goes_on_without_an_engine(standing):
    standing.session.link.lost("")
    standing.session.stepping.move("node", +1)
    standing.session.stepping.move("node", +1)
    standing.session.stepping.move("node", -1)
    assert standing.session.stepping.cursor == 1


def test_after_giving_up_only_a_person_starts_it_again(trained):
    session, starts = trained.session, trained.wire.starts
    session.link.failed("It wrote last:\nno memory")
    assert (session.run.engine, session.run.training, session.run.message) == ("failed", False, "It wrote last:\nno memory")
    assert trained.messages == [("error", "The engine does not run. It wrote last:\nno memory")]
    session.training.train()
    assert trained.messages[1:] == [("warning", "The engine does not run; choose Restart the engine.")]
    assert (trained.wire.take(), trained.wire.starts) == ([], starts)
    session.start()
    assert (session.run.engine, trained.wire.starts) == ("restarting", starts + 1)
    trained.reply(messages.Ready(""))
    assert trained.wire.take()[0].iteration == 40


def test_an_engine_without_torch_is_said_once_and_not_tried_again(stage):
    stage.session.start()
    stage.reply(messages.Failed("start", "The engine needs torch.", "Install it."))
    stage.session.link.lost("The engine ended by itself with exit code 1.")
    assert stage.messages == [("error", "The engine does not run. The engine needs torch. Install it.")]
    assert (stage.session.run.engine, stage.wire.starts) == ("failed", 1)


def test_what_the_engine_writes_is_in_the_log(stage):
    stage.session.link.log_line("a warning\n")
    stage.reply(messages.Logged("printed by a model"))
    assert stage.session.run.log == ("a warning\n", "printed by a model")
