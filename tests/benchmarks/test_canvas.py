"""The canvas with 300 layers: panning and dragging stay within a frame, told beside a bare QPainter that paints as much."""

from __future__ import annotations

from itertools import count
from time import process_time

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from nnviz.document.shapes.report import examine
from nnviz.ui.network.layer_figures import Figures, LayerFigures
from nnviz.ui.network.network_view import NetworkView
from tests.benchmarks.sketches import Sketch
from tests.ui.network.networks import experiment, layer

BRANCHES, DEPTH = 13, 23
FRAMES = 40
PLAIN, NO_MODIFIER = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SKETCHES = {
    "fitted": Sketch(1000, 560, cards=1200, card=(6, 6), curves=300, words=0),
    "actual size": Sketch(1000, 560, cards=99, card=(36, 36), curves=430, words=180),
}
"""What is to be seen: every unit of every layer, or 33 layers with their numbers."""
PAN_GOALS = {"fitted": 0.4, "actual size": 1.0}
DRAG_GOALS = {"fitted": 0.2, "actual size": 0.9}


def network():
    """An input and 13 chains of 23 dense layers behind it: 300 layers."""
    layers, links = [layer("input", "x", shape=[4])], []
    for branch in range(BRANCHES):
        before = "x"
        for depth in range(DEPTH):
            id = f"h{branch}_{depth}"
            layers.append(layer("dense", id, units=4, activation="relu"))
            links.append((before, id))
            before = id
    return experiment(*layers, links=links)


@pytest.fixture(params=SKETCHES)
def size(request) -> str:
    return request.param


@pytest.fixture
def view(qtbot, size):
    document, random = network(), np.random.default_rng(0)
    view = NetworkView()
    qtbot.addWidget(view)
    view.resize(1000, 560)
    view.show()
    view.set_experiment(document, examine(document))
    values = {one.id: LayerFigures(0, random.normal(size=4)) for one in document.network}
    weights = {
        f"{one.id}.{name}": random.normal(size=size) for one in document.network for name, size in (("weight", (4, 4)), ("bias", (4,)))
    }
    view.figures = Figures(values, weights, 3.0, 3.0, 3.0)
    view.scene().show_figures(view.figures, ())
    if size == "actual size":
        view.show_natural_size(view.scene().columns["h5_10"].pos())
    qtbot.waitExposed(view)
    QCoreApplication.processEvents()
    return view


def p95(act) -> float:
    """Return the processor seconds of the frame that 95 of 100 are quicker than, each painted; `act` is given the frame's number."""
    seconds = []
    for frame in range(FRAMES):
        start = process_time()
        act(frame)
        QCoreApplication.processEvents()
        seconds.append(process_time() - start)
    return sorted(seconds)[int(0.95 * FRAMES)]


def test_panning(measure, view, size):
    viewport, start = view.viewport(), QPoint(500, 280)
    QTest.mousePress(viewport, Qt.MouseButton.MiddleButton, NO_MODIFIER, start)

    def frames() -> float:
        return p95(lambda frame: QTest.mouseMove(viewport, start + QPoint(3 * (frame % 7), 2 * (frame % 5))))

    measure(f"a frame of panning 300 layers, {size}, beside bare painting", frames, SKETCHES[size].seconds, PAN_GOALS[size], rounds=3)
    QTest.mouseRelease(viewport, Qt.MouseButton.MiddleButton, NO_MODIFIER, start)


def test_dragging_a_layer(measure, view, size):
    viewport, column = view.viewport(), view.scene().columns["h5_10"]
    start, places = view.mapFromScene(column.pos() + QPointF(0, column.face.unit_y(1))), count()
    QTest.mousePress(viewport, PLAIN, NO_MODIFIER, start)

    def frames() -> float:
        return p95(lambda _: QTest.mouseMove(viewport, start + QPoint(10 + 5 * (next(places) % 7), 10)))

    measure(
        f"a frame of dragging one of 300 layers, {size}, beside bare painting", frames, SKETCHES[size].seconds, DRAG_GOALS[size], rounds=3
    )
    assert column.pos() != view.experiment.canvas.get("h5_10")
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(viewport, PLAIN, NO_MODIFIER, start)


def test_an_edit_of_a_large_net_is_shown_at_once(measure, view, size):
    """Linear work only: ten times the layers of a usual net must not take a hundred times as long."""
    small = experiment(layer("input", "x", shape=[4]), *(layer("dense", f"h{place}", units=4, activation="relu") for place in range(29)))
    small_view, reports = NetworkView(), (examine(view.experiment), examine(small))

    def shown(one, document, report) -> float:
        start = process_time()
        one.set_experiment(document, report)
        return process_time() - start

    measure(
        f"showing an edit of 300 layers, {size}, beside one of 30 layers",
        lambda: shown(view, view.experiment, reports[0]),
        lambda: shown(small_view, small, reports[1]),
        goal=40,
    )
