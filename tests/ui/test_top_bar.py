"""The figures in the top bar: a validation metric of an earlier iteration says of which."""

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QWidget

from nnviz.ui.shell.top_bar import Figure, TopBar

ACTIONS = ("to_start", "step_back", "step", "to_end", "rewind", "train_iteration", "train_epoch", "play", "train", "find_action")


@pytest.fixture
def bar(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    bar = TopBar({name: QAction(name, parent) for name in ACTIONS}, QMenu(parent), ("build", "step"), parent)
    bar.resize(1600, 52)
    parent.show()
    yield bar  # its parent lives as long as this fixture


def score(bar):
    """The figure of the metric, and whether its number is that of the present iteration."""
    figure = bar.findChildren(Figure)[-1]
    return figure.toolTip(), figure.findChildren(QLabel)[-1].isEnabled()


def test_a_metric_of_an_earlier_iteration_is_pale_and_says_of_which(bar):
    bar.set_figures(40, 3, "0.41", "87.3 %", "accuracy", 40)
    assert score(bar) == ("Measured on the validation rows", True)
    bar.set_figures(1041, 3, "0.40", "87.3 %", "accuracy", 1040)
    assert score(bar) == ("Measured on the validation rows after iteration 1,040, not since", False)
    bar.set_figures(0, 0, "", "", "RMSE", None)
    assert score(bar) == ("Measured on the validation rows", True)


def test_the_figures_do_not_jump_when_the_iteration_goes(bar):
    places = []
    for iteration, measured_at in ((40, 40), (41, 40), (34_419, 34_400), (34_450, 34_450)):
        bar.set_figures(iteration, 3, "0.4000", "87.3 %", "accuracy", measured_at)
        bar.layout().activate()
        places.append([label.mapTo(bar, label.rect().topLeft()).x() for label in bar.findChildren(QLabel)])
    assert places[1:] == places[:1] * 3


def test_the_loss_is_that_of_the_training_rows_and_of_an_earlier_iteration_it_says_of_which(bar):
    figure = bar.findChildren(Figure)[2]
    bar.set_figures(40, 3, "0.41", "87.3 %", "accuracy", 40, 40)
    assert (figure.toolTip(), figure.findChildren(QLabel)[-1].isEnabled()) == ("Measured on all training rows", True)
    bar.set_figures(41, 3, "0.41", "87.3 %", "accuracy", 40, 40, "training")
    assert figure.toolTip() == "Measured on all training rows after iteration 40, not since"
    assert not figure.findChildren(QLabel)[-1].isEnabled()
    assert score(bar) == ("Measured on the training rows after iteration 40, not since", False)
