"""The wheel over a weight of a selected link, or a bias of a selected layer, changes it in fine steps; elsewhere it zooms as ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from nnviz.ui.network.picking import PointerTarget

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView

_NOTCH = 120
"""What Qt counts for one notch of the wheel."""
_COARSE = 10.0
"""How much further a notch goes with Shift."""


class Scrolling(QObject):
    """Filters the wheel of the viewport before the gestures have it."""

    def __init__(self, view: NetworkView) -> None:
        super().__init__(view)
        self._turned_at: QPointF | None = None
        """Where in the scene a weight is being turned; None once the mouse has moved on."""
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseMove, QEvent.Type.Leave) and self._turned_at is not None:
            self.fall_silent()
        return event.type() == QEvent.Type.Wheel and self._turn(event)

    def fall_silent(self) -> None:
        """The mouse has moved on, or the network is another."""
        if self._turned_at is not None:
            self.parent().hint.say("", self._turned_at)
            self._turned_at = None

    def say(self, text: str) -> None:
        """Say this where the wheel is turned, until the mouse moves on."""
        if self._turned_at is not None:
            self.parent().hint.say(text, self._turned_at)

    def _turn(self, event: QWheelEvent) -> bool:
        view: NetworkView = self.parent()
        element = element_at(view, view.gestures.hit_at(event.position().toPoint()))
        if element is None or not _is_selected(view, element[2]):
            return False
        turned = event.angleDelta().y() or event.angleDelta().x()
        coarse = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._turned_at = view.mapToScene(event.position().toPoint())
        view.weight_scrolled.emit(*element[:2], turned / _NOTCH * (_COARSE if coarse else 1.0))
        event.accept()
        return True


def element_at(view: NetworkView, hit: PointerTarget) -> tuple[str, tuple[int, ...], PointerTarget] | None:
    """Return parameter and index of the single weight or bias that was hit, where it is shown and may be changed."""
    if not view.editable or view.figures.coloring != "value":
        return None
    if hit.kind == "bias":
        return f"{hit.layer}.bias", (hit.unit,), hit
    item = view.scene().links[hit.link] if hit.kind == "curve" else None
    if item is None or item.weight(hit.curve) is None:
        return None
    return item.parameter, tuple(item.course.pairs[hit.curve]), hit


def _is_selected(view: NetworkView, hit: PointerTarget) -> bool:
    return hit.link in view.scene().selected_links if hit.kind == "curve" else hit.layer in view.scene().selected
