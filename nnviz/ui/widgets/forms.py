"""One editor widget per type of catalog field. Every editor has the attribute `field`, the signal `value_changed(object)`, `value()` and
`set_value(value)`; a person's change is emitted once, when it is complete and valid, and `set_value` never emits. It knows no document.
Long because the editors of all types stand beside each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from nnviz.document.catalog import Field, Kind
from nnviz.ui.theme.colors import BODY
from nnviz.ui.theme.fonts import mono
from nnviz.ui.theme.painting import painted
from nnviz.ui.theme.style import set_role
from nnviz.ui.widgets.number_boxes import IntegerBox, NumberBox, SliderBox, in_a_row, number_text, wheel_only_with_focus
from nnviz.ui.widgets.pending_text import VALUE

_AROUND_CHOICE = 30
"""Pixels of a choice beside its text: border, padding and arrow."""


class Editor(Protocol):
    """What every editor offers; all of them are QWidgets."""

    field: Field
    value_changed: Signal

    def value(self) -> Any: ...

    def set_value(self, value: Any) -> None: ...


def editor(field: Field, value: Any, labels: dict[str, Kind] | None = None) -> QWidget:
    """Return the editor of a field, showing `value`. `labels` names the choices."""
    widget = OptionalEditor(field) if field.optional and field.type in ("integer", "number") else _plain(field, labels)
    widget.setAccessibleName(field.name.replace("_", " "))
    widget.setToolTip(explanation(field))
    widget.set_value(value)
    return widget


def on_change(widget: Editor, call: Callable[[Any], object]) -> None:
    """Call with every value a person gives an editor, also with a number beyond its limits: whoever refuses it says why."""
    widget.value_changed.connect(call)
    if hasattr(widget, "refused"):
        widget.refused.connect(call)


def slider(field: Field, value: float) -> QWidget:
    """Return a slider beside a number box, for a number with both a minimum and a maximum. It also emits while it is dragged."""
    widget = SliderBox(field)
    widget.setAccessibleName(field.name.replace("_", " "))
    widget.setToolTip(explanation(field))
    widget.set_value(value)
    return widget


def explanation(field: Field) -> str:
    """Return what a field means and what it may be, as one line."""
    low, high = field.minimum, field.maximum
    if field.type not in ("integer", "number") or (low is None and high is None):
        return field.explanation
    limits = f"{number_text(low)} to {number_text(high)}" if None not in (low, high) else f"at least {number_text(low or 0)}"
    return f"{field.explanation} ({limits})"


def _plain(field: Field, labels: dict[str, Kind] | None) -> QWidget:
    match field.type:
        case "integer":
            return IntegerBox(field)
        case "number":
            return NumberBox(field)
        case "boolean":
            return Check(field)
        case "choice":
            return ChoiceBox(field, labels)
        case "shape":
            return ShapeLine(field)
        case "path" | "text":
            return TextLine(field)
    return TableText(field)


class OptionalEditor(QWidget):
    """A number that may be None: a box to switch it on, and the number, or the word for having none."""

    value_changed = Signal(object)
    refused = Signal(object)
    """A number beyond the limits that was typed."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._switch = QCheckBox()
        self._switch.setAccessibleName(f"use {field.name.replace('_', ' ')}")
        self._switch.setToolTip(explanation(field))
        self._inner = _plain(field, None)
        self._inner.setAccessibleName(field.name.replace("_", " "))
        if field.default is None:
            self._inner.set_value(field.minimum if field.type == "integer" and field.minimum is not None else 1.0)
        in_a_row(self, self._switch, self._inner)
        self._switch.toggled.connect(self._switched)
        on_change(self._inner, self._pass_on)

    def value(self) -> float | None:
        """Return the number, or None while it is switched off."""
        return self._inner.value() if self._switch.isChecked() else None

    def set_value(self, value: float | None) -> None:
        """Show this number, or "off" for None."""
        with QSignalBlocker(self._switch):
            self._switch.setChecked(value is not None)
        self._show_state()
        if value is not None:
            self._inner.set_value(value)

    def _show_state(self) -> None:
        """The number while it is on, else what having none means."""
        on = self._switch.isChecked()
        self._inner.setVisible(on)
        self._switch.setText("" if on else self.field.absent)

    def _pass_on(self, value: float) -> None:
        is_taken = value == self._inner.value()
        (self.value_changed if is_taken else self.refused).emit(value)

    def _switched(self, on: bool) -> None:
        self._show_state()
        self.value_changed.emit(self.value())


class Check(QCheckBox):
    """Yes or no, with a word for either."""

    value_changed = Signal(object)

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._words = ("off", "on")
        self.toggled.connect(self._say)
        self.toggled.connect(self.value_changed.emit)
        self._say()

    def set_words(self, off: str, on: str) -> None:
        """Say this beside the box while it is off, and while it is on."""
        self._words = (off, on)
        self._say()

    def _say(self) -> None:
        self.setText(self._words[self.isChecked()])

    def value(self) -> bool:
        """Return whether it is checked."""
        return self.isChecked()

    def set_value(self, value: bool) -> None:
        """Show this state."""
        with QSignalBlocker(self):
            self.setChecked(bool(value))
        self._say()


class ChoiceBox(QComboBox):
    """One of the field's choices; with `labels`, under the names and with the explanations of that table."""

    value_changed = Signal(object)

    def __init__(self, field: Field, labels: dict[str, Kind] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        for choice in field.choices:
            kind = (labels or {}).get(choice)
            self.addItem(kind.label if kind else choice, choice)
            self.setItemData(self.count() - 1, kind.explanation if kind else None, Qt.ItemDataRole.ToolTipRole)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.currentIndexChanged.connect(self._chosen)

    def value(self) -> str:
        """Return the choice."""
        return self.currentData()

    def set_value(self, value: str) -> None:
        """Show this choice; one that is not in the list is added, so that nothing is hidden."""
        with QSignalBlocker(self):
            if self.findData(value) < 0:
                self.addItem(str(value), value)
            self.setCurrentIndex(self.findData(value))
        self._explain()

    def set_mixed(self, text: str) -> None:
        """Stand for several choices, which `text` names: any choice is another one then."""
        with QSignalBlocker(self):
            self.setPlaceholderText(text)
            self.setCurrentIndex(-1)

    def shown_width(self) -> int:
        """Return how wide it has to be, in pixels, for its choice to be seen whole."""
        return self.fontMetrics().horizontalAdvance(self.currentText()) + _AROUND_CHOICE

    def _chosen(self, index: int) -> None:
        self._explain()
        self.value_changed.emit(self.itemData(index))

    def _explain(self) -> None:
        """The tooltip names the choice, too: where there is little room it is cut."""
        meaning = self.currentData(Qt.ItemDataRole.ToolTipRole)
        self.setToolTip(f"{self.currentText()}{f': {meaning}' if meaning else ''}\n({explanation(self.field)})")

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self)
        text = option.currentText or self.placeholderText()
        option.currentText = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def wheelEvent(self, event: QWheelEvent) -> None:
        wheel_only_with_focus(self, event, super().wheelEvent)


# --- text -----------------------------------------------------------------------------------------------------------


class ShapeLine(QLineEdit):
    """A shape as text: "2", "1 × 8 × 8"; commas, spaces and x separate too."""

    value_changed = Signal(object)
    refused = Signal(object)
    """What was typed and is no shape within the limits; the line shows the old one again, and whoever listens says why."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._value: list[int] = []
        self.setFont(mono(BODY))
        self.setPlaceholderText("features, or channels × height × width")
        self.setProperty(VALUE, True)
        self.editingFinished.connect(self._commit)

    def value(self) -> list[int]:
        """Return the shape."""
        return list(self._value)

    def set_value(self, value: list[int]) -> None:
        """Show this shape."""
        self._value = list(value)
        self.setText(" × ".join(map(str, value)))

    def _commit(self) -> None:
        text = self.text()
        shape = shape_of(text, self.field)
        if shape is None:
            self.set_value(self._value)
            self.refused.emit([int(part) for part in _parts(text)] if all(map(str.isdecimal, _parts(text))) and _parts(text) else text)
            return
        changed = shape != self._value
        self.set_value(shape)
        if changed:
            self.value_changed.emit(shape)


def shape_of(text: str, field: Field) -> list[int] | None:
    """Return the shape a text means, or None where it is none."""
    parts = _parts(text)
    if not parts or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        return None
    sizes = [int(part) for part in parts]
    return sizes if all((field.minimum or 1) <= size <= (field.maximum or size) for size in sizes) else None


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[\s×x*,;\[\]()]+", text.strip().lower()) if part]


class TextLine(QWidget):
    """A text, such as the name of a column, or a path; for a path a button opens the file dialog."""

    value_changed = Signal(object)

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._value = ""
        self._line = QLineEdit()
        self._line.setAccessibleName(field.name)
        self._line.setProperty(VALUE, True)
        button = QToolButton(text="…", toolTip="Choose a file", accessibleName="Choose a file", visible=False)
        in_a_row(self, button, self._line)
        button.setVisible(field.type == "path")
        self.setFocusProxy(self._line)
        self._line.editingFinished.connect(lambda: self._take(self._line.text()))
        button.clicked.connect(self._browse)

    def value(self) -> str:
        """Return the text."""
        return self._value

    def set_value(self, value: str) -> None:
        """Show this text."""
        self._value = value
        self._line.setText(value)
        self._line.setCursorPosition(0)  # a long one is read from its start

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a table", self._value, "Tables (*.csv *.tsv *.txt);;All files (*)")
        if path:
            self._take(path)

    def _take(self, text: str) -> None:
        changed = text != self._value
        self.set_value(text)
        if changed:
            self.value_changed.emit(text)


MOST_ROWS = 2_000
"""A longer table is not written out to be changed by hand: Qt takes seconds for so many lines."""


class TableText(QPlainTextEdit):
    """Rows of numbers, one a line: "[1.3, 0.7]", or a single number. Taken over when the field is left; Esc takes back what was typed."""

    value_changed = Signal(object)
    refused = Signal(object)
    """A line that is no row of numbers: it stays to be mended, and whoever listens says what would be one."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._value: list = []
        self.setFont(mono(BODY))
        self.setTabChangesFocus(True)
        self.setFixedHeight(84)

    def value(self) -> list:
        """Return the rows."""
        return self._value

    def set_value(self, value: list) -> None:
        """Show these rows."""
        self._value = value
        self.setReadOnly(len(value) > MOST_ROWS)
        text = f"{len(value):,} rows, more than can be changed here" if self.isReadOnly() else "\n".join(map(json.dumps, value))
        self.setPlainText(text)
        _mark(self, "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.document().isModified():
            self.set_value(self._value)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self.isReadOnly():
            return
        lines = [line for line in self.toPlainText().splitlines() if line.strip()]
        rows = [_row_of(line) for line in lines]
        if None in rows:
            line = lines[rows.index(None)].strip()
            _mark(self, f"“{line[:30]}” is no row of numbers: write [1.3, 0.7] or a single number")
            self.refused.emit(line[:30])
        elif rows != self._value:
            self.set_value(rows)
            self.value_changed.emit(rows)


def _row_of(line: str) -> list[float] | float | None:
    try:
        row = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    numbers = row if isinstance(row, list) else [row]
    return row if numbers and all(type(number) in (int, float) for number in numbers) else None


def _mark(widget: QWidget, problem: str) -> None:
    """Outline an editor whose text is no value, and say in its tooltip what would be one; no problem takes both away."""
    if not problem and not widget.property("problem"):
        return
    widget.setProperty("problem", problem)
    set_role(widget, "invalid" if problem else "")
    widget.setToolTip(problem or explanation(widget.field))
