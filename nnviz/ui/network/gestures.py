"""What the mouse does on the network picture: look, select, drag, wire, pan, zoom. It turns events into the view's signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from nnviz.ui.network import asking, framing, network_menus, requests
from nnviz.ui.network.band import Band
from nnviz.ui.network.dragging import Drag
from nnviz.ui.network.link_draft import LinkDraft
from nnviz.ui.network.link_item import NEAR
from nnviz.ui.network.picking import NOTHING, PointerTarget, layers_in, pick

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView

_DRAG = 4
"""Pixels the mouse moves before a click becomes a drag."""
_ADDING = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier


class Gestures(QObject):
    """Filters the events of the viewport. One mode at a time: idle · press · drag · wire · band · pan · map."""

    def __init__(self, view: NetworkView) -> None:
        super().__init__(view)
        self.mode = "idle"
        self._hit: PointerTarget = NOTHING
        self._start = QPoint()
        self._drag: Drag | None = None
        self._wire: LinkDraft | None = None
        self.pans = False
        """Whether the left button moves the picture, as the middle one does: while the space bar is held."""
        self._band = Band(view)
        view.viewport().setMouseTracking(True)
        view.viewport().installEventFilter(self)

    @property
    def view(self) -> NetworkView:
        """The view it serves. Asked of Qt: a reference of its own would be a cycle, and Python might collect the view while it paints."""
        return self.parent()

    def hit_at(self, position: QPoint) -> PointerTarget:
        """Return what is under a place of the viewport."""
        scene, scale = self.view.scene(), self.view.transform().m11()
        return pick(scene.columns, scene.links, self.view.mapToScene(position), self.view.editable, NEAR / scale)

    def cancel(self) -> bool:
        """Leave the present mode and undo what it began. Returns whether there was one."""
        was, self.mode = self.mode, "idle"
        if self._drag is not None:
            self._drag.take_back()
            self._drag = None
        if self._wire is not None:
            self._wire.end()
            self._wire = None
        self._band.hide()
        return was != "idle"

    # --- press, move, release ---

    def _press(self, event: QMouseEvent) -> None:
        self._start, self._hit = event.position().toPoint(), self.hit_at(event.position().toPoint())
        self.view.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() == Qt.MouseButton.MiddleButton or (self.pans and event.button() == Qt.MouseButton.LeftButton):
            self.mode = "pan"
        elif event.button() == Qt.MouseButton.LeftButton and self.view.map_rect().contains(self._start):
            self.mode = "map"
            self._look_at(event.position())
        elif event.button() == Qt.MouseButton.LeftButton:
            self.mode = "press"
            self._select_pressed(bool(event.modifiers() & _ADDING))

    def _select_pressed(self, adding: bool) -> None:
        hit, present = self._hit, self.view.scene().selected
        if hit.kind == "port":
            self.mode = "wire"
            self._wire = LinkDraft(self.view, hit.layer, hit.side)
        elif hit.kind == "end":
            self.mode = "wire"
            self._wire = LinkDraft(self.view, hit.link.source if hit.side > 0 else hit.link.target, hit.side, hit.link)
        elif hit.layer and adding:
            requests.select(self.view, tuple(id for id in present if id != hit.layer) if hit.layer in present else (*present, hit.layer))
        elif hit.layer and hit.layer not in present:
            requests.select(self.view, (hit.layer,))
        elif hit.link:
            requests.select(self.view, (), (hit.link,))
        elif not hit.layer and not adding:
            requests.select(self.view, ())

    def _move(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        if self.mode == "press" and (position - self._start).manhattanLength() >= _DRAG:
            self._begin()
        match self.mode:
            case "drag":
                self._drag.follow(self.view, position)
            case "wire":
                self._wire.follow(self.view.mapToScene(position))
            case "band":
                self._band.setGeometry(QRect(self._start, position).normalized())
            case "map":
                self._look_at(event.position())
            case "pan":
                self.view.fitted = False
                framing.move(self.view, QPointF(self._start - position))
                self._start = position

    def _look_at(self, position: QPointF) -> None:
        """Bring the point that a place on the map means into the middle."""
        view = self.view
        view.fitted = False
        framing.look_at(view, view.minimap.place(position, view.map_rect()), QPointF(view.viewport().rect().center()))

    def _begin(self) -> None:
        """Turn a press into a drag of the selected layers, or into a rubber band on empty ground."""
        if self._hit.layer in self.view.scene().selected and self.view.editable:
            self.mode = "drag"
            self._drag = Drag(self.view, self._start)
            self.view.hovering.leave()
        elif not self._hit.layer:
            self.mode = "band"
            self._band.setGeometry(QRect(self._start, QSize()))
            self._band.show()

    def _release(self, event: QMouseEvent) -> None:
        mode, self.mode = self.mode, "idle"
        match mode:
            case "press":
                self._click()
            case "drag":
                drag, self._drag = self._drag, None
                drag.drop(self.view)
            case "wire":
                self._join(self.view.mapToScene(event.position().toPoint()))
            case "band":
                self._band.hide()
                area = self.view.mapToScene(self._band.geometry()).boundingRect()
                kept = self.view.scene().selected if event.modifiers() & _ADDING else ()
                requests.select(self.view, tuple(dict.fromkeys((*kept, *layers_in(self.view.scene().columns, area)))))

    def _join(self, point: QPointF) -> None:
        """The end of a wire: a new link, or the other end of one."""
        pair, self._wire = self._wire.end(point), None
        if pair and self._hit.kind == "end":
            self.view.reconnect_requested.emit(self._hit.link, *pair)
        elif pair:
            self.view.connect_requested.emit(*pair)

    def _click(self) -> None:
        if self._hit.kind in ("neuron", "layer"):
            requests.show_node(self.view, self._hit.layer)
        elif self._hit.kind in ("bias", "curve") and self.view.editable:
            asking.open_weight(self.view, self._hit, self._start)

    def _double_click(self, event: QMouseEvent) -> None:
        hit = self.hit_at(event.position().toPoint())
        if self.view.editable and hit.kind == "nothing":
            asking.open_kinds(self.view, event.position().toPoint())
        elif hit.kind == "layer":
            requests.select(self.view, (hit.layer,))
            asking.open_name(self.view)

    # --- wheel and menu ---

    def _wheel(self, event: QWheelEvent) -> None:
        self.view.fitted = False
        framing.zoom(self.view, 1.15 ** (event.angleDelta().y() / 120), event.position())

    def _menu(self, event: QEvent) -> None:
        self.cancel()
        network_menus.open_menu(self.view, self.hit_at(event.pos()), event.pos(), event.globalPos())

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        handler = _HANDLERS.get(event.type())
        if handler is None or (event.type() == QEvent.Type.MouseMove and self.mode == "idle"):
            return False
        handler(self, event)
        event.accept()
        return True


_HANDLERS = {
    QEvent.Type.MouseButtonPress: Gestures._press,
    QEvent.Type.MouseMove: Gestures._move,
    QEvent.Type.MouseButtonRelease: Gestures._release,
    QEvent.Type.MouseButtonDblClick: Gestures._double_click,
    QEvent.Type.Wheel: Gestures._wheel,
    QEvent.Type.ContextMenu: Gestures._menu,
}
"""A table of the module, not of the object: a filter may still be called while Python takes its object apart."""
