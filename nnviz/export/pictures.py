"""Pictures of a scene or a widget: SVG, PNG, PDF, as large as on the screen or as wide as wanted. What is painted stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QPoint, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPaintEvent, QPdfWriter, QPicture, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractScrollArea,
    QGraphicsScene,
    QGraphicsView,
    QScrollArea,
    QTableView,
    QTextEdit,
    QWidget,
)

from nnviz.document.store.files import replace_file
from nnviz.export._outlined_page import OutlinedPage
from nnviz.export._svg import made_portable
from nnviz.ui.theme.painting import painted

MARGIN = 16
SCALE = 2
"""Pixels of a PNG for one pixel of the screen."""
INCH, SCREEN_DPI, PRINT_DPI = 2.54, 96, 300
"""Centimetres; pixels of the screen in an inch; pixels in an inch of a PNG whose width is given."""


Pictured = QGraphicsScene | QWidget | Sequence[QWidget]
"""A scene, a widget, or widgets to be placed in rows."""
ROW = 1600
"""Widest row of widgets in pixels of the screen."""


_LOWEST, _HIGHEST = 60, 2400
"""Pixels of a panel that is as high as what is scrolled in it."""


class Ground(Protocol):
    """What of a theme a picture needs."""

    panel: str


def save(target: Pictured, path: str | Path, theme: Ground, width: float | None = None) -> None:
    """Write the picture in the format its suffix names, in one step: a picture that was there stays until this one is whole.

    `width` in centimetres; None: that of the screen, 96 pixels being an inch.

    Raises ValueError for a suffix that is none of .svg, .png, .pdf or for an empty picture, OSError if the file cannot be written.
    """
    path = Path(path)
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ValueError(f"{path.name}: a picture ends in one of {', '.join(_WRITERS)}, not in {path.suffix or 'nothing'!r}")
    if size_of(target).isEmpty():
        raise ValueError(f"{path.name}: there is nothing to draw yet: make a trace first")
    with _unrolled(target):
        data = writer(target, theme, width)
    replace_file(path, data)


def size_of(target: Pictured) -> QSize:
    """Return the size of the picture in pixels of the screen; for a scene all its items and a margin."""
    if isinstance(target, QWidget):
        return target.size()
    if not isinstance(target, QGraphicsScene):
        extent = QRect()
        for place, widget in _placed(target):
            extent = extent.united(QRect(place, widget.size()))
        return extent.size() + QSize(2 * MARGIN, 2 * MARGIN) if target else QSize()
    content = target.itemsBoundingRect()
    return content.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN).size().toSize() if not content.isEmpty() else QSize()


def scale_of(target: Pictured, width: float | None) -> float:
    """Return how many times as large as on the screen it becomes, where it is so many centimetres wide."""
    return 1.0 if width is None else width / INCH * SCREEN_DPI / size_of(target).width()


def svg(target: Pictured, theme: Ground, width: float | None = None) -> bytes:
    """Return the picture as SVG: texts are outlines and pens scale, so that every reader shows the same."""
    buffer = _opened()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(96)
    generator.setSize(size_of(target))
    generator.setViewBox(QRectF(0, 0, size_of(target).width(), size_of(target).height()))
    generator.setTitle("nnviz")
    _paint(target, QPainter(generator), theme)
    return made_portable(bytes(buffer.data().data()), width)


def png(target: Pictured, theme: Ground, width: float | None = None) -> bytes:
    """Return the picture as PNG at SCALE times its size, or with PRINT_DPI pixels to an inch of its width."""
    scale = SCALE if width is None else scale_of(target, width) * PRINT_DPI / SCREEN_DPI
    size = size_of(target)
    image = QImage(round(size.width() * scale), round(size.height() * scale), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    if width is not None:
        image.setDotsPerMeterX(round(PRINT_DPI / INCH * 100))
        image.setDotsPerMeterY(round(PRINT_DPI / INCH * 100))
    image.fill(QColor(theme.panel))
    _paint(target, QPainter(image), theme)
    buffer = _opened()
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def bounds_of(target: Pictured) -> QRectF:
    """Return the part of a scene that a picture of it shows; empty for anything else."""
    return target.itemsBoundingRect().adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN) if isinstance(target, QGraphicsScene) else QRectF()


def image(target: Pictured, size: QSize, theme: Ground, bounds: QRectF | None = None) -> QImage:
    """Return the picture in the middle of an image of this size in pixels, as large as it goes in. `bounds`: which part of a scene."""
    made = QImage(size, QImage.Format.Format_RGB32)
    made.fill(QColor(theme.panel))
    whole = bounds.size().toSize() if bounds else size_of(target)
    scale = min(size.width() / max(1, whole.width()), size.height() / max(1, whole.height()))
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate((size.width() - scale * whole.width()) / 2, (size.height() - scale * whole.height()) / 2)
    painter.scale(scale, scale)
    _paint(target, painter, theme, bounds)
    return made


def pdf(target: Pictured, theme: Ground, width: float | None = None) -> bytes:
    """Return the picture as one page of PDF, a pixel of the screen being 1/96 inch unless a width is given. Texts are outlines."""
    buffer = _opened()
    writer = QPdfWriter(buffer)
    size, scale = size_of(target), scale_of(target, width)
    writer.setResolution(SCREEN_DPI)
    points = QSizeF(size.width() * 0.75 * scale, size.height() * 0.75 * scale)
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    painter = QPainter(writer)
    painter.scale(scale, scale)
    page = OutlinedPage(painter, size, SCREEN_DPI)
    _paint(target, QPainter(page), theme)
    painter.end()
    return bytes(buffer.data().data())


def recorded(target: Pictured, theme: Ground, part: QRectF | None = None) -> QPicture:
    """Return the picture, or this part of it, as what is painted for it: it can be painted again at any size, with lines and letters.

    `part`: of a scene in its own units, of a widget in its pixels; the recording begins at its left upper corner.
    """
    recording = QPicture()
    painter = QPainter(recording)
    if part is not None:
        painter.setClipRect(QRectF(0, 0, part.width(), part.height()))
    if part is not None and isinstance(target, QGraphicsScene):
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        target.render(painter, QRectF(0, 0, part.width(), part.height()), part)
        painter.end()
    else:
        painter.translate(-part.topLeft() if part is not None else QPointF())
        _paint(target, painter, theme)
    return recording


_WRITERS = {".svg": svg, ".png": png, ".pdf": pdf}


def _opened() -> QBuffer:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer


def _paint(target: Pictured, painter: QPainter, theme: Ground, bounds: QRectF | None = None) -> None:
    size = bounds.size().toSize() if bounds else size_of(target)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(QRectF(0, 0, size.width(), size.height()), QColor(theme.panel))
    if isinstance(target, QGraphicsScene):
        target.render(painter, QRectF(0, 0, size.width(), size.height()), bounds or bounds_of(target), Qt.AspectRatioMode.KeepAspectRatio)
    for place, widget in _placed([target] if isinstance(target, QWidget) else () if isinstance(target, QGraphicsScene) else target):
        with nullcontext() if isinstance(painter.device(), OutlinedPage) else _clipped(widget):
            QWidget.render(widget, painter, place, QRegion(), QWidget.RenderFlag.DrawChildren)  # views have a render of their own
    painter.end()


# --- widgets ----------------------------------------------------------------------------------------------------------


def _placed(widgets: Sequence[QWidget]) -> Iterator[tuple[QPoint, QWidget]]:
    """Each widget with its place: in rows from left to right, none wider than ROW. One alone fills the picture."""
    edge = MARGIN if len(widgets) > 1 else 0
    x, y, below = edge, edge, 0
    for widget in widgets:
        if x > edge and x + widget.width() > ROW + edge:
            x, y = edge, below + MARGIN
        yield QPoint(x, y), widget
        x, below = x + widget.width() + MARGIN, max(below, y + widget.height())


@contextmanager
def _unrolled(target: Pictured) -> Iterator[None]:
    """While it lasts, a panel is as high as what is scrolled in it, and no higher: a page cannot be scrolled."""
    if not isinstance(target, QWidget) or target.isWindow() or not target.isVisible():
        yield
        return
    geometry = target.geometry()
    before = [(area, area.verticalScrollBarPolicy(), area.verticalScrollBar().value()) for area in _areas(target)]
    for area, *_ in before:
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    for _ in range(2):  # the first time lines may break differently
        target.resize(target.width(), max(_LOWEST, min(_HIGHEST, target.height() + _missing(target))))
    try:
        yield
    finally:
        target.setGeometry(geometry)
        for area, policy, value in before:
            area.setVerticalScrollBarPolicy(policy)
            area.verticalScrollBar().setValue(value)


def _areas(target: QWidget) -> list[QAbstractScrollArea]:
    kinds = QScrollArea | QTextEdit | QTableView
    return [area for area in target.findChildren(QAbstractScrollArea) if isinstance(area, kinds) and area.isVisible()]


def _missing(target: QWidget) -> int:
    """Pixels of height that are missing to show what is scrolled; below 0 for those that stay empty below the one thing there is."""
    areas = _areas(target)
    missing = [_content_height(area) - area.viewport().height() for area in areas]
    return max(missing, default=0) if len(areas) < 2 else max(0, *missing)


def _content_height(area: QAbstractScrollArea) -> int:
    if isinstance(area, QTableView):
        return area.verticalHeader().length()
    if isinstance(area, QScrollArea) and (content := area.widget()):
        wished = content.heightForWidth(area.viewport().width()) if content.hasHeightForWidth() else content.sizeHint().height()
        return max(content.minimumSizeHint().height(), content.minimumHeight(), wished)
    return area.viewport().height() + area.verticalScrollBar().maximum()


@contextmanager
def _clipped(widget: QWidget) -> Iterator[None]:
    """While it lasts, views that show a part of what is in them are pictures: SVG would show what lies beyond their edges too."""
    views = [view for view in [widget, *widget.findChildren(QAbstractScrollArea)] if isinstance(view, QAbstractScrollArea)]
    stills = [_Still(view) for view in views if view.isVisible() and _shows_a_part(view)]
    try:
        yield
    finally:
        for still in stills:
            still.view.viewport().show()
            still.setParent(None)
            still.deleteLater()


def _shows_a_part(view: QAbstractScrollArea) -> bool:
    """Whether there is more in a view than can be seen of it."""
    if isinstance(view, QScrollArea) and view.widget():
        shown = QRectF(view.widget().geometry())
    elif isinstance(view, QGraphicsView) and view.scene():
        shown = view.viewportTransform().mapRect(view.scene().itemsBoundingRect())
    else:
        return isinstance(view, QAbstractItemView)  # its last row may be cut
    return not QRectF(view.viewport().rect()).adjusted(-1, -1, 1, 1).contains(shown)


class _Still(QWidget):
    """Stands in for the viewport of a view with a picture of it, SCALE times as fine."""

    def __init__(self, view: QAbstractScrollArea) -> None:
        super().__init__(view)
        self.view, viewport = view, view.viewport()
        self._image = QImage(viewport.size() * SCALE, QImage.Format.Format_ARGB32_Premultiplied)
        self._image.setDevicePixelRatio(SCALE)
        self._image.fill(Qt.GlobalColor.transparent)
        viewport.render(self._image)
        self.setGeometry(viewport.geometry())
        self.stackUnder(viewport)
        viewport.hide()
        self.show()

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).drawImage(self.rect(), self._image)
