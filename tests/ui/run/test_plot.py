"""What all plots share: freshness, context menu, picture, card, zoom."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu

from nnviz.session.run import RunState
from nnviz.ui.run._activation_curve import ActivationCurvePlot
from nnviz.ui.run._boundary import BoundaryPlot
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run._learning_rates import LearningRatesPlot
from nnviz.ui.run._metric import MetricPlot
from nnviz.ui.run._unit_shares import UnitSharesPlot
from nnviz.ui.run._update_ratio import UpdateRatioPlot
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.plot_card import framed
from nnviz.ui.widgets.plot_picture import PlotStill, picture, picture_menu
from tests.ui import runs

LAYER_PLOTS = (UpdateRatioPlot, UnitSharesPlot, LearningRatesPlot, ActivationCurvePlot)
RUN_PLOTS = (LossPlot, BoundaryPlot, HistogramPlot, GradientNormPlot, MetricPlot, *LAYER_PLOTS)
SIZES = ((160, 100), (260, 170), (900, 560))


@pytest.mark.parametrize("kind", RUN_PLOTS)
@pytest.mark.parametrize(("theme", "size"), [*((LIGHT, size) for size in SIZES), (DARK, SIZES[0])])
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
    copy, copy_dark, export, export_dark = menu.actions()
    assert (copy.text(), export.text()) == ("Copy as picture", "Export…")
    copy.trigger()
    light = QGuiApplication.clipboard().pixmap()
    assert light.width() > card.body.width() * 2 and light.toImage().pixelColor(4, 4) == LIGHT.color("panel")
    copy_dark.trigger()
    assert QGuiApplication.clipboard().pixmap().toImage().pixelColor(4, 4) == DARK.color("panel")
    for action in (export, export_dark):
        with qtbot.waitSignal(plot.export_requested) as asked:
            action.trigger()
        assert isinstance(asked.args[0], PlotStill)
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
    assert not picture(plot).isNull()
    assert plot.heading[2] == "iteration 128"


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


@pytest.mark.parametrize("kind", RUN_PLOTS)
def test_a_picture_has_nothing_under_the_pointer_and_looks_like_one_of_a_plot_in_its_theme(shown, qapp, kind):
    plot = kind()
    shown(plot)
    plot.set_run(runs.run())
    quiet, dark = picture(plot).toImage(), picture(plot, DARK).toImage()
    on_screen = plot.grab().toImage()
    plot.hovered = QPointF(plot.width() / 2, plot.height() / 2)
    assert picture(plot).toImage() == quiet
    plot.hovered = None
    assert plot.grab().toImage() == on_screen, "the screen is as it was"
    apply_theme(qapp, DARK)
    assert picture(plot).toImage() == dark != quiet


@pytest.mark.parametrize("kind", [LossPlot, MetricPlot, BoundaryPlot, HistogramPlot])
def test_the_wheel_zooms_dragging_moves_and_a_double_click_resets(shown, turn, qtbot, kind):
    plot = kind()
    shown(plot)
    plot.set_run(runs.run())
    whole = plot.grab().toImage()
    middle = QPointF(plot.width() / 2, plot.height() / 2)
    before = plot.zoom._shown[0].value(middle.x())
    assert turn(plot, middle, 120 * 3).isAccepted() and plot.zoom.is_on
    x = plot.zoom._shown[0]
    assert x.value(middle.x()) == pytest.approx(before), "what is under the pointer stays there"
    closer = plot.grab().toImage()
    assert closer != whole
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    qtbot.mouseMove(plot, middle.toPoint() + QPoint(20, 0))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=middle.toPoint() + QPoint(20, 0))
    moved = plot.zoom._shown[0]
    assert moved.low < x.low and moved.high - moved.low == pytest.approx(x.high - x.low)
    qtbot.mouseDClick(plot, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    plot.hovered = None
    assert not plot.zoom.is_on and plot.grab().toImage() == whole
    turn(plot, middle, -120)
    assert not plot.zoom.is_on, "there is nothing beyond the whole"
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.zoom.is_on
    qtbot.keyClick(plot, Qt.Key.Key_0)
    assert not plot.zoom.is_on


def test_a_logarithmic_plot_is_zoomed_by_powers(shown, turn):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run())
    plot.log_switch.click()
    plot.grab()
    place = QPointF(plot.width() / 2, plot.height() / 3)
    before = plot.zoom._shown[1].value(place.y())
    turn(plot, place, 240)
    assert plot.zoom._shown[1].value(place.y()) == pytest.approx(before) and plot.zoom._shown[1].low > 0
    plot.grab()


def test_where_the_axes_have_gone_elsewhere_the_whole_is_seen_again(shown, turn):
    plot = LossPlot()
    shown(plot)
    plot.set_run(runs.run(400))
    plot.grab()
    turn(plot, QPointF(plot.width() * 0.8, plot.height() / 2), 480)
    assert plot.zoom.is_on
    plot.set_run(runs.run(20))
    plot.grab()
    assert not plot.zoom.is_on


def test_a_narrow_picture_keeps_its_iteration_and_shortens_its_title(shown):
    plot = GradientNormPlot()
    shown(plot)
    plot.set_run(runs.run(128))
    plot.resize(600, 200)
    assert PlotStill(plot).header() == ("GRADIENT NORM BY LAYER", "iteration 128")
    plot.resize(190, 200)
    assert PlotStill(plot).header() == ("GRADIENT NORM", "iteration 128")
