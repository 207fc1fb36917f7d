"""What the window itself logs, as why something could not be drawn: it stands in the log of every window, beside what its engine writes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt, Signal

from nnviz.ui.shell.main_window import MainWindow


class WindowLog(QObject):
    """Listens to the program's loggers until `close` is called. `windows` is a list that grows and shrinks as they come and go."""

    _said = Signal(str)

    def __init__(self, windows: Sequence[MainWindow]) -> None:
        super().__init__()
        self._windows = windows
        self._handler = _Handler(self._said.emit)
        self._said.connect(self._tell, Qt.ConnectionType.QueuedConnection)  # it may be said while something is painted
        logging.getLogger("nnviz").addHandler(self._handler)

    def close(self) -> None:
        """Listen no more."""
        logging.getLogger("nnviz").removeHandler(self._handler)

    def _tell(self, text: str) -> None:
        for window in self._windows:
            if window.session is not None:
                window.session.link.log_line(text)


class _Handler(logging.Handler):
    """Passes warnings and errors on, and to stderr, where they would have gone without it."""

    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        logging.lastResort.handle(record)
        self._say(f"{self.format(record)}\n")
