"""What the keyboard does on the network picture: walk, move, delete, add, fit. It turns keys into the view's signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QCursor, QKeyEvent

from nnviz.ui.network import asking, requests
from nnviz.ui.network.layer_places import GRID

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView

_WAYS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


class Keys(QObject):
    """Filters the keys of the view."""

    def __init__(self, view: NetworkView) -> None:
        super().__init__(view)
        self._holds = False
        view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        view.installEventFilter(self)

    @property
    def view(self) -> NetworkView:
        """The view it serves. Asked of Qt: a reference of its own would be a cycle, and Python might collect the view while it paints."""
        return self.parent()

    def _key(self, event: QKeyEvent) -> bool:
        """Do what the key says. Returns whether it says anything here."""
        key, plain = event.key(), not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return self._walk(1 if key == Qt.Key.Key_Tab else -1)
        if key == Qt.Key.Key_Escape:
            return self._leave()
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            return requests.delete_selected(self.view)
        if key in _WAYS and plain:
            return self._nudge(*_WAYS[key], 5 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return requests.show_node(self.view, self.view.scene().selected[-1] if self.view.scene().selected else "")
        if key == Qt.Key.Key_Space:
            return self._hold_space(True)
        if key == Qt.Key.Key_Home:
            self.view.fit()
            return True
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and key == Qt.Key.Key_A:
            requests.select(self.view, tuple(self.view.scene().columns))
            return True
        return plain and self._type(event.text())

    def _hold_space(self, held: bool) -> bool:
        """While the space bar is held, the left button moves the picture."""
        self.view.gestures.pans = self._holds = held
        self.view.viewport().setCursor(Qt.CursorShape.OpenHandCursor if held else Qt.CursorShape.ArrowCursor)
        return True

    def _walk(self, step: int) -> bool:
        """Select the next layer in the order of computation; past the last one the focus goes on to the next widget."""
        order = [layer.id for layer in self.view.experiment.network.in_order()] if self.view.experiment else []
        selected = self.view.scene().selected
        place = order.index(selected[-1]) + step if selected and selected[-1] in order else (0 if step > 0 else len(order) - 1)
        if not 0 <= place < len(order):
            return False
        requests.select(self.view, (order[place],))
        self.view.ensureVisible(self.view.scene().box_of(order[place]), 8, 8)
        return True

    def _leave(self) -> bool:
        if not self.view.gestures.cancel():
            if not self.view.scene().selected and not self.view.scene().selected_links:
                return False
            requests.select(self.view, ())
        return True

    def _nudge(self, x: int, y: int, times: int) -> bool:
        selected = self.view.scene().selected
        if not selected or not self.view.editable:
            return False
        for id in selected:
            self.view.scene().columns[id].moveBy(x * GRID * times, y * GRID * times)
        self.view.scene().follow_columns()
        requests.move(self.view, selected)
        return True

    def _type(self, text: str) -> bool:
        """Open the search for a layer with the letter that was typed."""
        if not self.view.editable or not text.isalpha():
            return False
        asking.open_kinds(self.view, self._place_to_type(), text)
        return True

    def _place_to_type(self) -> QPoint:
        """Right of the layer that the new one will be linked to; else at the mouse, where it is on empty ground; else below all others."""
        view, selected = self.view, self.view.scene().selected
        if len(selected) == 1:
            return asking.beside(view, selected[0])
        at = view.viewport().mapFromGlobal(QCursor.pos())
        is_free = view.viewport().rect().contains(at) and view.gestures.hit_at(at).kind == "nothing"
        return at if is_free and not view.experiment.network.links else self._free_place()

    def _free_place(self) -> QPoint:
        content = self.view.scene().content_rect()
        at = self.view.mapFromScene(QPointF(content.center().x(), content.bottom() + 12))
        return at if self.view.viewport().rect().contains(at) else self.view.viewport().rect().center()

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and self._is_ours(event):
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyRelease and event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            return self._hold_space(False)
        if event.type() == QEvent.Type.FocusOut and self._holds:
            self._hold_space(False)
        return event.type() == QEvent.Type.KeyPress and self._key(event)

    def _is_ours(self, event: QKeyEvent) -> bool:
        """Whether a window-wide shortcut must not take this key: Delete, and letters that begin a search."""
        plain = not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        return plain and (event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) or event.text().isalpha())
