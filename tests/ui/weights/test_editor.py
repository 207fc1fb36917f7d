from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit

from nnviz.document import catalog
from nnviz.ui.weights import matrix_axes
from nnviz.ui.weights._weight_editor import WeightEditor

KERNELS = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)


@pytest.fixture
def editor(qtbot):
    editor = WeightEditor()
    qtbot.addWidget(editor)
    editor.typed, editor.locks, editor.draws = [], [], []
    editor.values_typed.connect(lambda *what: editor.typed.append(what))
    editor.lock_requested.connect(lambda *what: editor.locks.append(what))
    editor.draw_requested.connect(lambda *what: editor.draws.append(what))
    return editor


def show(editor, values, locked=None, parameter="h1.weight", note=""):
    locked = np.zeros(values.shape, bool) if locked is None else locked
    editor.set_values(parameter, values, locked, matrix_axes.axis_names(None, values.shape), note)


def header(editor, orientation) -> list[str]:
    count = editor.model.columnCount() if orientation == Qt.Orientation.Horizontal else editor.model.rowCount()
    return [editor.model.headerData(section, orientation) for section in range(count)]


def go_to(editor, row, column):
    editor.table.setCurrentIndex(editor.model.index(row, column))


def clip(text):
    QGuiApplication.clipboard().setText(text)


def test_rows_are_out_and_columns_in_features(editor):
    show(editor, np.zeros((2, 3)))
    assert header(editor, Qt.Orientation.Horizontal) == ["in 0", "in 1", "in 2"]
    assert header(editor, Qt.Orientation.Vertical) == ["out 0", "out 1"]
    show(editor, np.zeros(4), parameter="h1.bias")
    assert (editor.model.rowCount(), editor.model.columnCount()) == (4, 1)
    assert header(editor, Qt.Orientation.Vertical)[1] == "unit 1"


def test_the_rows_of_a_recurrent_layer_are_its_gates(editor):
    lstm = catalog.new_layer("lstm", "r", units=2)
    editor.set_row_names(matrix_axes.row_names(lstm, (8, 3)))
    show(editor, np.zeros((8, 3)))
    assert header(editor, Qt.Orientation.Vertical) == ["i 0", "i 1", "f 0", "f 1", "g 0", "g 1", "o 0", "o 1"]
    assert matrix_axes.row_names(catalog.new_layer("dense", "d"), (8, 3)) == ()


def test_kernels_are_cut_into_matrices_by_boxes(editor):
    show(editor, KERNELS)
    assert [box.maximum() for box in editor.controls.slices] == [1, 2]
    editor.controls.slices[0].setValue(1)
    editor.controls.slices[1].setValue(2)
    assert editor.model.index(3, 4).data(Qt.ItemDataRole.EditRole) == repr(float(KERNELS[1, 2, 3, 4]))
    editor.model.setData(editor.model.index(3, 4), "0,5")
    ((parameter, values, _, _),) = editor.typed
    assert parameter == "h1.weight" and values[1, 2, 3, 4] == 0.5 and (values != KERNELS).sum() == 1
    go_to(editor, 0, 1)
    editor.toggle_lock()
    assert editor.locks == [("h1.weight", [(1, 2, 0, 1)], True)]


def test_a_cell_is_typed_with_the_keyboard(editor, qtbot):
    show(editor, np.array([[1.0, 2.0]]))
    editor.show()
    go_to(editor, 0, 1)
    editor.table.edit(editor.table.currentIndex())
    field = editor.table.findChild(QLineEdit)
    field.selectAll()
    qtbot.keyClicks(field, "-3.25")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(editor.typed))
    assert editor.typed[0][1].tolist() == [[1.0, -3.25]]
    editor.model.setData(editor.model.index(0, 0), "many")
    assert "no finite number" in editor.status.text() and len(editor.typed) == 1


def test_a_block_of_a_spreadsheet_is_pasted_from_the_current_cell_on(editor):
    show(editor, np.zeros((3, 3)))
    go_to(editor, 1, 1)
    clip("0,5\t1\n2\t-3")
    editor.paste()
    assert editor.typed[0][1].tolist() == [[0, 0, 0], [0, 0.5, 1], [0, 2, -3]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t2\t3\n4\t5\t6", "2 × 3 numbers, and from row 1, column 1 there is room for 2 × 2"),
        ("1\tx", "Line 1, cell 2"),
        ("", "no numbers"),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(editor, text, said):
    show(editor, np.zeros((3, 3)))
    go_to(editor, 1, 1)
    clip(text)
    editor.paste()
    assert said in editor.status.text() and not editor.typed


def test_a_block_that_lies_on_its_side_says_so(editor):
    show(editor, np.zeros((2, 3)))
    clip("1\t2\n3\t4\n5\t6")
    editor.paste()
    assert "transpose" in editor.status.text()


def test_what_is_copied_is_pasted_back_to_the_bit(editor):
    values = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    show(editor, values)
    editor.copy()
    go_to(editor, 0, 0)
    editor.paste()
    assert np.array_equal(editor.typed[0][1].astype(np.float32), values)


def test_filling_all_spares_what_is_locked_and_a_selection_is_filled_alone(editor):
    locked = np.array([[True, False], [False, False]])
    show(editor, np.ones((2, 2)), locked)
    editor.controls.value.set_value(7)
    editor.controls.buttons["Fill all"].click()
    assert editor.typed[0][1].tolist() == [[1, 7], [7, 7]]
    model, flags = editor.table.selectionModel(), editor.table.selectionModel().SelectionFlag
    model.select(model.model().index(1, 0), flags.ClearAndSelect | flags.Rows)  # selectRow() asks which keys are held, elsewhere too
    editor.controls.buttons["Fill selected"].click()
    assert editor.typed[1][1].tolist() == [[1, 1], [7, 7]]
    editor.lock_all()
    assert editor.locks == [("h1.weight", None, True)]
    assert [what[3].tolist() for what in editor.typed] == [[[False, True], [True, True]], [[False, False], [True, True]]]


def test_one_selected_cell_is_filled_alone_and_none_fills_nothing(editor):
    show(editor, np.ones((2, 2)))
    editor.controls.value.set_value(7)
    editor.table.clearSelection()
    editor.controls.buttons["Fill selected"].click()
    assert editor.typed == [] and "Select" in editor.status.text()
    editor.table.selectionModel().select(editor.model.index(1, 0), editor.table.selectionModel().SelectionFlag.Select)
    editor.controls.buttons["Fill selected"].click()
    assert editor.typed[0][1].tolist() == [[1, 1], [7, 1]]


def test_what_was_set_is_told_also_where_the_number_was_the_same_already(editor):
    show(editor, np.zeros((2, 3)))
    editor.model.setData(editor.model.index(0, 2), "5")
    go_to(editor, 1, 1)
    clip("0\t1")
    editor.paste()
    typed, pasted = (what[3] for what in editor.typed)
    assert np.argwhere(typed).tolist() == [[0, 2]] and np.argwhere(pasted).tolist() == [[1, 1], [1, 2]]


def test_drawing_asks_for_the_seed_in_the_box(editor):
    show(editor, np.ones((2, 2)))
    editor.controls.seed.setValue(11)
    editor.controls.buttons["Draw"].click()
    editor.controls.buttons["New seed"].click()
    assert editor.draws[0] == ("h1.weight", 11) and editor.draws[1] == ("h1.weight", editor.controls.seed.value())


def test_while_it_trains_it_says_when_a_change_takes_effect(editor):
    show(editor, np.ones((2, 2)), note="Training runs.")
    assert editor.status.text() == "Training runs."
    assert editor.controls.buttons["Draw"].isEnabled()
    assert editor.model.flags(editor.model.index(0, 0)) & Qt.ItemFlag.ItemIsEditable
    editor.set_values("h1.weight", None, np.zeros(()), (), "Training runs.")
    assert "not known" in editor.status.text() and editor.model.rowCount() == 0


def test_what_is_being_typed_is_not_swept_away_by_new_values(editor, qtbot):
    show(editor, np.ones((2, 2)))
    editor.show()
    go_to(editor, 0, 0)
    editor.table.edit(editor.table.currentIndex())
    line = editor.table.findChild(QLineEdit)
    line.selectAll()
    qtbot.keyClicks(line, "-4")
    show(editor, np.full((2, 2), 0.5))
    assert line.text() == "-4"
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(editor.typed))
    assert editor.typed[-1][1].tolist() == [[-4.0, 0.5], [0.5, 0.5]]
