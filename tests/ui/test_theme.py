"""The theme: the application wears it, Qt tells every widget of another one, and nothing on the screen keeps the old one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import pytest
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox, QToolButton, QWidget

from nnviz.document.run_branches import COLORS
from nnviz.document.store.examples import open_document
from nnviz.messages import GradientChecked
from nnviz.ui.graph._graph_view import GraphView
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.shell import app
from nnviz.ui.shell.main_window import MainWindow
from nnviz.ui.step._chain_rule_card import ChainRuleCard
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.step._step_timeline import PhaseRail, StepTimeline
from nnviz.ui.theme.colors import DARK, LIGHT, current_theme
from nnviz.ui.theme.style import apply_theme, set_role, toggle_theme
from nnviz.ui.widgets.notes import NoteBar
from nnviz.ui.widgets.plot_card import framed
from tests.ui import runs, traces


def test_the_application_keeps_the_theme(qapp):
    apply_theme(qapp, LIGHT)
    toggle_theme(qapp)
    assert current_theme() is DARK
    assert qapp.palette().window().color() == DARK.color("background")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_colours_of_branches_can_be_told_from_each_other_and_mean_nothing_else(theme):
    def apart(one, other):
        return sum((a - b) ** 2 for a, b in zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)) ** 0.5

    assert len(theme.branches) == COLORS
    colors = [theme.branch(place) for place in range(COLORS)]
    meant = ("panel", "positive", "negative", "forward", "loss", "backward", "clip", "update", "what_if")
    assert min(apart(one, other) for one, other in combinations(colors, 2)) > 50
    assert min(apart(one, theme.color(name)) for one, name in product(colors, meant)) > 35
    assert theme.branch(COLORS) == theme.branch(0)


def test_a_widget_takes_another_role_while_it_is_seen(qtbot, qapp):
    apply_theme(qapp, LIGHT)
    label = QLabel("text")
    qtbot.addWidget(label)
    label.show()
    for role in ("loss", "muted"):
        set_role(label, role)
        assert label.palette().windowText().color() == LIGHT.color(role)


# --- what is changed looks like what began so ---


@pytest.mark.parametrize("workspace", ["build", "train"])
def test_a_window_that_changes_its_theme_looks_like_one_that_began_with_it(qapp, workspace):
    apply_theme(qapp, DARK)
    begun = [_both(qapp, window) for window in _window(workspace)]
    apply_theme(qapp, LIGHT)
    changed = [_both(qapp, window) for window in _window(workspace)]
    assert changed[0] == begun[0][::-1]


def _window(workspace: str) -> Iterator[MainWindow]:
    app.application()
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.asks_before_closing = False
    window.features.area.show_workspace(workspace)
    window.show()
    yield window
    app.shut_down(window)


@pytest.mark.parametrize("make", ["graph", "card", "check", "timeline", "rail", "microscope", "loss", "histograms", "notes"])
def test_a_widget_that_changes_its_theme_looks_like_one_that_began_with_it(qtbot, qapp, make):
    apply_theme(qapp, DARK)
    begun = _both(qapp, _made(qtbot, make))
    apply_theme(qapp, LIGHT)
    changed = _both(qapp, _made(qtbot, make))
    assert changed == begun[::-1]


def _made(qtbot, what: str) -> QWidget:
    widget = {
        "graph": GraphView, "card": ChainRuleCard, "check": ChainRuleCard, "timeline": StepTimeline, "rail": PhaseRail,
        "microscope": OptimizerMicroscope, "loss": LossPlot, "histograms": HistogramPlot, "notes": NoteBar,
    }[what]()  # fmt: skip
    shown = framed(widget) if what in ("microscope", "loss", "histograms") else widget
    qtbot.addWidget(shown)
    shown.resize(500, 700)
    shown.show()
    if what in ("loss", "histograms"):
        widget.set_run(runs.run(128))
    elif what == "notes":
        widget.post("key", "warning", "A sentence.", [("Answer", print)])
    else:
        trace = traces.worked()
        state = traces.state(trace, len(trace.steps))
        widget.set_trace_state(state, *([traces.node(trace, "relu")] if what in ("card", "check") else []))
    if what == "check":
        widget.set_check(GradientChecked(4, (0, 1), 3.0624, 2.5))
    return shown


def _both(qapp, widget: QWidget) -> list[QImage]:
    """The widget as it is, and in the other theme."""
    pictures = []
    for _ in range(2):
        for _ in range(3):
            qapp.processEvents()
        pictures.append(widget.grab().toImage())
        toggle_theme(qapp)
    return pictures


# --- what Qt draws itself ---


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_file_dialog_has_icons_that_can_be_seen(qtbot, qapp, theme):
    app.application()
    apply_theme(qapp, theme)
    dialog = QFileDialog()
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    qtbot.addWidget(dialog)
    dialog.show()
    ground = theme.color("panel").lightness()
    for name in ("backButton", "forwardButton", "toParentButton", "newFolderButton", "listModeButton", "detailModeButton"):
        button = dialog.findChild(QToolButton, name)
        image = button.icon().pixmap(16, 16).toImage()
        drawn = [image.pixelColor(x, y) for x in range(16) for y in range(16) if image.pixelColor(x, y).alpha() > 200]
        assert len(drawn) > 10 and all(abs(color.lightness() - ground) > 60 for color in drawn), name
        assert button.contentsRect().width() >= 16, "it has the room for it"


def test_buttons_of_a_question_have_no_icons_of_another_look(qtbot, qapp):
    apply_theme(qapp, LIGHT)
    box = QMessageBox(QMessageBox.Icon.Question, "Save", "Save?", QMessageBox.StandardButton.Save | QMessageBox.StandardButton.Cancel)
    qtbot.addWidget(box)
    box.show()
    assert all(button.icon().isNull() for button in box.buttons())


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_icons_in_menus_can_be_seen_also_those_of_filled_buttons(qapp, theme):
    app.application()
    apply_theme(qapp, theme)
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.asks_before_closing = False
    modes = (QIcon.Mode.Normal, QIcon.Mode.Selected)  # selected: the marked row of the palette
    for name, mode in product(("play", "train", "step"), modes):
        image = window.action_table[name].icon().pixmap(16, 16, mode).toImage()
        drawn = [image.pixelColor(x, y) for x in range(16) for y in range(16) if image.pixelColor(x, y).alpha() > 200]
        assert drawn and all(abs(color.lightness() - theme.color("panel").lightness()) > 60 for color in drawn), name
    app.shut_down(window)


def test_no_widget_has_rules_that_its_tooltip_would_take_over(qtbot, qapp):
    """A rule without a selector is the tooltip's, too: it would lose its padding."""
    app.application()
    window = app.build_window(open_document("example:moons"), autosaves=False)
    window.asks_before_closing = False
    bare = {widget.accessibleName() for widget in window.findChildren(QWidget) if widget.styleSheet() and "{" not in widget.styleSheet()}
    app.shut_down(window)
    assert bare == set()
