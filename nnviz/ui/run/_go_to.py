"""The small field in which an iteration is typed to go to. It only asks."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from nnviz.document.catalog import Field
from nnviz.ui.theme.colors import GRID, GUTTER
from nnviz.ui.widgets.number_boxes import IntegerBox
from nnviz.ui.widgets.placing import open_below_bar

_FURTHEST = 10_000_000
_FIELD = Field("iteration", "integer", 0, "how many iterations the run shall have made", 0, _FURTHEST)


class GoToField(QDialog):
    """An iteration to type. Enter asks for it, Esc or a click elsewhere leaves."""

    chosen = Signal(int)

    def __init__(self, iteration: int, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("Go to iteration")
        self.box = IntegerBox(_FIELD)
        self.box.setAccessibleName("Iteration")
        self.box.setFixedWidth(140)
        self.box.set_value(iteration)
        head, remark = QLabel("GO TO ITERATION"), QLabel(f"now {iteration:,} · any earlier or later one · Enter")
        head.setProperty("role", "head")
        remark.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        for widget in (head, self.box, remark):
            column.addWidget(widget)

    def open_over(self, window: QWidget) -> None:
        """Open below the bar of the window, with the number chosen; gone once it is closed."""
        self.adjustSize()
        open_below_bar(self, window, self.box)
        self.box.selectAll()

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.box.interpretText()
            self.accept()
            self.chosen.emit(self.box.value())
        else:
            super().keyPressEvent(event)
