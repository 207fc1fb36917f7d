"""A page that works by keys, wherever on it the keyboard is: what lessons, interview questions and their score have in common."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QScrollArea, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import GRID
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.boxes import scrolling

ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_SCROLLS = {Qt.Key.Key_Down: 40, Qt.Key.Key_Up: -40, Qt.Key.Key_PageDown: 240, Qt.Key.Key_PageUp: -240}


class KeyedPage(QWidget):
    """Every key goes to `take_key` first, whichever part of the page that is watched has the keyboard. `area` is what scrolls."""

    def __init__(self, name: str, body: str, parent: QWidget | None = None) -> None:
        """`name` is what the page is called for those who cannot see it, `body` what scrolls in it."""
        super().__init__(parent, accessibleName=name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        inside, self.column = QWidget(accessibleName=body), QVBoxLayout()
        inside.setLayout(self.column)
        self.column.setContentsMargins(0, 0, GRID, 0)
        self.column.setSpacing(2 * GRID)
        self.area: QScrollArea = scrolling(inside)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = QVBoxLayout(self)
        """The parts of the page, `area` among them."""
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(2 * GRID)

    def take_key(self, watched: QObject, key: int, has_modifier: bool) -> bool:
        """Do what a key means on the page, pressed on one of its parts; return whether it means anything."""
        raise NotImplementedError

    def watch(self, *parts: QWidget) -> None:
        """Have keys of these parts asked for their meaning on the page first."""
        for part in parts:
            part.installEventFilter(self)

    @property
    def has_keyboard(self) -> bool:
        """Whether the page, or a part of it, has the keyboard."""
        focused = self.window().focusWidget()
        return focused is not None and (focused is self or self.isAncestorOf(focused))

    def scroll(self, key: int) -> bool:
        """Scroll as this key says; return whether it is one that scrolls."""
        if key in _SCROLLS:
            bar = self.area.verticalScrollBar()
            bar.setValue(bar.value() + round(scaled(_SCROLLS[key])))
        return key in _SCROLLS

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        return event.type() == QEvent.Type.KeyPress and self.take_key(watched, event.key(), _is_modified(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.take_key(self, event.key(), _is_modified(event)):
            super().keyPressEvent(event)


def _is_modified(event: QKeyEvent) -> bool:
    """Whether a key is pressed together with another one; Shift may be what types a digit, but begins a new line with Enter."""
    typed = Qt.KeyboardModifier.KeypadModifier
    if event.key() not in ENTERS:
        typed |= Qt.KeyboardModifier.ShiftModifier
    return bool(event.modifiers() & ~typed)


def is_button(watched: QObject) -> bool:
    """Return whether Enter presses this part of a page."""
    return isinstance(watched, QAbstractButton)


def digit(key: int, count: int) -> int | None:
    """Return the place from 0 that a digit key names of so many, at most nine; None for another key."""
    place = key - Qt.Key.Key_1
    return place if 0 <= place < min(count, 9) else None
