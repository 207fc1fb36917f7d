"""The history of the weight on the chain-rule card: three small lines, where they are known. It shows what it is given."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from nnviz.records.run_records import WeightHistory
from nnviz.ui.step.weight_history import HIGHEST, is_drawable, paint_history
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.theme.painting import painted


class HistoryLines(QWidget):
    """Value, gradient and step of one weight over the last iterations. Hidden for any other weight than the history's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: WeightHistory | None = None
        self._weight: tuple[str, tuple[int, ...]] = ("", ())
        self._hovered: QPointF | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName("Value, gradient and step of this weight over the last iterations")
        self.hide()

    def set_history(self, history: WeightHistory | None) -> None:
        """Know this history."""
        if history is not self._history:
            self._history = history
            self._show()

    def set_weight(self, parameter: str, element: tuple[int, ...]) -> None:
        """Be about this weight; "" for none."""
        self._weight = (parameter, element)
        self._show()

    def _show(self) -> None:
        self.setVisible(is_drawable(self._history, *self._weight))
        self.update()

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(260, round(HIGHEST))

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        if is_drawable(self._history, *self._weight):
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_history(painter, QRectF(self.rect()), current_theme(), self._history, self._hovered)
            painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseMove, QEvent.Type.Leave):
            self._hovered = event.position() if isinstance(event, QMouseEvent) else None
            self.update()
        return super().event(event)
