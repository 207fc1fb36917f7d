"""The trace window as a process of its own: asks the program that started it for everything it shows. Started by `nnviz --window`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from itertools import count
from queue import Empty, SimpleQueue

from PySide6.QtCore import QCoreApplication, QObject, Signal

from nnviz.messages import FrameReader, GradientChecked
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import Details, NodeTensors, WhatIf
from nnviz.ui.shell import app
from nnviz.ui.shell.halt_window import tell_halt
from nnviz.ui.shell.trace_window import open_window, run
from nnviz.viewing.window_messages import (
    CheckElement,
    DrawPicture,
    FromWindow,
    GiveUp,
    OpenTrace,
    QuestionFailed,
    ReadNode,
    TakeIteration,
    Told,
    ToWindow,
    WindowClosed,
    packed,
    told,
)

GONE = "The program that opened this window has ended."
_TURN = 0.02
"""Seconds between two looks at whether an answer is still wanted."""


def serve() -> int:
    """Show what stdin says to show, until the window is closed or the program has gone; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is the program's to handle; it closes our stdin
    app.application()
    program = Program(os.dup(0), os.dup(1))
    os.dup2(2, 1)  # what a library prints can damage no frame
    sys.stdout = sys.stderr
    opening = program.heard(0, lambda: None)
    if not isinstance(opening, OpenTrace):
        return 1
    answer, failed = "continue", False
    try:
        window = open_window(ProgramRecording(program, opening.details, opening.obstacle), opening.title, opening.detail)
    except Exception:
        failed = True
    else:
        program.ended.connect(window.close)
        answers = tell_halt(window, opening.halt) if opening.halt else [answer]
        if not program.has_ended:
            window.raise_()
            run(window)
        answer = answers[-1]
    program.say(WindowClosed(0, answer, failed))
    return 0


class Program(QObject):
    """The program that started this process: questions go to it, answers come by their numbers."""

    ended = Signal()

    def __init__(self, source: int, target: int, patience: float = 0.0) -> None:
        """`patience`: seconds in which it has to answer what was given up, else it `is_stuck`; with 0 it never is."""
        super().__init__(QCoreApplication.instance())
        self._source, self._target, self._patience = source, target, patience
        self._numbers = count(1)
        self._answers: dict[int, SimpleQueue[Told]] = {0: SimpleQueue()}
        self._writing = threading.Lock()
        self.has_ended = self.is_stuck = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def say(self, message: FromWindow) -> None:
        """Send a message; a program that has gone does not hear it."""
        with self._writing:
            view = memoryview(packed(message))
            try:
                while view:
                    view = view[os.write(self._target, view) :]
            except OSError:
                pass

    def ask(self, question: Callable[[int], FromWindow], check: Callable[[], object] = lambda: None) -> Told:
        """Return the answer to a question that gets its number; meanwhile `check` is called, and may raise.

        Raises an error of the name the program gave it, where there is no answer.
        """
        number = next(self._numbers)
        self._answers[number] = SimpleQueue()
        self.say(question(number))
        try:
            answer = self.heard(number, check)
        except BaseException:
            self.say(GiveUp(number))
            self.is_stuck = self._patience > 0 and not self._is_answered(number)
            raise
        finally:
            self._answers.pop(number, None)
        if isinstance(answer, QuestionFailed):
            raise failure(answer)
        return answer

    def _is_answered(self, number: int) -> bool:
        try:
            return self._answers[number].get(timeout=self._patience) is not None
        except Empty:
            return False

    def wait_until_gone(self) -> None:
        """Wait until nothing more can come from it."""
        self._reader.join()

    def heard(self, number: int, check: Callable[[], object]) -> Told | None:
        """Wait for the answer of this number and return it; None once the program has gone."""
        while not self.has_ended:
            check()
            try:
                return self._answers[number].get(timeout=_TURN)
            except Empty:
                pass
        return QuestionFailed(number, "ProgramGone", GONE)

    def _read(self) -> None:
        frames = FrameReader()
        try:
            while data := os.read(self._source, 1 << 20):
                for body in frames.feed(data):
                    self._sort_in(told(body))
        except (OSError, ValueError):
            pass  # what is no frame is the end, like a broken pipe
        self.has_ended = True
        self.ended.emit()

    def _sort_in(self, message: ToWindow) -> None:
        waiting = self._answers.get(message.number)
        if waiting is not None:  # else it was given up
            waiting.put(message)


def failure(answer: QuestionFailed) -> RuntimeError:
    """Return the error, of the name the program gave it; its `traceback` is that of the program."""
    return type(answer.kind, (RuntimeError,), {"traceback": answer.traceback})(answer.text)


class ProgramIteration:
    """One iteration at one detail; what did not travel with it is asked for."""

    def __init__(self, program: Program, index: TraceIndex, is_supposed: bool) -> None:
        self.index = index
        self._program, self._is_supposed = program, is_supposed

    def check(self, node: int, element: tuple[int, ...]) -> GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        return self._program.ask(lambda number: CheckElement(number, node, element, self._is_supposed)).check

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node."""
        return self._program.ask(lambda number: ReadNode(number, node, row, self._is_supposed)).tensors

    def picture(self, wish: PictureWish) -> Picture:
        """Return a picture of the weights, or of what a part of the module puts out for a row."""
        return self._program.ask(lambda number: DrawPicture(number, wish, self._is_supposed)).picture


class ProgramRecording:
    """Where the trace comes from."""

    stage = "capturing"

    def __init__(self, program: Program, details: Sequence[str], obstacle: str = "") -> None:
        self.details = details
        self._program, self._obstacle = program, obstacle

    @property
    def obstacle(self) -> str:
        """Why nothing can be supposed of its iterations, as a sentence; empty if something can."""
        return GONE if self._program.has_ended else self._obstacle

    def take(
        self, detail: str, details: Details = (), check: Callable[[], object] = lambda: None, what_ifs: tuple[WhatIf, ...] = ()
    ) -> ProgramIteration:
        """Return the iteration at this detail, or at these inside some groups; in between `check` is called, and may raise."""
        taken = self._program.ask(lambda number: TakeIteration(number, detail, details, what_ifs), check)
        return ProgramIteration(self._program, TraceIndex(taken.trace), bool(what_ifs))
