"""The sheet on which a person says what is recorded: of what, which steps or iterations, how large, how fast, in which theme."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QPushButton, QWidget

from nnviz.document.catalog import Field
from nnviz.export.recording import HELD
from nnviz.ui.files.recorder import RecordingOrder
from nnviz.ui.files.sheet_rows import begin_sheet
from nnviz.ui.widgets.number_boxes import IntegerBox, NumberBox

SUBJECTS = {"graph": "the graph", "network": "the network", "plots": "the plots in sight", "window": "the whole window"}
_SIZES = {"1280 × 720": (1280, 720), "1600 × 1000": (1600, 1000), "1920 × 1080": (1920, 1080), "800 × 500": (800, 500)}
_THEMES = {"as on the screen": "", "light": "light", "dark": "dark"}
_SPEED = Field("speed", "number", 4.0, "pictures a second", 0.1, 60.0)
_MOST = 10_000
"""A recording has no more pictures."""


class RecordingSheet(QDialog):
    """It only asks; `chosen` tells what, with a file still to be named."""

    chosen = Signal(object)
    """RecordingOrder without a path."""

    def __init__(self, steps: int, iterations: int | None, subjects: dict[str, str], parent: QWidget | None = None) -> None:
        """`steps` of the iteration that is open; `iterations` that were made, None without a run; `subjects`: name by text."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("Record")
        self._ends = {"steps": steps, "iterations": iterations}
        self.what = _choice("What", subjects)
        along = {"the steps of this iteration": "steps"} | ({} if iterations is None else {"the iterations of the run": "iterations"})
        self.along = _choice("Along", along)
        self.first, self.last, self.every = (IntegerBox(_whole(name)) for name in ("first", "last", "every"))
        self.size, self.theme = _choice("Size", _SIZES), _choice("Theme", _THEMES)
        self.speed = NumberBox(_SPEED)
        self.told = QLabel()
        self.told.setProperty("role", "muted")
        self.record = QPushButton("choose a file and record")
        self.record.setAutoDefault(False)
        self._lay_out()
        self.speed.set_value(_SPEED.default)
        self.along.currentIndexChanged.connect(self._suggest)
        for box in (self.first, self.last, self.every, self.speed):
            box.value_changed.connect(lambda _: self._tell())
        self.record.clicked.connect(self._leave)
        self._suggest()

    def _lay_out(self) -> None:
        rows = (
            ("what", (self.what,)),
            ("along", (self.along,)),
            ("from", (self.first, QLabel("to"), self.last, QLabel("every"), self.every)),
            ("size", (self.size,)),
            ("speed", (self.speed, QLabel("pictures a second"))),
            ("theme", (self.theme,)),
        )
        column = begin_sheet(self, "RECORD", rows)
        column.addWidget(self.told)
        column.addWidget(self.record)

    @property
    def order(self) -> RecordingOrder:
        """What stands on the sheet."""
        return RecordingOrder(
            Path(),
            self.what.currentData(),
            self.along.currentData(),
            self.first.value(),
            self.last.value(),
            self.every.value(),
            self.size.currentData(),
            self.speed.value(),
            self.theme.currentData(),
        )

    def _suggest(self) -> None:
        """All steps, or about a hundred of the iterations."""
        end = self._ends[self.along.currentData()]
        self.first.set_value(0)
        self.last.set_value(end)
        self.every.set_value(1 if self.along.currentData() == "steps" else max(1, end // 100))
        self._tell()

    def _tell(self) -> None:
        """How long it will be, or why it cannot be."""
        order, end = self.order, self._ends[self.along.currentData()]
        count, is_steps = len(order.places), order.along == "steps"
        problem = ""
        if order.first > order.last:
            problem = "The first lies behind the last."
        elif is_steps and order.last > end:
            problem = f"This iteration has {end} steps."
        elif count > _MOST:
            problem = f"{count:,} pictures are too many: take every tenth."
        seconds = count / order.per_second + HELD
        self.told.setText(problem or f"{count:,} pictures, {seconds:.1f} s with the last one held.")
        self.record.setEnabled(not problem)

    def _leave(self) -> None:
        order = self.order
        self.accept()
        self.chosen.emit(order)


def _whole(name: str) -> Field:
    return Field(name, "integer", 0, name, 1 if name == "every" else 0, 10_000_000)


def _choice(name: str, entries: dict[str, object]) -> QComboBox:
    box = QComboBox(accessibleName=name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    for text, value in entries.items():
        box.addItem(text, value)
    return box
