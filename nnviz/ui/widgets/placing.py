"""Where sheets and windows open over the one they belong to."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QWidget

_FROM_TOP = 64
"""Pixels from the top of a window to a sheet: its bar stays in sight."""


def place_below_bar(sheet: QDialog, window: QWidget) -> None:
    """Move a sheet of its final size to the middle of a window, below its bar."""
    middle, top = window.mapToGlobal(window.rect().center()), window.mapToGlobal(window.rect().topLeft())
    sheet.move(middle.x() - sheet.width() // 2, top.y() + _FROM_TOP)


def fit_height(sheet: QDialog) -> None:
    """Let a sheet be as high as what stands in it at its width."""
    sheet.layout().activate()
    sheet.resize(sheet.width(), sheet.layout().totalHeightForWidth(sheet.width()))


def open_below_bar(sheet: QDialog, window: QWidget, first: QWidget) -> None:
    """Open a sheet of its final size below the bar of a window, with the keyboard in `first`; it is gone once it is closed."""
    sheet.finished.connect(sheet.deleteLater)
    place_below_bar(sheet, window)
    sheet.show()
    first.setFocus()


def show_in_middle(dialog: QDialog) -> None:
    """Show a dialog before all others; one that was hidden in the middle of its window, and no larger than that."""
    if not dialog.isVisible():
        window = dialog.parentWidget()
        dialog.resize(dialog.size().boundedTo(window.size()))
        dialog.move(window.geometry().center() - dialog.rect().center())
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
