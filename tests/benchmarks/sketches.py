"""What a bare QPainter takes to paint about as much: the yardstick of everything that is painted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from time import process_time

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

TIMES = 9
INK, FILL = QColor("#334155"), QColor("#dbe7fb")


@dataclass(frozen=True)
class Sketch:
    """So many cards, curves and words on a white sheet, and a jagged line of so many points."""

    width: int
    height: int
    cards: int
    card: tuple[float, float]
    curves: int
    words: int
    points: int = 0

    def seconds(self) -> float:
        """Return the processor seconds of painting it, the median of a few times."""
        sheet = QImage(self.width, self.height, QImage.Format.Format_ARGB32_Premultiplied)
        return median(self._painting(sheet) for _ in range(TIMES))

    def _painting(self, sheet: QImage) -> float:
        start = process_time()
        sheet.fill(Qt.GlobalColor.white)
        painter = QPainter(sheet)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(INK, 1.5))
        self._paint_lines(painter)
        painter.setBrush(FILL)
        for place in range(self.cards):
            painter.drawRoundedRect(QRectF(self._place(place, self.cards), QSizeF(*self.card)), 4, 4)
        for place in range(self.words):
            painter.drawText(self._place(place, self.words), "−0.75")
        painter.end()
        return process_time() - start

    def _paint_lines(self, painter: QPainter) -> None:
        for place in range(self.curves):
            start = self._place(place, self.curves)
            path, end = QPainterPath(start), start + QPointF(self.width / 5, self.height / 10)
            path.cubicTo(QPointF(end.x(), start.y()), QPointF(start.x(), end.y()), end)
            painter.drawPath(path)
        places = [QPointF(x * self.width / self.points, x * 7 % 40) for x in range(self.points)]
        painter.drawLines([QLineF(*ends) for ends in pairwise(places)])

    def _place(self, number: int, count: int) -> QPointF:
        """Places spread over the sheet in rows of twenty."""
        return QPointF(number % 20 * self.width / 20, number // 20 * self.height / (count // 20 + 1))
