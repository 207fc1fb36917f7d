"""Spreads work over turns of the event loop, so that what a person does is answered in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QObject, QTimer


class Turns(QObject):
    """Makes the same call with everything that waits, one in each turn; what it changes on the screen is painted before the next."""

    def __init__(self, call: Callable[[Any], object], parent: QObject) -> None:
        super().__init__(parent)
        self._call = call
        self._waiting: list[Any] = []
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._next)

    def add(self, items: Iterable[Any]) -> None:
        """Let these wait, too; what waits already keeps its place."""
        self._waiting += [item for item in items if item not in self._waiting]
        if self._waiting:
            self._timer.start()

    def finish(self) -> None:
        """Make all calls now."""
        while self._waiting:
            self._next()

    def _next(self) -> None:
        item = self._waiting.pop(0)
        if not self._waiting:
            self._timer.stop()
        self._call(item)
