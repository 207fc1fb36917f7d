"""The network picture: what it shows, and how it is looked at."""

import gc
import weakref

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nnviz.document.network import Link
from nnviz.document.shapes.report import examine
from nnviz.records.trace_state import TraceState
from nnviz.ui.network import _tips, questions
from nnviz.ui.network.network_view import NetworkView
from nnviz.ui.network.picking import PointerTarget
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from tests.ui.network.networks import digits, dropout_net, experiment, layer, residual
from tests.ui.network.views import LEFT, curve, hover, neuron, open_view


def test_a_click_on_a_neuron_selects_its_layer_and_asks_for_its_node(qtbot, view, emitted):
    qtbot.mouseClick(view.viewport(), LEFT, pos=neuron(view, "h1", 2))
    relu = next(node.id for node in view.state.index.trace.nodes if node.label == "relu" and node.module == "h1")
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
    text = _tips.tip(view.hit_at(curve(view, "x", "h1", (3, 1))), view.scene())
    assert text.startswith("dense 1.weight[3, 1]") and f"{abs(weight):.3f}"[:4] in text
    assert "a = " in _tips.tip(PointerTarget("neuron", "h1", 0), view.scene())
    assert "20 parameters" in _tips.tip(PointerTarget("layer", "h2"), view.scene())
    assert "dense 1.bias[1] = " in _tips.tip(PointerTarget("bias", "h1", 1), view.scene())
    assert _tips.tip(PointerTarget("curve", link=Link("h2", "d1"), curve=0), view.scene()).startswith("dense 2 → dropout\nvalues pass")
    assert "begin at" in _tips.tip(PointerTarget("end", link=Link("h2", "d1"), side=-1), view.scene())
    assert _tips.tip(PointerTarget(), view.scene()) == ""


def test_no_tooltip_names_an_internal_id(view):
    hits = [
        PointerTarget("neuron", "h2", 1),
        PointerTarget("bias", "h2", 1),
        PointerTarget("layer", "h2"),
        PointerTarget("port", "h2", side=1),
    ]
    hits += [PointerTarget("curve", link=link, curve=0) for link in view.scene().links] + [
        PointerTarget("end", link=Link("h1", "h2"), side=1)
    ]
    for hit in hits:
        words = _tips.tip(hit, view.scene()).replace("[", " ").replace(".", " ").split()
        assert words and not {"h1", "h2", "d1"} & set(words)


def test_edges_show_what_the_update_adds(view):
    view.set_coloring("update")
    index = view.state.index
    made = next(update for update in index.trace.updates if update.parameter == "h2.weight")
    expected = index.array(made.after) - index.array(made.before)
    assert (view.figures.weights["h2.weight"] == expected).all() and view.figures.layers["h2"].values is not None
    assert "Δw = " in _tips.tip(PointerTarget("curve", link=Link("h1", "h2"), curve=0), view.scene())
    view.set_trace_state(TraceState(index, 5))
    assert "h2.weight" not in view.figures.weights, "it is not updated yet"


def test_names_are_never_read_as_markup(qtbot):
    view = open_view(qtbot, experiment(layer("input", "x", "<b>x</b>")))
    assert "<b>x</b> · Input" in _tips.tip(PointerTarget("layer", "x"), view.scene())


def test_new_numbers_are_painted_in_place(view):
    items = set(view.scene().items())
    before = view.grab().toImage()
    view.set_trace_state(TraceState(view.state.index, view.state.cursor, 1))
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
    apply_theme(QApplication.instance(), theme)
    view.set_trace_state(TraceState(view.state.index, view.state.index.length))
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
        questions.open_kinds(view, QPoint(10, 10), "d")
    QApplication.processEvents()
    gc.disable()
    try:
        there = weakref.ref(view)
        del view
        assert there() is None
    finally:
        gc.enable()


def test_the_map_of_a_large_network_leads_elsewhere(qtbot):
    view = open_view(qtbot, experiment(layer("input", "x", shape=[2]), *(layer("dense", f"h{place}", units=3) for place in range(30))))
    assert view.map_rect().isEmpty(), "all of it is seen"
    turn(view, QPoint(100, 300), 8)
    place = view.map_rect()
    assert not place.isEmpty() and "h29" not in seen_layers(view)
    qtbot.mouseClick(view.viewport(), LEFT, pos=QPoint(place.right() - 8, place.center().y()))
    assert "h29" in seen_layers(view) and "x" not in seen_layers(view)


def seen_layers(view):
    return {id for id in view.scene().columns if view.seen().intersects(view.scene().box_of(id))}
