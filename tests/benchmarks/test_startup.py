"""How soon the window is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

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
from nnviz.ui.shell import app
application, paint = app.application(), FirstPaint()
windows = app.Windows(app.MainWindow, lambda window, begin: window.installEventFilter(paint))
windows.open()
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
