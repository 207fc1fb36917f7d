"""A person's Python file in a process of its own: it is run, makes its module, and answers a window until that is closed.

Started by `python -m nnviz --program PATH NAME SHA256`, after the person has agreed to run what has this digest.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from nnviz.records.python_file import EXPECTED, PythonFileError, read_python_file
from nnviz.records.trace_record import Details, WhatIf
from nnviz.trace import DETAILS, TraceError
from nnviz.viewing.viewing import TracedIteration, TracedModule
from nnviz.viewing.window_messages import OpenTrace, QuestionFailed
from nnviz.viewing.window_process import AnsweredWindow

_BY_ITSELF = ". The file is run by itself, its folder first on sys.path: import its neighbours without the dot."
_NO_INPUTS = "there are no inputs: return (module, inputs), or put `inputs = …` or `def make_inputs():` in the file"


def serve(path: str, name: str, digest: str) -> int:
    """Run the file, and answer over stdin and stdout; leave at once, with all that was started, when stdin ends."""
    source, target = os.dup(0), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # what the file reads are no questions
    os.dup2(2, 1)  # and what it prints are no answers
    sys.stdin, sys.stdout = os.fdopen(0), sys.stderr
    faulthandler.enable()
    recording = FileRecording(Path(path), name)
    window = AnsweredWindow(source, target, recording)
    threading.Thread(target=lambda: (window.wait_until_gone(), _leave()), daemon=True).start()
    try:
        recording.make(digest)
    except TraceError as error:
        window.say(QuestionFailed(0, type(error).__name__, str(error), recording.calls_of(error)))
    else:
        window.say(OpenTrace(0, name, recording.detail, DETAILS))
        window.serve()
    _leave()


def _leave() -> None:
    """With torch loaded Python takes a second to tidy up what ends with the process anyway; what the file started ends too."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


class FileRecording:
    """The module of a file. Whatever its code raises is a TraceError that says where, in the file if that is on the way."""

    obstacle = ""

    def __init__(self, path: Path, name: str) -> None:
        self.details, self.stage, self.detail = DETAILS, "capturing", "textbook"
        self._path, self._name = path, name
        self._first: dict[str, Any] = {}
        """At which details the file wants to be seen first."""
        self._traced: TracedModule | None = None

    def make(self, digest: str) -> None:
        """Run the file, and have it make the module. Raises TraceError."""
        try:
            file = read_python_file(self._path)
        except PythonFileError as error:
            raise TraceError(f"{error} It has changed since it was looked at: run it again.") from None
        if file.digest != digest:
            raise TraceError(f"{self._path.name}, or what it imports from its folder, has changed since it was looked at: run it again.")
        self._traced = self._told(lambda: self._made(file.source))

    def take(
        self, detail: str, details: Details = (), check: Callable[[], object] = lambda: None, what_ifs: tuple[WhatIf, ...] = ()
    ) -> TracedIteration:
        """Return the iteration at this detail, or at these inside some groups; the first one as the file says. Raises TraceError."""
        first, self._first = self._first, {}
        wanted = first.get("detail", detail), tuple(dict(first.get("details", details)).items())
        return self._told(lambda: self._traced.take(*wanted, check, what_ifs))

    def calls_of(self, error: TraceError) -> str:
        """Return the calls that led to an error, as Python prints them, from the file on."""
        cause = error.__cause__ or error
        calls = cause.__traceback__
        while calls is not None and calls.tb_frame.f_code.co_filename != str(self._path):
            calls = calls.tb_next
        return "".join(traceback.format_exception(type(cause), cause, calls or cause.__traceback__))

    def _told(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except TraceError as error:
            said = str(error).removeprefix(": ")
            if type(error) is not TraceError or self._path.name in said:
                raise
            raise TraceError(f"{self._path.name}: {said}") from error
        except SystemExit as error:
            said = "the file ended itself (sys.exit), so there is no module. It is run without arguments: give them defaults."
            raise TraceError(f"{self._place(error)}: {said}") from error
        except Exception as error:
            cure = _BY_ITSELF if isinstance(error, ImportError) and "relative import" in str(error) else ""
            raise TraceError(f"{self._place(error)}: {type(error).__name__}: {error}{cure}") from error

    def _place(self, error: BaseException) -> str:
        """`file:line` of the innermost call in the file, else in its folder."""
        if isinstance(error, SyntaxError) and error.filename:
            return f"{Path(error.filename).name}:{error.lineno}"
        calls = [(Path(call.filename), call.lineno) for call in traceback.extract_tb(error.__traceback__)]
        inside = [call for call in calls if call[0] == self._path] or [call for call in calls if self._path.parent in call[0].parents]
        return f"{inside[-1][0].name}:{inside[-1][1]}" if inside else self._path.name

    def _made(self, data: bytes) -> TracedModule:
        names = self._run(data)
        if self._name not in names:
            raise TraceError(f"{self._path.name} has no {self._name} once it has been run.")
        maker = names[self._name]
        returned = maker if isinstance(maker, torch.nn.Module) else maker()
        called, inputs, how = self._parts(returned)
        self._first = {key: how.pop(key) for key in ("detail", "details") if key in how}
        self.detail = self._first.get("detail", self.detail)
        if inputs is None:
            inputs = names["make_inputs"]() if callable(names.get("make_inputs")) else names.get("inputs")
        if inputs is None:
            raise TraceError(f"{self._path.name}: {_NO_INPUTS}.")
        if isinstance(inputs, dict):
            inputs, how["kwargs"] = (), {**inputs, **how.get("kwargs", {})}
        return TracedModule(called, tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,), how, how.get("batch_axis"))

    def _run(self, data: bytes) -> dict[str, Any]:
        """What the file has given names to, once it has been run as a module beside its neighbours."""
        name = self._path.stem if self._path.stem not in sys.modules else f"{self._path.stem}_file"
        module = ModuleType(name)
        module.__file__ = str(self._path)
        sys.modules[name] = module
        sys.path.insert(0, str(self._path.parent))
        sys.argv = [str(self._path)]
        exec(compile(data, str(self._path), "exec"), module.__dict__)
        return module.__dict__

    def _parts(self, returned: Any) -> tuple[Callable, Any, dict[str, Any]]:
        """Module, inputs (None where there are none) and keywords of `capture`."""
        how: dict[str, Any] = {}
        if isinstance(returned, dict) and "module" in returned:
            how = dict(returned)
            called, inputs = how.pop("module"), how.pop("inputs", None)
        elif isinstance(returned, tuple) and len(returned) in (2, 3):
            called, inputs, *target = returned
            how = {"loss": _usual_loss, "target": target[0]} if target else {}
        else:
            called, inputs = returned, None
        if not callable(called):
            size = f" of {len(returned)}" if isinstance(returned, (tuple, list)) else ""
            raise TraceError(f"{self._path.name}: {self._name} returned {type(called).__name__}{size}, which is no module. {EXPECTED}")
        return called, inputs, how


def _usual_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The loss of a target that came without one: cross-entropy for classes, the mean squared error for numbers."""
    if not isinstance(output, torch.Tensor):
        what = f"what the module returns is {type(output).__name__}, and the target can be compared with a tensor only"
        raise TraceError(f"{what}: return a dict with a loss of your own, `dict(module=…, inputs=…, target=…, loss=…)`")
    numbers = target.is_floating_point()
    return torch.nn.functional.mse_loss(output, target) if numbers else torch.nn.functional.cross_entropy(output, target)
