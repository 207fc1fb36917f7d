"""The file of a document as this program last read or wrote it: who else has it open, and whether somebody has changed it since.

It only looks. Lock files lie in the user's own folder, so that a read-only folder is no obstacle and none is littered.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal

from nnviz.document.store.autosave import autosave_folder
from nnviz.document.store.files import stamp
from nnviz.session.document import Document


class FileWatch(QObject):
    """Follows one document from file to file, and has the present one locked for as long as it is open."""

    taken_elsewhere = Signal(int)
    """The document just opened is open in another window already; the id of that window's process."""

    def __init__(self, document: Document, claims: bool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._claims = document, claims
        self._path: Path | None = None
        self._stamp: tuple[int, ...] | None = None
        self._lock: QLockFile | None = None
        document.file_taken.connect(self._follow)
        self._follow()

    @property
    def is_changed_outside(self) -> bool:
        """Whether the file is there, and is not what this program last read or wrote."""
        present = stamp(self._path) if self._path else None
        return present is not None and present != self._stamp

    def accept(self) -> None:
        """Take the file as it is now for the known one."""
        self._stamp = stamp(self._path) if self._path else None

    def release(self) -> None:
        """Let others have the file."""
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    def _follow(self) -> None:
        path, self._path = self._path, self._document.path
        self.accept()
        if self._path != path and self._claims:
            self.release()
            if self._path:
                self._claim(self._path)

    def _claim(self, path: Path) -> None:
        lock = QLockFile(str(lock_path(path)))
        lock.setStaleLockTime(0)  # stale only when its process is dead: Qt asks for the process by id and name
        if lock.tryLock(0):
            self._lock = lock
        elif lock.error() == QLockFile.LockError.LockFailedError:
            self.taken_elsewhere.emit(int(lock.getLockInfo()[0]))


def lock_path(document: Path) -> Path:
    """Return the lock file of a document; its folder is made, where that is possible."""
    folder = autosave_folder().parent / "locks"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(str(document.resolve()).encode(errors="surrogateescape")).hexdigest()[:24]
    return folder / f"{digest}.lock"
