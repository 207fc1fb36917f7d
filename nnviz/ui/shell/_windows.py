"""All windows of the program: each with its own document, session and engine; closing one leaves the others and frees what it held."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, QSize, Qt
from PySide6.QtWidgets import QApplication, QDialog, QStyle, QWidget

from nnviz.ui.shell.main_window import MainWindow

Begin = Callable[[MainWindow], object]
"""Is given a window once it has its features and before its engine starts."""
_CASCADE = QPoint(32, 32)


class Windows(QObject):
    """Holds the open windows. `make` returns a new one, `make_features_and_start` is called once it has been painted."""

    def __init__(self, make: Callable[[], MainWindow], make_features_and_start: Callable[[MainWindow, Begin | None], None]) -> None:
        super().__init__()
        self._make, self._start = make, make_features_and_start
        self.windows: list[MainWindow] = []

    def open(self, begin: Begin | None = None) -> MainWindow:
        """Show another window; without `begin` it stands on the first example, trained a little."""
        window = self._make()
        window.restore_settings()
        if self.windows:
            window.move(self.windows[-1].pos() + _CASCADE)
        keep_on_screen(window)
        window.window_requested.connect(self.open)
        window.closed.connect(lambda: self._forget(window))
        self.windows.append(window)
        window.show()
        self._start(window, begin)
        return window

    def close_without_asking(self) -> None:
        """Close all at once, whatever is open over them: unsaved changes are in the autosaves, and offered again at the next start."""
        for window in self.windows:
            window.stop_asking()
        _dismiss_questions()
        for window in tuple(self.windows):
            window.close_without_asking()
        QApplication.exit()  # also from a menu, a dialog, or a drag that is not over

    def _forget(self, window: MainWindow) -> None:
        if window in self.windows:
            self.windows.remove(window)
            window.deleteLater()


def _dismiss_questions() -> None:
    """Let menus and dialogs go, unanswered. A window that is asking whether to close finds out by that that it shall."""
    for widget in QApplication.topLevelWidgets():
        if widget.isVisible() and (widget.isModal() or widget.windowType() == Qt.WindowType.Popup):
            widget.reject() if isinstance(widget, QDialog) else widget.close()


def keep_on_screen(window: QWidget) -> None:
    """Let the window be no larger than its screen, less the title bar it will get, and stand in it as a whole."""
    room = window.screen().availableGeometry()
    size = room.size() - QSize(0, window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight))
    window.resize(window.size().boundedTo(size.expandedTo(window.minimumSize())))
    last = room.topLeft() + QPoint(size.width() - window.width(), size.height() - window.height())
    window.move(max(room.left(), min(window.x(), last.x())), max(room.top(), min(window.y(), last.y())))
