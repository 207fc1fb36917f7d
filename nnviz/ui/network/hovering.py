"""What happens while the mouse only passes over the network picture: neurons stand out, tooltips tell numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

from nnviz.ui.network import tips
from nnviz.ui.network.picking import NOTHING, PointerTarget

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView

_POINTING = ("neuron", "bias", "curve")


class Hovering(QObject):
    """Filters the events of the viewport."""

    def __init__(self, view: NetworkView) -> None:
        super().__init__(view)
        view.viewport().installEventFilter(self)

    @property
    def view(self) -> NetworkView:
        """The view it serves. Asked of Qt: a reference of its own would be a cycle, and Python might collect the view while it paints."""
        return self.parent()

    def leave(self) -> None:
        """Let nothing stand out any more."""
        self._look(NOTHING)

    def _look(self, hit: PointerTarget) -> None:
        before = self.view.scene().hover
        if hit == before:
            return
        self.view.scene().mark(hover=hit)
        shape = Qt.CursorShape.PointingHandCursor if hit.kind in _POINTING else Qt.CursorShape.ArrowCursor
        if not self.view.gestures.pans:
            self.view.viewport().setCursor(Qt.CursorShape.CrossCursor if hit.kind in ("port", "end") else shape)
        if (hit.layer, hit.unit) != (before.layer, before.unit):
            self.view.neuron_hovered.emit(hit.layer, hit.unit)

    def _tip(self, event: QHelpEvent) -> None:
        text = tips.tip(self._hit(event.pos()), self.view)
        QToolTip.showText(event.globalPos(), text, self.view.viewport()) if text else QToolTip.hideText()

    def _hit(self, position: QPoint) -> PointerTarget:
        return self.view.gestures.hit_at(position)

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove and self.view.gestures.mode == "idle":
            self._look(self._hit(event.position().toPoint()))
        elif event.type() == QEvent.Type.Leave:
            self.leave()
        elif event.type() == QEvent.Type.ToolTip:
            self._tip(event)
            return True
        return False
