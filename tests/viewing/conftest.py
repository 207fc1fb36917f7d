"""How a module's window is opened in tests."""

from __future__ import annotations

import pytest

import nnviz


@pytest.fixture
def shown(qtbot):
    """Return a function that opens the window of what `nnviz.show` takes, and returns it while it stays open."""

    def show(*subject, **how):
        window = nnviz.show(*subject, block=False, **how)
        qtbot.addWidget(window)
        window.graph.view.set_animated(False)
        qtbot.waitExposed(window)
        return window

    return show
