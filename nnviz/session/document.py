"""The document that is open: its history, its file, its saved mark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Signal

from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import Report, examine
from nnviz.document.store import files
from nnviz.document.store.data_paths import with_path_beside, with_whole_path
from nnviz.document.store.files import DocumentError
from nnviz.document.undo import UndoHistory


class Edited(NamedTuple):
    """The document before and now, and the report on it: nobody hears of the one without the other."""

    old: Experiment
    new: Experiment
    report: Report


class Document(QObject):
    """One document at a time. Nothing here raises: what cannot be done is posted as a message."""

    edited = Signal(object)
    """Edited: by an edit, an undo or a redo."""
    amended = Signal(object)
    """Edited: it has become what the run says it was; nobody has edited it."""
    replaced = Signal(object)
    """Edited: another document is open."""
    changed = Signal()
    """Title, path, saved mark or history."""
    written = Signal()
    """It has just been saved."""
    file_taken = Signal()
    """The file at `path` has just been read or written: what it holds is known."""
    message_posted = Signal(str, str)

    def __init__(
        self,
        experiment: Experiment,
        path: Path | None = None,
        attachments: Callable[[], dict[str, bytes]] = dict,
        parent: QObject | None = None,
    ) -> None:
        """`attachments` returns what goes into a *.nnviz file beside the document."""
        super().__init__(parent)
        self.history = UndoHistory.start(_opened(experiment, path))
        self.report = examine(experiment)
        """Shapes, parameters and problems of the document as it is now."""
        self.path = path
        self._attachments = attachments

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
            experiment = with_whole_path(function(self.experiment, *args, **settings), Path(self.folder))
        except ValueError as error:
            self.message_posted.emit("warning", str(error))
            return False
        self._go(self.history.push(label, experiment, merge))
        return True

    def amend(self, experiment: Experiment) -> None:
        """Let the document be what it was at another iteration of its run; that can be undone by going on, not by undo."""
        old = self.experiment
        self.history, self.report = self.history.amended(experiment), examine(experiment)
        self.amended.emit(Edited(old, experiment, self.report))
        self.changed.emit()

    def undo(self) -> None:
        """Take back the last change."""
        self._go(self.history.undo())

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self._go(self.history.redo())

    def _go(self, history: UndoHistory) -> None:
        if history is not self.history:
            old, report = self.experiment, self.report if history.experiment is self.experiment else examine(history.experiment)
            self.history, self.report = history, report
            if self.experiment is not old:
                self.edited.emit(Edited(old, self.experiment, report))
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
            experiment = _opened(files.load(self.path), self.path) if self.path else self.history.saved
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
            files.save(
                path, with_path_beside(self.experiment, path.parent), thumbnail if is_zip else None, self._attachments() if is_zip else None
            )
        except DocumentError as error:
            self.message_posted.emit("error", _sentence(error))
            return False
        self.history, self.path = self.history.mark_saved(), path
        self.written.emit()
        self.changed.emit()
        self.file_taken.emit()
        return True

    def _replace(self, experiment: Experiment, path: Path | None, saved: bool) -> None:
        experiment = _opened(experiment, path)
        old, report = self.experiment, examine(experiment)
        self.history, self.report, self.path = UndoHistory.start(experiment, saved), report, path
        self.replaced.emit(Edited(old, experiment, report))
        self.changed.emit()
        self.file_taken.emit()


def _opened(experiment: Experiment, path: Path | None) -> Experiment:
    """The experiment of a document that is open: wherever it is saved, its data stays where it is."""
    return with_whole_path(experiment, path.parent) if path else experiment


def _sentence(error: DocumentError) -> str:
    first, *others = str(error).splitlines()
    return f"{first} And {len(others)} more." if others else first
