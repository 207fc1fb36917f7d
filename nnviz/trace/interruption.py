"""Lets a capture be ended from another thread: at every call that is recorded it asks whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Check = Callable[[], object]
"""Raises whatever is to end the capture; a `BaseException`, so that no module takes it for an error of its own."""

_check: ContextVar[Check | None] = ContextVar("check", default=None)


@contextmanager
def interrupted_by(check: Check) -> Iterator[None]:
    """Whatever is captured inside calls `check()` at each of its recorded calls."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def stop_if_unwanted() -> None:
    """Raise what the check raises, if there is one and it does."""
    check = _check.get()
    if check is not None:
        check()
