"""What the window has sent and the engine has not answered yet, in order. It answers nothing itself."""

from __future__ import annotations

from collections import deque
from queue import SimpleQueue
from typing import NamedTuple

from nnviz import messages


class Closed(NamedTuple):
    """The window has gone."""


class Garbage(NamedTuple):
    """A frame that holds no request."""

    message: str


Item = messages.Requests | Garbage | Closed


class Inbox:
    """Filled by one thread, emptied by another."""

    def __init__(self) -> None:
        self._arriving: SimpleQueue[Item] = SimpleQueue()
        self._waiting: deque[Item] = deque()

    def put(self, item: Item) -> None:
        """Put one in; any thread may."""
        self._arriving.put(item)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting and self._arriving.empty()

    def take(self) -> Item:
        """Return the next one; waits for it."""
        return self._waiting.popleft() if self._waiting else self._arriving.get()

    def interrupts(self) -> bool:
        """Whether something waits that ends a long way: a pause, another run, the end, or (first in line) another place to go to."""
        while not self._arriving.empty():
            self._waiting.append(self._arriving.get())
        leaves = any(isinstance(item, messages.Pause | messages.Open | Closed) for item in self._waiting)
        return leaves or (bool(self._waiting) and isinstance(self._waiting[0], messages.GoTo))
