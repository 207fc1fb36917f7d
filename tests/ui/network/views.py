"""The network picture on a screen of its own, and where on it things are; for the tests that click, drag and type on it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from nnviz.document.network import Link
from nnviz.document.shapes.report import examine
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.network.network_view import NetworkView

LEFT = Qt.MouseButton.LeftButton


def open_view(qtbot, document, trace=None, cursor=None, size=(1100, 700)):
    view = NetworkView()
    qtbot.addWidget(view)
    view.resize(*size)
    view.show()
    view.set_experiment(document, examine(document))
    if trace is not None:
        index = TraceIndex(trace)
        view.set_trace_state(TraceState(index, index.length if cursor is None else cursor))
    QApplication.processEvents()
    return view


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
