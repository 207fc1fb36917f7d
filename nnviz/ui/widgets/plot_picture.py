"""A plot as a picture, and the context menu that copies or exports it. Writing files is the export part's work."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QGuiApplication, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from nnviz.ui.theme.colors import DARK, LIGHT, SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.theme.style import wearing
from nnviz.ui.widgets.readout import line_height, text_width, write

_SHARPNESS = 2
"""Pixels of a copied picture for one on the screen."""
_MARGIN, _HEADER, _GAP, _SQUARE = 16, 28, 8, 9


class PlotStill(QWidget):
    """A plot as it stands in a picture: title and iteration over it, what its colours mean below, a margin; nothing under the pointer."""

    def __init__(self, plot: QWidget, theme: Theme | None = None) -> None:
        super().__init__()
        self._plot, self._theme = plot, theme or current_theme()
        plot.catch_up()
        below = line_height() + _GAP if plot.legend else 0
        self.resize(plot.width() + 2 * _MARGIN, round(_HEADER + max(plot.height(), plot.least_height) + below + _MARGIN + _GAP))

    def header(self) -> tuple[str, str]:
        """Return the title, the short one where the full one would cut what stands beside it, and that: what is chosen, the iteration."""
        title, short, subtitle = self._plot.heading
        said = " · ".join(filter(None, (self._plot.choice, subtitle)))
        room = self.width() - 2 * _MARGIN - _GAP - QFontMetricsF(sans(SMALL)).horizontalAdvance(said)
        fits = QFontMetricsF(sans(SMALL, QFont.Weight.Bold)).horizontalAdvance(title.upper()) <= room
        return (title if fits or not short else short).upper(), said

    def _paint_header(self, painter: QPainter) -> None:
        bold, room = sans(SMALL, QFont.Weight.Bold), QRectF(_MARGIN, _GAP, self.width() - 2 * _MARGIN, _HEADER - _GAP)
        title, said = self.header()
        write(painter, room, title, self._theme.color("text"), bold)
        room.setLeft(room.left() + QFontMetricsF(bold).horizontalAdvance(title) + _GAP)
        write(
            painter,
            room,
            painter.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight, int(room.width())),
            self._theme.color("muted"),
        )

    def _paint_legend(self, painter: QPainter) -> None:
        left, top = float(_MARGIN), self.height() - _MARGIN - line_height()
        for color, text in self._plot.legend:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(QRectF(left, top + (line_height() - _SQUARE) / 2, _SQUARE, _SQUARE))
            write(painter, QRectF(left + _SQUARE + 5, top, text_width(text) + 4, line_height()), text, self._theme.color("muted"))
            left += _SQUARE + 5 + text_width(text) + 2 * _GAP

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), self._theme.color("panel"))
        with wearing(self._theme):
            painter.save()
            painter.translate(_MARGIN, _HEADER + _GAP)
            self._plot.paint_still(painter)
            painter.restore()
            self._paint_header(painter)
            self._paint_legend(painter)
        painter.end()
        self._plot.renew()


def picture(plot: QWidget, theme: Theme | None = None) -> QPixmap:
    """Return the picture of a plot, at twice its size on the screen."""
    still = PlotStill(plot, theme)
    pixmap = QPixmap(still.size() * _SHARPNESS)
    pixmap.setDevicePixelRatio(_SHARPNESS)
    still.render(pixmap)
    return pixmap


def copy_picture(plot: QWidget, theme: Theme | None = None) -> None:
    """Put the picture of the plot on the clipboard."""
    QGuiApplication.clipboard().setPixmap(picture(plot, theme))


def picture_menu(plot: QWidget) -> QMenu:
    """Return the context menu of a plot: copy as picture, export, both also in the other theme. Who opens it deletes it."""
    menu = QMenu(plot)
    other = DARK if current_theme() is LIGHT else LIGHT
    menu.addAction("Copy as picture", lambda: copy_picture(plot))
    menu.addAction(f"Copy as {other.name} picture", lambda: copy_picture(plot, other))
    menu.addAction("Export…", lambda: plot.export_requested.emit(PlotStill(plot)))
    menu.addAction(f"Export {other.name} picture…", lambda: plot.export_requested.emit(PlotStill(plot, other)))
    return menu


def open_menu(plot: QWidget, place: QPoint) -> None:
    """Open the context menu of a plot at a place in it."""
    menu = picture_menu(plot)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(plot.mapToGlobal(place))
