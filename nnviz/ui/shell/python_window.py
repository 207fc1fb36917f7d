"""A trace window on the module of a Python file, which runs in a process of its own; started by `nnviz FILE.py` and `--python-window`."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox

from nnviz.records.python_file import PythonFile, PythonFileError, read_python_file
from nnviz.session.recorded_trace import RecordedTrace
from nnviz.ui.files.python_sheet import PythonSheet, agree, is_agreed
from nnviz.ui.shell import app
from nnviz.ui.shell._file_program import FileProgram
from nnviz.ui.shell.trace_window import TraceWindow, run

_NOTE, _CHANGED, _NOTHING = "file", "file changed", "nothing"
"""Keys of notes; the last is the window's own, about a capture that came to nothing."""
_AGAIN = "Run it again"


def serve(path: str, name: str, digest: str) -> int:
    """Show the module of a file for the window that started this process and whose person agreed; end when stdin does."""
    try:
        file = read_python_file(Path(path))
    except PythonFileError as error:
        print(error, file=sys.stderr)
        return 1
    if file.digest != digest:
        changed = f"{file.path.name}, or what it imports from its folder, has changed since you agreed to run it"
        print(f"{changed}: open it again.", file=sys.stderr)
        return 1
    return show_file(file, name, ends_with_stdin=True)


def show_file(file: PythonFile, name: str, ends_with_stdin: bool = False) -> int:
    """Show the module that a file makes until its window is closed, which the person has agreed to run; return the exit code."""
    app.application()
    agree(file)
    program = _StdinEnd() if ends_with_stdin else None
    while True:
        shown = FileWindow(file, name)
        if program is not None:
            program.ended.connect(shown.window.close)
            if program.has_ended:
                shown.window.close()
        signals = app.TerminationSignals(shown.window.close)
        run(shown.window)
        signals.close()
        shown.end()
        if shown.again is None:
            return 1 if shown.has_failed else 0
        file = shown.again


class _StdinEnd(QObject):
    """Tells when the process that started this one has gone."""

    ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.has_ended = False
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        while os.read(0, 1024):
            pass
        self.has_ended = True
        self.ended.emit()


class FileWindow(QObject):
    """One run of a file, in a window that opens at once and fills in; what fails is said there."""

    def __init__(self, file: PythonFile, name: str) -> None:
        super().__init__()
        self._file, self._name = file, name
        self.again: PythonFile | None = None
        """What is to be run once this window has closed."""
        self.has_failed = False
        self.program = FileProgram(file, name)
        self.window = TraceWindow(RecordedTrace(self.program, "textbook"), f"{file.path.name}:{name}")
        self._watcher = QFileSystemWatcher(self._watched, self.window)
        self._watcher.fileChanged.connect(self._offer_changed)
        self.window.trace.taken.connect(self._show_outcome)
        self.window.resize(self.window.size().boundedTo(self.window.screen().availableGeometry().size()))
        self.window.show()
        self.window.graph.view.setFocus()
        self.window.trace.read()

    def end(self) -> None:
        """End the process of the file."""
        self.program.close()
        self.deleteLater()

    def run_again(self) -> None:
        """Run the file as it is now, in a new window in the place of this one; a file that has changed is asked for first."""
        try:
            file = read_python_file(self._file.path)
            file.maker(self._name)
        except PythonFileError as error:
            self.window.notes.post(_NOTE, "error", str(error), [(_AGAIN, self.run_again)])
            return
        if is_agreed(file):
            self._leave_for(file)
            return
        sheet = PythonSheet(file, [self._name], self.window)
        sheet.chosen.connect(self._leave_for)
        sheet.rejected.connect(self._offer_changed)
        sheet.open()

    def _leave_for(self, file: PythonFile) -> None:
        self.again = file
        self.window.close()

    def _show_outcome(self) -> None:
        """The detail the file has asked for is the present one; what has failed can be run again."""
        trace = self.window.trace
        index, error = trace.stepping.index, trace.error
        if index is not None:
            trace.stepping.set_details(index.trace.detail, index.trace.details)
        self.has_failed = error is not None and not trace.was_cancelled
        if self.has_failed:
            print(f"{getattr(error, 'traceback', '')}{error}", file=sys.stderr, flush=True)
        if error is not None:
            self._tell(error)
        elif self.program.has_ended:
            self._offer_again()

    def _tell(self, error: BaseException) -> None:
        """Why there is nothing to step through."""
        notes, calls = self.window.notes, getattr(error, "traceback", "")
        text = str(error) if self.has_failed else f"{self._file.path.name} was cancelled, so there is nothing to step through."
        shown = [("Traceback…", lambda: self._show_calls(error))] if calls else []
        notes.drop(_NOTHING)
        notes.post(_NOTE, "error" if self.has_failed else "info", text, [*shown, (_AGAIN, self.run_again)])
        self.window.graph.view.notice.setText("There is nothing to step through.")

    def _offer_again(self) -> None:
        text = f"The process of {self._file.path.name} has ended: what is shown stays, and no other detail can be taken."
        self.window.notes.post(_NOTE, "warning", text, [(_AGAIN, self.run_again)])

    def _show_calls(self, error: BaseException) -> None:
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Traceback", error.traceback, QMessageBox.StandardButton.Close, self.window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.open()
        self._tell(error)  # the note has gone with the click

    @property
    def _watched(self) -> list[str]:
        return [str(path) for path in (self._file.path, *self._file.imported)]

    def _offer_changed(self, path: str = "") -> None:
        """Editors write a file, or put another in its place, which is not watched yet."""
        self._watcher.addPaths(self._watched)
        text = f"{Path(path).name or self._file.path.name} has changed on the disk since it was run."
        self.window.notes.post(_CHANGED, "info", text, [(_AGAIN, self.run_again)])
