"""A small picture of a network: columns of neurons, blocks and links, without numbers. It paints a document and knows no window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPainterPath, QPen, QPixmap

from nnviz.document.catalog import LAYERS
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link
from nnviz.document.shapes.report import examine
from nnviz.ui.network.curves import Course, LinkEnds
from nnviz.ui.network.layer_places import Point, arranged, bounds, detours
from nnviz.ui.network.layer_sizes import LayerSize, layer_size
from nnviz.ui.network.palette import color_of
from nnviz.ui.theme.colors import Theme
from nnviz.ui.theme.fonts import drawn_sans as sans

SIZE = QSize(216, 112)
_MARGIN = 8.0
_SCALE = 2
"""Pixels painted for one pixel of the screen."""
_MOST_CURVES = 120
"""A link of more weights is one line."""
_BLOCK = (46.0, 92.0)


def thumbnail(experiment: Experiment, theme: Theme, size: QSize = SIZE) -> QPixmap:
    """Return the picture, as large as it fits in the middle of this size, on the panel's ground."""
    pixmap = QPixmap(size * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(theme.color("panel"))
    faces = _faces(experiment)
    room = QRectF(0, 0, size.width(), size.height()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    places = arranged(experiment.network, faces, experiment.canvas, room.width() / room.height())
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _look_at(painter, QRectF(*_frame(bounds(places, faces))), room)
    for course in _courses(experiment, faces, places):
        _paint_link(painter, theme, course)
    for id, place in places.items():
        _paint_layer(painter, theme, experiment.network.layer(id).kind, faces[id], place)
    painter.end()
    return pixmap


def _faces(experiment: Experiment) -> dict[str, LayerSize]:
    """Faces as on the canvas, but without texts, and all blocks of one size."""
    shapes = {id: entry.output_shape for id, entry in examine(experiment).layers.items()}
    faces = {}
    for layer in experiment.network:
        plain = layer_size(layer, shapes.get(layer.id), experiment)
        block = _BLOCK if plain.style == "block" else plain.block
        faces[layer.id] = replace(plain, block=block, text_width=0.0, label_width=0.0)
    return faces


def _frame(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left, top, max(1.0, right - left), max(1.0, bottom - top)


def _look_at(painter: QPainter, content: QRectF, room: QRectF) -> None:
    scale = min(room.width() / content.width(), room.height() / content.height(), 1.0)
    painter.translate(room.center())
    painter.scale(scale, scale)
    painter.translate(-content.center())


def _courses(experiment: Experiment, faces: dict[str, LayerSize], places: dict[str, Point]) -> Iterator[Course]:
    links = [link for link in experiment.network.links if link.source in places and link.target in places]
    around = detours(links, faces, places)
    for source, target in ((link.source, link.target) for link in links):
        kind, height = experiment.network.layer(target).kind, around.get(Link(source, target))
        yield Course(LinkEnds(faces[source], faces[target], places[source], places[target], height, kind))


def _paint_link(painter: QPainter, theme: Theme, course: Course) -> None:
    curves = course.points if len(course.points) <= _MOST_CURVES else course.points[:1]
    path = QPainterPath()
    for points in curves:
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
    single = len(curves) == 1
    painter.strokePath(path, QPen(theme.tint("muted", 0.7 if single else 0.4), 2.4 if single else 1.0))


def _paint_layer(painter: QPainter, theme: Theme, kind: str, shown: LayerSize, place: Point) -> None:
    name = color_of(LAYERS[kind]) if kind in LAYERS else "muted"
    painter.setPen(QPen(theme.color(name), 2.0))
    painter.setBrush(theme.tint(name, 0.35))
    if shown.style == "neurons":
        for unit in range(shown.units):
            painter.drawEllipse(QPointF(place[0], place[1] + shown.unit_y(unit)), shown.radius, shown.radius)
        return
    width, height = shown.block
    room = QRectF(place[0] - width / 2, place[1] - height / 2, width, height)
    painter.drawRoundedRect(room, 8, 8)
    painter.save()
    painter.translate(room.center())
    painter.rotate(-90)
    painter.setPen(theme.color("text"))
    painter.setFont(sans(15, QFont.Weight.DemiBold))
    label = LAYERS[kind].label if kind in LAYERS else kind
    text = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, round(height) - 4)
    painter.drawText(QRectF(-height / 2, -width / 2, height, width), Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
