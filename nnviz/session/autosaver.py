"""Keeps a copy of unsaved work: within a second of a change, never more often. Nothing else here writes a file without being asked."""

from __future__ import annotations

import uuid
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from nnviz.document.store.autosave import discard_autosave, write_autosave
from nnviz.session.document import Document

DELAY = 700
"""Milliseconds between the first change and the copy."""


class Autosaver(QObject):
    """Watches one document. The copy goes when the document is saved, or another one takes its place."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._window = uuid.uuid4().hex
        self._copied: Path | None = document.path
        self._has_copy = False
        self._timer = QTimer(self, singleShot=True, interval=DELAY)
        self._timer.timeout.connect(self.write)
        document.edited.connect(self._wait)
        document.replaced.connect(self._wait)
        document.changed.connect(self._tidy)

    def write(self) -> None:
        """Write the copy now, if there is unsaved work."""
        self._timer.stop()
        if self._document.is_saved:
            return
        try:
            write_autosave(self._document.experiment, self._document.path, self._window, self._document.attachments())
        except OSError as error:
            self._document.message_posted.emit("warning", f"The copy of unsaved work could not be written: {error.strerror or error}.")
        else:
            self._copied, self._has_copy = self._document.path, True

    def _wait(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _tidy(self) -> None:
        """The work is saved, or its file is another one: the copy has done its duty."""
        if self._has_copy and (self._document.is_saved or self._document.path != self._copied):
            discard_autosave(self._copied, self._window)
            self._has_copy = False
