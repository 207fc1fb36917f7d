"""A plot as a picture, and the context menu that copies or exports it. Writing files is the export part's work."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.card import Card

_SHARPNESS = 2
"""Pixels of a copied picture for one on the screen."""


def picture(plot: QWidget) -> QPixmap:
    """Return the plot with the card around it, at twice the size it has on the screen, on the colour of the theme's background."""
    plot.catch_up()
    frame = plot.parentWidget()
    subject = frame if isinstance(frame, Card) else plot
    pixmap = QPixmap(subject.size() * _SHARPNESS)
    pixmap.setDevicePixelRatio(_SHARPNESS)
    pixmap.fill(current_theme().color("background" if subject is frame else "panel"))
    subject.render(pixmap, renderFlags=QWidget.RenderFlag.DrawChildren)
    return pixmap


def copy_picture(plot: QWidget) -> None:
    """Put the picture of the plot on the clipboard."""
    QGuiApplication.clipboard().setPixmap(picture(plot))


def picture_menu(plot: QWidget) -> QMenu:
    """Return the context menu of a plot: copy as picture, export. Who opens it deletes it."""
    menu = QMenu(plot)
    menu.addAction("Copy as picture", lambda: copy_picture(plot))
    menu.addAction("Export…", lambda: plot.export_requested.emit(plot))
    return menu


def open_menu(plot: QWidget, place: QPoint) -> None:
    """Open the context menu of a plot at a place in it."""
    menu = picture_menu(plot)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(plot.mapToGlobal(place))
