"""A sweep in a real window by real clicks: asked for, watched, brushed, and a run of it opened that comes to the same bits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from nnviz import jobs
from nnviz.document.edits import set_value
from nnviz.document.store.examples import open_document
from nnviz.document.sweep_plan import SweepOrder, read_axis
from nnviz.export.sweep_tables import read_table
from nnviz.sweeps import sweeping
from nnviz.ui.sweep._sweep_sheet import SweepSheet
from nnviz.ui.widgets.header_button import ActionButton
from tests.ui.window import opened, wait

LEFT = Qt.MouseButton.LeftButton
RATE, UNITS = "training.optimizer.learning_rate", "network.layers.h1.units"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, iterations=20, engine=lent_engine)


def sheet_of(window) -> SweepSheet:
    window.action_table["sweep"].trigger()
    return next(sheet for sheet in window.findChildren(SweepSheet) if sheet.isVisible())


def add(sheet: SweepSheet, words: str, values: str) -> None:
    """As a person does: search, Enter, type the values."""
    QTest.keyClicks(sheet.search, words)
    QTest.keyClick(sheet.search, Qt.Key.Key_Return)
    field = list(sheet.fields.values())[-1]
    assert field.hasFocus()
    field.selectAll()
    QTest.keyClicks(field, values)


def swept(qtbot, window) -> None:
    wait(qtbot, lambda: not window.session.sweep.is_going)
    wait(qtbot, lambda: len(window.features.sweep.panel.table.rows()) == len(window.session.sweep.rows))


def drag(plot, name: str, low: float, high: float) -> None:
    place = [one.name for one in plot._all].index(name)
    ends = [QPoint(round(plot._across(place)), round(plot._down(share))) for share in (low, high)]
    QTest.mousePress(plot, LEFT, pos=ends[0])
    QTest.mouseMove(plot, (ends[0] + ends[1]) / 2)
    QTest.mouseMove(plot, ends[1])
    QTest.mouseRelease(plot, LEFT, pos=ends[1])


def digest_of(experiment, iterations: int) -> str:
    return jobs.run(jobs.OpenedFile(experiment, ROOT), iterations)["digest"]


def test_a_sweep_from_the_sheet_to_a_document(qtbot, window, tmp_path, monkeypatch):
    sheet = sheet_of(window)
    assert not sheet.button.isEnabled() or "3 runs" in sheet.button.text(), "several seeds alone are a sweep"
    add(sheet, "optimizer learning rate", "0.001, 0.05")
    add(sheet, "dense 1 units", "2, 5")
    sheet.seeds.setValue(2)
    sheet.iterations.setValue(30)
    assert list(sheet.fields) == [RATE, UNITS] and sheet.button.text() == "sweep 8 runs"
    wait(qtbot, lambda: "about" in sheet.told.text())
    sheet.fields[UNITS].setText("2, x")
    assert sheet.button.isEnabled() and "4 of them cannot be made" in sheet.told.text()
    sheet.fields[UNITS].setText("2, 5")
    QTest.mouseClick(sheet.button, LEFT)
    panel, sweep = window.features.sweep.panel, window.session.sweep
    assert sweep.is_going and window.features.area.visible_panels() == ("sweep",)
    iteration = window.session.run.iteration
    window.session.training.iterations(5)  # the engine goes on meanwhile
    wait(qtbot, lambda: window.session.run.iteration == iteration + 5)
    swept(qtbot, window)
    assert [row.number for row in sweep.rows] == list(range(1, 9)) and not any(row.is_failed for row in sweep.rows)
    texts = panel.table.texts()
    assert [text[:4] for text in texts][:3] == [["1", "0.001", "2", "11"], ["2", "0.001", "2", "12"], ["3", "0.001", "5", "11"]]

    losses = [row.validation_loss for row in sweep.rows]
    column = [panel.table.model().headerData(place, Qt.Orientation.Horizontal) for place in range(panel.table.model().columnCount())]
    panel.table.sortByColumn(column.index("validation loss"), Qt.SortOrder.AscendingOrder)
    assert [row.validation_loss for row in panel.table.rows()] == sorted(losses)

    panel.parallel.grab()
    panel.bands.grab()
    assert len(panel.bands._bands) == 4 and {len(band.numbers) for band in panel.bands._bands} == {2}
    drag(panel.parallel, "learning rate", 0.9, 1.0)
    assert panel.shown == (5, 6, 7, 8) and {row.number for row in panel.table.rows()} == {5, 6, 7, 8}
    panel.bands.grab()
    assert len(panel.bands._bands) == 2
    drag(panel.parallel, "h1 units", -0.1, 0.1)
    assert panel.shown == (5, 6)

    best = panel.table.rows()[0]
    QTest.mouseClick(panel.table.viewport(), LEFT, pos=panel.table.visualRect(panel.table.model().index(0, 1)).center())
    assert panel.chosen == best.number and best.digest[:12] in panel.line.text() and panel.open_button.isEnabled()

    out = tmp_path / "table.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *arguments: (str(out), "CSV (*.csv)"))
    window.action_table["export_sweep"].trigger()
    assert [run.digest for run in read_table(out, (RATE, UNITS))] == [row.digest for row in sweep.rows]

    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *arguments: asked.append(arguments[2]) or QMessageBox.StandardButton.Cancel)
    window.session.edit("Rename", set_value, "title", "mine")
    QTest.mouseClick(panel.open_button, LEFT)
    assert len(asked) == 1 and window.session.experiment.title == "mine", "the person would rather stay"
    monkeypatch.setattr(QMessageBox, "question", lambda *arguments: QMessageBox.StandardButton.Discard)
    QTest.mouseClick(panel.open_button, LEFT)
    wait(qtbot, lambda: window.session.run.iteration == 30 and not window.session.training.is_moving)
    opened_now = window.session.experiment
    assert opened_now.title == f"Two moons · run {best.number}" and window.session.run.curves.last("loss") == best.loss
    assert digest_of(opened_now, 30) == best.digest
    assert len(sweep.rows) == 8, "the results stay"

    first = sweep.rows[0]
    window.features.sweep.keep(first.number)
    wait(qtbot, lambda: not window.session.comparison.is_going)
    kept = window.session.branches.kept[-1]
    assert kept.branch.name == "run 1" and kept.branch.reached == 30 and kept.curves.last("loss") == first.loss

    QTest.keyClick(panel.parallel, Qt.Key.Key_Escape)
    assert len(panel.shown) == 8
    QTest.keyClick(panel.parallel, Qt.Key.Key_Right)
    QTest.keyClick(panel.parallel, Qt.Key.Key_Up)
    assert panel.shown == (5, 6, 7, 8), "without a mouse: the foot of the first axis moved up"
    QTest.keyClick(panel.parallel, Qt.Key.Key_Down)
    assert len(panel.shown) == 8
    QTest.keyClick(panel.parallel, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert panel.shown == (1, 2, 3, 4)


def children(process: int) -> list[int]:
    return [int(one) for path in Path(f"/proc/{process}/task").glob("*/children") for one in path.read_text().split()]


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def many(window) -> list[int]:
    """Start a sweep that takes long; return the processes below this one that are of it."""
    before = set(children(os.getpid()))
    window.session.sweep.start(SweepOrder((read_axis(f"{RATE}=uniform:0.001..0.1"),), draws=2000, iterations=50), 2)
    assert window.session.sweep.is_going
    return sorted(set(children(os.getpid())) - before)


def test_cancelled_it_keeps_what_is_done(qtbot, window):
    (process,) = many(window)
    wait(qtbot, lambda: len(window.session.sweep.rows) > 2)
    workers = children(process)
    assert len(workers) == 2 and window.action_table["cancel_sweep"].isEnabled()
    window.action_table["cancel_sweep"].trigger()
    done = len(window.session.sweep.rows)
    qtbot.waitUntil(lambda: all(map(is_gone, (process, *workers))), timeout=5000)
    qtbot.wait(50)
    assert not window.session.sweep.is_going and 2 < done == len(window.session.sweep.rows) < 2000
    wait(qtbot, lambda: window.features.sweep.cards["sweep"].accessibleDescription().startswith(f"{done:,} of 2,000 runs"))


def test_saved_with_its_document_it_goes_on_when_that_is_opened_again(qtbot, window, tmp_path):
    session, panel, path = window.session, window.features.sweep.panel, tmp_path / "swept.nnviz"
    order = SweepOrder((read_axis(f"{RATE}=0.001,0.05"), read_axis(f"{UNITS}=2,0,5")), seeds=2, iterations=25)
    session.sweep.start(order, 1)
    wait(qtbot, lambda: sum(not row.is_failed for row in session.sweep.rows) > 2)
    window.action_table["cancel_sweep"].trigger()
    done = session.sweep.rows
    assert 6 < len(done) < 12 and not session.is_saved
    assert session.document.save_as(path) and session.is_saved
    session.document.new(open_document("example:iris"))
    assert panel.table.rows() == [] and not window.action_table["go_on_sweep"].isEnabled()
    assert session.document.open(path) and session.is_saved
    assert tuple(panel.table.rows()) == done
    panel.bands.grab()
    assert {number for band in panel.bands._bands for number in band.numbers} == {row.number for row in done if not row.is_failed}
    assert window.features.sweep.cards["sweep"].accessibleDescription().startswith(f"{len(done)} of 12 runs")
    window.features._show_sweep()
    (go_on,) = [button for button in window.findChildren(ActionButton) if button.text() == "go on" and button.isVisible()]
    QTest.mouseClick(go_on, LEFT)
    assert session.sweep.is_going
    wait(qtbot, lambda: not go_on.isEnabled())
    swept(qtbot, window)
    assert session.sweep.rows[0] == done[0] and [row.number for row in session.sweep.rows] == list(range(1, 13)) and not session.is_saved
    tasks = sweeping.prepared(session.experiment, ROOT, order).tasks()
    assert [row.digest for row in session.sweep.rows if not row.is_failed] == [
        sweeping.made(task).digest for task, row in zip(tasks, session.sweep.rows, strict=True) if not row.is_failed
    ]
    session.edit("Units", set_value, UNITS, "7")
    assert "of an earlier document" in window.features.sweep.cards["sweep"].accessibleDescription()
    assert panel.line.text().startswith("These runs are of the document as it was when the sweep began")


def test_closing_the_window_ends_all_its_processes(qtbot, window):
    (process,) = many(window)
    wait(qtbot, lambda: bool(window.session.sweep.rows))
    workers = children(process)
    window.close()
    qtbot.waitUntil(lambda: all(map(is_gone, (process, *workers))), timeout=5000)
    assert len(workers) == 2


def test_a_sweep_whose_process_dies_says_so_and_keeps_its_rows(qtbot, window):
    said = []
    window.session.message_posted.connect(lambda level, text: said.append(text))
    (process,) = many(window)
    wait(qtbot, lambda: bool(window.session.sweep.rows))
    os.kill(process, 9)
    wait(qtbot, lambda: not window.session.sweep.is_going)
    assert window.session.sweep.rows and "ended by itself" in said[-1]


def test_what_cannot_be_swept_is_said_in_the_sheet(qtbot, window):
    sheet = sheet_of(window)
    sheet.add(RATE)
    sheet.fields[RATE].setText("log:0.001..0.1")
    assert not sheet.button.isEnabled() and "Ask for random draws" in sheet.problem.text()
    QTest.mouseClick(sheet.random, LEFT)
    assert sheet.button.text() == "sweep 60 runs" and not sheet.problem.isVisible()
    sheet.fields[RATE].setText("-3, -2")
    assert not sheet.button.isEnabled() and "learning_rate" in sheet.problem.text()
    sheet.close()
