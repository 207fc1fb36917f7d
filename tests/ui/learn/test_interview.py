"""An interview and a quiz in the real window, with keys and clicks: answered rightly, wrongly and with help, left and come back to."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.lessons.checks import right_answer
from nnviz.lessons.expression import number
from nnviz.lessons.misconceptions import explained
from nnviz.ui.learn.lesson_progress import LessonProgress
from nnviz.ui.learn.question_round import QUIZ
from nnviz.ui.shell import app
from tests.ui.window import opened, wait

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


@pytest.fixture
def unasked(monkeypatch):
    """Fails where the window asks what shall become of unsaved work."""
    monkeypatch.setattr(QMessageBox, "question", lambda *_: pytest.fail("asked"))


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.focusWidget(), key, modifier)


def choose(window, topic: str) -> None:
    """Open the questions by their key, and ask about one topic in its order."""
    QTest.keyClick(window, KEY.Key_Q, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    start = window.features.learn.interview.start
    start.order.setCurrentText("in order")
    for name, box in start.topics.items():
        box.setChecked(name == topic)


def stands(window) -> bool:
    return window.session.lessons.state is not None and not window.session.lessons.is_setting_up


def answer(window, text: str) -> None:
    page = window.features.learn.page
    page.field.clear()
    QTest.keyClicks(window.focusWidget(), text)
    press(window, KEY.Key_Return)


def answer_rightly(window) -> None:
    state = window.session.lessons.state
    right = right_answer(state.step.ask, window.session.lessons.facts)
    match state.step.ask.kind:
        case "number":
            answer(window, right)
        case "choice":
            press(window, KEY.Key_1 + int(right))
        case "click":
            click_node(window, right)


def click_node(window, name: str) -> None:
    view = window.features.graph.view
    index, layer = window.session.stepping.index, name.partition("/")[0]
    node = next(node.id for node in index.trace.nodes if node.group[:1] == (layer,) and node.label == name.partition("/")[2])
    QTest.mouseClick(view.viewport(), LEFT, pos=view.mapFromScene(view.trace_scene.card_of(node).sceneBoundingRect().center()))


def test_an_interview_of_three_questions_by_keys(qtbot, window, unasked):
    interview, before = window.features.learn.interview, window.session.experiment
    choose(window, "practice")
    assert window.focusWidget() is interview.start.topics["network"] and "of 3 known" in interview.start.note.text()
    press(window, KEY.Key_Return)
    page = interview.question
    first = page.question.text()
    assert window.focusWidget() is page.field and not page.answer.isVisible() and not page.judgements[0].isVisible()
    QTest.keyClicks(page.field, "the first loss, 1 2 3")
    press(window, KEY.Key_Return)
    assert page.answer.text() == interview.round.present.answer and page.answer.isVisible()
    press(window, KEY.Key_1)
    second = page.question.text()
    assert second != first and not page.answer.isVisible() and not page.field.toPlainText() and window.focusWidget() is page.field
    window.action_table["lesson_answer"].trigger()
    assert window.focusWidget() is page and not window.action_table["lesson_answer"].isEnabled()
    press(window, KEY.Key_3)
    press(window, KEY.Key_Return)
    press(window, KEY.Key_Left)
    press(window, KEY.Key_Left)
    assert page.question.text() == first and page.field.toPlainText() == "the first loss, 1 2 3" and page.answer.isVisible()
    press(window, KEY.Key_Right)
    press(window, KEY.Key_Right)
    press(window, KEY.Key_2)
    assert interview.result.isVisible() and "1 of 3" in interview.result.score.text()
    assert [second in button.accessibleName() for button in interview.result.missed] == [True, False]
    press(window, KEY.Key_Return)
    assert interview.round.asked[0].question.question == second and len(interview.round.asked) == 2, "those again"
    assert window.session.experiment is before, "an interview leaves the document as it is"


def test_the_questions_leave_everything_where_it_was(qtbot, window, unasked):
    stepping, area, learn = window.session.stepping, window.features.area, window.features.learn
    area.show_workspace("train")
    assert stepping.cursor == stepping.length > 0
    choose(window, "practice")
    assert stepping.cursor == stepping.length, "all that is computed is still seen"
    area.show_workspace("train")
    assert stepping.cursor == stepping.length
    learn.open("neuron")
    wait(qtbot, lambda: stands(window))
    stepping.move("node", +1)
    answer(window, "12345")
    before = window.session.lessons.state, stepping.cursor, window.session.experiment, learn.page.field.text()
    choose(window, "practice")
    learn.show_list()
    learn.open("neuron")
    assert before == (window.session.lessons.state, stepping.cursor, window.session.experiment, learn.page.field.text())
    assert learn.page.isVisible() and window.session.lessons.state.verdict == "wrong"


def test_what_shows_an_answer_is_one_key_away_and_the_question_too(qtbot, window, unasked):
    learn, interview = window.features.learn, window.features.learn.interview
    choose(window, "network")
    press(window, KEY.Key_Return)
    press(window, KEY.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert interview.question.field.toPlainText() == "\n" and not interview.question.answer.isVisible(), "a new line"
    press(window, KEY.Key_Return)
    question = interview.question.question.text()
    press(window, KEY.Key_S)
    wait(qtbot, lambda: stands(window))
    assert learn.page.isVisible() and window.session.lessons.state.name == interview.round.present.shown_by.removeprefix("lesson:")
    assert learn.back_note.isVisible() and "question 1 of 10" in interview.waiting
    QTest.mouseClick(learn.back_note.button, LEFT)
    assert interview.question.isVisible() and interview.question.question.text() == question and interview.question.answer.isVisible()
    assert not learn.back_note.isVisible() and window.focusWidget() is interview.question
    press(window, KEY.Key_1)
    assert interview.round.place == 1


def test_an_experiment_shows_an_answer_and_leads_back(qtbot, window, unasked):
    learn, interview = window.features.learn, window.features.learn.interview
    choose(window, "practice")
    press(window, KEY.Key_Return)
    while not interview.round.present.shown_by.startswith("example:"):
        press(window, KEY.Key_Return)
        press(window, KEY.Key_3)
    name, place = interview.round.present.shown_by, interview.round.place
    press(window, KEY.Key_Return)
    QTest.mouseClick(interview.question.source, LEFT)
    wait(qtbot, lambda: stands(window))
    assert window.session.experiment.title == open_document(name).title and learn.page.next.text() == "Back to the question"
    press(window, KEY.Key_Return)
    assert interview.question.isVisible() and interview.round.place == place


def test_a_quiz_judges_counts_help_and_shows_what_was_missed(qtbot, window, unasked):
    learn, interview, lessons = window.features.learn, window.features.learn.interview, window.session.lessons
    choose(window, "network")
    interview.start.count.setCurrentText("5")
    press(window, KEY.Key_Return, Qt.KeyboardModifier.ControlModifier)
    wait(qtbot, lambda: stands(window))
    count = len(interview.round.asked)
    assert window.focusWidget() is learn.page.field
    assert learn.page.isVisible() and learn.page.text.text() == interview.round.present.question and not learn.page.source.isVisible()
    answer_rightly(window)
    assert interview.round.outcome == "right" and learn.page.reveal.text() == interview.round.present.answer
    press(window, KEY.Key_Right)
    wait(qtbot, lambda: lessons.state.place == 1 and stands(window))
    wrong = lessons.state.step.ask.wrong[0]
    answer(window, repr(number(wrong.answer, lessons.facts.names)))
    assert explained(wrong.idea) in learn.page.verdict.label.text() and not interview.round.outcome
    answer_rightly(window)
    assert interview.round.outcome == "helped"
    press(window, KEY.Key_S)
    wait(qtbot, lambda: stands(window) and lessons.state.name != ":quiz")
    assert learn.back_note.isVisible()
    window.action_table["interview"].trigger()
    wait(qtbot, lambda: stands(window) and lessons.state.name == ":quiz")
    assert lessons.state.place == 1 and learn.page.next.isEnabled(), "still answered"
    view = window.features.graph.view
    for place in range(2, count):
        window.action_table["lesson_next"].trigger()
        wait(qtbot, lambda: view.trace_scene.is_shown and not view.trace_scene.placer.is_busy)
        wait(qtbot, lambda place=place: lessons.state.place == place and stands(window))
        lessons.give_up() if place == 2 else (lessons.hint(), answer_rightly(window))
    window.action_table["lesson_next"].trigger()
    assert interview.result.isVisible() and f"1 of {count}" in interview.result.score.text() and lessons.state is None
    told = [button.accessibleName() for button in interview.result.missed[: count - 1]]
    assert "with help" in told[0] and "shown" in told[1]
    interview.result.other.click()
    assert "quiz: 1 of" in interview.start.topics["network"].toolTip()
    interview.start.forget.click()
    assert "quiz: 0 of" in interview.start.topics["network"].toolTip() and not interview.start.forget.isVisible()


def test_a_quiz_loses_no_work_unasked(qtbot, window, monkeypatch):
    session, interview, asked = window.session, window.features.learn.interview, []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: asked.append(1) or QMessageBox.StandardButton.Cancel)
    session.edit("Other rate", edits.set_value, "training.optimizer.learning_rate", "0.5")
    edited = session.experiment
    choose(window, "network")
    interview.start.quiz.click()
    assert asked and session.experiment is edited and interview.start.isVisible() and interview.round is None


def test_without_a_topic_nothing_can_be_begun_and_says_so(qtbot, window):
    choose(window, "nothing")
    start = window.features.learn.interview.start
    assert not start.interview.isEnabled() and not start.quiz.isEnabled() and start.note.text().startswith("Choose a topic")
    press(window, KEY.Key_Return)
    assert start.isVisible()


def test_the_score_is_kept_where_settings_are(qtbot):
    app.application()
    QSettings().clear()
    LessonProgress(True).note_answer(QUIZ, "a", "right")
    assert LessonProgress(True).answers(QUIZ) == {"a": "right"} and LessonProgress(False).answers(QUIZ) == {}
    LessonProgress(False).note_answer(QUIZ, "b", "right")
    assert LessonProgress(True).answers(QUIZ) == {"a": "right"}
    QSettings().setValue("learn/answers/quiz", "no JSON")
    assert LessonProgress(True).answers(QUIZ) == {}
    QSettings().clear()
