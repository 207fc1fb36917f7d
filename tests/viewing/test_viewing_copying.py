"""Values of the chain-rule card as Python, in the window of a module and in that of a document."""

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from torch import nn

from nnviz.document.store.examples import open_document
from tests.ui.window import opened, wait


def pasted():
    return eval(QGuiApplication.clipboard().text(), {"torch": torch, "np": np})


def node_of(window, label):
    return next(node for node in window.trace.stepping.index.trace.nodes if label in (node.label, node.operation))


def test_a_node_too_large_to_travel_is_pasted_to_the_bit(shown, qtbot):
    torch.manual_seed(0)
    module, x = nn.Sequential(nn.Linear(30, 40), nn.Tanh()), torch.randn(200, 30)
    window = shown(module, x, loss=lambda y, _: y.square().mean())
    window.trace.stepping.to_end()
    window.trace.stepping.select(node_of(window, "tanh").id)
    y = module(x)
    y.retain_grad()
    y.square().mean().backward()
    qtbot.keyClick(window, Qt.Key.Key_U, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    assert torch.equal(pasted(), y) and pasted().dtype == torch.float32
    assert "200×40, as torch.tensor" in window.toast.text
    qtbot.keyClick(window, Qt.Key.Key_U, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert torch.equal(pasted(), y.grad)
    window.action_table["copy_value_numpy"].trigger()
    assert np.array_equal(pasted(), y.detach().numpy())
    window.trace.stepping.set_sample(3)
    window.step.choose_element((7,))
    window.action_table["copy_element"].trigger()
    assert pasted().shape == () and pasted() == y[3, 7]
    assert "element [7]" in window.toast.text


@pytest.mark.parametrize("size", [4, 80])
def test_bfloat16_is_pasted_as_bfloat16(shown, size):
    torch.manual_seed(0)
    module, x = nn.Linear(30, size).bfloat16(), torch.randn(70, 30).bfloat16()
    window = shown(module, x, loss=lambda y, _: y.float().square().mean())
    window.trace.stepping.to_end()
    window.trace.stepping.select(node_of(window, "linear").id)
    y = module(x)
    y.retain_grad()
    y.float().square().mean().backward()
    for part, wanted in (("value", y), ("gradient", y.grad)):
        window.step.copy(part, "torch")
        assert pasted().dtype == torch.bfloat16 and torch.equal(pasted(), wanted)
    window.step.copy("value", "numpy")
    assert np.array_equal(pasted(), y.detach().float().numpy())
    window.trace.stepping.set_sample(None)
    window.step.copy("element", "torch")
    assert pasted().dtype == torch.float32  # the mean of a batch need be no bfloat16
    window.trace.stepping.set_sample(3)
    window.step.choose_element((2,))
    window.step.copy("element", "torch")
    assert pasted().dtype == torch.bfloat16 and pasted() == y[3, 2]


def test_what_is_not_there_or_too_large_is_refused(shown):
    window = shown(nn.Linear(400, 300), torch.randn(2, 400), loss=lambda y, _: y.mean())
    QGuiApplication.clipboard().setText("as it was")
    window.trace.stepping.to_start()
    window.trace.stepping.select(node_of(window, "linear").id)
    window.step.copy("gradient", "torch")
    assert "not computed here" in window.toast.text
    window.trace.stepping.to_end()
    window.trace.stepping.select(node_of(window, "weight").id)
    window.step.copy("value", "torch")
    assert "120,000 elements" in window.toast.text
    assert QGuiApplication.clipboard().text() == "as it was"
    window.step.copy("element", "torch")
    assert pasted().dtype == torch.float32


def test_the_menu_offers_all_rows_and_the_element(shown):
    module, x = nn.Linear(3, 2), torch.tensor([[1.0, float("nan"), float("-inf")]] * 4)
    window = shown(module, x, loss=lambda y, _: y.mean())
    window.trace.stepping.to_end()
    window.trace.stepping.select(next(node for node in window.trace.stepping.index.trace.nodes if node.kind == "input").id)
    menu = window.step.chain_rule.copy_menu(window.step.chain_rule.rect().center())
    parts = {action.text(): action for action in menu.actions()}
    parts["Copy the value of all rows as"].menu().actions()[1].trigger()
    assert torch.allclose(pasted(), x, equal_nan=True)
    assert "Copy the chosen element as" in parts
    menu.deleteLater()


@pytest.fixture
def main_window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


def test_the_main_window_fetches_what_has_not_travelled(qtbot, main_window):
    window, stepping = main_window, main_window.session.stepping
    window.session.document.new(open_document("template:cnn"))
    wait(qtbot, lambda: stepping.index is not None and any(node.value.values is None for node in stepping.index.trace.nodes if node.value))
    stepping.to_end()
    large = next(node for node in stepping.index.trace.nodes if node.value and node.value.values is None)
    stepping.select(large.id)
    QGuiApplication.clipboard().clear()
    window.action_table["copy_value"].trigger()
    wait(qtbot, lambda: QGuiApplication.clipboard().text().startswith("torch.tensor"))
    assert tuple(pasted().shape) == large.shape
    assert np.array_equal(pasted().numpy(), stepping.index.array(large.value))
