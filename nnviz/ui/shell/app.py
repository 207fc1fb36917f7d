"""The program with a window: makes the application, shows the first paint, and only then starts the engine."""

from __future__ import annotations

import gc
import linecache
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QObject,
    QSocketNotifier,
    QThreadPool,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QWidget

from nnviz.resource_files import resource_folder
from nnviz.ui.shell._window_log import WindowLog
from nnviz.ui.shell._windows import Begin, Windows
from nnviz.ui.shell.main_window import MainWindow
from nnviz.ui.theme.fonts import load_fonts

if TYPE_CHECKING:
    from nnviz.document.experiment import Experiment
    from nnviz.session.engine_process import EngineProcess

FIRST_ITERATIONS = 300
"""How far the two moons are trained before anybody has clicked: enough to see a boundary, not enough to be done."""


def main(path: str | None = None) -> int:
    """Open the window on a document (a path or name; none: two moons, trained a little) and return the exit code."""
    app = application()
    windows = Windows(MainWindow, start_when_painted)
    log, signals = WindowLog(windows.windows), TerminationSignals(windows.close_without_asking)
    windows.open(partial(begin_with, path=path) if path else None)
    code = app.exec()
    signals.close()
    log.close()
    for window in tuple(windows.windows):
        shut_down(window)
    flush_deletions()
    return code


def application() -> QApplication:
    """Return the one QApplication, with name, icon and fonts; makes it if there is none."""
    app = QApplication.instance() or _made()
    app.setApplicationName("nnviz")
    app.setOrganizationName("nnviz")
    app.setWindowIcon(QIcon(str(resource_folder("icons") / "nnviz.svg")))
    load_fonts()
    return app


def _made() -> QApplication:
    """A new application; where Qt finds no display it would abort, and a sentence is better."""
    said: list[str] = []

    def hear(kind: QtMsgType, context: object, text: str) -> None:
        said.append(text.strip().splitlines()[0])
        if kind == QtMsgType.QtFatalMsg:
            reasons = "; ".join(line.rstrip(".") for line in said[:2])
            cure = "Start nnviz where there is a display, or paint the window with `nnviz screenshot`."
            print(f"The window cannot be opened: {reasons}. {cure}", file=sys.stderr, flush=True)
            os._exit(1)

    before = qInstallMessageHandler(hear)
    try:
        return QApplication(sys.argv[:1])
    finally:
        qInstallMessageHandler(before)


def build_window(experiment: Experiment, autosaves: bool = True, engine: EngineProcess | None = None) -> MainWindow:
    """Return a window, with its panels, on a new session of this experiment. The run is not opened: call `window.session.start`.

    `engine`: one that has been started already; nobody listens to it yet.
    """
    window = MainWindow()
    window.make_features(experiment, autosaves, engine)
    window.action_table.set_icons()
    return window


def shut_down(window: MainWindow) -> None:
    """Close the window and let Qt delete it before the program ends."""
    window.close_without_asking()
    QThreadPool.globalInstance().waitForDone()  # a layout under way needs Python, which is about to end
    window.deleteLater()
    flush_deletions()


def flush_deletions() -> None:
    """Let Qt delete what it was told to delete."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def after_next_paint(widget: QWidget, call: Callable[[], None]) -> None:
    """Call once, right after the widget has been painted the next time."""
    widget.installEventFilter(_NextPaint(call, widget))


def start_when_painted(window: MainWindow, begin: Begin | None = None) -> None:
    """Start the engine and put the panels in, once the window has been painted; `begin` decides on the document in between."""
    after_next_paint(window, lambda: _begin(window, begin))


def _begin(window: MainWindow, begin: Begin | None) -> None:
    if window.isHidden():  # closed before it had anything to show
        return
    from nnviz.session.engine_process import EngineProcess  # here, because the window is painted before they are loaded

    engine = EngineProcess()
    engine.start()  # it loads torch while the window loads and makes its panels
    _forget_sources()
    from nnviz.document.store.examples import FIRST_EXAMPLE, open_document

    window.make_features(open_document(FIRST_EXAMPLE), engine=engine)
    if begin:
        begin(window)
    _forget_sources()
    window.session.start(train_first=0 if begin else FIRST_ITERATIONS)
    after_next_paint(window.features.area, lambda: _complete(window))
    if not window.siblings() and not window.features.files.lost_work.offer() and begin is None:
        window.features.learn.offer_first()
    if not window.siblings():
        window.features.teach.offer_kept()
    window.focus_canvas()


def begin_with(window: MainWindow, path: str) -> None:
    """Let a new window begin with a document: a path, `example:NAME` or `template:NAME`."""
    window.features.files.begin_with(path)


def _complete(window: MainWindow) -> None:
    """What the first picture of the panels need not wait for, while the engine starts."""
    window.action_table.set_icons()
    _load_libraries()


def _forget_sources() -> None:
    """Give back the memory of the sources read so far, before more is loaded: PySide reads that of every module that is imported, and
    Python would keep all lines of them (24 MB)."""
    linecache.clearcache()


@cache
def _load_libraries() -> None:
    """Load now, while the engine starts, what the first graph and the first plot would otherwise make a person wait for."""
    import fast_sugiyama  # noqa: F401
    import pyqtgraph  # noqa: F401

    _forget_sources()
    gc.freeze()  # what is loaded stays: the collector need not look through it again and again, and let the window wait for it


class _NextPaint(QObject):
    def __init__(self, call: Callable[[], None], widget: QWidget) -> None:
        super().__init__(widget)
        self._call = call

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.UpdateRequest, QEvent.Type.Paint):  # of a window, and of what stands in one
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, self._call)
        return False


class TerminationSignals:
    """Closes the window on SIGTERM and SIGINT, from Qt's loop alone: a socket wakes it, when nothing else is being done."""

    def __init__(self, close: Callable[[], object]) -> None:
        self._read, self._write = socket.socketpair()
        self._write.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(lambda: (self._read.recv(64), close()))
        self._before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}

    def close(self) -> None:
        """Put back what was there before."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before)
        self._notifier.setEnabled(False)
        self._read.close()
        self._write.close()
