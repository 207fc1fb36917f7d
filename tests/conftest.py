"""Hygiene for every test: offscreen, in a home of its own, and nothing left behind (widgets, timers, threads, processes, log warnings)."""

from __future__ import annotations

import gc
import logging
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_home = tempfile.TemporaryDirectory(prefix="nnviz-tests-")
for _name in ("CONFIG", "DATA", "STATE"):
    os.environ[f"XDG_{_name}_HOME"] = _home.name
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the tests start a hundred engines, which need not each compile the program again

import hypothesis  # noqa: E402 - after the environment is set, as all that is imported from here on
import pytest  # noqa: E402

hypothesis.settings.register_profile("nnviz", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("nnviz")

PATIENCE = 3.0
"""Seconds that threads and processes may take to end after a test."""


# --- torch ----------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _one_torch_thread() -> None:
    """As in the engine; never the reason that torch is loaded."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


# --- log ------------------------------------------------------------------------------------------------------------


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _no_log_warnings(request: pytest.FixtureRequest):
    """A test that expects a warning takes `caplog` and looks itself. Qt's own messages: pyproject.toml, qt_log_level_fail."""
    if "caplog" in request.fixturenames:
        yield
        return
    handler = _Warnings()
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    assert not handler.lines, "unexpected log warnings:\n" + "\n".join(handler.lines)


# --- theme ----------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _light(request: pytest.FixtureRequest) -> None:
    """The application wears the theme, and is the same for all tests: each begins in the light one."""
    if "qapp" in request.fixturenames:
        from nnviz.ui.theme.colors import LIGHT
        from nnviz.ui.theme.style import apply_theme

        apply_theme(request.getfixturevalue("qapp"), LIGHT)


# --- engine ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def lent_engine():
    """Python's arguments for an engine that needs not load torch first. Who tests how an engine starts or dies takes one of its own."""
    from tests.ui import engine_host

    yield from engine_host.lend()


# --- what a test leaves behind --------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nothing_left(request: pytest.FixtureRequest):
    """Fail a test that leaves a window, a running timer, a thread or a process, such as an engine, behind."""
    with_qt = "qapp" in request.fixturenames
    gc.freeze()  # afterwards only what the test made has to be looked through: a hundred times faster once torch is loaded
    before = _remains(with_qt)
    yield
    left = _remains(with_qt) - before
    deadline = time.monotonic() + PATIENCE
    while left and time.monotonic() < deadline:
        left.clear()  # it must not be what keeps them alive
        _settle()
        left = _remains(with_qt) - before
        time.sleep(0.01 if left else 0)
    gc.unfreeze()
    assert not left, "left behind: " + "; ".join(_named(thing) for thing in left)


def _remains(with_qt: bool) -> set[object]:
    """What would be left if the test ended now."""
    return {*(_qt_remains() if with_qt else ()), *threading.enumerate(), *_processes()}


def _qt_remains() -> list[object]:
    from PySide6.QtWidgets import QApplication

    return [widget for widget in QApplication.topLevelWidgets() if not _is_qts_own(widget)] + _running_objects()


def _running_objects() -> list[object]:
    """QTimers and QThreads that run, among the objects that are not frozen."""
    from PySide6.QtCore import QThread, QTimer
    from shiboken6 import isValid

    timers, threads = _with_subclasses(QTimer), _with_subclasses(QThread)
    known = [thing for thing in gc.get_objects() if type(thing) in timers or type(thing) in threads]
    here = QThread.currentThread()
    valid = [thing for thing in known if isValid(thing) and thing is not here]
    return [thing for thing in valid if (thing.isActive() if type(thing) in timers else thing.isRunning())]


def _with_subclasses(kind: type) -> set[type]:
    return {kind}.union(*(_with_subclasses(below) for below in kind.__subclasses__()))


def _is_qts_own(widget) -> bool:
    """Tooltips and the lists of combo boxes belong to Qt; it keeps them for the next time."""
    return widget.metaObject().className() in ("QTipLabel", "QComboBoxPrivateContainer")


def _named(thing) -> str:
    if isinstance(thing, (str, threading.Thread)):
        return str(thing)
    return f"{type(thing).__name__} {thing.objectName()!r} of {type(thing.parent()).__name__}"


def _processes() -> list[str]:
    """Child processes that run, such as an engine; empty where the system does not list them under /proc."""
    children = " ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split()
    return [f"process {child}" for child in children if _runs(child)]


def _runs(process: str) -> bool:
    """Whether it is still there, and not one that has ended and waits to be asked how."""
    try:
        return Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _settle() -> None:
    """Let Qt delete what it was told to delete, and Python what nobody holds."""
    core = sys.modules.get("PySide6.QtCore")
    if core is not None and core.QCoreApplication.instance() is not None:
        core.QCoreApplication.processEvents()
        core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)
    gc.collect()
