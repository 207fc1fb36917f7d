"""A lesson written in the real window with clicks and keys, saved, opened in a fresh window and played rightly and wrongly."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from nnviz import cli
from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.document.variations import Variation
from nnviz.lessons.lesson import Ask, encode
from nnviz.lessons.store import lesson_names, open_draft, open_lesson, save_lesson
from nnviz.records.task_records import DistancesTask
from tests.ui.window import opened, wait

LEFT, KEY, WORKED = Qt.MouseButton.LeftButton, Qt.Key, "template:worked_2-2-1"


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


@pytest.fixture
def unasked(monkeypatch):
    """Fails where the window asks what shall become of unsaved work."""
    monkeypatch.setattr(QMessageBox, "question", lambda *_: pytest.fail("asked"))


def begin(qtbot, window) -> None:
    """Open the worked example and begin a lesson on it."""
    window.features.files.documents.take(open_document(WORKED))
    wait(qtbot, lambda: window.session.run.is_traced and window.session.stepping.index is not None)
    window.action_table["new_lesson"].trigger()
    view = window.features.graph.view
    wait(qtbot, lambda: view.trace_scene.is_shown and not view.trace_scene.placer.is_busy)


def page(window):
    return window.features.teach.page


def press(button) -> None:
    QTest.mouseClick(button, LEFT)
    QApplication.processEvents()


def write(field, text: str) -> None:
    field.setFocus()
    QTest.keyClicks(field, text)


def click_node(window, operation: str) -> None:
    """Click the card of a node in the graph."""
    view = window.features.graph.view
    node = next(node.id for node in window.session.stepping.index.trace.nodes if node.operation == operation)
    card = view.trace_scene.card_of(node)
    view.centerOn(card)
    QTest.mouseClick(view.viewport(), LEFT, pos=view.mapFromScene(card.sceneBoundingRect().center()))


def add_step(window, text: str, kind: str, question: str) -> None:
    press(page(window).add)
    assert window.focusWidget() is page(window).text
    QTest.keyClicks(page(window).text, text)
    press(page(window).tabs["question"])
    press(page(window).question.kinds[kind])
    write(page(window).question.text, question)


def add_number(qtbot, window) -> None:
    for _ in range(3):
        window.action_table["step"].trigger()
    click_node(window, "linear")
    window.features.step.choose_element((0,))
    add_step(window, "Here is $z$.", "number", "What is z?")
    form = page(window).question
    press(form.selected["value"])
    assert form.answer.text() == "value('h1/linear')[0, 0]" and form.answer.told.text() == "= -0.72 now"
    offered = {action.toolTip(): action for action in form.offered.menu().actions()}
    next(action for said, action in offered.items() if said.startswith("The bias")).trigger()
    assert form.wrong.rows[0].expression.text() == "value('h1/linear')[0, 0] - value('h1.bias')[0]"


def add_choice(window) -> None:
    click_node(window, "relu")
    add_step(window, "Behind it the ReLU.", "choice", "Is the first unit silent?")
    form = page(window).question
    for text, when in (("yes", "value('h1/relu')[0, 0] == 0"), ("no", "value('h1/relu')[0, 0] > 0")):
        press(form.options.more)
        row = form.options.rows[-1]
        write(row.text, text)
        write(row.expression.line, when)
    assert [row.expression.told.text() for row in form.options.rows] == ["true now", "false now"]
    write(form.options.rows[1].idea.lineEdit(), "It lives only where z is above 0.")


def add_click(window) -> None:
    add_step(window, "Where does the gradient die?", "click", "Click that node.")
    form = page(window).question
    press(form.take_click)
    assert (form.when.text(), form.example.text()) == ("clicked == 'h1/relu'", "h1/relu")
    assert form.when.told.text() == "true where h1/relu is clicked"


def add_change(qtbot, window) -> None:
    add_step(window, "Now slower.", "change", "Take a rate below 0.05.")
    form = page(window).question
    write(form.when.line, "learning_rate < 0.05")
    assert form.when.told.text() == "false now"
    window.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", "0.01")
    wait(qtbot, lambda: window.session.run.is_traced)
    press(form.take_example)
    assert form.example.text() == "training.optimizer.learning_rate=0.01"
    wait(qtbot, lambda: form.when.told.text() == "true now")
    press(page(window).tabs["text"])
    write(page(window).reveal, "Slow.")


def test_a_lesson_of_four_steps_is_written_saved_and_played(qtbot, lent_engine, monkeypatch, tmp_path, capsys):
    path = tmp_path / "silent.lesson.json"
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Discard)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "silent"), ""))
    with contextmanager(opened)(qtbot, "moons", engine=lent_engine) as window:
        begin(qtbot, window)
        QTest.keyClicks(page(window).title, "A silent unit")
        add_number(qtbot, window)
        add_choice(window)
        add_click(window)
        add_change(qtbot, window)
        press(page(window).tabs["lesson"])
        write(page(window).summary, "You know when a ReLU is silent.")
        window.action_table["save_lesson"].trigger()
        assert window.session.draft.is_saved and window.session.draft.path == path
    lesson = open_lesson(str(path))
    assert [step.ask.kind for step in lesson.steps] == ["number", "choice", "click", "change"] and lesson.title == "A silent unit"
    assert lesson.steps[0].document in (WORKED, "example:worked_2-2-1") and not lesson.documents
    assert encode(lesson) + b"\n" == path.read_bytes() and b"-0.72" not in path.read_bytes(), "no answer is written down"
    assert cli.main(["lessons", str(path), "--check"]) == 0 and "holds" in capsys.readouterr().out
    with contextmanager(opened)(qtbot, "moons", engine=lent_engine) as window:
        window.features.files.documents.open(path)
        play(qtbot, window)
        learn = window.features.learn
        assert next(row for row in learn.list.rows if row.lesson.group == "Your lessons").lesson.is_done
        path.unlink()
        learn.show_list()
        assert all(row.lesson.group != "Your lessons" for row in learn.list.rows), "listed while the file is there"


def play(qtbot, window) -> None:
    """Answer all four wrongly, where that can be, and rightly."""
    shown, lessons = window.features.learn.page, window.session.lessons

    def stands(place: int) -> None:
        wait(qtbot, lambda: lessons.state is not None and lessons.state.place == place and not lessons.is_setting_up)

    stands(0)
    write(shown.field, "0.48")
    QTest.keyClick(shown.field, KEY.Key_Return)
    assert "bias was left out" in shown.verdict.label.text()
    shown.field.clear()
    write(shown.field, "-0,72")
    QTest.keyClick(shown.field, KEY.Key_Return)
    assert shown.verdict.label.text() == "**Right.**"
    press(shown.next)
    stands(1)
    press(shown.options[1])
    assert "only where z is above 0" in shown.verdict.label.text()
    press(shown.options[0])
    press(shown.next)
    stands(2)
    click_node(window, "mse_loss")
    assert lessons.state.verdict == "wrong"
    click_node(window, "relu")
    press(shown.next)
    stands(3)
    assert not shown.next.isEnabled()
    window.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", "0.02")
    wait(qtbot, shown.next.isEnabled)
    assert shown.reveal.text() == "Slow."
    press(shown.next)
    assert lessons.state is None


def test_what_was_done_is_told_before_it_is_added_and_going_there_brings_it_back(qtbot, window, unasked):
    begin(qtbot, window)
    session, draft = window.session, window.session.draft
    assert "worked_2-2-1" in page(window).done.text()
    press(page(window).add)
    wait(qtbot, lambda: page(window).done.text() == "nothing yet")
    for _ in range(5):
        session.training.iterations(1)
        wait(qtbot, lambda: not session.run.training and session.run.is_traced)
    wait(qtbot, lambda: page(window).done.text() == "iteration 5")
    press(page(window).add)
    assert [step.iteration for step in draft.lesson.steps] == [0, 5], "many clicks make one place"
    page(window).steps.setCurrentRow(0)
    press(page(window).buttons["show"])
    wait(qtbot, lambda: not draft.is_revisiting and session.run.iteration == 0)
    assert window.is_visible("teach") and not window.is_visible("lesson") and session.lessons.state is None
    session.training.iterations(2)
    wait(qtbot, lambda: not session.run.training and session.run.is_traced and session.run.iteration == 2)
    press(page(window).buttons["retake"])
    assert [step.iteration for step in draft.lesson.steps] == [2, 5]


def test_runs_beside_and_what_was_measured_become_part_of_a_step(qtbot, window, unasked):
    begin(qtbot, window)
    session, draft = window.session, window.session.draft
    session.document.new(open_document("example:xor"))
    wait(qtbot, lambda: session.run.is_traced)
    fast = edits.set_value(session.experiment, "training.optimizer.learning_rate", "0.3")
    session.comparison.start([Variation("fast", fast)], 5)
    wait(qtbot, lambda: not session.comparison.is_going and session.tasks.ask(DistancesTask()))
    wait(qtbot, lambda: session.tasks.state(DistancesTask).is_whole)
    window.features.area.set_panel_visible("distances", True)
    wait(qtbot, lambda: "beside: fast, 5 iterations each" in page(window).done.text() and "measured: distances" in page(window).done.text())
    press(page(window).add)
    step = draft.lesson.steps[0]
    assert list(step.runs["fast"].set.values()) == [0.3] and (step.run_iterations, step.measure) == (5, ("distances",))
    assert "distances" in step.panels
    draft.write(ask=Ask("number", "How far?", answer="final('loss', 'fast')"))
    session.branches.remove("fast")
    session.lessons.open(":played", draft.lesson)
    wait(qtbot, lambda: not session.lessons.is_setting_up)
    assert session.lessons.facts.names["final"]("loss", "fast") > 0 and "distances" in session.lessons.facts.measured


def test_steps_are_moved_copied_taken_out_and_all_is_undone(qtbot, window, unasked):
    begin(qtbot, window)
    draft, buttons = window.session.draft, page(window).buttons
    for text in ("one", "two"):
        press(page(window).add)
        QTest.keyClicks(page(window).text, text)
    before = draft.lesson

    def texts() -> list[str]:
        return [step.text for step in draft.lesson.steps]

    press(buttons["up"])
    assert texts() == ["two", "one"] and draft.place == 0 and not buttons["up"].isEnabled()
    assert draft.lesson.steps[0].document and not draft.lesson.steps[1].document
    press(buttons["copy"])
    press(buttons["remove"])
    press(buttons["up"])
    assert texts() == ["one", "two"]
    for _ in range(4):
        window.action_table["undo_lesson"].trigger()
    assert draft.lesson == before
    window.action_table["undo_lesson"].trigger()
    assert texts() == ["one", ""], "letters typed one after the other go together"
    window.action_table["redo_lesson"].trigger()
    assert draft.lesson == before and page(window).text.toPlainText() == "two"


def test_a_fault_in_an_expression_is_told_at_its_field(qtbot, window):
    begin(qtbot, window)
    add_step(window, "Look: {= loss }", "number", "How much?")
    form = page(window).question
    write(form.answer.line, "value('h9/relu')[0, 0]")
    assert "The trace has no h9/relu" in form.answer.told.text() and form.answer.line.property("role") == "invalid"
    form.answer.line.clear()
    write(form.answer.line, "loss")
    assert form.answer.told.text() == "= 1.62818 now" and form.answer.line.property("role") == ""
    press(form.wrong.more)
    write(form.wrong.rows[0].expression.line, "loss * 1.001")
    assert "that is the right answer here" in form.wrong.rows[0].expression.told.text()
    assert page(window).preview.text() == "Look: 1.628"
    press(page(window).tabs["claims"])
    write(page(window).claims, "loss < 1")
    assert "does not hold now" in page(window).claims_told.text()


def test_it_is_tried_as_a_learner_would_and_nothing_of_it_is_kept(qtbot, window, unasked):
    begin(qtbot, window)
    add_step(window, "Look.", "number", "How much is the loss?")
    window.action_table["try_lesson"].trigger()
    assert window.session.lessons.state is None, "it is not whole: that is told"
    write(page(window).question.answer.line, "loss")
    window.action_table["try_lesson"].trigger()
    shown, lessons = window.features.learn.page, window.session.lessons
    wait(qtbot, lambda: lessons.state is not None and not lessons.is_setting_up)
    assert window.is_visible("lesson") and not window.is_visible("teach")
    write(shown.field, "1.628")
    QTest.keyClick(shown.field, KEY.Key_Return)
    press(shown.next)
    assert lessons.state is None and window.is_visible("teach") and not window.is_visible("lesson") and not window.notes.notes
    window.action_table["try_lesson"].trigger()
    wait(qtbot, lambda: lessons.state is not None and not lessons.is_setting_up)
    window.notes.notes["trying_lesson"].buttons["Back to writing"].click()
    assert lessons.state is None and window.is_visible("teach")
    assert not window.features.learn._progress.latest


def test_the_check_names_what_does_not_hold(qtbot, window, unasked):
    begin(qtbot, window)
    press(page(window).add)
    write(page(window).claims, "loss < 1")
    window.action_table["check_lesson"].trigger()
    assert page(window).verdict.text().startswith("Playing the lesson")
    wait(qtbot, lambda: window.session.draft.check.found is not None)
    assert page(window).verdict.text() == "Step 1: The claim does not hold: loss < 1"
    assert page(window).steps.item(0).text().startswith("✗ 1")
    page(window).claims.clear()
    assert not page(window).verdict.isVisible(), "it was another lesson that was checked"
    window.action_table["check_lesson"].trigger()
    wait(qtbot, lambda: window.session.draft.check.found is not None)
    assert page(window).verdict.text().startswith("All holds")


def test_a_changed_lesson_is_not_thrown_away_unasked(qtbot, window, monkeypatch):
    begin(qtbot, window)
    press(page(window).add)
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: asked.append(1) or QMessageBox.StandardButton.Cancel)
    window.action_table["new_lesson"].trigger()
    window.action_table["close_lesson"].trigger()
    assert len(asked) == 2 and len(window.session.draft.lesson.steps) == 1
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Discard)
    window.action_table["close_lesson"].trigger()
    assert window.session.draft.lesson is None and window.is_visible("lesson") and not window.is_visible("teach")


def test_lessons_are_looked_through_in_the_editor_and_saved_as_they_were(qtbot, window, tmp_path):
    window.features.area.show_workspace("learn")
    draft, written = window.session.draft, page(window)
    for name in lesson_names()[::9]:
        path, lesson = tmp_path / f"{name}.lesson.json", open_lesson(name)
        save_lesson(lesson, path)
        before = path.read_bytes()
        assert draft.open(path)
        window.features.teach._come()
        for place in range(len(lesson.steps)):
            written.steps.setCurrentRow(place)
        assert draft.lesson == lesson and draft.is_saved and draft.place == len(lesson.steps) - 1, name
        assert draft.save(path) and path.read_bytes() == before == encode(open_draft(path)) + b"\n", name
