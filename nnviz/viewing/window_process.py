"""Shows a trace in a window that is a process of its own: in a notebook, whose kernel runs no loop of Qt, or beside a thread.

The process knows no torch. This one answers its questions until it is closed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO

from nnviz.messages import FrameReader
from nnviz.records.halt_record import HaltRecord
from nnviz.viewing.window_messages import (
    Asked,
    CheckElement,
    DrawPicture,
    ElementChecked,
    GiveUp,
    IterationTaken,
    NodeRead,
    OpenTrace,
    PictureDrawn,
    QuestionFailed,
    ReadNode,
    TakeIteration,
    ToWindow,
    WindowClosed,
    asked_for,
    packed,
)

if TYPE_CHECKING:
    from nnviz.session.recorded_trace import RecordedIteration, Recording

COMMAND = ("-P", "-m", "nnviz", "--window")
"""-P: a file in the present folder that is called like a library does not take its place."""
_PATIENCE = 3.0
"""Seconds that the process gets to end by itself."""


class _GivenUp(BaseException):
    """The window no longer wants what is being taken; no `Exception`, so that no module takes it for an error of its own."""


def show_apart(recording: Recording, title: str, detail: str, halt: HaltRecord | None = None) -> str:
    """Show an iteration in a process of its own until that is closed; return the answer to a halt: continue · stop · ignore.

    Raises what the first `recording.take` raises. A process that ends by itself, or finds no display, has answered continue.
    """
    program = [sys.executable, *COMMAND]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment())
    window = AnsweredWindow(process.stdout.fileno(), process.stdin, recording)
    try:
        window.say(OpenTrace(0, title, detail, tuple(recording.details), halt, recording.obstacle))
        return window.serve()
    finally:
        _close(process)
        window.wait_until_gone(_PATIENCE)
        process.stdout.close()


def _close(process: subprocess.Popen) -> None:
    """Let the process end, and see that it does."""
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """The process finds the package where this one found it."""
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH", ""))))}


class AnsweredWindow:
    """The process of a window, as the one that has the module sees it."""

    def __init__(self, source: int, target: BinaryIO, recording: Recording) -> None:
        """`source`: the descriptor from which its questions are read; `target`: where the answers go."""
        self._source, self._target, self._recording = source, target, recording
        self._iterations: dict[bool, RecordedIteration] = {}
        """The last one, and the last of which something was supposed."""
        self._error: Exception | None = None
        self._asked: SimpleQueue[Asked] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="nnviz window", daemon=True)
        self._reader.start()

    def say(self, message: ToWindow) -> None:
        """Send a message; a window that has gone does not hear it."""
        with suppress(OSError):
            self._target.write(packed(message))
            self._target.flush()

    def serve(self) -> str:
        """Answer questions until the window is closed; return its answer. Raises what kept it from having anything to show."""
        while True:
            question = self._asked.get()
            if isinstance(question, WindowClosed):
                if question.failed and self._error is not None:
                    raise self._error
                return question.answer
            if isinstance(question, TakeIteration):
                self._take(question)
            else:
                self._answer(question)

    def wait_until_gone(self, seconds: float | None = None) -> None:
        """Wait until nothing more can come from it."""
        self._reader.join(seconds)

    def _take(self, question: TakeIteration) -> None:
        try:
            iteration = self._recording.take(question.detail, question.details, self._look(question.number), question.what_ifs)
            self._iterations[bool(question.what_ifs)] = iteration
            self.say(IterationTaken(question.number, iteration.index.trace))
        except _GivenUp:
            self.say(QuestionFailed(question.number, "Cancelled", ""))
        except Exception as error:
            self._error = error
            self.say(QuestionFailed(question.number, type(error).__name__, str(error), told_calls(error)))

    def _look(self, number: int) -> Callable[[], None]:
        """What is called while an iteration is taken: other questions are answered meanwhile."""

        def look() -> None:
            while not self._asked.empty():
                question = self._asked.get()
                if isinstance(question, WindowClosed):
                    self._asked.put(question)
                if isinstance(question, (WindowClosed, GiveUp)):
                    raise _GivenUp
                self._answer(question)

        return look

    def _answer(self, question: Asked) -> None:
        try:
            if isinstance(question, ReadNode):
                self.say(NodeRead(question.number, self._iterations[question.is_supposed].numbers(question.node, question.row)))
            elif isinstance(question, DrawPicture):
                self.say(PictureDrawn(question.number, self._iterations[question.is_supposed].picture(question.wish)))
            elif isinstance(question, CheckElement):
                self.say(ElementChecked(question.number, self._iterations[question.is_supposed].check(question.node, question.element)))
        except Exception as error:
            self.say(QuestionFailed(question.number, type(error).__name__, str(error)))

    def _read(self) -> None:
        frames = FrameReader()
        try:
            while data := os.read(self._source, 1 << 16):
                for body in frames.feed(data):
                    self._asked.put(asked_for(body))
        except (OSError, ValueError):
            pass  # what is no frame is the end, like a broken pipe
        self._asked.put(WindowClosed(0))


def told_calls(error: BaseException) -> str:
    """Return the calls that led to an error, as Python prints them."""
    return "".join(traceback.format_exception(error))
