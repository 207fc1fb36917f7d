"""Halts that a window shows, in this process or in one of its own: where the cursor stands, the answers, and a loop that goes on."""

import math
import os
import sys

import pytest
import torch
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from torch import nn

import nnviz
from nnviz.records.trace_record import WhatIf
from nnviz.trace import TraceError
from nnviz.ui.shell.trace_window import TraceWindow
from nnviz.viewing import window_process
from nnviz.watching import _asking
from tests.watching.loops import trained, watched


@pytest.fixture
def person(qtbot):
    """`person(act)`: what a person does in every window of a halt; `act(window)` may look, and has to end it."""
    stopped = []

    def begin(act):
        def look():
            windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, TraceWindow) and one.isVisible()]
            if windows and "halt" in windows[0].notes.notes:
                act(windows[0])
            if not stopped:
                QTimer.singleShot(10, look)

        QTimer.singleShot(0, look)

    yield begin
    stopped.append(True)
    qtbot.wait(20)


def test_a_loop_goes_on_with_the_same_bits_when_its_window_is_closed(person):
    seen = []

    def act(window):
        seen.append(window.notes.notes["halt"].text)
        window.step.step(-1)
        window.trace.stepping.to_end()
        window.close()

    person(act)
    found, losses, _, watch = trained(120, break_on="loss rising > 0.2", on_break="window")
    assert (found, losses) == trained(120)[:2] and len(seen) == len(watch.halts) > 0
    assert f"Iteration {watch.halts[0].iteration}, before its update. loss rising > 0.2" in seen[0]


def planted(k, net, optimizer, watch):
    x = torch.rand(8, 3)
    if k == 2:
        x[5, 1] = math.nan
    optimizer.zero_grad()
    watch.loss(net(x), torch.rand(8, 1)).backward()
    optimizer.step()


@pytest.mark.parametrize(("answer", "halts", "iterations"), [("Continue", 3, 5), ("Stop the loop here", 1, 2), ("Do not stop", 1, 5)])
def test_the_window_stands_at_what_was_found_and_its_buttons_answer(person, answer, halts, iterations):
    stood = []

    def act(window):
        state = window.trace.stepping.state
        node, element = window.trace.stepping.selected_node, window.step.chain_rule.element()
        stood.append((state.node.label, state.sample, node, element, state.index.trace.iteration))
        next(button for name, button in window.notes.notes["halt"].buttons.items() if name.startswith(answer)).click()

    person(act)
    watch = watched(nn.Linear(3, 1), planted, 5, nn.MSELoss(), on_break="window")
    assert stood[0] == ("input", 5, watch.halts[0].node, (1,), 2)
    assert (len(watch.halts), watch.iteration, watch.stopped is not None) == (halts, iterations, iterations == 2)


@pytest.fixture
def apart(monkeypatch):
    """`apart(act)`: windows are processes of their own, as in a notebook, in which `act`, an expression, does what a person would."""

    def begin(act):
        program = f"from tests.watching import window_driver; window_driver.drive(window_driver.{act})"
        monkeypatch.setattr(window_process, "COMMAND", ("-c", program))
        monkeypatch.setattr(_asking, "is_notebook", lambda: True)

    return begin


def test_in_a_notebook_the_window_is_a_process_without_torch(apart):
    apart("answers('Stop')")
    watch = watched(nn.Linear(3, 1), planted, 5, nn.MSELoss(), on_break="window")
    assert watch.stopped is not None and watch.iteration == 2


def test_a_window_of_its_own_can_ask_for_all_that_one_of_this_process_can(apart):
    apart("looks_around()")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 80), nn.Tanh(), nn.Linear(80, 1)).double()
    x, y = torch.rand(64, 3).double(), torch.rand(64, 1).double()
    assert nnviz.show(net, x, loss=nn.functional.mse_loss, target=y, process=True) is None


def wide():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 80), nn.Tanh(), nn.Linear(80, 1)), torch.rand(64, 3), torch.rand(64, 1)


def test_a_window_of_its_own_supposes_other_values(apart):
    apart("supposes()")
    net, x, y = wide()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert nnviz.show(net, x, loss=nn.functional.mse_loss, target=y, process=True) is None
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_window_of_its_own_says_why_nothing_can_be_supposed(apart):
    apart("meets_an_obstacle()")
    net, x, y = wide()
    assert nnviz.show(nnviz.capture(net, x, loss=nn.functional.mse_loss, target=y), process=True) is None


def test_a_loop_goes_on_with_the_same_bits_after_a_what_if(person):
    supposed = []

    def act(window):
        trace = window.trace
        if trace.busy:
            return
        index = trace.stepping.index
        if not index.trace.what_ifs:
            weight = next(node.id for node in index.trace.nodes if node.kind == "parameter")
            trace.what_ifs.add(WhatIf(weight, "scale", 3.0))
            return
        supposed.append((index.trace.loss, index.original.trace.loss))
        window.close()

    person(act)
    found, losses, _, watch = trained(120, break_on="loss rising > 0.2", on_break="window")
    assert (found, losses) == trained(120)[:2] and len(supposed) == len(watch.halts) > 0
    assert all(loss != before for loss, before in supposed)


def test_what_cannot_be_traced_is_raised_here(apart):
    apart("answers('Stop')")
    with pytest.raises(TraceError, match="the loss must be one"):
        nnviz.show(nn.Linear(3, 2), torch.rand(4, 3), process=True)
    with pytest.raises(ValueError, match="cannot be combined"):
        nnviz.show(nn.Linear(3, 2), torch.rand(4, 3), process=True, block=False)


def test_a_window_that_dies_lets_the_loop_go_on(monkeypatch):
    monkeypatch.setattr(window_process, "COMMAND", ("-c", "import os; os._exit(1)"))
    monkeypatch.setattr(_asking, "is_notebook", lambda: True)
    assert watched(nn.Linear(3, 1), planted, 5, nn.MSELoss(), on_break="window").iteration == 5


def test_without_a_display_a_report_is_printed(monkeypatch, capsys):
    monkeypatch.setitem(os.environ, "QT_QPA_PLATFORM", "offscreen")
    watched(nn.Linear(3, 1), planted, 3, nn.MSELoss(), on_break=None)
    assert "halts in iteration 2" in capsys.readouterr().out
    monkeypatch.setitem(os.environ, "DISPLAY", ":0")
    monkeypatch.delitem(os.environ, "QT_QPA_PLATFORM")
    monkeypatch.setattr(sys, "platform", "linux")
    assert _asking.way_of_asking(None) == "window"
