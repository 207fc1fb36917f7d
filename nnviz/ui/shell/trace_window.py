"""A window on one recorded trace (`nnviz.show`): the features of graph and step over it, without document, run and engine."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QThreadPool
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QSplitter, QVBoxLayout, QWidget

from nnviz.records.trace_state import TraceState
from nnviz.session.trace_source import RecordedTrace, Recording
from nnviz.ui.graph import graph_actions
from nnviz.ui.graph.feature import GraphFeature
from nnviz.ui.shell import app
from nnviz.ui.shell.actions import ActionTable
from nnviz.ui.shell.command_palette import CommandPalette
from nnviz.ui.shell_api import Act
from nnviz.ui.step import step_actions
from nnviz.ui.step.badge import Badge
from nnviz.ui.step.feature import StepFeature
from nnviz.ui.theme.colors import GUTTER, current_theme
from nnviz.ui.theme.style import apply_theme, toggle_theme
from nnviz.ui.widgets.escape import EscapeKey
from nnviz.ui.widgets.header_button import choice

_SIZE = (1500, 800)
_RIGHT, _UPDATE = 400, 260
"""How wide the right side is at first, and how high the optimizer's part of it."""
_SIZES = {"node": "step: node", "layer": "step: layer", "phase": "step: phase"}
_WITHOUT_RUN = {"batch_steps", "epoch_steps", "breakpoints", "switch_breakpoints"}
_WITHOUT_WHAT_IFS = {"what_if", "what_if_ablate", "take_back", "take_all_back", "keep_what_ifs"}
_WITHOUT_DETAILS = {act.id for act in graph_actions.ACTIONS if act.id.startswith(("all_", "detail_"))}
WINDOW = (
    Act("fit", "Fit the graph", "View", lambda w: w.graph.view.fit(), "F", "fa6s.expand", "Show the whole graph"),
    Act("theme", "Light or dark", "View", lambda w: w.toggle_theme(), "Ctrl+Shift+L", "fa6s.circle-half-stroke", "Change the theme"),
    Act("close", "Close", "View", lambda w: w.close(), "Ctrl+Q", "fa6s.xmark", "Close the window"),
    Act("find_action", "Search or run an action…", "Help", lambda w: w.find_action(), "Ctrl+Shift+P", "fa6s.magnifying-glass"),
)
OFFERED = {
    "step": [act for act in step_actions.ACTIONS if act.id not in _WITHOUT_RUN | _WITHOUT_WHAT_IFS],
    "graph": [act for act in graph_actions.ACTIONS if act.id not in _WITHOUT_DETAILS],
    "window": WINDOW,
}


class TraceWindow(QMainWindow):
    """Steps through one iteration of a module."""

    def __init__(self, trace: RecordedTrace, title: str) -> None:
        apply_theme(QApplication.instance(), current_theme())
        super().__init__()
        self.trace = trace
        trace.setParent(self)
        self.action_table = ActionTable(self, OFFERED, lambda name: {"step": self.step, "graph": self.graph}.get(name, self))
        self.badge, self.sizes = Badge(self), choice("How far one step goes", _SIZES, "node")
        self.step = StepFeature(trace, self.action_table, self.badge, self.sizes)
        self.graph = GraphFeature(trace, self.step.banner, self.step.controls, (self.badge, self.sizes))
        self.step.chain_rule.group_clicked.connect(self.graph.fold_to)
        self.step.chain_rule.group_clicked.connect(self.step.show_card)
        self.graph.view.node_clicked.connect(self.step.show_card)
        self.graph.view.folds.changed.connect(self.step.show_selection)
        EscapeKey(self, self.step.follow)
        self._lay_out()
        trace.stepping.trace_state_changed.connect(lambda old, new: self._show(new))
        trace.stepping.selection_changed.connect(lambda old, new: self._show(trace.stepping.state))
        self.setWindowTitle(f"{title} – nnviz")
        self.action_table.set_icons()
        self._show(trace.stepping.state)

    def _lay_out(self) -> None:
        node, update = self.step.cards["inspector"], self.step.cards["microscope"]
        right = _split(Qt.Orientation.Vertical, (node, update), (2, 1))
        right.setSizes([_SIZE[1] - _UPDATE, _UPDATE])
        splitter = _split(Qt.Orientation.Horizontal, (self.graph.cards["graph"], right), (1, 0))
        splitter.setSizes([_SIZE[0] - _RIGHT, _RIGHT])
        frame = QWidget()
        around = QVBoxLayout(frame)
        around.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        around.addWidget(splitter)
        self.setCentralWidget(frame)
        self.resize(*_SIZE)

    def _show(self, state: TraceState) -> None:
        for feature in (self.graph, self.step):
            feature.show_trace_state(state)
        self.step.cards["microscope"].setVisible(bool(state.index.updates))

    def find_action(self) -> None:
        """Open the field that finds any action by its name."""
        CommandPalette(self.action_table.values(), self).open_over(self)

    def toggle_theme(self) -> None:
        """Change between light and dark."""
        toggle_theme(QApplication.instance())

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.action_table.set_icons()
        super().changeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.step.show_visible()  # while the card was out of sight nothing was asked for

    def closeEvent(self, event: QCloseEvent) -> None:
        self.trace.stepping.stop()
        event.accept()


def open_window(recording: Recording, title: str, detail: str) -> TraceWindow:
    """Return the window, shown; makes the application if there is none. Raises what `recording.index` raises."""
    app.application()
    window = TraceWindow(RecordedTrace(recording, recording.index(detail)), title)
    window.resize(window.size().boundedTo(window.screen().availableGeometry().size()))
    window.show()
    window.graph.view.setFocus()
    return window


def run(window: TraceWindow) -> None:
    """Live until the window is closed, and leave nothing of it behind."""
    QApplication.instance().exec()
    QThreadPool.globalInstance().waitForDone()  # a layout under way needs Python, which may be about to end
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def _split(direction: Qt.Orientation, parts: Sequence[QWidget], shares: Sequence[int]) -> QSplitter:
    splitter = QSplitter(direction, handleWidth=GUTTER)
    for share, part in zip(shares, parts, strict=True):
        splitter.addWidget(part)
        splitter.setStretchFactor(splitter.count() - 1, share)
    return splitter
