"""Pickers of the chain-rule card: which row of the batch (or the mean over it), and which element of the node."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QWidget

from nnviz.ui.fonts import mono, sans
from nnviz.ui.theme import SMALL, Theme


class Picker(QWidget):
    """A caption and a small number box counting from 1; with `mean`, 0 stands for the mean over the batch."""

    chosen = Signal(object)
    """The place from 0, or None for the mean."""

    def __init__(self, caption: str, hint: str, mean: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mean = mean
        self._caption = QLabel(caption)
        self._caption.setFont(sans(SMALL))
        self._box = QSpinBox()
        self._box.setFont(mono(SMALL))
        self._box.setMinimum(0 if mean else 1)
        self._box.setSpecialValueText("mean" if mean else "")
        self._box.setWrapping(True)
        self._box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._box.setToolTip(hint)
        self._box.setAccessibleName(hint)
        self._box.setFixedWidth(90)
        self._box.valueChanged.connect(self._emit)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._caption)
        row.addWidget(self._box)

    def set_choice(self, place: int | None, count: int) -> None:
        """Show this place of so many; None is the mean."""
        with QSignalBlocker(self._box):
            self._box.setMaximum(max(1, count))
            self._box.setSuffix(f" of {count}")
            self._box.setValue(0 if place is None else place + 1)
        self.setEnabled(count > 1 or (self._mean and count > 0))

    def set_theme(self, theme: Theme) -> None:
        """Write in this theme."""
        self._caption.setStyleSheet(f"color: {theme.muted};")

    def _emit(self, number: int) -> None:
        self.chosen.emit(None if self._mean and number == 0 else number - 1)
