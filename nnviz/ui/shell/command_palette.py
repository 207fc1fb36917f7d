"""Find any action by typing part of its name, and run it (Ctrl+Shift+P)."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

_FORWARDED = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class CommandPalette(QDialog):
    """A field and the actions that match it. Enter runs the marked one, Esc leaves."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._actions = [action for action in actions if action.isEnabled()]
        self.field = QLineEdit(placeholderText="Search or run…", accessibleName="Search actions")
        self.list = QListWidget(accessibleName="Matching actions")
        self.field.textChanged.connect(self._show_matches)
        self.field.returnPressed.connect(self._run)
        self.list.itemActivated.connect(self._run)
        self.list.itemClicked.connect(self._run)
        self.field.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        self.resize(460, 360)
        self._show_matches("")

    def open_over(self, window: QWidget) -> None:
        """Open in the middle of the window, with the keyboard in the field; gone once it is closed."""
        self.finished.connect(self.deleteLater)
        self.move(window.mapToGlobal(window.rect().center()) - self.rect().center())
        self.show()
        self.field.setFocus()

    def _show_matches(self, text: str) -> None:
        words = text.lower().split()
        self.list.clear()
        for action in self._actions:
            name = action.text()
            if all(word in name.lower() for word in words):
                keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                item = QListWidgetItem(action.icon(), f"{name}    {keys}".rstrip(), self.list)
                item.setData(Qt.ItemDataRole.UserRole, action)
        self.list.setCurrentRow(0)

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self.accept()
            item.data(Qt.ItemDataRole.UserRole).trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in _FORWARDED:
            self.list.keyPressEvent(event)
            return True
        return False
