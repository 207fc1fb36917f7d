"""SIGTERM and SIGINT end the program at once, whatever is open over the window; what was not saved is found at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from nnviz.document.store.autosave import recoverable

PROGRAM = """
import os, sys
from PySide6.QtCore import QTimer
from nnviz.document import edits
from nnviz.ui.shell import app
begin = app._begin
def edited(window, how):
    begin(window, how)
    if how is None:
        return  # the other window
    window.session.edit("Seed", edits.set_seed, 4242)
    QTimer.singleShot(0, lambda: opened(window))
    QTimer.singleShot(500, lambda: os.kill(os.getpid(), {number}))
def opened(window):
    {what}
app._begin = edited
sys.exit(app.main("example:iris"))
"""
OPEN = {
    "nothing": "pass",
    "the question on closing": "window.close()",
    "the question of another document": "window.features.files.documents.new()",
    "a file dialog": "window.features.files.documents.save_as()",
    "a message": "window.about()",
    "a menu": "window._menu.exec()",
    "the data": "window.features.data.open()",
    "the question in another window": "window.open_window(), window.close()",
}


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    for name in ("STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))


@pytest.mark.parametrize("what", OPEN)
def test_a_signal_ends_the_program_under_whatever_is_open(what):
    number = signal.SIGINT if what == "a menu" else signal.SIGTERM
    text = PROGRAM.replace("{number}", str(int(number))).replace("{what}", OPEN[what])
    program = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    complaints = [line for line in program.stderr.splitlines() if not line.startswith("This plugin does not support")]
    assert (program.returncode, complaints) == (0, [])
    assert [lost.experiment.seed for lost in recoverable()] == [4242]


@pytest.mark.parametrize("seconds", (0.4, 0.8, 1.2))
def test_an_interrupt_at_the_start_prints_nothing(seconds):
    program = subprocess.Popen([sys.executable, "-m", "nnviz"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    os.kill(program.pid, signal.SIGINT)
    _, said = program.communicate(timeout=60)
    assert "Traceback" not in said and "QProcess" not in said


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is a display")
@pytest.mark.parametrize("platform", ("xcb", "nonsense"))
def test_without_a_display_a_sentence_says_so(platform):
    nowhere = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "nnviz"]
    program = subprocess.run(command, env=nowhere | {"QT_QPA_PLATFORM": platform}, capture_output=True, text=True, timeout=60)
    (sentence,) = program.stderr.splitlines()
    assert program.returncode == 1 and sentence.startswith("The window cannot be opened: ") and "nnviz screenshot" in sentence
