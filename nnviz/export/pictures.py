"""Pictures of a scene or a widget: SVG, PNG at twice the size, PDF. It paints what it is given and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QPoint, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPdfWriter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsScene, QWidget

from nnviz.export.svg import made_portable

MARGIN = 16
SCALE = 2
"""Pixels of a PNG for one pixel of the screen."""


class Ground(Protocol):
    """What of a theme a picture needs."""

    panel: str


def save(target: QGraphicsScene | QWidget, path: str | Path, theme: Ground) -> None:
    """Write the picture in the format its suffix names.

    Raises ValueError for a suffix that is none of .svg, .png, .pdf or for an empty picture, OSError if the file cannot be written.
    """
    path = Path(path)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ValueError(f"{path.name}: a picture ends in one of {', '.join(_WRITERS)}, not in {path.suffix or 'nothing'!r}")
    if size_of(target).isEmpty():
        raise ValueError(f"{path.name}: there is nothing to draw yet: make a trace first")
    path.write_bytes(writer(target, theme))


def size_of(target: QGraphicsScene | QWidget) -> QSize:
    """Return the size of the picture in pixels of the screen; for a scene all its items and a margin."""
    if isinstance(target, QWidget):
        return target.size()
    content = target.itemsBoundingRect()
    return content.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN).size().toSize() if not content.isEmpty() else QSize()


def svg(target: QGraphicsScene | QWidget, theme: Ground) -> bytes:
    """Return the picture as SVG: texts are outlines and pens scale, so that every reader shows the same."""
    buffer = _opened()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(96)
    generator.setSize(size_of(target))
    generator.setViewBox(QRectF(0, 0, size_of(target).width(), size_of(target).height()))
    generator.setTitle("nnviz")
    _paint(target, QPainter(generator), theme)
    return made_portable(bytes(buffer.data().data()))


def png(target: QGraphicsScene | QWidget, theme: Ground) -> bytes:
    """Return the picture as PNG at SCALE times its size."""
    image = QImage(size_of(target) * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    image.fill(QColor(theme.panel))
    _paint(target, QPainter(image), theme)
    buffer = _opened()
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def pdf(target: QGraphicsScene | QWidget, theme: Ground) -> bytes:
    """Return the picture as one page of PDF, a pixel of the screen being 1/96 inch."""
    buffer = _opened()
    writer = QPdfWriter(buffer)
    writer.setResolution(96)
    size = size_of(target)
    points = QSizeF(size.width() * 0.75, size.height() * 0.75)
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    _paint(target, QPainter(writer), theme)
    return bytes(buffer.data().data())


_WRITERS = {".svg": svg, ".png": png, ".pdf": pdf}


def _opened() -> QBuffer:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer


def _paint(target: QGraphicsScene | QWidget, painter: QPainter, theme: Ground) -> None:
    size = size_of(target)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(QRectF(0, 0, size.width(), size.height()), QColor(theme.panel))
    if isinstance(target, QGraphicsScene):
        source = target.itemsBoundingRect().adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        target.render(painter, QRectF(0, 0, size.width(), size.height()), source, Qt.AspectRatioMode.KeepAspectRatio)
    else:
        QWidget.render(target, painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)  # views have a render of their own
    painter.end()
