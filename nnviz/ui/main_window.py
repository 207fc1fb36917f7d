"""The window: puts the panels together and answers the actions. It holds no state of the document or the run: the session does."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QPointF, QSettings
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QInputDialog, QMainWindow, QMenu, QMessageBox, QVBoxLayout, QWidget

from nnviz import __version__
from nnviz.document import catalog, edits
from nnviz.session.session import Session
from nnviz.ui import wiring
from nnviz.ui.actions import build_actions, fill_examples, fill_menu, set_icons, update_enabled
from nnviz.ui.command_palette import CommandPalette
from nnviz.ui.documents import Documents
from nnviz.ui.panels import Panels
from nnviz.ui.style import apply_theme
from nnviz.ui.theme import DARK, LIGHT, THEMES, Theme
from nnviz.ui.toast import Toast
from nnviz.ui.top_bar import TopBar
from nnviz.ui.workspaces import WORKSPACES, WorkspaceArea

DESIGN_SIZE = (1600, 1000)
SMALLEST_SIZE = (1024, 700)
PLAY_MS = {"node": 600, "layer": 900, "phase": 1200, "iteration": 1200}
"""How long playback stays on one step."""


class MainWindow(QMainWindow):
    """One document, its run and its pictures."""

    def __init__(self, session: Session, theme: Theme = LIGHT) -> None:
        super().__init__()
        self.session = session
        self.theme = theme
        self.selected_layers: tuple[str, ...] = ()
        self.asks_before_closing = True
        self.panels = Panels()
        self.documents = Documents(self)
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

    # --- what actions do beyond one call to the session ---

    def step(self, direction: int) -> None:
        """Step by as much as the bar says: +1 forward, −1 back."""
        stepper, granularity = self.session.stepper, self.top_bar.granularity
        if granularity == "layer":
            stepper.layer(direction)
        elif granularity == "phase":
            stepper.phase(direction)
        elif granularity == "iteration" and direction < 0:
            stepper.to_start()
        elif granularity == "iteration" and stepper.cursor < stepper.length:
            stepper.to_end()
        else:
            stepper.step() if direction > 0 else stepper.back()

    def toggle_play(self) -> None:
        """Start or stop making one step after the other."""
        self.session.playback.toggle(PLAY_MS[self.top_bar.granularity])

    def run_to_selected(self) -> None:
        """Go on to the next step of the selected node."""
        if self.session.selected_node is not None:
            self.session.stepper.to_node(self.session.selected_node)

    def ask_iteration(self) -> None:
        """Ask for an iteration and make the run stand there."""
        run = self.session.run
        iteration, ok = QInputDialog.getInt(self, "Go to iteration", "Iteration (any earlier or later one):", run.iteration, 0, 10_000_000)
        if ok:
            self.session.trainer.go_to(iteration)

    def add_layer(self, kind: str, position: QPointF | None = None, after: str = "", between: tuple[str, str] | None = None) -> None:
        """Add a layer: in a link, behind a layer, or at a place of the canvas; it is selected then."""
        id = edits.new_id(self.session.experiment, kind)
        place = None if position is None else (position.x(), position.y())
        label = f"Add {catalog.LAYERS[kind].label}"
        if self.session.edit(label, edits.add_layer, kind, after=after or None, between=between, position=place):
            wiring.select_layers(self, (id,))

    def append_layer(self, kind: str) -> None:
        """Add a layer where a person would look for it: behind the selected one, else before the output; an input stands by itself."""
        network = self.session.experiment.network
        before_output = [link for link in network.links if not network.outputs_of(link.target)]
        if catalog.LAYERS[kind].inputs[1] == 0:
            self.add_layer(kind)
        elif len(self.selected_layers) == 1:
            self.add_layer(kind, after=self.selected_layers[0])
        elif len(before_output) == 1:
            self.add_layer(kind, between=(before_output[0].source, before_output[0].target))
        else:
            self.add_layer(kind)

    def delete_selected(self) -> None:
        """Remove the selected layers."""
        self.session.edit("Delete layers", edits.remove_layers, self.selected_layers)

    def tidy(self) -> None:
        """Place all layers automatically."""
        self.session.edit("Tidy", edits.tidy)

    def toggle_dropout(self) -> None:
        """Switch all dropout layers on or off."""
        self.session.edit("Dropout", edits.change_training, dropout=not self.session.experiment.training.dropout)

    def find_action(self) -> None:
        """Open the field that finds any action by its name."""
        palette = CommandPalette(self.action_table.values(), self)
        palette.finished.connect(palette.deleteLater)
        palette.move(self.mapToGlobal(self.rect().center()) - palette.rect().center())
        palette.show()
        palette.field.setFocus()

    def about(self) -> None:
        """Say what this is."""
        QMessageBox.about(self, "nnviz", f"nnviz {__version__}\nA microscope for neural networks.\nEvery traced gradient is compared with torch's own before it is shown.")

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

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.asks_before_closing and not self.documents.settle():
            event.ignore()
            return
        self.session.close()
        event.accept()
