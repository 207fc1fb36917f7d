"""The document that is open: its history, its file, its saved mark. It knows nothing of runs and engines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from nnviz.document.experiment import Experiment
from nnviz.document.store import files
from nnviz.document.store.files import DocumentError
from nnviz.document.undo import UndoHistory


class Document(QObject):
    """One document at a time. Nothing here raises: what cannot be done is posted as a message."""

    edited = Signal(object, object)
    """The experiment before, and after an edit, an undo or a redo."""
    replaced = Signal(object, object)
    """The experiment before, and that of another document."""
    changed = Signal()
    """Title, path, saved mark or history."""
    written = Signal()
    """It has just been saved."""
    file_taken = Signal()
    """The file at `path` has just been read or written: what it holds is known."""
    message_posted = Signal(str, str)

    def __init__(self, experiment: Experiment, path: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history = UndoHistory.start(experiment)
        self.path = path
        self.attachments: Callable[[], dict[str, bytes]] = dict
        """What goes into a *.nnviz file beside the document; others know what it is."""

    @property
    def experiment(self) -> Experiment:
        """The document as it is now."""
        return self.history.experiment

    @property
    def title(self) -> str:
        """What the window calls it: the name of its file, else its own title."""
        return self.path.name if self.path else self.experiment.title

    @property
    def folder(self) -> str:
        """Where relative paths to data start; empty for a document without a file."""
        return str(self.path.parent) if self.path else ""

    @property
    def is_saved(self) -> bool:
        """Whether no change of the document would be lost."""
        return not self.history.is_changed

    # --- changing ---

    def edit(self, label: str, function: Callable[..., Experiment], *args: Any, merge: str = "", **settings: Any) -> bool:
        """Apply a pure edit; return whether it was possible. Edits in a row with the same `merge` are undone together."""
        try:
            experiment = function(self.experiment, *args, **settings)
        except ValueError as error:
            self.message_posted.emit("warning", str(error))
            return False
        self._go(self.history.push(label, experiment, merge))
        return True

    def undo(self) -> None:
        """Take back the last change."""
        self._go(self.history.undo())

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self._go(self.history.redo())

    def _go(self, history: UndoHistory) -> None:
        if history is not self.history:
            old, self.history = self.experiment, history
            if self.experiment is not old:
                self.edited.emit(old, self.experiment)
            self.changed.emit()

    # --- files ---

    def new(self, experiment: Experiment, saved: bool = True, path: Path | None = None) -> None:
        """Put this document in the place of the present one; with a `path` if it is unsaved work of that file."""
        self._replace(experiment, path, saved)

    def open(self, path: str | Path) -> bool:
        """Open another document; return whether that was possible."""
        try:
            experiment = files.load(path)
        except DocumentError as error:
            self.message_posted.emit("error", _sentence(error))
            return False
        self._replace(experiment, Path(path).absolute(), True)
        return True

    def revert(self) -> bool:
        """Go back to what the file holds, or without one to how it began; an undo takes that back. Return whether it was possible."""
        try:
            experiment = files.load(self.path) if self.path else self.history.saved
        except DocumentError as error:
            self.message_posted.emit("error", _sentence(error))
            return False
        if experiment is not None:
            self._go(self.history.push("Revert", experiment))
            self.history = self.history.mark_saved()
            self.changed.emit()
            self.file_taken.emit()
        return experiment is not None

    def save(self, thumbnail: bytes | None = None) -> bool:
        """Write the document to its file; return False if it has none yet, or if that failed."""
        return self.save_as(self.path, thumbnail) if self.path else False

    def save_as(self, path: str | Path, thumbnail: bytes | None = None) -> bool:
        """Write the document to this file, which is its own from now on; return whether that worked."""
        path = Path(path).absolute()
        try:
            is_zip = path.suffix.lower() == ".nnviz"
            files.save(path, self.experiment, thumbnail if is_zip else None, self.attachments() if is_zip else None)
        except DocumentError as error:
            self.message_posted.emit("error", _sentence(error))
            return False
        self.history, self.path = self.history.mark_saved(), path
        self.written.emit()
        self.changed.emit()
        self.file_taken.emit()
        return True

    def _replace(self, experiment: Experiment, path: Path | None, saved: bool) -> None:
        old, self.history, self.path = self.experiment, UndoHistory.start(experiment, saved), path
        self.replaced.emit(old, experiment)
        self.changed.emit()
        self.file_taken.emit()


def _sentence(error: DocumentError) -> str:
    first, *others = str(error).splitlines()
    return f"{first} And {len(others)} more." if others else first
