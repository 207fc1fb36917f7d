"""The minimap is there when the graph is larger than the view, shows where one is, and leads elsewhere."""

import pytest
from PySide6.QtCore import QPoint, Qt

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.theme.colors import LIGHT
from tests.ui import traces


@pytest.fixture
def view(view):
    view.resize(700, 330)
    index = TraceIndex(traces.dropout_net())
    view.set_trace_state(TraceState(index, traces.place(index.trace, "forward", "relu"), 0))
    view.actual_size()
    view.grab()
    return view


def test_it_is_there_only_while_the_graph_is_larger_than_the_view(view):
    assert view.minimap.isVisible()
    view.resize(3000, 600)
    view.fit()
    view.grab()
    assert not view.minimap.isVisible()


def test_nothing_stands_on_top_of_the_graph(view):
    for part in (view.minimap, view._limits):
        assert not part.geometry().intersects(view.viewport().geometry())
    assert not view.minimap.geometry().intersects(view._limits.geometry())


def test_a_click_and_a_drag_go_there(view, qtbot):
    middle = view.minimap.rect().center()
    qtbot.mouseClick(view.minimap, Qt.MouseButton.LeftButton, pos=QPoint(view.minimap.width() - 4, middle.y()))
    right = view.seen().center().x()
    assert right > view.scene().content.center().x()
    qtbot.mousePress(view.minimap, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(view.minimap, middle - QPoint(20, 0))
    assert view.seen().center().x() < view.scene().content.center().x()
    qtbot.mouseRelease(view.minimap, Qt.MouseButton.LeftButton, pos=middle)


def test_the_cursors_card_has_the_colour_of_its_phase(view):
    picture = view.minimap.grab().toImage()
    colors = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert LIGHT.phase("forward").name() in colors and LIGHT.phase("backward").name() not in colors
