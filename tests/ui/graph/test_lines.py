"""A long graph goes on in the next line, shows less of its cards from afar, and its frames keep names that can be read."""

import itertools

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import layout, structure
from nnviz.ui.graph._card_face import card_sizes
from nnviz.ui.graph.card_states import CardScales
from nnviz.ui.graph.grouping import tree
from nnviz.ui.widgets.zoom_view import READABLE
from tests.ui import captured
from tests.ui.graph.test_layout import SIZE, _crossed, _inside, _overlap, branches, residual
from tests.ui.traces import dropout_net, mlp, worked

NETS = ["lstm", "bidirectional_gru", "multi_head_attention", "encoder_decoder_transformer", "cnn_batch_norm"]


def _drawn(name):
    index = captured.index(name)
    state = TraceState(index, 0, None)
    diagram = structure.diagram(index.trace, frozenset(), tree(index.trace))
    return diagram, card_sizes(state, diagram, CardScales(state), {})


def _show(view, qtbot, name):
    """Show a graph with every group open, and all of it."""
    index = captured.index(name)
    view.set_trace_state(TraceState(index, 0, None))
    view.folds.open_all()
    view.fit()
    qtbot.waitUntil(lambda: not view.trace_scene.placer.is_busy)
    return view.trace_scene


@pytest.mark.parametrize("width", [300.0, 700.0, 1500.0])
@pytest.mark.parametrize("trace", [worked(), dropout_net(), mlp((2, 8, 2), repeated=12), residual(), branches()])
def test_lines_overlap_nothing_and_no_edge_runs_through_a_card(trace, width):
    diagram = structure.diagram(trace)
    placement = layout.place(diagram, dict.fromkeys(diagram.cards, SIZE), width)
    assert not any(_overlap(a, b) for a, b in itertools.combinations(placement.cards.values(), 2))
    for key, card in diagram.cards.items():
        assert card.home == structure.ROOT or _inside(placement.cards[key], placement.frames[card.home])
    for ends, curve in placement.curves.items():
        assert diagram.cards[ends[0]].owner or _crossed(curve, placement.cards, ends) == []


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("width", [600.0, 1400.0, 4000.0])
def test_the_measured_size_of_lines_is_the_laid_out_one(qapp, name, width):
    diagram, sizes = _drawn(name)
    measured, placed = layout.extent(diagram, sizes, width), layout.place(diagram, sizes, width)
    boxes = [*placed.cards.values(), *placed.frames.values()]
    right, top = max(x + w for x, _, w, _ in boxes), min(y for _, y, _, _ in boxes)
    assert measured[0] >= right - 1e-6
    assert measured[1] <= max(y + h for _, y, _, h in boxes) - top + 60


@pytest.mark.parametrize("name", NETS)
def test_lines_make_a_long_graph_larger_in_a_room(qapp, name):
    diagram, sizes = _drawn(name)
    room = 900.0, 500.0

    def zoom(width):
        extent = layout.extent(diagram, sizes, width)
        return min(room[0] / extent[0], room[1] / extent[1])

    width = layout.fitting_width(diagram, sizes, room)
    assert width < layout.extent(diagram, sizes)[0] and zoom(width) > zoom(float("inf"))


def test_a_graph_that_fits_stays_in_one_line(qapp):
    diagram = structure.diagram(worked())
    assert layout.fitting_width(diagram, dict.fromkeys(diagram.cards, SIZE), (10_000.0, 10_000.0)) == float("inf")


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("size", [(640, 220), (940, 360)])
def test_fit_shows_all_of_every_net(view, qtbot, name, size):
    view.resize(*size)
    scene = _show(view, qtbot, name)
    assert view.is_fitted and view.seen().contains(scene.content)
    assert scene.density > 0


def test_fit_shows_whole_cards_where_they_can_be_read(view, qtbot):
    view.resize(1800, 900)
    view.set_trace_state(TraceState(TraceIndex(dropout_net()), 0, None))
    view.fit()
    assert view.trace_scene.density == 0 and view.zoom >= READABLE * 0.9


def test_natural_size_shows_whole_cards_again(view, qtbot):
    scene = _show(view, qtbot, "cnn_batch_norm")
    assert scene.density > 0
    last = scene.trace.nodes[-1].id
    view.set_selected(last)
    view.actual_size()
    qtbot.waitUntil(lambda: not scene.placer.is_busy)
    card = scene.card_of(last)
    assert (scene.density, view.zoom) == (0, 1.0)
    middle = view.mapFromScene(card.sceneBoundingRect().center())
    assert (middle - view.viewport().rect().center()).manhattanLength() < 130


def test_the_wheel_shows_more_from_close_by_and_less_from_afar(view, qtbot):
    scene = _show(view, qtbot, "cnn_batch_norm")
    for _ in range(12):
        view.zoom_by(1.2, QPointF(view.viewport().rect().center()))
    qtbot.waitUntil(lambda: not scene.placer.is_busy)
    assert scene.density == 0 and view.zoom >= READABLE * 0.9
    for _ in range(12):
        view.zoom_by(1 / 1.2, QPointF(view.viewport().rect().center()))
    assert scene.density > 0


def test_what_is_found_comes_into_sight_large_enough_to_be_read(view, qtbot):
    scene = _show(view, qtbot, "lstm")
    view.finder.open()
    qtbot.keyClicks(view.finder.field, "linear")
    for _ in range(3):
        qtbot.keyClick(view.finder.field, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: not scene.placer.is_busy)
        card = scene.card_of(view.finder.node)
        assert (
            card is not None
            and view.seen().contains(card.sceneBoundingRect().center())
            and view.zoom * card.sceneBoundingRect().height() > 40
        )


def test_a_find_scrolls_to_what_is_out_of_sight(view, qtbot):
    view.resize(500, 300)
    view.set_trace_state(TraceState(captured.index("cnn_batch_norm"), 0, None))
    view.folds.open_all()
    view.actual_size()
    view.finder.open()
    view.finder.field.setText("loss")
    qtbot.keyClick(view.finder.field, Qt.Key.Key_Return)
    assert view.seen().contains(view.trace_scene.card_of(view.finder.node).sceneBoundingRect().center())


def test_opening_a_group_of_a_fitted_graph_does_not_make_it_illegible(view, qtbot):
    view.resize(1400, 500)
    index = captured.index("lstm")
    view.set_trace_state(TraceState(index, 3, None))
    view.folds.fold_all()
    view.fit()
    assert view.trace_scene.density == 0
    view.folds.open_all()
    qtbot.waitUntil(lambda: not view.trace_scene.placer.is_busy)
    assert view.trace_scene.density == 0 and view.zoom >= READABLE * 0.9 and not view.is_fitted


def test_directions_of_a_net_stand_one_above_the_other(qapp):
    diagram, sizes = _drawn("bidirectional_gru")
    frames = layout.place(diagram, sizes).frames
    one, other = (next(box for key, box in frames.items() if diagram.blocks[key].title == title) for title in DIRECTIONS)
    assert one[0] < other[0] + other[2] and other[0] < one[0] + one[2], "they share a column"
    assert one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1]


DIRECTIONS = "forward direction", "reverse direction"


def test_a_frame_seen_from_afar_is_named_at_its_corner(view, qtbot):
    view.resize(1200, 500)
    scene = _show(view, qtbot, "lstm")
    frame = max(scene.frames.values(), key=lambda frame: frame.sceneBoundingRect().width())
    corner = view.mapFromScene(frame.sceneBoundingRect().topLeft()) + QPoint(1, 1)
    image = view.grab().toImage()
    inked = {image.pixelColor(corner.x() + x, corner.y() + y).lightness() < 120 for x in range(40) for y in range(12)}
    assert True in inked


def test_cards_of_a_fitted_graph_show_more_in_a_larger_view_and_less_in_a_smaller_one(view, qtbot):
    def shown(*size):
        view.resize(*size)
        qtbot.waitUntil(lambda: not scene.placer.is_busy)
        assert view.is_fitted and view.seen().contains(scene.content)
        return scene.density

    view.resize(640, 220)
    view.set_trace_state(TraceState(TraceIndex(mlp((2, 8, 2), repeated=12)), 0, None))
    scene = view.trace_scene
    view.folds.open_all()
    view.fit()
    small = shown(640, 220)
    assert small > 0 == shown(6000, 1500)
    assert shown(640, 220) == small
