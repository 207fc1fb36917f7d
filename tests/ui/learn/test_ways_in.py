"""Ways into a lesson: the first start, the start page, the palette, and where one was when the program was closed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings

from nnviz.document.store.examples import open_document
from nnviz.lessons.store import lesson_names
from nnviz.ui.files.recent import recent_documents
from nnviz.ui.shell import app
from nnviz.ui.shell.main_window import MainWindow
from tests.ui.window import opened, wait

NAME = "first_backward_pass"


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


@pytest.fixture
def kept_windows(qtbot):
    """A function that makes a window which keeps its settings, without an engine; all are gone afterwards, and what they kept."""
    app.application()
    QSettings().clear()
    made: list[MainWindow] = []

    def make() -> MainWindow:
        window = MainWindow()
        window.restore_settings()
        window.make_features(open_document("example:moons"), autosaves=False)
        window.stop_asking()
        window.show()
        made.append(window)
        return window

    yield make
    for window in made:
        app.shut_down(window)
    QSettings().clear()


def test_a_first_start_leads_to_the_first_lesson(qtbot, window):
    learn, notes = window.features.learn, window.notes
    learn.offer_first()
    note = notes.notes["first_lesson"]
    assert "5 minutes, 8 questions" in note.text
    note.buttons["Begin the lesson"].click()
    wait(qtbot, lambda: learn.is_open and not window.session.lessons.is_setting_up)
    assert window.features.area.name == "learn" and learn.page.isVisible() and not notes.notes
    learn.offer_first()
    assert not notes.notes, "once"


def test_the_start_page_begins_with_lessons(qtbot, window):
    page = window.features.files.start_page
    page.open()
    card = next(card for card in page.gallery.cards if card.entry.title == "Your first backward pass")
    assert page.gallery.cards.index(card) == len(recent_documents()), "before all that comes with the program"
    card.click()
    wait(qtbot, lambda: window.features.learn.is_open and not window.session.lessons.is_setting_up)
    assert window.features.area.name == "learn"


def test_every_lesson_is_in_the_palette_and_the_list(qtbot, window):
    learn = window.features.learn
    assert len(learn.lesson_actions()) == len(lesson_names())
    window.action_table["lessons"].trigger()
    assert {row.lesson.name for row in learn.list.rows} == set(lesson_names()) and learn.list.rows[0].lesson.name == NAME
    next(one for one in learn.lesson_actions() if one.text() == "Lesson: Your first backward pass").trigger()
    wait(qtbot, lambda: learn.is_open and not window.session.lessons.is_setting_up)


def test_the_next_start_goes_on_where_one_was(kept_windows):
    first = kept_windows()
    lessons, learn = first.session.lessons, first.features.learn
    learn.open_first()
    lessons.go_to(3)
    first.close()
    second = kept_windows()
    learn = second.features.learn
    second.features.area.show_workspace("learn")
    assert learn.list.go_on.isVisible() and "step 4 of 8" in learn.list.go_on.text() and second.focusWidget() is learn.list.go_on
    learn.list.go_on.click()
    assert second.session.lessons.state.place == 3 and second.session.lessons.state.answered == {0, 1, 2}
    learn.offer_first()
    assert not second.notes.notes, "who has begun a lesson is told nothing"


def test_the_next_start_knows_what_was_known_and_asks_the_rest_first(kept_windows):
    first = kept_windows().features.learn
    first.show_interview()
    first.interview.start.order.setCurrentText("in order")
    first.interview.begin("interview")
    known = first.interview.round.present
    first.interview.reveal()
    first.interview.question.judgements[0].click()
    second = kept_windows().features.learn
    second.show_interview()
    start = second.interview.start
    assert start.topics["network"].text() == "network  1/10"
    start.order.setCurrentText("in order")
    start.count.setCurrentText("all")
    second.interview.begin("interview")
    assert second.interview.round.asked[-1].question == known


def test_a_window_that_keeps_no_settings_leaves_none(qtbot, window):
    QSettings().remove("learn")
    window.features.learn.open_first()
    wait(qtbot, lambda: not window.session.lessons.is_setting_up)
    assert not [key for key in QSettings().allKeys() if key.startswith("learn/")]
