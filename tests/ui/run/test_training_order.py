"""How fast training goes and how far, asked with real clicks and keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from nnviz.records.run_records import Goal
from nnviz.ui.run._training_order import TrainingOrder
from nnviz.ui.run._training_rate import TrainingRate


@pytest.fixture
def sheet(qtbot):
    made = TrainingOrder(None, "accuracy")
    qtbot.addWidget(made)
    made.show()
    return made


def click(button) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_speed_holds_at_once_and_the_sheet_stays(sheet, qtbot):
    with qtbot.waitSignal(sheet.pace_chosen) as chosen:
        click(next(button for button in sheet.paces.buttons() if button.text() == "3/s"))
    assert chosen.args == [3.0] and sheet.isVisible()
    with qtbot.waitSignal(sheet.pace_chosen) as chosen:
        click(next(button for button in sheet.paces.buttons() if button.text() == "full"))
    assert chosen.args == [None]


def test_the_present_speed_is_marked(qtbot):
    made = TrainingOrder(10.0, "accuracy")
    qtbot.addWidget(made)
    assert made.paces.checkedButton().text() == "10/s"


def test_so_many_epochs(sheet, qtbot):
    sheet.count.setFocus()
    sheet.count.selectAll()
    QTest.keyClicks(sheet.count, "12")
    sheet.unit.setCurrentText("epochs")
    with qtbot.waitSignal(sheet.count_chosen) as chosen:
        click(sheet.run_count)
    assert chosen.args == [12, True] and not sheet.isVisible()


def test_until_a_figure_passes_a_number(sheet, qtbot):
    sheet.figure.setCurrentText("validation accuracy")
    assert (sheet.comparison.currentText(), sheet.threshold.value()) == ("above", 0.95), "an accuracy is waited for to rise"
    sheet.threshold.setFocus()
    sheet.threshold.selectAll()
    QTest.keyClicks(sheet.threshold, "0.9")
    with qtbot.waitSignal(sheet.goal_chosen) as chosen:
        QTest.keyClick(sheet.threshold, Qt.Key.Key_Return)
    assert chosen.args == [Goal("metric", "above", 0.9)]


def test_a_root_mean_squared_error_is_waited_for_to_fall(qtbot):
    made = TrainingOrder(None, "RMSE")
    qtbot.addWidget(made)
    made.figure.setCurrentText("validation RMSE")
    assert made.goal == Goal("metric", "below", 0.1)


def test_the_rate_is_that_of_the_last_seconds():
    times = iter([0.0, 1.0, 2.0, 6.0])
    rate = TrainingRate(lambda: next(times))
    rate.note(0, True)
    assert rate.sentence(None) == ""
    rate.note(50, True)
    assert rate.sentence(1000) == "50 a second, 19 s left until iteration 1,000"
    rate.note(150, True)
    rate.note(550, True)
    assert rate.per_second == 100.0, "of the last seconds"
    rate.note(550, False)
    assert rate.per_second is None
