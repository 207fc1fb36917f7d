"""The loss over a plane from above: bands of colour, contour lines with their losses, the paths. Paints into a plot."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from nnviz.text import plot_numbers
from nnviz.ui.landscape.path_marks import paint_path, paint_standing
from nnviz.ui.landscape.shown_plane import ShownPlane, edges_of, free_of, loss_image, nearest_point
from nnviz.ui.theme.colors import Theme, current_theme
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.readout import line_height, paint_readout, small_mono, text_width, write
from nnviz.ui.widgets.scales import AxisScale

_FINE = 9
"""Pictures of the bands are so many times as fine as the plane."""
_LONG = 60.0
"""Pixels a contour line must be long to be labelled."""
_END = 44.0
"""Pixels around both ends of a path that its own numbers need."""
_BESIDE = 4.0
"""Pixels beside a path that texts leave free."""
_NEAR = 9.0
"""Pixels within which a point of a path is meant."""


def band_image(theme: Theme, shown: ShownPlane) -> np.ndarray:
    """Return the bands as bytes of colour, row 0 at the lowest y."""
    fineness = max(1, round(_FINE * 41 / max(41, *shown.field.losses.shape)))
    return loss_image(theme, shown.field.bands(fineness))


def paint_contours(plot: Plot, painter: QPainter, area: QRectF, shown: ShownPlane, image: np.ndarray) -> None:
    """Paint it all, and the values under the pointer."""
    theme, field = current_theme(), shown.field
    frame, x, y = _scales(plot, area, shown)
    plot.axes.place(painter, theme, frame, x, y)
    plot.axes.axis("left")
    plot.axes.axis("bottom")
    plot.axes.image(image, (field.x[0], field.y[0]), (field.x[-1], field.y[-1]))
    plot.axes.render(painter)
    painter.save()
    painter.setClipRect(frame)
    places = [(path, np.stack([x(path.points[:, 0]), y(path.points[:, 1])], 1)) for path in shown.paths]
    ends = [QRectF(point[0] - _END, point[1] - _END / 2, 2 * _END, _END) for _, pixels in places[:1] for point in (pixels[0], pixels[-1])]
    trodden = [np.concatenate([steps - _BESIDE, steps + _BESIDE], 1) for steps in (_steps(pixels) for _, pixels in places)]
    taken = np.concatenate([edges_of(ends), *trodden])
    names = _names(shown, frame, taken)
    _paint_lines(painter, theme, frame, shown, (x, y), np.concatenate([taken, edges_of([box for box, _ in names])]))
    for number, (path, pixels) in reversed(list(enumerate(places))):
        paint_path(painter, theme, path, pixels, number == 0, frame)
    if not places:
        paint_standing(painter, theme, QPointF(x(shown.centre[0]), y(shown.centre[1])), 0)
    for box, text in names:
        painter.fillRect(box, theme.color("panel", 0.75))
        write(painter, box.adjusted(4, 0, 0, 0), text, theme.color("muted"))
    painter.restore()
    if plot.hovered is not None and frame.contains(plot.hovered):
        at = nearest_point(places, plot.hovered, _NEAR)
        rows = shown.values_of(*at) if at else shown.values_at(x.value(plot.hovered.x()), y.value(plot.hovered.y()))
        paint_readout(painter, theme, plot.hovered, rows, frame)


def _steps(pixels: np.ndarray) -> np.ndarray:
    """Places along a line, (k, 2), no farther from each other than texts are high; at most a thousand."""
    lengths = np.concatenate([[0.0], np.hypot(*np.diff(pixels, axis=0).T).cumsum()])
    places = np.linspace(0.0, lengths[-1], min(1000, 2 + int(lengths[-1] / (2 * _BESIDE))))
    return np.stack([np.interp(places, lengths, along) for along in pixels.T], 1)


def _scales(plot: Plot, area: QRectF, shown: ShownPlane) -> tuple[QRectF, AxisScale, AxisScale]:
    field = shown.field
    left = 7 + max(text_width(plot_numbers.tick(float(f"{value:.1e}")), number=True) for value in (-2.5, field.y[0], field.y[-1]))
    frame = area.adjusted(round(left), 7, -8, -line_height() - 3)
    x = AxisScale(float(field.x[0]), float(field.x[-1]), frame.left(), frame.right())
    return frame, *plot.zoomed(frame, x, AxisScale(float(field.y[0]), float(field.y[-1]), frame.bottom(), frame.top()))


def _paint_lines(
    painter: QPainter, theme: Theme, frame: QRectF, shown: ShownPlane, scales: tuple[AxisScale, AxisScale], taken: np.ndarray
) -> None:
    """The contour lines, and on the longest of each level its loss, where that touches no other text."""
    x, y = scales
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.tint("loss", 0.75), 0.8))
    labels: list[tuple[QRectF, str]] = []
    for level, lines in shown.field.lines:
        pixels = [np.stack([x(line[:, 0]), y(line[:, 1])], 1) for line in lines]
        for line in pixels:
            painter.drawPolyline(QPolygonF([QPointF(*point) for point in line.tolist()]))
        text = shown.field.text(level)
        if box := _label_place(pixels, frame, text_width(text, number=True) + 6, taken):
            labels.append((box, text))
            taken = np.concatenate([taken, edges_of([box])])
    for box, text in labels:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("panel", 0.75))
        painter.drawRoundedRect(box, 4, 4)
        write(painter, box.adjusted(3, 0, 0, 0), text, theme.color("muted"), small_mono())


def _label_place(lines: list[np.ndarray], frame: QRectF, width: float, taken: np.ndarray) -> QRectF | None:
    """Where on the longest line that can be seen its loss can stand."""
    inside = frame.adjusted(4, 4, -4, -4)
    lengths = [float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in lines]
    for place in sorted(range(len(lines)), key=lambda place: -lengths[place]):
        if lengths[place] < _LONG:
            return None
        line = lines[place]
        for share in (0.5, 0.3, 0.7, 0.15, 0.85):
            at = line[int(share * (len(line) - 1))]
            box = QRectF(at[0] - width / 2, at[1] - line_height() / 2, width, line_height())
            if inside.contains(box) and free_of(taken, box):
                return box
    return None


def _names(shown: ShownPlane, frame: QRectF, taken: np.ndarray) -> list[tuple[QRectF, str]]:
    """What the axes are, and where that stands inside the frame: at their far ends, or at the near ones where a path is."""
    found = []
    for text, is_along in ((f"{shown.axis_names[0]} →", True), (f"↑ {shown.axis_names[1]}", False)):
        wide, high = text_width(text) + 8, line_height()
        right, bottom = frame.right() - wide, frame.bottom() - high
        along = (right, bottom), (frame.left(), bottom), (right, frame.top())
        places = along if is_along else ((frame.left(), frame.top()), (right, frame.top()))
        boxes = [QRectF(left, top, wide, high) for left, top in places]
        found.append((next((box for box in boxes if free_of(taken, box)), boxes[0]), text))
    return found
