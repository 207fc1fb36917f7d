"""The real program is killed with unsaved work, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox

from nnviz.document import edits
from nnviz.document.store import files, saved_run
from nnviz.document.store.autosave import autosave_folder, recoverable, write_autosave
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


TRAINED = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from nnviz.ui.shell import app
begin = app._begin
def trained(window, how):
    begin(window, how)
    window.session.document.save_as(Path(sys.argv[1]))
    clock = QTimer(window, interval=50)
    clock.timeout.connect(lambda: window.session.training.can_train and (clock.stop(), window.session.training.train()))
    clock.start()
app._begin = trained
sys.exit(app.main("example:iris"))
"""


@pytest.mark.parametrize("how", (signal.SIGKILL, signal.SIGTERM))
def test_training_that_no_file_holds_outlives_the_program(tmp_path, how):
    path = tmp_path / "trained.nnviz"
    program = subprocess.Popen([sys.executable, "-c", TRAINED, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while iteration_kept() < 100:
        assert time.monotonic() < deadline and program.poll() is None
        time.sleep(0.05)
    os.kill(program.pid, how)
    program.wait()
    (lost,) = recoverable()
    run = saved_run.decode(lost.run)
    assert lost.document == path and run.iteration >= 100 and run.log.last == lost.experiment and run.loss is not None


def iteration_kept() -> int:
    """How far the run in the copy has come, while the program that writes it is alive."""
    for copy in autosave_folder().glob("*.autosave"):
        run = saved_run.decode(files.part_of(copy.read_bytes().partition(b"\n")[2], saved_run.PART) or b"")
        return run.iteration if run else 0
    return 0


SWEPT = """
import sys
from nnviz.document.sweep_plan import SweepOrder, read_axis
from nnviz.ui.shell import app
begin = app._begin
def swept(window, how):
    begin(window, how)
    window.session.sweep.start(SweepOrder((read_axis("training.optimizer.learning_rate=uniform:0.001..0.1"),), draws=500, iterations=40), 1)
app._begin = swept
sys.exit(app.main("example:moons"))
"""


def test_runs_of_a_sweep_outlive_the_program(qtbot):
    program = subprocess.Popen([sys.executable, "-c", SWEPT], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while runs_kept() < 3:
        assert time.monotonic() < deadline and program.poll() is None
        time.sleep(0.05)
    kept = runs_kept()
    os.kill(program.pid, signal.SIGKILL)
    program.wait()

    app.application().setQuitOnLastWindowClosed(False)
    windows = Windows(app.MainWindow, lambda window, begin: window.make_features(open_document("example:moons")))
    window = windows.open()
    assert window.features.files.lost_work.offer()
    (note,) = window.notes.notes.values()
    assert "runs of a sweep" in note.text
    note.buttons["Open"].click()
    sweep = window.session.sweep
    assert kept <= len(sweep.rows) < 500 and all(row.digest for row in sweep.rows) and len(sweep.missing) == 500 - len(sweep.rows)
    window.asks_before_closing = False
    app.shut_down(window)


def runs_kept() -> int:
    """How many runs of a sweep are in the copy."""
    for copy in autosave_folder().glob("*.autosave"):
        run = saved_run.decode(files.part_of(copy.read_bytes().partition(b"\n")[2], saved_run.PART) or b"")
        return len(run.sweep["runs"]) if run and run.sweep else 0
    return 0


def test_what_a_person_discards_is_not_offered_again(qtbot, tmp_path, monkeypatch):
    app.application().setQuitOnLastWindowClosed(False)
    for file in range(4):
        write_autosave(open_document("example:moons"), tmp_path / f"lost {file}.nnviz")
    monkeypatch.setattr("nnviz.document.store.autosave._OWNER", "a later start")
    windows = Windows(app.MainWindow, lambda window, begin: window.make_features(open_document("example:moons")))
    window = windows.open()
    assert window.features.files.lost_work.offer() and len(window.notes.notes) == 1
    (note,) = window.notes.notes.values()
    assert "There are 3 more" in note.text
    note.buttons["Discard"].click()
    (note,) = window.notes.notes.values()
    note.buttons["Discard all"].click()
    assert not window.notes.notes and not list(autosave_folder().iterdir())
    window.session.edit("Seed", edits.set_seed, 7)
    window.session.autosaver.write()
    assert list(autosave_folder().iterdir())
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Discard)
    assert window.close() and not list(autosave_folder().iterdir())
    app.flush_deletions()
