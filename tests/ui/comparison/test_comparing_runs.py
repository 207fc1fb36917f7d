"""Several runs in a real window with a real engine: a sheet starts them, a table shows how they went, a click goes to one of them."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from nnviz import jobs
from nnviz.document.variations import variations
from nnviz.records.verdicts import VERDICTS
from nnviz.ui.comparison._comparison_sheet import ComparisonSheet
from tests.engine.experiments import HERE
from tests.ui.window import opened, wait

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, iterations=40, engine=lent_engine)


@pytest.fixture
def rates(qtbot, lent_engine):
    yield from opened(qtbot, "learning_rate", engine=lent_engine)


def sheet_of(window) -> ComparisonSheet:
    window.action_table["compare_runs"].trigger()
    return next(sheet for sheet in window.findChildren(ComparisonSheet) if sheet.isVisible())


def choose(sheet, key: str) -> None:
    sheet.subject.setCurrentIndex(sheet.subject.findData(key))


def is_over(window) -> bool:
    return not window.session.comparison.is_going


def compare(qtbot, window, key: str, values: str, iterations: int) -> None:
    sheet = sheet_of(window)
    choose(sheet, key)
    sheet.field.setText(values)
    sheet.count.setValue(iterations)
    QTest.mouseClick(sheet.button, LEFT)
    wait(qtbot, lambda: is_over(window))
    fill(qtbot, window)


def fill(qtbot, window) -> None:
    """Let the table be filled."""
    qtbot.wait(10)
    wait(qtbot, lambda: not window.features.comparison._filling.isActive())


def reached_by(session, name: str) -> int:
    return {branch.name: branch.reached for branch in session.branches.all}[name]


def table_of(window):
    return window.features.comparison.panel.table


def cell(window, name: str, column: int = 0) -> QPoint:
    table = table_of(window)
    place = [row.name for row in table.rows()].index(name)
    table.scrollTo(table.model().index(place, column))
    return table.visualRect(table.model().index(place, column)).center()


def click(window, name: str) -> None:
    QTest.mouseClick(table_of(window).viewport(), LEFT, pos=cell(window, name))


def test_an_optimizer_race(qtbot, window):
    """Chosen by clicks; each of the runs is what the command line makes of it, and none takes the place of the present one."""
    experiment, iteration = window.session.experiment, window.session.run.iteration
    sheet = sheet_of(window)
    assert sheet.button.text() == "compare 4 runs" and sheet.preview.text().splitlines()[0] == "SGD · optimizer Adam → SGD"
    QTest.mouseClick(sheet.chips["adamw"], LEFT)
    QTest.mouseClick(sheet.chips["adagrad"], LEFT)
    sheet.count.setValue(120)
    QTest.mouseClick(sheet.button, LEFT)
    assert window.features.area.name == "train" and window.is_visible("runs")
    wait(qtbot, lambda: is_over(window))
    fill(qtbot, window)
    assert window.session.experiment == experiment and window.session.run.iteration == iteration
    assert [row.name for row in table_of(window).rows()] == ["main", "SGD", "RMSprop", "Adam", "AdamW"]
    runs = variations(experiment, "optimizer", ("sgd", "rmsprop", "adam", "adamw"))
    for (name, document), kept in zip(runs, window.session.branches.kept, strict=True):
        expected = jobs.run(jobs.OpenedFile(document, HERE), 120)
        assert kept.branch.name == name and kept.branch.reached == 120 and kept.curves.iteration.tolist() == list(range(121))
        assert (kept.curves.last("loss"), kept.curves.last("validation_loss")) == (expected["loss"], expected["validation_loss"])
    texts = dict(zip([text[0] for text in table_of(window).texts()], table_of(window).texts(), strict=True))
    assert texts["main"][1] == "the document" and texts["Adam"][1:4] == ["as the document", "falling", "120"]
    assert texts["SGD"][1] == "optimizer Adam → SGD" and texts["SGD"][8].endswith(" s")


def test_a_double_click_goes_to_a_branch(qtbot, window):
    compare(qtbot, window, "rate", "0.1, 1", 60)
    QTest.mouseClick(table_of(window).viewport(), LEFT, pos=cell(window, "lr 0.1"))
    QTest.mouseDClick(table_of(window).viewport(), LEFT, pos=cell(window, "lr 0.1"))
    session = window.session
    wait(qtbot, lambda: session.link.is_up_to_date and session.link.pending.oldest is None and session.run.iteration == 60)
    assert session.experiment.training.optimizer["learning_rate"] == 0.1 and session.branches.present.name == "lr 0.1"
    fill(qtbot, window)
    rows = table_of(window).rows()
    assert [row.name for row in rows] == ["lr 0.1", "lr 1", "main"] and rows[0].is_present
    assert rows[2].differs == "learning rate 0.1 → 0.01" and rows[2].branch.reached == 40


def test_a_click_lets_a_curve_stand_out(qtbot, window):
    compare(qtbot, window, "rate", "0.1, 1", 60)
    chosen = lambda: [ghost.name for ghost in window.features.run.loss.chart.ghosts if ghost.is_chosen]  # noqa: E731
    click(window, "lr 1")
    wait(qtbot, lambda: chosen() == ["lr 1"])
    fill(qtbot, window)
    click(window, "lr 1")
    wait(qtbot, lambda: chosen() == [])


def test_one_pointer_over_all_plots_over_time(qtbot, window):
    window.features.area.show_workspace("train")
    run = window.features.run
    wait(qtbot, lambda: run.metric.chart is not None and run.loss.chart is not None)
    qtbot.wait(20)
    plain = run.metric.grab().toImage()
    QTest.mouseMove(run.loss, run.loss.rect().center())
    wait(qtbot, lambda: run.metric.pointed is not None)
    assert 0 < run.metric.pointed < 40 and run.loss.pointed is None and run.metric.grab().toImage() != plain
    QTest.mouseMove(run.metric, run.metric.rect().center())
    wait(qtbot, lambda: run.loss.pointed is not None)
    QTest.mouseMove(window.features.cards["training"], QPoint(5, 5))
    wait(qtbot, lambda: run.loss.pointed is None and run.metric.pointed is None)
    assert run.metric.grab().toImage() == plain


def test_a_run_gives_the_document_its_settings_and_an_undo_takes_them_back(qtbot, window):
    session = window.session
    compare(qtbot, window, "rate", "0.1, 1", 60)
    row = next(row for row in table_of(window).rows() if row.name == "lr 0.1")
    window.features.comparison.panel.menu(row).actions()[3].trigger()
    wait(qtbot, lambda: session.link.is_up_to_date and session.link.pending.oldest is None)
    assert session.experiment.training.optimizer["learning_rate"] == 0.1 and session.run.iteration == 40
    assert session.document.history.undo_label == "Settings of lr 0.1" and session.branches.present.name == "main"
    fill(qtbot, window)
    assert next(row for row in table_of(window).rows() if row.name == "lr 0.1").differs == "as the document"
    window.action_table["undo"].trigger()
    wait(qtbot, lambda: session.link.is_up_to_date and session.link.pending.oldest is None)
    assert session.experiment.training.optimizer["learning_rate"] == 0.01 and session.link.log.changes == ()
    window.action_table["redo"].trigger()
    wait(qtbot, lambda: session.link.is_up_to_date and session.link.pending.oldest is None)
    assert [change.iteration for change in session.link.log.changes] == [40]


def test_a_row_is_gone_to_renamed_and_forgotten_by_keys(qtbot, window):
    session, table = window.session, table_of(window)
    compare(qtbot, window, "rate", "0.1, 1", 60)
    table.setFocus()

    def stand_on(name: str) -> None:
        table.setCurrentIndex(table.model().index([row.name for row in table.rows()].index(name), 0))

    stand_on("lr 1")
    QTest.keyClick(table, Qt.Key.Key_F2)
    window.features.run.bar.field.setText("hot")
    QTest.keyClick(window.features.run.bar.field, Qt.Key.Key_Return)
    fill(qtbot, window)
    stand_on("lr 0.1")
    QTest.keyClick(table, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    wait(qtbot, lambda: session.link.is_up_to_date and session.link.pending.oldest is None and session.run.iteration == 60)
    assert session.branches.present.name == "lr 0.1"
    fill(qtbot, window)
    stand_on("hot")
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert [branch.name for branch in session.branches.all] == ["main", "lr 0.1"]


def test_runs_that_were_compared_are_there_again_with_their_verdicts(qtbot, window, tmp_path):
    session, path = window.session, tmp_path / "raced.nnviz"
    compare(qtbot, window, "rate", "0.001, 0.1, 1000", 500)
    before = {text[0]: text[1:8] for text in table_of(window).texts()[1:]}
    assert {row[1] for row in before.values()} == {"falling", "diverged"} and all(row[6].endswith("%") for row in before.values())
    assert session.document.save_as(path) and session.document.open(path)
    wait(qtbot, lambda: session.link.is_up_to_date and session.run.is_traced)
    fill(qtbot, window)
    assert {text[0]: text[1:8] for text in table_of(window).texts()[1:]} == before
    ghosts = {ghost.name: ghost for ghost in window.features.run.loss.chart.ghosts}
    assert ghosts["lr 0.1"].x.size > 20 and ghosts["lr 0.1"].x[-1] == 500


def test_a_race_goes_on_when_another_branch_is_opened(qtbot, window):
    session = window.session
    compare(qtbot, window, "rate", "0.5", 30)
    sheet = sheet_of(window)
    choose(sheet, "rate")
    sheet.field.setText("0.001, 0.1")
    sheet.count.setValue(sheet.count.maximum())  # more than any machine trains meanwhile
    QTest.mouseClick(sheet.button, LEFT)
    wait(qtbot, lambda: session.branches.kept[-1].branch.reached > 0 and len(table_of(window).rows()) == 4)
    QTest.mouseClick(table_of(window).viewport(), LEFT, pos=cell(window, "lr 0.5"))
    reached = session.branches.kept[-1].branch.reached
    wait(qtbot, lambda: session.branches.kept[-1].branch.reached > reached)
    fill(qtbot, window)  # between both clicks the table is filled anew
    QTest.mouseDClick(table_of(window).viewport(), LEFT, pos=cell(window, "lr 0.5"))
    wait(qtbot, lambda: session.run.iteration == 30 and session.link.is_up_to_date)
    raced = next(kept for kept in session.branches.kept if kept.branch.name == "lr 0.1")
    wait(qtbot, lambda: reached_by(session, "lr 0.1") > raced.branch.reached)
    assert session.comparison.is_going and session.run.iteration == 30
    window.action_table["cancel_comparison"].trigger()
    wait(qtbot, lambda: is_over(window))


def test_the_menu_of_a_run(qtbot, window):
    compare(qtbot, window, "rate", "0.1, 1", 30)
    table = table_of(window)
    table.customContextMenuRequested.emit(cell(window, "lr 1"))
    menu = next(menu for menu in window.findChildren(QMenu) if menu.isVisible())
    texts = [action.text() for action in menu.actions()]
    settings = "Give the document the settings of lr 1"
    assert texts == ["Go to lr 1", "First divergence against the present run", "Rename lr 1…", settings, "Forget lr 1"]
    menu.actions()[-1].trigger()
    menu.close()
    assert [branch.name for branch in window.session.branches.all] == ["lr 0.1", "main"]
    fill(qtbot, window)
    window.features.comparison.panel.menu(table.rows()[1]).actions()[2].trigger()
    field = window.features.run.bar.field
    field.setText("fast")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert [branch.name for branch in window.session.branches.all] == ["fast", "main"]
    assert [action.text() for action in window.features.comparison.panel.menu(table.rows()[0]).actions()] == ["Rename main…"]


def test_first_divergence_and_the_way_there(qtbot, window):
    session, panel = window.session, window.features.comparison.panel
    sheet = sheet_of(window)
    choose(sheet, "rate")
    sheet.field.setText("0.5")
    QTest.mouseClick(sheet.from_here, LEFT)
    sheet.count.setValue(20)
    QTest.mouseClick(sheet.button, LEFT)
    wait(qtbot, lambda: is_over(window))
    session.training.iterations(10)
    wait(qtbot, lambda: session.run.iteration == 50 and not session.run.training)
    fill(qtbot, window)
    panel.menu(table_of(window).rows()[1]).actions()[1].trigger()
    wait(qtbot, lambda: session.comparison.search.result is not None)
    assert "differ first: iteration 41, update, W of dense 1." in panel.line.text() and panel.line.isVisible()
    QTest.mouseClick(panel.go_button, LEFT)
    wait(qtbot, lambda: session.run.iteration == 40 and session.stepping.state and session.stepping.index.trace.iteration == 40)
    found = session.comparison.search.found
    assert session.stepping.cursor == found.places[0].step > 0
    QTest.mouseClick(panel.close_button, LEFT)
    assert session.comparison.search is None and not panel.line.isVisible()


def test_it_is_cancelled_by_a_click(qtbot, window):
    sheet = sheet_of(window)
    choose(sheet, "rate")
    sheet.count.setValue(1_000_000)
    QTest.mouseClick(sheet.button, LEFT)
    wait(qtbot, lambda: all(kept.branch.reached > 0 for kept in window.session.branches.kept))
    assert window.features.comparison.cards["runs"].accessibleDescription().startswith("training")
    window.action_table["cancel_comparison"].trigger()
    wait(qtbot, lambda: is_over(window))
    fill(qtbot, window)
    rows = table_of(window).rows()
    assert len(rows) == 6 and all(0 < row.branch.reached < 1_000_000 and row.verdict for row in rows[1:])
    assert not window.action_table["cancel_comparison"].isEnabled()


def test_four_learning_rates_end_in_four_ways(qtbot, rates):
    compare(qtbot, rates, "rate", "1e-5, 0.03, 0.3, 1", 300)
    rows = table_of(rates).rows()[1:]
    assert tuple(row.verdict.kind for row in rows) == VERDICTS
    assert [text[2] for text in table_of(rates).texts()[1:]] == list(VERDICTS)
    assert "Diverged" in rows[3].told and "Validation: lowest" in rows[1].told
    table = table_of(rates)
    QTest.mouseClick(table.horizontalHeader().viewport(), LEFT, pos=QPoint(table.horizontalHeader().sectionViewportPosition(5) + 20, 8))
    losses = [row.curves.last("training_loss") for row in table.rows()]
    assert losses in (sorted(losses), sorted(losses, reverse=True))


def test_the_sheet_says_what_is_wrong(qtbot, window):
    sheet = sheet_of(window)
    choose(sheet, "path")
    assert not sheet.button.isEnabled() and sheet.problem.isVisible()
    sheet.field.setText("training.l2=0, 0.1")
    assert sheet.button.isEnabled() and sheet.preview.text() == "l2 0 · as the document\nl2 0.1 · L2 0 → 0.1"
    sheet.field.setText("network.layers.out.units=3, 5")
    assert not sheet.button.isEnabled() and sheet.problem.text().startswith("units 3: ")
    choose(sheet, "seed")
    assert sheet.button.isEnabled()
    QTest.mouseClick(sheet.from_here, LEFT)
    assert sheet.problem.text() == "Another seed begins a run. Compare from the start." and not sheet.button.isEnabled()
    for chip in sheet.chips.values():
        assert chip.width() >= chip.sizeHint().width()
    choose(sheet, "initializer")
    QTest.mouseClick(sheet.from_start, LEFT)
    qtbot.wait(10)
    assert all(chip.width() >= chip.sizeHint().width() - 4 for chip in sheet.chips.values())
    sheet.reject()
