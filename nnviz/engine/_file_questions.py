"""Questions about files, answered by a thread of its own: the run goes on while a large file is read, and reading can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from nnviz import messages
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.data_previews import previewed, table_glimpsed, table_read

NEWS = 0.1
"""Seconds between two replies that say how far it is."""


class FileQuestions:
    """Answered one after the other. `send` and `refuse` may be called by any thread."""

    def __init__(self, send: Callable[[messages.Reply], None], refuse: Callable[[messages.Request, Exception], None]) -> None:
        self._send, self._refuse = send, refuse
        self._questions: SimpleQueue[messages.Preview | messages.ReadTable] = SimpleQueue()
        self._stopped = 0
        """The latest question about a table that nobody wants answered any more; nor those before it."""
        self._thread: threading.Thread | None = None

    def ask(self, question: messages.Preview | messages.ReadTable) -> None:
        """Answer this as soon as those before it are."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        self._questions.put(question)

    def stop(self, number: int) -> None:
        """Read no further for the question of this number."""
        self._stopped = max(self._stopped, number)

    def _work(self) -> None:
        while True:
            question = self._questions.get()
            try:
                self._send(self._read(question) if isinstance(question, messages.ReadTable) else previewed(question))
            except Exception as error:
                self._refuse(question, error)

    def _read(self, question: messages.ReadTable) -> messages.TableRead:
        told = time.monotonic()

        def report(share: float) -> None:
            nonlocal told
            if question.number <= self._stopped:
                raise BuildError("data.path", "The file has not been read to its end: it was stopped.", "Choose it again to read it.")
            if time.monotonic() - told > NEWS:
                told = time.monotonic()
                self._send(messages.TableGlimpsed(question.number, share))

        if question.number > self._stopped and (glimpsed := table_glimpsed(question)):
            self._send(glimpsed)
        return table_read(question, report)
