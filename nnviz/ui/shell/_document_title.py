"""The document's title in the top bar: a click opens a field for another one. It changes no document."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLabel, QLineEdit

_NARROWEST = 170


class DocumentTitle(QLabel):
    """Enter takes the new title; Esc, leaving the field, and a text that nobody changed do not."""

    renamed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Title of the document")
        self._own = ""
        self.field: QLineEdit | None = None

    def set_own(self, title: str) -> None:
        """Let this be the title that is changed; what is shown may be the name of a file, or cut."""
        self._own = title

    def open(self) -> None:
        """Show the field over the title, with all of it selected."""
        self.field = QLineEdit(self._own, self.window(), accessibleName="New title", toolTip="Enter takes the new title, Esc leaves it")
        at = self.mapTo(self.window(), self.rect().topLeft())
        self.field.setGeometry(at.x() - 6, at.y() + (self.height() - 28) // 2, max(self.width() + 24, _NARROWEST), 28)
        self.field.installEventFilter(self)
        self.field.selectAll()
        self.field.show()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close(self) -> None:
        field, self.field = self.field, None
        if field is not None:
            field.hide()
            field.deleteLater()

    def _take(self) -> None:
        text = self.field.text().strip()
        self._close()
        if text and text != self._own:
            self.renamed.emit(text)

    # --- Qt ---

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.open()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            QTimer.singleShot(0, self, self._close)
        if event.type() != QEvent.Type.KeyPress or event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            return False
        self._close() if event.key() == Qt.Key.Key_Escape else self._take()
        return True
