"""What stands around a view and does not scroll with it: a caption and a minimap below it, a sentence in the middle."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QLabel, QWidget

from nnviz.ui.theme.colors import BODY, SMALL
from nnviz.ui.theme.fonts import mono, sans

_GAP = 8
_LOW, _HIGH = 18, 46
_SHARE = 0.75
"""The most of the width of its parent that a caption takes: the rest is for the minimap."""
_BETWEEN = " · "
"""Between the parts of a caption."""
_ROOMY = 420
"""A view so high can spare a higher foot."""


def foot(view: QWidget) -> int:
    """Return how many pixels are kept free below the picture, so that nothing there stands on top of it."""
    return _HIGH if view.height() >= _ROOMY else _LOW


def foot_room(view: QWidget, caption: QWidget) -> QRect:
    """Return the place left of the caption in the foot of a view."""
    height = foot(view) - 2
    return QRect(0, view.height() - height, max(0, view.width() - caption.width() - 2 * _GAP), height)


class Caption(QLabel):
    """A small text in the lower right corner of its parent."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFont(mono(SMALL))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMargin(1)
        self._parts: list[str] = []

    def set_text(self, text: str) -> None:
        """Show this text; an empty one hides the caption."""
        if text != _BETWEEN.join(self._parts):
            self._parts = text.split(_BETWEEN)
            self.reposition()
        self.setVisible(bool(text))

    def reposition(self) -> None:
        """Move into the corner, with as many of its parts, from the first on, as there is room for."""
        for count in range(len(self._parts), 0, -1):
            self.setText(_BETWEEN.join(self._parts[:count]))
            if self.sizeHint().width() <= _SHARE * self.parentWidget().width():
                break
        self.adjustSize()
        self.move(self.parentWidget().width() - self.width(), self.parentWidget().height() - self.height())


class EmptyText(QLabel):
    """A sentence in the middle of its parent, for when there is nothing to show."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setFont(sans(BODY))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def reposition(self) -> None:
        """Fill the parent."""
        self.setGeometry(self.parentWidget().rect().adjusted(24, 24, -24, -24))
