"""The past is asked by hand: the sheet, the curve, a click that goes there, when something first became true, and what is old is pale."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton, QStyle, QStyleOptionComboBox

from nnviz.document import edits
from nnviz.records.hindsight_record import Predicate, Question
from nnviz.records.task_records import PastTime
from nnviz.ui.run._past_sheet import PastSheet
from nnviz.ui.theme.style import apply_text_size
from tests.ui.window import opened, stands_at, wait

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, iterations=60, engine=lent_engine)


@pytest.fixture
def panel(window):
    window.features.area.show_workspace("train")
    return window.features.run.past


def sheet_of(qtbot, window) -> PastSheet:
    window.action_table["ask_past"].trigger()
    sheet = window.findChild(PastSheet)
    qtbot.waitUntil(sheet.isVisible)
    return sheet


def choose(box, key: str) -> None:
    box.setCurrentIndex(box.findData(key))
    assert box.currentData() == key


def draw(qtbot, window, what: str, where: str, statistic: str = "", element: str = "") -> None:
    sheet, count = sheet_of(qtbot, window), len(window.session.past.curves)
    choose(sheet.what, what)
    choose(sheet.where, where)
    if statistic:
        choose(sheet.statistic, statistic)
    if element:
        sheet.element.clear()
        QTest.keyClicks(sheet.element, element)
    qtbot.mouseClick(sheet.draw, LEFT)
    wait(qtbot, lambda: window.session.past.offer is not None or len(window.session.past.curves) == count + 1)
    if window.session.past.offer is not None:  # the machine has other things to do
        qtbot.mouseClick(window.features.run.past.every, LEFT)
    wait(qtbot, lambda: len(window.session.past.curves) == count + 1)


def test_curves_are_asked_for_read_and_lead_back(qtbot, window, panel):
    draw(qtbot, window, "loss", "training")
    assert window.is_visible("hindsight")
    draw(qtbot, window, "gradients", "h1", "norm")
    draw(qtbot, window, "one weights", "h1.weight", element="1, 0")
    loss, norm, weight = window.session.past.curves
    assert loss.iterations.tolist() == list(range(61)) and loss.values[60] == window.session.run.curves.last("training_loss")
    assert (
        np.isnan(norm.values[0])
        and (norm.values[1:] > 0).all()
        and weight.question == Question("weights", parameter="h1.weight", element=(1, 0))
    )
    labels = [curve.label for curve in panel.plot.chart.curves]
    assert labels == ["training loss", "dense 1 · gradients · norm", "dense 1 weight [1, 0]"]
    window.grab()
    x = panel.plot.zoom.shown[0]
    qtbot.mouseClick(panel.plot, LEFT, pos=QPoint(round(x(20)), panel.plot.height() // 2))
    wait(qtbot, lambda: stands_at(window, 20))
    assert weight.values[20] == window.session.weights.values("h1.weight")[1, 0]
    assert all(curve.strength == 1.0 for curve in panel.plot.chart.curves), "the run only went back"


def test_curves_are_pale_where_the_run_has_gone_on_or_another_way(qtbot, window, panel):
    draw(qtbot, window, "loss", "validation")
    assert panel.plot.chart.curves[0].strength == 1.0 and panel.plot.heading[2] == "up to iteration 60"
    window.session.training.iterations(5)
    wait(qtbot, lambda: stands_at(window, 65))
    (curve,) = panel.plot.chart.curves
    assert curve.strength < 1 and curve.label == "validation loss to 60"
    window.session.training.go_to(10)
    wait(qtbot, lambda: stands_at(window, 10))
    window.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", 0.5)
    wait(qtbot, lambda: window.session.link.is_up_to_date)
    qtbot.waitUntil(lambda: "other branch" in panel.plot.chart.curves[0].label)
    window.grab()
    assert panel.plot.iteration_at(QPointF(panel.plot.rect().center())) is None, "a click leads nowhere: that iteration is not of this run"


def test_when_it_first_became_true_and_a_click_goes_there(qtbot, window, panel):
    draw(qtbot, window, "loss", "training")
    values = window.session.past.curves[0].values
    threshold = float(values[30])
    expected = int(np.flatnonzero(values < threshold + 1e-9)[0])
    sheet = sheet_of(qtbot, window)
    choose(sheet.what, "loss")
    choose(sheet.where, "training")
    choose(sheet.comparison, "below")
    sheet.threshold.set_value(threshold + 1e-9)
    qtbot.mouseClick(sheet.find, LEFT)
    wait(qtbot, lambda: window.session.past.first is not None)
    assert panel.text.text().startswith(f"First at iteration {expected}: training loss below")
    qtbot.mouseClick(panel.go, LEFT)
    wait(qtbot, lambda: stands_at(window, expected))
    qtbot.mouseClick(panel.close_answer, LEFT)
    assert panel.text.text() == "" and panel.go.isHidden()
    assert window.session.past.find(Predicate(Question("loss"), "below", -1.0))
    wait(qtbot, lambda: window.session.past.first is not None)
    assert panel.text.text().startswith("Never up to iteration 60") and panel.go.isHidden()


def test_events_need_no_number(qtbot, window, panel):
    sheet = sheet_of(qtbot, window)
    choose(sheet.what, "activations")
    choose(sheet.where, "h1")
    choose(sheet.comparison, "dead")
    assert sheet.threshold.isHidden()
    assert sheet.predicate == Predicate(Question("activations", "h1", statistic="dead"), "above", 0.0)
    choose(sheet.what, "weights")
    assert sheet.comparison.findData("dead") < 0 and sheet.comparison.findData("non_finite") >= 0
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)


@pytest.mark.parametrize("text", ["9, 9", "1", "a", "", "-1, 0"])
def test_a_place_that_is_none_cannot_be_asked(qtbot, window, panel, text):
    sheet = sheet_of(qtbot, window)
    choose(sheet.what, "one gradients")
    choose(sheet.where, "h1.weight")
    sheet.element.setText(text)
    assert not sheet.draw.isEnabled() and not sheet.find.isEnabled() and "places below 4, 2" in sheet.problem.text()
    sheet.element.setText("[3, 1]")
    assert sheet.draw.isEnabled() and sheet.question.element == (3, 1)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)


def test_the_weight_that_is_chosen_in_the_microscope_is_offered(qtbot, window, panel):
    parameter, element = window.session.watched.weight
    assert parameter
    sheet = sheet_of(qtbot, window)
    assert (sheet.what.currentData(), sheet.question) == ("one weights", Question("weights", parameter=parameter, element=element))
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)


def test_what_takes_long_says_so_and_can_be_cancelled(qtbot, window, panel):
    window.features.area.set_panel_visible("hindsight", True)
    past = window.session.past
    past.offer = PastTime((1, 20), (42.0, 7.0))
    panel.show_past()
    assert panel.text.text() == "Every iteration takes about 42 s." and panel.some.text() == "every 20th, about 7 s"
    assert panel.every.isVisible() and panel.cancel.isVisible() and panel.go.isHidden()
    qtbot.mouseClick(panel.cancel, LEFT)
    assert past.offer is None and panel.every.isHidden() and panel.text.text() == ""
    draw(qtbot, window, "loss", "validation")
    window.session.training.iterations(3000)
    wait(qtbot, lambda: stands_at(window, 3060))
    past.ask(Question("loss", rows="training"))
    wait(qtbot, lambda: past.offer is not None or (past.progress is not None and past.progress.what == "iterations"))
    qtbot.mouseClick(panel.cancel, LEFT)
    wait(qtbot, lambda: past.progress is None)
    assert len(past.curves) == 1 and panel.bar.isHidden()


def test_curves_are_removed_one_by_one(qtbot, window, panel):
    window.features.area.set_panel_visible("hindsight", True)
    draw(qtbot, window, "loss", "validation")
    draw(qtbot, window, "loss", "training")
    assert panel.curves.text() == "2 curves"
    panel.curves.choose("0")
    assert [curve.question.rows for curve in window.session.past.curves] == ["training"] and panel.curves.text() == "1 curve"
    panel.curves.choose("0")
    assert not window.session.past.curves and panel.plot.sentence and panel.curves.isHidden()
    assert panel.plot.iteration_at(QPointF(50, 50)) is None


def test_the_panel_itself_leads_to_the_sheet(qtbot, window, panel):
    window.features.area.set_panel_visible("hindsight", True)
    qtbot.mouseClick(panel.ask, LEFT)
    sheet = window.findChild(PastSheet)
    qtbot.waitUntil(sheet.isVisible)
    assert any(button.text() == "find" for button in sheet.findChildren(QPushButton))
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)


def test_an_accuracy_is_waited_for_to_rise(qtbot, window, panel):
    sheet = sheet_of(qtbot, window)
    assert (sheet.comparison.currentData(), sheet.threshold.value()) == ("below", 0.1)
    choose(sheet.what, "metric")
    assert (sheet.comparison.currentData(), sheet.threshold.value()) == ("above", 0.95)
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)


@pytest.mark.parametrize("percent", [100, 150, 200])
def test_no_choice_is_cut_at_any_text_size(qapp, qtbot, window, panel, percent):
    apply_text_size(qapp, percent)
    try:
        sheet = sheet_of(qtbot, window)
        texts = [sheet.what.itemText(row) for row in range(sheet.what.count())]
        room = sheet.what.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option_of(sheet.what), QStyle.SubControl.SC_ComboBoxEditField
        )
        assert [text for text in texts if sheet.what.fontMetrics().horizontalAdvance(text) > room.width()] == []
        qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    finally:
        apply_text_size(qapp, 100)


def option_of(box: QComboBox) -> QStyleOptionComboBox:
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    return option
