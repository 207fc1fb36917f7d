"""Fields that open on the picture: a list that is searched by typing, a number, a name. They close when they are left."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QVBoxLayout, QWidget

from nnviz.document.catalog import Field
from nnviz.ui.widgets.number_boxes import NumberBox
from nnviz.ui.widgets.pending_text import OWN_ESCAPE
from nnviz.ui.widgets.search_list import ListEntry, SearchList, matching

_SIZE, _WITH_REASONS = (208, 196), (400, 220)
"""Pixels of a list, and of one that says why some of it cannot be chosen."""


class SearchField(QFrame):
    """A line to type in, and below it the choices that match. Enter chooses, the arrows walk, Esc closes. `chosen` says the key."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget, name: str, choices: Sequence[ListEntry], text: str = "") -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.line = QLineEdit(text, placeholderText=name.lower(), accessibleName=name)
        self.list = QListWidget(accessibleName=f"{name}: what matches", focusPolicy=Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setWordWrap(True)
        search = SearchList(self.line, self.list, choices, matching, 4)
        search.chosen.connect(self._choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(search)
        self.setFixedSize(*(_WITH_REASONS if any(choice.obstacle for choice in choices) else _SIZE))
        self.setFocusProxy(self.line)
        self.line.installEventFilter(self)

    def _choose(self, key: str) -> None:
        close(self)
        self.chosen.emit(key)

    def _key(self, key: int) -> bool:
        row, last = self.list.currentRow(), self.list.count() - 1
        match key:
            case Qt.Key.Key_Escape:
                close(self)
            case Qt.Key.Key_Tab:
                self.list.setCurrentRow(min(last, row + 1))
            case Qt.Key.Key_Backtab:
                self.list.setCurrentRow(max(0, row - 1))
            case _:
                return False
        return True

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            _close_soon(self)
        return event.type() == QEvent.Type.KeyPress and self._key(event.key())


class WeightField(QFrame):
    """A box with one weight. Enter takes the new number, Esc or leaving it does not."""

    chosen = Signal(float)

    def __init__(self, parent: QWidget, name: str, value: float) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Weight {name}")
        self.box = NumberBox(Field(name, "number", 0.0, name))
        self.box.setAccessibleName(name)
        self.box.setToolTip(f"{name}: type the new value, Enter takes it")
        self.box.set_value(value)
        self.box.setProperty(OWN_ESCAPE, True)
        self.box.setFixedWidth(96)
        _fill(self, self.box)

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        key = _ending_key(self, event)
        if key in _TAKING and self.box.hasAcceptableInput() and self.box.typed() != self.box.value():
            self.chosen.emit(self.box.typed())
        if key:
            close(self)
        return bool(key)


class NameField(QFrame):
    """A line with a name. Enter takes it, Esc or leaving it does not."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget, name: str, placeholder: str) -> None:
        super().__init__(parent)
        self.setAccessibleName("Rename")
        self._shown = name
        self.line = QLineEdit(name, placeholderText=placeholder, accessibleName="New name")
        self.line.setToolTip("type the new name, Enter takes it; empty: its id")
        self.line.setFixedWidth(150)
        _fill(self, self.line)
        self.line.selectAll()

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        key = _ending_key(self, event)
        if key:
            text = self.line.text()
            close(self)
            if key in _TAKING and text.strip() != self._shown:
                self.chosen.emit(text)
        return bool(key)


_TAKING = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def _fill(field: QFrame, inner: QWidget) -> None:
    inner.installEventFilter(field)
    layout = QVBoxLayout(field)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(inner)
    field.setFocusProxy(inner)


def _ending_key(field: QFrame, event: QEvent) -> int:
    """The key that ends the typing, if this is one; a field that is left closes by itself."""
    if event.type() == QEvent.Type.FocusOut:
        _close_soon(field)
    ends = event.type() == QEvent.Type.KeyPress and event.key() in (*_TAKING, Qt.Key.Key_Escape)
    return event.key() if ends else 0


def show(field: QWidget, at: QPoint) -> None:
    """Show the field at a place of its viewport, but inside it, ready to be typed into."""
    room, size = field.parentWidget().rect(), field.sizeHint().expandedTo(field.minimumSize())
    field.move(max(0, min(at.x(), room.width() - size.width())), max(0, min(at.y(), room.height() - size.height())))
    field.show()
    field.setFocus(Qt.FocusReason.OtherFocusReason)


def _close_soon(field: QWidget) -> None:
    """Close the field once the event is over: it may have lost the focus because the window is going away."""
    QTimer.singleShot(0, field, lambda: close(field))


def close(field: QWidget) -> None:
    """Hide the field, give the focus back to the picture and let the field go."""
    if field.isHidden():
        return
    had_focus = field.focusProxy().hasFocus()
    view = field.parentWidget().parentWidget()
    field.hide()
    if had_focus:
        view.setFocus(Qt.FocusReason.OtherFocusReason)
    field.deleteLater()
