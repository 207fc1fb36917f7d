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
from nnviz.ui import forms
from nnviz.ui.theme import GRID

_LABELS = {
    "kind": "",
    "batch_size": "batch",
    "learning_rate": "learning rate",
    "clip_norm": "clip norm",
    "clip_value": "clip value",
    "l1": "L1",
    "l2": "L2",
    "early_stopping": "early stop",
    "weight_decay": "weight decay",
    "lr_decay": "lr decay",
    "validation": "held out",
}
_ALWAYS = {
    "data.kind",
    "data.scaling",
    "data.path",
    "data.target",
    "training.loss",
    "training.optimizer.kind",
    "training.optimizer.learning_rate",
    "training.batch_size",
    "training.dropout",
    "training.l2",
    "training.clip_norm",
    "seed",
}
"""The rows that are there without "more"."""
_IN_PICKER = {"task", "separator", "decimal", "header", "missing", "without"}
"""Fields of data that are only edited where the file can be seen."""
_WIDE = frozenset({"path", "table"})
"""Types whose editors take the whole width, under their captions."""


@dataclass(frozen=True)
class Row:
    """One line of the form."""

    path: str
    label: str
    field: Field
    value: Any
    labels: dict[str, Kind] | None = None


def rows_of(experiment: Experiment) -> tuple[Row, ...]:
    """Return every line the form has for this experiment, in order."""
    training, data = experiment.training, experiment.data
    return (
        *_choice_rows("data", data, catalog.DATASETS, "which rows the network is trained on"),
        _row("training", catalog.TRAINING[0], training.loss, catalog.LOSSES),
        *_choice_rows("training.optimizer", training.optimizer, catalog.OPTIMIZERS, "how gradients become parameter updates"),
        *(_row("training", field, getattr(training, field.name)) for field in catalog.TRAINING[1:]),
        *(Row(field.name, field.name, field, getattr(experiment, field.name)) for field in catalog.EXPERIMENT[1:]),
    )


def _choice_rows(path: str, choice: Any, table: dict[str, Kind], explanation: str) -> list[Row]:
    kind = Field("kind", "choice", choice.kind, explanation, choices=tuple(table))
    fields = table[choice.kind].fields
    rows = [Row(f"{path}.kind", path.rpartition(".")[2], kind, choice.kind, table)]
    return rows + [_row(path, field, choice[field.name]) for field in fields if path != "data" or field.name not in _IN_PICKER]


def _row(path: str, field: Field, value: Any, labels: dict[str, Kind] | None = None) -> Row:
    return Row(f"{path}.{field.name}", _LABELS.get(field.name, field.name), field, value, labels)


class TrainingPanel(QWidget):
    """Two columns, label and editor; the rarer rows fold away under "more"."""

    value_requested = Signal(str, object)
    """The path of a value and what it should become."""
    data_requested = Signal()
    """To see all data sets, and everything about the present one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._editors: dict[str, QWidget] = {}
        self._captions: dict[str, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GRID)
        self._grid.setColumnStretch(1, 1)
        self._holders: list[QWidget] = []
        self._more = QToolButton(text="more ▾", checkable=True, toolTip="Show all settings", accessibleName="Show all training settings")
        self._more.setProperty("flat", True)
        self._more.toggled.connect(self._fold)

    def set_experiment(self, experiment: Experiment) -> None:
        """Show this experiment's settings. The form is built anew only where other fields are needed."""
        rows = rows_of(experiment)
        if [row.path for row in rows] != [row.path for row in self._rows]:
            self._build(rows)
        for row, shown in zip(rows, self._rows, strict=True):
            if row.value != shown.value or row.path not in self._editors:
                self._editors[row.path].set_value(row.value)
        self._rows = rows

    def editor(self, path: str) -> QWidget:
        """Return the editor of one path. Raises KeyError if the form has no such row."""
        return self._editors[path]

    def _build(self, rows: tuple[Row, ...]) -> None:
        focused = self._focused()
        for widget in (*self._editors.values(), *self._captions.values(), *self._holders):
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._editors, self._captions, self._holders = {}, {}, []
        for line, row in enumerate(rows):
            self._add(line, row)
        self._grid.addWidget(self._more, 2 * len(rows), 1)
        self._rows = tuple(replace(row) for row in rows)
        self._fold(self._more.isChecked())
        QWidget.setTabOrder(self._editors[rows[-1].path], self._more)
        if focused in self._editors:
            self._editors[focused].setFocus(Qt.FocusReason.OtherFocusReason)

    def _focused(self) -> str:
        """The path of the editor that has the keyboard; empty for none."""
        owner = self.window().focusWidget()
        return next((path for path, editor in self._editors.items() if owner is editor or (owner and editor.isAncestorOf(owner))), "")

    def _add(self, line: int, row: Row) -> None:
        caption, editor = QLabel(row.label), forms.editor(row.field, row.value, labels=row.labels)
        caption.setProperty("role", "muted")
        caption.setToolTip(forms.explanation(row.field))
        caption.setBuddy(editor)
        editor.setMinimumWidth(64)
        editor.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )  # the column is narrow; long choices are cut, not the column
        editor.setAccessibleName(row.path.replace(".", " ").replace("_", " "))
        editor.value_changed.connect(lambda value, path=row.path: self.value_requested.emit(path, value))
        is_wide = row.field.type in _WIDE
        self._grid.addWidget(caption, 2 * line, 0)
        placed = self._with_picker(editor) if row.path == "data.kind" else editor
        self._grid.addWidget(placed, 2 * line + is_wide, 0 if is_wide else 1, 1, 2 if is_wide else 1)
        self._captions[row.path], self._editors[row.path] = caption, editor

    def _with_picker(self, editor: QWidget) -> QWidget:
        """The editor beside a button that opens the window of all data."""
        holder, button = QWidget(), QToolButton(text="…", toolTip="All data, and everything about it (Ctrl+Alt+D)")
        button.setAccessibleName("Choose data")
        button.setFixedWidth(30)
        button.setStyleSheet("padding: 4px 2px;")
        button.clicked.connect(self.data_requested)
        forms.in_a_row(holder, button, editor)
        self._holders.append(holder)
        return holder

    def _fold(self, unfolded: bool) -> None:
        self._more.setText("less ▴" if unfolded else "more ▾")
        for path, editor in self._editors.items():
            editor.setVisible(unfolded or path in _ALWAYS)
            self._captions[path].setVisible(unfolded or path in _ALWAYS)
