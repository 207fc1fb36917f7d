"""Find any action by typing part of its name, and run it (Ctrl+Shift+P)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QVBoxLayout, QWidget

from nnviz.ui.widgets.search_list import ListEntry, SearchList

_MEANS = {
    "speed": ("faster", "slower"),
    "zoom": ("fit", "100 %", "larger text", "smaller text"),
    "font": ("text size", "larger text", "smaller text"),
    "letters": ("text size", "larger text", "smaller text"),
    "bigger": ("larger", "enlarge"),
    "larger": ("enlarge",),
    "maximise": ("enlarge",),
    "maximize": ("enlarge",),
    "presenter": ("larger text", "enlarge"),
    "panel": ("show", "reset this workspace"),
    "until": ("to here", "go to", "breakpoint"),
    "dark": ("light or dark",),
    "theme": ("light or dark",),
    "picture": ("export",),
    "image": ("export", "picture"),
    "screenshot": ("export",),
    "stop": ("pause",),
    "jump": ("go to",),
    "restart": ("rewind",),
    "undo": ("take back",),
}
"""Words a person may look for, and the words of the actions that are meant besides those that hold them."""


class CommandPalette(QDialog):
    """A field and the actions that match it. Enter runs the marked one, Esc leaves."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.field = QLineEdit(placeholderText="Search or run…", accessibleName="Search actions")
        self.list = QListWidget(accessibleName="Matching actions")
        entries = [_entry(action) for action in actions if action.isVisible()]
        search = SearchList(self.field, self.list, entries, ranked, nothing="Nothing is called so. Try one word of what it does.")
        search.chosen.connect(self._run)
        QVBoxLayout(self).addWidget(search)
        self.resize(460, 360)

    def open_over(self, window: QWidget) -> None:
        """Open in the middle of the window, with the keyboard in the field; gone once it is closed."""
        self.finished.connect(self.deleteLater)
        self.move(window.mapToGlobal(window.rect().center()) - self.rect().center())
        self.show()
        self.field.setFocus()

    def _run(self, action: QAction) -> None:
        self.accept()
        action.trigger()


def ranked(entries: Sequence[ListEntry], text: str) -> list[ListEntry]:
    """Return the entries that are meant by a text, the likeliest first: called exactly so, beginning so, with all its words in the name,
    with all of them in the name or the explanation. What cannot be done now stands behind all that can.
    """
    text = " ".join(text.lower().split())
    found = [(bool(entry.obstacle), rank, place) for place, entry in enumerate(entries) if (rank := _rank(entry, text)) is not None]
    return [entries[place] for _, _, place in sorted(found)]


def _rank(entry: ListEntry, text: str) -> int | None:
    label = entry.label.lower().removesuffix("…")
    everything = f"{label} {entry.about.lower()}"
    words = text.split()
    tests = (
        label == text.removesuffix("…"),
        label.startswith(text),
        all(any(part.startswith(word) for part in label.split()) for word in words),
        all(word in label for word in words),
        all(any(meant in label for meant in (word, *_meant(word))) for word in words),
        all(word in everything for word in words),
    )
    return next((rank for rank, holds in enumerate(tests) if holds), None)


def _meant(word: str) -> tuple[str, ...]:
    """What else a word may mean; its first three letters or more are enough."""
    return tuple(meant for known, others in _MEANS.items() if len(word) > 2 and known.startswith(word) for meant in others)


def _entry(action: QAction) -> ListEntry:
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    obstacle = "" if action.isEnabled() else "not possible now"
    return ListEntry(action, action.text(), tip=action.toolTip(), obstacle=obstacle, about=action.toolTip(), keys=keys, icon=action.icon())
