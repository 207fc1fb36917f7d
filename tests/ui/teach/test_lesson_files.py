"""Files of lessons in the window: opened in every way, bad ones told, hostile ones without effect; a crash loses nothing."""

from __future__ import annotations

import json
import os
import re
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from nnviz.document import edits
from nnviz.lessons import lesson_drafts
from nnviz.lessons.store import open_lesson, save_lesson
from nnviz.session.lesson_draft import AuthorView
from nnviz.ui.shell import app
from tests.lessons.test_lesson_files import CSV, TABLE, lesson_of
from tests.ui.window import opened, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


@pytest.fixture
def said(window) -> list[str]:
    heard: list[str] = []
    window.session.message_posted.connect(lambda level, text: heard.append(text))
    return heard


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "mine.lesson.json"
    path.write_bytes(data)
    return path


def stands(window) -> bool:
    lessons = window.session.lessons
    return lessons.state is not None and not lessons.is_setting_up


def drop(window, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    at, how = QPointF(300, 300), (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, QDragEnterEvent(at.toPoint(), *how))
    QApplication.sendEvent(window, QDropEvent(at, *how))


def test_a_lesson_with_its_own_rows_is_opened_in_every_way(qtbot, window, tmp_path, monkeypatch):
    path = written(tmp_path, lesson_of(documents={"mine": TABLE}, text="{= rows } rows, {= value('x')[0, 0] }"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    learn = window.features.learn
    ways = (
        window.action_table["open"].trigger,
        partial(drop, window, path),
        partial(app.begin_with, window, str(path)),
        window.action_table["open_lesson"].trigger,
    )
    for way in ways:
        way()
        wait(qtbot, lambda: stands(window))
        assert learn.page.text.text() == "2 rows, 1.3" and window.session.experiment.title == "Two rows"
        learn.show_list()
        (row,) = [row for row in learn.list.rows if row.lesson.group == "Your lessons"]
        assert row.lesson.title == "t" and row is learn.list.rows[0]
        window.session.lessons.leave()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (lesson_of(documents={"mine": CSV}), "Put the rows inline"),
        (lesson_of("example:moons", set={"data.kind": "csv", "data.path": "/etc/passwd"}), "Put the rows inline"),
        (lesson_of("example:moons", runs={"a": {"set": {"data.kind": "csv", "data.path": "/etc/passwd"}}}), "Put the rows inline"),
        (lesson_of("http://127.0.0.1:9/a.json"), "neither an example nor a template"),
    ],
)
def test_a_lesson_that_would_open_a_file_says_so_and_opens_none(qtbot, window, tmp_path, data, what):
    window.features.learn.open_file(written(tmp_path, data))
    lessons = window.session.lessons
    wait(qtbot, lambda: bool(lessons.obstacle))
    assert what in window.features.learn.page.waiting.text()
    assert window.session.experiment.data.kind != "csv" and window.session.document.path is None


def test_texts_open_nothing(qtbot, window, tmp_path):
    text = "<img src='file:///etc/passwd'> ![a](file:///etc/passwd) [b](http://127.0.0.1:9/) <script>x</script> {= open('/etc/passwd') }"
    window.features.learn.open_file(written(tmp_path, lesson_of("example:moons", text=text)))
    wait(qtbot, lambda: stands(window))
    shown = window.features.learn.page.text
    assert "–" in shown.text() and not re.search(r"<(a|img|script)\b", shown._set._document.toHtml())
    draft = window.session.draft
    draft.open(tmp_path / "mine.lesson.json")
    window.features.teach._come()
    assert "–" in window.features.teach.page.preview.text()


def test_a_bad_file_is_told_and_changes_nothing(window, tmp_path, said):
    before = window.session.experiment
    window.features.files.documents.open(written(tmp_path, b'{"title": 3}'))
    assert said[-1].startswith("mine.lesson.json: Expected `str`, got `int` - at `$.title`") and window.session.experiment is before
    assert not window.features.learn.is_open
    assert not window.session.draft.open(tmp_path / "mine.lesson.json") and not window.session.draft.open(tmp_path / "nowhere")
    assert "cannot be read" in said[-1]


def test_a_copy_of_a_built_in_lesson_is_written_on_and_a_file_of_ones_own_itself(qtbot, window, tmp_path, monkeypatch):
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Discard)
    window.features.learn.open_first()
    wait(qtbot, lambda: stands(window))
    window.action_table["write_lesson"].trigger()
    draft = window.session.draft
    assert draft.lesson == open_lesson("first_backward_pass") and draft.path is None and not draft.is_saved
    path = tmp_path / "own.lesson.json"
    save_lesson(draft.lesson, path)
    window.features.learn.open_file(path)
    wait(qtbot, lambda: stands(window))
    window.action_table["write_lesson"].trigger()
    assert draft.path == path and draft.is_saved and window.is_visible("teach")


def test_what_reads_a_file_cannot_be_a_step(qtbot, window, tmp_path, said):
    (tmp_path / "a.csv").write_text("a,b,t\n1,2,0\n2,3,1\n3,4,0\n4,5,1\n5,6,1\n6,7,0\n")
    document = TABLE | {"data": {"kind": "csv", "path": "a.csv", "target": ""}}
    (tmp_path / "own.json").write_text(json.dumps(document))
    window.features.files.documents.read(tmp_path / "own.json")
    window.action_table["new_lesson"].trigger()
    assert "Put the rows inline" in window.features.teach.page.warning.text()
    window.features.teach.page.add.click()
    assert "Put the rows inline" in said[-1] and not window.session.draft.lesson.steps


def test_a_change_on_the_way_is_told_as_it_needs_a_step_of_its_own(qtbot, window):
    session = window.session
    window.action_table["new_lesson"].trigger()
    page = window.features.teach.page
    page.add.click()
    session.training.iterations(3)
    wait(qtbot, lambda: session.run.iteration == 3 and not session.run.training and session.run.is_traced)
    session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", "0.5")
    wait(qtbot, lambda: "go back to iteration 3" in page.warning.text())
    assert page.done.text() == "training.optimizer.learning_rate = 0.5 · iteration 3"


def test_a_crash_loses_nothing(qtbot, window, tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_drafts, "autosave_folder", lambda: tmp_path / "autosave")
    draft = window.session.draft
    monkeypatch.setattr(draft, "_keeps_copy", True)
    draft.new()
    assert draft.is_saved
    draft.add_step(AuthorView("step"))
    draft.write(text="Kept.")
    wait(qtbot, lambda: bool(list((tmp_path / "lessons").glob("*.draft"))))
    (file,) = (tmp_path / "lessons").glob("*.draft")
    left = file.with_name("1-window.draft")
    left.write_bytes(file.read_bytes().replace(str(os.getpid()).encode(), b"1"))
    monkeypatch.setattr(lesson_drafts, "is_running", lambda process: process != 1)
    draft.close()
    assert not file.exists() and left.exists()
    window.features.teach.offer_kept()
    note = window.notes.notes["kept_lesson"]
    assert "“A new lesson”, 1 step" in note.text
    note.buttons["Go on writing"].click()
    assert [step.text for step in draft.lesson.steps] == ["Kept."] and not draft.is_saved and not left.exists()
    assert draft.save(tmp_path / "kept.lesson.json") and not list((tmp_path / "lessons").glob("*.draft"))
    window.features.teach.offer_kept()
    assert "kept_lesson" not in window.notes.notes
