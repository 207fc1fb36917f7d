"""What actions do where one call to the session is not enough: ask something, look where the person is, choose what fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QInputDialog, QMessageBox

from nnviz import __version__
from nnviz.document import edits
from nnviz.ui.files.file_menu import template_actions
from nnviz.ui.shell.command_palette import CommandPalette

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow


class Commands:
    """The commands of one window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def ask_what_if(self, node: int | None = None, place: int | None = None) -> None:
        """Open the field for another value: of this element of a node, or of what the chain-rule card shows."""
        card = self._window.panels.chain_rule
        if node is not None:
            self._window.session.stepping.select(node)
        if place is not None:
            card.choose_element(place)
        card.what_if.open("set")

    def fold_here(self) -> None:
        """Fold the innermost open group around the selected node, else around the cursor's."""
        node = self._window.debugger.node_here
        if node is not None:
            self._window.panels.graph.folds.fold_around(node)

    def open_here(self) -> None:
        """Open by one level what hides the selected node, else the cursor's."""
        node, folds = self._window.debugger.node_here, self._window.panels.graph.folds
        if node is not None and folds.card(node):
            folds.enter(folds.card(node), node)

    def set_detail_here(self, detail: str) -> None:
        """Open the calls of the layer of the selected node, else of the cursor's, to this detail."""
        state, node = self._window.session.stepping.state, self._window.debugger.node_here
        group = state.index.node(node).group if state and node is not None else ()
        if group:
            self._window.session.stepping.set_detail_of(group[0], detail)

    def ask_iteration(self) -> None:
        """Ask for an iteration and make the run stand there."""
        run = self._window.session.run
        iteration, ok = QInputDialog.getInt(
            self._window, "Go to iteration", "Iteration (any earlier or later one):", run.iteration, 0, 10_000_000
        )
        if ok:
            self._window.session.training.go_to(iteration)

    def ask_template(self) -> None:
        """Show the gallery of templates; the one that is chosen becomes the document."""
        self._window.start_page.open_templates()

    def toggle_dropout(self) -> None:
        """Switch all dropout layers on or off."""
        self._window.session.edit("Dropout", edits.change_training, dropout=not self._window.session.experiment.training.dropout)

    def find_action(self) -> None:
        """Open the field that finds any action by its name."""
        window = self._window
        shown = [action for action in window.panel_menu.actions.values() if action.isVisible()]
        palette = CommandPalette([*window.action_table.values(), *shown, *template_actions(window).values()], window)
        palette.finished.connect(palette.deleteLater)
        palette.move(window.mapToGlobal(window.rect().center()) - palette.rect().center())
        palette.show()
        palette.field.setFocus()

    def quit(self) -> None:
        """Close all windows, this one last; stop at the first that a person would rather keep."""
        for window in (*self._window.siblings(), self._window):
            if not window.close():
                return

    def about(self) -> None:
        """Say what this is."""
        text = f"nnviz {__version__}\nA microscope for neural networks.\nEvery traced gradient is compared with torch's own."
        QMessageBox.about(self._window, "nnviz", text)
