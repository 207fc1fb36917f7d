"""The figures in the top bar: a validation metric of an earlier iteration says of which."""

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QWidget

from nnviz.ui.top_bar import TopBar

ACTIONS = ("to_start", "step_back", "step", "to_end", "rewind", "train_iteration", "train_epoch", "play", "train", "find_action")


@pytest.fixture
def bar(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    bar = TopBar({name: QAction(name, parent) for name in ACTIONS}, QMenu(parent), ("build", "step"), parent)
    bar.resize(1600, 52)
    parent.show()
    yield bar  # its parent lives as long as this fixture


def captions(bar) -> list[str]:
    return [label.text() for label in bar.findChildren(QLabel)]


def test_a_metric_of_an_earlier_iteration_says_of_which(bar):
    bar.set_figures(40, 3, "0.41", "87.3 %", "accuracy", 40)
    assert "accuracy" in captions(bar)
    bar.set_figures(41, 3, "0.40", "87.3 %", "accuracy", 40)
    assert "accuracy @40" in captions(bar) and "accuracy" not in captions(bar)
    bar.set_figures(0, 0, "", "", "RMSE", None)
    assert "RMSE" in captions(bar)


def test_the_figures_do_not_jump_when_the_iteration_goes(bar):
    bar.set_figures(41, 3, "0.40", "87.3 %", "accuracy", 40)
    bar.layout().activate()
    places = [label.mapTo(bar, label.rect().topLeft()).x() for label in bar.findChildren(QLabel)]
    bar.set_figures(44, 4, "0.39", "88.0 %", "accuracy", 44)
    bar.layout().activate()
    assert [label.mapTo(bar, label.rect().topLeft()).x() for label in bar.findChildren(QLabel)] == places
