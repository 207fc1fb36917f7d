"""A lesson written as PDF by another process, which plays it in a window nobody sees: the document and the run that are open stay alone."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from nnviz.lessons.lesson import Lesson, encode

_PATIENCE_MS = 2000


class SheetExport(QObject):
    """One at a time. The other process is that of the command `nnviz lessons NAME --to OUT`."""

    progressed = Signal(str)
    """How far it is, as words."""
    ended = Signal(str, str)
    """The file, and why it could not be written; an empty reason where it was. Nothing is told where it was cancelled."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        self._out, self._words = "", ""

    @property
    def is_going(self) -> bool:
        """Whether one is being written."""
        return self._process is not None

    def start(self, lesson: Lesson, out: str, has_answers: bool) -> None:
        """Have the lesson written there, with the answers on pages of their own or without."""
        self.cancel()
        self._folder, self._out, self._words = tempfile.TemporaryDirectory(prefix="nnviz-"), out, ""
        copy = Path(self._folder.name) / "lesson.json"
        copy.write_bytes(encode(lesson))
        process = self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("QT_QPA_PLATFORM", "offscreen")
        process.setProcessEnvironment(environment)
        process.readyReadStandardError.connect(self._read)
        process.finished.connect(self._end)
        process.errorOccurred.connect(self._fail)
        options = [] if has_answers else ["--no-answers"]
        process.start(sys.executable, ["-u", "-P", "-m", "nnviz", "lessons", str(copy), "--to", out, *options])

    def cancel(self) -> None:
        """End it, without a file; nothing if none is being written."""
        process = self._process
        self._forget()
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(_PATIENCE_MS)
            process.deleteLater()

    def _read(self) -> None:
        self._words += self._process.readAllStandardError().data().decode(errors="replace")
        last = self._words.strip().rpartition("\n")[2]
        if last.startswith("step "):
            self.progressed.emit(last)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(1)

    def _end(self, code: int) -> None:
        self._read()
        out, process, reason = self._out, self._process, self._words.strip().rpartition("\n")[2] if code else ""
        self._forget()
        process.deleteLater()
        self.ended.emit(out, reason or ("it ended without saying why" if code else ""))

    def _forget(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
        self._process = self._folder = None
