"""How a person hears of a halt and answers: a window of this process or of one of its own, a printed report, a function."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from nnviz.records.halt_record import ANSWERS
from nnviz.viewing.viewing import is_notebook
from nnviz.watching.halting import Halt, HaltedIteration

WAYS = ("window", "print")


def way_of_asking(on_break: Any) -> str | Callable[[Halt], str | None]:
    """Return how to ask. Raises ValueError for what is no way; without one it is the window, where there is a display."""
    if on_break is None:
        return "window" if _has_display() else "print"
    if on_break in WAYS or callable(on_break):
        return on_break
    raise ValueError(f'on_break={on_break!r}: give "window", "print" or a function of the halt')


def asked(way: str | Callable[[Halt], str | None], halt: Halt, source: HaltedIteration | None) -> str:
    """Return what the person answers: continue · stop · ignore. Raises ValueError for another answer of a function."""
    if callable(way):
        answer = way(halt) or "continue"
        if answer not in ANSWERS:
            raise ValueError(f"on_break answered {answer!r}: return one of {', '.join(ANSWERS)}, or None to continue")
        return answer
    if way == "print" or source is None:  # what cannot be traced has no window
        print(halt, flush=True)
        if "non_finite" in halt.kinds and way == "print":
            print("  What follows is spoiled by it, so non_finite is not looked at any more.", flush=True)
        return "continue"
    title, detail = f"Halt in iteration {halt.iteration}", source.take(halt.trace.detail).index.trace.detail
    if is_notebook() or threading.current_thread() is not threading.main_thread():
        from nnviz.viewing.window_process import show_apart

        return show_apart(source, title, detail, halt.record())
    from nnviz.ui.shell.halt_window import show_halt

    return show_halt(source, title, detail, halt.record())


def _has_display() -> bool:
    if os.environ.get("QT_QPA_PLATFORM", "") in ("offscreen", "minimal"):  # nobody could answer there
        return False
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
