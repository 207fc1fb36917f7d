"""Files dropped on a window: those with the endings that are asked for are taken, every other drop is left alone."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget


class FileDrops(QObject):
    """Watches what is dropped on a window, and calls `take` with the paths of the files that have one of the endings."""

    def __init__(self, window: QWidget, endings: Collection[str], take: Callable[[list[Path]], object]) -> None:
        super().__init__(window)
        self._endings, self._take = endings, take
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragMoveEvent | QDropEvent) and (paths := dropped(event.mimeData(), self._endings)):
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self._take(paths)
            return True
        return False


def dropped(mime: QMimeData, endings: Collection[str]) -> list[Path]:
    """Return the files with one of these endings among those that are dragged."""
    paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() in endings]
