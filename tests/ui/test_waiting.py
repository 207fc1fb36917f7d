"""What the window does itself, and may take long, is seen: the pointer waits until it is done, also where it fails."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from nnviz.session.document import Document
from nnviz.ui.files.exports import Exports
from tests.ui.window import opened


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, engine=lent_engine)


def shape() -> Qt.CursorShape | None:
    cursor = QGuiApplication.overrideCursor()
    return cursor.shape() if cursor else None


@pytest.mark.parametrize("fails", [False, True])
def test_the_pointer_waits_while_a_picture_is_written(window, monkeypatch, tmp_path, fails):
    seen, write = [], Exports.write

    def watched(exports, path, what):
        seen.append(shape())
        if fails:
            raise OSError("the disk is full")
        write(exports, path, what)

    monkeypatch.setattr(Exports, "write", watched)
    exports = window.features.files.exports
    monkeypatch.setattr(exports, "_ask_file", lambda *_: str(tmp_path / "graph.svg"))
    window.action_table["export_graph"].trigger()
    assert seen == [Qt.CursorShape.WaitCursor] and shape() is None
    assert ("could not be written" in window.toast.text) == fails


def test_the_pointer_waits_while_a_document_is_written_and_read(window, monkeypatch, tmp_path):
    seen = []
    for name in ("open", "save_as"):
        done = getattr(Document, name)
        monkeypatch.setattr(Document, name, lambda *what, done=done: (seen.append(shape()), done(*what))[1])
    documents, path = window.features.files.documents, tmp_path / "moons.nnviz"
    monkeypatch.setattr(documents, "ask_file", lambda *_: str(path))
    assert documents.save_as()
    documents.read(path)
    assert seen == [Qt.CursorShape.WaitCursor] * 2 and shape() is None
