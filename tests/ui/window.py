"""A real window with a real engine, for tests that use the program as a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest.mock import patch

from pytestqt.qtbot import QtBot

from nnviz.document.store.examples import open_document
from nnviz.session import engine_process
from nnviz.session.engine_process import COMMAND
from nnviz.ui.shell import app
from nnviz.ui.shell.main_window import MainWindow

LONG_MS = 60_000


def opened(qtbot: QtBot, example: str = "moons", iterations: int = 0, engine: tuple[str, ...] = COMMAND) -> Iterator[MainWindow]:
    """Yield a window that shows the example after so many iterations; everything is gone afterwards.

    `engine`: an engine of its own, or what the fixture `lent_engine` says.
    """
    app.application()
    with patch.object(engine_process, "COMMAND", engine):
        window = app.build_window(open_document(f"example:{example}"), autosaves=False)
    window.asks_before_closing = False
    window.features.graph.view.set_animated(False)
    window.show()
    window.session.start(train_first=iterations)
    wait(qtbot, lambda: stands_at(window, iterations))
    yield window
    app.shut_down(window)


def stands_at(window: MainWindow, iteration: int) -> bool:
    """Whether the run stands after so many iterations, with the trace of the next one on the screen."""
    state = window.session.stepping.state
    return not window.session.training.is_training and state is not None and state.index.trace.iteration == iteration


def wait(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    """Let the window live until the condition holds."""
    qtbot.waitUntil(condition, timeout=LONG_MS)
