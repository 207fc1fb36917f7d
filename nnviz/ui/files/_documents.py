"""What the File menu does: which document, which file, what becomes of unsaved changes. The session carries out what is decided here."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from nnviz.document.experiment import Experiment
from nnviz.document.store.examples import FIRST_EXAMPLE, PREFIX, open_document
from nnviz.document.store.files import stamp, sweep
from nnviz.lessons.lesson import SUFFIX
from nnviz.lessons.store import is_lesson_file
from nnviz.session.session import Session
from nnviz.ui.files import recent
from nnviz.ui.files._file_notes import FileNotes
from nnviz.ui.files._python_files import ENDING, PythonFiles
from nnviz.ui.shell_api import Shell
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.widgets.waiting import waiting

DOCUMENTS = f"Documents, lessons and Python files (*.nnviz *.json *.py);;Lessons (*{SUFFIX});;All files (*)"


class Documents:
    """New, open and save for one window."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self._session, self._document, self._shell = session, session.document, shell
        self.notes = FileNotes(session, shell, self._write, self.save_as, self.revert)
        self._python_files = PythonFiles(shell)
        self._has_complained = False
        """Whether it has been said that the settings cannot be kept."""
        self._play: Callable[[Path], object] = lambda path: None

    def play_lessons(self, play: Callable[[Path], object]) -> None:
        """Have `play` called with the file of a lesson that is to be opened."""
        self._play = play

    # --- another document ---

    def new(self) -> None:
        """Start from the two-moons experiment, once unsaved changes are settled."""
        self.take(open_document(FIRST_EXAMPLE))

    def take(self, experiment: Experiment, run: bytes | None = None) -> None:
        """Open an example or a template, once unsaved changes are settled; with a `run`, as a file keeps it, that is made again."""
        if self.confirm_leaving():
            self.notes.drop()
            self._document.new(experiment)
            if run:
                self._session.kept_run.offer(run)
                self._session.kept_run.resume()

    def open_example(self, name: str) -> None:
        """Open one of the examples that come with the program."""
        self.take(open_document(f"{PREFIX}{name}"))

    def open(self, path: str | Path = "") -> None:
        """Open a document; without a path the person chooses one. One that is open in another window of this program is shown there.

        A Python file may be run, in a window of its own.
        """
        path = path or QFileDialog.getOpenFileName(self._shell.window(), "Open", self._folder(), DOCUMENTS)[0]
        if path and is_lesson_file(Path(path)):
            self._play(Path(path).absolute())
        elif path and Path(path).suffix.lower() == ENDING:
            self._python_files.open(Path(path).absolute())
        elif path and not self._shell.bring_up(Path(path).absolute()) and self.confirm_leaving():
            self.read(Path(path).absolute())

    def read(self, path: Path) -> None:
        """Put the document at this path in the place of the present one; play it, where it is a lesson."""
        if is_lesson_file(path):
            self._play(path)
            return
        self.notes.drop()
        with waiting():
            is_open = self._document.open(path)
        if is_open:
            sweep(path.parent)
            self._remember(path)
        elif stamp(path) is None:
            recent.forget(path)

    def open_all(self, paths: list[Path]) -> None:
        """Open the first document here, the others and Python files in windows of their own."""
        documents = [path for path in paths if path.suffix.lower() != ENDING]
        for path in documents[1:]:
            self._shell.open_window(lambda files, path=path: files.documents.read(path))
        for path in (*documents[:1], *(path for path in paths if path not in documents)):
            self.open(path)

    def revert(self) -> None:
        """Go back to what the file holds; Ctrl+Z brings the changes back."""
        self.notes.drop()
        if not self._document.revert():
            self._shell.toast.post("info", "This document has never been saved: there is nothing to go back to.")

    # --- the file of this one ---

    def save(self) -> bool:
        """Write the document to its file, or ask for one. Returns whether it is saved now."""
        if self._document.path is None:
            return self.save_as()
        if self._session.file_watch.is_changed_outside:
            self.notes.warn_if_changed_outside()
            return False
        return self._write(self._document.path)

    def save_as(self) -> bool:
        """Ask for a file and write the document there. Returns whether it is saved now."""
        path = self.ask_file("Save as", f"{Path(self._document.title).stem}.nnviz", "nnviz document (*.nnviz);;Plain JSON (*.json)")
        return bool(path) and self._write(Path(path).with_suffix(Path(path).suffix or ".nnviz").absolute())

    def _write(self, path: Path) -> bool:
        with waiting():
            saved = self._document.save_as(path, self._picture())
        if saved:
            self._remember(path)
            self.notes.saved(path)
        else:
            self.notes.not_saved()
        return saved

    def _remember(self, path: Path) -> None:
        if not recent.remember(path) and not self._has_complained:
            self._has_complained = True
            self.notes.not_kept()

    # --- asking ---

    def confirm_leaving(self) -> bool:
        """Ask what becomes of unsaved changes, if there are any. Returns False if the person would rather stay."""
        if self._session.is_saved:
            return True
        buttons = QMessageBox.StandardButton
        sweep = self._session.sweep
        swept = "" if sweep.is_kept else f"has {len(sweep.rows):,} runs of a sweep that are not saved"
        trained = "has been trained on since it was saved" if self._document.is_saved else "has changes that are not saved"
        answer = QMessageBox.question(
            self._shell.window(),
            "Unsaved changes",
            f"“{self._document.title}” {swept or trained}.",
            buttons.Save | buttons.Discard | buttons.Cancel,
        )
        if answer != buttons.Save:
            return answer == buttons.Discard
        has_room = self._document.path is None or self._document.path.suffix.lower() == ".nnviz"
        return self.save() if sweep.is_kept or has_room else self.save_as()

    def ask_file(self, title: str, name: str, filters: str) -> str:
        """Ask where to write something called `name`, beside the document; empty if the person would rather not.

        A name without an ending gets that of the chosen filter.
        """
        path, chosen = QFileDialog.getSaveFileName(self._shell.window(), title, str(Path(self._folder()) / name), filters)
        ending = re.search(r"\*(\.\w+)", chosen)
        if not path or not ending or re.fullmatch(r"\.[A-Za-z]+", Path(path).suffix):
            return path
        path += ending[1]
        return path if not Path(path).exists() or _may_replace(self._shell.window(), path) else ""

    def _picture(self) -> bytes:
        """The small picture of the network that a *.nnviz file holds, as PNG."""
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self._shell.thumbnail(self._document.experiment, LIGHT).save(buffer, "PNG")
        return data.data()

    def _folder(self) -> str:
        return self._document.folder or str(Path.home())


def _may_replace(window: QWidget, path: str) -> bool:
    """The dialog has asked about the name as it was typed only."""
    buttons = QMessageBox.StandardButton
    text = f"{Path(path).name} exists already. Replace it?"
    return QMessageBox.question(window, "Replace file", text, buttons.Yes | buttons.No) == buttons.Yes
