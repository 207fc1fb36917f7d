"""Text that stands on top of a view and does not scroll with it: a caption in the corner, a sentence in the middle."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from nnviz.ui.fonts import mono, sans
from nnviz.ui.theme import BODY, SMALL, Theme

_GAP = 8


class Caption(QLabel):
    """A small text in the lower right corner of its parent."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFont(mono(SMALL))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMargin(3)

    def set_theme(self, theme: Theme) -> None:
        """Write in this theme's muted colour."""
        self.setStyleSheet(f"color: {theme.muted}; background: {theme.panel}; border-radius: 4px;")

    def set_text(self, text: str) -> None:
        """Show this text; an empty one hides the caption."""
        if text != self.text():
            self.setText(text)
            self.settle()
        self.setVisible(bool(text))

    def settle(self) -> None:
        """Move into the corner."""
        self.adjustSize()
        self.move(self.parentWidget().width() - self.width() - _GAP, self.parentWidget().height() - self.height() - _GAP)


class Placard(QLabel):
    """A sentence in the middle of its parent, for when there is nothing to show."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setFont(sans(BODY))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_theme(self, theme: Theme) -> None:
        """Write in this theme's muted colour."""
        self.setStyleSheet(f"color: {theme.muted}; background: transparent;")

    def settle(self) -> None:
        """Fill the parent."""
        self.setGeometry(self.parentWidget().rect().adjusted(24, 24, -24, -24))
