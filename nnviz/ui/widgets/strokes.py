"""Draws curves quickly. Qt's raster engine draws lines of at most 1 pixel some 15 times faster than wider ones, so a wide curve is
painted as thin ones side by side. For screens only: pictures that are exported take real pens.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

_STEP = 0.5
"""Widths are rounded to this many pixels."""
_APART = 0.6
"""How far thin lines are apart, in pixels: closer than 1, so that no seam shows."""


class Strokes:
    """The curves of one link as polylines (curves, samples, 2), with copies shifted along their normals kept for reuse."""

    def __init__(self, points: np.ndarray) -> None:
        self._points = points
        along = np.gradient(points, axis=1)
        length = np.maximum(np.hypot(along[..., 0], along[..., 1]), 1e-9)[..., None]
        self._normals = np.stack([-along[..., 1], along[..., 0]], axis=-1) / length
        self._scale = 1.0
        self._kept: dict[tuple[int, float], list[QPolygonF]] = {}

    def draw(self, painter: QPainter, curve: int, color: QColor, width: float, scale: float) -> None:
        """Draw a curve `width` scene units wide in an opaque colour, on a painter that magnifies by `scale`."""
        if scale != self._scale:
            self._scale = scale
            self._kept.clear()
        pixels = max(1.0, _STEP * round(width * scale / _STEP))
        painter.setPen(QPen(color, min(1.0, width * scale) / scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        for line in self._lines(curve, pixels):
            painter.drawPolyline(line)

    def _lines(self, curve: int, pixels: float) -> list[QPolygonF]:
        if (curve, pixels) not in self._kept:
            count = 1 + math.ceil((pixels - 1) / _APART)
            shifts = np.linspace(-(pixels - 1) / 2, (pixels - 1) / 2, count) / self._scale
            self._kept[curve, pixels] = [self._shifted(curve, shift) for shift in shifts]
        return self._kept[curve, pixels]

    def _shifted(self, curve: int, shift: float) -> QPolygonF:
        return QPolygonF([QPointF(x, y) for x, y in (self._points[curve] + shift * self._normals[curve]).tolist()])
