"""The small sheet on which a person says how fast training goes, and how far. It only asks."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from nnviz.document.catalog import Field
from nnviz.records.run_records import FIGURES, Goal
from nnviz.ui.theme.colors import GRID, GUTTER
from nnviz.ui.widgets.number_boxes import IntegerBox, NumberBox
from nnviz.ui.widgets.placing import open_below_bar

PACES: dict[str, float | None] = {"1/s": 1.0, "3/s": 3.0, "10/s": 10.0, "30/s": 30.0, "full": None}
"""What can be chosen, in iterations a second; None: as fast as it goes."""
_COUNT = Field("count", "integer", 100, "how many", 1, 10_000_000)
_THRESHOLD = Field("threshold", "number", 0.1, "the number it has to pass", -1e12, 1e12)


class TrainingOrder(QDialog):
    """Three rows: the speed, which holds from now on; how many iterations or epochs; until which figure passes a number."""

    pace_chosen = Signal(object)
    """Iterations a second; None: as fast as it goes."""
    count_chosen = Signal(int, bool)
    """How many, and whether epochs are meant."""
    goal_chosen = Signal(object)
    """records.run_records.Goal"""

    def __init__(self, pace: float | None, score: str, parent: QWidget | None = None) -> None:
        """`score`: what the metric of the present loss is called."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("How training goes")
        self.paces = QButtonGroup(self, exclusive=True)
        self.count, self.unit = IntegerBox(_COUNT), _choice("Unit", {"iterations": False, "epochs": True})
        names = FIGURES | {"metric": f"validation {score}", "training_metric": f"training {score}"}
        self.figure = _choice("Figure", {text: key for key, text in names.items()})
        self.comparison = _choice("Comparison", {"below": "below", "above": "above"})
        self.threshold = NumberBox(_THRESHOLD)
        self.run_count, self.run_goal = QPushButton("train"), QPushButton("train")
        for box, button in ((self.count, self.run_count), (self.threshold, self.run_goal)):
            button.setAutoDefault(False)
            box.lineEdit().returnPressed.connect(button.click)
        self._fill(pace)
        self.figure.currentIndexChanged.connect(self._suggest)
        self.run_count.clicked.connect(lambda: self._leave(self.count_chosen, self.count.value(), self.unit.currentData()))
        self.run_goal.clicked.connect(lambda: self._leave(self.goal_chosen, self.goal))
        self.figure.setCurrentIndex(self.figure.findData("validation_loss"))

    @property
    def goal(self) -> Goal:
        """What stands in the last row."""
        return Goal(self.figure.currentData(), self.comparison.currentData(), self.threshold.value())

    def _fill(self, pace: float | None) -> None:
        self.count.set_value(_COUNT.default)
        self.threshold.set_value(_THRESHOLD.default)
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        head = QLabel("HOW TRAINING GOES")
        head.setProperty("role", "head")
        column.addWidget(head)
        column.addLayout(_row("speed", *self._pace_buttons(pace)))
        column.addLayout(_row("for", self.count, self.unit, self.run_count))
        column.addLayout(_row("until", self.figure, self.comparison, self.threshold, self.run_goal))

    def _pace_buttons(self, pace: float | None) -> list[QPushButton]:
        made = []
        for text, value in PACES.items():
            button = QPushButton(text, checkable=True, checked=value == pace)
            button.setProperty("role", "word")
            button.setAccessibleName(f"Speed {text}")
            number = text.removesuffix("/s")
            button.setToolTip("As fast as it goes" if value is None else f"{number} iterations a second, to watch each of them")
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, value=value: self.pace_chosen.emit(value))
            self.paces.addButton(button)
            made.append(button)
        return made

    def _suggest(self) -> None:
        """A loss is waited for to fall, an accuracy to rise."""
        rises = self.figure.currentText().endswith("accuracy")
        self.comparison.setCurrentIndex(self.comparison.findData("above" if rises else "below"))
        self.threshold.set_value(0.95 if rises else _THRESHOLD.default)

    def _leave(self, signal: Signal, *what: object) -> None:
        self.accept()
        signal.emit(*what)

    def open_over(self, window: QWidget) -> None:
        """Open below the bar of the window; gone once it is closed."""
        self.adjustSize()
        open_below_bar(self, window, self.count)
        self.count.selectAll()


def _choice(name: str, texts: dict[str, object]) -> QComboBox:
    box = QComboBox(accessibleName=name)
    for text, value in texts.items():
        box.addItem(text, value)
    return box


def _row(name: str, *widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID)
    label = QLabel(name)
    label.setProperty("role", "muted")
    label.setFixedWidth(48)
    row.addWidget(label)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch()
    return row
