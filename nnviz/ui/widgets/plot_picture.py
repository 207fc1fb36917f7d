"""A plot or a scene as a picture, and the context menu of a plot that copies or exports it. Writing files is the export part's work."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QGraphicsScene, QMenu, QWidget

from nnviz.ui.theme.colors import DARK, LIGHT, SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.theme.style import wearing
from nnviz.ui.widgets.readout import line_height, text_width, write

_SHARPNESS = 2
"""Pixels of a copied picture for one on the screen."""
MARGIN, _HEADER, _GAP, _SQUARE = 16, 28, 8, 9
_NARROWEST = 300
"""Pixels of a plot beside another one."""
_SHARES = 0.5, 0.8
"""Of its width that a plot is high at least and at most, where it is laid out for a page."""
_GOOD, _EMPTY = 1.5, 0.15
"""How many times as wide as high plots are where they can be, and how much an empty place counts against that."""
_LEAST_HEIGHT = 190
_LEAST_SCENE = 420
"""Pixels up to which a picture of a scene is made wider for its title."""


class Still(QWidget):
    """A picture with title, iteration and legend, which only paints itself. Abstract: `paint_body` paints what stands between them."""

    def __init__(self, theme: Theme | None = None) -> None:
        super().__init__()
        self.theme = theme or current_theme()

    def set_body(self, size: QSize) -> None:
        """Be as large as this body and what stands around it."""
        self.body = size
        self.resize(max(size.width(), MARGIN + 1) + 2 * MARGIN, 0)
        rows = len(self._legend_rows())
        below = rows * line_height() + _GAP if rows else 0
        self.resize(self.width(), round(self._head() + size.height() + below + MARGIN + _GAP))

    def header(self) -> tuple[str, str]:
        """Return the title, the short one where the full one would cut what stands beside it, and that: what is chosen, the iteration."""
        title, short, said = self.heading()
        fits = self._is_one_line(title, said)
        return (title if fits or not short or not self._is_one_line(short, said) else short).upper(), said

    def heading(self) -> tuple[str, str, str]:
        """Return title, short title, and what stands beside them."""
        raise NotImplementedError

    def legend(self) -> Sequence[tuple[QColor, str]]:
        """Return what stands below the body: colours, and what they mean."""
        raise NotImplementedError

    def paint_body(self, painter: QPainter) -> None:
        """Paint what the picture is about, its left upper corner being where the painter stands."""
        raise NotImplementedError

    def leave(self) -> None:
        """Let what was painted be as it is on the screen, in its own theme again."""
        raise NotImplementedError

    def paint_on(self, painter: QPainter) -> None:
        """Paint all of it."""
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(self.theme.panel))
        with wearing(self.theme):
            painter.save()
            painter.translate(MARGIN, self._head() + _GAP)
            self.paint_body(painter)
            painter.restore()
            self._paint_header(painter)
            self._paint_legend(painter)
        self.leave()

    def _room(self) -> int:
        return self.width() - 2 * MARGIN

    def _is_one_line(self, title: str, said: str) -> bool:
        metrics, bold = QFontMetricsF(sans(SMALL)), QFontMetricsF(_bold())
        return bold.horizontalAdvance(title.upper()) + _GAP + metrics.horizontalAdvance(said) <= self._room()

    def _head(self) -> float:
        """Pixels from the upper edge to the body: what does not fit behind the title stands below it."""
        return _HEADER if self._is_one_line(*self.header()) else _HEADER + line_height()

    def _paint_header(self, painter: QPainter) -> None:
        room = QRectF(MARGIN, _GAP, self._room(), _HEADER - _GAP)
        title, said = self.header()
        write(painter, room, title, self.theme.color("text"), _bold())
        if self._is_one_line(title, said):
            room.setLeft(room.left() + QFontMetricsF(_bold()).horizontalAdvance(title) + _GAP)
        else:
            room.translate(0, line_height())
        shown = QFontMetricsF(sans(SMALL)).elidedText(said, Qt.TextElideMode.ElideMiddle, room.width() + 1)
        write(painter, room, shown, self.theme.color("muted"))

    def _legend_rows(self) -> list[list[tuple[QColor, str]]]:
        """As many beside each other as there is room for."""
        rows: list[list[tuple[QColor, str]]] = []
        left = float(self._room())
        for color, text in self.legend():
            if not rows or left + _width(text) > self._room() + 2 * _GAP:
                rows.append([])
                left = 0.0
            rows[-1].append((color, text))
            left += _width(text)
        return rows

    def _paint_legend(self, painter: QPainter) -> None:
        rows = self._legend_rows()
        top = self.height() - MARGIN - line_height() * len(rows)
        for row in rows:
            left = float(MARGIN)
            for color, text in row:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color)
                painter.drawEllipse(QRectF(left, top + (line_height() - _SQUARE) / 2, _SQUARE, _SQUARE))
                place = QRectF(left + _SQUARE + 5, top, text_width(text) + 4, line_height())
                write(painter, place, text, self.theme.color("muted"))
                left += _width(text)
            top += line_height()

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_on(painter)
        painter.end()


class PlotStill(Still):
    """A plot as it stands in a picture: nothing is under the pointer, nothing is scrolled away."""

    def __init__(self, plot: QWidget, theme: Theme | None = None, width: int = 0, height: int = 0) -> None:
        """`width` of the picture in pixels, for which the plot is laid out anew; 0: as it is on the screen. `height`: with a width."""
        super().__init__(theme)
        self.plot = plot
        plot.catch_up()
        size = _on_page(plot.size(), width - 2 * MARGIN) if width else plot.size()
        if height:
            self.set_body(QSize(size.width(), 0))  # to learn how much stands around it
            size.setHeight(height - self.height())
        self.set_body(size.expandedTo(QSize(0, plot.least_height)))

    def heading(self) -> tuple[str, str, str]:
        title, short, subtitle = self.plot.heading
        return title, short, " · ".join(filter(None, (self.plot.choice, subtitle)))

    def legend(self) -> Sequence[tuple[QColor, str]]:
        return self.plot.legend

    def paint_body(self, painter: QPainter) -> None:
        self.plot.paint_still(painter, self.body)

    def leave(self) -> None:
        self.plot.renew()


class SceneStill(Still):
    """All of a scene as it stands in a picture, and below it what its colours mean."""

    def __init__(self, scene: QGraphicsScene, title: str, said: str, scales: tuple[int, Callable[[QPainter, QRect], None]]) -> None:
        """`scales`: their height in pixels, and what paints them at the lower right of a room."""
        super().__init__()
        self._scene, self._heading, self._scales = scene, (title, "", said), scales
        self._bounds = scene.itemsBoundingRect()
        least = QFontMetricsF(_bold()).horizontalAdvance(title.upper()) + QFontMetricsF(sans(SMALL)).horizontalAdvance(said) + 2 * _GAP
        width = max(self._bounds.width(), min(least, _LEAST_SCENE))
        self.set_body(QSizeF(width, self._bounds.height() + scales[0] + _GAP).toSize() if not self._bounds.isEmpty() else QSize())

    def heading(self) -> tuple[str, str, str]:
        return self._heading

    def legend(self) -> Sequence[tuple[QColor, str]]:
        return ()

    def leave(self) -> None:
        pass

    def paint_body(self, painter: QPainter) -> None:
        left = (self.body.width() - self._bounds.width()) / 2
        self._scene.render(painter, QRectF(QPointF(left, 0), self._bounds.size()), self._bounds)
        self._scales[1](painter, QRect(QPoint(0, 0), self.body))


class StillRows(QWidget):
    """Pictures of plots in rows of equal width, as many beside each other as a page has room for."""

    def __init__(self, plots: Sequence[QWidget], width: int, height: int = 0) -> None:
        """`height` of all together; 0: as high as they are."""
        super().__init__()
        most = max(1, min(len(plots), width // _NARROWEST))
        across = _across(len(plots), most, width / height) if height else most
        down = -(-len(plots) // across)
        self.stills = [PlotStill(plot, width=width // across, height=height // down) for plot in plots]
        self._rows = [self.stills[place : place + across] for place in range(0, len(plots), across)]
        self.resize(width, max(height, sum(max(still.height() for still in row) for row in self._rows)))

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, top = QPainter(self), 0
        for row in self._rows:
            for place, still in enumerate(row):
                painter.save()
                painter.translate(place * still.width(), top)
                still.paint_on(painter)
                painter.restore()
            top += max(still.height() for still in row)
        painter.end()


def _across(count: int, most: int, shape: float) -> int:
    """How many stand beside each other in a room that is `shape` times as wide as high: plots shall not be strips, nor places empty."""
    rows = {across: -(-count // across) for across in range(1, most + 1)}
    return min(rows, key=lambda across: abs(math.log(shape * rows[across] / across / _GOOD)) + _EMPTY * (across * rows[across] - count))


def _bold() -> QFont:
    return sans(SMALL, QFont.Weight.Bold)


def _width(text: str) -> float:
    """Of an entry of a legend, and what keeps it from the next."""
    return _SQUARE + 5 + text_width(text) + 2 * _GAP


def _on_page(size: QSize, width: int) -> QSize:
    """A plot of this width, neither as low as a strip of the screen nor higher than wide."""
    low, high = (share * width for share in _SHARES)
    return QSize(width, round(max(low, min(high, size.height() * width / max(1, size.width())), min(size.height(), _LEAST_HEIGHT))))


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
