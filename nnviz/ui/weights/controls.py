"""The controls around the table of the weight editor, and where they stand. They only call the editor."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from nnviz.document.catalog import Field
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.number_boxes import NumberBox

if TYPE_CHECKING:
    from nnviz.ui.weights.weight_editor import WeightEditor

_CELL = (88, 26)
"""Width and height of a cell in pixels."""
LARGEST_SEED = 2**31 - 1
_VALUE = Field("value", "number", 0.0, "the number to fill in")


class Cells(QStyledItemDelegate):
    """Cells whose colour is their value, also when they are selected: then they have a frame.

    What is being typed stays while values change.
    """

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        state = option.state
        option.state &= ~(QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus)
        super().paint(painter, option, index)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(current_theme().color("text"), 2 if state & QStyle.StateFlag.State_HasFocus else 1))
            painter.drawRect(option.rect.adjusted(1, 1, -1, -1))


class TableKeys(QObject):
    """Copy, paste, select all and lock by key. It takes the keys before the window does, whose shortcuts for layers have the same ones."""

    def __init__(self, editor: WeightEditor) -> None:
        super().__init__(editor.table)
        editor.table.installEventFilter(self)

    def _call(self, event: QKeyEvent) -> Callable[[], None] | None:
        """What the key asks of the editor; None for nothing, and while a cell is being typed into."""
        table: QTableView = self.parent()
        if not table.hasFocus():
            return None
        editor: WeightEditor = table.parent()
        if event.matches(QKeySequence.StandardKey.Copy):
            return editor.copy
        if event.matches(QKeySequence.StandardKey.Paste):
            return editor.paste
        if event.matches(QKeySequence.StandardKey.SelectAll):
            return table.selectAll
        is_lock = event.key() == Qt.Key.Key_L and not event.modifiers()
        return editor.toggle_lock if is_lock else None

    # --- Qt ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) or not (call := self._call(event)):
            return False
        if event.type() == QEvent.Type.KeyPress:
            call()
        event.accept()
        return True


class Controls:
    """Slices, buttons and boxes of one editor."""

    def __init__(self, editor: WeightEditor) -> None:
        self._editor = editor
        self.slices: list[QSpinBox] = []
        self._slice_row = QHBoxLayout()
        self.seed = QSpinBox(maximum=LARGEST_SEED, accessibleName="Seed of the draw", toolTip="The same seed draws the same numbers")
        self.value = NumberBox(_VALUE)
        self.value.setAccessibleName("Number to fill in")
        self.value.setFixedWidth(72)
        self.value.set_value(0.0)
        self.seed.setFixedWidth(96)
        self.buttons = self._buttons(editor)
        _set_up_table(editor)
        self._lay_out(editor)

    def _buttons(self, editor: WeightEditor) -> dict[str, QPushButton]:
        rows: tuple[tuple[str, str, Callable[[], object]], ...] = (
            ("Draw", "Draw the weights anew with the layer's initializer and this seed; locked ones stay", self._draw),
            ("New seed", "Draw with another seed", self._draw_anew),
            ("Fill selected", "Set the selected cells to this number", lambda: editor.fill(self.value.typed(), False)),
            ("Fill all", "Set all to this number; locked ones stay", lambda: editor.fill(self.value.typed(), True)),
            ("Lock", "Lock or free the selected cells (L): training leaves locked weights as they are", editor.toggle_lock),
            ("Lock all", "Lock or free the whole parameter", editor.lock_all),
            ("Copy", "Copy the selected block, or the whole matrix (Ctrl+C)", editor.copy),
            ("Paste", "Paste a block from a spreadsheet at the selected cell (Ctrl+V)", editor.paste),
        )
        return {text: _button(text, tip, call) for text, tip, call in rows}

    def _lay_out(self, editor: WeightEditor) -> None:
        top = _row(editor.parameters)
        top.addLayout(self._slice_row)
        top.addStretch()
        top.addWidget(self.buttons["Copy"])
        top.addWidget(self.buttons["Paste"])
        names = ("Fill selected", "Fill all")
        below = _row(_label("seed"), self.seed, self.buttons["Draw"], self.buttons["New seed"], 12)
        for widget in (self.value, *(self.buttons[name] for name in names)):
            below.addWidget(widget)
        below.addStretch()
        below.addWidget(self.buttons["Lock"])
        below.addWidget(self.buttons["Lock all"])
        column = QVBoxLayout(editor)
        column.setContentsMargins(12, 12, 12, 10)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(editor.table, 1)
        column.addLayout(below)
        column.addWidget(editor.status)

    def set_slices(self, sizes: tuple[int, ...], names: tuple[str, ...]) -> None:
        """Offer a box for each leading axis; the matrix at [0, …] is shown."""
        while item := self._slice_row.takeAt(0):
            item.widget().deleteLater()
        self.slices = []
        for size, name in zip(sizes, names, strict=False):
            box = QSpinBox(maximum=size - 1, wrapping=True, suffix=f" of {size}", accessibleName=f"{name} shown")
            box.valueChanged.connect(self._editor.show_matrix)
            self.slices.append(box)
            self._slice_row.addWidget(_label(name))
            self._slice_row.addWidget(box)

    def place(self) -> tuple[int, ...]:
        """Return the place on the leading axes that is shown."""
        return tuple(box.value() for box in self.slices)

    def set_enabled(self, enabled: bool) -> None:
        """Allow changing, or only looking and copying."""
        for name, button in self.buttons.items():
            button.setEnabled(enabled or name == "Copy")

    def _draw(self) -> None:
        self._editor.draw_requested.emit(self._editor.parameter, self.seed.value())

    def _draw_anew(self) -> None:
        self.seed.setValue(random.SystemRandom().randrange(LARGEST_SEED))
        self._draw()


def _set_up_table(editor: WeightEditor) -> None:
    table = editor.table
    table.setModel(editor.model)
    table.setItemDelegate(Cells(table))
    table.setCornerButtonEnabled(False)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
    table.horizontalHeader().setDefaultSectionSize(_CELL[0])
    table.verticalHeader().setDefaultSectionSize(_CELL[1])
    TableKeys(editor)


def _button(text: str, tip: str, call: Callable[[], object]) -> QPushButton:
    button = QPushButton(text, toolTip=tip, accessibleName=tip, autoDefault=False)
    button.clicked.connect(lambda: call())
    return button


def _label(text: str) -> QLabel:
    label = QLabel(text, alignment=Qt.AlignmentFlag.AlignVCenter)
    label.setProperty("role", "muted")
    return label


def _row(*widgets: QWidget | int) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(6)
    for widget in widgets:
        row.addSpacing(widget) if isinstance(widget, int) else row.addWidget(widget)
    return row
