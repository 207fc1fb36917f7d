"""The picture of one link: every weight a curve between two neurons, or bands between blocks. It paints and takes no events."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem

from nnviz.document.network import Link
from nnviz.ui.network.curves import Course, LinkEnds
from nnviz.ui.theme.colors import Theme, current_theme, of_sign
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.strokes import Strokes

HANDLE = 5.0
"""Radius of the handles at the ends of a selected link."""
NEAR = 6.0
"""How far from a curve, in canvas units, the mouse may be."""
_FADED = 0.14
_FAR = 0.3
"""Scale below which the curves of a link are one line."""
_SHADES = 40  # few enough that curves share their colours, many enough that no step shows
_GLOW = 5.0
"""Width of the light around the curves of a selected link."""
_MOST_GLOWING = 64
"""A link of more curves glows along its middle only."""
_SINGLE = ("band", "ribbon")
_FLAT, _SOLID = Qt.PenCapStyle.FlatCap, Qt.PenStyle.SolidLine


class LinkItem(QGraphicsItem):
    """One link between two columns."""

    def __init__(self, link: Link, ends: LinkEnds) -> None:
        super().__init__()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.link = link
        self.weights: np.ndarray | None = None
        self._limit = 1.0
        self._focus: tuple[str, int] | None = None
        self._marked: tuple[bool, int, bool] = (False, -1, False)
        self._run(ends)

    # --- what to show ---

    def set_ends(self, ends: LinkEnds) -> None:
        """Run between these faces."""
        if ends != self.course.ends:
            self.prepareGeometryChange()
            self._run(ends)

    def _run(self, ends: LinkEnds) -> None:
        self.course = Course(ends)
        self._paths: dict[int, QPainterPath] = {}
        self._strokes = Strokes(self.course.points)
        self._hull = _hull(ends) if self.course.style == "ribbon" else None
        self._rect = self._extent()

    def path(self, curve: int) -> QPainterPath:
        """Return a curve as a path; made when it is asked for, which exports and the light around links do."""
        if curve not in self._paths:
            straight = self.course.ends.detour is None
            self._paths[curve] = _curve(self.course.controls[curve]) if straight else _polyline(self.course.points[curve])
        return self._paths[curve]

    def _extent(self) -> QRectF:
        """The room of all curves, the hull, and the handles at both ends."""
        low, high = self.course.bounds
        rect = QRectF(QPointF(*low), QPointF(*high))
        for side in (-1, 1):
            rect = rect.united(QRectF(self.end(side), self.end(side)))
        return (rect.united(self._hull.boundingRect()) if self._hull else rect).adjusted(-8, -8, 8, 8)

    @property
    def is_selected(self) -> bool:
        """Whether its ends can be taken hold of."""
        return self._marked[0]

    @property
    def is_lit(self) -> bool:
        """Whether it would take a layer that is dropped."""
        return self._marked[2]

    def end(self, side: int) -> QPointF:
        """Return where the link leaves its source (side -1) or comes in at its target (side 1), in the scene."""
        ends = self.course.ends
        if side < 0:
            return QPointF(ends.start[0] + ends.source.body[0] / 2 + HANDLE, ends.start[1])
        return QPointF(ends.stop[0] - ends.target.body[0] / 2 - HANDLE, ends.stop[1])

    @property
    def parameter(self) -> str:
        """The name of the weights it shows; empty where it has none."""
        return f"{self.link.target}.weight" if self.course.ends.kind == "dense" else ""

    def set_weights(self, weights: np.ndarray | None, limit: float) -> None:
        """Show these weights (target units, source units), at full width and colour at ±limit."""
        self.weights, self._limit = weights, limit
        self.update()

    def set_focus(self, focus: tuple[str, int] | None) -> None:
        """Keep only the curves of one neuron, ("source" or "target", unit), and fade the others; ("", 0) fades all, None none."""
        if focus != self._focus:
            self._focus = focus
            self.update()

    def set_marks(self, selected: bool, curve: int, lit: bool) -> None:
        """Stand out: the whole link selected, one curve under the mouse (-1: none), or ready to take a dropped layer."""
        if (selected, curve, lit) != self._marked:
            self._marked = (selected, curve, lit)
            self.update()

    def weight(self, curve: int) -> float | None:
        """Return the weight of a curve; None where it is not known or the curve stands for several."""
        if self.course.style != "weights" or self.weights is None:
            return None
        return float(self.weights[self.course.pairs[curve]])

    # --- painting ---

    def _shares(self) -> np.ndarray | None:
        """A signed share of full width per curve, in steps; bands take the root mean square of their weights. None: not known."""
        if self.weights is None or self.course.style not in ("weights", "bands"):
            return None
        if self.course.style == "weights":
            targets, sources = np.array(self.course.pairs).T
            return np.round(np.asarray(self.weights, dtype=float)[targets, sources] / self._limit * _SHADES) / _SHADES
        axis = 1 if self.course.pairs[0][0] >= 0 else 0
        return np.sqrt(np.mean(np.square(self.weights, dtype=float), axis=axis)) / self._limit

    def _stands_out(self, curve: int) -> bool:
        if self._focus is None:
            return True
        side, unit = self._focus
        target, source = self.course.pairs[curve]
        return {"source": source, "target": target}.get(side, -2) in (unit, -1)

    def _paint_curves(self, painter: QPainter, scale: float | None) -> None:
        shares, theme, style = self._shares(), current_theme(), self.course.style
        weighted = bool(self.parameter) and style not in _SINGLE
        for curve in range(len(self.course.points)) if shares is None else np.argsort(np.abs(shares)):
            share = None if shares is None else float(shares[curve])
            fade = 1.0 if self._stands_out(curve) else _FADED
            self._stroke(painter, int(curve), *_look(theme, style, weighted, share, fade), scale)

    def _stroke(self, painter: QPainter, curve: int, color: QColor, width: float, scale: float | None) -> None:
        if scale is None:
            painter.strokePath(self.path(curve), QPen(color, width, _SOLID, _FLAT))
        else:
            self._strokes.draw(painter, curve, color, width, scale)

    # --- Qt ---

    def boundingRect(self) -> QRectF:
        return self._rect

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: object = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = option.levelOfDetailFromTransform(painter.worldTransform()) if widget else None  # no widget: an export, with real pens
        if self._hull is not None:
            painter.fillPath(self._hull, current_theme().color("muted", 0.08))
        _paint_glow(painter, self)
        if scale is not None and scale < _FAR and len(self.course.points) > 1:
            _paint_far(painter, self, scale)
        else:
            self._paint_curves(painter, scale)
        hovered = self._marked[1]
        if 0 <= hovered < len(self.course.points):
            self._stroke(painter, hovered, current_theme().color("text"), 2.2, scale)
        if self.is_selected:
            _paint_handles(painter, self)


def _paint_glow(painter: QPainter, item: LinkItem) -> None:
    """The light around the curves of a link that is selected or takes a drop."""
    if item.is_selected or item.is_lit:
        painter.strokePath(_glow(item), QPen(_glow_color(item), _GLOW, _SOLID, _FLAT))


def _glow_color(item: LinkItem) -> QColor:
    """Grey around a selected link, so that the curves keep the colours of their signs."""
    return current_theme().color("forward", 0.3) if item.is_lit else current_theme().color("muted", 0.22)


def _paint_far(painter: QPainter, item: LinkItem, scale: float) -> None:
    """One line where single curves could not be told apart."""
    painter.setPen(QPen(current_theme().tint("muted", 0.45), 1.0 / scale))
    painter.drawLine(item.end(-1), item.end(1))


def _paint_handles(painter: QPainter, item: LinkItem) -> None:
    painter.setPen(QPen(current_theme().color("text"), 1.6))
    painter.setBrush(current_theme().color("panel"))
    for side in (-1, 1):
        painter.drawEllipse(item.end(side), HANDLE, HANDLE)


@lru_cache(maxsize=4096)
def _look(theme: Theme, style: str, weighted: bool, share: float | None, fade: float) -> tuple[QColor, float]:
    """Colour by sign, width and saturation by magnitude; None is a weight that is not known. Opaque, which is drawn fastest."""
    if not weighted:
        return theme.tint("muted", 0.45 * fade), 2.4 if style == "band" else 1.0
    if share is None:
        return theme.tint("faint", 0.7 * fade), 1.0
    if not np.isfinite(share):
        return theme.tint("loss", fade), 1.6
    size = min(1.0, abs(share))
    if style == "bands":
        return theme.tint("muted", (0.2 + 0.5 * size) * fade), 0.8 + 2.4 * size
    return theme.tint(of_sign(share), (0.35 + 0.5 * size) * fade), 0.7 + 3.0 * size


def _curve(control: np.ndarray) -> QPainterPath:
    path = QPainterPath(QPointF(*control[0]))
    path.cubicTo(*(QPointF(*point) for point in control[1:]))
    return path


def _glow(item: LinkItem) -> QPainterPath:
    """What the light around a selected link follows."""
    count = len(item.course.points)
    return _joined([item.path(curve) for curve in range(count)]) if count <= _MOST_GLOWING else _spine(item.course.ends)


def _joined(paths: list[QPainterPath]) -> QPainterPath:
    joined = QPainterPath()
    for path in paths:
        joined.addPath(path)
    return joined


def _spine(ends: LinkEnds) -> QPainterPath:
    """The curve from the middle of one layer to the middle of the other."""
    start = QPointF(ends.start[0] + ends.source.body[0] / 2, ends.start[1])
    stop = QPointF(ends.stop[0] - ends.target.body[0] / 2, ends.stop[1])
    bend = QPointF(max(24.0, abs(stop.x() - start.x()) / 2), 0)
    path = QPainterPath(start)
    path.cubicTo(start + bend, stop - bend, stop)
    return path


def _polyline(points: np.ndarray) -> QPainterPath:
    path = QPainterPath(QPointF(*points[0]))
    for x, y in points[1:].tolist():
        path.lineTo(x, y)
    return path


def _hull(ends: LinkEnds) -> QPainterPath:
    """The outline of a band as high as the columns at both its ends."""
    x0, x1 = ends.start[0] + ends.source.body[0] / 2 + 2, ends.stop[0] - ends.target.body[0] / 2 - 2
    middle = (x0 + x1) / 2
    half0, half1 = ends.source.body[1] / 2, ends.target.body[1] / 2
    (top0, bottom0), (top1, bottom1) = ((y - half, y + half) for y, half in ((ends.start[1], half0), (ends.stop[1], half1)))
    path = QPainterPath(QPointF(x0, top0))
    path.cubicTo(middle, top0, middle, top1, x1, top1)
    path.lineTo(x1, bottom1)
    path.cubicTo(middle, bottom1, middle, bottom0, x0, bottom0)
    path.closeSubpath()
    return path
