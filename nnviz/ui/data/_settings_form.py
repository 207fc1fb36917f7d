"""The fields of the chosen data set, and the seed: sliders and boxes that ask for a change while they are moved. Made from the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from nnviz.document import catalog
from nnviz.document.catalog import Field
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.rows import has_classes
from nnviz.ui.theme.colors import GRID
from nnviz.ui.widgets import forms

LABELS = {
    "validation": "held out",
    "window": "time steps",
    "horizon": "steps ahead",
    "order": "p",
    "alpha": "α",
    "beta": "β",
    "target_scaling": "scale target",
    "corners": "corners only",
    "noise_columns": "noise columns",
}
_ELSEWHERE = {"path", "target", "task", "separator", "decimal", "header", "missing", "without", "x", "y"}
"""Fields that are edited where the file, or the plane of points, is seen."""
_SEED = next(field for field in catalog.EXPERIMENT if field.name == "seed")
_DRAWN = ("samples", "noise", "validation")
"""Fields without a meaning where only the corners of a square are used."""
_SLIDING = {"noise": 1.0, "validation": 0.9}
"""Fields with a slider, and how far it goes at least."""


class SettingsForm(QWidget):
    """Two columns: label and editor."""

    setting_requested = Signal(str, object, str)
    """A field of the data, or "seed", what it should become, and the key under which changes of one drag belong together."""
    shape_requested = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields: tuple[Field, ...] = ()
        self._drags = 0
        self.editors: dict[str, QWidget] = {}
        self.shapes = QComboBox(accessibleName="Shape of the input", toolTip="The same rows, flat or with their axes")
        self.shapes.activated.connect(lambda: self.shape_requested.emit(self.shapes.currentData()))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(3 * GRID)
        self._grid.setVerticalSpacing(GRID)
        self._grid.setColumnStretch(1, 1)

    def set_experiment(self, experiment: Experiment) -> None:
        """Show the settings of this document's data. The form is built anew only where other fields are needed."""
        data = experiment.data
        elsewhere = _ELSEWHERE | ({"window", "horizon", "target_scaling"} if data.kind == "csv" else set())
        elsewhere |= {"target_scaling"} if has_classes(data) else set()
        shown = [field for field in catalog.DATASETS[data.kind].fields if field.name not in elsewhere]
        fields = (*(_sliding(field, data[field.name]) for field in shown), _SEED)
        if [field.name for field in fields] != [field.name for field in self._fields] or self._outgrown(fields):
            self._build(fields, experiment)
        for field in fields:
            self.editors[field.name].set_value(experiment.seed if field.name == "seed" else data[field.name])
            self.editors[field.name].setEnabled(not (data.settings.get("corners") and field.name in _DRAWN))

    def set_shapes(self, shapes: Sequence[Sequence[int]], present: Sequence[int]) -> None:
        """Offer these shapes of the input layer; a single one is not worth a choice."""
        choices = [list(shape) for shape in shapes]
        self.shapes.clear()
        for shape in choices:
            self.shapes.addItem(" × ".join(map(str, shape)), shape)
        self.shapes.setCurrentIndex(choices.index(list(present)) if list(present) in choices else -1)
        for widget in (self.shapes, self._shape_label):
            widget.setVisible(len(choices) > 1)

    def _outgrown(self, fields: Sequence[Field]) -> bool:
        return any(self.editors[field.name].field.maximum != field.maximum for field in fields if field.name in _SLIDING)

    def _build(self, fields: tuple[Field, ...], experiment: Experiment) -> None:
        while item := self._grid.takeAt(0):
            if item.widget() is not self.shapes:
                item.widget().hide()
                item.widget().deleteLater()
        self._fields, self.editors = fields, {}
        for line, field in enumerate(fields):
            value = experiment.seed if field.name == "seed" else experiment.data[field.name]
            self._add(line, field, value)
        self._shape_label = _label("input")
        self._grid.addWidget(self._shape_label, len(fields), 0)
        self._grid.addWidget(self.shapes, len(fields), 1)
        self.set_shapes((), ())
        editors = [*self.editors.values(), self.shapes]
        for one, other in pairwise(editors):
            QWidget.setTabOrder(one, other)

    def _end_drag(self) -> None:
        """A drag is over: what comes next is another change."""
        self._drags += 1

    def _add(self, line: int, field: Field, value: object) -> None:
        if field.name in _SLIDING:
            editor = forms.slider(field, value)
            editor.released.connect(self._end_drag)
        else:
            editor = forms.editor(field, value)
        caption = _label(LABELS.get(field.name, field.name))
        caption.setToolTip(forms.explanation(field))
        caption.setBuddy(editor)
        editor.setAccessibleName(f"data {field.name}")
        key = f"data.{field.name}" if field.name in _SLIDING else ""
        forms.on_change(editor, lambda value: self.setting_requested.emit(field.name, value, key and f"{key} {self._drags}"))
        self._grid.addWidget(caption, line, 0)
        self._grid.addWidget(editor, line, 1)
        self.editors[field.name] = editor


def _sliding(field: Field, value: float) -> Field:
    """The field with the limits its slider has: as far as one would want to go, or as far as the value is already."""
    if field.name not in _SLIDING:
        return field
    reach = max(_SLIDING[field.name], 3 * (field.default or 0) if field.name == "noise" else 0)
    return replace(field, maximum=min(field.maximum, reach if value <= reach else field.maximum))


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    return label
