"""Quicker ways to draw: other ends for links, loose layers into links, names, links and panning by key, layers in a line."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from nnviz.document import edits
from nnviz.document.network import Link
from nnviz.document.shapes.report import examine
from nnviz.ui.network import _inline, questions
from nnviz.ui.network.allowed_links import obstacle
from nnviz.ui.network.layer_places import aligned
from nnviz.ui.widgets.search_list import ListEntry, matching
from tests.ui.network.networks import dropout_net, experiment, layer, residual
from tests.ui.network.views import LEFT, curve, drag, neuron, open_view, port

SHIFT = Qt.KeyboardModifier.ShiftModifier


def with_loose(kind="dropout"):
    """The net of `dropout_net` with one more layer that is linked to nothing, below the others."""
    plain = dropout_net()
    links = [(link.source, link.target) for link in plain.network.links]
    places = {one.id: (200.0 * place, 0.0) for place, one in enumerate(plain.network)} | {"loose": (300.0, 320.0)}
    return experiment(*plain.network.layers, layer(kind, "loose"), links=links, canvas=places)


# --- links ---


def end_of(view, source, target, side) -> QPoint:
    return view.mapFromScene(view.scene().links[Link(source, target)].end(side))


def test_the_end_of_a_selected_link_is_led_to_another_layer(qtbot):
    view = open_view(qtbot, residual())
    seen = []
    view.reconnect_requested.connect(lambda *values: seen.append(values))
    start = end_of(view, "h2", "s", 1)
    drag(view, start, neuron(view, "out", 0))
    assert seen == [], "a link that is not selected has no handles"
    view.scene().mark(selected_links=(Link("h2", "s"),), selected=())
    drag(view, start, neuron(view, "out", 0))
    assert seen == [(Link("h2", "s"), "h2", "out")]
    view.scene().mark(selected_links=(Link("h2", "s"),), selected=())
    drag(view, end_of(view, "h2", "s", -1), neuron(view, "x", 0))
    assert seen[1:] == [(Link("h2", "s"), "x", "s")]
    view.scene().mark(selected_links=(Link("h2", "s"),), selected=())
    drag(view, start, QPoint(3, 3))
    assert len(seen) == 2, "let go on empty ground it stays where it was"


def test_what_does_not_fit_steps_back_and_says_why(qtbot):
    view = open_view(qtbot, residual())
    view.set_selection(("h2",))
    start = port(view, "h2", 1)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), start + QPoint(20, 0))
    columns = view.scene().columns
    assert {id for id in columns if columns[id].marks.lit} == {"c", "out"}
    assert {id for id in columns if columns[id].marks.dim} == {"x", "h1", "s"} and not columns["h2"].marks.dim
    QTest.mouseMove(view.viewport(), QPoint(3, 3))
    assert not view.hint.isVisible()
    QTest.mouseMove(view.viewport(), neuron(view, "h1", 0))
    assert view.hint.isVisible() and "close a circle" in view.hint.text()
    QTest.mouseMove(view.viewport(), neuron(view, "out", 0))
    assert view.hint.text() == "takes the place of the link from c"
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert not view.hint.isVisible() and not any(column.marks.dim for column in columns.values())


def test_obstacles_are_those_of_the_edit():
    document = residual()
    assert obstacle(document, "x", "out") == "" and "already linked" in obstacle(document, "h1", "s")
    assert "takes no input" in obstacle(document, "out", "x") or "circle" in obstacle(document, "out", "x")


def test_a_loose_layer_let_go_on_a_link_goes_into_it(qtbot):
    view = open_view(qtbot, with_loose())
    seen = []
    view.splice_requested.connect(lambda *values: seen.append(values))
    target = curve(view, "h1", "h2", (0, 0), 0.5)
    start = view.mapFromScene(view.scene().columns["loose"].pos())
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    for share in (0.3, 0.7, 1):
        QTest.mouseMove(view.viewport(), start + (target - start) * share)
    assert view.scene().lit_link == Link("h1", "h2")
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, target)
    assert seen == [("loose", Link("h1", "h2"))] and view.scene().lit_link is None


def test_a_linked_layer_or_one_with_two_inputs_is_only_moved(qtbot):
    view = open_view(qtbot, with_loose("add"))
    moved, spliced = [], []
    view.move_requested.connect(moved.append)
    view.splice_requested.connect(lambda *values: spliced.append(values))
    drag(view, view.mapFromScene(view.scene().columns["loose"].pos()), curve(view, "h1", "h2", (0, 0), 0.5))
    drag(view, neuron(view, "x", 0), curve(view, "h1", "h2", (3, 0), 0.5))
    assert len(moved) == 2 and spliced == []


# --- selecting and looking ---


def test_shift_adds_to_what_is_selected_and_takes_away(qtbot, view, emitted):
    qtbot.mouseClick(view.viewport(), LEFT, pos=neuron(view, "x", 0))
    QTest.mouseClick(view.viewport(), LEFT, SHIFT, neuron(view, "h2", 0))
    assert view.scene().selected == ("x", "h2")
    box = view.scene().box_of("out")
    start, stop = view.mapFromScene(box.topLeft() - QPointF(12, 12)), view.mapFromScene(box.bottomRight())
    QTest.mousePress(view.viewport(), LEFT, SHIFT, start)
    QTest.mouseMove(view.viewport(), stop)
    QTest.mouseRelease(view.viewport(), LEFT, SHIFT, stop)
    assert view.scene().selected == ("x", "h2", "out")
    QTest.mousePress(view.viewport(), LEFT, SHIFT, neuron(view, "h2", 0))
    QTest.mouseMove(view.viewport(), neuron(view, "h2", 0) + QPoint(30, 30))
    QTest.mouseRelease(view.viewport(), LEFT, SHIFT, neuron(view, "h2", 0) + QPoint(30, 30))
    assert view.scene().selected == ("x", "out") and not any(name == "move_requested" for name, *_ in emitted)


def test_the_space_bar_lets_the_left_button_move_the_picture(qtbot, view, emitted):
    before = neuron(view, "x", 0)
    qtbot.keyPress(view, Qt.Key.Key_Space)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, before)
    QTest.mouseMove(view.viewport(), before + QPoint(25, -15))
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, before + QPoint(25, -15))
    qtbot.keyRelease(view, Qt.Key.Key_Space)
    assert neuron(view, "x", 0) - before == QPoint(25, -15) and emitted == []
    drag(view, before, before + QPoint(10, 10))
    assert emitted != [], "the button selects and drags again"


# --- what is given up ---


GRIPS = {
    "layers": lambda view: neuron(view, "h2", 0),
    "link": lambda view: port(view, "h2", 1),
    "end": lambda view: end_of(view, "h2", "s", 1),
    "band": lambda view: QPoint(3, 3),
}


@pytest.mark.parametrize("grip", GRIPS)
def test_an_edit_gives_up_what_is_under_way(qtbot, grip):
    view, smaller = open_view(qtbot, residual()), edits.remove_layers(residual(), ("h2",))
    view.scene().mark(selected=("h2",), selected_links=(Link("h2", "s"),))
    start = GRIPS[grip](view)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    for way in (QPoint(30, 20), QPoint(60, 40)):
        QTest.mouseMove(view.viewport(), start + way)
    seen = []
    for signal in (view.connect_requested, view.reconnect_requested, view.move_requested, view.splice_requested, view.node_requested):
        signal.connect(lambda *values: seen.append(values))
    view.set_experiment(smaller, examine(smaller))
    before = view.grab().toImage()
    QTest.mouseMove(view.viewport(), start + QPoint(80, 60))
    QTest.mouseMove(view.viewport(), QPoint(2, 2))
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(2, 2))
    scene = view.scene()
    assert seen == [] and scene.selected == () and not view.hint.isVisible()
    assert (scene.lit, scene.lit_link, scene.linked_from) == (frozenset(), None, "")
    assert set(scene.items()) == {*scene.columns.values(), *scene.links.values()}
    assert scene.places() == open_view(qtbot, smaller).scene().places() and view.grab().toImage() == before


def test_another_button_does_not_disturb_a_drag(qtbot, view, emitted):
    start = neuron(view, "h2", 0)
    places = view.scene().places()
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), start + QPoint(60, 40))
    QTest.mousePress(view.viewport(), Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier, start + QPoint(60, 40))
    assert view.scene().places() != places
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    assert view.scene().places() == places and not any(name == "move_requested" for name, *_ in emitted)


# --- fields on the picture ---


@pytest.mark.parametrize(
    ("text", "first"), [("dr", "Dropout"), ("bn", "Batch norm"), ("norm", "Batch norm"), ("tch", "Batch norm"), ("CON", "Concat")]
)
def test_a_few_letters_find_a_kind(qtbot, text, first):
    view = open_view(qtbot, experiment())
    field = questions.open_kinds(view, QPoint(10, 10), text)
    assert field.list.item(0).text() == first


def test_what_cannot_be_chosen_stands_last_and_says_why():
    choices = [ListEntry("a", "alpha", obstacle="it is full"), ListEntry("b", "alpine"), ListEntry("c", "beta")]
    assert [choice.key for choice in matching(choices, "al")] == ["b", "a"] and matching(choices, "zz") == ()


def test_a_link_is_made_by_key(qtbot):
    view = open_view(qtbot, residual())
    seen = []
    view.connect_requested.connect(lambda *pair: seen.append(pair))
    assert questions.open_partners(view) is None, "nothing is selected"
    view.set_selection(("h2",))
    field = questions.open_partners(view)
    assert field.accessibleName() == "Link h2 to"
    texts = [field.list.item(row).text() for row in range(field.list.count())]
    assert texts[:2] == ["c", "out"] and any(text.startswith("h1 – ") and "circle" in text for text in texts[2:])
    assert max(map(field.list.fontMetrics().horizontalAdvance, texts)) + 12 <= field.list.viewport().width(), "no reason is cut"
    qtbot.keyClicks(field.line, "h1")
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert seen == [] and field.isVisible(), "it cannot be chosen"
    field.line.clear()
    qtbot.keyClick(field.line, Qt.Key.Key_Down)
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert seen == [("h2", "out")] and field.isHidden()


def test_a_double_click_on_a_title_renames(qtbot, view, emitted):
    column = view.scene().columns["h2"]
    title = view.mapFromScene(column.mapToScene(QPointF(0, column.frame().top() + 8)))
    qtbot.mouseDClick(view.viewport(), LEFT, pos=title)
    field = view.viewport().findChild(_inline.NameField)
    assert field.line.text() == "dense 2" and field.line.selectedText() == "dense 2"
    qtbot.keyClicks(field.line, "hidden")
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert emitted[-1] == ("rename_requested", ("h2",), "hidden") and field.isHidden()


def test_several_are_renamed_at_once_and_escape_leaves_them(qtbot, view, emitted):
    view.set_selection(("h1", "h2"))
    field = questions.open_name(view)
    assert field.line.text() == "" and "numbered" in field.line.placeholderText()
    qtbot.keyClicks(field.line, "hidden")
    qtbot.keyClick(field.line, Qt.Key.Key_Escape)
    assert field.isHidden() and not any(name == "rename_requested" for name, *_ in emitted)


# --- layers in a line ---

PLACES = {"a": (0.0, 0.0), "b": (30.0, 200.0), "c": (400.0, 110.0)}


def boxes(size=(40.0, 60.0)):
    return {id: (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2) for id, (x, y) in PLACES.items()}


def test_left_and_top_put_sides_in_one_line():
    left, top = aligned(PLACES, boxes(), "left"), aligned(PLACES, boxes(), "top")
    assert {x for x, _ in left.values()} == {0.0} and [left[id][1] for id in "abc"] == [0.0, 200.0, 110.0]
    assert {y for _, y in top.values()} == {0.0} and top["a"][0] < top["b"][0] < top["c"][0]
    assert top["b"][0] - top["a"][0] >= 40, "what would overlap moves on"


def test_gaps_become_equal_and_the_ends_stay():
    across = aligned(PLACES, boxes(), "across")
    assert [across[id] for id in "abc"] == [(0.0, 0.0), (200.0, 200.0), (400.0, 110.0)]
    down = aligned(PLACES, boxes(), "down")
    assert [down[id][1] for id in "acb"] == [0.0, 100.0, 200.0] and down["b"][0] == 30.0


def test_one_layer_alone_stays_where_it_is():
    assert aligned({"a": (3.0, 4.0)}, boxes(), "left") == {"a": (3.0, 4.0)}


def test_a_port_whose_size_does_not_fit_stays_dark_and_says_so(qtbot):
    kind = "gaussian_latent"
    layers = (layer("input", "x", shape=[1, 8, 8]), layer("flatten", "f"), layer(kind, "a", units=3), layer(kind, "out", units=10))
    document = experiment(
        *layers, links=[("x", "f"), ("f", "a")], data="digits", canvas={"x": (0, 0), "f": (200, 0), "a": (400, 0), "out": (300, 300)}
    )
    view = open_view(qtbot, document)
    view.set_selection(("x",))
    start = port(view, "x", 1)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), view.mapFromScene(view.scene().columns["out"].pos()))
    assert view.scene().lit == frozenset() and "[1, 8, 8] comes in" in view.hint.text()
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    view.set_selection(("f",))
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, port(view, "f", 1))
    QTest.mouseMove(view.viewport(), view.mapFromScene(view.scene().columns["out"].pos()))
    assert view.scene().lit == {"out"} and not view.hint.isVisible()
