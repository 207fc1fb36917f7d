"""A Python file that is dropped on a document window, or opened there, runs only once the person has agreed to it."""

import os
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from nnviz.ui.files import recent
from nnviz.ui.files.python_sheet import PythonSheet
from tests.ui.window import opened, wait

MODEL = """
import os
import torch
open({marker!r}, "a").write(f"{{os.getpid()}}\\n")

def make():
    return torch.nn.Linear(3, 1), torch.rand(8, 3), torch.rand(8, 1)
"""
OTHER = "\ndef other():\n    print('from other', flush=True)\n    return make()\n"


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, engine=lent_engine)


@pytest.fixture
def model(tmp_path):
    """`model(more)`: the file with `more` behind it; `model.runs()`: the processes that have run it."""
    marker = tmp_path / "runs"

    def write(more=""):
        path = tmp_path / "model.py"
        path.write_text(MODEL.format(marker=str(marker)) + more, encoding="utf-8")
        return path

    write.runs = lambda: marker.read_text().split() if marker.exists() else []
    return write


def drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(300, 300), *how)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(300, 300), *how))


def sheets(window):
    return [sheet for sheet in window.findChildren(PythonSheet) if sheet.isVisible()]


def ran(window, qtbot, model, times):
    wait(qtbot, lambda: len(model.runs()) == times)
    assert str(os.getpid()) not in model.runs()


def test_a_dropped_file_is_asked_for_once_until_it_changes(window, qtbot, model, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    path = model()
    drop(window, path)
    (sheet,) = sheets(window)
    assert "model.py" in sheet.told.text() and "call make" in sheet.told.text() and "can do whatever you can do" in sheet.told.text()
    assert sheet.leave.isDefault() and not sheet.names.isVisible()
    sheet.leave.click()
    assert not sheets(window) and not model.runs()
    drop(window, path)
    sheets(window)[0].run.click()
    ran(window, qtbot, model, 1)
    assert recent.recent_documents()[0] == path
    drop(window, path)
    assert not sheets(window)
    ran(window, qtbot, model, 2)
    drop(window, model("\nx = 1\n"))
    assert len(sheets(window)) == 1
    sheets(window)[0].leave.click()
    window.close()
    left = time.monotonic() + 3
    while any(Path("/proc", pid).exists() for pid in model.runs()) and time.monotonic() < left:
        qtbot.wait(20)
    assert not any(Path("/proc", pid).exists() for pid in model.runs())


def test_of_several_functions_one_is_chosen_and_what_is_printed_stands_in_the_log(window, qtbot, model, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    path = model(OTHER)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.action_table["open"].trigger()
    (sheet,) = sheets(window)
    assert [sheet.names.itemData(row) for row in range(sheet.names.count())] == ["make", "other"]
    sheet.names.setCurrentIndex(1)
    sheet.run.click()
    wait(qtbot, lambda: "from other" in str(window.session.run.log))
    assert len(model.runs()) == 1


def test_what_makes_no_module_is_said_in_the_window(window, tmp_path):
    path = tmp_path / "none.py"
    path.write_text("x = 1\n")
    window.features.files.documents.open(path)
    assert "def make_model" in window.notes.notes["python file"].text and not sheets(window)
    path.unlink()
    recent.remember(path)
    window.features.files.documents.open(path)
    assert "No such file" in window.notes.notes["python file"].text and path not in recent.recent_documents()
