"""The rows of the table of runs, made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt

from nnviz.document import edits
from nnviz.document.run_branches import Branch
from nnviz.document.run_log import RunLog
from nnviz.document.store.examples import open_document
from nnviz.records.task_records import RacedRun
from nnviz.records.verdicts import Verdict
from nnviz.session.branches import KeptBranch
from nnviz.session.run import RunState
from nnviz.session.run_curves import Curves, judged
from nnviz.ui.comparison._runs_panel import RunsPanel
from nnviz.ui.comparison.run_rows import FEW_POINTS, SAME, kept_row, present_row
from nnviz.ui.theme.colors import current_theme
from tests.ui import runs

MOONS = open_document("example:moons")
SGD = edits.choose_optimizer(MOONS, "sgd")


def curves(losses, start: int = 0) -> Curves:
    nothing = np.full(len(losses), np.nan)
    return Curves(np.arange(start, start + len(losses), dtype=float), np.array(losses, dtype=float), *5 * [nothing])


FALLING = curves(np.linspace(1, 0.1, 200))


def kept(found: Curves = FALLING, raced: RacedRun | None = None, document=SGD) -> KeptBranch:
    branch = Branch("SGD", 3, RunLog(document), int(found.iteration[-1]) if found.iteration.size else 0)
    return KeptBranch(branch, RunState(data=runs.moons(), curves=found), raced)


def test_what_differs_is_said_in_words():
    assert kept_row(kept(), MOONS).differs == "optimizer Adam → SGD" and kept_row(kept(), SGD).differs == SAME


def test_a_run_whose_losses_are_all_known_is_judged_here():
    row = kept_row(kept(), MOONS)
    assert row.verdict.kind == "falling" and row.told.startswith("Falling: from 1") and row.seconds is None and row.is_classifier


def test_a_run_of_which_only_some_losses_are_known_is_not():
    few = Curves(*(column[::7] for column in FALLING.columns()))
    row = kept_row(kept(few), MOONS)
    assert row.verdict is None and row.told == FEW_POINTS
    assert judged(curves([1.0, 0.9], start=5), SGD, runs.moons()) is None and judged(FALLING, SGD, None) is None
    assert kept_row(kept(curves([])), MOONS).told == ""


def test_what_the_engine_said_goes_first():
    verdict = Verdict("diverged", 0.7, 3.0, 0.7, 5.0, 0, 0.0, 0.0)
    row = kept_row(kept(raced=RacedRun(199, "non_finite", "The loss is not finite.", 1.5, verdict=verdict)), MOONS, is_growing=True)
    assert (row.verdict, row.seconds, row.is_growing) == (verdict, 1.5, True) and row.told.endswith("The loss is not finite.")
    assert "stopped early" in kept_row(kept(raced=RacedRun(9, "early_stopping", verdict=verdict)), MOONS).told
    failed = kept_row(kept(curves([]), RacedRun(0, "failed", "No file.")), MOONS)
    assert failed.told == "No file." and failed.verdict is None and failed.seconds is None


def test_the_present_run_is_a_row_too():
    run = RunState(data=runs.moons(), curves=FALLING, iteration=199)
    row = present_row(Branch("main", 0, RunLog(MOONS), 199), run, MOONS)
    assert row.is_present and row.verdict.kind == "falling" and row.differs == "the document"
    measured = present_row(Branch("main", 0, RunLog(MOONS), 128), runs.run(128, data=runs.moons()), MOONS)
    assert measured.score == measured.curves.last("metric")


def test_a_figure_of_before_the_last_iteration_is_pale_and_says_of_which_it_is(qtbot):
    old, new = np.full(200, np.nan), np.full(200, np.nan)
    old[150], new[[150, 199]] = 0.75, 0.875
    panel = RunsPanel()
    qtbot.addWidget(panel)
    cells = {}
    for name, measured in (("old", old), ("new", new)):
        panel.set_rows([kept_row(kept(replace(FALLING, metric=measured, validation_loss=measured)), MOONS)])
        model = panel.table.model()
        for place in range(model.columnCount()):
            cell, title = model.index(0, place), model.headerData(place, Qt.Orientation.Horizontal)
            cells[name, title] = cell.data(Qt.ItemDataRole.ForegroundRole), cell.data(Qt.ItemDataRole.ToolTipRole)
    faint, text = current_theme().color("faint"), current_theme().color("text")
    assert cells["old", "score"] == (faint, "75.0 % at iteration 150") and cells["old", "validation"] == (faint, "0.75 at iteration 150")
    assert cells["new", "score"] == (text, "87.5 % at iteration 199") and cells["new", "validation"][0] == text == cells["old", "batch"][0]
