"""Panels are hidden, brought back and swapped from the menu; what was done is remembered."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QMenu

from nnviz.ui.shell._panel_menu import TITLES, PanelMenu
from nnviz.ui.shell.layouts import HIDDEN, WORKSPACES
from nnviz.ui.shell.workspaces import WorkspaceArea
from nnviz.ui.widgets.card import Card, frame_height

NAMES = sorted({name for tree in WORKSPACES.values() for name in tree.panels()})


def made(qtbot):
    cards = {name: Card(name, QLabel(name)) for name in NAMES}
    area = WorkspaceArea(cards)
    qtbot.addWidget(area)
    area.resize(1200, 800)
    menu = PanelMenu(area, cards, area)
    area.show_workspace("step")
    area.show()
    return area, cards, menu


@pytest.fixture
def area_cards_menu(qtbot):
    return made(qtbot)


def test_every_panel_has_an_entry_with_a_title(area_cards_menu):
    _, _, menu = area_cards_menu
    assert set(menu.actions) == set(NAMES) <= set(TITLES)
    shown = {name for name, action in menu.actions.items() if action.isVisible()}
    assert shown == set(WORKSPACES["step"].panels())
    assert {name for name in shown if not menu.actions[name].isChecked()} == HIDDEN["step"]


def test_a_panel_is_hidden_and_brought_back(area_cards_menu):
    area, cards, menu = area_cards_menu
    menu.actions["loss"].trigger()
    assert not cards["loss"].isVisible() and "loss" not in area.visible_panels() and not menu.actions["loss"].isChecked()
    area.show_workspace("build")
    assert cards["loss"].isVisible(), "each workspace has its own"
    area.show_workspace("step")
    assert not cards["loss"].isVisible()
    menu.actions["loss"].trigger()
    assert cards["loss"].isVisible() and menu.actions["loss"].isChecked()


def test_the_menu_of_a_card_hides_it_and_swaps_it(area_cards_menu):
    area, cards, menu = area_cards_menu
    before = cards["loss"].geometry(), cards["boundary"].geometry()
    entries = menu.card_menu("loss")
    swap = next(below for below in entries.findChildren(QMenu) if below.title().startswith("Swap with"))
    next(action for action in swap.actions() if action.text() == TITLES["boundary"]).trigger()
    panels = area.panels()
    assert panels.index("boundary") < panels.index("loss")
    assert (cards["boundary"].x() < cards["loss"].x()) and before[0].x() < before[1].x()
    next(action for action in menu.card_menu("loss").actions() if action.text() == "Hide loss").trigger()
    assert not cards["loss"].isVisible()
    assert menu.actions["loss"] in menu.card_menu("boundary").actions(), "it is brought back from any other card"


def test_swaps_and_hidden_panels_are_remembered(qtbot, area_cards_menu):
    area, _, _ = area_cards_menu
    area.swap_panels("network", "graph")
    area.set_panel_visible("norms", False)
    other, _, _ = made(qtbot)
    other.restore_state(area.save_state())
    other.show_workspace("step")
    assert other.panels() == area.panels() and "norms" not in other.visible_panels()
    other.reset()
    assert other.panels() == WORKSPACES["step"].panels() and "norms" in other.visible_panels()


@pytest.mark.parametrize("places", ["nonsense", {"step": ["loss"]}, {"step": [1, 2]}, None])
def test_places_that_do_not_fit_are_ignored(area_cards_menu, places):
    area, _, _ = area_cards_menu
    area.restore_state(json.dumps({"sizes": {}, "hidden": {}, "places": places}))
    area.show_workspace("train")
    assert area.panels() == WORKSPACES["train"].panels()


def test_the_last_panel_cannot_be_hidden(area_cards_menu):
    area, _, menu = area_cards_menu
    for name in area.visible_panels()[1:]:
        menu.actions[name].trigger()
    assert not menu.actions[WORKSPACES["step"].panels()[0]].isEnabled() and len(area.visible_panels()) == 1


def places(area, cards):
    return {
        name: cards[name].geometry().translated(cards[name].mapTo(area, QPoint(0, 0)) - cards[name].pos()) for name in area.visible_panels()
    }


@pytest.mark.parametrize("workspace", WORKSPACES)
def test_a_small_window_changes_no_proportions(qtbot, area_cards_menu, workspace):
    area, cards, _ = area_cards_menu
    area.resize(1600, 948)
    area.show_workspace(workspace)
    before = places(area, cards)
    for size in ((1024, 620), (1280, 748), (1600, 948)):
        area.resize(*size)
        qtbot.wait(1)
    assert places(area, cards) == before


def test_proportions_given_by_hand_come_back_after_a_small_window_and_in_another_one(qtbot, area_cards_menu):
    area, cards, _ = area_cards_menu
    area.resize(1600, 948)
    area.show_workspace("train")
    splitter = cards["loss"].parentWidget()
    splitter.moveSplitter(splitter.handle(1).x() - 150, 1)
    before = places(area, cards)
    area.resize(700, 500)
    qtbot.wait(1)
    state = area.save_state()
    area.resize(1600, 948)
    qtbot.wait(1)
    other, others, _ = made(qtbot)
    other.restore_state(state)
    other.resize(1600, 948)
    other.show_workspace("train")
    for found in (places(area, cards), places(other, others)):
        assert all(abs(found[name].width() - before[name].width()) <= 2 for name in before), "to rounding"
    assert before["loss"].width() < before["boundary"].width()


def test_a_hidden_panel_comes_back_as_large_as_it_was_also_if_its_neighbours_were_moved(qtbot, area_cards_menu):
    _, cards, menu = area_cards_menu
    height = cards["microscope"].height()
    menu.actions["microscope"].trigger()
    splitter = cards["inspector"].parentWidget()
    menu.actions["batch"].trigger()
    qtbot.wait(1)
    splitter.moveSplitter(splitter.handle(1).y() - 40, 1)
    menu.actions["batch"].trigger()
    menu.actions["microscope"].trigger()
    qtbot.wait(1)
    assert abs(cards["microscope"].height() - height) < 40


def test_a_double_click_on_a_title_enlarges_a_panel_and_gives_it_back(qtbot, area_cards_menu):
    area, cards, menu = area_cards_menu
    before = places(area, cards)
    qtbot.mouseDClick(cards["loss"], Qt.MouseButton.LeftButton, pos=QPoint(30, 10))
    assert area.visible_panels() == ("loss",) and cards["loss"].width() > 1100 and cards["loss"].height() > 700
    assert not cards["graph"].isVisible() and menu.actions["graph"].isChecked(), "it is not hidden for good"
    qtbot.mouseDClick(cards["loss"], Qt.MouseButton.LeftButton, pos=QPoint(30, 60))
    assert area.enlarged == "loss", "only on the title"
    assert area.leave_enlarged() and places(area, cards) == before and not area.leave_enlarged()
    next(action for action in menu.card_menu("graph").actions() if action.text().startswith("Enlarge")).trigger()
    area.show_workspace("build")
    assert area.visible_panels() == WORKSPACES["build"].panels()


def test_a_card_is_never_lower_than_what_stands_in_it(qtbot):
    body = QLabel("body")
    body.setMinimumHeight(300)
    assert Card("tall", body).minimumSizeHint().height() == 300 + frame_height()
