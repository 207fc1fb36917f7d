"""Steps and iterations are recorded from the File menu, in the real window with the real engine."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QProgressDialog, QPushButton

from nnviz.ui.files._recording_sheet import RecordingSheet
from nnviz.ui.files.recorder import RecordingOrder
from nnviz.ui.theme.colors import current_theme
from tests.ui.window import opened, stands_at, wait

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=12, engine=lent_engine)


def pixels(path) -> list[np.ndarray]:
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def sheet_of(window) -> RecordingSheet:
    window.action_table["record"].trigger()
    return next(one for one in window.findChildren(RecordingSheet) if one.isVisible())


def test_all_steps_of_the_graph_from_the_menu(window, qtbot, tmp_path, monkeypatch):
    window.session.stepping.to(7)
    sheet = sheet_of(window)
    steps = window.session.stepping.length
    assert f"{steps + 1} pictures" in sheet.told.text()
    sheet.size.setCurrentText("800 × 500")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "steps"), "MP4 (*.mp4)"))
    QTest.mouseClick(sheet.record, LEFT)
    wait(qtbot, lambda: window.toast.text.startswith("Wrote"))
    found = pixels(tmp_path / "steps.mp4")
    assert len(found) == steps + 1 and found[0].shape == (500, 800, 3)
    assert all((one != other).any() for one, other in itertools.pairwise(found))  # every step is seen
    assert window.session.stepping.cursor == 7 and stands_at(window, 12)
    assert not window.findChildren(QProgressDialog) or not any(bar.isVisible() for bar in window.findChildren(QProgressDialog))


def test_iterations_of_a_plot_in_another_theme(window, qtbot, tmp_path):
    ends, before = [], current_theme().name
    recorder = window.features.files.recordings.recorder
    recorder.ended.connect(lambda path, told: ends.append((path, told)))
    window.features.area.show_workspace("train")
    recorder.start(RecordingOrder(tmp_path / "loss.gif", "loss", "iterations", 0, 20, 5, (400, 300), 5, "dark"))
    assert recorder.is_going
    wait(qtbot, lambda: bool(ends))
    found = pixels(tmp_path / "loss.gif")
    assert ends[0][1] == "5 pictures." and len(found) == 5
    assert found[-1].mean() < 100 and current_theme().name == before
    wait(qtbot, lambda: stands_at(window, 12))


def test_plots_fill_their_pictures_and_stand_still(window, qtbot, tmp_path):
    ends = []
    recorder = window.features.files.recordings.recorder
    recorder.ended.connect(lambda path, told: ends.append((path, told)))
    recorder.start(RecordingOrder(tmp_path / "plots.mp4", "plots", "iterations", 0, 12, 6, (800, 500), 5, "light"))
    wait(qtbot, lambda: bool(ends))
    found = [(picture < 200).any(axis=2) for picture in pixels(tmp_path / "plots.mp4")]
    assert all(ink[:40].any() and ink[-120:].any() and ink[:, -120:].any() for ink in found)
    heads = [np.flatnonzero(ink[:30, :60].any(axis=1)) for ink in found]
    assert len(found) == 3 and all(np.array_equal(head, heads[0]) for head in heads)
    wait(qtbot, lambda: stands_at(window, 12))


def test_a_recording_that_is_cancelled_leaves_nothing(window, qtbot, tmp_path):
    ends = []
    recorder = window.features.files.recordings.recorder
    recorder.ended.connect(lambda path, told: ends.append((path, told)))
    recorder.start(RecordingOrder(tmp_path / "graph.mp4", "graph", "iterations", 0, 500))
    wait(qtbot, lambda: any(bar.isVisible() and bar.value() > 1 for bar in window.findChildren(QProgressDialog)))
    bar = next(bar for bar in window.findChildren(QProgressDialog) if bar.isVisible())
    QTest.mouseClick(bar.findChild(QPushButton), LEFT)
    assert ends == [("", "The recording was cancelled.")] and not list(tmp_path.iterdir())
    wait(qtbot, lambda: stands_at(window, 12))
    assert window.updatesEnabled()


def test_the_sheet_says_what_it_cannot_record(window):
    sheet = sheet_of(window)
    steps = window.session.stepping.length
    sheet.last.set_value(steps + 5)
    sheet.last.value_changed.emit(steps + 5)
    assert f"has {steps} steps" in sheet.told.text() and not sheet.record.isEnabled()
    sheet.along.setCurrentIndex(1)
    assert sheet.record.isEnabled() and "13 pictures" in sheet.told.text()
    sheet.close()
    QApplication.processEvents()
