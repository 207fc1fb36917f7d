"""How soon the window is there, its first trace, and the first iteration of a run without a window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.timeout(600)

START = """
import os, sys, time
start = time.perf_counter()
from PySide6.QtCore import QEvent, QObject, QTimer

class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.UpdateRequest:
            QTimer.singleShot(0, self.report)
        return False

    def report(self):
        print(time.perf_counter() - start, "torch" in sys.modules, flush=True)
        os._exit(0)
"""


BARE = """
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication([])
window, paint = QMainWindow(), FirstPaint()
window.installEventFilter(paint)
window.show()
"""

WHOLE = """
import nnviz.cli
from nnviz.ui.shell import app
application, paint = app.application(), FirstPaint()
windows = app.Windows(app.MainWindow, lambda window, begin: window.installEventFilter(paint))
windows.open()
"""


TRACED = """
import os
from PySide6.QtCore import QEvent, QObject, QTimer
from nnviz.ui.shell import app

class TracePaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and window.session.stepping.index:
            QTimer.singleShot(0, lambda: os._exit(0))
        return False

class Window(app.MainWindow):
    def make_features(self, *arguments, **options):
        super().make_features(*arguments, **options)
        self.features.graph.view.viewport().installEventFilter(paint)

application, paint = app.application(), TracePaint()
windows = app.Windows(Window, app.start_when_painted)
window = windows.open()
application.exec()
"""


def first_paint(code: str) -> float:
    """Seconds from the first line of a fresh Python to the end of the first paint."""
    done = subprocess.run([sys.executable, "-c", START + code + "application.exec()"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seconds, has_torch = done.stdout.split()
    assert has_torch == "False"
    return float(seconds)


def test_first_paint_of_the_window(measure):
    measure("first paint of the window beside that of a bare QMainWindow", lambda: first_paint(WHOLE), lambda: first_paint(BARE), goal=4.5)


def run_python(*arguments: str) -> None:
    """Run a fresh Python to its end."""
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def import_torch() -> None:
    """What every start with numbers waits for."""
    run_python("-c", "import torch")


def test_first_iteration_of_a_run(measure):
    run = ("-m", "nnviz", "run", "example:moons", "--iterations", "1")
    measure("nnviz run example:moons --iterations 1 beside import torch, whole processes", lambda: run_python(*run), import_torch, goal=1.2)


def test_first_trace_of_the_window(measure):
    """Window and engine need a core each: the goal holds on an idle machine."""
    traced = lambda: run_python("-c", TRACED)  # noqa: E731
    measure("from the start of the window to its first trace beside import torch", traced, import_torch, goal=1.3, rounds=3)
