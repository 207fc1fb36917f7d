"""One process that answers one request of a sweep, and ends."""

from __future__ import annotations

import sys

import msgspec
from PySide6.QtCore import QObject, QProcess, Signal

from nnviz import messages
from nnviz.records.sweep_records import SweepEnd, SweepReplies, SweepRequests
from nnviz.session.engine_process import end_process, engine_environment

COMMAND = ("-u", "-P", "-m", "nnviz", "--sweep")
_replies = msgspec.msgpack.Decoder(SweepReplies)


class SweepProcess(QObject):
    """Whatever happens, a `SweepEnd` is the last that is replied, unless it was stopped."""

    replied = Signal(object)

    def __init__(self, request: SweepRequests, parent: QObject) -> None:
        super().__init__(parent)
        self._frames = messages.FrameReader()
        self._is_over = False
        self._process = QProcess(self)
        self._process.setProcessEnvironment(engine_environment())
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.errorOccurred.connect(self._fail)
        self._process.finished.connect(lambda code: self._end(f"The sweep's process ended by itself (exit code {code})."))
        self._process.start(sys.executable, list(COMMAND))
        self._process.write(messages.frame(request))

    def stop(self) -> None:
        """End the process, which takes those that make the runs with it. No signal follows."""
        self._is_over = True
        end_process(self._process)
        self.deleteLater()

    def _read(self) -> None:
        for body in self._frames.feed(self._process.readAllStandardOutput().data()):
            reply = _replies.decode(body)
            if isinstance(reply, SweepEnd):
                self._end(reply.message)
            elif not self._is_over:
                self.replied.emit(reply)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(f"The sweep's process could not be started ({self._process.errorString()}).")

    def _end(self, message: str) -> None:
        if not self._is_over:
            self.stop()
            self.replied.emit(SweepEnd(message))
