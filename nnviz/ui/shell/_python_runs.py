"""The windows of Python files that were opened in a document window: each is a process of its own, and ends with that window."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QProcess

from nnviz.records.python_file import PythonFile
from nnviz.session.engine_process import engine_environment

COMMAND = ("-u", "-P", "-m", "nnviz", "--python-window")
_PATIENCE = 4000
"""Milliseconds a window gets to close, with the process of its file."""


class PythonRuns(QObject):
    """Starts them; what they and the files write is given to `write`."""

    def __init__(self, write: Callable[[str], object], parent: QObject) -> None:
        super().__init__(parent)
        self._write = write

    def start(self, file: PythonFile, name: str) -> None:
        """Open a window on the module of a file, which the person has agreed to run."""
        process = QProcess(self)
        process.setProcessEnvironment(engine_environment())
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.setWorkingDirectory(str(file.path.parent))
        process.readyRead.connect(lambda: self._write(process.readAll().data().decode(errors="replace")))
        process.errorOccurred.connect(lambda error: self._write(f"{file.path.name}: {process.errorString()}\n"))
        process.finished.connect(process.deleteLater)
        process.start(sys.executable, [*COMMAND, str(file.path), name, file.digest])

    def stop(self) -> None:
        """Close all of these windows, and wait until they have."""
        running = self.findChildren(QProcess)
        for process in running:
            process.blockSignals(True)
            process.closeWriteChannel()
        for process in running:
            if process.state() != QProcess.ProcessState.NotRunning and not process.waitForFinished(_PATIENCE):
                process.kill()
                process.waitForFinished(_PATIENCE)
            process.deleteLater()
