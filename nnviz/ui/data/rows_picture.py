"""Rows of data as a small picture: points, a curve, a series, images, text, or the plane of two principal components."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from nnviz.records.data_record import DataRecord, unscaled
from nnviz.records.tensors import to_numpy
from nnviz.ui.theme.colors import RADIUS, SMALL, Theme, current_theme
from nnviz.ui.theme.fonts import mono
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.array_picture import image_of
from nnviz.ui.widgets.scales import share_of

_ROOM = 5
"""Pixels left free around the points."""
MOST_POINTS = 240
_STEPS = 90
"""Time steps of a series that are drawn."""
_IMAGE = 24.0
"""Pixels an image is wide, about."""


def paint_rows(painter: QPainter, area: QRectF, theme: Theme, data: DataRecord) -> None:
    """Paint the rows into the area."""
    x, y = to_numpy(data.x), to_numpy(data.y)
    painter.save()
    painter.setClipRect(area)
    if len(data.shape) == 3:
        _paint_images(painter, area, theme, unscaled(data, x).reshape(len(x), *data.shape)[:, 0])
    elif len(data.shape) == 2:
        _paint_series(painter, area, theme, x.reshape(len(x), *data.shape)[:, 0, 0])
    elif any("token" in name for name in data.feature_names[:1]):
        _paint_text(painter, area, theme, x, data.class_names)
    else:
        paint_points(painter, area, theme, *_placed(x, y, data.classes), data.classes)
    painter.restore()


class RowsPicture(QWidget):
    """The rows of one data set, as large as there is room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: DataRecord | None = None
        self.setAccessibleName("Rows of the data")
        self.setToolTip("Rows as the network sees them: points of two features, else of the two principal components; series, images, text")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_data(self, data: DataRecord | None) -> None:
        """Show these rows."""
        self._data = data
        self.setAccessibleDescription("" if data is None else f"{data.x.shape[0]} rows of {data.x.shape[1]} numbers")
        self.update()

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(560, 230)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 120)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("panel"))
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        if self._data is not None and len(self._data.x.shape) == 2:
            paint_rows(painter, area.adjusted(8, 6, -8, -6), theme, self._data)
        painter.end()


def _placed(x: np.ndarray, y: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Where every row lies, (rows, 2), and its class or target: as it is for two features, over its target for one, else projected."""
    values = y if y.ndim == 1 else y[:, 0]
    picked = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).astype(int))
    x, values = x[picked].astype(np.float64), values[picked]
    if x.shape[1] == 1:
        return np.stack([x[:, 0], values], axis=1), values
    return (x if x.shape[1] == 2 else principal(x)), values


def principal(x: np.ndarray) -> np.ndarray:
    """Return the rows on the plane of their two principal components, (rows, 2)."""
    moved = x - x.mean(0)
    return moved @ np.linalg.svd(moved, full_matrices=False)[2][:2].T


def paint_points(painter: QPainter, area: QRectF, theme: Theme, places: np.ndarray, values: np.ndarray, classes: int) -> None:
    """Paint points in the colours of their classes; for regression in the colour of what is trained on."""
    if not len(places):
        return
    room = area.adjusted(_ROOM, _ROOM, -_ROOM, -_ROOM)
    low, high = places.min(0), places.max(0)
    width = np.where(high > low, high - low, 1.0)
    if classes:  # both axes are features: one unit is as long on both
        unit = min(room.width() / width[0], room.height() / width[1])
        middle, width = (low + high) / 2, np.array([room.width(), room.height()]) / unit
        low = middle - width / 2
    size = 3.2 if len(places) > 120 else 4.4
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for (across, up), value in zip((places - low) / width, values, strict=True):
        painter.setBrush(QColor(theme.classes[int(value) % len(theme.classes)] if classes else theme.training_set))
        painter.drawEllipse(QPointF(room.left() + across * room.width(), room.bottom() - up * room.height()), size / 2, size / 2)


def _paint_series(painter: QPainter, area: QRectF, theme: Theme, values: np.ndarray) -> None:
    values = values[:_STEPS]
    low, high = float(values.min()), float(values.max())
    room = area.adjusted(_ROOM, 2 * _ROOM, -_ROOM, -2 * _ROOM)
    across = np.linspace(room.left(), room.right(), len(values))
    up = room.bottom() - share_of(values, low, high) * room.height()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.training_set), 1.4))
    painter.drawPolyline(QPolygonF([QPointF(*place) for place in zip(across.tolist(), up.tolist(), strict=True)]))


def _paint_images(painter: QPainter, area: QRectF, theme: Theme, images: np.ndarray) -> None:
    columns, rows = max(1, round(area.width() / _IMAGE)), max(1, round(area.height() / _IMAGE))
    cell = min(area.width() / columns, area.height() / rows)
    left, top = area.center().x() - cell * columns / 2, area.center().y() - cell * rows / 2
    picked = images[np.linspace(0, len(images) - 1, columns * rows).astype(int)]
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    for place, values in enumerate(picked):
        spot = QRectF(left + place % columns * cell, top + place // columns * cell, cell, cell)
        painter.drawImage(spot.adjusted(1, 1, -1, -1), image_of(values, theme))


def _paint_text(painter: QPainter, area: QRectF, theme: Theme, x: np.ndarray, names: tuple[str, ...]) -> None:
    """The tokens of the first rows one after the other, as running text."""
    width = x.shape[1]
    tokens = [names[int(number)] for row in x[::width] for number in row]
    gap = "" if max(map(len, names)) == 1 else " "
    text = gap.join(tokens).replace("␣", " ")
    painter.setFont(mono(SMALL))
    painter.setPen(theme.color("text"))
    room = area.adjusted(_ROOM, _ROOM, -_ROOM, -_ROOM)
    letters = max(1, int(room.width() / QFontMetricsF(painter.font()).horizontalAdvance("x")))
    height = QFontMetricsF(painter.font()).lineSpacing()
    lines = "\n".join(text[place : place + letters] for place in range(0, letters * int(room.height() / height), letters))
    painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, lines)
