"""The window: puts the panels together and answers the actions. It holds no state of the document or the run: the session does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QSettings, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QVBoxLayout, QWidget

from nnviz.ui.shell.actions import build_actions, fill_menu, set_icons, update_enabled
from nnviz.ui.shell.layouts import WORKSPACES
from nnviz.ui.shell.top_bar import TopBar
from nnviz.ui.theme.colors import LIGHT, THEMES, current_theme
from nnviz.ui.theme.style import apply_theme, toggle_theme
from nnviz.ui.widgets.notes import NoteBar
from nnviz.ui.widgets.toast import Toast

if TYPE_CHECKING:
    from nnviz.document.experiment import Experiment
    from nnviz.session.session import Session
    from nnviz.ui.data.choosing import DataChoosing
    from nnviz.ui.files.crash_recovery import CrashRecovery
    from nnviz.ui.files.documents import Documents
    from nnviz.ui.files.exports import Exports
    from nnviz.ui.files.start_page import StartPage
    from nnviz.ui.network.building import Builder
    from nnviz.ui.run.neuron_maps import NeuronMaps
    from nnviz.ui.shell.commands import Commands
    from nnviz.ui.shell.panel_menu import PanelMenu
    from nnviz.ui.shell.panels import Panels
    from nnviz.ui.shell.workspaces import WorkspaceArea
    from nnviz.ui.step.debugger import Debugger
    from nnviz.ui.step.proof import Proof
    from nnviz.ui.weights.weight_editing import WeightEditing

DESIGN_SIZE = (1600, 1000)
SMALLEST_SIZE = (1180, 720)
FIRST_WORKSPACE = "step"


class MainWindow(QMainWindow):
    """One document, its run and its pictures. It has only its bar, and no session, until `furnish` is called."""

    layers_selected = Signal(tuple)
    """Ids of the layers that properties and actions are about."""
    window_requested = Signal(object)
    """A new window is wanted; None, or what to do with it (see windows.py)."""
    closed = Signal()
    """The window has closed, and its engine has ended."""
    session: Session
    documents: Documents
    exports: Exports
    commands: Commands
    debugger: Debugger
    builder: Builder
    lost_work: CrashRecovery
    neuron_maps: NeuronMaps
    data: DataChoosing
    panels: Panels
    proof: Proof
    weight_editing: WeightEditing
    start_page: StartPage
    area: WorkspaceArea
    panel_menu: PanelMenu

    def __init__(self) -> None:
        super().__init__()
        self.selected_layers: tuple[str, ...] = ()
        self.asks_before_closing = True
        self._is_furnished = self._keeps_settings = False
        apply_theme(QApplication.instance(), current_theme())
        self.notes = NoteBar()
        self.action_table = build_actions(self)
        for action in self.action_table.values():
            action.setEnabled(False)  # until there is something to act on
        self._menu = QMenu(self)
        self.submenus = fill_menu(self._menu, self.action_table)
        self.top_bar = TopBar(self.action_table, self._menu, WORKSPACES)
        self.top_bar.set_workspace(FIRST_WORKSPACE)
        self.setCentralWidget(self._framed())
        self.toast = Toast(self)
        self.resize(*DESIGN_SIZE)
        self.setMinimumSize(*SMALLEST_SIZE)

    def furnish(self, experiment: Experiment, autosaves: bool = True) -> None:
        """Give the window a session of this experiment, and its panels. The engine is not started: call `session.start`."""
        from nnviz.ui.shell import furnishing, wiring  # here, because the window is painted before they are loaded

        furnishing.furnish(self, experiment, autosaves)
        self.centralWidget().layout().addWidget(self.area, 1)
        self._is_furnished = True
        set_icons(self.action_table)
        if self._keeps_settings:
            self.area.restore_state(str(QSettings().value("window/panels", "")))
        self.area.show_workspace(FIRST_WORKSPACE)
        wiring.show_everything(self)
        self.focus_canvas()

    def focus_canvas(self) -> None:
        """Let keys go to the graph where it is shown, else to the network."""
        view = self.panels.graph if "graph" in self.area.visible_panels() else self.panels.network
        view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _framed(self) -> QWidget:
        frame = QWidget()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.top_bar, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.notes)
        return frame

    # --- looks ---

    def toggle_theme(self) -> None:
        """Change between light and dark, in all windows."""
        toggle_theme(QApplication.instance())

    def siblings(self) -> list[MainWindow]:
        """Return the other windows of the program that are open."""
        others = (widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow) and widget is not self)
        return [window for window in others if window.isVisible()]

    def fit(self) -> None:
        """Show the whole graph and the whole network."""
        self.panels.graph.fit()
        self.panels.network.fit()

    def select_layers(self, ids: tuple[str, ...]) -> None:
        """Let these layers be the ones that properties and actions are about."""
        self.selected_layers = tuple(ids)
        self.layers_selected.emit(self.selected_layers)

    def update_actions(self) -> None:
        """Let every action say whether it can be called now, and what it would undo."""
        update_enabled(self, self.action_table)
        undoing = self.session.undoing
        self.action_table["undo"].setText(f"Undo {undoing.undo_label}".strip())
        self.action_table["redo"].setText(f"Redo {undoing.redo_label}".strip())

    # --- coming and going ---

    def restore_settings(self) -> None:
        """Take up size, theme and panels as they were left, and keep them again when the window closes. Call it before `furnish`."""
        settings, self._keeps_settings = QSettings(), True
        self.restoreGeometry(settings.value("window/geometry", QByteArray()))
        if not self.siblings():
            apply_theme(QApplication.instance(), THEMES.get(str(settings.value("window/theme", "light")), LIGHT))

    def _save_settings(self) -> None:
        settings = QSettings()
        settings.setValue("window/geometry", self.saveGeometry())
        settings.setValue("window/panels", self.area.save_state())
        settings.setValue("window/theme", current_theme().name)

    def close_without_asking(self) -> None:
        """Close at once: unsaved changes are in the autosave, and offered again at the next start."""
        self.asks_before_closing = False
        self.close()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange and self._is_furnished:
            set_icons(self.action_table)
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._is_furnished and self.asks_before_closing and not self.documents.settle():
            event.ignore()
            return
        if self._is_furnished:
            self._leave()
        event.accept()
        self.closed.emit()

    def _leave(self) -> None:
        if self._keeps_settings:
            self._save_settings()
        self.session.close()
