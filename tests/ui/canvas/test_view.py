"""The network picture, really clicked, dragged and typed on."""

import gc
import weakref

import msgspec
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from nnviz.document.network import Link, Network
from nnviz.document.shapes import examine
from nnviz.session.moment import Moment
from nnviz.session.reading import Reading
from nnviz.ui.canvas import inline, legend, menus, tips
from nnviz.ui.canvas.drops import mime
from nnviz.ui.canvas.neurons import bias_dot, number_size
from nnviz.ui.canvas.picking import Hit
from nnviz.ui.canvas.view import NetworkView
from nnviz.ui.theme import DARK, LIGHT
from tests.ui import traces
from tests.ui.canvas.networks import digits, dropout_net, experiment, layer, residual

LEFT = Qt.MouseButton.LeftButton


def open_view(qtbot, document, trace=None, cursor=None, size=(1100, 700)):
    view = NetworkView()
    qtbot.addWidget(view)
    view.resize(*size)
    view.show()
    view.set_experiment(document, examine(document))
    if trace is not None:
        reading = Reading(trace)
        view.set_moment(Moment(reading, reading.length if cursor is None else cursor))
    QApplication.processEvents()
    return view


@pytest.fixture
def view(qtbot):
    return open_view(qtbot, dropout_net(), traces.dropout_net())


@pytest.fixture
def emitted(view):
    """Everything the view emits, as (signal, arguments)."""
    seen = []
    for name in ("selected_changed", "node_requested", "add_requested", "insert_requested", "connect_requested", "disconnect_requested"):
        getattr(view, name).connect(lambda *values, name=name: seen.append((name, *values)))
    for name in ("delete_requested", "move_requested", "weight_requested", "neuron_hovered"):
        getattr(view, name).connect(lambda *values, name=name: seen.append((name, *values)))
    return seen


def neuron(view, id, unit) -> QPoint:
    column = view.scene().columns[id]
    return view.mapFromScene(column.mapToScene(QPointF(0, column.face.unit_y(unit))))


def port(view, id, side) -> QPoint:
    column = view.scene().columns[id]
    return view.mapFromScene(column.mapToScene(column.port(side)))


def curve(view, source, target, pair, share=0.7) -> QPoint:
    course = view.scene().links[Link(source, target)].course
    points = course.points[course.pairs.index(pair)]
    return view.mapFromScene(QPointF(*points[int(share * len(points))]))


def hover(view, place):
    QTest.mouseMove(view.viewport(), QPoint(2, 2))
    QTest.mouseMove(view.viewport(), place)


def drag(view, start, stop):
    hover(view, start)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    for step in range(1, 6):
        QTest.mouseMove(view.viewport(), start + (stop - start) * step / 5)
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, stop)


# --- looking ---


def test_a_click_on_a_neuron_selects_its_layer_and_asks_for_its_node(qtbot, view, emitted):
    qtbot.mouseClick(view.viewport(), LEFT, pos=neuron(view, "h1", 2))
    relu = next(node.id for node in view.moment.reading.trace.nodes if node.label == "relu" and node.module == "h1")
    assert ("selected_changed", ("h1",)) in emitted and ("node_requested", relu) in emitted


def test_hovering_a_neuron_tells_which_and_keeps_only_its_edges(view, emitted):
    hover(view, neuron(view, "h2", 1))
    assert ("neuron_hovered", "h2", 1) in emitted
    into, out_of, other = (view.scene().links[Link(*pair)] for pair in (("h1", "h2"), ("h2", "d1"), ("x", "h1")))
    assert into._stands_out(into.course.pairs.index((1, 0))) and not into._stands_out(into.course.pairs.index((0, 0)))
    assert out_of._stands_out(out_of.course.pairs.index((1, 1))) and not other._stands_out(0)
    QApplication.sendEvent(view.viewport(), QEvent(QEvent.Type.Leave))
    assert emitted[-1] == ("neuron_hovered", "", -1) and other._stands_out(0)


def test_tooltips_tell_the_number_under_the_mouse(view):
    weight = view.figures.weights["h1.weight"][3, 1]
    text = tips.tip(view.gestures.hit_at(curve(view, "x", "h1", (3, 1))), view)
    assert text.startswith("h1.weight[3, 1]") and f"{abs(weight):.3f}"[:4] in text
    assert "a = " in tips.tip(Hit("neuron", "h1", 0), view)
    assert "20 parameters" in tips.tip(Hit("layer", "h2"), view)
    assert "h1.bias[1] = " in tips.tip(Hit("bias", "h1", 1), view)
    assert tips.tip(Hit(), view) == ""


def test_names_are_never_read_as_markup(qtbot):
    view = open_view(qtbot, experiment(layer("input", "x", "<b>x</b>")))
    assert "&lt;b&gt;" in tips.tip(Hit("layer", "x"), view)


def test_new_numbers_are_painted_in_place(view):
    items = set(view.scene().items())
    before = view.grab().toImage()
    view.set_moment(Moment(view.moment.reading, view.moment.cursor, 1))
    assert set(view.scene().items()) == items
    assert view.grab().toImage() != before


def test_the_class_names_and_the_probability_stand_beside_the_output(view):
    view.set_class_names(("upper", "lower"))
    labels = view.scene().columns["out"].labels
    assert labels[0].startswith("upper 0.") or labels[0].startswith("upper 1.")
    assert sum(float(label.split()[1]) for label in labels) == pytest.approx(1, abs=0.011)


def test_gradient_coloring_shows_gradients(view):
    values = view.figures.layers["h2"].values
    view.set_coloring("gradient")
    assert view.figures.coloring == "gradient" and (view.figures.layers["h2"].values != values).any()
    assert view.scene().columns["out"].labels == ("class 0", "class 1")


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_colours_are_those_of_the_theme(view, theme):
    view.set_theme(theme)
    view.set_moment(Moment(view.moment.reading, view.moment.reading.length))
    picture = view.grab().toImage()
    assert picture.pixelColor(2, 2).name() == theme.panel.lower()
    column = view.scene().columns["h1"]
    unit = int(column.figures.values.argmax())
    place = neuron(view, "h1", unit) + QPoint(0, round(-column.face.radius * 0.75 * view.transform().m11()))
    assert picture.pixelColor(place).name() == theme.diverging(column.figures.values[unit], view.figures.value_limit).name()


@pytest.mark.parametrize("document", [dropout_net(), residual(), digits(), experiment()])
@pytest.mark.parametrize("size", [(830, 230), (300, 700), (160, 100)])
def test_everything_fits_into_the_view(qtbot, document, size):
    view = open_view(qtbot, document, size=size)
    seen = view.mapToScene(view.viewport().rect()).boundingRect()
    content = view.scene().content_rect()
    assert seen.contains(content if not content.isEmpty() else content.center())
    assert not view.grab().isNull()


def turn(view, place, notches):
    """Turn the wheel over a place of the viewport."""
    released, none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    at = QPointF(place), QPointF(view.viewport().mapToGlobal(place))
    event = QWheelEvent(*at, QPoint(), QPoint(0, 120 * notches), released, none, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(view.viewport(), event)


def test_the_wheel_zooms_about_the_mouse_and_home_fits_again(qtbot, view):
    fitted, place = view.transform().m11(), neuron(view, "h2", 1)
    turn(view, place, 3)
    zoomed = view.transform().m11()
    assert zoomed > 1.4 * fitted and (neuron(view, "h2", 1) - place).manhattanLength() <= 2
    view.resize(900, 600)
    assert view.transform().m11() == zoomed
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.transform().m11() < fitted


def test_the_middle_button_moves_the_picture(view):
    before = neuron(view, "x", 0)
    QTest.mousePress(view.viewport(), Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier, QPoint(500, 600))
    QTest.mouseMove(view.viewport(), QPoint(530, 580))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier, QPoint(530, 580))
    assert neuron(view, "x", 0) - before == QPoint(30, -20)


@pytest.mark.parametrize("field", [False, True])
def test_nothing_keeps_the_view_alive_once_it_is_dropped(qapp, field):
    """A view in a cycle would be collected at any time, even while it paints."""
    view = NetworkView()
    view.set_experiment(dropout_net(), examine(dropout_net()))
    view.show()
    if field:
        inline.open_kinds(view, QPoint(10, 10), "d")
    QApplication.processEvents()
    gc.disable()
    try:
        there = weakref.ref(view)
        del view
        assert there() is None
    finally:
        gc.enable()


# --- building ---


def test_dragging_a_layer_snaps_and_asks_once_and_keeps_the_others(view, emitted):
    places = view.scene().places()
    start = neuron(view, "h2", 0)
    drag(view, start, start + QPoint(13, 51))
    moves = [values for name, *values in emitted if name == "move_requested"]
    assert len(moves) == 1 and not any(name == "node_requested" for name, *_ in emitted)
    asked = moves[0][0]
    assert asked["h2"] != places["h2"] and all(x % 4 == 0 and y % 4 == 0 for x, y in asked.values())
    assert {id: asked[id] for id in asked if id != "h2"} == {id: places[id] for id in places if id != "h2"}
    view.set_experiment(msgspec.structs.replace(view.experiment, canvas=asked), view.report)
    assert view.scene().places() == asked


def test_escape_takes_a_drag_back(qtbot, view, emitted):
    places = view.scene().places()
    start = neuron(view, "h2", 0)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), start + QPoint(50, 50))
    assert view.scene().places() != places
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert view.scene().places() == places
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start + QPoint(50, 50))
    assert not any(name == "move_requested" for name, *_ in emitted)


def test_wiring_lights_up_what_fits_and_asks_for_the_link(qtbot):
    view = open_view(qtbot, residual())
    seen = []
    view.connect_requested.connect(lambda *pair: seen.append(pair))
    view.set_selection(("x",))
    start = port(view, "x", 1)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(view.viewport(), start + QPoint(30, 0))
    assert view.scene().lit == {"s", "h2", "out"}
    target = neuron(view, "s", 1)
    QTest.mouseMove(view.viewport(), target)
    view.grab()
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, target)
    assert seen == [("x", "s")] and view.scene().lit == frozenset()
    drag(view, port(view, "x", 1), neuron(view, "out", 0))
    assert seen[1:] == [("x", "out")], "it takes the place of the link that is there"
    view.set_selection(("out",))
    drag(view, port(view, "out", 1), neuron(view, "h1", 0))
    assert seen[2:] == [("out", "h1")], "it does not fit, and whoever refuses it says why"
    drag(view, port(view, "out", 1), QPoint(3, 3))
    assert len(seen) == 3


def test_wiring_backwards_from_an_input_port(qtbot):
    view = open_view(qtbot, residual())
    seen = []
    view.connect_requested.connect(lambda *pair: seen.append(pair))
    view.set_selection(("s",))
    drag(view, port(view, "s", -1), neuron(view, "x", 0))
    assert seen == [("x", "s")]


def test_delete_asks_for_layers_and_for_links(qtbot, view, emitted):
    view.set_selection(("h1", "d1"))
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert emitted == [("delete_requested", ("h1", "d1"))]
    emitted.clear()
    qtbot.mouseClick(view.viewport(), LEFT, pos=curve(view, "h2", "d1", (0, 0), 0.5))
    qtbot.keyClick(view, Qt.Key.Key_Backspace)
    assert ("disconnect_requested", [Link("h2", "d1")]) in emitted


def test_a_box_selects_what_it_touches(view, emitted):
    left, right = view.scene().box_of("h1"), view.scene().box_of("h2")
    drag(view, view.mapFromScene(left.topLeft() - QPointF(30, 30)), view.mapFromScene(right.bottomRight() + QPointF(4, 4)))
    assert emitted[-1] == ("selected_changed", ("h1", "h2"))


def test_an_edge_is_clicked_and_a_new_weight_typed(qtbot, view, emitted):
    qtbot.mouseClick(view.viewport(), LEFT, pos=curve(view, "x", "h1", (3, 1)))
    field = view.viewport().findChild(inline.WeightField)
    assert field.isVisible() and field.box.value() == pytest.approx(view.figures.weights["h1.weight"][3, 1])
    qtbot.keyClicks(field.box, "-1.5e-1")
    qtbot.keyClick(field.box, Qt.Key.Key_Return)
    assert emitted[-1] == ("weight_requested", "h1.weight", (3, 1), -0.15)
    assert field.isHidden()


def test_escape_leaves_a_weight_as_it_was(qtbot, view, emitted):
    column = view.scene().columns["h1"]
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.mapFromScene(column.mapToScene(bias_dot(column.face, 2))))
    field = view.viewport().findChild(inline.WeightField)
    assert field.accessibleName() == "" and "h1.bias[2]" in field.box.accessibleName()
    qtbot.keyClicks(field.box, "3")
    qtbot.keyClick(field.box, Qt.Key.Key_Escape)
    assert field.isHidden() and not any(name == "weight_requested" for name, *_ in emitted)


def test_typing_on_the_picture_finds_a_layer_and_enter_adds_it(qtbot, view, emitted):
    view.setFocus()
    qtbot.keyClicks(view, "d")
    field = view.viewport().findChild(inline.KindField)
    qtbot.keyClicks(field.line, "ro")
    assert [field.list.item(row).text() for row in range(field.list.count())] == ["Dropout", "Spatial dropout"]
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    name, kind, place, after = emitted[-1]
    assert (name, kind, after) == ("add_requested", "dropout", "") and isinstance(place, QPointF)
    assert field.isHidden()


def test_with_one_layer_selected_the_new_one_goes_behind_it(qtbot, view, emitted):
    view.set_selection(("h1",))
    field = inline.open_kinds(view, QPoint(10, 10), "tch")
    assert field.list.item(0).text() == "Batch norm"
    field.list.itemClicked.emit(field.list.item(0))
    assert emitted[-1][1] == "batch_norm" and emitted[-1][3] == "h1"


def drop(view, kind, place):
    """Drag a kind of layer in, over a place, and let it go there. Returns whether it was taken."""
    data, rest = mime(kind), (LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view.viewport(), QDragEnterEvent(place, Qt.DropAction.CopyAction, data, *rest))
    QApplication.sendEvent(view.viewport(), QDragMoveEvent(place, Qt.DropAction.CopyAction, data, *rest))
    event = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, *rest)
    QApplication.sendEvent(view.viewport(), event)
    return event.isAccepted()


def test_a_drop_on_a_link_inserts_and_elsewhere_adds(view, emitted):
    assert drop(view, "dropout", curve(view, "h1", "h2", (1, 1), 0.5))
    assert emitted[-1] == ("insert_requested", "dropout", "h1", "h2")
    assert drop(view, "dense", QPoint(550, 690))
    assert emitted[-1][:2] == ("add_requested", "dense")
    assert drop(view, "add", curve(view, "h1", "h2", (1, 1), 0.5))
    assert emitted[-1][:2] == ("add_requested", "add"), "a kind with two inputs does not fit on a link"
    assert view.scene().lit_link is None


def test_only_looking_changes_nothing(qtbot, view, emitted):
    view.set_editable(False)
    start = neuron(view, "h2", 0)
    drag(view, start, start + QPoint(60, 40))
    view.set_selection(("h1",))
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    qtbot.keyClicks(view, "d")
    assert not drop(view, "dense", QPoint(550, 690))
    assert {name for name, *_ in emitted} <= {"selected_changed", "neuron_hovered", "node_requested"}
    assert view.viewport().findChild(inline.KindField) is None


def test_keys_walk_and_move(qtbot, view, emitted):
    view.setFocus()
    for id in ("x", "h1", "h2"):
        qtbot.keyClick(view, Qt.Key.Key_Tab)
        assert emitted[-1] == ("selected_changed", (id,))
    qtbot.keyClick(view, Qt.Key.Key_Backtab)
    assert view.scene().selected == ("h1",)
    before = view.scene().places()["h1"]
    qtbot.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert emitted[-1][0] == "move_requested" and emitted[-1][1]["h1"] == (before[0] + 20, before[1])
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert emitted[-1][0] == "node_requested"
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert emitted[-1] == ("selected_changed", ())


def test_the_menu_offers_what_fits_the_place(view, emitted):
    texts = [action.text().split("\t")[0] for action in menus.build_menu(view, Hit("layer", "h1"), QPoint()).actions()]
    assert {"Show in the graph", "Add behind", "Disconnect", "Delete", "Fit"} <= set(texts)
    menu = menus.build_menu(view, Hit("curve", link=Link("h1", "h2"), curve=0), QPoint())
    insert = next(below for below in menu.findChildren(QMenu) if below.title() == "Insert")
    next(action for action in insert.actions() if action.text() == "Layer norm").trigger()
    assert emitted[-1] == ("insert_requested", "layer_norm", "h1", "h2")
    tidy = next(action for action in menus.build_menu(view, Hit(), QPoint()).actions() if action.text() == "Tidy up")
    tidy.trigger()
    assert emitted[-1] == ("move_requested", view.scene().places())


# --- change and trouble ---


def test_problems_stand_at_their_layer_with_the_cure(qtbot):
    document = experiment(
        layer("input", "x", shape=[1, 8, 8]), layer("dense", "h1", units=3), layer("dense", "out", units=10), data="digits"
    )
    view = open_view(qtbot, document)
    assert view.scene().columns["h1"].problems == ("A dense layer takes a vector, and [1, 8, 8] comes in. Add a Flatten layer before it.",)
    assert "Flatten" in tips.tip(Hit("layer", "h1"), view)
    column = view.scene().columns["h1"]
    corner = view.mapFromScene(column.mapToScene(column.frame().topRight() + QPointF(-5, 0)))
    assert view.grab().toImage().pixelColor(corner).name() == LIGHT.loss.lower()


def test_a_changed_network_keeps_the_items_of_what_stays(view):
    kept = view.scene().columns["h1"]
    network = view.experiment.network
    layers = tuple(layer for layer in network if layer.id != "d1")
    links = (*(link for link in network.links if "d1" not in (link.source, link.target)), Link("h2", "out"))
    document = msgspec.structs.replace(view.experiment, network=Network(layers, links))
    view.set_selection(("d1", "h1"))
    view.set_experiment(document, examine(document))
    assert view.scene().columns["h1"] is kept and "d1" not in view.scene().columns
    assert set(view.scene().links) == set(links) and view.scene().selected == ("h1",)
    assert view.accessibleDescription() == "2 → 4 → 4 → 2 · 42 parameters"


def test_an_empty_network_can_be_typed_into(qtbot):
    view = open_view(qtbot, experiment())
    view.setFocus()
    qtbot.keyClicks(view, "i")
    assert view.viewport().findChild(inline.KindField).list.item(0).text() == "Input"


def test_values_that_travelled_as_a_measure_are_drawn_as_a_histogram(qtbot):
    trace = traces.mlp((64, 32, 10))
    large = traces.node(trace, "relu")
    nodes = list(trace.nodes)
    value = Reading(trace).array(nodes[large].value)
    nodes[large] = msgspec.structs.replace(nodes[large], value=traces.measured(value))
    view = open_view(qtbot, digits(), msgspec.structs.replace(trace, nodes=tuple(nodes)))
    assert view.figures.layers["h1"].values is None and view.figures.layers["h1"].measure.count == value.size
    assert not view.grab().isNull()


def test_numbers_that_are_not_finite_are_said_in_words(qtbot):
    trace = traces.dropout_net()
    relu = traces.node(trace, "relu")
    nodes = list(trace.nodes)
    value = Reading(trace).array(nodes[relu].value).copy()
    value[0, 0], value[0, 1] = float("nan"), float("inf")
    nodes[relu] = msgspec.structs.replace(nodes[relu], value=traces.tensor(value))
    view = open_view(qtbot, dropout_net(), msgspec.structs.replace(trace, nodes=tuple(nodes)))
    assert "NaN" in tips.tip(Hit("neuron", "h1", 0), view) and "∞" in tips.tip(Hit("neuron", "h1", 1), view)
    assert not view.grab().isNull()


@pytest.mark.parametrize("units", [2, 4, 6])
def test_neurons_show_their_numbers_in_a_low_panel(qtbot, units):
    document = experiment(layer("input", "x", shape=[2]), layer("dense", "h1", units=units), layer("dense", "out", units=2))
    view = open_view(qtbot, document, size=(624, 166))
    diameter = 2 * view.scene().columns["h1"].face.radius * view.transform().m11()
    height, characters = number_size(diameter)
    assert height >= 6.8 and characters >= 3


def test_a_selected_link_glows_along_its_curves_and_not_between_them(qtbot):
    view = open_view(qtbot, dropout_net())
    link = Link("h1", "h2")
    item = view.scene().links[link]
    on = item.course.points[0][10] + (0, 2)
    between = next(point for y in range(500) if item.course.nearest(point := (on[0] - 30, on[1] + y), 9)[0] < 0)
    assert between[1] < item.course.bounds[1][1], "still inside the rectangle around the link"
    places = [view.mapFromScene(QPointF(*point)) for point in (on, between)]
    before = [view.grab().toImage().pixelColor(place) for place in places]
    QTest.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, curve(view, "h1", "h2", (0, 0), 0.5))
    QTest.mouseMove(view.viewport(), QPoint(2, 2))
    assert view.scene().selected_links == (link,)
    after = [view.grab().toImage().pixelColor(place) for place in places]
    assert after[0] != before[0] and after[1] == before[1]
    view.set_selection(())
    assert view.scene().selected_links == ()


def test_what_is_selected_is_forgotten_with_the_document(qtbot):
    view = open_view(qtbot, dropout_net())
    view.set_selection(("x", "h1", "nothing"))
    assert view.scene().selected == ("x", "h1")
    view.set_selection(())
    assert view.scene().selected == () and not any(column.marks.selected for column in view.scene().columns.values())


def test_sentences_of_problems_cover_no_layer_and_no_other_sentence(qtbot):
    loose = [layer("dense", f"h{number}", units=3) for number in range(3)]
    view = open_view(qtbot, experiment(layer("input", "x", shape=[2]), *loose, links=[]))
    columns = list(view.scene().columns.values())
    notes = [column.mapRectToScene(column.note) for column in columns if column.problems]
    frames = [column.mapRectToScene(column.frame()) for column in columns]
    assert len(notes) >= 3
    for number, note in enumerate(notes):
        assert not any(note.intersects(other) for other in notes[:number])
        assert not any(note.intersects(frame) for frame in frames)


def test_a_layer_placed_by_hand_does_not_move_the_picture(qtbot):
    document = dropout_net()
    view = open_view(qtbot, document, size=(1100, 900))
    places = view.scene().places()
    before = view.viewportTransform()
    grown = msgspec.structs.replace(
        document,
        network=Network((*document.network.layers, layer("dropout", "d9")), document.network.links),
        canvas=places | {"d9": (places["h1"][0], places["h1"][1] + 224.0)},
    )
    view.set_experiment(grown, examine(grown))
    assert {id: place for id, place in view.scene().places().items() if id != "d9"} == places
    assert view.scene().places()["d9"] == grown.canvas["d9"]
    assert view.viewportTransform() == before


@pytest.mark.parametrize("width", [170, 260, 400])
def test_the_scales_are_never_cut(view, width):
    painted = []

    class Recorder(QPainter):
        def drawText(self, rect, *rest):
            painted.append(rect)
            super().drawText(rect, *rest)

    image = QImage(width, 40, QImage.Format.Format_RGB32)
    painter = Recorder(image)
    legend.paint(painter, image.rect(), LIGHT, view.figures)
    painter.end()
    assert painted and all(rect.left() >= 0 and rect.right() <= width + 2 for rect in painted)
