"""The context menu of the network picture. Its entries emit the view's signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QMenu

from nnviz.document.catalog import LAYERS
from nnviz.document.network import Link
from nnviz.ui.network import asking, requests
from nnviz.ui.network.layer_places import SLIM_GAP
from nnviz.ui.network.picking import PointerTarget
from nnviz.ui.network.scrolling import element_at

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView


def open_menu(view: NetworkView, hit: PointerTarget, at: QPoint, globally: QPoint) -> None:
    """Open the menu for what was hit at a place of the viewport."""
    menu = build_menu(view, hit, at)
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(globally)


def build_menu(view: NetworkView, hit: PointerTarget, at: QPoint) -> QMenu:
    """Return the menu for what was hit."""
    menu = QMenu(view)
    menu.setToolTipsVisible(True)
    if hit.layer:
        _layer_entries(menu, view, hit.layer)
    elif hit.link:
        _link_entries(menu, view, hit, at)
    elif view.editable:
        menu.addAction("Add layer…", lambda: asking.open_kinds(view, at))
    menu.addSeparator()
    menu.addAction("Fit\tHome", view.fit)
    menu.addAction("Select all\tCtrl+A", lambda: requests.select(view, tuple(view.scene().columns)))
    if view.editable:
        menu.addAction("Tidy up\tCtrl+L", view.tidy_requested.emit)
    return menu


def _layer_entries(menu: QMenu, view: NetworkView, layer: str) -> None:
    if layer not in view.scene().selected:
        requests.select(view, (layer,))
    shown = view.figures.layers.get(layer)
    if shown is not None and shown.node is not None:
        menu.addAction("Show in the graph\tEnter", lambda: requests.show_node(view, layer))
    if not view.editable:
        return
    menu.addAction("Rename\tF2", lambda: asking.open_name(view))
    menu.addAction("Link to…\tCtrl+K", lambda: asking.open_partners(view)).setEnabled(len(view.scene().selected) == 1)
    _fix_entries(menu, view, layer)
    column = view.scene().columns[layer]
    place = column.pos() + QPointF(2 * column.face.half_width + SLIM_GAP, 0)
    _kinds(menu.addMenu("Add behind"), lambda kind: view.add_requested.emit(kind, place, layer), single_input=True)
    links = [link for link in view.scene().links if layer in (link.source, link.target)]
    if links:
        menu.addAction("Disconnect", lambda: view.disconnect_requested.emit(links))
    menu.addAction("Delete\tDel", lambda: requests.delete_selected(view))


def _fix_entries(menu: QMenu, view: NetworkView, layer: str) -> None:
    """One entry for each cure of the layer's problems that can be had at one click."""
    for problem in view.report.problems_of(layer):
        if problem.fix:
            menu.addAction(problem.fix.label, lambda fix=problem.fix: view.fix_requested.emit(fix)).setToolTip(problem.message)


def _link_entries(menu: QMenu, view: NetworkView, hit: PointerTarget, at: QPoint) -> None:
    if not view.editable:
        return
    link: Link = hit.link
    requests.select(view, (), (link,))
    if view.scene().links[link].weight(hit.curve) is not None:
        menu.addAction("Type the weight…", lambda: asking.open_weight(view, hit, at))
        menu.addAction("Lock or unlock the weight", lambda: _lock(view, hit))
        menu.addAction("All weights as a table…", lambda: view.matrix_requested.emit(f"{link.target}.weight"))
    _kinds(menu.addMenu("Insert"), lambda kind: view.insert_requested.emit(kind, link.source, link.target), single_input=True)
    menu.addAction("Delete link\tDel", lambda: requests.delete_selected(view))


def _lock(view: NetworkView, hit: PointerTarget) -> None:
    if found := element_at(view, hit):
        view.lock_requested.emit(*found[:2])


def _kinds(menu: QMenu, call: Callable[[str], None], single_input: bool) -> None:
    """One submenu for each group of the catalog."""
    groups: dict[str, QMenu] = {}
    for kind in LAYERS.values():
        if not single_input or kind.inputs[0] == 1:
            group = groups.setdefault(kind.group, menu) if kind.group == "Layers" else _group(groups, menu, kind.group)
            group.addAction(kind.label, lambda name=kind.name: call(name)).setToolTip(kind.explanation)


def _group(groups: dict[str, QMenu], menu: QMenu, name: str) -> QMenu:
    if name not in groups:
        groups[name] = menu.addMenu(name)
        groups[name].setToolTipsVisible(True)
    return groups[name]
