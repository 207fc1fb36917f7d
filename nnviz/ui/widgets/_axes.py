"""A frame with axes, and curves, points, bars or an image in it, drawn by pyqtgraph with the painter of a plot. It knows no run.

No widget of pyqtgraph is ever on the screen: wheel, mouse and menu stay the plot's own, and a picture in SVG is what the screen shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QBrush, QColor, QPaintEngine, QPainter, QPen, QTransform
from PySide6.QtWidgets import QGraphicsScene, QWidget

from nnviz.text import plot_numbers
from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.readout import small_mono, small_sans
from nnviz.ui.widgets.scales import AxisScale

# Segments: Qt joins the strokes of a line wider than a pixel at 15 times the cost; colours of curves must be opaque for it.
# No clean-up at exit: it would look through every object of the program for items that are in no scene.
pg.setConfigOptions(antialias=True, segmentedLineMode="on", imageAxisOrder="row-major", exitCleanup=False)

_MAKERS: dict[str, Callable[[], pg.GraphicsObject]] = {
    "image": pg.ImageItem,
    "bars": lambda: pg.BarGraphItem(x0=(), x1=(), y=(), height=1),
    "curve": lambda: pg.PlotCurveItem(skipFiniteCheck=True),
    "vertical": lambda: pg.InfiniteLine(angle=90, label="", labelOpts={"position": 0, "anchors": [(0, 1), (1, 1)]}),
    "points": pg.ScatterPlotItem,
}
"""What can stand in a frame, the lowest first."""


class Axis(pg.AxisItem):
    """Ticks in the words of figures.py and no line along them; on a logarithmic axis only powers of ten."""

    def __init__(self, side: str, box: pg.ViewBox) -> None:
        super().__init__(side, linkView=box, maxTickLength=0)
        self.text = plot_numbers.tick
        self.unit = 1.0
        """What pyqtgraph's numbers are multiplied with to be those of the scale."""
        self.look: tuple = ()
        self.reach = QRectF()
        """Where there is room for text."""
        self.setPen(None)
        self.setZValue(box.zValue() - 1)

    # --- pyqtgraph ---

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        rounded = (round(value / spacing) * spacing for value in values)
        return [self.text(10.0**value if self.logMode else value * self.unit) for value in rounded]

    def logTickValues(self, minVal: float, maxVal: float, size: float, stdTicks: list) -> list:
        decades = range(math.ceil(minVal), math.floor(maxVal) + 1)
        return [level if level[0] >= 1 else (1.0, list(decades)) for level in stdTicks]

    def generateDrawSpecs(self, painter: QPainter) -> tuple | None:
        specs = super().generateDrawSpecs(painter)
        return specs and (*specs[:2], [(self._moved_in(place), flags, text) for place, flags, text in specs[2]])

    def boundingRect(self) -> QRectF:
        return super().boundingRect().adjusted(-20, -8, 20, 8)  # else the texts at both ends are left out

    def _moved_in(self, place: QRectF) -> QRectF:
        """A text at the end of the axis, where half of it would be cut off, moved to where there is room."""
        x = max(self.reach.left(), min(place.left(), self.reach.right() - place.width()))
        y = max(self.reach.top(), min(place.top(), self.reach.bottom() - place.height()))
        return QRectF(x, y, place.width(), place.height())


class Axes:
    """First `place` the frame, then say what is in it, then `render`. What is not said again is not shown again."""

    def __init__(self, plot: QWidget) -> None:
        self._view = pg.GraphicsView(plot, background=None)
        self._view.hide()
        self._view.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self._box = pg.ViewBox(enableMouse=False, enableMenu=False)
        self._axes = {side: Axis(side, self._box) for side in ("left", "bottom")}
        for item in (self._box, *self._axes.values()):
            self._view.addItem(item)
        self._items: dict[str, list[Any]] = {kind: [] for kind in _MAKERS}
        self._shown: list[Any] = []
        self._area = self._x = self._y = None
        self._stamped = (None, ())

    def place(self, painter: QPainter, theme: Theme, frame: QRectF, x: AxisScale, y: AxisScale) -> None:
        """Put the frame there, with these scales along its sides: axes write around it, what is drawn is cut off at it."""
        self._theme, self._shown = theme, []
        self._ratio = painter.deviceTransform().m11()
        self._outlines = painter.paintEngine().type() != QPaintEngine.Type.Raster
        area = QRectF(self._view.parentWidget().rect())
        frame = QRectF(frame.topLeft(), frame.size().expandedTo(QSizeF(1, 1)))  # in a plot without room
        if (area, frame, x, y) == (self._area, self._box.geometry(), self._x, self._y):
            return
        self._area, self._x, self._y = area, x, y
        self._box.setGeometry(frame)
        self._axes["bottom"].unit, self._axes["left"].unit = _unit(x), _unit(y)
        limits = {"xRange": _along(x, np.array((x.low, x.high))), "yRange": _along(y, np.array((y.low, y.high)))}
        self._box.setRange(**limits, padding=1e-6)  # without it a tick at a limit may fall to rounding
        left = QRectF(area.left(), frame.top(), frame.left() - area.left(), frame.height())
        bottom = QRectF(frame.left(), frame.bottom(), frame.width(), area.bottom() - frame.bottom())
        for axis, room in ((self._axes["left"], left), (self._axes["bottom"], bottom)):
            axis.reach = area.translated(-room.topLeft())
            axis.setWidth(room.width())
            axis.setHeight(room.height())
            axis.setGeometry(room)

    def axis(self, side: str, text: Callable[[float], str] = plot_numbers.tick, lines: bool = False) -> None:
        """Show the axis at this side, with numbers in the words of `text`, with lines across the frame or without."""
        axis = self._axes[side]
        self._shown.append(axis)
        look = (self._theme, self._ratio, text, lines, (self._x if side == "bottom" else self._y).log)
        if axis.look == look:
            return
        axis.look, axis.text = look, text
        axis.setLogMode(look[-1])
        axis.setGrid(255 if lines else False)
        axis.setStyle(maxTickLevel=0, tickAlpha=255 if lines else 0, autoExpandTextSpace=False, tickFont=small_mono())
        axis.setTextPen(self._theme.color("muted"))
        axis.setTickPen(self._pen(QPen(self._theme.color("line"), 1)))

    def curve(self, x: np.ndarray, y: np.ndarray, color: QColor, width: float) -> None:
        """Draw a line through the points, which are finite. The colour must be opaque."""
        self._next("curve").setData(_along(self._x, x), _along(self._y, y), pen=self._pen(QPen(color, width)))

    def points(self, x: np.ndarray, y: np.ndarray, size: float, pens: list[QPen], brushes: list[QBrush]) -> None:
        """Draw circles, `size` pixels wide; where `x` is the same object as before they stay. In a file they are circles, else stamps."""
        item = self._next("points")
        item.setExportMode(self._outlines)
        look = (self._ratio, _unit(self._x), _unit(self._y))
        if self._stamped[0] is not x or self._stamped[1] != look:
            self._stamped = (x, look)
            item.fragmentAtlas.clear()
            item.fragmentAtlas.setDevicePixelRatio(self._ratio)
            wide = {id(pen): self._pen(pen) for pen in {id(pen): pen for pen in pens}.values()}
            item.setData(_along(self._x, x), _along(self._y, y), size=size, pen=[wide[id(pen)] for pen in pens], brush=brushes)

    def vertical(self, x: float, color: QColor, style: Qt.PenStyle = Qt.PenStyle.SolidLine, text: str = "") -> None:
        """Draw a line from the top to the bottom of the frame, with a text at its foot; in it {value} stands for x."""
        item = self._next("vertical")
        item.setPen(self._pen(QPen(color, 1, style)))
        item.label.setVisible(bool(text))
        item.label.setFormat(text)
        item.label.setFont(small_sans())
        item.label.setColor(color)
        item.label.fill = pg.mkBrush(self._theme.color("panel", 0.9))
        item.setValue(_along(self._x, x))

    def image(self, rgb: np.ndarray) -> None:
        """Draw (height, width, 3) bytes of colour, row 0 at the bottom, the middles of the outermost ones on the sides of the frame."""
        height, width = rgb.shape[:2]
        (left, right), (bottom, top) = (_along(scale, np.array((scale.low, scale.high))) for scale in (self._x, self._y))
        dx, dy = (right - left) / (width - 1), (top - bottom) / (height - 1)
        item = self._next("image")
        item.setImage(rgb, autoLevels=False)
        item.setRect(QRectF(left - dx / 2, bottom - dy / 2, dx * width, dy * height))

    def bars(self, x: np.ndarray, y: np.ndarray, height: float, pens: Sequence[QPen], brushes: Sequence[QBrush]) -> None:
        """Draw bars from the left side to every x, `height` pixels high. Pens are drawn inside their bars: round ones round the corners."""
        unit = self._box.viewPixelSize()
        inside = np.array([pen.widthF() / 2 for pen in pens])
        left = _along(self._x, self._x.low) + inside * unit[0]
        right = np.maximum(left, _along(self._x, x) - inside * unit[0])
        for brush in brushes:
            brush.setTransform(QTransform.fromScale(*unit))  # else a hatching would be as large as the units of the axes
        places = {"x0": left, "x1": right, "y": y, "height": (height - 2 * inside) * unit[1]}
        self._next("bars").setOpts(**places, pens=[self._pen(pen) for pen in pens], brushes=brushes)

    def render(self, painter: QPainter) -> None:
        """Paint what was said since the frame was placed; the rest is hidden."""
        for item in (*self._axes.values(), *chain(*self._items.values())):
            item.setVisible(item in self._shown)
        self._view.scene().render(painter, self._area, self._area)

    def _pen(self, pen: QPen) -> QPen:
        """The pen as items need it, which are drawn in the units of the axes; as wide as this one also where a pixel has several dots."""
        cosmetic = QPen(pen)
        cosmetic.setCosmetic(True)
        cosmetic.setWidthF(pen.widthF() * self._ratio)
        return cosmetic

    def _next(self, kind: str) -> Any:
        """An item of this kind that is not shown yet; made if there is none, and kept, as making takes longer than filling."""
        item = next((item for item in self._items[kind] if item not in self._shown), None)
        if item is None:
            item = _MAKERS[kind]()
            item.setZValue(list(_MAKERS).index(kind))
            self._box.addItem(item, ignoreBounds=True)
            self._items[kind].append(item)
        self._shown.append(item)
        return item


_FARTHEST = 100.0
"""What lies farther outside a frame than so many times its size is drawn there: Qt crashes on places that are no whole number."""


def _along(scale: AxisScale, values: Any) -> Any:
    """The values as pyqtgraph counts along a scale: on a logarithmic one the powers of ten."""
    if scale.log:
        return np.log10(np.maximum(values, scale.low))
    unit = _unit(scale)
    room = _FARTHEST * (scale.high / unit - scale.low / unit)
    least, most = scale.low / unit - room, scale.high / unit + room
    beyond = bool(np.size(values)) and (float(np.min(values)) / unit < least or float(np.max(values)) / unit > most)
    return np.clip(np.asarray(values, dtype=np.float64) / unit, least, most) if beyond or unit != 1.0 else values


def _unit(scale: AxisScale) -> float:
    """1; where the square of a limit would be infinite, a power of ten as large as the limits: pyqtgraph adds and multiplies them."""
    largest = max(abs(scale.low), abs(scale.high))
    return 1.0 if scale.log or not 1e100 < largest < math.inf else 10.0 ** math.floor(math.log10(largest))
