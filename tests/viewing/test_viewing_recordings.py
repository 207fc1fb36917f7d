"""The steps of a person's own module as moving pictures, from the window of `nnviz.show`."""

import itertools
import sys

import av
import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QProgressDialog, QPushButton
from torch import nn

import nnviz
from nnviz.ui.files._recording_sheet import RecordingSheet
from nnviz.ui.files.recorder import RecordingOrder
from nnviz.ui.theme.colors import current_theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot):
    torch.manual_seed(0)
    window = nnviz.show(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), torch.randn(4, 2), block=False, loss=loss)
    qtbot.addWidget(window)
    window.trace.stepping.to(3)
    qtbot.waitUntil(window.is_settled, timeout=30_000)
    return window


def loss(output, target):
    return output.square().mean()


def pixels(path) -> list[np.ndarray]:
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def sheet_of(window, qtbot) -> RecordingSheet:
    qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    return next(one for one in window.findChildren(RecordingSheet) if one.isVisible())


def test_all_steps_of_the_graph_with_a_sheet_that_knows_no_run(window, qtbot, tmp_path, monkeypatch):
    sheet, steps = sheet_of(window, qtbot), window.trace.stepping.length
    assert f"{steps + 1} pictures" in sheet.told.text() and sheet.along.count() == 1
    offered = {sheet.what.itemData(place) for place in range(sheet.what.count())}
    assert offered == {"graph", "window", "inspector"}, "no network, no plots, and only the panels in sight"
    sheet.size.setCurrentText("800 × 500")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "steps"), "MP4 (*.mp4)"))
    QTest.mouseClick(sheet.record, LEFT)
    qtbot.waitUntil(lambda: window.toast.text.startswith("Wrote"), timeout=30_000)
    found = pixels(tmp_path / "steps.mp4")
    assert len(found) == steps + 1 and found[0].shape == (500, 800, 3)
    assert all((one != other).any() for one, other in itertools.pairwise(found)), "every step is seen"
    assert window.trace.stepping.cursor == 3 and window.updatesEnabled()


def test_a_range_of_steps_of_the_window_in_another_theme(window, qtbot, tmp_path):
    ends, before = [], current_theme().name
    recorder = window.recordings().recorder
    recorder.ended.connect(lambda path, told: ends.append((path, told)))
    recorder.start(RecordingOrder(tmp_path / "window.gif", "window", "steps", 1, 5, 2, (400, 300), 5, "dark"))
    qtbot.waitUntil(lambda: bool(ends), timeout=30_000)
    found = pixels(tmp_path / "window.gif")
    assert ends[0][1] == "3 pictures." and len(found) == 3 and found[-1].mean() < 100
    assert current_theme().name == before and window.trace.stepping.cursor == 3


def test_it_can_be_cancelled_and_ends_with_its_window(window, qtbot, tmp_path):
    ends = []
    recorder = window.recordings().recorder
    recorder.ended.connect(lambda path, told: ends.append((path, told)))
    order = RecordingOrder(tmp_path / "graph.mp4", "graph", "steps", 0, window.trace.stepping.length)
    recorder.start(order)
    qtbot.waitUntil(lambda: any(bar.isVisible() for bar in window.findChildren(QProgressDialog)), timeout=30_000)
    bar = next(bar for bar in window.findChildren(QProgressDialog) if bar.isVisible())
    QTest.mouseClick(bar.findChild(QPushButton), LEFT)
    assert ends == [("", "The recording was cancelled.")] and not list(tmp_path.iterdir())
    assert window.trace.stepping.cursor == 3 and window.updatesEnabled()
    recorder.start(order)
    window.close()
    assert len(ends) == 2 and not list(tmp_path.iterdir()) and not recorder.is_going


def test_without_the_library_one_line_says_how_to_install_it(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    window.recordings().recorder.start(RecordingOrder(tmp_path / "graph.mp4", "graph", "steps", 0, 3))
    assert 'pip install "nnviz[video]"' in window.toast.text and not window.recordings().recorder.is_going
    QApplication.processEvents()
