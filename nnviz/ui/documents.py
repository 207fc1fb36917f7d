"""The dialogs of the File menu: which document, which file. What they decide is carried out by the session."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox

from nnviz.document.autosave import discard, recoverable
from nnviz.document.examples import PREFIX, open_document

if TYPE_CHECKING:
    from nnviz.ui.main_window import MainWindow

DOCUMENTS = "nnviz documents (*.nnviz *.json);;All files (*)"
FIRST_EXAMPLE = "example:moons"


class Documents:
    """New, open and save for one window."""

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
        path = self.ask_file("Save as", f"{self._document.title}.nnviz", "nnviz document (*.nnviz);;Plain JSON (*.json)")
        return bool(path) and self._document.save_as(Path(path).with_suffix(Path(path).suffix or ".nnviz"))

    def settle(self) -> bool:
        """Ask what becomes of unsaved changes, if there are any. Returns False if the person would rather stay."""
        if self._document.is_saved:
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._window,
            "Unsaved changes",
            f"“{self._document.title}” has changes that are not saved.",
            buttons.Save | buttons.Discard | buttons.Cancel,
        )
        return self.save() if answer == buttons.Save else answer == buttons.Discard

    def ask_file(self, title: str, name: str, filters: str) -> str:
        """Ask where to write something called `name`, beside the document; empty if the person would rather not.

        A name without an ending gets that of the chosen filter.
        """
        path, chosen = QFileDialog.getSaveFileName(self._window, title, str(Path(self._folder()) / name), filters)
        ending = re.search(r"\*(\.\w+)", chosen)
        if not path or not ending or re.fullmatch(r"\.[A-Za-z]+", Path(path).suffix):
            return path
        path += ending[1]
        return path if not Path(path).exists() or self._may_replace(path) else ""

    def _may_replace(self, path: str) -> bool:
        """The dialog has asked about the name as it was typed only."""
        buttons = QMessageBox.StandardButton
        text = f"{Path(path).name} exists already. Replace it?"
        return QMessageBox.question(self._window, "Replace file", text, buttons.Yes | buttons.No) == buttons.Yes

    def _folder(self) -> str:
        return str(self._document.path.parent) if self._document.path else str(Path.home())
