"""Finding nodes: what matches, what lights up, where it leads, which folds open on the way."""

from PySide6.QtCore import Qt

from nnviz.records.trace_state import TraceState
from nnviz.ui.graph._node_finder import matches
from tests.ui import captured, traces


def test_every_word_tells_something_of_a_match():
    trace = traces.dropout_net()
    named = lambda text: [trace.nodes[node].label for node in matches(trace, text, {"h1": "dense 1"})]  # noqa: E731
    assert named("relu") == ["relu", "relu"]
    assert named("dense RELU") == ["relu"]
    assert named("h2 4×4") == named("h2 4x4") == ["h2.weight"]
    assert named("parameter out") == ["out.weight", "out.bias"]
    assert named("nothing like this") == named("  ") == []


def test_enter_goes_through_the_matches_and_shift_enter_back(view, qtbot):
    index = captured.index("lstm")
    view.set_trace_state(TraceState(index, 3, 0))
    view.finder.open()
    qtbot.keyClicks(view.finder.field, "tanh t=3")
    wanted = [node.id for node in index.trace.nodes if node.operation == "tanh" and "t=3" in node.group]
    assert list(view.finder.matches) == wanted and view.finder.count.text() == "2 found"
    with qtbot.waitSignal(view.node_clicked) as clicked:
        qtbot.keyClick(view.finder.field, Qt.Key.Key_Return)
    assert clicked.args == [wanted[0]] and view.finder.count.text() == "1 of 2"
    qtbot.keyClick(view.finder.field, Qt.Key.Key_Return)
    qtbot.keyClick(view.finder.field, Qt.Key.Key_Return)
    assert view.finder.node == wanted[0], "behind the last the first again"
    qtbot.keyClick(view.finder.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert view.finder.node == wanted[1]


def test_folds_open_on_the_way_and_the_match_is_in_sight(view, qtbot):
    index = captured.index("lstm")
    view.set_trace_state(TraceState(index, 3, 0))
    assert "net" in view.scene().folded
    view.finder.open()
    qtbot.keyClicks(view.finder.field, "tanh candidate t=4")
    qtbot.keyClick(view.finder.field, Qt.Key.Key_Return)
    (node,) = view.finder.matches
    card = view.scene().card_of(node)
    assert not card.card.folded
    assert {"net/t=3", "net/t=0…net/t=4"} <= view.scene().folded, "those equal to it stay folded"
    assert view.viewport().rect().contains(view.mapFromScene(card.sceneBoundingRect().center()))


def test_matches_are_lit_until_escape(view, qtbot):
    view.set_trace_state(TraceState(captured.index("mlp_tanh_mse"), 3, 0))
    before = view.viewport().grab().toImage()
    view.finder.open()
    qtbot.keyClicks(view.finder.field, "tanh")
    assert view.viewport().grab().toImage() != before
    qtbot.keyClick(view.finder.field, Qt.Key.Key_Escape)
    assert not view.finder.isVisible() and view.hasFocus()
    assert view.viewport().grab().toImage() == before and view.finder.node is None


def test_another_graph_is_searched_anew(view, qtbot):
    view.set_trace_state(TraceState(captured.index("mlp_tanh_mse"), 3, 0))
    view.finder.open()
    qtbot.keyClicks(view.finder.field, "tanh")
    view.set_trace_state(TraceState(captured.index("lstm"), 3, 0))
    assert len(view.finder.matches) == 10


def test_without_a_trace_nothing_is_found(view, qtbot):
    view.finder.open()
    qtbot.keyClicks(view.finder.field, "relu")
    qtbot.keyClick(view.finder.field, Qt.Key.Key_Return)
    assert view.finder.matches == () and view.finder.count.text() == "0 found"
