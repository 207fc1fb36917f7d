"""What is asked on the network picture, in fields and menus, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QMenu, QWidget

from nnviz.document.catalog import ACTIVATIONS, LAYERS
from nnviz.document.network import split_parameter
from nnviz.ui.network._inline import NameField, SearchField, WeightField, close, show
from nnviz.ui.network.allowed_links import obstacle, partners
from nnviz.ui.network.layer_places import SLIM_GAP
from nnviz.ui.network.network_picture import NetworkPicture
from nnviz.ui.network.network_scene import NetworkScene
from nnviz.ui.network.picking import PointerTarget
from nnviz.ui.widgets.search_list import ListEntry

_BESIDE = QPoint(8, 8)


# --- fields ---


def open_kinds(view: NetworkPicture, at: QPoint, text: str = "") -> SearchField:
    """Open the search for a kind at a place of the viewport; what is chosen is asked of the view, behind the selected layer."""
    place, selected = view.mapToScene(at), view.scene().selected
    after = selected[0] if len(selected) == 1 else ""
    choices = [ListEntry(kind.name, kind.label, kind.explanation) for kind in LAYERS.values()]
    field = SearchField(view.viewport(), "Type a layer", choices, text)
    field.chosen.connect(lambda kind: _view(field).request_layer(kind, place, after if LAYERS[kind].inputs[1] != 0 else ""))
    show(field, at + _BESIDE)
    return field


def open_partners(view: NetworkPicture) -> SearchField | None:
    """Open the list of layers that the selected one can be linked to; None unless exactly one is selected."""
    scene = view.scene()
    if len(scene.selected) != 1:
        return None
    source, title = scene.selected[0], scene.title(scene.selected[0])
    fitting = partners(scene.experiment.network, source, 1)
    choices = [
        ListEntry(layer.id, layer.title, f"link {title} to {layer.title}", "" if layer.id in fitting else _why_not(scene, source, layer.id))
        for layer in scene.experiment.network
        if layer.id != source
    ]
    field = SearchField(view.viewport(), f"Link {title} to", choices)
    field.chosen.connect(lambda target: _view(field).request_link(source, target))
    show(field, beside(view, source))
    return field


def open_activations(view: NetworkPicture, ids: tuple[str, ...]) -> SearchField | None:
    """Open the list of activations for these layers beside the first; None if there is none."""
    ids = tuple(id for id in ids if id in view.scene().columns)  # a menu may be open longer than its layers are there
    if not ids:
        return None
    title = view.scene().title(ids[0]) if len(ids) == 1 else f"{len(ids)} layers"
    choices = [ListEntry(kind.name, kind.label, kind.explanation) for kind in ACTIVATIONS.values()]
    field = SearchField(view.viewport(), f"Activation of {title}", choices)
    field.chosen.connect(lambda activation: _view(field).request_activation(ids, activation))
    show(field, beside(view, ids[0]))
    return field


def _why_not(scene: NetworkScene, source: str, target: str) -> str:
    return obstacle(scene.experiment, source, target)


def beside(view: NetworkPicture, id: str) -> QPoint:
    """Return the place of the viewport right of a layer."""
    column = view.scene().columns[id]
    return view.mapFromScene(column.mapToScene(column.port(1))) + _BESIDE


def open_name(view: NetworkPicture) -> NameField | None:
    """Open a field for the name of the selected layers at the title of the first; None if none is."""
    selected = view.scene().selected
    if not selected:
        return None
    column, several = view.scene().columns[selected[0]], len(selected) > 1
    name = "" if several else column.layer.name
    field = NameField(view.viewport(), name, f"name for all {len(selected)}, numbered" if several else selected[0])
    field.chosen.connect(lambda text: _view(field).request_name(selected, text))
    show(field, view.mapFromScene(column.mapToScene(column.frame().topLeft())))
    return field


def open_weight(view: NetworkPicture, target: PointerTarget, at: QPoint) -> WeightField | None:
    """Open a field for the weight or bias that was hit; None where no single number is known there."""
    found = view.scene().weight_at(target)
    if found is None:
        return None
    parameter, index, value = found
    layer, tensor = split_parameter(parameter)
    field = WeightField(view.viewport(), f"{view.scene().title(layer)}.{tensor}{list(index)}", value)
    field.chosen.connect(lambda number: _view(field).request_weight(parameter, index, number))
    show(field, at + _BESIDE)
    field.box.selectAll()
    return field


def _view(field: QWidget) -> NetworkPicture:
    """The picture a field stands on. Asked of Qt: what a field holds in Python would keep the picture alive."""
    return cast(NetworkPicture, field.parentWidget().parentWidget())


def close_all(view: NetworkPicture) -> None:
    """Close every field and menu: what they ask about is another network."""
    for child in view.viewport().children():
        if isinstance(child, NameField | SearchField | WeightField):
            close(child)
    for menu in view.findChildren(QMenu):
        menu.close()


# --- menus ---


def fill_menu(menu: QMenu, view: NetworkPicture, target: PointerTarget, at: QPoint) -> None:
    """Offer what can be done with what is at a place of the viewport; a layer or link there is selected."""
    if target.layer:
        _add_layer_entries(menu, view, target.layer)
    elif target.link:
        _add_link_entries(menu, view, target, at)
    else:
        menu.addAction("Add layer…", lambda: open_kinds(view, at))
    menu.addSeparator()
    menu.addAction("Fit\tF", view.fit)
    menu.addAction("Select all\tCtrl+A", lambda: view.select(tuple(view.scene().columns)))
    menu.addAction("Tidy up\tCtrl+L", view.request_tidy)


def _add_layer_entries(menu: QMenu, view: NetworkPicture, layer: str) -> None:
    scene = view.scene()
    if layer not in scene.selected:
        view.select((layer,))
    shown = scene.figures.layers.get(layer)
    if shown is not None and shown.node is not None:
        menu.addAction("Show in the graph\tShift+Enter", lambda: view.show_node(layer))
    menu.addAction("Rename\tF2", lambda: open_name(view))
    bent = tuple(id for id in scene.selected if "activation" in scene.columns[id].layer.settings)
    menu.addAction("Activation…\tCtrl+Shift+A", lambda: open_activations(view, bent)).setEnabled(bool(bent))
    menu.addAction("Link to…\tCtrl+K", lambda: open_partners(view)).setEnabled(len(scene.selected) == 1)
    for problem in (*scene.report.problems_of(layer), *scene.report.warnings_of(layer)):
        if problem.fix:
            menu.addAction(problem.fix.label, lambda fix=problem.fix: view.request_fix(fix)).setToolTip(problem.message)
    column = scene.columns[layer]
    place = column.pos() + QPointF(2 * column.face.half_width + SLIM_GAP, 0)
    _add_kinds(menu.addMenu("Add behind"), lambda kind: view.request_layer(kind, place, layer))
    links = [link for link in scene.links if layer in (link.source, link.target)]
    if links:
        menu.addAction("Disconnect", lambda: view.request_unlink(links))
    menu.addAction("Delete\tDel", view.delete_selected)


def _add_link_entries(menu: QMenu, view: NetworkPicture, target: PointerTarget, at: QPoint) -> None:
    scene, link = view.scene(), target.link
    view.select((), (link,))
    if scene.links[link].weight(target.curve) is not None:
        menu.addAction("Type the weight…", lambda: open_weight(view, target, at))
        menu.addAction("Lock or unlock the weight", lambda: _lock(view, target))
        menu.addAction("All weights as a table…", lambda: view.request_table(f"{link.target}.weight"))
    _add_kinds(menu.addMenu("Insert"), lambda kind: view.request_layer_on(kind, link))
    menu.addAction("Delete link\tDel", view.delete_selected)


def _lock(view: NetworkPicture, target: PointerTarget) -> None:
    if found := view.scene().weight_at(target):
        view.request_lock(*found[:2])


def _add_kinds(menu: QMenu, call: Callable[[str], None]) -> None:
    """The kinds of layers with one input; one submenu for each group of the catalog."""
    groups = {"Layers": menu}
    for kind in LAYERS.values():
        if kind.inputs[0] != 1:
            continue
        if kind.group not in groups:
            groups[kind.group] = menu.addMenu(kind.group)
            groups[kind.group].setToolTipsVisible(True)
        groups[kind.group].addAction(kind.label, lambda name=kind.name: call(name)).setToolTip(kind.explanation)
