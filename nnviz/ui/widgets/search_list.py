"""A line to type in, and a list of what matches: the arrows walk through it from the line, Enter or a click chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

KEY = Qt.ItemDataRole.UserRole
_Key = Qt.Key
_WALKING = (_Key.Key_Up, _Key.Key_Down, _Key.Key_PageUp, _Key.Key_PageDown)
_NOWHERE = 4


@dataclass(frozen=True)
class ListEntry:
    """One line of a searched list."""

    key: Any
    label: str
    tip: str = ""
    obstacle: str = ""
    """Why it cannot be chosen; empty if it can."""
    about: str = ""
    """What is searched besides the label."""
    keys: str = ""
    """The shortcut that stands behind the label."""
    icon: QIcon | None = None

    @property
    def text(self) -> str:
        """What stands in the list."""
        return f"{self.label} – {self.obstacle}" if self.obstacle else f"{self.label}    {self.keys}".rstrip()


def matching(choices: Sequence[ListEntry], text: str) -> tuple[ListEntry, ...]:
    """Return the choices that the text means: their label begins with it, a word of it does, its initials do, or it is somewhere in it.

    What cannot be chosen stands behind all that can.
    """
    text = text.strip().lower()
    ranked = [(_rank(choice, text), place, choice) for place, choice in enumerate(choices)]
    found = sorted(entry for entry in ranked if entry[0] < _NOWHERE)
    return tuple(choice for _, _, choice in sorted(found, key=lambda entry: (bool(entry[2].obstacle), entry[:2])))


def _rank(choice: ListEntry, text: str) -> int:
    label, words = choice.label.lower(), choice.label.lower().replace("-", " ").split()
    tests = (
        label.startswith(text),
        any(word.startswith(text) for word in words),
        "".join(word[0] for word in words).startswith(text),
        text in label or text in choice.key,
    )
    return next((rank for rank, holds in enumerate(tests) if holds), _NOWHERE)


def holding(choices: Sequence[ListEntry], text: str) -> tuple[ListEntry, ...]:
    """Return the choices that hold every word of the text somewhere, in their own order."""
    words = text.lower().split()
    return tuple(choice for choice in choices if all(word in f"{choice.label} {choice.about}".lower() for word in words))


class SearchList(QWidget):
    """`find` says what of the entries a text means. What is looked for anew begins at the first match."""

    chosen = Signal(object)
    """The key of an entry."""

    def __init__(
        self,
        line: QLineEdit,
        list: QListWidget,
        entries: Sequence[ListEntry],
        find: Callable[[Sequence[ListEntry], str], Sequence[ListEntry]] = holding,
        spacing: int = -1,
        nothing: str = "",
    ) -> None:
        """`nothing`: what is said where nothing matches."""
        super().__init__()
        self._nothing = nothing
        self.line, self.list, self._entries, self._find = line, list, tuple(entries), find
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(spacing)
        layout.addWidget(line)
        layout.addWidget(list, 1)
        self.setFocusProxy(line)
        line.installEventFilter(self)
        list.installEventFilter(self)
        line.textChanged.connect(self._show)
        list.itemClicked.connect(self._choose)
        self._show(line.text())

    def keys(self) -> tuple[Any, ...]:
        """Return the keys of what matches, as they stand in the list."""
        keys = (self.list.item(row).data(KEY) for row in range(self.list.count()))
        return tuple(key for key in keys if key is not None)

    def mark(self, key: Any) -> None:
        """Go to an entry, if it matches."""
        if key in self.keys():
            self.list.setCurrentRow(self.keys().index(key))

    def _show(self, text: str) -> None:
        self.list.clear()
        for entry in self._find(self._entries, text):
            item = QListWidgetItem(entry.text, self.list)
            item.setData(KEY, entry.key)
            item.setToolTip(entry.obstacle or entry.tip)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, entry.obstacle or entry.tip)
            if entry.icon is not None:
                item.setIcon(entry.icon)
            if entry.obstacle:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
        if self._nothing and not self.list.count():
            QListWidgetItem(self._nothing, self.list).setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.setCurrentRow(0)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.chosen.emit(item.data(KEY))

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and event.key() in _WALKING:
            self.list.keyPressEvent(event)
            return True
        if event.type() == QEvent.Type.KeyPress and event.key() in (_Key.Key_Return, _Key.Key_Enter):
            self._choose(self.list.currentItem())
            return True
        return False
