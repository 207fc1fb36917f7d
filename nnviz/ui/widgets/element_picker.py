"""Picks one parameter and one element of it. It shows shapes only and knows nothing of traces or optimizers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSpinBox, QWidget

MOST_AXES = 4
"""No parameter of a network has more axes."""


class ElementPicker(QWidget):
    """A list of parameters and one number box an axis. `picked` tells node and element when a person changes them."""

    picked = Signal(int, tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shapes: dict[int, tuple[int, ...]] = {}
        self.parameters = QComboBox(accessibleName="Parameter")
        self.boxes = tuple(QSpinBox(accessibleName=f"Element, axis {axis}") for axis in range(MOST_AXES))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(6)
        for widget in (self.parameters, QLabel("element"), *self.boxes):
            row.addWidget(widget)
        self.parameters.activated.connect(lambda: self._change((0,) * MOST_AXES))
        for box in self.boxes:
            box.valueChanged.connect(lambda: self._change(tuple(box.value() for box in self.boxes)))

    def set_parameters(self, parameters: Sequence[tuple[int, str, tuple[int, ...]]]) -> None:
        """Offer these (number, name, shape)."""
        shapes = {node: shape for node, _, shape in parameters}
        names = [name for _, name, _ in parameters]
        if shapes == self._shapes and names == [self.parameters.itemText(place) for place in range(self.parameters.count())]:
            return
        self._shapes = shapes
        with QSignalBlocker(self.parameters):
            self.parameters.clear()
            for node, name, _ in parameters:
                self.parameters.addItem(name, node)

    def set_element(self, node: int, element: tuple[int, ...]) -> None:
        """Show this parameter and element."""
        with QSignalBlocker(self.parameters):
            self.parameters.setCurrentIndex(self.parameters.findData(node))
        shape = self._shapes.get(node, ())
        for axis, box in enumerate(self.boxes):
            with QSignalBlocker(box):
                box.setRange(0, shape[axis] - 1 if axis < len(shape) else 0)
                box.setToolTip(f"0 to {box.maximum()}")
                box.setValue(element[axis] if axis < len(element) else 0)
            box.setVisible(axis < len(shape))

    def _change(self, element: tuple[int, ...]) -> None:
        node = self.parameters.currentData()
        if node is not None:
            self.picked.emit(node, element[: len(self._shapes[node])])
