"""What mouse, keys and menus ask of the view in one place: they change the selection and emit the view's signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnviz.document.network import Link

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView


def select(view: NetworkView, ids: tuple[str, ...], links: tuple[Link, ...] = ()) -> None:
    """Select these layers and links; a change of the layers is emitted."""
    before = view.scene().selected
    view.scene().mark(selected=ids, selected_links=links)
    if ids != before:
        view.selected_changed.emit(ids)


def delete_selected(view: NetworkView) -> bool:
    """Ask to delete what is selected: layers, and links that do not go with them. Returns whether there was anything."""
    scene = view.scene()
    if not view.editable or not (scene.selected or scene.selected_links):
        return False
    links = [link for link in scene.selected_links if not {link.source, link.target} & set(scene.selected)]
    if links:
        view.disconnect_requested.emit(links)
    if scene.selected:
        view.delete_requested.emit(scene.selected)
    return True


def show_node(view: NetworkView, layer: str) -> bool:
    """Ask for the trace node of a layer's output. Returns whether there is one."""
    shown = view.figures.layers.get(layer)
    if shown is None or shown.node is None:
        return False
    view.node_requested.emit(shown.node)
    return True


def move(view: NetworkView, moved: tuple[str, ...]) -> None:
    """Ask to keep the moved layers where they are now, and with them all that only stand where they were put automatically."""
    placed = view.experiment.canvas
    view.move_requested.emit({id: place for id, place in view.scene().places().items() if id in moved or id not in placed})
