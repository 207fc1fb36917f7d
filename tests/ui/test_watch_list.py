"""Watched elements in both windows: what they are, what they were, through steps and iterations."""

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from torch import nn

import nnviz
from nnviz.document.store.examples import open_document
from nnviz.text import numbers
from nnviz.ui.step._watch_list import WatchedNumber
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def shown(qtbot):
    def show(*subject, **how):
        window = nnviz.show(*subject, block=False, **how)
        qtbot.addWidget(window)
        window.graph.view.set_animated(False)
        return window

    return show


def node_of(stepping, *names):
    return next(node for node in stepping.index.trace.nodes if names[0] in (node.label, node.operation))


def watch(window, step, stepping, qtbot, node, element):
    stepping.select(node.id)
    step.choose_element(element)
    qtbot.keyClick(window, Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)


def test_a_number_keeps_what_it_was():
    number = WatchedNumber()
    assert number.text() == "not yet"
    for now, text in ((1.0, "1"), (1.0, "1"), (2.0, "1 → 2"), (None, "2 → not yet"), (2.0, "1 → 2"), (float("nan"), "2 → NaN")):
        number.see(now)
        assert number.text() == text
    number.see(float("nan"))
    assert number.text() == "2 → NaN"


def test_a_weight_is_watched_through_its_update_in_show(shown, qtbot):
    torch.manual_seed(0)
    module, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(5, 3)
    before = module[0].weight.detach().clone()
    optimizer = torch.optim.SGD(module.parameters(), 0.5)
    window = shown(module, x, loss=lambda y, _: y.square().mean(), optimizer=optimizer)
    stepping, step = window.trace.stepping, window.step
    assert step.watches.isHidden()
    stepping.to(1)
    watch(window, step, stepping, qtbot, node_of(stepping, "0.weight"), (2, 1))
    stepping.to(1)
    watch(window, step, stepping, qtbot, node_of(stepping, "tanh"), (3,))
    weight, tanh = step.watches.watches
    assert step.watches.isVisible() and weight.value.now == before[2, 1].item()
    assert (tanh.value.text(), weight.gradient.text()) == ("not yet", "not yet")
    qtbot.waitUntil(lambda: all(not row.visibleRegion().isEmpty() for row in step.watches.rows))
    y = module(x)
    y.square().mean().backward()
    stepping.to_end()
    after = (before - 0.5 * module[0].weight.grad)[2, 1].item()
    assert weight.gradient.now == module[0].weight.grad[2, 1].item()
    assert weight.value.now == pytest.approx(after, abs=1e-7) and weight.value.was == before[2, 1].item()
    assert step.watches.rows[0].value.text() == f"{numbers.number(before[2, 1].item())} → {numbers.number(weight.value.now)}"
    assert tanh.value.now == torch.tanh(nn.functional.linear(x, before, module[0].bias))[stepping.sample or 0, 3].item()
    stepping.set_sample(2)
    assert tanh.value.was is None, "another row is not an earlier value"
    step.watches.rows[0].name.click()
    assert stepping.selected_node == weight.id and step.chain_rule.element() == (2, 1)
    window.graph.detail.chosen.emit("layer")
    qtbot.waitUntil(lambda: not window.trace.busy)
    assert stepping.index.node(weight.id).label == "0.weight" and weight.value.now == pytest.approx(after, abs=1e-7)
    step.watches.rows[0].end.click()
    assert [one.node.operation for one in step.watches.watches] == ["tanh"]
    stepping.select(tanh.id)
    step.choose_element((3,))
    window.action_table["watch"].trigger()
    assert step.watches.watches == [] and step.watches.isHidden()


def test_numbers_too_large_to_travel_come(shown, qtbot):
    torch.manual_seed(0)
    module, x = nn.Sequential(nn.Linear(20, 50), nn.Tanh(), nn.Linear(50, 1)), torch.randn(100, 20)
    window = shown(module, x, loss=lambda y, _: y.mean())
    stepping, step = window.trace.stepping, window.step
    stepping.to_end()
    tanh = node_of(stepping, "tanh")
    assert tanh.value.values is None, "it does not travel whole"
    watch(window, step, stepping, qtbot, tanh, (7,))
    stepping.select(None)
    for row in (0, 41):
        stepping.set_sample(row)
        assert step.watches.watches[0].value.now == module[:2](x)[row, 7].item()


def test_a_large_weight_is_seen_after_its_update(shown, qtbot):
    module, x = nn.Linear(100, 90), torch.randn(4, 100)
    optimizer = torch.optim.SGD(module.parameters(), 0.5)
    window = shown(module, x, loss=lambda y, _: y.square().mean(), optimizer=optimizer)
    stepping, step = window.trace.stepping, window.step
    stepping.to(1)
    watch(window, step, stepping, qtbot, node_of(stepping, "weight"), (80, 7))
    weight = step.watches.watches[0]
    before = module.weight[80, 7].item()
    assert weight.value.now == before
    stepping.to_end()
    module(x).square().mean().backward()
    optimizer.step()
    assert (weight.value.was, weight.value.now) == (before, module.weight[80, 7].item())
    stepping.select(weight.id)
    step.copy("value", "torch")
    assert torch.equal(eval(QGuiApplication.clipboard().text(), {"torch": torch}), module.weight)


def test_what_never_travels_is_asked_for_once(shown):
    window = shown(nn.Linear(2000, 1000), torch.randn(10, 2000), loss=lambda y, _: y.mean())
    stepping = window.trace.stepping
    stepping.to_end()
    linear = node_of(stepping, "linear")
    stepping.select(linear.id)
    assert stepping.index.lacks(linear.id, stepping.sample), "its weight is too large"
    assert stepping.state.row(linear.id, linear.value) is not None


@pytest.fixture
def main_window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


def test_iterations_are_watched_in_the_main_window(qtbot, main_window):
    window, step, stepping = main_window, main_window.features.step, main_window.session.stepping
    window.features.area.show_workspace("step")
    stepping.to_end()
    parameter = next(node for node in stepping.index.trace.nodes if node.kind == "parameter" and node.gradient is not None)
    stepping.select(parameter.id)
    element = step.chain_rule.element()
    window.action_table["watch"].trigger()
    seen = step.watches.watches[0]
    first = seen.gradient.now
    assert first == stepping.index.array(parameter.gradient)[element].item()
    stepping.move("iteration", +1)
    wait(qtbot, lambda: stands_at(window, 1))
    stepping.to_end()
    now = stepping.index.array(stepping.index.node(seen.id).gradient)[element].item()
    assert (seen.gradient.was, seen.gradient.now) == (first, now) and now != first
    assert "→" in step.watches.rows[0].gradient.text()
    stepping.set_detail("neurons")
    wait(qtbot, lambda: stepping.index is not None and stepping.index.is_scalar)
    stepping.to_end()
    assert step.watches.watches[0].gradient.now == now
    step.watches.rows[0].name.click()
    assert stepping.index.node(stepping.selected_node).element == element


def test_several_large_nodes_come_in_the_main_window(qtbot, main_window):
    window, step, stepping = main_window, main_window.features.step, main_window.session.stepping
    window.features.area.show_workspace("step")
    window.session.document.new(open_document("template:cnn"))
    wait(qtbot, lambda: stepping.index is not None and any(node.value.values is None for node in stepping.index.trace.nodes if node.value))
    stepping.to_end()
    large = [node for node in stepping.index.trace.nodes if node.value and node.value.values is None][:3]
    assert len(large) == 3
    for node in large:
        stepping.select(node.id)
        window.action_table["watch"].trigger()
    for row in (0, 1):
        stepping.set_sample(row)
        wait(qtbot, lambda: all(watch.value.now is not None for watch in step.watches.watches))
    for watched in step.watches.watches:
        array = stepping.state.row(watched.id, stepping.index.node(watched.id).value)
        assert watched.value.now == array[watched.element].item()
