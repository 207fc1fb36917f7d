"""The context menus of the graph: what can be done with a card or a frame. They only ask the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu

from nnviz.ui.graph.structure import ROOT, NodeCard, module_path

if TYPE_CHECKING:
    from nnviz.ui.graph.graph_view import GraphView

DETAILS = ("layer", "textbook", "math")


def open_card_menu(view: GraphView, card: NodeCard, place: QPoint) -> None:
    """Open the menu of a card at a place of the screen."""
    menu = QMenu(view)
    menu.addAction("Run to here", lambda: view.run_to_requested.emit(card.shown))
    menu.addAction("Breakpoint on or off", lambda: view.breakpoint_requested.emit(card.shown))
    menu.addAction("Show in the chain-rule card", lambda: view.node_clicked.emit(card.shown))
    if view.trace_scene.groups is None:
        group = view.scene().trace.nodes[card.shown].group
        _add_details(menu, view, group[0] if group else "")
        _close_later(menu, place)
        return
    menu.addSeparator()
    if len(card.groups) > 1:
        _add_equal(menu, view, card)
    elif card.folded:
        menu.addAction(f"Open {card.title}", lambda: view.folds.open(card))
    if card.block in view.scene().groups.groups:
        _add_details(menu, view, _module_path(view, card.block))
    if card.home != ROOT:
        menu.addAction(f"Fold {view.scene().title(card.home)}", lambda: view.folds.fold(card.home))
    _finish(menu, view, place)


def open_frame_menu(view: GraphView, key: str, place: QPoint) -> None:
    """Open the menu of a group's frame at a place of the screen."""
    menu = QMenu(view)
    menu.addAction(f"Fold {view.scene().title(key)}", lambda: view.folds.fold(key))
    _add_details(menu, view, _module_path(view, key))
    _finish(menu, view, place)


def _module_path(view: GraphView, key: str) -> str:
    return module_path(view.scene().trace, view.scene().groups.groups[key])


def _add_details(menu: QMenu, view: GraphView, path: str) -> None:
    """Offer how far the calls of one module are opened."""
    if path:
        details = menu.addMenu("Detail")
        for detail in DETAILS:
            details.addAction(detail, lambda detail=detail: view.detail_requested.emit(path, detail))


def _add_equal(menu: QMenu, view: GraphView, card: NodeCard) -> None:
    groups = view.scene().groups.groups
    menu.addAction(f"Show each of the {len(card.groups)}", lambda: view.folds.open(card))
    menu.addAction(f"Open all {len(card.groups)}", lambda: view.folds.open_fully(card))
    one = menu.addMenu("Open only")
    for key in card.groups:
        one.addAction(groups[key].title, lambda key=key: view.folds.open_one(key))


def _finish(menu: QMenu, view: GraphView, place: QPoint) -> None:
    menu.addAction("Fold all groups", view.folds.fold_all)
    menu.addAction("Open all groups", view.folds.open_all)
    _close_later(menu, place)


def _close_later(menu: QMenu, place: QPoint) -> None:
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(place)
