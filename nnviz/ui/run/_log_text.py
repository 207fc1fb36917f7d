"""The window with the log: what a model or a library printed, warnings, and what went wrong in the window. It shows what it is given."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import BODY, GRID, GUTTER
from nnviz.ui.theme.fonts import mono
from nnviz.ui.widgets.placing import show_in_middle

LINES = 1000
"""So many lines are shown, the newest."""
_EMPTY = "Nothing yet. What a model or a library prints, and warnings, stand here."
_SIZE = (760, 420)


class LogText(QDialog):
    """Not modal: training goes on beside it. It stays at the end of the text unless a person has scrolled up; Esc closes it."""

    clear_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle("Log")
        self.text = QPlainTextEdit(readOnly=True, accessibleName="Log", frameShape=QFrame.Shape.NoFrame, placeholderText=_EMPTY)
        self.text.setFont(mono(BODY))
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self.copy = QPushButton("Copy all", toolTip="Copy the whole text; what is selected is copied with Ctrl+C", autoDefault=False)
        self.clear = QPushButton("Clear", toolTip="Forget what was written so far", autoDefault=False)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        self.clear.clicked.connect(self.clear_requested)
        self._lay_out()
        self.set_log("")

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(self.count, 1)
        row.addWidget(self.copy)
        row.addWidget(self.clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        column.addWidget(self.text, 1)
        column.addLayout(row)
        self.resize(*_SIZE)

    def open_beside(self) -> None:
        """Show it in the middle of its window, at its newest line."""
        show_in_middle(self)
        self.text.setFocus()
        self.text.verticalScrollBar().setValue(self.text.verticalScrollBar().maximum())

    def set_log(self, text: str) -> None:
        """Show the newest lines of this text."""
        lines, bar = text.splitlines(), self.text.verticalScrollBar()
        place, is_at_end = bar.value(), bar.value() == bar.maximum()
        self.text.setPlainText("\n".join(lines[-LINES:]))
        bar.setValue(bar.maximum() if is_at_end else place)
        shown = f"{len(lines):,} line{'s' * (len(lines) != 1)}"
        self.count.setText(f"the last {LINES:,} of {shown}" if len(lines) > LINES else shown)
        for button in (self.copy, self.clear):
            button.setEnabled(bool(lines))
