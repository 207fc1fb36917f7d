"""Dropping a kind of layer from the palette: on a link it goes between, elsewhere it is added. It turns drops into the view's signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, Qt
from PySide6.QtGui import QDropEvent

from nnviz.document.catalog import LAYERS
from nnviz.document.network import Link
from nnviz.ui.network.dragging import DROP
from nnviz.ui.network.picking import nearest_link

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView

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


class Drops(QObject):
    """Filters the drag and drop events of the viewport."""

    def __init__(self, view: NetworkView) -> None:
        super().__init__(view)
        view.viewport().setAcceptDrops(True)
        view.viewport().installEventFilter(self)

    @property
    def view(self) -> NetworkView:
        """The view it serves. Asked of Qt: a reference of its own would be a cycle, and Python might collect the view while it paints."""
        return self.parent()

    def _link_at(self, point: QPointF, kind: str) -> Link | None:
        """The link a drop would go on: only kinds with one input go between two layers."""
        if LAYERS[kind].inputs[0] != 1:
            return None
        reach = DROP / self.view.transform().m11()
        return nearest_link(self.view.scene().links, point, reach)[0]

    def _over(self, event: QDropEvent) -> None:
        kind = kind_of(event.mimeData())
        if not kind or not self.view.editable:
            event.ignore()
            return
        self.view.scene().mark(lit_link=self._link_at(self._point(event), kind))
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def _drop(self, event: QDropEvent) -> None:
        self._over(event)
        self.view.scene().mark(lit_link=None)
        if not event.isAccepted():
            return
        kind, point = kind_of(event.mimeData()), self._point(event)
        link = self._link_at(point, kind)
        if link:
            self.view.insert_requested.emit(kind, link.source, link.target)
        else:
            self.view.add_requested.emit(kind, point, "")

    def _point(self, event: QDropEvent) -> QPointF:
        return self.view.mapToScene(event.position().toPoint())

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.DragEnter | QEvent.Type.DragMove:
                self._over(event)
            case QEvent.Type.Drop:
                self._drop(event)
            case QEvent.Type.DragLeave:
                self.view.scene().mark(lit_link=None)
            case _:
                return False
        return True
