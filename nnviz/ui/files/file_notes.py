"""What a window has to say about its document's file: changed by others, open elsewhere, not written, trained when it was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow

_FILE, _RUN = "file", "run"
"""Keys of the notes: one about the file, one about the run it was saved with."""


class FileNotes:
    """Posts them in one window; the answers are calls that are given."""

    def __init__(
        self, window: MainWindow, write: Callable[[Path], object], save_as: Callable[[], object], revert: Callable[[], object]
    ) -> None:
        self._window = window
        self._write, self._revert, self._elsewhere = write, revert, ("Save as…", save_as)
        window.session.file_watch.taken_elsewhere.connect(self._warn)
        window.session.kept_run.changed.connect(self._offer_run)

    def drop(self) -> None:
        """What was said of the file is settled."""
        self._window.notes.drop(_FILE)

    def tell_of_changes(self) -> None:
        """Say so if the file has been changed by somebody else since it was read or written here."""
        path = self._window.session.document.path
        if self._window.session.file_watch.is_changed_outside and _FILE not in self._window.notes.notes:
            text = f"{path.name} has been changed on the disk by another program since it was opened here."
            reload = ("Load it (undo brings yours back)", self._revert)
            self._window.notes.post(_FILE, "warning", text, [reload, ("Save mine over it", lambda: self._write(path)), self._elsewhere])

    def saved(self, path: Path) -> None:
        """The document has been written; a plain file has no place for its training, and that is said."""
        self.drop()
        iteration = self._window.session.run.iteration
        if iteration and path.suffix.lower() == ".json":
            text = f"Plain JSON keeps the network without its {iteration:,} iterations; a .nnviz file keeps both."
            self._window.toast.post("info", text)

    def not_saved(self) -> None:
        """It could not be written: the reason stays until another place is chosen."""
        self._window.notes.post(_FILE, "error", self._window.toast.text, [self._elsewhere])
        self._window.toast.hide()

    def _offer_run(self) -> None:
        """A document that was saved after some iterations opens at its start: the way back there is one click."""
        kept_run, notes = self._window.session.kept_run, self._window.notes
        notes.drop(_RUN)
        if kept_run.saved:
            iteration = f"{kept_run.saved.iteration:,}"
            text = f"{self._window.session.document.title} was saved after {iteration} iterations. They can be made again, exactly."
            notes.post(_RUN, "info", text, [(f"Go to iteration {iteration}", kept_run.resume)])

    def _warn(self, process: int) -> None:
        name = self._window.session.document.path.name
        text = f"{name} is open in another window of nnviz too (process {process}). Whoever saves last wins."
        self._window.notes.post(_FILE, "warning", text, [self._elsewhere])
