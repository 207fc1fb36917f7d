"""The sheet on which a person says of what a figure is made, how wide it is on the page, and in which theme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QLabel, QPushButton, QWidget

from nnviz.document.catalog import Field
from nnviz.ui.files.sheet_rows import begin_sheet
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.number_boxes import NumberBox

_WIDTH = Field("width", "number", 16.0, "centimetres", 1.0, 200.0)


@dataclass(frozen=True)
class PageFigure:
    """A picture for a page."""

    what: str
    """graph · network · plots · window, or the name of a panel."""
    width: float | None
    """In centimetres; None: that of the screen."""
    theme: str
    """light · dark; empty: that of the window."""


class FigureSheet(QDialog):
    """It only asks."""

    chosen = Signal(object)
    """PageFigure"""

    def __init__(self, subjects: Mapping[str, str], parent: QWidget | None = None) -> None:
        """`subjects`: what a figure can be made of, a text by name."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("Export figure")
        self.what, self.theme = QComboBox(accessibleName="What"), QComboBox(accessibleName="Theme")
        for name, text in subjects.items():
            self.what.addItem(text, name)
        for text in ("light", "dark"):
            self.theme.addItem(text, text)
        self.theme.setCurrentText(current_theme().name)
        self.has_width, self.width_box = QCheckBox("as wide as"), NumberBox(_WIDTH)
        self.has_width.setChecked(True)
        self.width_box.set_value(_WIDTH.default)
        self.has_width.toggled.connect(self.width_box.setEnabled)
        self.export = QPushButton("choose a file and export")
        self.export.setAutoDefault(False)
        self.export.clicked.connect(self._leave)
        self._lay_out()

    def _lay_out(self) -> None:
        rows = (("what", (self.what,)), ("width", (self.has_width, self.width_box, QLabel("cm"))), ("theme", (self.theme,)))
        column = begin_sheet(self, "FIGURE", rows)
        told = QLabel("SVG and PDF are drawn in lines; PNG has 300 pixels to an inch.")
        told.setProperty("role", "muted")
        column.addWidget(told)
        column.addWidget(self.export)

    @property
    def figure(self) -> PageFigure:
        """What stands on the sheet."""
        width = self.width_box.value() if self.has_width.isChecked() else None
        return PageFigure(self.what.currentData(), width, self.theme.currentData())

    def _leave(self) -> None:
        figure = self.figure
        self.accept()
        self.chosen.emit(figure)
