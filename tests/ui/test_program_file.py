"""The run of the window as a program of torch and numpy: it is written while the window goes on, and gives the same to the bit."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtWidgets import QFileDialog

from nnviz.document import edits
from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=24, engine=lent_engine)


def export(qtbot, window, monkeypatch, path, said: str) -> str:
    """Choose a file in the File menu's dialog; return what is said once this is."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), "Python (*.py)"))

    window.action_table["export_code"].trigger()
    wait(qtbot, lambda: said in window.toast.text)
    return window.toast.text


def test_the_run_is_written_with_the_edits_made_in_the_window(qtbot, window, monkeypatch, tmp_path):
    window.session.edit("learning rate", edits.change_training, dropout=False)
    wait(qtbot, lambda: window.session.tasks.obstacle == "" and stands_at(window, 24))
    window.session.training.go_to(40)
    wait(qtbot, lambda: stands_at(window, 40))
    path = tmp_path / "moons.py"
    assert "40 iterations" in export(qtbot, window, monkeypatch, path, f"Wrote {path}")
    text = path.read_text(encoding="utf-8")
    assert "if iteration == 24:\n            # dropout on → off\n" in text
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr[-500:]
    assert "weights: the same to the bit as in nnviz" in done.stdout


def test_an_ending_that_is_no_program_is_refused(qtbot, window, monkeypatch, tmp_path):
    export(qtbot, window, monkeypatch, tmp_path / "moons.txt", "Choose one of: .py, .ipynb")
    assert not (tmp_path / "moons.txt").exists()
