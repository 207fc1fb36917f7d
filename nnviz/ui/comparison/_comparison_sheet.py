"""The sheet on which a person says which runs are compared: what changes, from where, for how long. It only asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nnviz.document.catalog import Field
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused
from nnviz.document.variations import SUBJECTS, Variation, subject, usual_values, values_of, variations
from nnviz.text import change_text
from nnviz.ui.theme.colors import GRID, GUTTER
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.number_boxes import IntegerBox
from nnviz.ui.widgets.placing import fit_height, open_below_bar

Check = Callable[[Sequence[Variation], bool], object]
"""Raises Refused for runs that cannot be trained; True: from here."""

_ITERATIONS = Field("iterations", "integer", 200, "how many iterations each of them makes", 1, 1_000_000)
_WIDE, _NAME = 470, 52
"""Pixels of the sheet, and of the names of its rows."""
_LONGEST = 60
"""Letters of what differs that are shown."""
_HINTS = {
    "rate": "0.001, 0.01, 0.1",
    "batch": "1, 8, 32, all",
    "seed": "0, 1, 2",
    "path": "training.l2=0, 0.001, 0.01",
}


class ComparisonSheet(QDialog):
    """Below the choices stands the list of runs that come of them, or what is wrong with them."""

    chosen = Signal(tuple, int, bool)
    """The runs as variations, for how many iterations, and whether from here."""

    def __init__(self, experiment: Experiment, iteration: int, check: Check, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("Compare runs")
        self._experiment, self._check = experiment, check
        self._runs: tuple[Variation, ...] = ()
        self.subject = QComboBox(accessibleName="What changes")
        for one in SUBJECTS:
            self.subject.addItem(one.label, one.key)
        self.field = QLineEdit(accessibleName="Values")
        self.chips: dict[str, QPushButton] = {}
        self._chips = QWidget()
        self.starts = QButtonGroup(self, exclusive=True)
        self.from_start, self.from_here = self._starts(iteration)
        self.count = IntegerBox(_ITERATIONS)
        self.count.set_value(_ITERATIONS.default)
        self.preview = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.problem = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.problem.setProperty("role", "loss")
        self.button = QPushButton("compare")
        self.button.setProperty("accent", True)
        self._lay_out()
        self.subject.currentIndexChanged.connect(self._show_subject)
        self.field.textChanged.connect(self._show_runs)
        self.field.returnPressed.connect(self.button.click)
        self.starts.buttonClicked.connect(self._show_runs)
        self.button.clicked.connect(self._leave)
        self._show_subject()

    def _starts(self, iteration: int) -> tuple[QPushButton, QPushButton]:
        made = [
            _word("from the start", "Iteration 0, with the same random numbers"),
            _word(f"from here: iteration {iteration:,}", "With the present weights and optimizer state"),
        ]
        for button in made:
            self.starts.addButton(button)
        made[0].setChecked(True)
        made[1].setEnabled(iteration > 0)
        return made[0], made[1]

    def _lay_out(self) -> None:
        head, note = QLabel("COMPARE RUNS"), QLabel("iterations each, beside the present run")
        head.setProperty("role", "head")
        note.setProperty("role", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        column.addWidget(head)
        column.addLayout(_row("change", self.subject))
        self._values_row = _row("values", self._chips, self.field, stretch=1)
        column.addLayout(self._values_row)
        column.addLayout(_row("begin", self.from_start, self.from_here))
        column.addLayout(_row("for", self.count, note))
        column.addWidget(self.preview)
        column.addWidget(self.problem)
        last = QHBoxLayout()
        last.addStretch()
        last.addWidget(self.button)
        column.addLayout(last)
        self.setFixedWidth(round(scaled(_WIDE)))
        self.button.setAutoDefault(False)

    # --- what is chosen ---

    @property
    def _key(self) -> str:
        return self.subject.currentData()

    @property
    def is_from_here(self) -> bool:
        """Whether they begin with the present weights."""
        return self.from_here.isChecked()

    def _show_subject(self) -> None:
        """Offer the values of this subject, the usual ones chosen."""
        choices, usual = subject(self._key).choices, usual_values(self._key, self._experiment)
        self._fill_chips(choices, usual)
        self._chips.setVisible(bool(choices))
        self.field.setVisible(not choices)
        self.field.setPlaceholderText(_HINTS.get(self._key, ""))
        self.field.setText(", ".join(usual))
        if not choices and self.isVisible():
            self.field.setFocus()
        self._show_runs()

    def _fill_chips(self, choices: Sequence[tuple[str, str]], usual: Sequence[str]) -> None:
        for chip in self.chips.values():
            self._chips.layout().removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        grid = self._chips.layout() or QGridLayout(self._chips)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID)
        self.chips = {}
        for value, text in choices:
            self.chips[value] = _word(text, f"Compare {text}")
            self.chips[value].setChecked(value in usual)
            self.chips[value].toggled.connect(self._show_runs)
        widest = max([GRID + chip.sizeHint().width() for chip in self.chips.values()], default=1)
        in_a_row = max(1, (self.width() - 2 * GUTTER - round(scaled(_NAME))) // widest)
        for place, chip in enumerate(self.chips.values()):
            grid.addWidget(chip, place // in_a_row, place % in_a_row)

    def _values(self) -> tuple[tuple[str, ...], str]:
        """The values, and the path they are for if one is typed."""
        if self.chips:
            return tuple(value for value, chip in self.chips.items() if chip.isChecked()), ""
        path, _, values = self.field.text().rpartition("=") if self._key == "path" else ("", "", self.field.text())
        return values_of(values), path.strip()

    def _show_runs(self) -> None:
        """Show which runs come of it, or why none do."""
        values, path = self._values()
        try:
            found = variations(self._experiment, self._key, values, path)
            if self.is_from_here and not subject(self._key).from_here:
                raise Refused(f"Another {subject(self._key).label} begins a run.", "Compare from the start.")
            self._check(found, self.is_from_here)
            self._runs, wrong = found, ""
        except Refused as refused:
            self._runs, wrong = (), str(refused)
        self.preview.setText("\n".join(map(self._line, self._runs)))
        self.preview.setVisible(bool(self._runs))
        self.problem.setText(wrong)
        self.problem.setVisible(bool(wrong))
        self.button.setEnabled(bool(self._runs))
        self.button.setText(f"compare {len(self._runs)} runs" if len(self._runs) > 1 else "compare")
        fit_height(self)

    def _line(self, run: Variation) -> str:
        said = "; ".join(change_text.differences(self._experiment, run.experiment)) or "as the document"
        return f"{run.name} · {said if len(said) <= _LONGEST else said[: _LONGEST - 1] + '…'}"

    def _leave(self) -> None:
        self.count.interpretText()
        self.accept()
        self.chosen.emit(self._runs, self.count.value(), self.is_from_here)

    def open_over(self, window: QWidget) -> None:
        """Open below the bar of the window; gone once it is closed."""
        fit_height(self)
        open_below_bar(self, window, self.subject)


def _word(text: str, tip: str) -> QPushButton:
    """A word that is chosen or not."""
    button = QPushButton(text, checkable=True, toolTip=tip)
    button.setProperty("role", "word")
    button.setAutoDefault(False)
    return button


def _row(name: str, *widgets: QWidget, stretch: int = 0) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID)
    label = QLabel(name)
    label.setProperty("role", "muted")
    label.setFixedWidth(round(scaled(_NAME)))
    row.addWidget(label, 0, Qt.AlignmentFlag.AlignTop if stretch else Qt.AlignmentFlag.AlignVCenter)
    for widget in widgets:
        row.addWidget(widget, stretch)
    if not stretch:
        row.addStretch()
    return row
