"""The line under the confusion matrix that says from which probability on the second of two classes is answered."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from nnviz.document.catalog import Field
from nnviz.ui.theme.colors import GRID
from nnviz.ui.widgets.number_boxes import SliderBox

_FIELD = Field("threshold", "number", 0.5, "the second class is answered where its probability is above this", 0.0, 1.0)


class ThresholdRow(QWidget):
    """A sentence with the name of the class, a slider and a number."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._said, self.slider = QLabel(), SliderBox(_FIELD)
        self.slider.set_value(_FIELD.default)
        self.slider.setToolTip(_FIELD.explanation.capitalize())
        self.slider.value_changed.connect(lambda value: self.changed.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        row.addWidget(self._said)
        row.addWidget(self.slider, 1)
        self.hide()

    def value(self) -> float:
        """Return the threshold."""
        return self.slider.value()

    def set_name(self, name: str) -> None:
        """Say which class is answered above it."""
        self._said.setText(f"answers {name} where p is above")
