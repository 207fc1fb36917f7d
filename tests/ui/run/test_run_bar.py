"""The run bar in a real window with a real engine: clicks, drags and keys go to iterations and branches, exactly."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip

from nnviz import messages
from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.ui.shell.app import shut_down
from nnviz.ui.shell.main_window import MainWindow
from nnviz.ui.theme.colors import THEMES
from nnviz.ui.theme.style import apply_theme
from tests.ui.window import opened, wait

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, iterations=40, engine=lent_engine)


@pytest.fixture
def branched(qtbot, window):
    """The run went to 40, went back to 20, was changed there and went on to 30: main ended at 40, this is branch 2."""
    go(qtbot, window, 20)
    change(qtbot, window, learning_rate=0.1)
    train(qtbot, window, 10)
    return window


def is_still(window) -> bool:
    session = window.session
    return session.link.is_up_to_date and not session.run.training and session.run.target is None and session.link.pending.oldest is None


def still(qtbot, window):
    wait(qtbot, lambda: is_still(window) and window.features.run.navigation.seeker.wanted is None)


def go(qtbot, window, iteration):
    window.session.training.go_to(iteration)
    still(qtbot, window)


def train(qtbot, window, count):
    window.session.training.iterations(count)
    still(qtbot, window)


def change(qtbot, window, **settings):
    for name, value in settings.items():
        path = f"training.optimizer.{name}" if name == "learning_rate" else f"training.{name}"
        window.session.edit("Change", edits.set_value, path, value, name)
    still(qtbot, window)


def bar_of(window):
    return window.features.run.bar


def spot(window, iteration, place=None) -> QPoint:
    """Where an iteration of a branch stands; None: below all lines."""
    places = bar_of(window).places()
    y = window.features.run.bar.height() - 4 if place is None else places.y(place)
    return QPointF(places.x(iteration), y).toPoint()


def requests(window, kind=messages.GoTo) -> list:
    """A list that grows by what is asked of the engine from now on."""
    asked = []
    window.session.link.asked.connect(lambda request: asked.append(request) if isinstance(request, kind) else None)
    return asked


def test_a_click_goes_to_the_iteration(qtbot, window):
    loss = window.session.run.curves.loss.copy()
    QTest.mouseClick(bar_of(window), LEFT, pos=spot(window, 12))
    still(qtbot, window)
    assert window.session.run.iteration == 12
    assert window.session.run.reached == 40
    QTest.mouseClick(bar_of(window), LEFT, pos=spot(window, 40))
    still(qtbot, window)
    assert window.session.run.iteration == 40
    np.testing.assert_array_equal(window.session.run.curves.loss, loss)


def test_beyond_the_furthest_iteration_nothing_is_trained(qtbot, branched):
    places = bar_of(branched).places()
    assert places.limit >= 40
    QTest.mouseClick(bar_of(branched), LEFT, pos=spot(branched, 38, 1))  # the present branch ends at 30
    still(qtbot, branched)
    assert branched.session.branches.present.name == "branch 2"
    assert branched.session.run.iteration == 30


def test_a_drag_shows_its_place_at_once_and_asks_for_the_newest_only(qtbot, window):
    asked, bar = requests(window), bar_of(window)
    QTest.mousePress(bar, LEFT, pos=spot(window, 30))
    assert bar.target == 30
    for iteration in (25, 20, 15, 10, 5):
        QTest.mouseMove(bar, spot(window, iteration))
        assert bar.target == iteration  # before the engine has said anything
    QTest.mouseRelease(bar, LEFT, pos=spot(window, 5))
    still(qtbot, window)
    assert window.session.run.iteration == 5
    assert [request.iteration for request in asked] == [30, 5]
    assert bar.target is None


@pytest.mark.parametrize(
    ("key", "iteration"),
    [(Key.Key_Left, 19), (Key.Key_Right, 21), (Key.Key_Home, 0), (Key.Key_End, 40), (Key.Key_PageUp, 9), (Key.Key_PageDown, 31)],
)
def test_keys(qtbot, window, key, iteration):
    assert window.session.run.iterations_per_epoch == 11
    go(qtbot, window, 20)
    bar_of(window).setFocus()
    QTest.keyClick(bar_of(window), key)
    still(qtbot, window)
    assert window.session.run.iteration == iteration


def test_keys_count_from_where_the_run_is_going_and_stay_within_it(qtbot, window):
    bar = bar_of(window)
    bar.setFocus()
    for _ in range(3):
        QTest.keyClick(bar, Key.Key_Left)
    assert bar.target == 37
    still(qtbot, window)
    assert window.session.run.iteration == 37
    for _ in range(6):
        QTest.keyClick(bar, Key.Key_Right)
    still(qtbot, window)
    assert window.session.run.iteration == 40
    assert bar.accessibleDescription() == "iteration 40 of 40, branch main of 1"


def test_other_keys_are_left_to_others(window):
    bar = bar_of(window)
    asked = requests(window)
    QTest.keyClick(bar, Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(bar, Key.Key_A)
    assert asked == []


def test_a_flag_says_what_was_changed_and_a_click_goes_there(qtbot, window):
    change(qtbot, window, dropout=False, learning_rate=0.003)
    train(qtbot, window, 5)
    (flag,) = window.features.run.navigation.tree.lines[0].flags
    assert flag.text == "iteration 40: learning rate 0.01 → 0.003; dropout on → off"
    bar, at = bar_of(window), spot(window, 40, 0) - QPoint(-2, 6)
    QApplication.sendEvent(bar, QHelpEvent(QHelpEvent.Type.ToolTip, at, bar.mapToGlobal(at)))
    assert QToolTip.text() == flag.text
    QToolTip.hideText()
    QTest.mouseClick(bar, LEFT, pos=at)
    still(qtbot, window)
    assert window.session.run.iteration == 40
    assert not window.session.experiment.training.dropout


def test_a_flag_says_what_the_optimizer_lost(qtbot, window):
    window.session.edit("Optimizer", edits.choose_optimizer, "sgd")
    still(qtbot, window)
    (flag,) = window.features.run.navigation.tree.lines[0].flags
    assert flag.text.startswith("iteration 40: optimizer Adam → SGD")
    assert flag.text.endswith("\nSGD starts without what Adam remembered.")


def test_a_flag_says_it_also_after_the_document_was_opened_again(qtbot, window, tmp_path):
    session, path = window.session, tmp_path / "switched.nnviz"
    session.edit("Optimizer", edits.choose_optimizer, "sgd")
    still(qtbot, window)
    train(qtbot, window, 5)
    assert session.document.save_as(path, b"")
    session.document.new(open_document("example:sine"))
    still(qtbot, window)
    window.features.files.documents.read(path)
    still(qtbot, window)
    window.action_table["resume"].trigger()
    qtbot.waitUntil(lambda: session.run.iteration == 45, timeout=30_000)
    still(qtbot, window)
    (flag,) = window.features.run.navigation.tree.lines[0].flags
    assert flag.text.endswith("\nSGD starts without what Adam remembered.")


def test_the_mouse_reads_loss_and_settings(qtbot, window):
    bar, at = bar_of(window), spot(window, 10)
    QApplication.sendEvent(bar, QHelpEvent(QHelpEvent.Type.ToolTip, at, bar.mapToGlobal(at)))
    loss = window.session.run.curves.loss[10]
    assert QToolTip.text() == f"iteration 10 · loss {loss:.4f}\nAdam · learning rate 0.01 · batch 32"
    QToolTip.hideText()


def test_branches_are_lines_that_leave_each_other(branched):
    tree = branched.features.run.navigation.tree
    assert [(line.name, line.parent, line.start, line.is_present) for line in tree.lines] == [
        ("main", None, 0, False),
        ("branch 2", 0, 20, True),
    ]
    assert tree.owner(25) == 1
    assert tree.owner(10) == 0


def test_a_click_on_another_branch_goes_there(qtbot, branched):
    QTest.mouseClick(bar_of(branched), LEFT, pos=spot(branched, 35, 0))
    still(qtbot, branched)
    session = branched.session
    assert (session.branches.present.name, session.run.iteration, session.run.reached) == ("main", 35, 40)
    assert session.experiment.training.optimizer["learning_rate"] == 0.01
    QTest.mouseClick(bar_of(branched), LEFT, pos=bar_of(branched).places().name_box(1).center().toPoint())
    still(qtbot, branched)
    assert (session.branches.present.name, session.run.iteration) == ("branch 2", 30)
    assert session.experiment.training.optimizer["learning_rate"] == 0.1


def test_a_drag_along_another_branch_stays_on_it(qtbot, branched):
    bar = bar_of(branched)
    QTest.mousePress(bar, LEFT, pos=spot(branched, 38, 0))
    for iteration in (36, 33, 31):
        QTest.mouseMove(bar, spot(branched, iteration, 0))
    QTest.mouseRelease(bar, LEFT, pos=spot(branched, 31, 0))
    still(qtbot, branched)
    assert (branched.session.branches.present.name, branched.session.run.iteration) == ("main", 31)
    assert {branch.name: branch.reached for branch in branched.session.branches.all} == {"main": 40, "branch 2": 30}


def test_what_two_branches_share_is_the_present_ones_past(qtbot, branched):
    QTest.mouseClick(bar_of(branched), LEFT, pos=spot(branched, 10, 0))
    still(qtbot, branched)
    assert (branched.session.branches.present.name, branched.session.run.iteration) == ("branch 2", 10)


def menu_of(window, at: QPoint) -> QMenu:
    bar = bar_of(window)
    QApplication.sendEvent(bar, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, bar.mapToGlobal(at)))
    return next(menu for menu in bar.findChildren(QMenu) if menu.isVisible())


def choose(menu: QMenu, text: str):
    action = next(action for action in menu.actions() if action.text().startswith(text))
    menu.close()
    action.trigger()


def test_a_branch_is_forgotten_and_had_back(qtbot, branched):
    choose(menu_of(branched, spot(branched, 35, 0)), "Forget main")
    assert [branch.name for branch in branched.session.branches.all] == ["branch 2"]
    note = branched.notes.notes["branch"]
    assert note.text == "main is forgotten: 40 iterations."
    note.buttons["Undo"].click()
    assert [branch.name for branch in branched.session.branches.all] == ["main", "branch 2"]
    assert "branch" not in branched.notes.notes


def test_a_branch_that_comes_back_gets_another_name_if_its_own_is_taken(branched):
    branched.features.run.navigation.forget("main")
    branched.session.branches.rename("branch 2", "main")
    branched.notes.notes["branch"].buttons["Undo"].click()
    assert [branch.name for branch in branched.session.branches.all] == ["branch 2", "main"]


def test_a_branch_is_renamed_where_it_stands(branched):
    choose(menu_of(branched, spot(branched, 35, 0)), "Rename main")
    field = bar_of(branched).field
    branched.activateWindow()
    field.setFocus()
    field.setText("slow")
    QTest.keyClick(field, Key.Key_Return)
    assert QApplication.focusWidget() is bar_of(branched), "the next key is not for a button"
    assert [branch.name for branch in branched.session.branches.all] == ["slow", "branch 2"]
    assert bar_of(branched).field is None
    branched.action_table["rename_branch"].trigger()
    bar_of(branched).field.setText("other")
    QTest.keyClick(bar_of(branched).field, Key.Key_Escape)
    assert branched.session.branches.present.name == "branch 2"


def test_the_palette_goes_to_a_branch(qtbot, branched):
    branched.action_table["go_to_branch"].trigger()
    menu = next(menu for menu in bar_of(branched).findChildren(QMenu) if menu.isVisible())
    assert [action.text() for action in menu.actions()] == ["Go to main  (40 iterations)"]
    QTest.keyClick(menu, Key.Key_Return)
    still(qtbot, branched)
    assert branched.session.branches.present.name == "main"


def test_actions_about_branches_are_for_where_there_are_some(window):
    assert not window.action_table["go_to_branch"].isEnabled()
    assert not window.action_table["forget_branch"].isEnabled()


def test_where_branches_are_can_be_told_apart_in_both_themes(branched, count_color):
    for theme in THEMES.values():
        apply_theme(QApplication.instance(), theme)
        for place in (0, 1):
            assert count_color(bar_of(branched), theme.branch(place)) > 20
        assert count_color(bar_of(branched), theme.color("panel")) > 5000
    apply_theme(QApplication.instance(), THEMES["light"])


def test_many_branches_are_scrolled(qtbot, branched):
    for at in (18, 16, 14, 12):
        go(qtbot, branched, at)
        change(qtbot, branched, learning_rate=at / 100)
        train(qtbot, branched, 2)
    bar = bar_of(branched)
    assert len(branched.features.run.navigation.tree.lines) == 6
    branched.resize(1280, 1000)
    qtbot.waitUntil(lambda: list(bar.places().shown) == [0, 1, 2, 3, 4, 5])
    branched.resize(1280, 800)
    qtbot.waitUntil(lambda: list(bar.places().shown) == [2, 3, 4, 5])
    at = QPointF(300, 10)
    no_keys, no_phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    turn = QWheelEvent(at, bar.mapToGlobal(at), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, no_keys, no_phase, False)
    QApplication.sendEvent(bar, turn)
    assert list(bar.places().shown) == [0, 1, 2, 3]
    QTest.keyClick(bar, Qt.Key.Key_Down)
    assert list(bar.places().shown) == [1, 2, 3, 4]
    QTest.keyClick(bar, Qt.Key.Key_Up)
    QTest.keyClick(bar, Qt.Key.Key_Up)
    assert list(bar.places().shown) == [0, 1, 2, 3]
    high = bar.height()
    branched.resize(1180, 720)
    qtbot.waitUntil(lambda: bar.height() < high)
    assert 5 in bar.places().shown


def test_nothing_can_be_gone_to_while_the_document_has_a_problem(qtbot, window):
    window.session.edit("Remove", edits.remove_layers, ("out",))
    bar = bar_of(window)
    assert window.session.training.obstacle
    assert bar.accessibleDescription() == window.session.training.obstacle
    QTest.mouseClick(bar, LEFT, pos=spot(window, 10))
    assert bar.target is None
    assert window.toast.text == window.session.training.obstacle
    assert window.session.run.iteration == 40


def test_it_is_hidden_and_remembered(qtbot, window):
    window.action_table["run_bar"].trigger()
    assert bar_of(window).isHidden()
    window._save_settings()
    assert QSettings().value("window/run_bar") == "hidden"
    window.action_table["run_bar"].trigger()
    assert bar_of(window).isVisible()
    window._save_settings()
    assert QSettings().value("window/run_bar") == "shown"


def test_whether_other_branches_are_drawn_is_remembered(qtbot, branched):
    ghosts = lambda window: window.features.run.loss.chart.ghosts  # noqa: E731
    assert len(ghosts(branched)) == 1
    for shown in (False, True):
        branched.action_table["ghosts"].trigger()
        assert bool(ghosts(branched)) == shown
        branched._save_settings()
        later = MainWindow()
        later.restore_settings()
        later.make_features(branched.session.experiment, autosaves=False)
        assert later.features.run.has_ghosts == shown
        shut_down(later)


def test_where_training_stopped_by_itself_is_marked(qtbot, window):
    window.session.edit("Optimizer", edits.choose_optimizer, "sgd")
    change(qtbot, window, learning_rate=1e4, l2=1e3)
    window.session.training.iterations(200)
    wait(qtbot, lambda: window.session.run.stopped == "non_finite")
    (stop,) = window.features.run.navigation.tree.lines[0].stops
    assert stop.iteration == window.session.run.iteration
    go(qtbot, window, 40)
    assert window.features.run.navigation.tree.lines[0].stops == (stop,)


def test_a_click_while_it_trains_ends_the_training_there(qtbot, window):
    window.session.training.train()
    wait(qtbot, lambda: window.session.run.iteration > 60)
    QTest.mouseClick(bar_of(window), LEFT, pos=spot(window, 20))
    still(qtbot, window)
    assert window.session.run.iteration == bar_of(window).places().iteration(spot(window, 20).x())
    assert window.session.run.reached > 60


def test_a_click_on_another_branch_while_it_trains(qtbot, branched):
    branched.session.training.train()
    wait(qtbot, lambda: branched.session.run.iteration > 60)
    at = bar_of(branched).places().name_box(0).center().toPoint()
    QTest.mouseClick(bar_of(branched), LEFT, pos=at)
    still(qtbot, branched)
    assert (branched.session.branches.present.name, branched.session.run.iteration) == ("main", 40)
    assert {branch.name: branch.reached > 60 for branch in branched.session.branches.all} == {"main": False, "branch 2": True}


def test_escape_on_the_way_leaves_nothing_to_go_to(qtbot, window):
    train(qtbot, window, 3000)
    bar, seeker = bar_of(window), window.features.run.navigation.seeker
    QTest.mousePress(bar, LEFT, pos=spot(window, 2900))
    QTest.mouseMove(bar, spot(window, 50))
    QTest.mouseRelease(bar, LEFT, pos=spot(window, 50))
    assert seeker.wanted is not None
    window.action_table["stop_going"].trigger()
    still(qtbot, window)
    assert bar.target is None
    assert window.session.run.iteration > 1000
