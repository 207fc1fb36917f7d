"""The real program is killed with unsaved work, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnviz.document.store.autosave import autosave_folder, recoverable
from nnviz.document.store.examples import open_document
from nnviz.ui.shell import app
from nnviz.ui.shell._windows import Windows

PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from nnviz.document import edits
from nnviz.ui.shell import app
begin = app._begin
def edited(window, how):
    begin(window, how)
    window.session.edit("Seed", edits.set_seed, 4242)
app._begin = edited
sys.exit(app.main("example:iris"))
"""


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def children(process: int) -> list[int]:
    return [int(child) for path in Path(f"/proc/{process}/task").glob("*/children") for child in path.read_text().split()]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for the engine under /proc")
def test_work_of_a_killed_program_is_offered_at_the_next_start(qtbot):
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(autosave_folder().glob("*.autosave")) or not children(program.pid):
        assert time.monotonic() < deadline and program.poll() is None
        time.sleep(0.05)
    engines = children(program.pid)
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    while any(Path(f"/proc/{engine}/cmdline").exists() and Path(f"/proc/{engine}/cmdline").read_bytes() for engine in engines):
        assert time.monotonic() < deadline, "the engine has outlived the window"
        time.sleep(0.05)
    assert [lost.experiment.seed for lost in recoverable()] == [4242]

    app.application().setQuitOnLastWindowClosed(False)
    windows = Windows(app.MainWindow, lambda window, begin: window.make_features(open_document("example:moons")))
    window = windows.open()
    assert window.features.files.lost_work.offer()
    (note,) = window.notes.notes.values()
    note.buttons["Open"].click()
    assert window.session.experiment.seed == 4242 and not window.session.document.is_saved
    assert len(list(autosave_folder().glob("*.autosave"))) == 1 and not recoverable()
    window.asks_before_closing = False
    app.shut_down(window)
