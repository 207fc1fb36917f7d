"""One button for each cure that can be had at one click. It knows problems and their fixes, and makes none."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from nnviz.document.problems import Fix, Problem
from nnviz.ui.theme.colors import GRID


class Fixes(QWidget):
    """Says `chosen` with the fix whose button was pressed; hidden while there is none."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fixes: list[Fix] = []
        self.buttons: list[QPushButton] = []
        self.setAccessibleName("Cures")
        self.setObjectName("fixes")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        self.hide()

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Offer the fixes of these problems, each once."""
        fixes = list({problem.fix.label: problem.fix for problem in problems if problem.fix}.values())
        reasons = {problem.fix.label: problem.message for problem in problems if problem.fix}
        self.setVisible(bool(fixes))
        if fixes == self._fixes:
            return
        self._fixes = fixes
        for button in self.buttons:
            self.layout().removeWidget(button)
            button.deleteLater()
        self.buttons = [self._button(fix, reasons[fix.label]) for fix in fixes]

    def _button(self, fix: Fix, reason: str) -> QPushButton:
        button = QPushButton(fix.label, accessibleName=fix.label, toolTip=reason)
        button.clicked.connect(lambda: self.chosen.emit(fix))
        self.layout().addWidget(button)
        return button
