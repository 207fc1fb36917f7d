"""Find any action by typing part of its name, and run it (Ctrl+Shift+P)."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QVBoxLayout, QWidget

from nnviz.ui.widgets.search_list import ListEntry, SearchList


class CommandPalette(QDialog):
    """A field and the actions that match it. Enter runs the marked one, Esc leaves."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.field = QLineEdit(placeholderText="Search or run…", accessibleName="Search actions")
        self.list = QListWidget(accessibleName="Matching actions")
        search = SearchList(self.field, self.list, [_entry(action) for action in actions if action.isEnabled()])
        search.chosen.connect(self._run)
        QVBoxLayout(self).addWidget(search)
        self.resize(460, 360)

    def open_over(self, window: QWidget) -> None:
        """Open in the middle of the window, with the keyboard in the field; gone once it is closed."""
        self.finished.connect(self.deleteLater)
        self.move(window.mapToGlobal(window.rect().center()) - self.rect().center())
        self.show()
        self.field.setFocus()

    def _run(self, action: QAction) -> None:
        self.accept()
        action.trigger()


def _entry(action: QAction) -> ListEntry:
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    return ListEntry(action, action.text(), keys=keys, icon=action.icon())
