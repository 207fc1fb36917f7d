"""How far a graph opens by itself: as far as it can be read, the same every time, and never against the person's own folds."""

from dataclasses import replace

import pytest

from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import layout, structure
from nnviz.ui.graph._card_face import card_sizes
from nnviz.ui.graph.card_states import CardScales
from nnviz.ui.graph.grouping import tree
from nnviz.ui.graph.layout import place
from nnviz.ui.widgets.zoom_view import READABLE
from tests.ui import captured


def _show(view, name):
    index = captured.index(name)
    view.set_trace_state(TraceState(index, 0, None))
    return view.scene()


def _could_open(scene):
    """The folded groups on the screen that are no run of equal ones."""
    cards = [card for card in scene.diagram.cards.values() if card.folded and len(card.groups) == 1]
    return [key for card in cards for key in card.groups if not scene.groups.groups[key].repeats]


def _drawn(name, folded):
    index = captured.index(name)
    state, groups = TraceState(index, 0, None), tree(index.trace)
    diagram = structure.diagram(index.trace, frozenset(folded & set(groups.groups)), groups)
    return diagram, card_sizes(state, diagram, CardScales(state), {})


@pytest.mark.parametrize("name", ["lstm", "bidirectional_gru", "multi_head_attention", "encoder_decoder_transformer", "cnn_batch_norm"])
@pytest.mark.parametrize("every", [1, 2, 3, 1000])
def test_the_measured_size_is_the_laid_out_one(qapp, name, every):
    """Only lanes around cards are not counted: they take little height and no width."""
    groups = tree(captured.index(name).trace).groups
    equal = {key for group in groups.values() if group.repeats for key in (group.key, *(inner.key for inner in group.walk()))}
    diagram, sizes = _drawn(name, {*list(groups)[::every], *equal})
    width, height = layout.extent(diagram, sizes)
    placed = place(diagram, sizes)
    boxes = [*placed.cards.values(), *placed.frames.values()]
    left, right = min(x for x, _, _, _ in boxes), max(x + w for x, _, w, _ in boxes)
    top, bottom = min(y for _, y, _, _ in boxes), max(y + h for _, y, _, h in boxes)
    assert width == pytest.approx(right - left)
    assert bottom - top - 120 <= height <= bottom - top + 1e-6


@pytest.mark.parametrize("name", ["lstm", "stacked_lstm_dropout", "bidirectional_gru", "encoder_decoder_transformer"])
@pytest.mark.parametrize("size", [(700, 300), (1200, 420), (2600, 900)])
def test_it_opens_as_far_as_it_can_be_read(view, name, size):
    view.resize(*size)
    scene = _show(view, name)
    first = structure.first_folds(scene.groups, len(scene.trace.nodes))
    assert scene.folded <= first
    if scene.folded < first:
        assert view.zoom >= READABLE, "all of it is seen, and can be read"
        assert view.seen().contains(scene.content.adjusted(8, 8, -8, -8))
    room = view.readable_room()
    for key in _could_open(scene):
        diagram, sizes = _drawn(name, scene.folded - {key})
        width, height = layout.extent(diagram, sizes)
        assert width > room.width() or height > room.height() or scene.folded == first, f"there was room for {key}"


def test_equal_time_steps_stay_one_card(view):
    view.resize(2600, 900)
    scene = _show(view, "lstm")
    (steps,) = [card for card in scene.diagram.cards.values() if len(card.groups) > 1]
    assert scene.cards[steps.key].state.note == f"× {len(steps.groups)}"
    assert scene.frames, "the layer around them is open"


def test_a_resnet_18_opens_folded(view, qtbot):
    scene = _show(view, "resnet18")
    qtbot.waitUntil(lambda: not scene.placer.is_busy)
    assert scene.folded == structure.first_folds(scene.groups, len(scene.trace.nodes))
    assert set(scene.frames) == {"net"}, "all layers are in it"


def test_one_layout_a_graph_and_none_where_nothing_folds(view):
    view.resize(1900, 700)
    placed = []
    view.scene().placer.placed.connect(lambda *_: placed.append(1))
    _show(view, "lstm")
    assert len(placed) == 1
    view.resize(1899, 700)
    assert len(placed) == 1


def test_it_follows_the_panel_and_comes_back_the_same(view):
    scene = _show(view, "lstm")
    small = scene.folded
    view.resize(2600, 900)
    large = scene.folded
    assert large < small
    view.resize(1000, 340)
    assert scene.folded == small


def test_what_a_person_folded_stays_in_any_panel(view):
    view.resize(2600, 900)
    scene = _show(view, "lstm")
    view.folds.fold(next(iter(scene.frames)))
    own = scene.folded
    for size in ((1000, 340), (2700, 950)):
        view.resize(*size)
        assert scene.folded == own


def test_another_graph_opens_by_itself_again(view):
    view.resize(2600, 900)
    scene = _show(view, "lstm")
    opened = scene.folded
    view.folds.fold_all()
    _show(view, "mlp_tanh_mse")
    _show(view, "lstm")
    assert scene.folded == opened


def test_a_zoomed_picture_is_left_alone(view):
    scene = _show(view, "lstm")
    view.actual_size()
    before = scene.folded
    view.resize(2600, 900)
    assert scene.folded == before


def test_a_folded_card_counts_its_nodes(qapp):
    index = captured.index("cnn_batch_norm")
    diagram, _ = _drawn("cnn_batch_norm", set(tree(index.trace).groups))
    card = next(card for card in diagram.cards.values() if card.folded and len(card.groups) == 1)
    scales = CardScales(TraceState(index, 0, None))
    notes = [scales.texts(replace(card, nodes=card.nodes[:count]), index.node(card.shown), {})[1] for count in (1, 2)]
    assert notes == ["1 node", "2 nodes"]
