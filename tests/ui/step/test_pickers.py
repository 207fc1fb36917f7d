"""The box in which a place is typed: what it takes, and what it says to anything else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from nnviz.ui.step._pickers import Picker
from nnviz.ui.widgets.sections import FormulaLabel


@pytest.fixture
def rows(qtbot):
    picker = Picker("row", "Which row", mean=True)
    qtbot.addWidget(picker)
    picker.set_choice(3, (32,))
    picker.show()
    return picker


def typed(qtbot, picker, text: str):
    chosen = []
    picker.chosen.connect(chosen.append)
    picker._box.selectAll()
    qtbot.keyClicks(picker._box, text)
    qtbot.keyClick(picker._box, Qt.Key.Key_Return)
    return chosen


@pytest.mark.parametrize(("text", "choice"), [("12", [12]), ("mean", [None])])
def test_a_row_and_the_mean_can_be_typed(qtbot, rows, text, choice):
    assert typed(qtbot, rows, text) == choice and rows._box.refusal == ""


def test_a_row_there_is_not_is_refused_in_a_sentence(qtbot, rows):
    assert typed(qtbot, rows, "99") == []
    assert rows._box.refusal == "There is no 99 here. Type a number from 0 to 31, or “mean” for the mean over all."
    assert rows._box.value() == 3 and rows._box.text() == "[3] of 32"
    assert "mean" in rows._box.lineEdit().placeholderText()


def test_of_a_matrix_the_last_place_is_named(qtbot, rows):
    rows.set_choice(0, (2, 3))
    typed(qtbot, rows, "[5, 0]")
    assert rows._box.refusal.startswith("There is no [5, 0] here. Type a place up to [1, 2]")


def test_no_line_of_a_formula_ends_with_a_sign(qtbot):
    label = FormulaLabel()
    qtbot.addWidget(label)
    label.set_text("z[0] = 0.1·1.3 + 0.5·0.7 − 1.2 = −0.72")
    assert label.text() == "z[0] = 0.1·1.3 +\u00a00.5·0.7 −\u00a01.2 = −0.72"
