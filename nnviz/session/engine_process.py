"""The engine process: starts it, carries frames to and from it, notices when it dies, starts it again later and later, gives up.

The messages are imported where they are used: while the first engine loads its libraries, the window loads its own.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QElapsedTimer, QObject, QProcess, QProcessEnvironment, QTimer, Signal

if TYPE_CHECKING:
    from nnviz.messages import FrameReader, Reply, Request

COMMAND = ("-u", "-P", "-m", "nnviz", "--engine")
"""-P: a file in the present folder that is called like a library does not take its place."""
DELAYS = (0, 200, 1000)
"""Milliseconds before a new start after so many early deaths; after as many as there are here, it gives up."""
SETTLED = 10_000
"""Milliseconds an engine must live for its death not to count as early."""
PATIENCE = 1500
"""Milliseconds a closing engine gets before it is killed."""


class EngineProcess(QObject):
    """One engine process at a time. After its death `start` brings up a new one; it waits longer each time the engine dies early."""

    replied = Signal(object)
    started = Signal()
    stopped = Signal(str)
    """The engine died and was not asked to; the sentence says how. `start` may be called."""
    failed = Signal(str)
    """The engine died early several times in a row; the sentence holds what it wrote last. `start` tries again from the beginning."""
    logged = Signal(str)
    """What the engine wrote to stderr."""

    def __init__(self, parent: QObject | None = None, command: tuple[str, ...] | None = None) -> None:
        super().__init__(parent)
        self._command = command or COMMAND
        self._process: QProcess | None = None
        self._frames: FrameReader | None = None
        self._early_deaths = 0
        self._has_worked = self._has_spoken = False
        self._lifetime = QElapsedTimer()
        self._last_words: deque[str] = deque(maxlen=20)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.timeout.connect(self._launch)
        QCoreApplication.instance().aboutToQuit.connect(self.stop)

    @property
    def process_id(self) -> int:
        """The engine's process id; 0 while none runs."""
        return self._process.processId() if self._process else 0

    def start(self) -> None:
        """Start an engine if none runs; after early deaths a moment later."""
        if self._process is None and not self._delay.isActive():
            if delay := DELAYS[self._early_deaths]:
                self._delay.start(delay)
            else:
                self._launch()

    def send(self, request: Request) -> None:
        """Send a request; without a running engine it is lost."""
        from nnviz import messages

        if self._process is not None:
            self._process.write(messages.frame(request))

    def stop(self) -> None:
        """End the engine: close its stdin, and kill it if it has not left after 1.5 s. No signal follows."""
        self._delay.stop()
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            if self._has_spoken:  # one that still loads its libraries has nothing to leave in order
                process.closeWriteChannel()
                process.waitForFinished(PATIENCE)
            end_process(process)

    def kill(self) -> None:
        """End the engine at once, whatever it computes. No signal follows."""
        self._delay.stop()
        process, self._process = self._process, None
        if process is not None:
            end_process(process)

    def _launch(self) -> None:
        process = QProcess(self)
        process.setProcessEnvironment(engine_environment())
        process.started.connect(self.started)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_log)
        process.errorOccurred.connect(self._fail)
        process.finished.connect(self._finish)
        self._process, self._frames = process, None
        self._has_worked = self._has_spoken = False
        self._last_words.clear()
        self._lifetime.start()
        process.start(sys.executable, list(self._command))

    def _read(self) -> None:
        from msgspec import MsgspecError

        from nnviz import messages

        process, self._frames = self._process, self._frames or messages.FrameReader()
        try:
            for body in self._frames.feed(process.readAllStandardOutput().data()):
                self._deliver(messages.decode_reply(body))
                if self._process is not process:  # a receiver of the reply stopped the engine
                    return
        except (ValueError, MsgspecError) as error:
            self._report_end(f"The engine sent something that is no reply ({error}).")

    def _deliver(self, reply: Reply) -> None:
        from nnviz import messages

        self._has_spoken = True
        if isinstance(reply, messages.Frame | messages.Trained | messages.Moved | messages.Traced):  # it works: its death is no early one
            self._early_deaths, self._has_worked = 0, True
        self.replied.emit(reply)

    def _read_log(self) -> None:
        text = self._process.readAllStandardError().data().decode(errors="replace")
        self._last_words.extend(line for line in text.splitlines() if line.strip())
        if text:
            self.logged.emit(text)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._report_end(f"The engine could not be started ({self._process.errorString()}).")
        elif error == QProcess.ProcessError.WriteError:
            self._process.kill()  # it no longer listens; `finished` follows

    def _finish(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read_log()
        crashed = status == QProcess.ExitStatus.CrashExit
        self._report_end(f"The engine was ended by signal {code}." if crashed else f"The engine ended by itself with exit code {code}.")

    def _report_end(self, sentence: str) -> None:
        process, self._process = self._process, None
        end_process(process)
        is_early = not self._has_worked and self._lifetime.elapsed() < SETTLED
        self._early_deaths = self._early_deaths + 1 if is_early else 0
        if self._early_deaths < len(DELAYS):
            self.stopped.emit(sentence)
        else:
            self._early_deaths = 0
            self.failed.emit(f"{sentence} It wrote last:\n" + "\n".join(self._last_words) if self._last_words else sentence)


def end_process(process: QProcess) -> None:
    """End a process at once, if it runs; no signal follows."""
    process.blockSignals(True)
    if process.state() != QProcess.ProcessState.NotRunning:
        process.kill()
        process.waitForFinished(PATIENCE)
    process.deleteLater()


def engine_environment() -> QProcessEnvironment:
    """Return that of this process, in which Python finds this very nnviz."""
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("PYTHONUNBUFFERED", "1")
    folder = Path(__file__).resolve().parents[2]
    if folder.name not in ("site-packages", "dist-packages"):  # there the engine's Python finds it by itself, and behind its own library
        paths = [str(folder), *filter(None, environment.value("PYTHONPATH", "").split(os.pathsep))]
        environment.insert("PYTHONPATH", os.pathsep.join(paths))
    return environment
