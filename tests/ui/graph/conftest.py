"""The graph by itself, without a session."""

import pytest

from nnviz.ui.graph._graph_view import GraphView


@pytest.fixture
def view(qtbot):
    view = GraphView()
    qtbot.addWidget(view)
    view.set_animated(False)
    view.resize(1000, 340)
    view.show()
    qtbot.waitExposed(view)
    return view
