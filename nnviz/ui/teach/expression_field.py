"""A field for an expression or a condition of a lesson, with what it gives now below it, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from nnviz.ui.theme.colors import BODY
from nnviz.ui.theme.fonts import mono
from nnviz.ui.theme.style import set_role


class Told(NamedTuple):
    """What an expression gives where the window stands."""

    text: str
    is_fault: bool = False


Tell = Callable[[str, str], Told]
"""Is given an expression and what it is for (number · condition · click), and returns what is said of it."""


class ExpressionField(QWidget):
    """One line in mono. Whoever listens hears every letter."""

    edited = Signal(str)

    def __init__(self, name: str, purpose: str, tell: Tell, prompt: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._purpose, self._tell = purpose, tell
        self.line = QLineEdit(accessibleName=name, placeholderText=prompt, font=mono(BODY), toolTip=name)
        self.told = QLabel(wordWrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.line)
        column.addWidget(self.told)
        self.line.textEdited.connect(self._take)
        self.refresh()

    def text(self) -> str:
        """Return what is written."""
        return self.line.text()

    def set_text(self, text: str) -> None:
        """Show this expression; the cursor stays where it is if it is there already."""
        if text != self.line.text():
            self.line.setText(text)
            self.line.setCursorPosition(0)
        self.refresh()

    def refresh(self) -> None:
        """Say what it gives now."""
        told = self._tell(self.line.text(), self._purpose) if self.line.text().strip() else Told("")
        self.told.setText(told.text)
        self.told.setVisible(bool(told.text))
        set_role(self.told, "loss" if told.is_fault else "muted")
        set_role(self.line, "invalid" if told.is_fault else "")

    def _take(self, text: str) -> None:
        self.refresh()
        self.edited.emit(text)
