"""The question whether a Python file may be run, and which of its functions makes the module; what was agreed to in this session."""

from __future__ import annotations

import os

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from nnviz.records.python_file import PythonFile
from nnviz.ui.theme.colors import GRID, GUTTER

MEANING = "It can do whatever you can do: read, change and delete your files, and use the network."
_APART = "It runs in a process of its own, which can be cancelled and ends with its window."
AGAIN = (
    "You are asked again if one of these files changes. You are not asked about what else they use: installed packages, files they read, "
    "other folders, and modules whose names they work out while they run."
)
_WIDTH = 460
_agreed: set[tuple[str, str]] = set()
"""Path and digest of what may be run without asking, until the program ends."""


def agree(file: PythonFile) -> None:
    """Remember that this file may be run as it is now."""
    _agreed.add((str(file.path), file.digest))


def is_agreed(file: PythonFile) -> bool:
    """Return whether the person has agreed to run this file as it is now."""
    return (str(file.path), file.digest) in _agreed


class PythonSheet(QDialog):
    """It only asks; `chosen` tells what may be run."""

    chosen = Signal(object, str)
    """The file, and the name of what makes the module."""

    def __init__(self, file: PythonFile, names: list[str], parent: QWidget | None = None) -> None:
        """`names`: what may make the module, one or several."""
        super().__init__(parent)
        self.setWindowTitle(f"Run {file.path.name}?")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._file = file
        self.names = QComboBox(accessibleName="Function that makes the module")
        for name in names:
            self.names.addItem(f"{name}   line {file.makers[name]}" if name in file.makers else name, name)
        self.names.setVisible(len(names) > 1)
        head = QLabel(f"Run {file.path.name}?", textFormat=Qt.TextFormat.PlainText)
        head.setProperty("role", "head")
        what = f"and call {names[0]}" if len(names) == 1 else "and call the function that makes the module"
        path = str(file.path).replace(os.sep, f"{os.sep}\u200b")  # a long one goes on in the next line
        told = (f"This will run {path} {what}.", file.told_imports, MEANING, _APART, AGAIN)
        self.told = _text("\n\n".join(part for part in told if part))
        buttons = QDialogButtonBox()
        self.run = QPushButton("Run it", autoDefault=False)
        self.leave = QPushButton("Cancel", default=True)
        buttons.addButton(self.run, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.leave, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._agree)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        for widget in (head, self.told, self.names, buttons):
            column.addWidget(widget)
        self.leave.setFocus()

    def _agree(self) -> None:
        agree(self._file)
        self.accept()
        self.chosen.emit(self._file, self.names.currentData())


def _text(text: str) -> QLabel:
    label = QLabel(text, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
    label.setFixedWidth(_WIDTH)
    return label
