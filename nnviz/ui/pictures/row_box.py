"""A small number box for the header of a card: the row of the data, or the seed of samples, that a picture is of."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QWidget

from nnviz.document.catalog import Field
from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import mono, scaled
from nnviz.ui.widgets.number_boxes import IntegerBox


class RowBox(IntegerBox):
    """Counts from 0; arrow keys and Page Up and Page Down lead to the neighbours."""

    def __init__(self, word: str, tip: str, most: int, parent: QWidget | None = None) -> None:
        super().__init__(Field(word, "integer", 0, tip, 0, most), parent)
        self.setPrefix(f"{word} ")
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setFont(mono(SMALL))
        self.setStyleSheet("QSpinBox { padding: 0 4px; min-height: 0; }")
        self._fit()

    def _fit(self) -> None:
        self.setFixedSize(round(scaled(68)), round(scaled(20)))

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()
        super().changeEvent(event)
