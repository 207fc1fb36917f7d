"""What a window has to say about its document's file: changed by others, open elsewhere, not written, trained when it was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings

from nnviz.session.session import Session
from nnviz.ui.shell_api import Shell

_FILE, _RUN, _SETTINGS = "file", "run", "settings file"
"""Keys of the notes: one about the file, one about the run it was saved with, one about the settings of the program."""


class FileNotes:
    """Posts them in one window; the answers are calls that are given."""

    def __init__(
        self,
        session: Session,
        shell: Shell,
        write: Callable[[Path], object],
        save_as: Callable[[], object],
        revert: Callable[[], object],
    ) -> None:
        self._session, self._notes, self._toast = session, shell.notes, shell.toast
        self._write, self._revert, self._elsewhere = write, revert, ("Save as…", save_as)
        session.file_watch.taken_elsewhere.connect(self._warn)
        session.kept_run.changed.connect(self._offer_run)

    def drop(self) -> None:
        """What was said of the file is settled."""
        self._notes.drop(_FILE)

    def warn_if_changed_outside(self) -> None:
        """Say so if the file has been changed by somebody else since it was read or written here."""
        path = self._session.document.path
        if self._session.file_watch.is_changed_outside and _FILE not in self._notes.notes:
            text = f"{path.name} has been changed on the disk by another program since it was opened here."
            reload = ("Load it (undo brings yours back)", self._revert)
            self._notes.post(_FILE, "warning", text, [reload, ("Save mine over it", lambda: self._write(path)), self._elsewhere])

    def saved(self, path: Path) -> None:
        """The document has been written; a plain file has no place for its training, and that is said."""
        self.drop()
        iteration, swept = self._session.run.iteration, len(self._session.sweep.rows)
        parts = [f"its {iteration:,} iterations"] * bool(iteration) + [f"the {swept:,} runs of its sweep"] * bool(swept)
        if parts and path.suffix.lower() == ".json":
            self._toast.post("info", f"Plain JSON keeps the network without {' and '.join(parts)}; a .nnviz file keeps all.")

    def not_saved(self) -> None:
        """It could not be written: the reason stays until another place is chosen."""
        self._notes.post(_FILE, "error", self._toast.text, [self._elsewhere])
        self._toast.hide()

    def not_kept(self) -> None:
        """The settings file cannot be written: what it would hold is forgotten when the window closes."""
        text = f"The settings cannot be written to {QSettings().fileName()}: recent documents and panels will be forgotten."
        self._notes.post(_SETTINGS, "warning", text)

    def _offer_run(self) -> None:
        """A document that was saved after some iterations opens at its start: the way back there is one click."""
        kept_run, notes = self._session.kept_run, self._notes
        notes.drop(_RUN)
        if kept_run.saved:
            iteration = f"{kept_run.saved.iteration:,}"
            text = f"{self._session.document.title} was saved after {iteration} iterations. They can be made again, exactly."
            notes.post(_RUN, "info", text, [(f"Go to iteration {iteration}", kept_run.resume)])

    def _warn(self, process: int) -> None:
        name = self._session.document.path.name
        text = f"{name} is open in another window of nnviz too (process {process}). Whoever saves last wins."
        self._notes.post(_FILE, "warning", text, [self._elsewhere])
