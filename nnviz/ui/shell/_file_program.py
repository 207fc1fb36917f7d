"""The process that runs a person's Python file, as its window sees it: it is asked for iterations, and killed if it does not end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from nnviz.messages import GradientChecked
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.python_file import PythonFile
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import Details, NodeTensors, WhatIf
from nnviz.session.engine_process import engine_environment
from nnviz.ui.shell.window_of_program import Program, ProgramIteration, failure
from nnviz.viewing.window_messages import OpenTrace, QuestionFailed, TakeIteration

COMMAND = ("-u", "-P", "-m", "nnviz", "--program")
_PATIENCE = 0.7
"""Seconds in which a capture that was cancelled has to end by itself."""
_LAST_WORDS = 60
"""So many lines of what the file wrote are looked through for the place of a crash."""


class FileGone(RuntimeError):
    """The process has ended; the sentence says how."""


class FileProgram:
    """Where the iterations of a file come from; they are taken in a thread of the window."""

    details = ("layer", "textbook", "math")

    def __init__(self, file: PythonFile, name: str) -> None:
        """Start the process. What the file writes goes to stderr."""
        self.stage = f"starting torch and running {file.path.name}"
        self._file, self._is_open, self._is_killed, self.is_asked = file, False, False, False
        """`is_asked`: whether something is under way that only a cancel may end."""
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        command = [sys.executable, *COMMAND, str(file.path), name, file.digest]
        environment = dict(entry.partition("=")[::2] for entry in engine_environment().toStringList())
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=True)
        self._program = Program(self._process.stdout.fileno(), self._process.stdin.fileno(), _PATIENCE)
        self._writer = threading.Thread(target=self._pass_on, daemon=True)
        self._writer.start()

    def take(
        self, detail: str, details: Details = (), check: Callable[[], object] = lambda: None, what_ifs: tuple[WhatIf, ...] = ()
    ) -> FileIteration:
        """Return the iteration at this detail, or at these inside some groups; in between `check` is called, and may raise.

        Raises TraceError where the file failed, FileGone where its process has ended.
        """
        with self.asked():
            if not self._is_open:
                opening = self._program.heard(0, check)
                if isinstance(opening, QuestionFailed):
                    raise failure(opening)
                self._is_open, self.stage = isinstance(opening, OpenTrace), "capturing"
            taken = self._program.ask(lambda number: TakeIteration(number, detail, details, what_ifs), check)
        return FileIteration(self, ProgramIteration(self._program, TraceIndex(taken.trace), bool(what_ifs)))

    @contextmanager
    def asked(self) -> Iterator[None]:
        """What is asked inside and cancelled in vain ends with its process; where that has ended, FileGone says how it did."""
        self.is_asked = True
        try:
            yield
        except Exception as error:
            if type(error).__name__ != "ProgramGone":
                raise
            raise FileGone(self._end()) from None
        except BaseException:
            if self._program.is_stuck or not self._is_open:
                self.kill()
            raise
        finally:
            self.is_asked = False

    @property
    def obstacle(self) -> str:
        """Why nothing can be supposed of its iterations, as a sentence; empty if something can."""
        return f"The process of {self._file.path.name} has ended: run it again." if self.has_ended else ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can be asked for."""
        return self._is_killed or self._program.has_ended

    def kill(self) -> None:
        """End the process at once, with all it has started."""
        self._is_killed = True
        if hasattr(os, "killpg"):
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def close(self) -> None:
        """The same, and wait until nothing is left of it."""
        self.kill()
        self._process.wait()
        self._program.wait_until_gone()
        self._writer.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError):
                pipe.close()
        self._program.deleteLater()

    def _pass_on(self) -> None:
        for line in self._process.stderr:
            text = line.decode(errors="backslashreplace")
            self._last_words.append(text)
            print(text, end="", file=sys.stderr, flush=True)

    def _end(self) -> str:
        """How the process has ended, as a sentence."""
        name = self._file.path.name
        if self._is_killed:
            return f"The process of {name} was ended, because it did not let itself be interrupted."
        code = self._process.wait()
        self._writer.join(_PATIENCE)
        lines = [re.search(r'File "(.+)", line (\d+)', words) for words in self._last_words]
        inside = [f":{found[2]}" for found in lines if found and found[1] == str(self._file.path)]
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended itself with exit code {code}"
        return f"{name}{inside[0] if inside else ''}: the process of the file {how}."


class FileIteration:
    """One iteration; what did not travel with it is asked for, as long as the process lives."""

    def __init__(self, owner: FileProgram, asked: ProgramIteration) -> None:
        self.index = asked.index
        self._owner, self._asked = owner, asked

    def check(self, node: int, element: tuple[int, ...]) -> GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        with self._owner.asked():
            return self._asked.check(node, element)

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node; nothing if the process has ended, or is busy and may never answer."""
        if not self._owner.has_ended and not self._owner.is_asked:
            with suppress(RuntimeError):
                return self._asked.numbers(node, row)
        trace = self.index.trace
        return NodeTensors(trace.iteration, trace.detail, trace.details, trace.what_ifs, node, row, ())

    def picture(self, wish: PictureWish) -> Picture:
        """Return a picture of the weights, or of what a part of the module puts out for a row; none if the process cannot answer."""
        if not self._owner.has_ended and not self._owner.is_asked:
            with suppress(RuntimeError):
                return self._asked.picture(wish)
        return Picture(wish, sentence=self._owner.obstacle or "the process of the file is busy with something else")
