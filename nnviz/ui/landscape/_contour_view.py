"""The loss over a plane from above: bands of colour, contour lines with their losses, the paths. Paints into a plot."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from nnviz.text import plot_numbers
from nnviz.ui.landscape.path_marks import paint_path, paint_standing
from nnviz.ui.landscape.shown_plane import ShownPlane, free_of, loss_image, nearest_point
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
    trodden = [QRectF(point[0] - 4, point[1] - 4, 8, 8) for _, pixels in places for point in pixels]
    names = _names(shown, frame, [*ends, *trodden])
    _paint_lines(painter, theme, frame, shown, (x, y), [*ends, *trodden, *(box for box, _ in names)])
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


def _scales(plot: Plot, area: QRectF, shown: ShownPlane) -> tuple[QRectF, AxisScale, AxisScale]:
    field = shown.field
    left = 7 + max(text_width(plot_numbers.tick(float(f"{value:.1e}")), number=True) for value in (-2.5, field.y[0], field.y[-1]))
    frame = area.adjusted(round(left), 7, -8, -line_height() - 3)
    x = AxisScale(float(field.x[0]), float(field.x[-1]), frame.left(), frame.right())
    return frame, *plot.zoomed(frame, x, AxisScale(float(field.y[0]), float(field.y[-1]), frame.bottom(), frame.top()))


def _paint_lines(
    painter: QPainter, theme: Theme, frame: QRectF, shown: ShownPlane, scales: tuple[AxisScale, AxisScale], taken: list[QRectF]
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
        if box := _label_place(pixels, frame, text_width(shown.field.text(level), number=True) + 6, [*taken, *(box for box, _ in labels)]):
            labels.append((box, shown.field.text(level)))
    for box, text in labels:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("panel", 0.75))
        painter.drawRoundedRect(box, 4, 4)
        write(painter, box.adjusted(3, 0, 0, 0), text, theme.color("muted"), small_mono())


def _label_place(lines: list[np.ndarray], frame: QRectF, width: float, taken: list[QRectF]) -> QRectF | None:
    """Where on the longest line that can be seen its loss can stand."""
    inside = frame.adjusted(4, 4, -4, -4)
    for line in sorted(lines, key=lambda one: -np.hypot(*np.diff(one, axis=0).T).sum()):
        if np.hypot(*np.diff(line, axis=0).T).sum() < _LONG:
            return None
        for share in (0.5, 0.3, 0.7, 0.15, 0.85):
            at = line[int(share * (len(line) - 1))]
            box = QRectF(at[0] - width / 2, at[1] - line_height() / 2, width, line_height())
            if inside.contains(box) and free_of(taken, box):
                return box
    return None


def _names(shown: ShownPlane, frame: QRectF, taken: list[QRectF]) -> list[tuple[QRectF, str]]:
    """What the axes are, and where that stands inside the frame: at their far ends, or at the near ones where a path is."""
    found = []
    for text, is_along in ((f"{shown.axis_names[0]} →", True), (f"↑ {shown.axis_names[1]}", False)):
        wide, high = text_width(text) + 8, line_height()
        right, bottom = frame.right() - wide, frame.bottom() - high
        places = (
            ((right, bottom), (frame.left(), bottom), (right, frame.top()))
            if is_along
            else ((frame.left(), frame.top()), (right, frame.top()))
        )
        boxes = [QRectF(left, top, wide, high) for left, top in places]
        found.append((next((box for box in boxes if free_of(taken, box)), boxes[0]), text))
    return found
