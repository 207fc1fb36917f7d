"""Files of the run are written from the File menu, and weights read in, in the real window with the real engine."""

from __future__ import annotations

import csv

import numpy as np
import onnx
import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from safetensors.numpy import load_file, save_file

from tests.ui.window import opened, stands_at, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", iterations=20, engine=lent_engine)


@pytest.fixture
def export(qtbot, window, tmp_path, monkeypatch):
    """Chooses an entry of the File menu and a file, and waits until it is there."""

    def exported(action: str, name: str):
        path = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
        window.action_table[action].trigger()
        wait(qtbot, lambda: window.toast.text.startswith(f"Wrote {path}"))
        return path

    return exported


def test_all_files_of_a_run_are_written_from_the_menu(window, qtbot, export):
    weights = load_file(export("export_weights", "w.safetensors"))
    assert weights["h1.weight"].shape == (4, 2)
    assert onnx.load(export("export_onnx", "net.onnx")).graph.input[0].name == "input"
    with export("export_curves", "curves.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == window.session.run.iteration + 1
    assert export("export_histograms", "spread.parquet").stat().st_size and export("export_events", "run.tfevents").stat().st_size
    assert "file of the run" not in window.notes.notes
    assert stands_at(window, 20)


def test_of_a_network_with_two_sides_one_is_asked_for(qtbot, lent_engine, tmp_path, monkeypatch):
    def press(box):
        box.show()
        next(button for button in box.buttons() if button.text() == "Generator").click()

    monkeypatch.setattr(QMessageBox, "exec", press)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "g.onnx"), ""))
    for window in opened(qtbot, "gan", iterations=2, engine=lent_engine):
        window.action_table["export_onnx"].trigger()
        wait(qtbot, lambda window=window: window.toast.text.startswith(f"Wrote {tmp_path / 'g.onnx'}"))
    shapes = [[size.dim_value for size in one.type.tensor_type.shape.dim][1:] for one in onnx.load(tmp_path / "g.onnx").graph.input]
    assert shapes == [[2]]


def test_a_reason_is_said_where_a_file_cannot_be_written(window, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "nowhere" / "c.csv"), ""))
    window.action_table["export_curves"].trigger()
    wait(qtbot, lambda: "could not be written: No such file" in window.toast.text)


def test_the_network_takes_the_weights_of_a_file(window, qtbot, export, monkeypatch, tmp_path):
    other = {name: tensor + 1 for name, tensor in load_file(export("export_weights", "w.safetensors")).items()}
    save_file(other, tmp_path / "other.safetensors")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "other.safetensors"), ""))
    window.action_table["load_weights"].trigger()
    assert "All 6 tensors fit" in window.toast.text
    wait(qtbot, lambda: window.session.tasks.obstacle == "")
    found = load_file(export("export_weights", "again.safetensors"))
    assert all(np.array_equal(found[name], tensor) for name, tensor in other.items())
    window.action_table["undo"].trigger()
    assert not window.session.experiment.weights


def test_what_does_not_fit_is_named_and_asked_about(window, monkeypatch, tmp_path):
    save_file({"h1.bias": np.zeros(4, dtype=np.float32), "other": np.zeros(2, dtype=np.float32)}, tmp_path / "w.safetensors")
    asked = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "w.safetensors"), ""))
    monkeypatch.setattr(QMessageBox, "question", lambda *args: asked.append(args[2]) or QMessageBox.StandardButton.Cancel)
    before = window.session.experiment
    window.action_table["load_weights"].trigger()
    assert window.session.experiment is before
    assert "other is no parameter of this network." in asked[0]
