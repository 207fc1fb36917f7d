"""A window on one trace: its graph, the chain-rule card, the step bar. It is given readings and asks for no run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QThreadPool
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QSplitter, QVBoxLayout, QWidget

from nnviz.messages import GradientChecked
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import at_hand
from nnviz.records.trace_record import Details, NodeTensors
from nnviz.records.trace_state import TraceState
from nnviz.session.viewer import Viewer
from nnviz.ui.graph.graph_view import GraphView
from nnviz.ui.graph.strips import COLORINGS
from nnviz.ui.shell import app
from nnviz.ui.shell.actions import build_actions, set_icons
from nnviz.ui.shell.command_palette import CommandPalette
from nnviz.ui.shell.top_bar import Badge
from nnviz.ui.shell.trace_actions import ACTIONS
from nnviz.ui.step.chain_rule_card import ChainRuleCard
from nnviz.ui.step.debugger import PLAY_MS, step_into
from nnviz.ui.step.microscope import OptimizerMicroscope
from nnviz.ui.step.proof import Proof
from nnviz.ui.step.step_bar import StepBar
from nnviz.ui.step.step_timeline import PhaseRail, StepTimeline
from nnviz.ui.theme.colors import GUTTER, current_theme
from nnviz.ui.theme.style import apply_theme, toggle_theme
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.escape import EscapeKey
from nnviz.ui.widgets.header_button import ChoiceButton

_SIZE = (1500, 800)
_RIGHT, _UPDATE = 400, 260
"""How wide the right side is at first, and how high the optimizer's part of it."""
_SIZES = {"node": "step: node", "layer": "step: layer", "phase": "step: phase"}
_COLORINGS = {one: f"colour: {one}" for one in COLORINGS}


class Source(Protocol):
    """Where the window gets its numbers."""

    details: Sequence[str]

    def index(self, detail: str, details: Details = ()) -> TraceIndex:
        """Return the trace at this detail, or at these inside some groups."""
        ...

    def check(self, node: int, element: tuple[int, ...]) -> GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        ...

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node."""
        ...


class TraceWindow(QMainWindow):
    """Steps through one iteration of a module."""

    def __init__(self, source: Source, index: TraceIndex, title: str) -> None:
        apply_theme(QApplication.instance(), current_theme())
        super().__init__()
        self._source = source
        self.viewer = Viewer(self)
        self.graph, self.chain_rule = GraphView(), ChainRuleCard()
        self.chain_rule.what_if.hide()  # a recorded trace is looked at as it was
        self.step_bar, self.timeline, self.rail = StepBar(), StepTimeline(), PhaseRail()
        self.sizes = _choice("How far one step goes", _SIZES, "node")
        self.detail = _choice(
            "How far calls are opened in the graph", {one: f"detail: {one}" for one in source.details}, index.trace.detail
        )
        self.coloring = _choice("What colours and widths show", _COLORINGS, "value")
        self.badge, self.proof, self.microscope = Badge(), Proof(self), OptimizerMicroscope()
        self.actions_by_id = build_actions(self, ACTIONS)
        self.step_bar.set_actions(self.actions_by_id)
        set_icons(self.actions_by_id, ACTIONS)
        self._lay_out()
        self._connect()
        self.setWindowTitle(f"{title} – nnviz")
        self.viewer.stepper.detail = index.trace.detail
        self.viewer.show(index)

    # --- what actions do ---

    def step(self, direction: int) -> None:
        """Step by as much as is chosen: +1 forward, −1 back."""
        self.viewer.walker.move(self.sizes.key, direction)
        at_rest = self.viewer.stepper.is_at_end if direction > 0 else self.viewer.stepper.cursor == 0
        if at_rest:
            self.viewer.playback.stop()

    def into(self) -> None:
        """Open the folded group at the cursor by one level and go to its first node."""
        step_into(self.viewer.walker, self.viewer.state, self.graph.folds)

    def run_to_selected(self) -> None:
        """Go on to the next step of the selected node, else of the one the cursor is at."""
        node = at_hand(self.viewer.state, self.viewer.selected_node)
        if node is not None:
            self.viewer.walker.to_node(node)

    def play(self, direction: int) -> None:
        """Start or stop making one step after the other."""
        self.viewer.playback.toggle(self._pace(), self._forward if direction > 0 else self._backward)

    def toggle_breakpoint(self) -> None:
        """Put a breakpoint on the selected node, else on the one the cursor is at, or take it away."""
        node = at_hand(self.viewer.state, self.viewer.selected_node)
        if node is not None:
            self.viewer.toggle_breakpoint(node)

    def find_action(self) -> None:
        """Open the field that finds any action by its name."""
        palette = CommandPalette(self.actions_by_id.values(), self)
        palette.finished.connect(palette.deleteLater)
        palette.move(self.mapToGlobal(self.rect().center()) - palette.rect().center())
        palette.show()
        palette.field.setFocus()

    def toggle_theme(self) -> None:
        """Change between light and dark."""
        toggle_theme(QApplication.instance())

    # --- inside ---

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.graph, 1)
        for widget in (self.step_bar, self.timeline, self.rail):
            column.addWidget(widget)
        tools = [self.badge, self.sizes, self.detail, self.coloring]
        update = Card("Optimizer microscope", self.microscope, self.microscope.tools)
        self.cards = (Card("Computational graph", left, tools), Card("Node", self.chain_rule), update)
        right = _split(Qt.Orientation.Vertical, self.cards[1:], (2, 1))
        right.setMinimumWidth(352)
        right.setSizes([_SIZE[1] - _UPDATE, _UPDATE])
        splitter = _split(Qt.Orientation.Horizontal, (self.cards[0], right), (1, 0))
        splitter.setSizes([_SIZE[0] - _RIGHT, _RIGHT])
        frame = QWidget()
        around = QVBoxLayout(frame)
        around.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        around.addWidget(splitter)
        self.setCentralWidget(frame)
        self.resize(*_SIZE)

    def _connect(self) -> None:
        viewer, graph, card = self.viewer, self.graph, self.chain_rule
        viewer.trace_state_changed.connect(lambda old, new: self._show(new))
        viewer.selection_changed.connect(lambda old, new: self._show(viewer.state))
        viewer.walker.folded = lambda node: folded.nodes if (folded := graph.folds.card(node)) else ()
        viewer.walker.around = graph.folds.around
        graph.node_clicked.connect(viewer.select)
        graph.node_released.connect(lambda: viewer.select(None))
        graph.run_to_requested.connect(viewer.walker.to_node)
        graph.breakpoint_requested.connect(viewer.toggle_breakpoint)
        self.badge.clicked.connect(lambda: self.proof.open_below(self.badge))
        self.microscope.element_picked.connect(lambda node, element: _show_weight(self, node, element))
        card.element_chosen.connect(lambda node, element: _show_update(self))
        for bar in (self.timeline, self.rail):
            bar.cursor_requested.connect(viewer.stepper.to)
        card.node_clicked.connect(viewer.select)
        card.pin_row.pin_requested.connect(viewer.pin)
        card.pin_row.release_requested.connect(lambda: viewer.select(None))
        EscapeKey(self, lambda: viewer.select(None))
        card.sample_chosen.connect(viewer.stepper.set_sample)
        card.check_requested.connect(lambda node, element: card.set_check(self._source.check(node, element)))
        viewer.stepper.detail_changed.connect(self._read)
        self.detail.chosen.connect(viewer.stepper.set_detail)
        if len(self._source.details) > 1:
            graph.detail_requested.connect(viewer.stepper.set_detail_of)
        self.coloring.chosen.connect(graph.set_coloring)
        self.step_bar.speeds.chosen.connect(lambda: viewer.playback.change_pace(self._pace()))

    def _read(self, detail: str) -> None:
        self.viewer.show(self._source.index(detail, self.viewer.stepper.details))

    def _show(self, state: TraceState | None) -> None:
        node = self.viewer.selected_node
        for view in (self.graph, self.timeline, self.rail):
            view.set_trace_state(state)
        self.graph.set_selected(node)
        self.graph.trace_scene.set_look(breakpoints=dict.fromkeys(self.viewer.breaks.nodes, True))
        self.cards[2].setVisible(bool(state and state.index.updates))
        self.chain_rule.set_trace_state(state, node, self.viewer.is_pinned)
        shown = self.chain_rule.node()
        if shown and state.index.lacks(shown.id, state.sample) and state.index.take(self._source.numbers(shown.id, state.sample)):
            self.chain_rule.set_trace_state(state, node, self.viewer.is_pinned)
        _show_update(self)
        if state:
            trace = state.index.trace
            self.cards[0].set_subtitle(f"{len(trace.nodes):,} nodes")
            self.badge.set_error(trace.worst_error, trace.precision)
            self.proof.set_trace(trace, {})

    def _pace(self) -> int:
        return round(PLAY_MS[self.sizes.key] / self.step_bar.speed)

    def _forward(self) -> None:
        self.step(+1)

    def _backward(self) -> None:
        self.step(-1)

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            set_icons(self.actions_by_id, ACTIONS)
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.viewer.playback.stop()
        event.accept()


def _show_update(window: TraceWindow) -> None:
    """Let the microscope be about the number that is worked out on the card."""
    state, shown = window.viewer.state, window.chain_rule.node()
    if shown and shown.id in state.index.updates:
        window.microscope.set_trace_state(state, shown.id, window.chain_rule.element())
    else:
        window.microscope.set_trace_state(state)


def _show_weight(window: TraceWindow, node: int, element: tuple[int, ...]) -> None:
    """Let the card be about the weight that is picked in the microscope."""
    window.viewer.select(node)
    window.chain_rule.choose_element(int(np.ravel_multi_index(element, window.viewer.state.index.node(node).shape)))


def open_window(source: Source, title: str, detail: str) -> TraceWindow:
    """Return the window, shown; makes the application if there is none. Raises what `source.index` raises."""
    app.application()
    window = TraceWindow(source, source.index(detail), title)
    window.resize(window.size().boundedTo(window.screen().availableGeometry().size()))
    window.show()
    window.graph.setFocus()
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


def _choice(tip: str, choices: dict[str, str], present: str) -> ChoiceButton:
    button = ChoiceButton(tip)
    button.set_choices(tuple(choices.items()), present)
    return button
