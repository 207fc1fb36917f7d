"""A frame with axes, and curves, points, bars or an image in it, drawn by pyqtgraph with the painter of a plot. It knows no run.

No widget of pyqtgraph is ever on the screen: wheel, mouse and menu stay the plot's own, and a picture in SVG is what the screen shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QBrush, QColor, QPaintEngine, QPainter, QPen
from PySide6.QtWidgets import QGraphicsScene, QWidget

from nnviz.text import plot_numbers
from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.readout import line_height, small_mono, text_width, write
from nnviz.ui.widgets.scales import AxisScale

# Segments: Qt joins the strokes of a line wider than a pixel at 15 times the cost; colours of curves must be opaque for it.
# No clean-up at exit: it would look through every object of the program for items that are in no scene.
pg.setConfigOptions(antialias=True, segmentedLineMode="on", imageAxisOrder="row-major", exitCleanup=False)

_BETWEEN = 4
"""Least pixels between two texts of an axis."""


class FrameLine(pg.PlotCurveItem):
    """A line in a frame, which cuts it off: where its points lie need not be found out for that."""

    def __init__(self) -> None:
        super().__init__(skipFiniteCheck=True)

    # --- pyqtgraph ---

    def boundingRect(self) -> QRectF:
        return self.getViewBox().rect() if self.getViewBox() else QRectF()


_MAKERS: dict[str, Callable[[], pg.GraphicsObject]] = {
    "image": pg.ImageItem,
    "bars": lambda: pg.BarGraphItem(x0=(), x1=(), y=(), height=1),
    "curve": FrameLine,
    "vertical": FrameLine,
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
        return specs and (*specs[:2], apart([(self._moved_in(place), flags, text) for place, flags, text in specs[2]]))

    def linkedViewChanged(self, view: pg.ViewBox, newRange: object = None) -> None:
        """Its range is set by `place`: the frame counts in pixels."""

    def boundingRect(self) -> QRectF:
        return super().boundingRect().adjusted(-20, -8, 20, 8)  # else the texts at both ends are left out

    def _moved_in(self, place: QRectF) -> QRectF:
        """A text at the end of the axis, where half of it would be cut off, moved to where there is room."""
        x = max(self.reach.left(), min(place.left(), self.reach.right() - place.width()))
        y = max(self.reach.top(), min(place.top(), self.reach.bottom() - place.height()))
        return QRectF(x, y, place.width(), place.height())


def apart(texts: list[tuple[QRectF, Any, str]]) -> list[tuple[QRectF, Any, str]]:
    """Return every first, second, third, … of the texts along an axis, as many as do not touch each other."""
    for stride in range(1, len(texts) + 1):
        shown = texts[::stride]
        if not any(one[0].adjusted(-_BETWEEN, 0, _BETWEEN, 0).intersects(other[0]) for one, other in pairwise(shown)):
            return shown
    return texts[:1]


class Axes:
    """First `place` the frame, then say what is in it, then `render`. What is not said again is not shown again."""

    def __init__(self, plot: QWidget) -> None:
        self._view = pg.GraphicsView(plot, background=None)
        self._view.hide()
        self._view.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self._box = pg.ViewBox(enableMouse=False, enableMenu=False, invertY=True)
        self._axes = {side: Axis(side, self._box) for side in ("left", "bottom")}
        for item in (self._box, *self._axes.values()):
            self._view.addItem(item)
        self._items: dict[str, list[Any]] = {kind: [] for kind in _MAKERS}
        self._shown: list[Any] = []
        self._area = self._frame = self._x = self._y = None
        self._stamped = (None, ())
        self._texts: list[tuple[float, str, QColor]] = []
        """At the feet of lines: where in the frame, what, in which colour."""

    def place(self, painter: QPainter, theme: Theme, frame: QRectF, x: AxisScale, y: AxisScale) -> None:
        """Put the frame there, with these scales along its sides: axes write around it, what is drawn is cut off at it."""
        self._theme, self._shown, self._texts = theme, [], []
        self._ratio = painter.deviceTransform().m11()
        self._outlines = painter.paintEngine().type() != QPaintEngine.Type.Raster
        area = self._view.parentWidget().area
        frame = QRectF(frame.topLeft(), frame.size().expandedTo(QSizeF(1, 1)))  # in a plot without room
        if (area, frame, x, y) == (self._area, self._frame, self._x, self._y):
            return
        self._area, self._frame, self._x, self._y = area, frame, x, y
        reach = frame.adjusted(-1, -1, 1, 1)  # else half of a line along a side would be cut off
        self._box.setGeometry(reach)
        self._box.setRange(reach.translated(-frame.topLeft()), padding=0)  # in pixels: scaled lines take Qt four times as long
        left = QRectF(area.left(), frame.top(), frame.left() - area.left(), frame.height())
        bottom = QRectF(frame.left(), frame.bottom(), frame.width(), area.bottom() - frame.bottom())
        for axis, room, scale in ((self._axes["left"], left, y), (self._axes["bottom"], bottom, x)):
            axis.unit = _unit(scale)
            low, high = _limits(scale)
            axis.setRange(low, high)
            axis.reach = area.translated(-room.topLeft())
            axis.setWidth(room.width())
            axis.setHeight(room.height())
            axis.setGeometry(room)

    def axis(self, side: str, text: Callable[[float], str] = plot_numbers.tick, lines: bool = False) -> None:
        """Show the axis at this side, with numbers in the words of `text`, with lines across the frame or without."""
        axis = self._axes[side]
        self._shown.append(axis)
        look = (self._theme, self._ratio, small_mono().pixelSize(), text, lines, (self._x if side == "bottom" else self._y).log)
        if axis.look == look:
            return
        axis.look, axis.text = look, text
        axis.setLogMode(look[-1])
        self._box.setLogMode("x" if side == "bottom" else "y", False)  # else pyqtgraph keeps it within 308 powers of ten; it counts pixels
        axis.setGrid(255 if lines else False)
        axis.setStyle(maxTickLevel=0, tickAlpha=255 if lines else 0, autoExpandTextSpace=False, tickFont=small_mono())
        axis.setTextPen(self._theme.color("muted"))
        axis.setTickPen(self._pen(QPen(self._theme.color("line"), 1)))

    def curve(self, x: np.ndarray, y: np.ndarray, color: QColor, width: float) -> None:
        """Draw a line through the points, which are finite. The colour must be opaque."""
        self._next("curve").setData(*_bends(*self._places(x, y)), pen=self._pen(QPen(color, width)))

    def points(self, x: np.ndarray, y: np.ndarray, size: float, pens: list[QPen], brushes: list[QBrush]) -> None:
        """Draw circles, `size` pixels wide; where `x` is the same object as before they stay. In a file they are circles, else stamps."""
        item = self._next("points")
        item.setExportMode(self._outlines)
        look = (self._ratio, self._x, self._y)
        if self._stamped[0] is not x or self._stamped[1] != look:
            self._stamped = (x, look)
            item.fragmentAtlas.clear()
            item.fragmentAtlas.setDevicePixelRatio(self._ratio)
            wide = {id(pen): self._pen(pen) for pen in {id(pen): pen for pen in pens}.values()}
            item.setData(*self._places(x, y), size=size, pen=[wide[id(pen)] for pen in pens], brush=brushes)

    def vertical(self, x: float, color: QColor, style: Qt.PenStyle = Qt.PenStyle.SolidLine, text: str = "") -> None:
        """Draw a line from the top to the bottom of the frame, with a text at its foot; in it {value} stands for x."""
        place, height = float(_pixels(self._x, x)), self._frame.height()
        self._next("vertical").setData(np.array((place, place)), np.array((0.0, height)), pen=self._pen(QPen(color, 1, style)))
        if text:
            self._texts.append((place, text.format(value=x), color))

    def image(self, rgb: np.ndarray, low: tuple[float, float], high: tuple[float, float]) -> None:
        """Draw (height, width, 3) bytes of colour, row 0 at the bottom; the middles of the outermost ones are at `low` and `high`."""
        height, width = rgb.shape[:2]
        (left, right), (bottom, top) = self._places(*(np.array(pair) for pair in zip(low, high, strict=True)))
        dx, dy = (right - left) / (width - 1), (top - bottom) / (height - 1)
        item = self._next("image")
        item.setImage(rgb, autoLevels=False)
        item.setRect(QRectF(left - dx / 2, bottom - dy / 2, dx * width, dy * height))  # upwards: row 0 is the lowest

    def bars(self, x: np.ndarray, y: np.ndarray, height: float, pens: Sequence[QPen], brushes: Sequence[QBrush]) -> None:
        """Draw bars from the left side to every x, `height` pixels high. Pens are drawn inside their bars: round ones round the corners."""
        inside = np.array([pen.widthF() / 2 for pen in pens])
        ends, rows = self._places(x, y)
        places = {"x0": inside, "x1": np.maximum(inside, ends - inside), "y": rows, "height": height - 2 * inside}
        self._next("bars").setOpts(**places, pens=[self._pen(pen) for pen in pens], brushes=brushes)

    def render(self, painter: QPainter) -> None:
        """Paint what was said since the frame was placed; the rest is hidden."""
        for item in (*self._axes.values(), *chain(*self._items.values())):
            item.setVisible(item in self._shown)
        self._view.scene().render(painter, self._area, self._area)
        for place, text, color in self._texts:
            self._write_foot(painter, place, text, color)

    def _write_foot(self, painter: QPainter, place: float, text: str, color: QColor) -> None:
        """A text at the foot of a line, on the side of it where there is room."""
        frame, width = self._frame, text_width(text) + 4
        left = place if place + width <= frame.width() else max(0.0, place - width)
        room = QRectF(frame.left() + left, frame.bottom() - line_height(), width, line_height())
        painter.fillRect(room, self._theme.color("panel", 0.9))
        write(painter, room.adjusted(2, 0, 0, 0), text, color)

    def _pen(self, pen: QPen) -> QPen:
        """The pen as items need it: as wide as this one also where a pixel has several dots."""
        cosmetic = QPen(pen)
        cosmetic.setCosmetic(True)
        cosmetic.setWidthF(pen.widthF() * self._ratio)
        return cosmetic

    def _places(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where values stand in the frame, in pixels."""
        return _pixels(self._x, x), _pixels(self._y, y, down=True)

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


def _pixels(scale: AxisScale, values: Any, down: bool = False) -> Any:
    """Where values stand along the frame, in pixels from its left side, or `down` from its top."""
    return scale(values) - (scale.end if down else scale.start)


def _bends(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points of a line without those between two on the same level: a line in pieces shows where these meet."""
    keep = np.ones(y.size, dtype=bool)
    keep[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
    return x[keep], y[keep]


def _limits(scale: AxisScale) -> tuple[float, float]:
    """The ends of a scale as pyqtgraph counts, on a logarithmic one powers of ten; a little more, for ticks that are rounded."""
    low, high = (math.log10(end) if scale.log else end / _unit(scale) for end in (scale.low, scale.high))
    room = 1e-6 * (high - low)
    return low - room, high + room


def _unit(scale: AxisScale) -> float:
    """1; where the square of a limit would be infinite, a power of ten as large as the limits: pyqtgraph adds and multiplies them."""
    largest = max(abs(scale.low), abs(scale.high))
    return 1.0 if scale.log or not 1e100 < largest < math.inf else 10.0 ** math.floor(math.log10(largest))
