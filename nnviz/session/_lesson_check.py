"""The check of a lesson in a process of its own: it plays the lesson through with torch, which the window never loads."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, QProcess, Signal

from nnviz.lessons.lesson import SUFFIX, Lesson, encode

COMMAND = ("-P", "-m", "nnviz", "lessons")


class LessonFault(NamedTuple):
    """What of a lesson does not hold."""

    step: int
    """Its number, from 1; 0 for the lesson as a whole."""
    sentence: str


class LessonCheck(QObject):
    """`found` is None before any check; an empty tuple says that all holds. `checked` is the lesson that was asked about."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.found: tuple[LessonFault, ...] | None = None
        self.checked: Lesson | None = None
        self._process: QProcess | None = None
        self._file: Path | None = None

    @property
    def is_running(self) -> bool:
        """Whether a lesson is being played."""
        return self._process is not None

    def start(self, lesson: Lesson) -> None:
        """Play a lesson through; what was being played is given up."""
        self._end()
        self.found, self.checked = None, lesson
        with tempfile.NamedTemporaryFile(prefix="nnviz-", suffix=SUFFIX, delete=False) as file:
            file.write(encode(lesson))
        self._file = Path(file.name)
        self._process = QProcess(self)
        self._process.finished.connect(self._take)
        self._process.errorOccurred.connect(self._fail)
        self._process.start(sys.executable, [*COMMAND, file.name, "--check", "--json"])
        self.changed.emit()

    def forget(self) -> None:
        """End a check, and forget what was found."""
        self._end()
        self.found = self.checked = None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(3000)
            process.deleteLater()
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink()
            self._file = None

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._tell((LessonFault(0, f"The check could not be started: {self._process.errorString()}"),))

    def _take(self) -> None:
        process = self._process
        said, complaint = (
            bytes(part.data()).decode(errors="replace") for part in (process.readAllStandardOutput(), process.readAllStandardError())
        )
        try:
            (faults,) = json.loads(said).values()
            found = tuple(LessonFault(one["step"], one["sentence"]) for one in faults)
        except (ValueError, KeyError, TypeError, AttributeError):
            lines = complaint.strip().splitlines() or ["The check has ended without an answer."]
            found = (LessonFault(0, lines[-1]),)
        self._tell(found)

    def _tell(self, found: tuple[LessonFault, ...]) -> None:
        self._end()
        self.found = found
        self.changed.emit()
