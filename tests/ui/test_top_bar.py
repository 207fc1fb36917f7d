"""The figures in the top bar: a validation metric of an earlier iteration says of which."""

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction, QIcon, QPixmap
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QToolButton, QWidget

from nnviz.ui.run.feature import RunFigures
from nnviz.ui.shell import app
from nnviz.ui.shell.top_bar import Figure, TopBar

ACTIONS = (
    "to_start",
    "step_back",
    "step",
    "to_end",
    "rewind",
    "train_iteration",
    "train_epoch",
    "play",
    "train",
    "train_as",
    "find_action",
)


@pytest.fixture
def bar(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    app.application()  # has the fonts
    icon = QIcon(QPixmap(16, 16))
    bar = TopBar({name: QAction(icon, name, parent) for name in ACTIONS}, QMenu(parent), ("build", "step"), parent)
    bar.resize(1600, 52)
    parent.show()
    yield bar  # its parent lives as long as this fixture


def score(bar):
    """The figure of the metric, and whether its number is that of the present iteration."""
    figure = bar.findChildren(Figure)[-1]
    return figure.toolTip(), figure.findChildren(QLabel)[-1].isEnabled()


def test_a_metric_of_an_earlier_iteration_is_pale_and_says_of_which(bar):
    bar.set_figures(RunFigures(40, 3, "0.41", "87.3 %", "accuracy", 40))
    assert score(bar) == ("Measured on the validation rows", True)
    bar.set_figures(RunFigures(1041, 3, "0.40", "87.3 %", "accuracy", 1040))
    assert score(bar) == ("Measured on the validation rows after iteration 1,040, not since", False)
    bar.set_figures(RunFigures(0, 0, "", "", "RMSE", None))
    assert score(bar) == ("Measured on the validation rows", True)


def test_the_figures_do_not_jump_when_the_iteration_goes(bar):
    places = []
    for iteration, measured_at in ((40, 40), (41, 40), (34_419, 34_400), (34_450, 34_450)):
        bar.set_figures(RunFigures(iteration, 3, "0.4000", "87.3 %", "accuracy", measured_at))
        bar.layout().activate()
        places.append([label.mapTo(bar, label.rect().topLeft()).x() for label in bar.findChildren(QLabel)])
    assert places[1:] == places[:1] * 3


def figure(bar, caption):
    """The text of a figure, and whether it is that of the present iteration."""
    found = next(figure for figure in bar.findChildren(Figure) if figure.findChildren(QLabel)[0].text() == caption)
    return found.findChildren(QLabel)[-1].text(), found.findChildren(QLabel)[-1].isEnabled(), found.toolTip()


def test_a_loss_of_an_earlier_iteration_is_pale_and_every_figure_says_what_it_is_of(bar):
    bar.set_figures(RunFigures(354, 3, "0.6916", "", "accuracy", None, loss_at=68))
    text, is_present, tip = figure(bar, "loss")
    assert (text, is_present, tip) == ("0.6916", False, "Measured on all training rows after iteration 68, not since")
    bar.set_figures(RunFigures(354, 3, "0.4", "", "accuracy", None, loss_at=354))
    assert figure(bar, "loss")[1]
    bar.set_figures(RunFigures(0, 0, "0.7", "", "accuracy", None, loss_at=0))
    assert figure(bar, "loss")[2] == "Measured on all training rows"
    bar.set_figures(RunFigures(41, 3, "0.41", "87.3 %", "accuracy", 40, 40, "training"))
    assert score(bar) == ("Measured on the training rows after iteration 40, not since", False)
    assert all(figure.toolTip() for figure in bar.findChildren(Figure))


def test_on_the_way_to_an_iteration_the_bar_says_how_far_it_is(bar):
    bar.set_figures(RunFigures(1200, 3, "0.6916", "50 %", "accuracy", 1200, loss_at=1200, target=5389))
    assert figure(bar, "iteration")[0] == "1,200 of 5,389"
    assert not figure(bar, "loss")[1] and not figure(bar, "accuracy")[1]


def test_figures_of_a_run_that_is_still_made_again_are_pale(bar):
    bar.set_figures(RunFigures(5389, 0, "0.6916", "50 %", "accuracy", 5389, loss_at=5389, is_made_again=True))
    text, is_present, tip = figure(bar, "iteration")
    assert (text, is_present) == ("5389", False) and "made again" in tip
    assert figure(bar, "epoch")[0] == "…", "0 would not be true"
    assert not figure(bar, "loss")[1] and not figure(bar, "accuracy")[1]
    bar.set_figures(RunFigures(5389, 12, "0.6916", "50 %", "accuracy", 5389, loss_at=5389))
    assert all(figure(bar, name)[1] for name in ("iteration", "epoch", "loss", "accuracy"))


@pytest.mark.parametrize("width", [1180, 1280, 1600])
def test_no_figure_is_cut_however_long_the_run_is(bar, width):
    bar.resize(width, 52)
    bar.set_workspace("step")
    for figures in ((2_450, 12, "0.4123", "87.3 %"), (1_234_567, 123_456, "0.0001783", "100.0 %"), (7, 1, "0.6931", "50.0 %")):
        bar.set_figures(RunFigures(*figures, "accuracy", figures[0], loss_at=figures[0]))
        bar.layout().activate()
        assert bar.layout().sizeHint().width() <= width
        for label in (label for shown in bar.findChildren(Figure) if shown.isVisible() for label in shown.findChildren(QLabel)):
            assert label.width() >= label.fontMetrics().horizontalAdvance(label.text())


@pytest.mark.parametrize("width", [1180, 1280, 1600])
def test_search_and_menu_are_there_whatever_the_title_is_and_nothing_jumps_with_it(qtbot, bar, width):
    bar.resize(width, 52)
    bar.set_figures(RunFigures(123_456, 1234, "0.1234", "98.0 %", "accuracy", 123_456))
    places = []
    for title in ("a", "A very long title of a document that somebody has given a whole sentence for a name"):
        for name in ("build", "step"):
            bar.set_workspace(name)
            bar.set_title(title, True)
            bar.layout().activate()
            assert bar.layout().sizeHint().width() <= width
            search = next(button for button in bar.findChildren(QPushButton) if button.text().startswith("Search"))
            assert search.isVisible() and search.geometry().right() < width
            places.append(bar.findChild(QWidget, "build").mapTo(bar, QPoint(0, 0)).x())
    assert len(set(places)) == 1
    menu = next(button for button in bar.findChildren(QToolButton) if button.accessibleName() == "Menu")
    assert "▾" in menu.text()
