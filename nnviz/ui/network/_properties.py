"""The settings of the selected layer as a form made from the catalog. It asks for changes and makes none itself."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QCheckBox, QFormLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from nnviz.document.catalog import ACTIVATIONS, INITIALIZERS, LAYER, LAYERS, Field
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer
from nnviz.document.problems import Problem
from nnviz.document.shapes.report import Report
from nnviz.text.captions import size_text, tensor_text
from nnviz.ui.network._fix_buttons import Fixes
from nnviz.ui.theme.colors import BODY, GRID, SMALL
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.widgets import forms
from nnviz.ui.widgets.pending_text import VALUE

_INITIALIZER = Field("initializer", "choice", "default", "how the weights start; a change starts them anew", choices=tuple(INITIALIZERS))
_OWN = {"gain": "gain", "learning_rate_factor": "η factor"}
"""Numbers every layer with parameters has, and their captions."""
_ROW = 26
_NOTHING = "Select a layer to see and change its settings."
_FOR_ALL = "What is set here is set for all of them."
_TOGETHER = "They move together; F2 names and numbers them, Ctrl+Shift+D duplicates them, Ctrl+K links two, Del deletes them."


class PropertiesPanel(QWidget):
    """Name, settings, start of the weights, size and problems of one layer."""

    change_requested = Signal(str, dict, str)
    """Layer, the settings that change, and a key: changes with the same key are one step of undo."""
    rename_requested = Signal(str, str)
    freeze_requested = Signal(str, bool)
    initializer_requested = Signal(str, str)
    value_requested = Signal(str, str, object)
    """Layer, one of the fields every layer has (gain, learning_rate_factor), and its value."""
    delete_requested = Signal(tuple)
    fix_requested = Signal(object)
    """The fix of one of the layer's problems."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editors: dict[str, QWidget] = {}
        self._shown: tuple[str, ...] | None = None
        self._fields: tuple[Field, ...] = ()
        """The settings that are shown."""
        self._drags = 0
        self._form: QWidget | None = None
        self._empty = _note(_NOTHING)
        self._sizes, self._explanation, self._problems, self._warnings = _note(""), _note(""), _note(""), _note("")
        for note, role in ((self._empty, "muted"), (self._explanation, "muted"), (self._problems, "loss"), (self._warnings, "clip")):
            note.setProperty("role", role)
        self._sizes.setFont(mono(BODY))
        self._fixes = Fixes()
        self._fixes.chosen.connect(self.fix_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        for note in (self._empty, self._problems, self._warnings, self._fixes, self._sizes, self._explanation):
            column.addWidget(note)
        column.addWidget(self._made_delete(), 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.setAccessibleName("Layer settings")
        self._calls = 0
        """How often it was told what to show."""
        self._show_notes(None, None)

    # --- setters ---

    def set_layer(self, experiment: Experiment, report: Report, id: str | None, others: tuple[str, ...] = ()) -> None:
        """Show this layer's settings; None shows that nothing is selected. Fields stay the same while the layer does.

        With `others` the fields stand for all of them: those that all have, and "mixed" where they differ.
        """
        self._calls += 1
        layers = [experiment.network.layer(one) for one in (id, *others) if one is not None and experiment.network.has(one)]
        fields = _common(layers)
        kinds = {layer.kind for layer in layers}
        layer = layers[0] if len(kinds) == 1 or fields or (kinds and all(LAYERS[kind].learns for kind in kinds)) else None
        wanted = (layer.kind, *(one.id for one in layers)) if layer else None
        if wanted != self._shown or fields != self._fields:
            held = self._held() if wanted == self._shown else ""
            if self._takes_over_typed():
                return
            self._shown, self._fields = wanted, fields
            self._rebuild(layer, layers, fields)
            if held in self.editors:
                self.editors[held].setFocus()
        if layer is not None:
            self._refresh(layers, fields)
        self._show_notes(layer, report)
        self._say_several(layers)

    def take_keyboard(self) -> bool:
        """Give the keyboard to the first setting behind the name, else to the first there is. Returns whether there is one."""
        found = [editor for name, editor in self.editors.items() if name not in ("name", "delete")] or list(self.editors.values())
        if found:
            found[0].setFocus(Qt.FocusReason.OtherFocusReason)
        return bool(found)

    def _held(self) -> str:
        """The name of the setting that has the keyboard."""
        focused = QApplication.focusWidget()
        return next((name for name, editor in self.editors.items() if focused and (editor is focused or editor.isAncestorOf(focused))), "")

    def _takes_over_typed(self) -> bool:
        """Leave the present form; return whether something was still being typed in it: an edit, after which this shows the rest."""
        calls, focused = self._calls, QApplication.focusWidget()
        if self._form is not None and focused is not None and self._form.isAncestorOf(focused):
            focused.clearFocus()
        return calls != self._calls

    def _say_several(self, layers: list[Layer]) -> None:
        """What can be done with several layers, and where those of one kind differ."""
        if len(layers) < 2:
            return
        titles = ", ".join(layer.title for layer in layers[:6]) + (", …" if len(layers) > 6 else "")
        self._empty.setText(f"{len(layers)} layers: {titles}. {_FOR_ALL if self.editors else _TOGETHER}")
        self._empty.show()
        self._explanation.setVisible(len({layer.kind for layer in layers}) == 1)
        self._sizes.setText(_differences(layers))
        self._sizes.setVisible(bool(self._sizes.text()))
        self._fixes.set_problems(())  # they would be those of the first layer alone
        self._problems.hide()
        self._warnings.hide()

    # --- the form ---

    def _rebuild(self, layer: Layer | None, layers: list[Layer], fields: tuple[Field, ...]) -> None:
        if self._form is not None:
            self._form.hide()
            self._form.deleteLater()
            self._form = None
        self.editors = {}
        if layer is None:
            return
        self._form = QWidget()
        rows = QFormLayout(self._form)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(GRID + 2)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        if len(self._shown) == 2:  # a single one: several are named with F2, and numbered
            self._add_name(rows, layer)
        for field in fields:
            self._add_field(rows, layer, field)
        kinds = [LAYERS[one.kind] for one in layers]
        if all(kind.learns for kind in kinds):
            self._add_start(rows, layer, all(kind.initialized for kind in kinds))
        self.editors["delete"] = self._delete
        self.layout().insertWidget(1, self._form)

    def _add_name(self, rows: QFormLayout, layer: Layer) -> None:
        line = QLineEdit(accessibleName="name", placeholderText=layer.id, toolTip="what the screen calls this layer; empty: its id")
        line.setProperty(VALUE, True)
        line.editingFinished.connect(lambda: self._rename(layer.id, line))
        self.editors["name"] = line
        rows.addRow(_caption("name"), line)

    def _rename(self, id: str, line: QLineEdit) -> None:
        if line.isModified():
            line.setModified(False)
            self.rename_requested.emit(id, line.text().strip())

    def _add_field(self, rows: QFormLayout, layer: Layer, field: Field) -> None:
        value = layer.settings.get(field.name, field.default)
        if field.name == "p":
            editor = forms.slider(field, value)
            editor.released.connect(self._next_drag)
        else:
            editor = forms.editor(field, value, ACTIVATIONS if set(field.choices) <= set(ACTIVATIONS) else None)
        forms.on_change(editor, lambda value: self._change(layer.id, field.name, value))
        self.editors[field.name] = editor
        rows.addRow(_caption(field.name.replace("_", " "), field.explanation), editor)

    def _change(self, id: str, name: str, value: object) -> None:
        self.change_requested.emit(id, {name: value}, f"{id}.{name} #{self._drags}")

    def _next_drag(self) -> None:
        """What follows is another step of undo."""
        self._drags += 1

    def _add_start(self, rows: QFormLayout, layer: Layer, initialized: bool) -> None:
        if initialized:
            self._add_initializer(rows, layer)
        frozen = QCheckBox("frozen", accessibleName="frozen", toolTip="the optimizer leaves the parameters of this layer as they are")
        frozen.clicked.connect(lambda on: self.freeze_requested.emit(layer.id, on))
        self.editors["frozen"] = frozen
        rows.addRow(_caption("training"), frozen)
        for field in LAYER:
            if field.name == "learning_rate_factor" or (field.name == "gain" and initialized):
                self._add_own(rows, layer, field)

    def _add_initializer(self, rows: QFormLayout, layer: Layer) -> None:
        start = forms.editor(_INITIALIZER, layer.initializer, INITIALIZERS)
        start.value_changed.connect(lambda name: self.initializer_requested.emit(layer.id, name))
        self.editors["initializer"] = start
        rows.addRow(_caption("initializer", _INITIALIZER.explanation), start)

    def _add_own(self, rows: QFormLayout, layer: Layer, field: Field) -> None:
        """A number that is no setting of the layer's kind."""
        editor = forms.editor(field, getattr(layer, field.name))
        forms.on_change(editor, lambda value: self.value_requested.emit(layer.id, field.name, value))
        self.editors[field.name] = editor
        rows.addRow(_caption(_OWN[field.name], field.explanation), editor)

    def _made_delete(self) -> QPushButton:
        """The button stands below everything else, away from the cures."""
        self._delete = QPushButton("Delete layer", toolTip="Remove this layer and its links (Del)", visible=False)
        self._delete.clicked.connect(lambda: self.delete_requested.emit(self._shown[1:]))
        return self._delete

    def _refresh(self, layers: list[Layer], fields: tuple[Field, ...]) -> None:
        name, first = self.editors.get("name"), layers[0]
        if name and not (name.hasFocus() and name.isModified()) and name.text() != first.name:
            name.setText(first.name)
        for field in fields:
            self._show_values(field.name, [layer.settings.get(field.name, field.default) for layer in layers])
        if "frozen" in self.editors:
            self.editors["frozen"].setChecked(first.frozen)
        for own in ("initializer", *_OWN):
            if own in self.editors:
                self._show_values(own, [getattr(layer, own) for layer in layers])

    def _show_values(self, name: str, values: list) -> None:
        editor, different = self.editors[name], list(dict.fromkeys(map(str, values)))
        if len(different) > 1 and hasattr(editor, "set_mixed"):
            editor.set_mixed("mixed")
            editor.setToolTip(f"mixed: {', '.join(different)}")
        elif editor.value() != values[0] or len(values) > 1:
            editor.setToolTip(forms.explanation(editor.field))
            editor.set_value(values[0])  # a choice says in its tooltip what it means

    # --- what is said about the layer ---

    def _show_notes(self, layer: Layer | None, report: Report | None) -> None:
        self._empty.setText(_NOTHING)
        self._empty.setVisible(layer is None)
        self._delete.setVisible(layer is not None)
        self._delete.setText("Delete layer" if len(self._shown or ()) < 3 else "Delete layers")
        problems, warnings = (report.problems_of(layer.id), report.warnings_of(layer.id)) if layer is not None else ((), ())
        self._fixes.set_problems((*problems, *warnings))
        texts = ("", "") if layer is None else (_sizes(layer, report), _explained(layer))
        notes = (self._sizes, self._explanation, self._problems, self._warnings)
        for note, text in zip(notes, (*texts, _said(problems), _said(warnings)), strict=True):
            note.setText(text)
            note.setVisible(bool(text))


def _sizes(layer: Layer, report: Report) -> str:
    entry = report.layers.get(layer.id)
    if entry is None or entry.output_shape is None:
        return "output not known yet"
    tensors = [f"{tensor_text(name)} {size_text(shape)}" for name, shape in entry.parameters.items()]
    lines = [f"output {size_text(entry.output_shape) or 'scalar'}", f"{entry.count:,} parameters", " · ".join(tensors)]
    return "\n".join(filter(None, lines))


def _common(layers: list[Layer]) -> tuple[Field, ...]:
    """The settings that all of these layers have, with the same values to choose from."""
    first, *others = [LAYERS[layer.kind].fields for layer in layers] or [()]
    common = (one for one in first if all(any(_is_alike(one, other) for other in fields) for fields in others))
    return tuple(one for one in common if one.name != "negative_slope" or any(_is_leaky(layer) for layer in layers))


def _is_leaky(layer: Layer) -> bool:
    return "leaky_relu" in (layer.settings.get("activation"), layer.settings.get("function"))


def _is_alike(one: Field, other: Field) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("name", "type", "choices", "minimum", "maximum"))


def _differences(layers: list[Layer]) -> str:
    """The settings in which layers of one kind differ, one a line: "units  4, 8"."""
    lines = []
    for field in _common(layers):
        values = list(dict.fromkeys(str(layer.settings.get(field.name)) for layer in layers))
        if len(values) > 1:
            lines.append(f"{field.name.replace('_', ' ')}  {', '.join(values)}")
    return "\n".join(lines)


def _explained(layer: Layer) -> str:
    kind = LAYERS[layer.kind]
    return "\n".join(filter(None, (f"{kind.label}: {kind.explanation}", kind.source)))


def _said(problems: tuple[Problem, ...]) -> str:
    return "\n".join(f"{problem.message} {problem.cure}" for problem in problems)


def _note(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setFont(sans(BODY))
    return label


def _caption(text: str, explanation: str = "") -> QLabel:
    label = QLabel(text, toolTip=explanation)
    label.setProperty("role", "muted")
    label.setFont(sans(SMALL + 1))
    label.setMinimumHeight(_ROW)
    return label
