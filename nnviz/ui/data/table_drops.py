"""A table dropped on the window. It says which file it is and leaves every other drop alone."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Signal
from PySide6.QtGui import QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

ENDINGS = {".csv", ".tsv", ".txt", ".dat"}


class TableDrops(QObject):
    """Watches what is dropped on a window."""

    table_dropped = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragMoveEvent | QDropEvent) and (path := table_of(event.mimeData())):
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self.table_dropped.emit(path)
            return True
        return False


def table_of(mime: QMimeData) -> str:
    """Return the path of the table that is dragged; empty for anything else."""
    paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
    return next((path for path in paths if Path(path).suffix.lower() in ENDINGS), "")
