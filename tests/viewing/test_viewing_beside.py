"""`nnviz.show` while the module runs: the window answers, what is done can be cancelled, what fails leaves all as it was."""

import contextlib
import threading
import time

import numpy as np
import pytest
import torch
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from torch import nn

import nnviz
from nnviz.ui.shell.trace_window import TraceWindow


class Net(nn.Module):
    """Its forward does what it is told, from the second call on."""

    def __init__(self, then=lambda x: x, first=lambda x: x):
        super().__init__()
        self.linear, self.norm = nn.Linear(3, 2), nn.BatchNorm1d(2)
        self.calls, self.does = 0, (first, then)

    def forward(self, x):
        self.calls += 1
        x = self.does[min(self.calls - 1, 1)](x)
        return self.norm(self.linear(x)).pow(2).mean()


def loops(x):
    while True:
        pass


def computes(x):
    while True:
        x = x + 1


def sleeps(x):
    for _ in range(100):
        time.sleep(0.02)
    return x


def swallows(x):
    while True:
        with contextlib.suppress(Exception):  # as careless modules do
            loops(x)


def fails(x):
    raise KeyError("the second time")


@pytest.fixture
def shown(qtbot):
    def show(net, detail="layer"):
        window = nnviz.show(net, torch.ones(4, 3), block=False, detail=detail)
        qtbot.addWidget(window)
        window.graph.view.set_animated(False)
        return window

    return show


def idle(window, qtbot, seconds=10):
    qtbot.waitUntil(lambda: not window.trace.busy, timeout=seconds * 1000)


def latencies(window, qtbot, seconds):
    """How long an event of the window waits, in milliseconds: a timer of 10 ms, with the graph painted at each."""
    gaps, before = [], [time.perf_counter()]

    def tick():
        now = time.perf_counter()
        gaps.append((now - before[0]) * 1000 - 10)
        window.graph.view.viewport().repaint()
        before[0] = time.perf_counter()

    timer = QTimer(interval=10)
    timer.timeout.connect(tick)
    timer.start()
    qtbot.wait(int(seconds * 1000))
    timer.stop()
    return np.array(gaps)


@pytest.mark.parametrize("does", [loops, computes, sleeps, swallows])
def test_the_window_answers_while_the_module_runs_and_cancelling_leaves_all_as_it_was(shown, qtbot, does):
    window = shown(Net(then=does))
    net, index = window.trace._recording._module, window.trace.stepping.index
    buffers = [buffer.clone() for buffer in net.buffers()]
    window.graph.detail.chosen.emit("math")
    waits = latencies(window, qtbot, 0.8)
    assert np.percentile(waits, 90) <= 100 and "Capturing Net at detail math" in window.busy_line.word.text()
    began = time.perf_counter()
    window.busy_line.button.click()
    idle(window, qtbot)
    assert time.perf_counter() - began <= 3
    assert window.trace.stepping.index is index and window.trace.stepping.detail == window.graph.detail.key == "layer"
    assert window.toast.text == "Cancelled: detail math is not shown."
    assert all(map(torch.equal, buffers, net.buffers()))


def test_after_a_cancelled_capture_the_next_is_sound(shown, qtbot):
    net = Net(then=computes)
    window = shown(net)
    window.graph.detail.chosen.emit("math")
    qtbot.wait(200)
    window.trace.cancel()
    idle(window, qtbot)
    net.does = (None, lambda x: x)
    assert torch.autograd.Function.apply.__qualname__ == "Function.apply" and not nn.modules.module._global_forward_hooks
    window.graph.detail.chosen.emit("textbook")
    idle(window, qtbot)
    assert window.trace.stepping.index.trace.detail == "textbook"


def test_a_first_capture_that_is_cancelled_leaves_a_window_that_offers_it_again(shown, qtbot):
    net = Net(first=loops)
    when_busy(lambda window: window.trace.cancel())
    window = shown(net)
    assert window.trace.stepping.state is None and "cancelled" in window.graph.view.notice.text()
    assert not window.action_table["step"].isEnabled() and window.action_table["close"].isEnabled()
    window.notes.notes["nothing"].buttons["Capture again"].click()
    idle(window, qtbot)
    assert window.trace.stepping.length and window.action_table["step"].isEnabled() and not window.notes.notes


def test_closing_the_window_during_the_first_capture_ends_it(qtbot, qapp):
    when_busy(lambda window: window.close())
    nnviz.show(Net(first=loops), torch.ones(4, 3))
    assert not any(thread.name == "nnviz call" for thread in threading.enumerate())


def test_what_cannot_be_interrupted_is_said_and_the_window_stays_usable(shown, qtbot):
    given = threading.Event()
    window = shown(Net(then=lambda x: (given.wait(60), x)[1]))
    window.graph.detail.chosen.emit("math")
    qtbot.wait(100)
    window.trace.cancel()
    qtbot.waitUntil(lambda: "stuck" in window.notes.notes, timeout=20_000)
    assert "cannot be interrupted" in window.notes.notes["stuck"].text
    window.step.step(+1)
    assert window.trace.stepping.cursor == 1
    given.set()
    idle(window, qtbot)
    assert not window.notes.notes and window.trace.stepping.detail == "layer"


def test_a_window_whose_module_never_ends_can_be_closed_with_a_word(shown, qtbot):
    given = threading.Event()
    window = shown(Net(then=lambda x: (given.wait(60), x)[1]))
    window.graph.detail.chosen.emit("math")
    qtbot.wait(100)
    with pytest.warns(RuntimeWarning, match="Net is still running"):
        window.close()
    assert not window.isVisible()
    given.set()
    qtbot.waitUntil(lambda: not any(thread.name == "nnviz call" for thread in threading.enumerate()), timeout=8_000)


def test_a_module_that_raises_the_second_time_is_told_in_the_window(shown, qtbot, caplog, capfd):
    window = shown(Net(then=fails))
    window.graph.detail.chosen.emit("math")
    idle(window, qtbot)
    assert window.toast.text == "Nothing changed, because detail math cannot be shown. KeyError: 'the second time'"
    assert window.graph.detail.key == window.trace.stepping.index.trace.detail == "layer"
    assert "Traceback" not in capfd.readouterr().err


def test_a_detail_that_cannot_be_reached_is_told_and_the_label_stays(shown, qtbot):
    def reads(x):
        torch.autograd.grad(x.sum(), x)  # no gradient may be computed inside
        return x

    window = shown(Net(then=reads))
    group = next(node.group[0] for node in window.trace.stepping.index.trace.nodes if node.group)
    window.trace.stepping.set_detail_of(group, "math")
    idle(window, qtbot)
    assert "cannot be shown" in window.toast.text and "compute" in window.toast.text
    assert window.trace.stepping.details == () and window.graph.detail.key == "layer"


def test_the_latest_of_several_wishes_is_shown(shown, qtbot):
    window = shown(Net(then=lambda x: (time.sleep(0.2), x)[1]))
    for detail in ("math", "textbook", "math"):
        window.graph.detail.chosen.emit(detail)
        qtbot.wait(30)
    idle(window, qtbot)
    assert window.trace.stepping.index.trace.detail == window.graph.detail.key == "math" and not window.toast.isVisible()


def test_what_torch_keeps_by_thread_is_as_it_was_where_show_was_called(qtbot):
    seen = []

    class Looks(nn.Module):
        def forward(self, x):
            seen.append((torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"), torch.ones(1).device.type))
            return x.sum()

    with torch.autocast("cpu", torch.float16, cache_enabled=False), torch.device("cpu"):
        window = nnviz.show(Looks(), torch.ones(2, requires_grad=True), block=False)
        qtbot.addWidget(window)
    assert seen[0] == (True, torch.float16, "cpu")


def test_the_generator_stands_as_after_one_forward(shown, qtbot):
    net = Net(first=lambda x: x + torch.rand(1), then=lambda x: x + torch.rand(1))
    torch.manual_seed(3)
    torch.rand(1)
    after = torch.get_rng_state()
    torch.manual_seed(3)
    window = shown(net)
    losses = {window.trace.stepping.index.trace.loss}
    for detail in ("math", "textbook"):
        window.graph.detail.chosen.emit(detail)
        idle(window, qtbot)
        losses.add(round(window.trace.stepping.index.trace.loss, 6))
    assert torch.equal(torch.get_rng_state(), after) and len({round(loss, 5) for loss in losses}) == 1


def when_busy(act):
    """Do something with the window once its module has been running for a moment."""
    windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, TraceWindow) and one.trace.seconds > 0.2]
    if windows:
        act(windows[0])
    else:
        QTimer.singleShot(50, lambda: when_busy(act))
