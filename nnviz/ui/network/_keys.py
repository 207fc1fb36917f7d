"""What the keyboard does on the network picture: walk, move, delete, add, fit."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QCursor, QKeyEvent

from nnviz.ui.network import questions
from nnviz.ui.network.layer_places import GRID
from nnviz.ui.network.network_picture import NetworkPicture

_Key, _Modifier = Qt.Key, Qt.KeyboardModifier
_WAYS = {_Key.Key_Left: (-1, 0), _Key.Key_Right: (1, 0), _Key.Key_Up: (0, -1), _Key.Key_Down: (0, 1)}


def is_ours(event: QKeyEvent) -> bool:
    """Return whether a window-wide shortcut must not take this key: Delete, and letters that begin a search."""
    plain = not event.modifiers() & ~_Modifier.ShiftModifier
    return plain and (event.key() in (_Key.Key_Delete, _Key.Key_Backspace) or event.text().isalpha())


def press(view: NetworkPicture, event: QKeyEvent) -> bool:
    """Do what the key says. Returns whether it says anything here."""
    key, plain = event.key(), not event.modifiers() & ~(_Modifier.ShiftModifier | _Modifier.KeypadModifier)
    if key in (_Key.Key_Tab, _Key.Key_Backtab):
        return _walk(view, 1 if key == _Key.Key_Tab else -1)
    if key == _Key.Key_Escape:
        return _leave(view)
    if key in (_Key.Key_Delete, _Key.Key_Backspace):
        return view.delete_selected()
    if key in _WAYS and plain:
        return _nudge(view, *_WAYS[key], 5 if event.modifiers() & _Modifier.ShiftModifier else 1)
    if key in (_Key.Key_Return, _Key.Key_Enter):
        return _enter(view, shows_node=bool(event.modifiers() & _Modifier.ShiftModifier))
    if key == _Key.Key_Space:
        view.hold_to_pan(True)
    elif key == _Key.Key_Home or (key == _Key.Key_F and not event.modifiers()):
        view.fit()
    elif event.modifiers() & _Modifier.ControlModifier and key == _Key.Key_A:
        view.select(tuple(view.scene().columns))
    else:
        return plain and _type(view, event.text())
    return True


def _walk(view: NetworkPicture, step: int) -> bool:
    """Select the next layer in the order of computation; past the last one the focus goes on to the next widget."""
    scene = view.scene()
    order = [layer.id for layer in scene.experiment.network.in_order()] if scene.experiment else []
    selected = scene.selected
    place = order.index(selected[-1]) + step if selected and selected[-1] in order else (0 if step > 0 else len(order) - 1)
    if not 0 <= place < len(order):
        return False
    view.select((order[place],))
    view.ensureVisible(scene.box_of(order[place]), 8, 8)
    return True


def _enter(view: NetworkPicture, shows_node: bool) -> bool:
    """Go to the settings of the selected layer, or to its node in the graph."""
    selected = view.scene().selected
    if not selected:
        return False
    if shows_node:
        return view.show_node(selected[-1])
    view.request_settings()
    return True


def _leave(view: NetworkPicture) -> bool:
    if not view.cancel_tool():
        if not view.scene().selected and not view.scene().selected_links:
            return False
        view.select(())
    return True


def _nudge(view: NetworkPicture, x: int, y: int, times: int) -> bool:
    selected = view.scene().selected
    if not selected:
        return False
    for id in selected:
        view.scene().columns[id].moveBy(x * GRID * times, y * GRID * times)
    view.scene().follow_columns()
    view.keep_places(selected)
    return True


def _type(view: NetworkPicture, text: str) -> bool:
    """Open the search for a layer with the letter that was typed."""
    if not text.isalpha():
        return False
    questions.open_kinds(view, _place_to_type(view), text)
    return True


def _place_to_type(view: NetworkPicture) -> QPoint:
    """Right of the layer that the new one will be linked to; else at the mouse, where it is on empty ground; else below all others."""
    scene, viewport = view.scene(), view.viewport()
    if len(scene.selected) == 1:
        return questions.beside(view, scene.selected[0])
    at = viewport.mapFromGlobal(QCursor.pos())
    is_free = viewport.rect().contains(at) and view.hit_at(at).kind == "nothing"
    if is_free and not scene.experiment.network.links:
        return at
    content = scene.content_rect()
    below = view.mapFromScene(QPointF(content.center().x(), content.bottom() + 12))
    return below if viewport.rect().contains(below) else viewport.rect().center()
