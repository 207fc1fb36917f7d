"""The form of everything that is not the network: data, loss, optimizer, regularisation, seed. It only asks for changes.

It is made from the catalog. Every row has the path of the value in the document, such as `training.optimizer.learning_rate`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from nnviz.document import catalog
from nnviz.document.catalog import Field, Kind
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.rows import has_classes
from nnviz.ui.theme.colors import GRID
from nnviz.ui.widgets import forms

_LABELS = {
    "batch_size": "batch",
    "clip_norm": "clip norm",
    "clip_value": "clip value",
    "l1": "L1",
    "l2": "L2",
    "early_stopping": "early stop",
    "validation": "held out",
    "initial_accumulator_value": "starts with",
    "target_scaling": "scale target",
    "eta_min": "η min",
    "t_max": "t max",
    "total_iters": "reached at",
}
_ALWAYS = {
    "data.kind",
    "data.scaling",
    "data.path",
    "data.target",
    "training.loss",
    "training.batch_size",
    "training.optimizer.kind",
    "training.optimizer.learning_rate",
    "training.schedule.kind",
    "training.dropout",
    "training.l2",
    "training.clip_norm",
    "seed",
}
"""The rows that are there while their section is folded; so are those that are not as they would be by default."""
_IN_PICKER = {"task", "separator", "decimal", "header", "missing", "without"}
"""Fields of data that are only edited where the file can be seen."""
_WIDE = frozenset({"path", "table"})
"""Types whose editors take the whole width, under their captions; so do choices too long for the room beside the caption."""
_ROOM = 106
"""Pixels beside the captions where the panel is as narrow as it gets."""


@dataclass(frozen=True)
class FormRow:
    """One line of the form."""

    path: str
    label: str
    field: Field
    value: Any
    section: str
    labels: dict[str, Kind] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it can be folded away: neither important nor set to anything."""
        is_of_schedule = self.section == "Schedule" and self.field.essential
        return self.path not in _ALWAYS and not is_of_schedule and (self.section == "Data" or self.value == self.field.default)


def rows_of(experiment: Experiment) -> tuple[FormRow, ...]:
    """Return every line the form has for this experiment, in order."""
    training, data = experiment.training, experiment.data
    loss, target, batch, *others = (_row("training", field, getattr(training, field.name), "Regularisation") for field in catalog.TRAINING)
    return (
        *_choice_rows("data", data, catalog.DATASETS, "which rows the network is trained on", "Data"),
        replace(loss, section="Loss", labels=catalog.LOSSES),
        replace(target, section="Loss"),
        replace(batch, section="Loss"),
        *_choice_rows("training.optimizer", training.optimizer, catalog.OPTIMIZERS, "how gradients become parameter updates", "Optimizer"),
        *_choice_rows("training.schedule", training.schedule, catalog.SCHEDULES, "how the learning rate changes over time", "Schedule"),
        *others,
        *(FormRow(field.name, field.name, field, getattr(experiment, field.name), "Run") for field in catalog.EXPERIMENT[1:]),
    )


def _choice_rows(path: str, choice: Any, table: dict[str, Kind], explanation: str, section: str) -> list[FormRow]:
    kind = Field("kind", "choice", choice.kind, explanation, choices=tuple(table))
    fields = table[choice.kind].fields
    rows = [FormRow(f"{path}.kind", path.rpartition(".")[2], kind, choice.kind, section, table)]
    left_out = set() if path != "data" else _IN_PICKER | ({"target_scaling"} if has_classes(choice) else set())
    return rows + [_row(path, field, choice[field.name], section) for field in fields if field.name not in left_out]


def _row(path: str, field: Field, value: Any, section: str) -> FormRow:
    return FormRow(f"{path}.{field.name}", _LABELS.get(field.name, field.name.replace("_", " ")), field, value, section)


class TrainingPanel(QWidget):
    """Sections of two columns, label and editor; a section's heading unfolds its rarer rows."""

    value_requested = Signal(str, object)
    """The path of a value and what it should become."""
    data_requested = Signal()
    """To see all data sets, and everything about the present one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[FormRow, ...] = ()
        self._editors: dict[str, QWidget] = {}
        self._captions: dict[str, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(GRID)
        self._grid.setHorizontalSpacing(GRID + 2)
        self._grid.setColumnStretch(1, 1)
        self._holders: list[QWidget] = []
        self._headings: dict[str, QToolButton] = {}
        self._unfolded: set[str] = set()

    def set_experiment(self, experiment: Experiment) -> None:
        """Show this experiment's settings. The form is built anew only where other fields are needed."""
        rows = rows_of(experiment)
        if [row.path for row in rows] != [row.path for row in self._rows]:
            self._build(rows)
        for row, shown in zip(rows, self._rows, strict=True):
            if row.value != shown.value or row.path not in self._editors:
                self._editors[row.path].set_value(row.value)
        self._rows = rows
        self._fold()

    def editor(self, path: str) -> QWidget:
        """Return the editor of one path. Raises KeyError if the form has no such row."""
        return self._editors[path]

    def unfold(self, section: str, unfolded: bool = True) -> None:
        """Show all rows of a section, or the important ones only."""
        (self._unfolded.add if unfolded else self._unfolded.discard)(section)
        self._fold()

    def _build(self, rows: tuple[FormRow, ...]) -> None:
        focused = self._focused()
        for widget in (*self._editors.values(), *self._captions.values(), *self._headings.values(), *self._holders):
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._editors, self._captions, self._headings, self._holders = {}, {}, {}, []
        for line, row in enumerate(rows):
            if row.section not in self._headings:
                self._add_heading(3 * line, row)
            self._add(3 * line + 1, row)
        self._rows = tuple(replace(row) for row in rows)
        self._fold()
        if focused in self._editors:
            self._editors[focused].setFocus(Qt.FocusReason.OtherFocusReason)

    def _add_heading(self, line: int, row: FormRow) -> None:
        """The button that unfolds a section: the caption of its first row if that chooses what the section is about, else a line."""
        section, is_caption = row.section, row.field.type == "choice"
        heading = QToolButton(checkable=True, checked=section in self._unfolded)
        heading.setToolTip(forms.explanation(row.field) if is_caption else f"settings of the {section.lower()}")
        heading.setAccessibleName(f"all settings of {section.lower()}")
        heading.setProperty("flat", True)
        heading.setStyleSheet("padding: 0; text-align: left;")
        heading.toggled.connect(lambda unfolded: self.unfold(section, unfolded))
        self._headings[section] = heading
        self._grid.addWidget(heading, line + is_caption, 0, 1, 1 if is_caption else 2, Qt.AlignmentFlag.AlignLeft)

    def _focused(self) -> str:
        """The path of the editor that has the keyboard; empty for none."""
        owner = self.window().focusWidget()
        return next((path for path, editor in self._editors.items() if owner is editor or (owner and editor.isAncestorOf(owner))), "")

    def _add(self, line: int, row: FormRow) -> None:
        editor = forms.editor(row.field, row.value, labels=row.labels)
        editor.setMinimumWidth(64)
        editor.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )  # the column is narrow; long choices are cut, not the column
        editor.setAccessibleName(row.path.replace(".", " ").replace("_", " "))
        forms.on_change(editor, lambda value, path=row.path: self.value_requested.emit(path, value))
        is_wide = row.field.type in _WIDE or (row.field.type == "choice" and editor.full_width() > _ROOM)
        placed = self._with_picker(editor) if row.path == "data.kind" else editor
        self._grid.addWidget(placed, line + is_wide, 0 if is_wide else 1, 1, 2 if is_wide else 1)
        self._editors[row.path] = editor
        if self._grid.itemAtPosition(line, 0) is None:
            self._add_caption(line, row)

    def _with_picker(self, editor: QWidget) -> QWidget:
        """The editor beside a button that opens the window of all data."""
        holder, button = QWidget(), QToolButton(text="…", toolTip="All data, and everything about it (Ctrl+Alt+D)")
        button.setAccessibleName("Choose data")
        button.setFixedWidth(18)
        button.setStyleSheet("padding: 4px 0px;")
        button.clicked.connect(self.data_requested)
        editor.setStyleSheet("padding-left: 6px;")  # else the names of the sets do not fit
        forms.in_a_row(holder, editor, button)
        holder.layout().setSpacing(2)
        self._holders.append(holder)
        return holder

    def _add_caption(self, line: int, row: FormRow) -> None:
        caption = QLabel(row.label)
        caption.setProperty("role", "muted")
        caption.setIndent(GRID + 2)
        caption.setToolTip(forms.explanation(row.field))
        caption.setBuddy(self._editors[row.path])
        self._grid.addWidget(caption, line, 0)
        self._captions[row.path] = caption

    def _fold(self) -> None:
        for section, heading in self._headings.items():
            hidden = sum(row.is_plain for row in self._rows if row.section == section)
            heading.setText(f"{section} {'▴' if section in self._unfolded else '▾'}" if hidden else section)
            heading.setVisible(True)
        for row in self._rows:
            shown = row.section in self._unfolded or not row.is_plain
            for widget in filter(None, (self._editors[row.path], self._captions.get(row.path))):
                widget.setVisible(shown)
