"""A window of its own for one panel that was taken out of the main window. It frames the panel and does not know what that shows."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QCoreApplication, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from nnviz.ui.theme.colors import GUTTER

_SIZE, _LEAST = QSize(640, 460), QSize(520, 380)
"""In pixels: how large a panel becomes that was hidden, and the least for one that stood in the main window."""
_ASIDE = QPoint(24, 24)
_FLAGS = Qt.WindowType.Tool | Qt.WindowType.WindowTitleHint | Qt.WindowType.WindowMaximizeButtonHint | Qt.WindowType.WindowCloseButtonHint
"""A tool window: Qt has its keys reach the actions of its parent's window, and closing the last other window ends the program."""


class PanelWindow(QWidget):
    """Stands over the main window, or on another screen."""

    left = Signal()
    """It has been closed: the panel wants its place again."""

    def __init__(self, panel: QWidget, window: QWidget) -> None:
        super().__init__(window, _FLAGS)
        self.setAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)
        self.setGeometry(_beside(panel))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        layout.addWidget(panel)
        panel.show()

    def take_place(self, text: str) -> None:
        """Stand where the text says, which `place` returned; on a screen that is there now."""
        self.restoreGeometry(QByteArray.fromBase64(text.encode()))

    def place(self) -> str:
        """Return where it stands, as text."""
        return self.saveGeometry().toBase64().data().decode()

    def toggle_maximized(self) -> None:
        """Fill the screen, or be as large as before."""
        self.showNormal() if self.isMaximized() else self.showMaximized()

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        QCoreApplication.sendEvent(self.parentWidget(), event)  # what nothing in the panel takes means the same as in the main window

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.left.emit()


def _beside(panel: QWidget) -> QRect:
    """Near where the panel stands, a little aside, as a whole on its screen."""
    room = panel.screen().availableGeometry()
    size = (panel.size().expandedTo(_LEAST) if panel.isVisible() else _SIZE).boundedTo(room.size())
    place = QRect(panel.mapToGlobal(_ASIDE), size)
    place.moveRight(min(place.right(), room.right()))
    place.moveBottom(min(place.bottom(), room.bottom()))
    place.moveLeft(max(place.left(), room.left()))
    place.moveTop(max(place.top(), room.top()))
    return place
