"""The network picture where something is wrong, missing, large or small."""

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QRegion
from PySide6.QtTest import QTest

from nnviz.document.network import Link, Network
from nnviz.document.shapes.report import examine
from nnviz.records.trace_index import TraceIndex
from nnviz.ui.network import _inline, _tips, badges, overlays
from nnviz.ui.network.neurons import number_size
from nnviz.ui.network.picking import PointerTarget
from nnviz.ui.theme.colors import LIGHT
from tests.ui import traces
from tests.ui.network.networks import digits, dropout_net, experiment, layer
from tests.ui.network.views import LEFT, curve, neuron, open_view


def test_problems_stand_at_their_layer_with_the_cure(qtbot):
    document = experiment(
        layer("input", "x", shape=[1, 8, 8]), layer("dense", "h1", units=3), layer("dense", "out", units=10), data="digits"
    )
    view = open_view(qtbot, document)
    (problem,) = view.scene().columns["out"].problems
    assert problem.endswith("and this layer puts out [1, 8, 10]. Add a Flatten layer before h1.")
    assert "Flatten" in _tips.tip(PointerTarget("layer", "out"), view.scene())
    column = view.scene().columns["out"]
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
    assert view.viewport().findChild(_inline.SearchField).list.item(0).text() == "Input"


def test_the_invitation_goes_as_soon_as_a_layer_is_there(qtbot):
    view, painted = open_view(qtbot, experiment()), QRegion()
    view.grab()

    class Recorder(QObject):
        def eventFilter(self, watched, event):
            nonlocal painted
            painted = painted.united(event.region()) if event.type() == QEvent.Type.Paint else painted
            return False

    recorder = Recorder()
    view.viewport().installEventFilter(recorder)
    document = experiment(layer("input", "x", shape=[2]), canvas={"x": (0.0, 0.0)})
    view.set_experiment(document, examine(document))
    qtbot.waitUntil(lambda: painted.boundingRect().contains(view.viewport().rect()))
    view.viewport().removeEventFilter(recorder)


def test_values_that_travelled_as_a_measure_are_drawn_as_a_histogram(qtbot):
    trace = traces.mlp((64, 32, 10))
    large = traces.node(trace, "relu")
    nodes = list(trace.nodes)
    value = TraceIndex(trace).array(nodes[large].value)
    nodes[large] = msgspec.structs.replace(nodes[large], value=traces.measured(value))
    view = open_view(qtbot, digits(), msgspec.structs.replace(trace, nodes=tuple(nodes)))
    assert view.figures.layers["h1"].values is None and view.figures.layers["h1"].measure.count == value.size
    assert not view.grab().isNull()


def test_numbers_that_are_not_finite_are_said_in_words(qtbot):
    trace = traces.dropout_net()
    relu = traces.node(trace, "relu")
    nodes = list(trace.nodes)
    value = TraceIndex(trace).array(nodes[relu].value).copy()
    value[0, 0], value[0, 1] = float("nan"), float("inf")
    nodes[relu] = msgspec.structs.replace(nodes[relu], value=traces.tensor(value))
    view = open_view(qtbot, dropout_net(), msgspec.structs.replace(trace, nodes=tuple(nodes)))
    said = [_tips.tip(PointerTarget("neuron", "h1", unit), view.scene()) for unit in (0, 1)]
    assert "NaN" in said[0] and "∞" in said[1]
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


def test_a_sentence_stands_at_its_layer_wherever_there_is_room():
    frame = QRectF(0, 0, 60, 120)
    under, above = QRectF(-400, 124, 800, 400), QRectF(-400, -404, 800, 400)
    beside = badges.free_place(frame, "2 layers end the network; only one can be the output.", [under, above])
    assert 0 < beside.left() - frame.right() < 20 and frame.top() < beside.center().y() < frame.bottom()
    neighbour = QRectF(70, 0, 60, 400)
    shifted = badges.free_place(frame, "Nothing leads into this layer.", [neighbour])
    assert not shifted.intersects(neighbour) and (shifted.top() == frame.bottom() + 4 or shifted.bottom() == frame.top() - 4)


def test_a_selected_link_keeps_the_colours_of_its_signs(qtbot):
    view = open_view(qtbot, dropout_net(), traces.dropout_net())
    link = Link("h1", "h2")
    item = view.scene().links[link]
    strongest = int(np.argmax([abs(item.weight(number)) for number in range(len(item.course.points))]))
    points = item.course.points[strongest]
    place = view.mapFromScene(QPointF(*points[int(0.7 * len(points))]))
    before = view.grab().toImage().pixelColor(place)
    view.scene().mark(selected_links=(link,))
    after = view.grab().toImage().pixelColor(place)
    assert max(abs(one - other) for one, other in zip(before.getRgb(), after.getRgb(), strict=True)) < 24


def test_what_lies_in_the_box_of_a_selection_can_be_seen(view):
    place = neuron(view, "h1", 0) + QPoint(12, 0)
    before = view.viewport().grab().toImage().pixelColor(place)
    QTest.mousePress(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(3, 3))
    for corner in (QPoint(100, 100), QPoint(800, 600)):
        QTest.mouseMove(view.viewport(), corner)
    image = view.viewport().grab().toImage()
    QTest.mouseRelease(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(800, 600))
    assert image.pixelColor(QPoint(60, 60)) != view.viewport().grab().toImage().pixelColor(QPoint(60, 60)), "the box is seen"
    assert max(abs(one - other) for one, other in zip(before.getRgb(), image.pixelColor(place).getRgb(), strict=True)) < 48


@pytest.mark.parametrize("links", [[("x", "h1"), ("h1", "h2"), ("h2", "h1"), ("h2", "out")], [("x", "h1"), ("h1", "h1"), ("h1", "out")]])
def test_a_network_with_a_circle_is_drawn_with_its_problem(qtbot, links):
    ids = dict.fromkeys(end for link in links for end in link)
    layers = [layer("input", "x", shape=[2]) if id == "x" else layer("dense", id, units=2) for id in ids]
    view = open_view(qtbot, experiment(*layers, links=links))
    assert not view.grab().isNull() and view.scene().columns["h1"].problems


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
        canvas=places | {"d9": (places["h1"][0], places["h1"][1] + 244.0)},
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
    overlays.paint_scales(painter, image.rect(), LIGHT, view.figures)
    painter.end()
    assert painted and all(rect.left() >= 0 and rect.right() <= width + 2 for rect in painted)


def test_a_warning_is_a_quiet_mark_with_its_cure_in_the_tip(qtbot):
    document = experiment(layer("input", "x"), layer("dense", "out", units=2, activation="softmax"))
    view = open_view(qtbot, document)
    column = view.scene().columns["out"]
    assert column.problems == () and "applies softmax itself" in column.warnings[0]
    assert "Set activation to identity" in _tips.tip(PointerTarget("layer", "out"), view.scene())
    corner = view.mapFromScene(column.mapToScene(column.frame().topRight() + QPointF(-5, 0)))
    assert view.grab().toImage().pixelColor(corner).name() == LIGHT.muted.lower()
