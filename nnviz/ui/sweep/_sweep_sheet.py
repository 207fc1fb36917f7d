"""The sheet on which a person says what is swept: settings with their values, seeds, how long, on how many processes. It only asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QThread, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nnviz.document.catalog import Field
from nnviz.document.problems import Refused
from nnviz.document.setting_paths import SettingPath
from nnviz.document.sweep_plan import PlannedRun, SweepAxis, SweepOrder, count, read_axis
from nnviz.records.sweep_records import SweepSpeed
from nnviz.ui.theme.colors import GRID, GUTTER
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.number_boxes import IntegerBox
from nnviz.ui.widgets.placing import fit_height, open_below_bar
from nnviz.ui.widgets.search_list import ListEntry, SearchList

Plan = Callable[[SweepOrder], Sequence[PlannedRun]]
"""Raises Refused for what cannot be swept."""

_WIDE, _NAME, _LIST = 580, 60, 133
_LEAST = 50
"""A run of fewer iterations was stepped through, and says nothing about how long those of a sweep are to be."""
_MOST_AXES = 6
_QUICK, _REST, _MOST_RUNS = 300, 250, 5_000
"""So many runs are checked with every letter, more when so many milliseconds have passed since the last one, and no more than that."""
_SEEDS = Field("seeds", "integer", 3, "how many seeds each combination is trained with, from the document's on", 1, 1_000)
_DRAWS = Field("draws", "integer", 20, "how many random draws are made", 1, 5_000)
_DRAW_SEED = Field("draw seed", "integer", 0, "what these draws begin with: the same gives the same draws", 0, 999)
_ITERATIONS = Field("iterations", "integer", 200, "how many iterations each run makes", 1, 1_000_000)
_WORKERS = Field("processes", "integer", 2, "how many runs are made at a time on this machine", 1, 256)
_TIP = "Values with commas between them, as 0.001, 0.01; or a range to draw from: log:0.0001..0.1, uniform:0..1, int:2..16"


class SweepSheet(QDialog):
    """Below the choices stands how many runs come of them and how long they take, or what is wrong with them."""

    chosen = Signal(object, int, str)
    """A SweepOrder, how many processes, and the address of a cluster; empty for this machine."""

    def __init__(self, settings: Sequence[SettingPath], plan: Plan, iterations: int, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("Sweep settings")
        self._settings = {one.path: one for one in settings}
        self._plan = plan
        self._order: SweepOrder | None = None
        self._waiting, self._is_due = QTimer(self, singleShot=True, interval=_REST), False
        self._waiting.timeout.connect(self._show_late)
        self._speed: SweepSpeed | None = None
        self.fields: dict[str, QLineEdit] = {}
        """The values of each setting that is chosen, by its path."""
        self.search = QLineEdit(placeholderText="Add a setting: learning rate, units, dropout …", accessibleName="Search settings")
        self.list = QListWidget(accessibleName="Settings")
        self.list.setFixedHeight(round(scaled(_LIST)))
        self.list.setSpacing(2)
        entries = [ListEntry(one.path, one.label, one.explanation, about=f"{one.path} {one.explanation}") for one in settings]
        self._found = SearchList(self.search, self.list, entries, nothing="Nothing is called so. Try one word of its name.", spacing=GRID)
        fields = (_SEEDS, _DRAWS, _DRAW_SEED, _ITERATIONS, _WORKERS)
        self._boxes = self.seeds, self.draws, self.draw_seed, self.iterations, self.workers = tuple(map(IntegerBox, fields))
        starts = (
            _SEEDS.default,
            _DRAWS.default,
            0,
            iterations if iterations >= _LEAST else _ITERATIONS.default,
            max(1, QThread.idealThreadCount()),
        )
        for box, value in zip(self._boxes, starts, strict=True):
            box.set_value(value)
        self.ways = QButtonGroup(self, exclusive=True)
        self.grid, self.random = self._ways()
        self.cluster = QLineEdit(placeholderText="tcp://host:8786", accessibleName="Address of a cluster of dask")
        self.cluster.setToolTip("Leave it empty to use this machine; else the address of a scheduler of dask.distributed")
        self.told, self.problem = QLabel(wordWrap=True), QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.told.setProperty("role", "muted")
        self.problem.setProperty("role", "loss")
        self.button = QPushButton("sweep", autoDefault=False)
        self.button.setProperty("accent", True)
        self._lay_out()
        self._connect()

    def _ways(self) -> tuple[QPushButton, QPushButton]:
        made = (_word("every combination", "Each value of a setting with each of the others"), _word("random", "So many random draws"))
        for button in made:
            self.ways.addButton(button)
        made[0].setChecked(True)
        return made

    def _lay_out(self) -> None:
        head = QLabel("SWEEP SETTINGS")
        head.setProperty("role", "head")
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        column.addWidget(head)
        column.addWidget(self._found)
        self._rows = QGridLayout()
        self._rows.setSpacing(GRID)
        self._rows.setColumnStretch(1, 1)
        column.addLayout(self._rows)
        column.addLayout(_row("take", self.grid, self.random, self.draws, "draws of seed", self.draw_seed))
        column.addLayout(_row("seeds", self.seeds, "each, from the document's on"))
        column.addLayout(_row("for", self.iterations, "iterations each"))
        column.addLayout(_row("on", self.workers, "processes of this machine, or the cluster of", self.cluster))
        column.addWidget(self.told)
        column.addWidget(self.problem)
        last = QHBoxLayout()
        last.addStretch()
        last.addWidget(self.button)
        column.addLayout(last)
        self.setFixedWidth(round(scaled(_WIDE)))

    def _connect(self) -> None:
        self._found.chosen.connect(self.add)
        for box in self._boxes:
            box.valueChanged.connect(self._show)
        self.ways.buttonClicked.connect(self._show)
        self.cluster.textChanged.connect(self._show)
        self.button.clicked.connect(self._leave)
        self._show()

    # --- what is chosen ---

    def add(self, path: str) -> None:
        """Sweep this setting too, with some values to begin with; or give the keyboard to its values where it is there."""
        if path not in self.fields and len(self.fields) < _MOST_AXES:
            self._add_row(self._settings[path])
        if path in self.fields:
            self.fields[path].setFocus()
            self.fields[path].selectAll()
        self.search.clear()
        self._show()

    def _add_row(self, one: SettingPath) -> None:
        name, out = QLabel(one.label, toolTip=f"{one.path}\n{one.explanation}"), QPushButton("×", autoDefault=False)
        field = self.fields[one.path] = QLineEdit(one.usual, toolTip=_TIP, accessibleName=f"Values of {one.label}")
        out.setProperty("role", "note")
        out.setAccessibleName(f"Leave {one.label} as it is")
        row = self._rows.rowCount()
        for place, part in enumerate((name, field, out)):
            self._rows.addWidget(part, row, place)
            part.show()  # Qt would do it later, and what is not shown cannot have the keyboard
        field.textChanged.connect(self._show)
        field.returnPressed.connect(self.button.click)
        out.clicked.connect(lambda: self._drop(one.path, name, field, out))

    def _drop(self, path: str, *parts: QWidget) -> None:
        del self.fields[path]
        for part in parts:
            self._rows.removeWidget(part)
            part.hide()
            part.deleteLater()
        self.search.setFocus()
        self._show()

    @property
    def order(self) -> SweepOrder:
        """What is asked for. Raises Refused for values that cannot be read."""
        axes: list[SweepAxis] = [read_axis(f"{path}={field.text()}") for path, field in self.fields.items()]
        draws = self.draws.value() if self.random.isChecked() else None
        return SweepOrder(tuple(axes), self.seeds.value(), draws, self.draw_seed.value(), self.iterations.value())

    def set_speed(self, speed: SweepSpeed | None) -> None:
        """Say how long it will take, if that is known."""
        self._speed = speed
        self._show()

    def _show(self) -> None:
        """Show what comes of it, or why nothing does."""
        self._waiting.stop()
        for box in (self.draws, self.draw_seed):
            box.setEnabled(self.random.isChecked())
        self.workers.setEnabled(not self.cluster.text().strip())
        try:
            order = self.order
            if count(order) > _QUICK and not self._is_due:
                self.button.setEnabled(False)
                self._waiting.start()
                return
            runs = self._planned(order)
            self._say(order if runs else None, runs, "")
        except Refused as refused:
            self._say(None, (), str(refused))

    def _planned(self, order: SweepOrder) -> Sequence[PlannedRun]:
        """The runs; none where nothing changes. Raises Refused."""
        if count(order) > _MOST_RUNS:
            raise Refused(f"These are {count(order):,} runs.", f"More than {_MOST_RUNS:,} are made by `nnviz sweep` on the command line.")
        return self._plan(order) if order.axes or order.seeds > 1 else ()

    def _show_late(self) -> None:
        self._is_due = True
        self._show()
        self._is_due = False

    def _say(self, order: SweepOrder | None, runs: Sequence[PlannedRun], wrong: str) -> None:
        self._order = order
        self.told.setText(self._estimate(runs) if self._order else "" if wrong else "Choose a setting above, or several seeds.")
        self.problem.setText(wrong)
        self.told.setVisible(not wrong)
        self.problem.setVisible(bool(wrong))
        self.button.setEnabled(self._order is not None)
        self.button.setText(f"sweep {len(runs):,} runs" if len(runs) > 1 else "sweep")
        fit_height(self)

    def _estimate(self, runs: Sequence[PlannedRun]) -> str:
        """How many runs of how many iterations, how many of them cannot be made, and about how long that takes here."""
        failing = sum(bool(run.problem) for run in runs)
        said = [f"{len(runs):,} runs of {self.iterations.value():,} iterations"]
        said += [f"{failing:,} of them cannot be made ({next(run.problem for run in runs if run.problem)})"] if failing else []
        if self.cluster.text().strip():
            return " · ".join(said)
        if self._speed is None:
            return " · ".join((*said, "measuring how long one takes …"))
        turns = math.ceil((len(runs) - failing) / self.workers.value())
        one = self._speed.each + self.iterations.value() * self._speed.seconds
        return " · ".join((*said, f"about {duration(self._speed.loading + turns * one)}"))

    def _leave(self) -> None:
        for box in self._boxes:
            box.interpretText()
        self._show_late()
        if self._order is not None:
            self.accept()
            self.chosen.emit(self._order, self.workers.value(), self.cluster.text().strip())

    def open_over(self, window: QWidget) -> None:
        """Open below the bar of the window; gone once it is closed."""
        fit_height(self)
        open_below_bar(self, window, self.search)


def duration(seconds: float) -> str:
    """Return a duration in words: "8 s", "12 min", "1.5 h"."""
    if seconds < 100:
        return f"{max(1.0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _word(text: str, tip: str) -> QPushButton:
    button = QPushButton(text, checkable=True, toolTip=tip, autoDefault=False)
    button.setProperty("role", "word")
    return button


def _row(name: str, *parts: QWidget | str) -> QHBoxLayout:
    """A name, then widgets and words beside each other; what can be typed freely takes the room that is left."""
    row = QHBoxLayout()
    row.setSpacing(2 * GRID)
    for place, part in enumerate((name, *parts)):
        if isinstance(part, str):
            label = QLabel(part)
            label.setProperty("role", "muted")
            part = label
            if not place:
                label.setFixedWidth(round(scaled(_NAME)))
        row.addWidget(part, int(type(part) is QLineEdit))
    if not isinstance(parts[-1], QLineEdit):
        row.addStretch(1)
    return row
