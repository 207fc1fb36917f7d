"""A window on one recorded trace (`nnviz.show`): the features of graph and step over it, without document, run and engine.

It is long because all that the window of a document shares among many features is small enough here for one place.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, Qt, QThreadPool, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow, QSplitter, QVBoxLayout, QWidget

from nnviz.records.trace_state import TraceState
from nnviz.session.engine_work import Work
from nnviz.session.recorded_trace import RecordedTrace, Recording
from nnviz.ui.checking import checking_actions
from nnviz.ui.checking.feature import CheckingFeature
from nnviz.ui.files.exports import Exports
from nnviz.ui.files.recordings import Recordings
from nnviz.ui.graph import graph_actions
from nnviz.ui.graph.feature import GraphFeature
from nnviz.ui.pictures.module_pictures import ModulePictures
from nnviz.ui.shell import app
from nnviz.ui.shell._quiet_line import QuietLine
from nnviz.ui.shell._recorded_module import RecordedModule
from nnviz.ui.shell.actions import ActionTable
from nnviz.ui.shell.busy_line import BusyLine
from nnviz.ui.shell.command_palette import CommandPalette
from nnviz.ui.shell_api import Act
from nnviz.ui.step import step_actions
from nnviz.ui.step.badge import Badge
from nnviz.ui.step.feature import StepFeature
from nnviz.ui.theme.colors import GUTTER, current_theme
from nnviz.ui.theme.style import apply_theme, toggle_theme
from nnviz.ui.widgets.escape import EscapeKey
from nnviz.ui.widgets.header_button import ActionButton, MenuButton, choice
from nnviz.ui.widgets.notes import NoteBar
from nnviz.ui.widgets.plot_picture import PlotStill
from nnviz.ui.widgets.toast import Toast

_SIZE = (1500, 800)
_LONG = 1.0
"""Seconds after which it is said how long something has been taking, and cancelling is offered."""
_RIGHT, _UPDATE, _MAPS = 400, 260, 230
"""How wide the right side is at first, how high the optimizer's part of it, and how high the pictures below the graph."""
_SIZES = {"node": "step: node", "layer": "step: layer", "phase": "step: phase"}
_WITHOUT_RUN = {
    **dict.fromkeys(("batch_steps", "epoch_steps"), "This window shows one iteration: there is no next batch to step to."),
    "keep_what_ifs": "The module keeps its own weights: write the supposed ones into it in your program.",
}
"""Actions of the main window that cannot be offered here, and what is said when their keys are pressed."""
_WITHOUT_DETAILS = {act.id for act in graph_actions.ACTIONS if act.id.startswith(("all_", "detail_"))}
_WITHOUT_TRACE = {"theme", "close", "find_action"}
_NOTHING = "The capture was cancelled, so there is nothing to step through."
_STUCK = (
    "The module is inside one call that cannot be interrupted, and is still running. The window can be used and closed meanwhile; "
    "if the call never ends, only ending the program ends it."
)
_GRAPH_FILES = "Write the graph at this step as SVG, PNG, PDF, DOT, GraphML or JSON"
_RECORDED = "Write the graph, a panel or the window as MP4 or GIF while the steps go by"
_MAPPED = "What a part of the module puts out for a row of the batch, and its weights, as pictures"
_FIGURE = "Write the graph, a panel or the window as SVG, PNG or PDF, as wide as a page needs it, light or dark"
_PICTURED = {
    "graph": "the graph",
    "window": "the whole window",
    "inspector": "the node",
    "microscope": "the optimizer microscope",
    "feature_maps": "the feature maps",
    "weight_picture": "kernels and weights",
}
WINDOW = (
    Act("export_graph", "Export graph…", "File", lambda w: w.exports().ask_graph(), "Ctrl+Shift+E", "fa6s.file-export", _GRAPH_FILES),
    Act("export_figure", "Export figure…", "File", lambda w: w.ask_figure(), "Ctrl+Alt+F", "fa6s.image", _FIGURE),
    Act("record", "Record…", "File", lambda w: w.recordings().ask(), "Ctrl+Alt+V", "fa6s.film", _RECORDED),
    Act("export_window", "Export window picture…", "File", lambda w: w.exports().ask_window(), "", "fa6s.image", "Write a picture of it"),
    Act(
        "undo",
        "Undo",
        "Edit",
        lambda w: w.trace.undo_order.undo(),
        "Ctrl+Z",
        "fa6s.rotate-left",
        "Take the last what-if or breakpoint back",
    ),
    Act(
        "redo",
        "Redo",
        "Edit",
        lambda w: w.trace.undo_order.redo(),
        "Ctrl+Y",
        "fa6s.rotate-right",
        "Suppose it again, or put it there again",
    ),
    Act("fit", "Fit the graph", "View", lambda w: w.graph.view.fit(), "F", "fa6s.expand", "Show the whole graph"),
    Act(
        "pictures",
        "Feature maps and kernels: on or off",
        "View",
        lambda w: w.toggle_pictures(),
        "Ctrl+Alt+M",
        "fa6s.border-all",
        _MAPPED,
    ),
    Act("theme", "Light or dark", "View", lambda w: w.toggle_theme(), "Ctrl+Shift+L", "fa6s.circle-half-stroke", "Change the theme"),
    Act("close", "Close", "View", lambda w: w.close(), "Ctrl+Q", "fa6s.xmark", "Close the window"),
    Act("find_action", "Search or run an action…", "Help", lambda w: w.find_action(), "Ctrl+Shift+P", "fa6s.magnifying-glass"),
)


def _refusing(id: str) -> Callable[[TraceWindow], None]:
    return lambda window: window.toast.post("info", _WITHOUT_RUN[id])


OFFERED = {
    "step": [act for act in step_actions.ACTIONS if act.id not in _WITHOUT_RUN],
    "graph": [act for act in graph_actions.ACTIONS if act.id not in _WITHOUT_DETAILS],
    "checking": checking_actions.ACTIONS,
    "window": (*WINDOW, *(replace(act, call=_refusing(act.id)) for act in step_actions.ACTIONS if act.id in _WITHOUT_RUN)),
}


class TraceWindow(QMainWindow):
    """Steps through one iteration of a module, which is taken while the window is open already."""

    closed = Signal()

    def __init__(self, trace: RecordedTrace, title: str) -> None:
        apply_theme(QApplication.instance(), current_theme())
        super().__init__()
        self.trace, self._title = trace, title
        trace.setParent(self)
        self.action_table = ActionTable(self, OFFERED, self._feature)
        self.badge, self.sizes = Badge(self, lines=1), choice("How far one step goes", _SIZES, "node")
        self.step = StepFeature(trace, self.action_table, self.badge, self.sizes)
        menu = MenuButton("menu", "All actions, with their keys")
        self.menus = self.action_table.fill(menu.menu)
        tools = (self.badge, menu, ActionButton(self.action_table["pictures"], "maps"), self.sizes)
        self.graph = GraphFeature(trace, self.step.banner, self.step.controls, tools)
        self.pictures = ModulePictures(trace, lambda plot: self.exports().ask_widget(plot))
        self._has_pictures: bool | None = None
        """Whether the pictures can be seen; None until it is known whether there are kernels."""
        self.checking = CheckingFeature(trace, self)
        self._enlarged: QWidget | None = None
        EscapeKey(self, self._leave_mode)
        for card in self._cards:
            card.enlarge_requested.connect(partial(self._enlarge, card))
        self.quiet, self.notes = QuietLine(), NoteBar()
        self.step.chain_rule.group_clicked.connect(self.graph.fold_to)
        self.step.chain_rule.group_clicked.connect(self.step.show_card)
        self.graph.view.node_clicked.connect(self.step.show_card)
        self.graph.view.what_if_requested.connect(self.step.ask_what_if)
        self.checking.node_requested.connect(self.graph.view.show_node)
        self.graph.view.folds.changed.connect(self.step.show_selection)
        self.graph.view.trace_scene.laid_out.connect(self.step.show_selection)  # which nodes are folded together is known only now
        self._lay_out()
        self.toast, self.busy_line = Toast(self), BusyLine(self.quiet, self, "Everything stays as it is")
        self._recordings: Recordings | None = None
        self._listen()
        self.setWindowTitle(f"{title} – nnviz")
        self.action_table.set_icons()
        self._show(trace.stepping.state)
        self._show_progress()

    def _feature(self, name: str) -> object:
        return {"step": self.step, "graph": self.graph, "checking": self.checking}.get(name, self)

    def _listen(self) -> None:
        trace = self.trace
        trace.stepping.trace_state_changed.connect(lambda old, new: self._show(new))
        trace.stepping.selection_changed.connect(lambda old, new: self._show_selection(new))
        trace.progressed.connect(self._show_progress)
        trace.taken.connect(self._show_outcome)
        trace.breakpoints_changed.connect(self.step.show_breakpoints)
        for changed in (trace.what_ifs.changed, trace.undo_order.changed, trace.breakpoints_changed):
            changed.connect(self._show_actions)
        trace.message_posted.connect(self.toast.post)
        self.busy_line.cancel_requested.connect(trace.cancel)

    def _lay_out(self) -> None:
        node, update = self.step.cards["inspector"], self.step.cards["microscope"]
        right = _split(Qt.Orientation.Vertical, (node, update), (2, 1))
        right.setSizes([_SIZE[1] - _UPDATE, _UPDATE])
        pictures = _split(Qt.Orientation.Horizontal, tuple(self.pictures.cards.values()), (1, 1))
        left = _split(Qt.Orientation.Vertical, (self.graph.cards["graph"], pictures), (1, 0))
        left.setSizes([_SIZE[1] - _MAPS, _MAPS])
        self._parts = (pictures, left, right)
        splitter = _split(Qt.Orientation.Horizontal, (left, right), (1, 0))
        splitter.setSizes([_SIZE[0] - _RIGHT, _RIGHT])
        frame = QWidget()
        around = QVBoxLayout(frame)
        around.setContentsMargins(0, 0, 0, 0)
        around.setSpacing(0)
        for bar in (self.quiet, self.notes):
            around.addWidget(bar)
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(GUTTER, 0, GUTTER, GUTTER)
        inside.addWidget(splitter)
        around.addWidget(holder, 1)
        self.setCentralWidget(frame)
        self.resize(*_SIZE)

    def _show(self, state: TraceState | None) -> None:
        self.step.show_obstacle(self.trace.obstacle)
        for feature in (self.graph, self.step):
            feature.show_trace_state(state)
        microscope = self.step.cards["microscope"]
        microscope.setVisible(bool(state and state.index.updates) and self._enlarged in (None, microscope))
        self._show_pictures()
        self._show_actions()

    def _show_actions(self) -> None:
        """Let every action say whether it can be called now."""
        order, supposes = self.trace.undo_order, bool(self.trace.what_ifs.items)
        possible = {"undo": order.can_undo, "redo": order.can_redo, "take_back": supposes, "take_all_back": supposes}
        for id, action in self.action_table.items():
            action.setEnabled(id in _WITHOUT_TRACE or (self.trace.stepping.state is not None and possible.get(id, True)))
        self.action_table["undo"].setText(f"Undo {order.undo_label}".strip())
        self.action_table["redo"].setText(f"Redo {order.redo_label}".strip())

    def _show_selection(self, node: int | None) -> None:
        self._show(self.trace.stepping.state)
        if node is not None:
            self.pictures.show_node(self.trace.stepping.index.node(node))

    def _enlarge(self, card: QWidget) -> None:
        """Give one of the panels all the room, or all their places again."""
        self._enlarged = None if self._enlarged else card
        for other in self._cards:
            other.setVisible(self._enlarged in (None, other))
        self._show(self.trace.stepping.state)

    @property
    def _cards(self) -> tuple[QWidget, ...]:
        return (*self.graph.cards.values(), *self.step.cards.values(), *self.pictures.cards.values())

    def toggle_pictures(self) -> None:
        """Show or hide the pictures of feature maps and kernels below the graph."""
        self._has_pictures = not self._has_pictures
        self._show_pictures()

    def _show_pictures(self) -> None:
        """They are there from the start where anything is a convolution."""
        index = self.trace.stepping.index
        if self._has_pictures is None and index is not None:
            self._has_pictures = self.pictures.has_kernels(index)
        for card in self.pictures.cards.values():
            card.setVisible(bool(self._has_pictures) and self._enlarged in (None, card))
        for part in self._parts:  # one of which nothing is seen would keep its room
            part.setVisible(any(not part.widget(place).isHidden() for place in range(part.count())))
        self.pictures.show()

    def _leave_mode(self) -> None:
        """What Esc does where nothing else takes it."""
        if self._enlarged:
            self._enlarge(self._enlarged)
        else:
            self.step.follow()

    def _show_progress(self) -> None:
        trace, detail = self.trace, self.trace.stepping.detail
        capturing = f"capturing {self._title} " + ("with what is supposed" if trace.is_supposing else f"at detail {detail}")
        words = {"capturing": capturing, "measuring": "measuring what is large"}
        said = "cancelling" if trace.is_cancelled else words.get(trace.busy, trace.busy)
        if trace.seconds >= _LONG:
            said += f", {trace.seconds:.0f} s"
        can_cancel = trace.seconds >= _LONG and not trace.is_cancelled
        self.busy_line.show_work(Work(f"{said[:1].upper()}{said[1:]}", can_cancel) if trace.busy else None)
        if trace.stepping.state is None:
            self.graph.view.notice.setText(f"{said[:1].upper()}{said[1:]} …" if trace.busy else _NOTHING)
        if trace.is_stuck and "stuck" not in self.notes.notes:
            self.notes.post("stuck", "warning", _STUCK)
        elif not trace.is_stuck:
            self.notes.drop("stuck")

    def _show_outcome(self) -> None:
        index = self.trace.stepping.index
        self.quiet.set_sentences(index.trace.notes if index else ())
        self.notes.drop("nothing")
        if self.trace.error is not None:
            self.notes.post("nothing", "info", _NOTHING, [("Capture again", self.trace.read)])

    def pictured(self, what: str) -> object:
        """Return what a picture is made of: graph · window · inspector · microscope · feature_maps · weight_picture."""
        plots = {"microscope": self.step.microscope, **self.pictures.plots}
        if what in plots:
            return PlotStill(plots[what])
        return {"graph": self.graph.view.scene(), "window": self, **self.step.cards}[what]

    def figured(self, what: str, centimetres: float | None = None) -> object:
        """Return what a figure is made of: `pictured` with title, iteration and legend, laid out for a page so many cm wide."""
        from nnviz.ui.shell.figures import graph_still, page_pixels  # no window is opened for figures

        if what == "graph":
            return graph_still(self.graph.view, self._title, self.trace.stepping, "")
        return PlotStill(self.step.microscope, width=page_pixels(centimetres)) if what == "microscope" else self.pictured(what)

    def ask_figure(self) -> None:
        """Ask of what a figure shall be made, and how wide it shall be."""
        subjects = {name: text for name, text in _PICTURED.items() if name in ("graph", "window")}
        self.exports().open_figure_sheet(subjects | self.panel_titles(), self)

    def panel_titles(self) -> dict[str, str]:
        """Return what the panels that can be seen are called, by their names."""
        cards = self.step.cards | self.pictures.cards
        return {name: _PICTURED[name] for name, card in cards.items() if card.isVisible()}

    def is_settled(self) -> bool:
        """Return whether all that is seen is of the place where the cursor stands."""
        return self.trace.stepping.index is not None and not self.trace.busy and not self.graph.view.trace_scene.placer.is_busy

    def set_animated(self, animated: bool) -> None:
        """Let moves over the graph be shown in motion, or at once."""
        self.graph.view.set_animated(animated)

    def exports(self) -> Exports:
        """Return what writes files of this window."""
        return Exports(self.trace.stepping, lambda: self._title, self, self._ask_file)

    def recordings(self) -> Recordings:
        """Return what records this window, which it refers to from the first time that it is asked for until it is closed."""
        if self._recordings is None:
            self._recordings = Recordings(RecordedModule(self.trace, self._title), self, self._ask_file, of_run=False)
        return self._recordings

    def _ask_file(self, title: str, name: str, filters: str) -> str:
        path, chosen = QFileDialog.getSaveFileName(self, title, name, filters)
        return path if not path or Path(path).suffix else path + chosen.rpartition("*")[2].rstrip(")")

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
        if self._recordings is not None:
            self._recordings.recorder.cancel()
            self._recordings = None
        self.hide()  # at once, whatever the module takes to end
        self.checking.stop()
        if not self.trace.close():
            warnings.warn(f"{self._title} is still running: it is inside one call that cannot be interrupted", RuntimeWarning, stacklevel=1)
        event.accept()
        self.closed.emit()


def open_window(recording: Recording, title: str, detail: str) -> TraceWindow:
    """Return the window, shown, as soon as the first iteration is there, or it was cancelled; makes the application if there is none.

    Raises what `recording.take` raises.
    """
    app.application()
    window = TraceWindow(RecordedTrace(recording, detail), title)
    window.resize(window.size().boundedTo(window.screen().availableGeometry().size()))
    window.show()
    window.graph.view.setFocus()
    QCoreApplication.processEvents()  # it is painted before the module runs
    window.trace.read()
    _wait(window)
    error = window.trace.error
    if error is not None and not window.trace.was_cancelled:
        window.close()
        _delete(window)
        raise error
    return window


def run(window: TraceWindow) -> None:
    """Live until the window is closed, and leave nothing of it behind."""
    if window.isVisible():
        loop = QEventLoop()  # the application's own would go on while the program has other windows
        window.closed.connect(loop.quit)
        loop.exec()
        window.closed.disconnect(loop.quit)
    QThreadPool.globalInstance().waitForDone()  # a layout under way needs Python, which may be about to end
    _delete(window)


def _wait(window: TraceWindow) -> None:
    """Until the first iteration is there, or cannot be, or the window is closed."""
    loop = QEventLoop()
    window.trace.taken.connect(loop.quit)
    window.closed.connect(loop.quit)
    loop.exec()
    window.trace.taken.disconnect(loop.quit)
    window.closed.disconnect(loop.quit)


def _delete(window: TraceWindow) -> None:
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def _split(direction: Qt.Orientation, parts: Sequence[QWidget], shares: Sequence[int]) -> QSplitter:
    splitter = QSplitter(direction, handleWidth=GUTTER)
    for share, part in zip(shares, parts, strict=True):
        splitter.addWidget(part)
        splitter.setStretchFactor(splitter.count() - 1, share)
    return splitter
