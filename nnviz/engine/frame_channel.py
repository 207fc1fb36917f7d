"""The engine's end of the wire: frames over what were stdin and stdout, carried by threads. It knows no message's meaning and no torch.

The real stdout is moved away first: whatever a model or a library prints arrives as `Logged` and can never damage a frame.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from queue import SimpleQueue

from nnviz import messages
from nnviz.engine.inbox import Closed, Garbage, Inbox

GRACE = 1.0
"""Seconds the engine has to leave by itself once the window has gone; then it is ended, whatever it computes."""
MOST_LOGGED = 20_000
"""Characters of print that travel in one message."""


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
        """Return a wire over this process's stdin and stdout, which from then on are empty and the log."""
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
