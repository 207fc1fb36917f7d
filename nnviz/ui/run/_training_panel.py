"""The form of everything that is not the network: data, loss, optimizer, regularisation, seed. It only asks for changes.

It is made from the catalog. Every row has the path of the value in the document, such as `training.optimizer.learning_rate`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from nnviz.document import catalog
from nnviz.document.catalog import Field, Kind
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.rows import has_classes
from nnviz.ui.theme.fonts import scaled
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
FIRST = (
    "data.kind",
    "data.scaling",
    "training.loss",
    "training.optimizer.kind",
    "training.optimizer.learning_rate",
    "training.batch_size",
    "training.dropout",
    "training.l2",
    "training.clip_norm",
)
"""The rows that are always there, in this order, above all others."""
_ALWAYS = {*FIRST, "data.path", "data.target"}
"""The rows that are never folded away; neither are those that are not as they would be by default."""
_QUIET = ("Data", "Run")
"""Sections whose other rows are folded away, whatever they are set to."""
_IN_PICKER = {"task", "separator", "decimal", "header", "missing", "without"}
"""Fields of data that are only edited where the file can be seen."""
_WIDE = frozenset({"path", "table"})
"""Types whose editors take the whole width, under their captions."""
_CAPTION, _GAP = 80, 6
"""Width of the captions, and what is between them and the editors, in pixels. A choice too long for the rest takes of its caption's."""
_ROOM = 208 - _CAPTION - _GAP
"""Pixels for an editor where the panel is as narrow as it gets."""
_BUTTON = 18
"""Width of the button behind an editor."""
_DOTS = "dots"
"""The name of a button behind an editor."""
_LINE, _PITCH = 26, 28
"""Height of a line, and the distance of two, in pixels."""


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
        return self.path not in _ALWAYS and not is_of_schedule and (self.section in _QUIET or self.value == self.field.default)

    @property
    def look(self) -> tuple:
        """What its editor is made from: another one needs another editor."""
        return self.path, self.field, self.labels is None


def rows_of(experiment: Experiment) -> tuple[FormRow, ...]:
    """Return every line the form has for this experiment: those of FIRST, then the others, section by section."""
    training, data = experiment.training, experiment.data
    loss, target, batch, *others = (_row("training", field, getattr(training, field.name), "Regularisation") for field in catalog.TRAINING)
    rows = (
        *_choice_rows("data", data, catalog.DATASETS, "which rows the network is trained on", "Data"),
        replace(loss, section="Loss", labels=catalog.LOSSES),
        replace(target, section="Loss"),
        replace(batch, section="Loss"),
        *_choice_rows("training.optimizer", training.optimizer, catalog.OPTIMIZERS, "how gradients become parameter updates", "Optimizer"),
        *_choice_rows("training.schedule", training.schedule, catalog.SCHEDULES, "how the learning rate changes over time", "Schedule"),
        *others,
        *(FormRow(field.name, field.name, field, getattr(experiment, field.name), "Run") for field in catalog.EXPERIMENT[1:]),
    )
    return tuple(sorted(rows, key=lambda row: FIRST.index(row.path) if row.path in FIRST else len(FIRST)))


def _choice_rows(path: str, choice: Any, table: dict[str, Kind], explanation: str, section: str) -> list[FormRow]:
    kind = Field("kind", "choice", next(iter(table)), explanation, choices=tuple(table))
    fields = table[choice.kind].fields
    rows = [FormRow(f"{path}.kind", path.rpartition(".")[2], kind, choice.kind, section, table)]
    left_out = set() if path != "data" else _IN_PICKER | ({"target_scaling"} if has_classes(choice) else set())
    return rows + [_row(path, field, choice[field.name], section) for field in fields if field.name not in left_out]


def _row(path: str, field: Field, value: Any, section: str) -> FormRow:
    return FormRow(f"{path}.{field.name}", _LABELS.get(field.name, field.name.replace("_", " ")), field, value, section)


def dropout_words(experiment: Experiment) -> tuple[str, str]:
    """Return what the switch of all dropout says while it is off, and while it is on: then with the probabilities of the layers."""
    shares = [layer[name] for layer in experiment.network for name in ("p", "dropout") if layer.settings.get(name)]
    if not shares:
        return "off", "on · no layer"
    low, high = min(shares), max(shares)
    return "off", f"on · p {low:g}" if low == high else f"on · p {low:g}–{high:g}"


class TrainingPanel(QWidget):
    """A calm list of the settings one changes, a word and its value each; "more" unfolds the others, section by section."""

    value_requested = Signal(str, object)
    """The path of a value and what it should become."""
    data_requested = Signal()
    """To see all data sets, and everything about the present one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[FormRow, ...] = ()
        self._lines: dict[str, FormLine] = {}
        self._heads: dict[str, QLabel] = {}
        self.more = QToolButton(checkable=True, accessibleName="More settings")
        self.more.setProperty("flat", True)
        self.more.setProperty("role", "more")
        self.more.setToolTip("The settings that are changed less often")
        self.more.toggled.connect(self._fold)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(_PITCH - _LINE)
        self._column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addStretch()

    def set_experiment(self, experiment: Experiment) -> None:
        """Show this experiment's settings. A line stays while its field does, so that nothing moves under the hand that chooses."""
        rows = rows_of(experiment)
        if [row.look for row in rows] != [row.look for row in self._rows]:
            self._build(rows)
        self._rows = rows
        self.editor("training.dropout").set_words(*dropout_words(experiment))
        for row in rows:
            self._lines[row.path].show_value(row.value)
        self._fold()

    def editor(self, path: str) -> QWidget:
        """Return the editor of one path. Raises KeyError if the form has no such row."""
        return self._lines[path].editor

    def name(self, path: str) -> str:
        """Return what the form calls the value at this path, as it begins a sentence. Raises KeyError if the form has no such row."""
        label = self._lines[path].row.label
        return label[:1].upper() + label[1:]

    def unfold(self, unfolded: bool = True) -> None:
        """Show all rows, or the important ones only."""
        self.more.setChecked(unfolded)

    @staticmethod
    def least_height() -> int:
        """Return the height of the rows that are always there and of the word below them, in pixels."""
        return round(len(FIRST) * (scaled(_LINE) + _PITCH - _LINE) + scaled(_LINE))

    def follow_text_size(self) -> None:
        """Give lines the room that their texts need now."""
        for line in self._lines.values():
            line.fit()

    def _build(self, rows: tuple[FormRow, ...]) -> None:
        """Make the lines that are needed now, keep those that are the same, and put all in order."""
        focused = self._focused()
        old, self._lines = self._lines, {}
        for row in rows:
            line = old.get(row.path)
            self._lines[row.path] = old.pop(row.path) if line is not None and line.row.look == row.look else self._made(row)
        for widget in (*old.values(), *self._heads.values()):
            self._column.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._heads = {row.section: _head(row.section) for row in rows if row.path not in FIRST}
        for place, widget in enumerate(self._in_order(rows)):
            self._column.insertWidget(place, widget, 0, Qt.AlignmentFlag.AlignLeft if widget is self.more else Qt.AlignmentFlag(0))
        if focused in self._lines:
            self.editor(focused).setFocus(Qt.FocusReason.OtherFocusReason)

    def _in_order(self, rows: tuple[FormRow, ...]) -> list[QWidget]:
        """The lines of FIRST, the word that unfolds the others, and these under the heads of their sections."""
        widgets: list[QWidget] = [self._lines[row.path] for row in rows if row.path in FIRST] + [self.more]
        for section, head in self._heads.items():
            widgets += [head, *(self._lines[row.path] for row in rows if row.path not in FIRST and row.section == section)]
        return widgets

    def _made(self, row: FormRow) -> FormLine:
        line = FormLine(row)
        forms.on_change(line.editor, lambda value: self.value_requested.emit(row.path, value))
        if row.path == "data.kind":
            line.add_button("…", "All data, and everything about it (Ctrl+Alt+D)", "Choose data").clicked.connect(self.data_requested)
        return line

    def _focused(self) -> str:
        """The path of the editor that has the keyboard; empty for none."""
        owner = self.window().focusWidget()
        lines = self._lines.items()
        return next((path for path, line in lines if owner and (owner is line.editor or line.editor.isAncestorOf(owner))), "")

    def _fold(self) -> None:
        unfolded = self.more.isChecked()
        self.more.setText("less ▴" if unfolded else "more ▾")
        for row in self._rows:
            self._lines[row.path].setVisible(unfolded or not row.is_plain)
        for head in self._heads.values():
            head.setVisible(unfolded)


class FormLine(QWidget):
    """A caption and an editor beside it, or below it where the editor needs the width."""

    def __init__(self, row: FormRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = row
        self.editor = forms.editor(row.field, row.value, labels=row.labels)
        self.editor.setMinimumWidth(64)
        self.editor.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # long choices are cut, not the column
        self.editor.setAccessibleName(row.path.replace(".", " ").replace("_", " "))
        self._caption = caption = QLabel(row.label)
        caption.setProperty("role", "muted")
        caption.setToolTip(forms.explanation(row.field))
        caption.setBuddy(self.editor)
        is_wide = row.field.type in _WIDE
        self._line = QVBoxLayout(self) if is_wide else QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(2 if is_wide else _GAP)
        self._line.addWidget(caption)
        self._line.addWidget(self.editor, 1)
        if not is_wide:
            self.fit()

    def show_value(self, value: Any) -> None:
        """Show this value, if it is another one than what stands there."""
        if self.editor.value() != value:
            self.editor.set_value(value)
        self.fit()

    def fit(self) -> None:
        """Give the editor the room of its caption where its choice would be cut."""
        if self.row.field.type not in _WIDE:
            room = scaled(_ROOM) - (self._line.count() > 2) * (scaled(_BUTTON) + _GAP)
            for button in self.findChildren(QToolButton, _DOTS):
                button.setFixedSize(round(scaled(_BUTTON)), round(scaled(_LINE)))
            is_long = self.row.field.type == "choice" and self.editor.shown_width() > room
            self._caption.setFixedWidth(self._caption.sizeHint().width() if is_long else round(scaled(_CAPTION)))
            self.setFixedHeight(round(scaled(_LINE)))

    def add_button(self, text: str, tip: str, name: str) -> QToolButton:
        """Put a small button behind the editor, and return it."""
        button = QToolButton(text=text, toolTip=tip, accessibleName=name)
        button.setObjectName(_DOTS)
        button.setProperty("role", "dots")
        self._line.addWidget(button)
        self.fit()
        return button


def _head(text: str) -> QLabel:
    label = QLabel(text.upper())
    label.setProperty("role", "head")
    return label
