"""Documents as a person handles them: in real windows whose engines are not started."""

from __future__ import annotations

import gc
import os
import weakref
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, QRect, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QMessageBox, QStyle, QWidget

from nnviz.document import edits
from nnviz.document.store import files
from nnviz.document.store.autosave import recoverable, write_autosave
from nnviz.document.store.examples import open_document
from nnviz.ui.files import recent
from nnviz.ui.shell import app
from nnviz.ui.shell._windows import Windows, keep_on_screen
from nnviz.ui.theme.colors import DARK, current_theme


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    QSettings().remove("documents/recent")


@pytest.fixture
def windows(qtbot):
    app.application().setQuitOnLastWindowClosed(False)
    windows = Windows(app.MainWindow, make_features)
    yield windows
    for window in tuple(windows.windows):
        window.asks_before_closing = False
        app.shut_down(window)
    app.flush_deletions()


@pytest.fixture
def window(windows):
    return windows.open()


@pytest.fixture
def paths(tmp_path):
    made = [tmp_path / name for name in ("a b.nnviz", "doc é 网.nnviz", "plain.json")]
    for path, example in zip(made, ("iris", "moons", "sine"), strict=True):
        files.save(path, open_document(f"example:{example}"))
    return made


def make_features(window, begin) -> None:
    window.make_features(open_document("example:xor"))
    if begin:
        begin(window)


def answer_save_as(monkeypatch, path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "nnviz document (*.nnviz)"))


def change(window, seed: int = 99):
    window.session.edit("Seed", edits.set_seed, seed)


def drop(window, paths) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    at, buttons = QPointF(300, 300), (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(at.toPoint(), Qt.DropAction.CopyAction, data, *buttons)
    QApplication.sendEvent(window, enter)
    QApplication.sendEvent(window, QDropEvent(at, Qt.DropAction.CopyAction, data, *buttons)) if enter.isAccepted() else None
    return enter.isAccepted()


def entries(window) -> list[str]:
    menu = QMenu(window)
    recent.fill_recent(menu, window.features.files.documents.open)
    return [action.text() for action in menu.actions()]


def test_recent_documents_are_listed_newest_first_and_missing_ones_say_so(window, paths):
    assert entries(window) == ["No documents yet"]
    for path in paths:
        window.features.files.documents.open(path)
    assert recent.recent_documents() == tuple(reversed(paths))
    paths[1].unlink()
    assert ["– missing" in text for text in entries(window)] == [False, True, False]
    window.features.files.documents.open(paths[1])
    assert "There is no such file" in window.toast.text and paths[1] not in recent.recent_documents()
    assert window.session.document.path == paths[2]


@pytest.mark.parametrize("name", ["example:wine", "template:lstm"])
def test_a_document_that_comes_with_the_program_opens_by_its_name(windows, name):
    window = windows.open(partial(app.begin_with, path=name))
    assert window.session.experiment == open_document(name) and window.session.document.path is None


def test_many_recent_documents_stay_ten(window, tmp_path):
    for number in range(13):
        recent.remember(tmp_path / f"{number}.nnviz")
    assert [path.stem for path in recent.recent_documents()] == [str(number) for number in range(12, 2, -1)]


def test_documents_dropped_on_the_window_open_here_and_beside(windows, window, paths):
    assert drop(window, paths[:2])
    assert [each.session.document.path for each in windows.windows] == paths[:2]
    assert not drop(window, [Path("picture.png")])


def test_a_document_open_in_another_window_is_not_opened_twice(windows, window, paths):
    window.features.files.documents.open(paths[0])
    second = windows.open()
    second.features.files.documents.open(paths[0])
    assert second.session.document.path is None and len(windows.windows) == 2


def test_each_window_has_its_own_document_and_closing_one_leaves_the_others(windows, window, qtbot):
    window.action_table["new_window"].trigger()
    other = windows.windows[1]
    change(other)
    assert other.isWindowModified() and not window.isWindowModified()
    window.toggle_theme()
    assert current_theme() is DARK
    other.asks_before_closing = False
    other.close()
    assert windows.windows == [window] and window.isVisible()
    gone = weakref.ref(other), weakref.ref(other.session)
    del other
    app.flush_deletions()
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_quit_closes_all_and_stops_where_a_person_would_stay(windows, window, monkeypatch):
    other = windows.open()
    change(other)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Cancel)
    window.action_table["quit"].trigger()
    assert len(windows.windows) == 2
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Discard)
    window.action_table["quit"].trigger()
    assert not windows.windows


def test_what_somebody_else_wrote_is_not_overwritten_without_a_word(window, paths):
    window.features.files.documents.open(paths[0])
    change(window)
    files.save(paths[0], open_document("example:wine"))
    QApplication.sendEvent(window, QEvent(QEvent.Type.WindowActivate))
    assert not window.features.files.documents.save() and "changed on the disk" in window.notes.notes["file"].text
    assert files.load(paths[0]).title == open_document("example:wine").title
    next(button for name, button in window.notes.notes["file"].buttons.items() if name.startswith("Load it")).click()
    assert window.session.experiment == open_document("example:wine") and not window.notes.notes
    window.session.document.undo()
    assert window.session.experiment.seed == 99
    files.save(paths[0], open_document("example:sine"))
    assert not window.features.files.documents.save()
    window.notes.notes["file"].buttons["Save mine over it"].click()
    assert files.load(paths[0]).seed == 99 and window.session.document.is_saved


def test_a_read_only_file_stays_as_it_is_and_another_name_is_offered(window, paths, tmp_path, monkeypatch):
    window.features.files.documents.open(paths[0])
    paths[0].chmod(0o444)
    change(window)
    before = paths[0].read_bytes()
    assert not window.features.files.documents.save() and paths[0].read_bytes() == before
    note = window.notes.notes["file"]
    assert "read-only" in note.text and not window.session.document.is_saved
    answer_save_as(monkeypatch, tmp_path / "mine.nnviz")
    note.buttons["Save as…"].click()
    assert files.load(tmp_path / "mine.nnviz").seed == 99 and not window.notes.notes and window.session.document.is_saved


@pytest.mark.parametrize("name", ["missing folder/x.nnviz", "x" * 300 + ".nnviz"])
def test_what_cannot_be_written_is_a_sentence_and_nothing_is_lost(window, tmp_path, monkeypatch, name):
    change(window)
    answer_save_as(monkeypatch, tmp_path / name)
    assert not window.features.files.documents.save()
    assert "could not be saved" in window.notes.notes["file"].text
    assert window.session.experiment.seed == 99 and window.session.document.path is None
    assert not list(tmp_path.glob("*.tmp"))


def test_a_full_disk_is_a_sentence_and_the_old_file_stays(window, paths, monkeypatch):
    window.features.files.documents.open(paths[0])
    change(window)
    before = paths[0].read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert not window.features.files.documents.save() and "No space left" in window.notes.notes["file"].text
    assert paths[0].read_bytes() == before and not window.session.document.is_saved


def test_revert_is_undone(window, paths):
    window.features.files.documents.open(paths[0])
    change(window)
    window.action_table["revert"].trigger()
    assert window.session.experiment == open_document("example:iris") and window.session.document.is_saved
    window.action_table["undo"].trigger()
    assert window.session.experiment.seed == 99 and not window.session.document.is_saved


def test_several_lost_documents_are_listed_and_opened_or_discarded(windows, monkeypatch, tmp_path):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("nnviz.document.store.autosave._OWNER", "a" * 32)
        elsewhere.setattr("os.getpid", lambda: 2**22 + 1)
        for example in ("iris", "wine", "sine"):
            write_autosave(open_document(f"example:{example}"), None, example)
        os.utime(write_autosave(open_document("example:moons"), tmp_path / "lost.nnviz"), (2e9, 2e9))
    window = windows.open()
    assert window.features.files.lost_work.offer()
    (of_file,) = window.notes.notes.values()
    assert "lost.nnviz" in of_file.text and "There are 3 more" in of_file.text
    of_file.buttons["Open"].setFocus()
    of_file.buttons["Open"].click()
    assert window.focusWidget() in (window.features.graph.view, window.features.network.view), "the next key goes to the picture"
    document = window.session.document
    assert document.path == tmp_path / "lost.nnviz" and not document.is_saved and document.experiment == open_document("example:moons")
    assert len(recoverable()) == 3
    next(iter(window.notes.notes.values())).buttons["Open"].click()
    assert len(windows.windows) == 2 and not windows.windows[1].session.document.is_saved
    while window.notes.notes:
        next(iter(window.notes.notes.values())).buttons["Discard"].click()
    assert not recoverable()
    window.action_table["recover"].trigger()
    assert "No earlier start" in window.toast.text


@pytest.mark.parametrize(
    ("place", "wanted"), [((0, 0), (1600, 1000)), ((32, 32), (1600, 1000)), ((1500, 900), (1200, 800)), ((-50, -9), (1200, 800))]
)
def test_a_window_stands_within_its_screen_with_its_title_bar(qtbot, monkeypatch, place, wanted):
    screen, widget = QRect(0, 0, 1600, 1000), QWidget()
    qtbot.addWidget(widget)
    monkeypatch.setattr(widget, "screen", lambda: SimpleNamespace(availableGeometry=lambda: screen), raising=False)
    widget.setGeometry(*place, *wanted)
    keep_on_screen(widget)
    title_bar = widget.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight)
    assert title_bar > 0 and screen.contains(widget.geometry().adjusted(0, 0, 0, title_bar))
    assert widget.width() == wanted[0] and widget.height() == min(wanted[1], 1000 - title_bar)


def test_damaged_settings_keep_no_menu_from_opening(window):
    for damage in ("a\0b", ["/x/a.nnviz", "b\0c", "", 7], 5, {"a": 1}, [], None):
        QSettings().setValue("documents/recent", damage)
        QSettings().setValue("window/geometry", damage)
        menu = QMenu()
        recent.fill_recent(menu, print)
        assert menu.actions(), damage
        window.features.files.start_page.open()
        assert window.features.files.start_page.gallery.isVisible(), damage
        window.features.files.start_page.open()
        window.restore_settings()
        menu.deleteLater()
        QSettings().clear()


def test_settings_that_cannot_be_kept_are_told_of_once(window, paths, monkeypatch):
    monkeypatch.setattr(recent, "_store", lambda paths: False)
    window.features.files.documents.open(paths[0])
    assert "recent documents and panels will be forgotten" in window.notes.notes["settings file"].text
    window.notes.drop("settings file")
    window.features.files.documents.open(paths[1])
    assert "settings file" not in window.notes.notes
