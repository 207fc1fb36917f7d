"""A paint device that hands on to another painter what is painted, texts as their outlines and clipped as on the screen."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QImage,
    QPaintDevice,
    QPaintEngine,
    QPaintEngineState,
    QPainter,
    QPainterPath,
    QPixmap,
    QPolygonF,
    QRegion,
    QTextItem,
    QTransform,
)

_DIRTY, _CLIP = QPaintEngine.DirtyFlag, Qt.ClipOperation


class OutlinedPage(QPaintDevice):
    """What is painted on it comes out of `painter`, which stands where the picture begins and is scaled to the page.

    A file made so names no font, and what widgets hide of each other does not show in it.
    """

    def __init__(self, painter: QPainter, size: QSize, dots_per_inch: int) -> None:
        """`size` in pixels of the screen."""
        super().__init__()
        self._engine = _Engine(painter)
        width, height = size.toTuple()
        metrics = QPaintDevice.PaintDeviceMetric
        self._metrics = {
            metrics.PdmWidth: width,
            metrics.PdmHeight: height,
            metrics.PdmWidthMM: round(width * 25.4 / dots_per_inch),
            metrics.PdmHeightMM: round(height * 25.4 / dots_per_inch),
            metrics.PdmNumColors: 1 << 24,
            metrics.PdmDepth: 24,
            metrics.PdmDpiX: dots_per_inch,
            metrics.PdmDpiY: dots_per_inch,
            metrics.PdmPhysicalDpiX: dots_per_inch,
            metrics.PdmPhysicalDpiY: dots_per_inch,
            metrics.PdmDevicePixelRatio: 1,
            metrics.PdmDevicePixelRatioScaled: int(QPaintDevice.devicePixelRatioFScale()),
        }

    # --- Qt ---

    def paintEngine(self) -> QPaintEngine:
        return self._engine

    def metric(self, metric: QPaintDevice.PaintDeviceMetric) -> int:
        return self._metrics.get(metric, 0)


class _Engine(QPaintEngine):
    """Every call goes on as it is, but texts: Qt's own engine makes them paths, letter by letter as they were laid out."""

    def __init__(self, painter: QPainter) -> None:
        super().__init__(QPaintEngine.PaintEngineFeature.AllFeatures)
        self._painter, self._base = painter, painter.transform()
        self._clips: list[tuple[QTransform, QPainterPath | QRegion]] = []
        """What the picture itself clips to, each with the transformation it was said in; all together hold."""
        self._is_clipped = False
        self._transform = QTransform()
        self._visible = QRegion()
        """What widgets show of themselves, by Qt; empty for everything."""

    def _follow(self) -> QPainter:
        """The painter, clipped to what is seen of the widget that paints now: Qt tells of that by no flag."""
        if self.systemClip() != self._visible:
            self._visible = self.systemClip()
            self._clip()
        return self._painter

    def _clip(self) -> None:
        painter = self._painter
        painter.setClipping(False)
        parts = [(QTransform(), self._visible)] if not self._visible.isEmpty() else []
        for transform, part in (*parts, *(self._clips if self._is_clipped else ())):
            painter.setTransform(transform * self._base)
            operation = _CLIP.IntersectClip if painter.hasClipping() else _CLIP.ReplaceClip
            painter.setClipRegion(part, operation) if isinstance(part, QRegion) else painter.setClipPath(part, operation)
        painter.setTransform(self._transform * self._base)

    def _take_clip(self, state: QPaintEngineState) -> None:
        dirty, operation = state.state(), state.clipOperation()
        if dirty & (_DIRTY.DirtyClipPath | _DIRTY.DirtyClipRegion):
            part = state.clipPath() if dirty & _DIRTY.DirtyClipPath else state.clipRegion()
            before = self._clips if operation == _CLIP.IntersectClip and self._is_clipped else []
            self._clips = [] if operation == _CLIP.NoClip else [*before, (self._transform, part)]
            self._is_clipped = operation != _CLIP.NoClip
        if dirty & _DIRTY.DirtyClipEnabled:
            self._is_clipped = state.isClipEnabled()
        self._clip()

    # --- Qt ---

    def begin(self, device: QPaintDevice) -> bool:
        return True

    def end(self) -> bool:
        return True

    def type(self) -> QPaintEngine.Type:
        return QPaintEngine.Type.User

    def updateState(self, state: QPaintEngineState) -> None:
        dirty, painter = state.state(), self._painter
        if dirty & _DIRTY.DirtyTransform:
            self._transform = state.transform()
            painter.setTransform(self._transform * self._base)
        if dirty & (_DIRTY.DirtyClipPath | _DIRTY.DirtyClipRegion | _DIRTY.DirtyClipEnabled):
            self._take_clip(state)
        if dirty & _DIRTY.DirtyPen:
            painter.setPen(state.pen())
        if dirty & _DIRTY.DirtyBrush:
            painter.setBrush(state.brush())
        if dirty & _DIRTY.DirtyBrushOrigin:
            painter.setBrushOrigin(state.brushOrigin())
        if dirty & _DIRTY.DirtyOpacity:
            painter.setOpacity(state.opacity())
        if dirty & _DIRTY.DirtyBackground:
            painter.setBackground(state.backgroundBrush())
        if dirty & _DIRTY.DirtyBackgroundMode:
            painter.setBackgroundMode(state.backgroundMode())
        if dirty & _DIRTY.DirtyHints:
            painter.setRenderHints(painter.renderHints(), False)
            painter.setRenderHints(state.renderHints() | QPainter.RenderHint.LosslessImageRendering, True)

    def drawTextItem(self, place: QPointF, item: QTextItem) -> None:
        super().drawTextItem(place, item)  # it calls drawPath with the outlines of the letters

    def drawPath(self, path: QPainterPath) -> None:
        self._follow().drawPath(path)

    def drawPolygon(self, points: list, mode: QPaintEngine.PolygonDrawMode) -> None:
        modes = QPaintEngine.PolygonDrawMode
        polygon = QPolygonF([QPointF(point) for point in points])
        if mode == modes.PolylineMode:
            self._follow().drawPolyline(polygon)
        else:
            self._follow().drawPolygon(polygon, Qt.FillRule.WindingFill if mode == modes.WindingMode else Qt.FillRule.OddEvenFill)

    def drawRects(self, rects: list) -> None:
        self._follow().drawRects(rects)

    def drawLines(self, lines: list) -> None:
        self._follow().drawLines(lines)

    def drawPoints(self, points: list) -> None:
        self._follow().drawPoints(points)

    def drawPixmap(self, target: QRectF, pixmap: QPixmap, source: QRectF) -> None:
        self._follow().drawPixmap(target, pixmap, source)

    def drawTiledPixmap(self, target: QRectF, pixmap: QPixmap, start: QPointF) -> None:
        self._follow().drawTiledPixmap(target, pixmap, start)

    def drawImage(self, target: QRectF, image: QImage, source: QRectF, flags: Qt.ImageConversionFlag) -> None:
        self._follow().drawImage(target, image, source, flags)
