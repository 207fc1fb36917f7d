"""The session as a whole, with a list as its wire."""

from __future__ import annotations

import time

import msgspec
import pytest
from PySide6.QtCore import QTimer

from nnviz import messages
from nnviz.document import edits
from nnviz.document.run_log import Change, RunLog
from nnviz.messages import Acknowledge, CheckGradient, Edit, GoTo, Open, Pause, TraceNext, Train, Watch
from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import CurvePoint
from nnviz.records.tensors import Array
from tests.curve_points import travelling
from tests.session.sessions import Stage, kinds, two_moons
from tests.session.traces import A1, LENGTH, W1, Z1, trace


def set_rate(experiment, rate):
    return edits.change_optimizer(experiment, learning_rate=rate)


def break_network(stage):
    """Cut the only link into the output layer."""
    assert stage.session.edit("Disconnect", edits.disconnect_layers, "h1", "out")
    assert not stage.session.report.ok


# --- opening --------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_before_the_engine_is_up(stage):
    stage.session.watch(("curves",))
    stage.session.edit("Rate", set_rate, 0.1)
    assert (stage.wire.sent, stage.wire.starts, stage.session.run.engine) == ([], 0, "starting")
    stage.session.start()
    assert (stage.wire.sent, stage.wire.starts) == ([], 1)


def test_start_opens_the_present_document_watches_and_asks_for_a_trace(stage):
    stage.session.watch(("curves", "surface"))
    stage.session.edit("Rate", set_rate, 0.1)
    stage.ready()
    opened, watch = stage.wire.take()
    assert watch == Watch(("curves", "surface"), "textbook")
    assert opened == Open(stage.session.run.revision, RunLog(stage.session.experiment))
    stage.opened()
    assert stage.wire.take() == [TraceNext("textbook")]
    stage.traced()
    assert stage.wire.take() == []
    assert (stage.session.stepping.cursor, stage.session.stepping.state.index.length) == (0, LENGTH)


def test_train_first_trains_before_it_traces(stage):
    stage.session.start(train_first=300)
    stage.reply(messages.Ready(""))
    stage.wire.take()
    stage.opened()
    assert stage.wire.take() == [Train(300)]
    assert stage.session.run.training
    stage.trained(300)
    assert stage.wire.take() == [TraceNext("textbook")]
    stage.session.branches.start_over()
    stage.opened()
    assert Train(300) not in stage.wire.take(), "only the first run"


def test_a_document_with_problems_is_not_opened_until_it_is_mended(stage):
    break_network(stage)
    stage.ready()
    assert kinds(stage.wire.take()) == ["Watch"]
    stage.session.document.undo()
    assert kinds(stage.wire.take()) == ["Open"]


# --- edits ----------------------------------------------------------------------------------------------------------


def test_an_edit_goes_out_with_a_new_revision_and_its_answer_is_drawn(standing):
    session, before = standing.session, standing.session.run.revision
    told = []
    session.experiment_changed.connect(lambda old, new: told.append((old, new)))
    old = session.experiment
    assert session.edit("Rate", set_rate, 0.5)
    assert session.run.revision == before + 1
    assert standing.wire.take() == [Edit(before + 1, session.experiment)]
    assert told == [(old, session.experiment)]
    assert told[0][0].network is told[0][1].network
    standing.opened(new_run=False)
    assert standing.wire.take() == [TraceNext("textbook")]


def test_nobody_hears_of_an_edit_before_its_report_is_there(standing):
    """Else the list of parameters would be that of the document before."""
    session, seen = standing.session, []

    def look(*_) -> None:
        seen.append(set(session.report.layers) == {layer.id for layer in session.experiment.network})

    signals = (session.document.edited, session.document.replaced, session.document.changed, session.weights.changed)
    for signal in (*signals, session.experiment_changed, session.run_changed, session.kept_run.changed, session.breakpoints_changed):
        signal.connect(look)
    session.document.edited.connect(lambda edit: seen.append((edit.new, edit.report) == (session.experiment, session.report)))
    session.edit("Add", edits.add_layer, "dense", after="h1", units=3)
    assert len(session.report.layers) == 4
    session.document.undo()
    session.document.new(edits.remove_layers(two_moons(), ["out"]))
    assert len(seen) > 10 and all(seen)


@pytest.mark.parametrize(
    "edit",
    [
        (edits.set_title, "Another"),
        (edits.move_layers, {"h1": (10.0, 20.0)}),
    ],
)
def test_title_and_places_concern_no_run(standing, edit):
    revision = standing.session.run.revision
    assert standing.session.edit("Move", *edit)
    assert (standing.wire.take(), standing.session.run.revision) == ([], revision)


@pytest.mark.parametrize(("path", "value"), [("seed", 3), ("precision", "float64"), ("data.noise", 0.3)])
def test_what_starts_a_new_run_goes_out_as_an_edit_too(standing, path, value):
    assert standing.session.edit("Change", edits.set_value, path, value)
    assert kinds(standing.wire.take()) == ["Edit"]
    standing.opened(new_run=True)
    assert standing.session.link.log.changes == ()
    assert standing.session.link.log.first is standing.session.experiment
    assert standing.session.stepping.state is None
    assert standing.wire.take() == [TraceNext("textbook")]


def test_an_edit_that_is_not_possible_is_a_message(standing):
    before = standing.session.experiment
    assert not standing.session.edit("Connect", edits.connect_layers, "out", "nowhere")
    assert standing.session.experiment is before
    assert standing.messages[0][0] == "warning"
    assert "nowhere" in standing.messages[0][1]
    assert standing.wire.take() == []


def test_undo_and_redo_travel_like_edits(standing):
    session, first = standing.session, standing.session.experiment
    session.edit("Rate", set_rate, 0.5)
    second = session.experiment
    session.document.undo()
    session.document.undo()
    session.document.redo()
    assert [request.experiment for request in standing.wire.take()] == [second, first, second]
    assert session.document.history.undo_label == "Rate"


def test_a_slider_is_undone_at_once(standing):
    session, first = standing.session, standing.session.experiment
    for rate in (0.1, 0.2, 0.3):
        session.edit("Rate", set_rate, rate, merge="rate")
    session.document.undo()
    assert session.experiment is first


def test_a_problem_pauses_and_is_not_sent_and_the_mended_document_is(standing):
    session = standing.session
    session.training.train()
    standing.wire.take()
    revision = session.run.revision
    break_network(standing)
    assert (standing.wire.take(), session.run.revision) == ([Pause()], revision + 1)
    standing.frame(5, revision)
    assert session.run.iteration == 0, "frames of the document before are not drawn"
    standing.trained(6, "asked")
    assert not session.run.training
    assert standing.wire.take() == [], "nothing is traced"
    session.training.train()
    session.stepping.to_end()
    session.stepping.move("node", +1)
    assert standing.wire.take() == []
    assert standing.texts == ["out: Nothing leads into this layer. Link a layer to it, or delete it."] * 2
    session.document.undo()
    assert standing.wire.take() == [Edit(revision + 2, session.experiment)]


def test_an_edit_the_engine_refuses_leaves_the_run_and_says_so(standing):
    session = standing.session
    session.edit("Rate", set_rate, 0.5)
    standing.wire.take()
    standing.reply(messages.Failed("Edit", "No such file.", "Choose another.", "data.path", session.run.revision))
    assert session.run.failure.place == "data.path"
    assert standing.messages == [("error", "No such file. Choose another.")]
    session.training.train()
    assert standing.wire.take() == []
    session.document.undo()
    standing.opened(new_run=False)
    assert session.run.failure is None
    assert kinds(standing.wire.take()) == ["Edit", "TraceNext"]


# --- revisions ------------------------------------------------------------------------------------------------------


def test_replies_of_an_older_revision_are_not_drawn(standing):
    session, old = standing.session, standing.session.run.revision
    session.edit("Rate", set_rate, 0.5)
    before = session.run
    standing.reply(messages.Failed("Edit", "Old.", revision=old))
    standing.reply(messages.Traced(old, before.trace_index.trace))
    assert (session.run, standing.messages) == (before, [])


def test_points_of_an_older_revision_stay_in_the_curves(standing):
    session, old = standing.session, standing.session.run.revision
    standing.frame(0)
    session.training.train()
    session.edit("Rate", set_rate, 0.5)
    standing.frame(1, old)
    standing.opened(new_run=False, iteration=1)
    standing.frame(2)
    assert session.run.curves.iteration.tolist() == [0, 1, 2]


def test_points_of_another_run_do_not(standing):
    old = standing.session.run.revision
    standing.session.link.begin_again()
    standing.opened()
    standing.frame(9, old)
    assert standing.session.run.curves.iteration.tolist() == []


def test_a_new_run_behind_a_newer_edit_is_still_noticed(standing):
    """50 toggles a second: the answer to a change of seed arrives when a newer edit is already on its way."""
    session = standing.session
    data = DataRecord(Array("f4", (0,), b""), Array("i8", (0,), b""), Array("bool", (0,), b""), 2)
    standing.frame(3)
    session.edit("Seed", edits.set_seed, 9)
    seeded, revision = session.experiment, session.run.revision
    session.edit("Rate", set_rate, 0.5)
    standing.reply(messages.Opened(revision, 0, 0, True, 2, data))
    standing.opened(new_run=False)
    assert session.run.curves.iteration.tolist() == []
    assert session.run.data is data
    log = session.link.log
    assert log.first is seeded
    assert log.changes == (Change(0, session.experiment),)


# --- frames ---------------------------------------------------------------------------------------------------------


def test_frames_are_acknowledged_after_they_are_drawn_also_old_ones(standing, qtbot):
    drawn = []
    standing.session.run_changed.connect(lambda old, new: drawn.append(list(standing.wire.sent)))
    old = standing.session.run.revision
    standing.session.edit("Rate", set_rate, 0.5)
    standing.wire.take()
    standing.frame(1)
    standing.frame(2, old)
    assert standing.wire.of(Acknowledge) == []
    qtbot.waitUntil(lambda: len(standing.wire.of(Acknowledge)) == 2, timeout=1000)
    assert standing.wire.of(Acknowledge) == [Acknowledge(1), Acknowledge(2)]
    assert all(Acknowledge(1) not in sent for sent in drawn)


def test_a_frame_that_is_drawn_in_several_turns_is_acknowledged_after_a_rest(standing, qtbot):
    """The window draws a sixth of the time at most, whenever it draws."""
    begun, drawn = time.perf_counter(), []

    def draw() -> None:
        start = time.thread_time()
        while time.thread_time() < start + 0.01:
            pass
        drawn.append(time.thread_time() - start)
        if len(drawn) < 4:
            QTimer.singleShot(0, draw)

    standing.session.run_changed.connect(lambda old, new: draw())
    standing.wire.take()
    standing.frame(1)
    qtbot.waitUntil(lambda: standing.wire.of(Acknowledge) != [], timeout=3000)
    assert len(drawn) == 4 and time.perf_counter() - begun >= 5 * sum(drawn)
    assert standing.wire.of(Acknowledge) == [Acknowledge(1)]


def test_one_reply_one_change(standing):
    standing.runs.clear()
    standing.frame(4)
    ((old, new),) = standing.runs
    assert (old.iteration, new.iteration, new is standing.session.run) == (0, 4, True)


def test_a_detail_of_one_layer_is_watched_and_traced(standing):
    session = standing.session
    session.watch(("trace",))
    standing.wire.take()
    session.stepping.set_detail_of("h1", "math")
    watch, order = standing.wire.take()
    assert (watch.detail, watch.details) == (order.detail, order.details) == ("textbook", (("h1", "math"),))
    standing.reply(messages.Traced(session.run.revision, msgspec.structs.replace(trace(), details=watch.details)))
    assert standing.wire.take() == [] and session.stepping.state.index.trace.details == watch.details


def test_watching_is_told_once_and_again_with_another_detail(standing):
    session = standing.session
    session.watch(("curves",))
    session.watch(("curves",))
    assert standing.wire.take() == [Watch(("curves",), "textbook")]
    session.stepping.set_detail("layer")
    assert standing.wire.take() == [Watch(("curves",), "layer"), TraceNext("layer")]
    standing.traced(detail="layer")
    assert standing.wire.take() == []


# --- training -------------------------------------------------------------------------------------------------------


def test_train_pause_and_the_trace_afterwards(standing):
    session = standing.session
    session.training.toggle()
    session.training.toggle()
    session.training.pause()
    assert standing.wire.take() == [Train(), Pause()]
    standing.frame(7, with_trace=True)
    assert session.stepping.cursor == LENGTH
    standing.trained(8, "asked")
    assert (session.run.training, session.run.stopped) == (False, "asked")
    assert standing.wire.take() == [TraceNext("textbook")]
    standing.traced()
    assert (session.stepping.cursor, session.stepping.state.index.trace.iteration) == (0, 8)


def test_the_end_stays_full_where_the_cursor_rests_at_the_end(standing):
    standing.session.stepping.set_rest("end")
    standing.session.training.epoch()
    assert standing.wire.take() == [Train(2)]
    standing.trained(2)
    standing.traced()
    assert standing.session.stepping.cursor == LENGTH


def test_what_is_asked_while_the_engine_pauses_waits_until_it_has(standing):
    training = standing.session.training
    training.train()
    training.pause()
    training.train()
    assert standing.wire.take() == [Train(), Pause()]
    standing.trained(3, "asked")
    assert standing.wire.take() == [Train()]
    assert training.is_training
    training.toggle()
    training.toggle()
    training.toggle()
    standing.trained(4, "asked")
    assert kinds(standing.wire.take()) == ["Pause", "TraceNext"]


def test_training_behind_a_move_or_a_rewind_waits_for_the_answer(standing):
    """Their answers say that the run stands: a Train sent before would be forgotten."""
    training = standing.session.training
    training.go_to(5)
    training.train()
    assert standing.wire.take() == [GoTo(5)]
    standing.reply(messages.Moved(5, 0))
    assert standing.wire.take() == [Train()]
    standing.session.link.begin_again()
    standing.opened()
    standing.session.link.begin_again()
    training.iterations(3)
    assert kinds(standing.wire.take()) == ["Open", "TraceNext", "Open"]
    standing.opened()
    assert standing.wire.take() == [Train(3)]
    assert training.is_training


@pytest.mark.parametrize(("reason", "level"), [("non_finite", "warning"), ("early_stopping", "info")])
def test_why_training_stopped_is_said(standing, reason, level):
    standing.session.training.train()
    standing.trained(3, reason, "A sentence.")
    assert standing.messages == [(level, "A sentence.")]
    assert standing.session.run.message == "A sentence."


def test_nothing_is_trained_without_an_engine(stage):
    stage.session.training.train()
    stage.session.branches.start_over()
    stage.session.training.go_to(3)
    assert stage.wire.sent == []
    assert stage.messages == [("warning", "The engine is starting…")] * 3


def test_rewind_opens_the_present_document_anew(standing):
    session = standing.session
    session.edit("Rate", set_rate, 0.5)
    standing.opened(new_run=False)
    session.training.train()
    standing.frame(40)
    standing.wire.take()
    revision = session.run.revision
    session.branches.start_over()
    assert standing.wire.take() == [Open(revision + 1, RunLog(session.experiment))]
    standing.trained(41, "asked")
    assert session.run.iteration == 0, "the run that was given up says nothing any more"
    standing.opened()
    assert (session.run.iteration, session.run.curves.iteration.size, session.run.training) == (0, 0, False)
    assert session.link.log.changes == ()


# --- what was changed when ------------------------------------------------------------------------------------------


def test_changes_are_kept_with_their_iteration(standing):
    session, first = standing.session, standing.session.experiment
    session.training.train()
    session.edit("Rate", set_rate, 0.5)
    second = session.experiment
    session.edit("Rate", set_rate, 0.25)
    standing.opened(new_run=False, iteration=10, revision=session.run.revision - 1)
    standing.opened(new_run=False, iteration=11)
    log = session.link.log
    assert log.first is first
    assert [(change.iteration, change.experiment) for change in log.changes] == [(10, second), (11, session.experiment)]


@pytest.fixture
def changed(standing) -> Stage:
    """A run with changes at iterations 10 and 20 that stands at 5 again."""
    for iteration, rate in ((10, 0.5), (20, 0.25)):
        standing.session.training.train()
        standing.session.edit("Rate", set_rate, rate)
        standing.opened(new_run=False, iteration=iteration)
        standing.trained(iteration, "asked")
    standing.session.training.go_to(15)
    standing.reply(messages.Moved(15, 1, travelling(CurvePoint(15, 0.5))))
    standing.traced()
    standing.wire.take()
    return standing


def test_going_back_keeps_what_lies_ahead(changed):
    assert [change.iteration for change in changed.session.link.log.changes] == [10, 20]
    assert changed.session.run.curves.iteration.tolist() == [15]


def test_the_document_says_what_holds_where_the_run_stands(changed):
    session = changed.session
    rates = []
    session.experiment_changed.connect(lambda old, new: rates.append(new.training.optimizer["learning_rate"]))
    last = session.link.log.last.training.optimizer["learning_rate"]
    before = session.link.log.at(15).training.optimizer["learning_rate"]
    assert session.experiment.training.optimizer["learning_rate"] == before != last
    changed.wire.take()
    session.training.iterations(6)
    changed.frame(21)
    assert rates == [last] and changed.wire.of(messages.Edit) == [], "the engine has them in force already"
    assert [change.iteration for change in session.link.log.changes] == [10, 20]
    assert not session.document.history.can_undo or session.document.history.undo_label == "Rate"


def test_an_edit_in_the_past_starts_a_branch(changed):
    changed.session.edit("Rate", set_rate, 0.125)
    changed.opened(new_run=False, iteration=15)
    log = changed.session.link.log
    assert [change.iteration for change in log.changes] == [10, 15]
    assert log.last is changed.session.experiment
    (kept,) = changed.session.branches.kept
    assert [change.iteration for change in kept.branch.log.changes] == [10, 20] and kept.branch.name == "main"
    assert changed.session.branches.present.name == "branch 2"


# --- stepping -------------------------------------------------------------------------------------------------------


def test_stepping_sends_nothing(standing):
    stepping = standing.session.stepping
    for _ in range(LENGTH):
        stepping.move("node", +1)
    stepping.move("node", -1)
    standing.session.stepping.move("phase", -1)
    standing.session.stepping.move("layer", +1)
    stepping.to_node(Z1)
    stepping.to_start()
    stepping.to_end()
    assert standing.wire.take() == []


def test_a_step_behind_the_end_makes_the_iteration(standing):
    session = standing.session
    session.stepping.to_end()
    session.stepping.move("node", +1)
    assert standing.wire.take() == [Train(1)]
    standing.frame(1)
    standing.trained(1)
    assert standing.wire.take() == [TraceNext("textbook")]
    assert (session.stepping.cursor, session.stepping.state.index.trace.iteration) == (LENGTH, 0)
    standing.traced()
    assert (session.stepping.cursor, session.stepping.state.index.trace.iteration) == (1, 1)


def test_a_step_while_training_pauses_and_stands_at_the_first_step(standing):
    session = standing.session
    session.training.train()
    standing.frame(30, with_trace=True)
    standing.wire.take()
    session.stepping.move("node", +1)
    assert standing.wire.take() == [Pause()]
    standing.frame(31, with_trace=True)
    standing.trained(32, "asked")
    standing.traced()
    assert (session.stepping.cursor, session.stepping.state.index.trace.iteration) == (1, 32)


def test_an_iteration_that_cannot_be_made_is_not_waited_for(standing):
    session = standing.session
    session.stepping.to_end()
    session.stepping.play(100_000)
    assert standing.wire.take() == [Train(1)]
    standing.trained(0, "non_finite", "The loss is not finite.")
    assert (session.stepping.is_awaiting, session.stepping.is_playing) == (False, False)
    assert standing.wire.take() == []
    session.stepping.move("node", +1)
    assert standing.wire.take() == [Train(1)]


def test_a_trace_that_is_refused_is_not_asked_for_again_and_again(standing):
    session = standing.session
    session.training.iterations(1)
    standing.trained(1)
    standing.wire.take()
    standing.reply(messages.Failed("TraceNext", "The gradients differ."))
    assert (standing.wire.take(), standing.messages) == ([], [("error", "The gradients differ.")])
    session.stepping.to_end()
    session.stepping.move("node", +1)
    assert standing.wire.take() == [TraceNext("textbook")], "but once more when a person steps"
    standing.reply(messages.Failed("TraceNext", "The gradients differ."))
    assert not session.stepping.is_awaiting


def test_a_trace_is_asked_for_once_whatever_else_arrives_meanwhile(stage):
    stage.ready()
    stage.opened()
    stage.frame(0)
    stage.reply(messages.Logged("a print"))
    stage.frame(0)
    assert stage.wire.of(TraceNext) == [TraceNext("textbook")]


def test_an_iteration_that_was_traced_before_is_traced_again(standing):
    session = standing.session
    session.training.train()
    standing.frame(5, with_trace=True)
    standing.trained(6, "asked")
    standing.traced()
    session.training.go_to(0)
    standing.wire.take()
    standing.reply(messages.Moved(0, 0))
    assert standing.wire.take() == [TraceNext("textbook")]


def test_playback_goes_on_into_the_next_iteration(standing, qtbot):
    session, told = standing.session, []
    session.stepping.playing_changed.connect(told.append)
    session.stepping.to(LENGTH - 2)
    session.stepping.play(10)
    qtbot.waitUntil(lambda: standing.wire.of(Train) != [], timeout=2000)
    standing.trained(1)
    standing.traced()
    qtbot.waitUntil(lambda: session.stepping.cursor >= 3, timeout=2000)
    assert session.stepping.state.index.trace.iteration == 1
    session.training.train()
    assert told == [True, False], "training for its own sake ends it"


def test_the_selected_node_stays_what_it_is(standing):
    session, told = standing.session, []
    session.stepping.selection_changed.connect(lambda old, new: told.append((old, new)))
    session.stepping.select(A1)
    session.stepping.select(A1)
    session.training.iterations(1)
    standing.trained(1)
    standing.traced()
    assert session.stepping.selected_node == A1
    session.branches.start_over()
    standing.opened()
    assert session.stepping.selected_node is None
    assert told == [(None, A1), (A1, None)]


def test_questions_and_answers(standing):
    session, checked = standing.session, []
    session.gradient_checked.connect(checked.append)
    session.check_gradient(W1, [0])
    assert standing.wire.take() == [CheckGradient(W1, (0,))]
    answer = messages.GradientChecked(W1, (0,), 1.0, 1.0)
    standing.reply(answer)
    assert checked == [answer]


def test_of_questions_that_wait_the_latest_is_asked_and_none_of_another_run(standing):
    session, checked = standing.session, []
    session.gradient_checked.connect(checked.append)
    for element in range(3):
        session.check_gradient(W1, [element])
    assert standing.wire.take() == [CheckGradient(W1, (0,))]
    standing.reply(messages.GradientChecked(W1, (0,), 1.0, 1.0))
    assert standing.wire.take() == [CheckGradient(W1, (2,))] and len(checked) == 1
    standing.reply(messages.Failed("CheckGradient", "No."))
    session.check_gradient(W1, [0])
    session.check_gradient(W1, [1])
    standing.wire.take()
    session.branches.start_over()
    standing.opened()
    assert not standing.wire.of(CheckGradient)
    session.check_gradient(W1, [1])
    assert standing.wire.of(CheckGradient) == [CheckGradient(W1, (1,))]


# --- documents ------------------------------------------------------------------------------------------------------


def test_another_document_starts_another_run(standing, tmp_path):
    session = standing.session
    session.training.train()
    standing.wire.take()
    session.document.save_as(tmp_path / "a.json")
    session.document.new(two_moons(units=3))
    assert kinds(standing.wire.take()) == ["Pause", "Open"]
    assert (session.stepping.state, session.run.training, session.run.iteration) == (None, False, 0)
    standing.opened()
    session.document.open(tmp_path / "a.json")
    opened = standing.wire.of(Open)[-1]
    assert (opened.folder, opened.log.first) == (str(tmp_path), two_moons())


def test_another_document_with_problems_gives_up_the_old_run(standing):
    session = standing.session
    broken = msgspec.structs.replace(two_moons(), network=msgspec.structs.replace(two_moons().network, links=()))
    session.training.train()
    standing.wire.take()
    session.document.new(broken)
    standing.frame(9, session.run.revision - 1)
    standing.trained(10, "asked")
    assert kinds(standing.wire.take()) == ["Pause"]
    assert (session.run.iteration, session.run.curves.iteration.size, session.stepping.state) == (0, 0, None)
    session.training.train()
    assert standing.wire.take() == []
    session.edit("Connect", edits.connect_layers, "x", "h1")
    session.edit("Connect", edits.connect_layers, "h1", "out")
    assert kinds(standing.wire.take()) == ["Open"]


def test_a_document_the_engine_cannot_open_and_then_can(standing):
    session = standing.session
    session.document.new(two_moons(units=3))
    standing.wire.take()
    standing.reply(messages.Failed("Open", "No such file.", revision=session.run.revision))
    session.training.train()
    assert standing.wire.take() == []
    session.edit("Rate", set_rate, 0.5)
    assert kinds(standing.wire.take()) == ["Open"]
    standing.opened()
    assert (session.run.failure, kinds(standing.wire.take())) == (None, ["TraceNext"])


def test_an_edit_on_its_way_behind_a_run_that_could_not_be_opened(standing):
    """The engine takes it for an edit of the run before; the session then opens the document for itself."""
    session = standing.session
    session.document.new(two_moons(units=3))
    session.edit("Rate", set_rate, 0.5)
    assert kinds(standing.wire.take()) == ["Open", "Edit"]
    standing.reply(messages.Failed("Open", "No such file.", revision=session.run.revision - 1))
    standing.opened(new_run=False, iteration=40)
    assert standing.wire.take() == [Open(session.run.revision, RunLog(session.experiment))]
    standing.opened()
    assert session.link.log.first is session.experiment


def test_close_ends_the_engine_and_may_be_called_twice(standing):
    standing.session.stepping.play(10)
    standing.session.close()
    standing.session.close()
    assert standing.wire.is_stopped
    assert not standing.session.stepping.is_playing


def test_on_the_way_to_an_iteration_nothing_is_traced_and_it_can_be_stopped(standing):
    training = standing.session.training
    training.go_to(5000)
    assert training.is_moving and standing.session.run.target == 5000
    standing.wire.take()
    standing.reply(messages.Frame(1, standing.session.run.revision, 40, 0, 0.01))
    assert standing.session.run.iteration == 40 and not standing.wire.of(TraceNext)
    standing.wire.take()
    training.toggle()
    assert standing.wire.take() == [Pause()]
    standing.reply(messages.Moved(41, 0))
    assert not training.is_moving and not training.is_training and standing.wire.of(TraceNext)
