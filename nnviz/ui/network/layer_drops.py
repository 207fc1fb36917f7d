"""Dropping a kind of layer from the palette: on a link it goes between, elsewhere it is added."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDropEvent

from nnviz.document.catalog import LAYERS
from nnviz.document.network import Link
from nnviz.ui.network.network_picture import NetworkPicture
from nnviz.ui.network.picking import nearest_link
from nnviz.ui.network.tools import DROP

MIME = "application/x-nnviz-layer"


def mime(kind: str) -> QMimeData:
    """Return what a drag of this kind of layer carries."""
    data = QMimeData()
    data.setData(MIME, kind.encode())
    return data


def kind_of(data: QMimeData) -> str:
    """Return the kind of layer that is dragged; empty for anything else."""
    kind = bytes(data.data(MIME)).decode(errors="replace")
    return kind if kind in LAYERS else ""


def move(view: NetworkPicture, event: QDropEvent) -> None:
    """Accept a kind of layer, and light up the link it would go on."""
    kind = kind_of(event.mimeData())
    if not kind:
        event.ignore()
        return
    view.scene().mark(lit_link=_link_at(view, _point(view, event), kind))
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()


def drop(view: NetworkPicture, event: QDropEvent) -> None:
    """Ask for the layer where it is dropped."""
    move(view, event)
    view.scene().mark(lit_link=None)
    if not event.isAccepted():
        return
    kind, point = kind_of(event.mimeData()), _point(view, event)
    link = _link_at(view, point, kind)
    if link:
        view.request_layer_on(kind, link)
    else:
        view.request_layer(kind, point)


def _link_at(view: NetworkPicture, point: QPointF, kind: str) -> Link | None:
    """The link a drop would go on: only kinds with one input go between two layers."""
    if LAYERS[kind].inputs[0] != 1:
        return None
    return nearest_link(view.scene().links, point, DROP / view.zoom)[0]


def _point(view: NetworkPicture, event: QDropEvent) -> QPointF:
    return view.mapToScene(event.position().toPoint())
