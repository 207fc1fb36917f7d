"""The file of the document: a copy of unsaved work beside it, who else has it open, whether somebody has changed it.

Lock files lie in the user's own folder, so that a read-only folder is no obstacle and none is littered.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QLockFile, QObject, QTimer, Signal

from nnviz.document.store.autosave import autosave_folder, discard_autosave, write_autosave
from nnviz.document.store.files import stamp
from nnviz.session.document import Document

DELAY = 700
"""Milliseconds between the first change and the copy."""
_SHARE = 20
"""After a copy that takes long, so many times as long passes until the next."""


class Autosaver(QObject):
    """Keeps a copy of one document's unsaved work. It goes when the document is saved, or another one takes its place.

    `attachments` returns what a file would hold beside the document; `is_kept` whether the file holds that already.
    """

    message_posted = Signal(str, str)

    def __init__(
        self,
        document: Document,
        attachments: Callable[[], dict[str, bytes]],
        is_on: bool = True,
        parent: QObject | None = None,
        is_kept: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(parent)
        self._document, self._attachments, self._is_on, self._is_kept = document, attachments, is_on, is_kept
        self._window = uuid.uuid4().hex
        self._copied: Path | None = document.path
        self._has_copy = False
        self._complaint = ""
        """What was said of the last copy, which could not be written; said once, and not for every edit."""
        self._timer = QTimer(self, singleShot=True, interval=DELAY)
        self._timer.timeout.connect(self.write)

    def write(self) -> None:
        """Write the copy now, if there is unsaved work."""
        self._timer.stop()
        if not self._is_on or self._is_saved:
            return
        clock = QElapsedTimer()
        clock.start()
        try:
            write_autosave(self._document.experiment, self._document.path, self._window, self._attachments())
        except OSError as error:
            self._complain(f"The copy of unsaved work could not be written: {error.strerror or error}.")
        else:
            self._copied, self._has_copy, self._complaint = self._document.path, True, ""
        self._timer.setInterval(max(DELAY, _SHARE * clock.elapsed()))

    @property
    def _is_saved(self) -> bool:
        return self._document.is_saved and self._is_kept()

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            self.message_posted.emit("warning", complaint)

    def wait(self) -> None:
        """Write the copy soon: the document has changed, or its run has gone on."""
        if self._is_on and not self._timer.isActive():
            self._timer.start()

    def tidy(self) -> None:
        """Remove the copy if the work is saved, or its file is another one."""
        if self._has_copy and (self._is_saved or self._document.path != self._copied):
            self.discard()

    def discard(self) -> None:
        """Remove the copy, if there is one: nobody wants what is not saved."""
        self._timer.stop()
        if self._has_copy:
            discard_autosave(self._copied, self._window)
            self._has_copy = False


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
        self.follow()

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

    def follow(self) -> None:
        """The document's file has just been read or written: what it holds is known."""
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
