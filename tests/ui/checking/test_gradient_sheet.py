"""The sheet for gradients of one's own, typed and pasted, in the window of a document and in that of a recorded trace."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

import nnviz
from nnviz.lessons.gradient_check import GradientChecker
from nnviz.records.trace_matching import shown_node
from nnviz.session import gradient_search
from tests.ui.window import opened, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "worked_2-2-1", engine=lent_engine)


@pytest.fixture
def sheet(window, qtbot):
    window.action_table["check_gradients"].trigger()
    return window.features.checking.sheet


def gradients(window) -> dict[str, np.ndarray]:
    index = window.session.stepping.index.whole
    return {node.label: index.array(node.gradient) for node in index.trace.nodes if node.kind == "parameter"}


def signs(sheet) -> dict[str, str]:
    model = sheet.model
    return {row.name: model.index(place, 3).data() for place, row in enumerate(model.rows)}


def paste(qtbot, sheet, text: str) -> None:
    sheet.box.setPlainText(text)
    qtbot.waitUntil(lambda: not sheet._reading.isActive())


def test_all_rows_are_there_in_backward_order_and_empty(window, sheet):
    names = [row.name for row in sheet.model.rows]
    assert names == ["out/linear", "out.weight", "out.bias", "h1/relu", "h1/linear", "h1.weight", "h1.bias"]
    assert set(signs(sheet).values()) == {""} and not sheet.summary.isVisible()
    assert sheet.table.currentIndex().isValid() and not sheet.first_button.isEnabled()


def test_what_numpy_prints_is_pasted_and_judged(window, sheet, qtbot):
    mine = gradients(window)
    text = "\n".join(f"{name} = {array}" for name, array in mine.items())
    paste(qtbot, sheet, text)
    assert {name: sign for name, sign in signs(sheet).items() if sign} == dict.fromkeys(mine, "✓ right")
    assert sheet.summary.isVisible() and sheet.summary.text() == "All 4 gradients are right." and sheet.summary.property("role") == "agrees"
    paste(qtbot, sheet, text.replace("h1.weight", "h9.weight"))
    assert sheet.fault.isVisible() and "h9.weight" in sheet.fault.text()
    paste(qtbot, sheet, "h1.weight = [[1, 2")
    assert "not closed" in sheet.fault.text()
    paste(qtbot, sheet, "")
    assert not sheet.fault.isVisible()


def test_the_first_wrong_one_is_named_and_shown_in_the_graph(window, sheet, qtbot):
    mine = gradients(window)
    paste(qtbot, sheet, "\n".join(f"{name} = {-array if name.startswith('h1') else array}" for name, array in mine.items()))
    assert signs(sheet)["h1.weight"] == "✗ wrong" and signs(sheet)["h1.bias"] == "follows"
    assert "first wrong one in backward order: h1.weight" in sheet.summary.text() and sheet.summary.property("role") == "differs"
    qtbot.mouseClick(sheet.first_button, Qt.MouseButton.LeftButton)
    assert sheet.chosen == "h1.weight" and "The sign is turned" in sheet.detail.text()
    index = window.session.stepping.index
    selected = index.tensor_of(window.session.stepping.selected_node)
    assert selected.group == ("h1",) and selected.kind == "operation", "where it was made: at the node behind the weight"
    assert window.features.graph.view.isVisible()


def test_a_cell_is_typed_by_key_and_judged_at_once(window, sheet, qtbot):
    table = sheet.table
    table.setCurrentIndex(sheet.model.index(2, 2))
    QTest.keyClick(table, "9")
    editor = table.viewport().findChild(QLineEdit)
    QTest.keyClicks(editor, ".5")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet.texts == {"out.bias": "9.5"})
    assert signs(sheet)["out.bias"] == "✗ wrong"
    sheet.model.setData(sheet.model.index(2, 2), str(gradients(window)["out.bias"].tolist()))
    assert signs(sheet)["out.bias"] == "✓ right"
    sheet.model.setData(sheet.model.index(2, 2), "[1, x]")
    table.setCurrentIndex(sheet.model.index(2, 2))
    assert signs(sheet)["out.bias"] == "cannot be read" and "is no number" in sheet.detail.text()
    qtbot.mouseClick(sheet.clear_button, Qt.MouseButton.LeftButton)
    assert sheet.texts == {} and set(signs(sheet).values()) == {""}


def test_an_array_without_a_name_goes_into_the_chosen_row(window, sheet, qtbot):
    sheet.table.setCurrentIndex(sheet.model.index(5, 0))
    paste(qtbot, sheet, str(gradients(window)["h1.weight"]))
    assert signs(sheet)["h1.weight"] == "✓ right" and list(sheet.texts) == ["h1.weight"]


def test_the_clipboard_is_pasted_into_the_table_not_as_layers(window, sheet, qtbot):
    layers = window.session.experiment.network.layers
    QApplication.clipboard().setText(f"h1.bias = {gradients(window)['h1.bias']}")
    sheet.table.setCurrentIndex(sheet.model.index(0, 0))
    QTest.keyClick(sheet.table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert signs(sheet)["h1.bias"] == "✓ right" and window.session.experiment.network.layers == layers
    QApplication.clipboard().setText("a word")
    QTest.keyClick(sheet.table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert sheet.fault.isVisible() and "no number" in sheet.fault.text()


def test_another_iteration_is_checked_anew(window, sheet, qtbot):
    paste(qtbot, sheet, f"h1.weight = {gradients(window)['h1.weight']}")
    assert signs(sheet)["h1.weight"] == "✓ right"
    window.session.training.iterations(1)
    wait(qtbot, lambda: window.session.stepping.index is not None and window.session.stepping.index.trace.iteration == 1)
    wait(qtbot, lambda: signs(sheet)["h1.weight"] == "✗ wrong")
    assert sheet.age.text().startswith("iteration 2")


def test_in_neurons_the_tensors_are_checked_and_a_neuron_is_shown(window, sheet, qtbot):
    window.session.stepping.set_detail("neurons")
    wait(qtbot, lambda: window.session.stepping.index is not None and window.session.stepping.index.is_scalar)
    mine = gradients(window)
    paste(qtbot, sheet, f"h1.weight = {-mine['h1.weight']}")
    wait(qtbot, lambda: signs(sheet)["h1.weight"] == "✗ wrong")
    qtbot.mouseClick(sheet.first_button, Qt.MouseButton.LeftButton)
    stepping = window.session.stepping
    assert stepping.selected_node is not None and stepping.index.node(stepping.selected_node).whole is not None
    row = next(row for row in sheet.model.rows if row.name == "h1.weight")
    assert shown_node(stepping.state, row.node) == stepping.selected_node


def test_in_the_window_of_a_recorded_trace(qtbot):
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    x, y = torch.randn(4, 2), torch.randn(4, 1)
    window = nnviz.show(net, x, loss=torch.nn.functional.mse_loss, target=y, block=False)
    qtbot.addWidget(window)
    window.graph.view.set_animated(False)
    torch.nn.functional.mse_loss(net(x), y).backward()
    window.action_table["check_gradients"].trigger()
    sheet = window.checking.sheet
    paste(qtbot, sheet, "\n".join(f"{name} = {4 * parameter.grad.numpy()}" for name, parameter in net.named_parameters()))
    assert signs(sheet)["2.weight"] == "✗ wrong" and signs(sheet)["0.weight"] == "follows"
    qtbot.mouseClick(sheet.first_button, Qt.MouseButton.LeftButton)
    assert "sum where the loss takes the mean" in sheet.detail.text()
    assert window.trace.stepping.index.node(window.trace.stepping.selected_node).kind == "loss"


def test_a_long_search_goes_on_beside_the_window_and_can_be_cancelled(window, sheet, qtbot, monkeypatch):
    mine = gradients(window)
    text = "\n".join(f"{name} = {-array if name.startswith('h1') else array}" for name, array in mine.items())
    go_on = threading.Event()
    real = gradient_search.GradientChecker.check

    def held(checker, own, tell=lambda progress: None):
        def told(progress):
            if progress.tried == 2:
                go_on.wait(10)
            tell(progress)

        return real(checker, own, told)

    monkeypatch.setattr(gradient_search, "GradientChecker", type("Held", (GradientChecker,), {"check": held}))
    checking = window.features.checking
    checking._checker = GradientChecker(window.session.stepping.index, 0)
    for is_cancelled in (True, False):
        go_on.clear()
        paste(qtbot, sheet, text if is_cancelled else text + "\n")
        assert "Not all slips" in sheet.model.sentence("h1.weight") and sheet.search.isVisible() and sheet.cancel_button.isVisible()
        wait(qtbot, lambda: "slip 1 of" in sheet.search.text())
        if is_cancelled:
            qtbot.mouseClick(sheet.cancel_button, Qt.MouseButton.LeftButton)
            assert not sheet.search.isVisible()
        go_on.set()
        wait(qtbot, lambda: not checking._search._timer.isActive())
        assert ("The sign is turned" in sheet.model.sentence("h1.weight")) is not is_cancelled
    assert not sheet.search.isVisible() and not sheet.cancel_button.isVisible()
