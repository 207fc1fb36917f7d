"""However small a panel is pulled, what stands in it is not painted over: the graph's buttons, the rows of the batch."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from nnviz.ui.step._step_bar import SHORT, SIGNS, WORDS
from nnviz.ui.widgets.header_button import ActionButton
from tests.ui.window import opened, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


@pytest.mark.parametrize("size", [(1280, 800), (1180, 720)])
def test_the_step_buttons_stay_below_the_graph(qtbot, window, size):
    window.resize(*size)
    window.features.area.show_workspace("step")
    for splitter in window.features.area._splitters:
        if splitter.orientation() == Qt.Orientation.Vertical:
            splitter.setSizes([10_000, 1] if splitter.isAncestorOf(window.features.network.view) and splitter.count() == 2 else [1, 10_000])
    QApplication.processEvents()
    view, controls = window.features.graph.view, window.features.step.controls
    bottom = view.mapTo(window, view.rect().bottomLeft()).y()
    assert bottom < controls.mapTo(window, controls.rect().topLeft()).y()


def test_the_batch_shows_rows_at_once(qtbot, window):
    window.resize(1180, 720)
    window.features.area.show_workspace("step")
    window.features.data.toggle_batch()
    batch = window.features.data.batch
    wait(qtbot, lambda: batch.table.isVisible())
    QApplication.processEvents()
    table = batch.table
    rows = [row for row in range(3) if table.viewport().rect().contains(table.visualRect(table.model().index(row, 0)))]
    assert rows == [0, 1, 2]
    assert table.geometry().bottom() < batch.note.geometry().top()
    assert batch.note.text().startswith("32 rows")


def test_no_word_is_cut_while_a_lesson_is_written(window):
    window.resize(1280, 800)
    for opens, words in ((lambda: window.features.area.show_workspace("step"), WORDS), (window.action_table["new_lesson"].trigger, SHORT)):
        opens()
        QApplication.processEvents()
        buttons = window.features.step.step_bar.findChildren(ActionButton)
        assert [button.text() for button in buttons] == list(words.values())
        assert all(button.width() >= button.sizeHint().width() and button.toolTip() and button.accessibleName() for button in buttons)
    window.features.area.set_panel_visible("lesson", True)
    QApplication.processEvents()
    assert [button.text() for button in buttons] == list(SIGNS.values())
    assert all(button.width() >= button.sizeHint().width() for button in buttons)
