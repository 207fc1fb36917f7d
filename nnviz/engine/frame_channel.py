"""The engine's end of the connection to the window: frames over what were stdin and stdout, read and written by threads.

The real stdout is moved away first: whatever a model or a library prints arrives as `Logged` and can never damage a frame.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from nnviz import messages

GRACE = 1.0
"""Seconds the engine has to leave by itself once the window has gone; then it is ended, whatever it computes."""
MOST_LOGGED = 20_000
"""Characters of print that travel in one message."""


class Closed(NamedTuple):
    """The window has gone."""


class Garbage(NamedTuple):
    """A frame that holds no request."""

    message: str


Item = messages.Requests | Garbage | Closed


class Inbox:
    """What the window has sent and the engine has not answered yet, in order; filled by one thread, emptied by another."""

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

    def wait(self, seconds: float) -> None:
        """Wait until there is something, but not longer than this."""
        if not self._waiting:
            with suppress(Empty):
                self._waiting.append(self._arriving.get(timeout=seconds))

    def interrupts(self) -> bool:
        """Whether something waits that ends a long way: a pause, another run, the end, or (first in line) another place to go to."""
        while not self._arriving.empty():
            self._waiting.append(self._arriving.get())
        leaves = any(isinstance(item, messages.Pause | messages.Open | Closed) for item in self._waiting)
        return leaves or (bool(self._waiting) and isinstance(self._waiting[0], messages.GoTo))


class FrameChannel:
    """`inbox` holds requests, Garbage, and at the end Closed. `send` never waits for the window to read."""

    def __init__(self, source: int, target: int, printed: int | None = None) -> None:
        """File descriptors: where frames come from, where they go, and where prints come from."""
        self.inbox = Inbox()
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._source, self._target, self._printed = source, target, printed
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()
        threading.Thread(target=self._read, daemon=True).start()
        if printed is not None:
            threading.Thread(target=self._log, daemon=True).start()

    @classmethod
    def over_stdio(cls) -> FrameChannel:
        """Return a channel over this process's stdin and stdout, which from then on are empty and the log."""
        source, target = os.dup(0), os.dup(1)
        read, write = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(write, 1)
        os.close(write)
        os.close(nothing)
        sys.stdout.reconfigure(line_buffering=True)
        return cls(source, target, read)

    def send(self, message: messages.Reply) -> None:
        """Send a reply; packed here, written by another thread."""
        self._outbox.put(messages.frame(message))

    def flush(self, seconds: float) -> None:
        """Wait until everything is written, but not for ever. Nothing can be sent afterwards."""
        self._outbox.put(None)
        self._writer.join(seconds)

    def _read(self) -> None:
        frames = messages.FrameReader()
        try:
            while data := os.read(self._source, 1 << 16):
                for body in frames.feed(data):
                    self.inbox.put(_decoded(body))
        except ValueError as error:
            self.send(messages.Failed("frame", f"The engine cannot read what it is sent and stops: {error}."))
        except OSError:
            pass  # a broken pipe is the end, like an empty one
        self.inbox.put(Closed())
        time.sleep(GRACE)
        os._exit(0)

    def _write(self) -> None:
        while (data := self._outbox.get()) is not None:
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self._target, view) :]
            except OSError:
                return  # nobody reads any more; the reader notices too

    def _log(self) -> None:
        while text := os.read(self._printed, MOST_LOGGED):
            self.send(messages.Logged(text.decode(errors="replace")))
            time.sleep(0.02)  # a model that prints in a loop must not flood the window


def _decoded(body: bytes) -> messages.Requests | Garbage:
    try:
        return messages.decode_request(body)
    except Exception as error:
        return Garbage(f"The engine was sent something that is no request ({error}).")
