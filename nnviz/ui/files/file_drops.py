"""What reaches a window from outside: documents dropped on it, and its own file having changed while the person was elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow

ENDINGS = (".nnviz", ".json")


class FileDrops(QObject):
    """Filters the events of one window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.DragEnter | QEvent.Type.DragMove if documents_in(event.mimeData()):
                event.acceptProposedAction()
                return True
            case QEvent.Type.Drop if paths := documents_in(event.mimeData()):
                event.acceptProposedAction()
                self.parent().documents.open_all(paths)
                return True
            case QEvent.Type.WindowActivate:
                self.parent().documents.notes.tell_of_changes()
        return False


def documents_in(data: QMimeData) -> list[Path]:
    """Return the documents among the files that are dragged."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() in ENDINGS]
