"""The loss over a plane through the parameters, from above or as a surface that can be turned. Shows what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.task_records import LossPlane
from nnviz.text import plot_numbers
from nnviz.ui.landscape._contour_view import band_image, paint_contours
from nnviz.ui.landscape._surface_view import View, paint_surface
from nnviz.ui.landscape.shown_plane import ShownPlane
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.header_button import choice
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, text_width, write

_EXPLANATION = (
    "The loss if the parameters stood elsewhere on a plane through where they are: through two weights, two random directions of the "
    "size of the weights (filter normalisation), or the plane in which the path reaches furthest. On it the path really taken, each point "
    "at its nearest place on the plane.\n\nA plane shows two of many directions: what looks like a valley may be none in others."
)
_TURN = 20.0
"""Pixels of dragging that an arrow key stands for."""
_ROOMY = 190
"""Pixels of height below which nothing is written under the picture."""
_MOST_BELOW = 0.3
"""Which share of the height the lines under it may take."""


class LandscapePlot(Plot):
    """Contours: wheel, drag and double click look closer as in all plots. Surface: drag and arrows turn it, a double click back."""

    def __init__(self, *tools: QWidget, parent: QWidget | None = None) -> None:
        super().__init__("Loss landscape", _EXPLANATION, "Plane", parent)
        self.view = choice("From above, or as a surface that is turned by dragging", {"contours": "2-D", "surface": "3-D"}, "contours")
        self.view.chosen.connect(self.renew)
        self.tools = (*tools, self.view)
        self.shown: ShownPlane | None = None
        self.side = View()
        """From where the surface is seen."""
        self._image = np.zeros((1, 1, 3), np.uint8)
        self._look: tuple[str, Mapping[str, int], tuple[str, str], tuple[tuple[str, str], ...]] = ("", {}, ("", ""), ())

    def set_look(self, present: str, colors: Mapping[str, int], names: tuple[str, str], left_out: tuple[tuple[str, str], ...] = ()) -> None:
        """Say which branch the plane is of, which colours all branches have, what the axes are called, and whose paths were not asked
        for, each with the reason."""
        look = (present, dict(colors), names, left_out)
        if look != self._look:
            self._look = look
            self.renew()

    def set_plane(self, plane: LossPlane | None, iteration: int, failure: str = "") -> None:
        """Show this plane, of the parameters after so many iterations. None: there is none; `failure` says why, if one was asked for."""
        self.offer(plane, iteration, failure)

    def take(self, plane: LossPlane | None = None, iteration: int = 0, failure: str = "") -> None:
        if plane is None:
            self.shown, self.sentence = None, failure or "the loss around where the run stands: choose a plane, then compute"
            self.set_heading("Loss landscape", "", "Plane")
            return
        self.sentence = ""
        self.shown = ShownPlane.of(plane, *self._look)
        self.choice = self.view.text()
        theme = current_theme()
        self.legend = tuple((theme.branch(path.color), path.name) for path in self.shown.paths)
        self._image = band_image(theme, self.shown)
        coarse = f", every {plane.stride}th point" if plane.stride > 2 else ", every second point" if plane.stride == 2 else ""
        self.set_heading("Loss landscape", plot_numbers.iteration(iteration) + coarse, "Plane")

    def paint(self, painter: QPainter, area: QRectF) -> None:
        room = area.adjusted(0, 0, 0, -self._paint_footers(painter, area))
        if self._is_surface:
            paint_surface(self, painter, room, self.shown, self.side, self._dragged is not None)
        else:
            paint_contours(self, painter, room, self.shown, self._image)

    def _paint_footers(self, painter: QPainter, area: QRectF) -> float:
        """Write what stands below the picture, and whose paths there are, as far as there is room; return its height."""
        if area.height() < _ROOMY:
            return 0.0
        theme, paths = current_theme(), self.shown.paths if len(self.shown.paths) > 1 else ()
        texts = _in_lines(self.shown.footers, area.width() - 8)[: max(2, int(_MOST_BELOW * area.height() / line_height()))]
        height = line_height() * (len(texts) + bool(paths)) + 2
        line = QRectF(area.left() + 4, area.bottom() - height + 2, area.width() - 8, line_height())
        for text in texts:
            write(painter, line, text, theme.color("muted"))
            line.translate(0, line_height())
        for path in paths:
            if line.left() + text_width(path.name) + 14 > area.right():
                break
            painter.fillRect(QRectF(line.left(), line.center().y() - 1, 10, 2), theme.branch(path.color))
            write(painter, line.adjusted(14, 0, 0, 0), path.name, theme.branch(path.color))
            line.setLeft(line.left() + text_width(path.name) + 28)
        return height

    @property
    def _is_surface(self) -> bool:
        return self.view.key == "surface"

    def _turn(self, x: float, y: float) -> None:
        self.side = self.side.turned(x, y)
        self.update()

    # --- Qt ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._is_surface or self.shown is None:
            super().mousePressEvent(event)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._dragged = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._is_surface:
            super().mouseMoveEvent(event)
        elif self._dragged is not None:
            way = event.position() - self._dragged
            self._dragged = event.position()
            self._turn(way.x(), way.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self.update()  # what was coarse while it was turned

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._is_surface:
            super().mouseDoubleClickEvent(event)
        else:
            self.side = View()
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore() if self._is_surface else super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        if not self._is_surface or event.key() not in ways:
            super().keyPressEvent(event)
        else:
            self._turn(*(_TURN * part for part in ways[event.key()]))


def _in_lines(parts: Sequence[str], width: float) -> list[str]:
    """The parts joined as far as they fit into lines of so many pixels."""
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]} · {part}" if lines else part
        if lines and text_width(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines
