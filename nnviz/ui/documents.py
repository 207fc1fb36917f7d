"""The dialogs of the File menu: which document, which file, which format. What they decide is carried out by the session and by nnviz.export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox

from nnviz.document.autosave import discard, recoverable
from nnviz.document.examples import PREFIX, open_document
from nnviz.export import graph_files, pictures

if TYPE_CHECKING:
    from nnviz.ui.main_window import MainWindow

DOCUMENTS = "nnviz documents (*.nnviz *.json);;All files (*)"
PICTURES = ("svg", "png", "pdf")
GRAPH_FILES = {"dot": graph_files.dot, "graphml": graph_files.graphml, "json": graph_files.json_text}
FIRST_EXAMPLE = "example:moons"


class Documents:
    """New, open, save and export for one window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    @property
    def _document(self):
        return self._window.session.document

    def new(self) -> None:
        """Start from the two-moons experiment, once unsaved changes are settled."""
        if self.settle():
            self._document.new(open_document(FIRST_EXAMPLE))

    def open(self, path: str = "") -> None:
        """Open a document; without a path the person chooses one."""
        if not self.settle():
            return
        path = path or QFileDialog.getOpenFileName(self._window, "Open", self._folder(), DOCUMENTS)[0]
        if path:
            self._document.open(Path(path))

    def open_example(self, name: str) -> None:
        """Open one of the examples that come with the program."""
        if self.settle():
            self._document.new(open_document(f"{PREFIX}{name}"))

    def recover(self) -> None:
        """Open the newest unsaved copy that an earlier start left behind."""
        found = recoverable()
        if found and self.settle():
            self._document.new(found[0].experiment, saved=False)
            discard(found[0])

    def save(self) -> bool:
        """Write the document to its file, or ask for one. Returns whether it is saved now."""
        return self._document.save() if self._document.path else self.save_as()

    def save_as(self) -> bool:
        """Ask for a file and write the document there. Returns whether it is saved now."""
        path = self._ask("Save as", f"{self._document.title}.nnviz", "nnviz document (*.nnviz);;Plain JSON (*.json)")
        return bool(path) and self._document.save_as(Path(path).with_suffix(Path(path).suffix or ".nnviz"))

    def settle(self) -> bool:
        """Ask what becomes of unsaved changes, if there are any. Returns False if the person would rather stay."""
        if self._document.is_saved:
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._window, "Unsaved changes", f"“{self._document.title}” has changes that are not saved.", buttons.Save | buttons.Discard | buttons.Cancel
        )
        return self.save() if answer == buttons.Save else answer == buttons.Discard

    # --- export ---

    def export_graph(self) -> None:
        """Ask for a file and write the graph at the present step there."""
        self._export("Export graph", "graph", (*PICTURES, *GRAPH_FILES), self.write_graph)

    def export_network(self) -> None:
        """Ask for a file and write the network's picture there."""
        self._export("Export network picture", "network", PICTURES, self.write_network)

    def export_window(self) -> None:
        """Ask for a file and write a picture of the whole window there."""
        self._export("Export window picture", "window", PICTURES, lambda path: pictures.save(self._window, path, self._window.theme))

    def export_widget(self, widget) -> None:
        """Ask for a file and write a picture of one plot there."""
        self._export("Export picture", "plot", PICTURES, lambda path: pictures.save(widget, path, self._window.theme))

    def write_graph(self, path: Path) -> None:
        """Write the graph at the present step; the suffix says how. Raises ValueError for an unknown suffix, OSError if it cannot be written."""
        text = GRAPH_FILES.get(path.suffix[1:].lower())
        if text is None:
            pictures.save(self._window.panels.graph.scene(), path, self._window.theme)
        else:
            moment = self._window.session.moment
            path.write_text(text(moment.reading.trace, moment.cursor), encoding="utf-8")

    def write_network(self, path: Path) -> None:
        """Write the network's picture; the suffix says how. Raises ValueError for an unknown suffix, OSError if it cannot be written."""
        pictures.save(self._window.panels.network.scene(), path, self._window.theme)

    def _export(self, title: str, what: str, suffixes: tuple[str, ...], write) -> None:
        path = self._ask(title, f"{self._document.title} {what}.{suffixes[0]}", ";;".join(f"{suffix.upper()} (*.{suffix})" for suffix in suffixes))
        if not path:
            return
        try:
            write(Path(path))
        except (OSError, ValueError) as error:
            self._window.toast.post("error", f"{Path(path).name} could not be written: {error}")
        else:
            self._window.toast.post("info", f"Wrote {path}")

    def _ask(self, title: str, name: str, filters: str) -> str:
        return QFileDialog.getSaveFileName(self._window, title, str(Path(self._folder()) / name), filters)[0]

    def _folder(self) -> str:
        return str(self._document.path.parent) if self._document.path else str(Path.home())
