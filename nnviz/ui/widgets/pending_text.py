"""Undo, redo and Esc in a field: its own while something is being typed, the window's once that is taken over."""

from __future__ import annotations

from contextlib import suppress
from weakref import WeakSet

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QWidget

VALUE = "document_value"
"""The property of a line of text that is a value of the document. Other lines, such as searches, keep undo and redo to themselves."""
OWN_ESCAPE = "own_escape"
"""The property of a field that does more on Esc than take back what was typed."""
_UNDO, _REDO = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo


class PendingText(QObject):
    """Watches the field that has the focus. A field takes Ctrl+Z for itself otherwise, also when there is nothing typed to take back."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._line: QLineEdit | None = None
        self._before = ""
        """What stood in the line before something was typed."""
        self._known: WeakSet[QWidget] = WeakSet()
        QApplication.instance().focusChanged.connect(self._follow)

    def _follow(self, old: QWidget | None, new: QWidget | None) -> None:
        if self._line is not None and old is not None:
            old.removeEventFilter(self)
        self._line = _line_of(new)
        if self._line is not None:
            new.installEventFilter(self)
            self._before = self._line.text()
        if self._line is not None and new not in self._known:
            self._known.add(new)
            new.editingFinished.connect(self._take_over)  # behind what the field itself does then

    def _take_over(self) -> None:
        """A spin box leaves its text marked as modified."""
        with suppress(RuntimeError):  # a field that is being deleted says that it is finished when its line is gone already
            if self._line is not None:
                self._line.setModified(False)

    def _is_own(self, event: QEvent) -> bool:
        """Whether the field has something of its own to undo or redo: typed, pasted or composed."""
        return self._line is None or self._line.isModified() or (event.matches(_REDO) and self._line.isRedoAvailable())

    def _takes_back(self, watched: QObject, event: QKeyEvent) -> bool:
        """Let Esc take back what is being typed; any other key is about to change what stands there now."""
        if self._line is None or watched.property(OWN_ESCAPE):
            return False
        if not self._line.isModified():
            self._before = self._line.text()
        elif event.key() == Qt.Key.Key_Escape:
            self._line.setText(self._before)
            self._line.selectAll()
            return True
        return False

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and self._takes_back(watched, event):
            return True
        is_asked = event.type() == QEvent.Type.ShortcutOverride and (event.matches(_UNDO) or event.matches(_REDO))
        if is_asked and not self._is_own(event):
            event.ignore()
            return True  # the field must not see it, and the window's shortcut is next
        return False


def _line_of(field: QWidget | None) -> QLineEdit | None:
    """Return the line in which a value of the document is typed; None where there is none."""
    if isinstance(field, QAbstractSpinBox):
        return field.lineEdit()
    return field if isinstance(field, QLineEdit) and field.property(VALUE) else None
