"""What the doctor judges by, as a table: each kind, whether it is looked for, its bounds beside the usual ones. It only asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from nnviz.document.catalog import Field, Kind
from nnviz.document.finding_kinds import ENABLED, FINDING_KINDS, bounds_of
from nnviz.ui.theme.colors import BODY, GRID, GUTTER, SMALL
from nnviz.ui.theme.fonts import mono, sans, scaled, tip_of
from nnviz.ui.widgets.boxes import scrolling
from nnviz.ui.widgets.forms import editor, on_change
from nnviz.ui.widgets.number_boxes import number_text

_SIZE = (720, 600)
_BOX = 76
"""Width in pixels of a box for a number."""
_NOTE = (
    "All bounds are nnviz's own, from what was measured of healthy nets: it stands below them. They are saved with the document, and "
    "what is changed here can be undone."
)


class BoundsSheet(QDialog):
    """Not modal: what is found can be looked at beside it, and is judged anew with every change. Esc closes it."""

    bounds_requested = Signal(str, object)
    """A kind, and other values of its fields by name."""
    reset_requested = Signal(object)
    """A kind whose usual bounds shall hold again; None: those of all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle("What the doctor judges by")
        self.editors: dict[tuple[str, str], QWidget] = {}
        """By kind and field."""
        self.resets: dict[str, QPushButton] = {}
        self.reset_all = _button("Reset all", "Judge by the usual bounds of all kinds", lambda: self.reset_requested.emit(None))
        table = QWidget(accessibleName="What the doctor judges by")
        self._grid = QGridLayout(table)
        self._grid.setContentsMargins(0, 0, 2 * GRID, 0)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(GRID)
        self._grid.setColumnStretch(1, 1)
        self._add_heads()
        for kind in FINDING_KINDS.values():
            self._add_kind(kind)
        self._lay_out(table)

    def _lay_out(self, table: QWidget) -> None:
        note = _text(_NOTE, "muted")
        last = QHBoxLayout()
        last.addWidget(note, 1)
        last.addWidget(self.reset_all, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        column.addWidget(scrolling(table), 1)
        column.addLayout(last)
        self.resize(*(round(scaled(length)) for length in _SIZE))

    def _add_heads(self) -> None:
        for place, text in enumerate(("looked for", "bound", "value", "usual")):
            head = QLabel(text)
            head.setProperty("role", "head")
            self._grid.addWidget(head, 0, place)

    def _add_kind(self, kind: Kind) -> None:
        """The kind with its switch at the left, a row for each of its bounds beside it, what puts it back at the right."""
        row = self._grid.rowCount()
        switch = self._add_editor(kind, ENABLED)
        switch.set_words(kind.label, kind.label)
        switch.setToolTip(tip_of(kind.explanation))
        switch.setAccessibleName(f"{kind.label}: looked for")
        self._grid.addWidget(switch, row, 0, Qt.AlignmentFlag.AlignTop)
        self.resets[kind.name] = _button("reset", f"Judge by the usual bounds: {kind.label}", partial(self.reset_requested.emit, kind.name))
        self._grid.addWidget(self.resets[kind.name], row, 4, Qt.AlignmentFlag.AlignTop)
        if not kind.fields:
            self._grid.addWidget(_text(kind.explanation, "muted"), row, 1, 1, 3)
        elif kind.source:
            self._grid.addWidget(_text(kind.source, "muted"), row + len(kind.fields), 1, 1, 3)
        for place, field in enumerate(kind.fields):
            box = self._add_editor(kind, field)
            box.setFixedWidth(round(scaled(_BOX)))
            box.setAccessibleName(f"{kind.label}: {field.explanation}")
            usual = QLabel(number_text(field.default), font=mono(BODY))
            usual.setProperty("role", "muted")
            self._grid.addWidget(_text(field.explanation, "text"), row + place, 1)
            self._grid.addWidget(box, row + place, 2)
            self._grid.addWidget(usual, row + place, 3)

    def _add_editor(self, kind: Kind, field: Field) -> QWidget:
        made = editor(field, field.default)
        on_change(made, lambda value: self.bounds_requested.emit(kind.name, {field.name: value}))
        self.editors[kind.name, field.name] = made
        return made

    def set_bounds(self, changed: Mapping[str, Mapping[str, Any]]) -> None:
        """Show these. `changed`: what a document has otherwise than the table."""
        for kind in FINDING_KINDS:
            bounds = bounds_of(kind, changed)
            for name, value in bounds.items():
                made = self.editors[kind, name]
                if made.value() != value:
                    made.set_value(value)
                if name != ENABLED.name:
                    made.setEnabled(bounds[ENABLED.name])
            self.resets[kind].setEnabled(kind in changed)
        self.reset_all.setEnabled(bool(changed))


def _text(text: str, role: str) -> QLabel:
    label = QLabel(text, wordWrap=True, textFormat=Qt.TextFormat.PlainText, font=sans(SMALL + 0.5))
    label.setProperty("role", role)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _button(text: str, tip: str, call: Callable[[], object]) -> QPushButton:
    button = QPushButton(text, toolTip=tip, accessibleName=tip, autoDefault=False)
    button.setProperty("role", "note")
    button.clicked.connect(lambda: call())
    return button
