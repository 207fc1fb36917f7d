"""What the window does itself, and may take long, is seen: the pointer waits until it is done, also where it fails."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

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


class Styled(QObject):
    """How often each widget is styled, and what the pointer looks like then."""

    def __init__(self):
        super().__init__()
        self.counts, self.shapes = Counter(), set()

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.StyleChange and isinstance(watched, QWidget):
            self.counts[watched.objectName() or id(watched)] += 1
            self.shapes.add(shape())
        return False


@pytest.fixture
def styled(qapp):
    styled = Styled()
    qapp.installEventFilter(styled)
    yield styled
    qapp.removeEventFilter(styled)


@pytest.mark.parametrize("action", ["theme", "larger_text"])
def test_the_pointer_waits_while_all_widgets_are_styled_and_that_is_only_twice(window, styled, action):
    """Once without any rules and once with the new ones: Qt would style a widget again for each it stands in, many times as long."""
    cards = window.features.cards
    for name, card in cards.items():
        card.setObjectName(name)
    styled.counts.clear()
    styled.shapes.clear()
    window.action_table[action].trigger()
    assert styled.shapes == {Qt.CursorShape.WaitCursor} and shape() is None
    assert max(styled.counts[name] for name in cards) == 2
    window.action_table["theme" if action == "theme" else "smaller_text"].trigger()


def test_another_workspace_styles_only_the_panels_that_it_takes_from_others(window, styled):
    area, cards = window.features.area, window.features.cards
    for name in ("build", "step", "train", "step"):
        area.show_workspace(name)
    for name, card in cards.items():
        card.setObjectName(name)
    styled.counts.clear()
    area.show_workspace("build")
    area.show_workspace("step")
    assert not {"graph", "inspector", "layers", "properties"} & styled.counts.keys()
    assert styled.counts["loss"] == 2 and cards["loss"].isVisible() and cards["graph"].isVisible() and not cards["layers"].isVisible()


def test_a_panel_that_left_for_the_whole_area_is_back_in_its_place(window):
    area, cards = window.features.area, window.features.cards
    area.show_workspace("step")
    places = {name: cards[name].geometry() for name in area.visible_panels()}
    area.enlarge("graph")
    area.show_workspace("train")
    area.show_workspace("step")
    area.swap_panels("loss", "norms")
    area.swap_panels("loss", "norms")
    assert {name: cards[name].geometry() for name in area.visible_panels()} == places
