"""Undo and redo in a field: its own while something is being typed, the window's once that is taken over. It changes no text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QWidget

_FIELDS = (QAbstractSpinBox, QLineEdit)
_TAKING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
_REMOVING = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
_EDITING = (QKeySequence.StandardKey.Paste, QKeySequence.StandardKey.Cut)
_UNDOING = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class PendingText(QObject):
    """Watches the field that has the focus. A field takes Ctrl+Z for itself otherwise, also when there is nothing typed to take back."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.is_pending = False
        """Whether something was typed that is not taken over yet."""
        QApplication.instance().focusChanged.connect(self._follow)

    def _follow(self, old: QWidget | None, new: QWidget | None) -> None:
        if isinstance(old, _FIELDS):
            old.removeEventFilter(self)
        if isinstance(new, _FIELDS):
            self.is_pending = False
            new.installEventFilter(self)

    def _note(self, event: QKeyEvent) -> None:
        if event.key() in _TAKING:
            self.is_pending = False
        elif (event.text().isprintable() and event.text()) or event.key() in _REMOVING or any(map(event.matches, _EDITING)):
            self.is_pending = True

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress:
            self._note(event)
        elif event.type() == QEvent.Type.ShortcutOverride and not self.is_pending and any(map(event.matches, _UNDOING)):
            event.ignore()
            return True  # the field must not see it, and the window's shortcut is next
        return False
