"""The window: puts the panels together and answers the actions. It holds no state of the document or the run: the session does."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings, QTimer
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QVBoxLayout, QWidget

from nnviz.session.session import Session
from nnviz.ui import wiring
from nnviz.ui.actions import build_actions, fill_examples, fill_menu, set_icons, update_enabled
from nnviz.ui.commands import Commands
from nnviz.ui.documents import Documents
from nnviz.ui.exports import Exports
from nnviz.ui.panels import Panels
from nnviz.ui.style import apply_theme
from nnviz.ui.theme import DARK, LIGHT, THEMES, Theme
from nnviz.ui.toast import Toast
from nnviz.ui.top_bar import TopBar
from nnviz.ui.workspaces import WORKSPACES, WorkspaceArea

DESIGN_SIZE = (1600, 1000)
SMALLEST_SIZE = (1024, 700)


class MainWindow(QMainWindow):
    """One document, its run and its pictures."""

    def __init__(self, session: Session, theme: Theme = LIGHT) -> None:
        super().__init__()
        self.session = session
        self.theme = theme
        self.selected_layers: tuple[str, ...] = ()
        self.asks_before_closing = True
        self._has_icons = False
        self.panels = Panels()
        self.documents, self.exports, self.commands = Documents(self), Exports(self), Commands(self)
        self.action_table = build_actions(self)
        self._menu = QMenu(self)
        fill_examples(fill_menu(self._menu, self.action_table)["File"].addMenu("Examples"), self)
        self.top_bar = TopBar(self.action_table, self._menu, WORKSPACES)
        self.area = WorkspaceArea(self.panels.cards)
        self.setCentralWidget(self._framed())
        self.toast = Toast(self)
        self.resize(*DESIGN_SIZE)
        self.setMinimumSize(*SMALLEST_SIZE)
        wiring.connect(self)
        self.set_theme(theme)
        self.area.show_workspace("step")
        wiring.show_everything(self)

    def _framed(self) -> QWidget:
        frame = QWidget()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.top_bar)
        layout.addWidget(self.area, 1)
        return frame

    # --- looks ---

    def set_theme(self, theme: Theme) -> None:
        """Dress the whole program in this theme."""
        self.theme = theme
        apply_theme(QApplication.instance(), theme)
        self.panels.set_theme(theme)
        self.top_bar.set_theme(theme)
        self.toast.set_theme(theme)
        if self._has_icons:
            set_icons(self.action_table, theme)

    def toggle_theme(self) -> None:
        """Change between light and dark."""
        self.set_theme(DARK if self.theme is LIGHT else LIGHT)

    def fit(self) -> None:
        """Show the whole graph and the whole network."""
        self.panels.graph.fit()
        self.panels.network.fit()

    def update_actions(self) -> None:
        """Let every action say whether it can be called now, and what it would undo."""
        update_enabled(self, self.action_table)
        document = self.session.document
        self.action_table["undo"].setText(f"Undo {document.history.undo_label}".strip())
        self.action_table["redo"].setText(f"Redo {document.history.redo_label}".strip())

    # --- coming and going ---

    def restore_settings(self) -> None:
        """Take up size, theme and panels as they were left."""
        settings = QSettings()
        self.restoreGeometry(settings.value("window/geometry", QByteArray()))
        self.area.restore_state(str(settings.value("window/panels", "")))
        self.set_theme(THEMES.get(str(settings.value("window/theme", "light")), LIGHT))
        self.area.show_workspace(self.area.name)

    def save_settings(self) -> None:
        """Keep size, theme and panels for the next start."""
        settings = QSettings()
        settings.setValue("window/geometry", self.saveGeometry())
        settings.setValue("window/panels", self.area.save_state())
        settings.setValue("window/theme", self.theme.name)

    def close_without_asking(self) -> None:
        """Close at once: unsaved changes are in the autosave, and offered again at the next start."""
        self.asks_before_closing = False
        self.close()

    def _show_icons(self) -> None:
        self._has_icons = True
        set_icons(self.action_table, self.theme)

    def showEvent(self, event: QShowEvent) -> None:
        if not self._has_icons:
            QTimer.singleShot(0, self, self._show_icons)  # the icon fonts take as long to load as the whole window to paint

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.asks_before_closing and not self.documents.settle():
            event.ignore()
            return
        self.session.close()
        event.accept()
