"""What all plots share: freshness, context menu, picture, card; the wheel does nothing."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu

from nnviz.session.run import RunState
from nnviz.ui.run._boundary import BoundaryPlot
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run._metric import MetricPlot
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets._plot_picture import picture, picture_menu
from nnviz.ui.widgets.plot_card import framed
from tests.ui import runs

RUN_PLOTS = (LossPlot, BoundaryPlot, HistogramPlot, GradientNormPlot, MetricPlot)
SIZES = ((160, 100), (260, 170), (900, 560))


@pytest.mark.parametrize("kind", RUN_PLOTS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_paints_in_every_size_and_theme(shown, kind, size, theme, qtbot):
    plot = kind()
    card = shown(plot, *size)
    apply_theme(QApplication.instance(), theme)
    empty = card.grab().toImage()
    plot.set_run(runs.run(iterations=1, snapshots=runs.snapshots(1)))
    assert card.grab().toImage() != empty
    plot.set_run(runs.run(3000))
    qtbot.mouseMove(plot, plot.rect().center())
    card.grab()


@pytest.mark.parametrize("kind", RUN_PLOTS)
def test_nothing_is_worked_out_when_its_part_of_the_run_is_the_same(shown, kind, monkeypatch):
    plot = kind()
    shown(plot)
    run = runs.run()
    plot.set_run(run)
    taken = []
    monkeypatch.setattr(kind, "take", lambda self, *parts: taken.append(parts))
    plot.set_run(RunState(**{**vars(run), "message": "other", "iteration": 10**6}))
    assert taken == []


@pytest.mark.parametrize("kind", RUN_PLOTS)
def test_hidden_plots_wait_until_they_are_shown(qtbot, kind, monkeypatch):
    taken = []
    whole = kind.take
    monkeypatch.setattr(kind, "take", lambda self, *parts: (taken.append(parts), whole(self, *parts)))
    plot = kind()
    card = framed(plot)
    qtbot.addWidget(card)
    plot.set_run(runs.run())
    plot.set_run(runs.run(200))
    assert taken == []
    card.show()
    qtbot.waitExposed(card)
    assert len(taken) == 1


@pytest.mark.parametrize("kind", (*RUN_PLOTS, OptimizerMicroscope))
def test_menu_copies_and_asks_for_export(shown, kind, qtbot):
    plot = kind()
    card = shown(plot)
    assert plot.accessibleName()
    menu = picture_menu(plot)
    copy, export = menu.actions()
    assert (copy.text(), export.text()) == ("Copy as picture", "Export…")
    copy.trigger()
    assert QGuiApplication.clipboard().pixmap().size() == card.size() * 2
    with qtbot.waitSignal(plot.export_requested) as asked:
        export.trigger()
    assert asked.args == [plot]
    menu.deleteLater()


def test_right_click_opens_the_menu(shown):
    plot = LossPlot()
    shown(plot)
    plot.customContextMenuRequested.emit(QPoint(20, 20))
    menu = plot.findChild(QMenu)
    assert menu.isVisible()
    menu.close()


def test_a_picture_of_a_hidden_plot_is_up_to_date(qtbot):
    plot = LossPlot()
    card = framed(plot)
    qtbot.addWidget(card)
    card.resize(300, 200)
    plot.set_run(runs.run())
    assert picture(plot).size() == card.size() * 2
    assert plot.heading[2] == "iteration 128"


def test_the_wheel_changes_nothing(shown):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run())
    before = plot.chart
    wheel = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QGuiApplication.sendEvent(plot, wheel)
    assert plot.chart is before and not wheel.isAccepted()


def test_header_buttons_work_from_the_keyboard(shown, qtbot):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run())
    plot.log_switch.setFocus()
    qtbot.keyClick(plot.log_switch, Qt.Key.Key_Space)
    assert plot.chart.log
    qtbot.mouseClick(plot.smoothing, Qt.MouseButton.LeftButton)
    menu = plot.smoothing.findChild(QMenu)
    assert menu.actions()[0].text() == "raw"
    menu.close()


def test_names_of_layers_are_taken_over(shown):
    plot = GradientNormPlot()
    shown(plot)
    plot.set_run(runs.run())
    plot.set_names({"h1": "first"})
    assert plot.values_of(plot.layers[0])[0] == ("text", "first")
