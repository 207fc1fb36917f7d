"""Notes under the top bar: sentences that stay until they are answered, with buttons for it. They know nothing of documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import GRID, GUTTER, current_theme
from nnviz.ui.theme.painting import painted

_COLORS = {"info": "forward", "warning": "clip", "error": "loss"}
Answer = tuple[str, Callable[[], object]]
"""What a button says, and what it does; the note goes first."""


class NoteBar(QWidget):
    """One note below the other, each under a key: a new note of the same key takes the place of the old one. Hidden without any."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notes: dict[str, Note] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(GUTTER, 2 * GRID, GUTTER, 0)
        self._column.setSpacing(GRID)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()

    def post(self, key: str, level: str, text: str, answers: Sequence[Answer] = ()) -> None:
        """Show a note; level is info, warning or error."""
        self.drop(key)
        note = Note(level, text, [(label, partial(self._answered, key, call)) for label, call in answers], partial(self.drop, key))
        self._notes[key] = note
        self._column.addWidget(note)
        self.show()

    def drop(self, key: str) -> None:
        """Take a note away, if it is there."""
        note = self._notes.pop(key, None)
        if note is not None:
            self._column.removeWidget(note)
            note.setParent(None)
            note.deleteLater()
            self.setVisible(bool(self._notes))

    @property
    def notes(self) -> dict[str, Note]:
        """The notes that are shown, by their keys, the oldest first."""
        return dict(self._notes)

    def _answered(self, key: str, call: Callable[[], object]) -> None:
        self.drop(key)
        call()


class Note(QWidget):
    """A sentence, its buttons, and one that closes it."""

    def __init__(
        self, level: str, text: str, answers: Sequence[Answer], close: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._level = level
        self.text = text
        self.setAccessibleName(f"{level}: {text}")
        self.setMinimumHeight(30)
        label = QLabel(text, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.buttons = {name: _button(name, name, call) for name, call in answers}
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 1, GRID, 1)
        row.setSpacing(6)
        for widget in (label, *self.buttons.values(), _button("×", f"Close this note: {text}", close)):
            row.addWidget(widget, 1 if widget is label else 0)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = _COLORS[self._level]
        painter.setPen(QPen(theme.tint(color, 0.35), 1))
        painter.setBrush(theme.tint(color, 0.1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(color))
        painter.drawRoundedRect(QRectF(8, 8, 3, self.height() - 16), 1.5, 1.5)


def _button(text: str, name: str, call: Callable[[], object]) -> QPushButton:
    button = QPushButton(text, accessibleName=name)
    button.setProperty("role", "note")
    button.clicked.connect(lambda: call())
    return button
