"""Pickers of the chain-rule card: which row of the batch (or the mean over it), and which element of the node."""

from __future__ import annotations

import math
import re

import numpy as np
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QToolTip, QWidget

from nnviz.text import numbers
from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import mono, sans, scaled

MEAN = -1
_MEAN = "mean"


class PlaceBox(QSpinBox):
    """A number box whose value is a place counted row-major; it shows and reads it as torch writes it: "[2, 0]". MEAN is "mean"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sizes: tuple[int, ...] = (1,)
        self.setKeyboardTracking(False)  # else "1" on the way to "12" is chosen too
        self.refusal = ""
        self.setWrapping(True)

    def set_sizes(self, sizes: tuple[int, ...]) -> None:
        """Let every place of an array of this shape be chosen."""
        self._sizes = sizes
        self.lineEdit().setPlaceholderText("row or mean" if self.minimum() == MEAN else "place")
        self.setMaximum(max(0, math.prod(sizes) - 1))
        self.setSuffix(f" of {sizes[0]}" if len(sizes) == 1 else "")

    def _expected(self) -> str:
        """What can be typed, as a sentence."""
        sizes = self._sizes
        example = numbers.place([size - 1 for size in sizes])
        places = f"a number from 0 to {sizes[0] - 1}" if len(sizes) == 1 else f"a place up to {example}"
        return f"Type {places}{', or “mean” for the mean over all' if self.minimum() == MEAN else ''}."

    def _place(self, text: str) -> int | None:
        """The place a text names; None if it names none."""
        text = text.removesuffix(self.suffix()).strip().lower()
        if text == _MEAN and self.minimum() == MEAN:
            return MEAN
        element = tuple(map(int, re.findall(r"\d+", text)))
        if len(element) != len(self._sizes) or any(index >= size for index, size in zip(element, self._sizes, strict=True)):
            return None
        return int(np.ravel_multi_index(element, self._sizes)) if element else 0

    # --- Qt ---

    def textFromValue(self, value: int) -> str:
        if value == MEAN:
            return _MEAN
        return numbers.place(np.unravel_index(value, self._sizes)) if value < math.prod(self._sizes) else ""

    def valueFromText(self, text: str) -> int:
        place = self._place(text)
        return self.value() if place is None else place

    def fixup(self, text: str) -> str:
        """What was typed names no place: say so, and what would; the last choice stays."""
        typed = text.removesuffix(self.suffix()).strip()
        self.refusal = f"There is no {typed} here. {self._expected()}" if typed else self._expected()
        QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), self.refusal, self)
        return self.textFromValue(self.value()) + self.suffix()

    def validate(self, text: str, at: int) -> tuple[QValidator.State, str, int]:
        if self._place(text) is not None:
            return QValidator.State.Acceptable, text, at
        typed = text.removesuffix(self.suffix()).strip().lower()
        on_the_way = (_MEAN.startswith(typed) and self.minimum() == MEAN) or re.fullmatch(r"[\[\]\d, ]*", typed)
        return QValidator.State.Intermediate if on_the_way else QValidator.State.Invalid, text, at


class Picker(QWidget):
    """A caption and a small box for a place counted from 0; with `mean`, also for the mean over the batch."""

    chosen = Signal(object)
    """The place, or None for the mean."""

    def __init__(self, caption: str, hint: str, mean: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mean = mean
        self._caption = QLabel(caption)
        self._caption.setFont(sans(SMALL))
        self._caption.setProperty("role", "muted")
        self._box = PlaceBox()
        self._box.setFont(mono(SMALL))
        self._box.setMinimum(MEAN if mean else 0)
        self._box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._box.setToolTip(hint)
        self._box.setAccessibleName(hint)
        self._box.setFixedWidth(round(scaled(96)))
        self._box.valueChanged.connect(self._emit)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._caption)
        row.addWidget(self._box)

    def set_choice(self, place: int | None, sizes: tuple[int, ...]) -> None:
        """Show this place in an array of this shape; None is the mean."""
        count = math.prod(sizes)
        with QSignalBlocker(self._box):
            self._box.set_sizes(sizes)
            self._box.setValue(MEAN if place is None else place)
        self.setEnabled(count > 1 or (self._mean and count > 0))

    def _emit(self, place: int) -> None:
        self.chosen.emit(None if place == MEAN else place)

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange and self.layout():
            self._box.setFixedWidth(round(scaled(96)))
        super().changeEvent(event)
