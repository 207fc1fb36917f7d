"""Points put and erased on the plane of the answers, in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt

from nnviz.document import edits
from tests.ui.window import opened, wait

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


@pytest.fixture
def plot(window, qtbot):
    window.features.area.show_workspace("train")
    wait(qtbot, lambda: window.features.run.boundary.isVisible() and window.features.run.boundary.points is not None)
    return window.features.run.boundary


def own(window, qtbot, x, y, **settings):
    window.session.edit("Own", edits.choose_data, "table", x=x, y=y, **settings)
    settled(window, qtbot)


def settled(window, qtbot):
    """The plot shows the rows of the document."""
    session, plot = window.session, window.features.run.boundary
    wait(qtbot, lambda: session.run.is_traced and len(plot.points.x) == len(session.experiment.data["x"]))


def at(plot, across: float, up: float) -> QPoint:
    _, x, y = plot._scales(QRectF(plot.rect()))
    return QPoint(round(x(across)), round(y(up)))


def take(plot, key: str) -> None:
    plot.pencil.button.choose(key)


def test_points_are_put_and_erased_and_each_click_is_undone_alone(window, plot, qtbot):
    own(window, qtbot, [[-1.0, -1.0], [1.0, 1.0]], [0, 1])
    take(plot, "1")
    qtbot.mouseClick(plot, LEFT, pos=at(plot, 0.5, -0.5))
    settled(window, qtbot)
    data = window.session.experiment.data
    assert data["y"] == [0, 1, 1] and data["x"][2] == pytest.approx([0.5, -0.5], abs=0.03)
    take(plot, "erase")
    qtbot.mouseClick(plot, LEFT, pos=at(plot, 0.0, 0.0))
    assert window.session.experiment.data is data, "nothing lies there"
    qtbot.mouseClick(plot, LEFT, pos=at(plot, -1.0, -1.0) + QPoint(4, -4))
    settled(window, qtbot)
    assert window.session.experiment.data["y"] == [1, 1]
    window.session.undo_order.undo()
    assert window.session.experiment.data == data
    window.session.undo_order.undo()
    assert len(window.session.experiment.data["x"]) == 2


def test_a_place_means_the_same_under_any_scaling(window, plot, qtbot):
    own(window, qtbot, [[10.0, 1000.0], [20.0, 3000.0], [30.0, 2000.0]], [0, 1, 0], scaling="min-max")
    take(plot, "0")
    qtbot.mouseClick(plot, LEFT, pos=at(plot, 0.5, 0.25))
    settled(window, qtbot)
    assert window.session.experiment.data["x"][3] == pytest.approx([20.0, 1500.0], rel=0.02)
    take(plot, "erase")
    qtbot.mouseClick(plot, LEFT, pos=at(plot, 0.5, 1.0))
    assert window.session.experiment.data["x"][1] == [30.0, 2000.0]


def test_a_new_class_widens_the_network(window, plot, qtbot):
    own(window, qtbot, [[-1.0, -1.0], [1.0, 1.0]], [0, 1])
    take(plot, "2")
    qtbot.mouseClick(plot, LEFT, pos=at(plot, 0.0, 0.5))
    assert window.session.experiment.network.layer("out")["units"] == 3 and window.session.report.ok
    settled(window, qtbot)
    assert plot.pencil.number == 2 and [text for _, text in plot.pencil.button._choices][-2:] == ["+ class 3", "erase"]


def test_other_rows_are_taken_as_own_points_first(window, plot, qtbot):
    assert [key for key, _ in plot.pencil.button._choices] == ["", "own"] and not plot.pencil.button.isHidden()
    before = window.session.experiment
    qtbot.mouseClick(plot, LEFT, pos=at(plot, 0.0, 0.0))
    assert window.session.experiment is before
    take(plot, "own")
    settled(window, qtbot)
    assert window.session.experiment.data.kind == "table" and plot.pencil.button.key == ""
    assert "erase" in dict(plot.pencil.button._choices)
    window.session.undo_order.undo()
    assert window.session.experiment == before and not window.session.document.history.can_undo


def test_in_a_narrow_card_the_header_keeps_its_iteration_and_the_pencil_is_put_away(window, plot, qtbot):
    own(window, qtbot, [[-1.0, -1.0], [1.0, 1.0]], [0, 1])
    take(plot, "1")
    plot.resize(200, 150)
    assert plot.pencil.button.isHidden() and plot.pencil.number is None
    plot.resize(320, 300)
    assert not plot.pencil.button.isHidden()


def test_it_is_put_away_in_a_plot_that_became_narrow_while_it_was_hidden(window, plot, qtbot):
    window.resize(1600, 1000)
    wait(qtbot, lambda: not plot.pencil.button.isHidden())
    window.features.area.show_workspace("build")
    window.features.area.show_workspace("train")
    plot.hide()
    window.resize(1280, 800)
    window.features.area.show_workspace("step")
    plot.show()
    wait(qtbot, lambda: plot.isVisible() and plot.width() < 280)
    assert plot.pencil.button.isHidden()


def test_without_a_plane_or_classes_there_is_no_pencil(window, plot, qtbot):
    for kind in ("iris", "sine"):
        window.session.edit("Data", edits.choose_data, kind)
        wait(qtbot, lambda kind=kind: window.session.run.is_traced and plot.points.features == {"iris": 4, "sine": 1}[kind])
        assert plot.pencil.button.isHidden()
