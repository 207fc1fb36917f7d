"""The history of the weight on the chain-rule card: three small lines, where they are known. It shows what it is given."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from nnviz.records.run_records import WeightHistory
from nnviz.text import numbers
from nnviz.ui.step.weight_history import HIGHEST, is_drawable, paint_history
from nnviz.ui.widgets.plot import Plot


class HistoryLines(Plot):
    """Value, gradient and step of one weight over the last iterations. Hidden for any other weight than the history's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Weight history", "Value, gradient and step of this weight over the last iterations", parent=parent)
        self._history: WeightHistory | None = None
        self._weight: tuple[str, tuple[int, ...]] = ("", ())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def set_history(self, history: WeightHistory | None) -> None:
        """Know this history."""
        if history is not self._history:
            self._history = history
            self._show()

    def set_weight(self, parameter: str, element: tuple[int, ...]) -> None:
        """Be about this weight; "" for none."""
        if (parameter, element) != self._weight:
            self._weight = (parameter, element)
            self._show()

    def _show(self) -> None:
        self.offer(self._history, self._weight)
        self.setVisible(is_drawable(self._history, *self._weight))

    def take(self, history: WeightHistory | None = None, weight: tuple[str, tuple[int, ...]] = ("", ())) -> None:
        parameter, element = weight
        self.choice = parameter + numbers.place(element) if parameter else ""
        self.sentence = "" if is_drawable(history, *weight) else "this weight has no history yet"

    def paint(self, painter: QPainter, area: QRectF) -> None:
        paint_history(self, painter, area, self._history)

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(260, round(HIGHEST))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, round(HIGHEST))
