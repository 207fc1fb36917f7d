"""One call in a thread of its own, so that the window stays usable meanwhile; it is cancelled as far as Python lets it be."""

from __future__ import annotations

import contextvars
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_TURN = 0.0005
"""Seconds between two turns of the threads: at Python's own 5 ms a loop in the call makes every event of the window wait."""
_GENTLE = 0.3
"""Seconds in which the call may end by itself once it is cancelled; then it is interrupted wherever it is."""
_ENDING = 1.0
"""Seconds in which it may leave all in order once it has heard of that: an interruption would break that off."""
_AGAIN = 0.2
_lock = threading.Lock()
_running = 0
_usual_turn = sys.getswitchinterval()


class Cancelled(BaseException):
    """Nobody wants the result any more. No `Exception`, so that no module takes it for an error of its own."""


class BackgroundCall:
    """Runs `function(check)` at once, in the context of the caller; what comes of it is asked for, no signal tells.

    `check()` raises Cancelled once the call is cancelled: the function may call it where it can end well.
    """

    def __init__(self, function: Callable[[Callable[[], None]], Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._function = function
        self._cancelled = threading.Event()
        self._began, self._cancelled_at, self._heard_at, self._interrupted_at = time.monotonic(), 0.0, 0.0, 0.0
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=lambda: context.run(self._run), name="nnviz call", daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether `result` or `error` is there."""
        return not self._thread.is_alive()

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self._began

    @property
    def is_cancelled(self) -> bool:
        """Whether it has been told to end."""
        return self._cancelled.is_set()

    @property
    def is_stuck(self) -> bool:
        """Whether it has been interrupted in vain: it is inside one call that is not Python's."""
        return self.is_cancelled and not self.has_ended and time.monotonic() - self._cancelled_at > 2

    def cancel(self) -> None:
        """Tell the call to end. Call `insist` from time to time until it has."""
        if not self.is_cancelled:
            self._cancelled_at = time.monotonic()
            self._cancelled.set()

    def insist(self) -> None:
        """Interrupt a cancelled call that does not end by itself; one that is not inside Python hears of it when it is back."""
        now, patience = time.monotonic(), max(self._cancelled_at + _GENTLE, self._heard_at + _ENDING)
        if self.is_cancelled and not self.has_ended and now > patience and now - self._interrupted_at > _AGAIN:
            self._interrupted_at = now
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident), ctypes.py_object(Cancelled))

    def end(self, seconds: float) -> bool:
        """Cancel the call and wait for its end; return whether it came in time."""
        self.cancel()
        last = time.monotonic() + seconds
        while not self.has_ended and time.monotonic() < last:
            self._thread.join(0.02)
            self.insist()
        return self.has_ended

    def _check(self) -> None:
        if self._cancelled.is_set():
            self._heard_at = self._heard_at or time.monotonic()
            raise Cancelled

    def _run(self) -> None:
        try:
            _take_turns(+1)
            try:
                self.result = self._function(self._check)
            except BaseException as error:  # whatever a person's module raises, the window has to hear of it
                self.error = error
        except BaseException as error:  # an interruption that came while one was being kept
            self.error = error
        finally:
            _take_turns(-1)


def _take_turns(calls: int) -> None:
    """So many calls more run now: while there is one, threads take turns quickly."""
    global _running, _usual_turn
    with _lock:
        if not _running:
            _usual_turn = sys.getswitchinterval()
        _running += calls
        sys.setswitchinterval(_TURN if _running else _usual_turn)
