"""The weight-matrix editor: shows one parameter as a table and asks for changes of it. It never writes the document."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
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
from nnviz.document.problems import Refused
from nnviz.text import numbers
from nnviz.text.number_blocks import read_block, write_block
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.theme.painting import painted
from nnviz.ui.theme.style import set_role
from nnviz.ui.weights import matrix_axes
from nnviz.ui.weights._matrix_model import MatrixModel
from nnviz.ui.widgets.number_boxes import NumberBox

_CELL = (88, 26)
"""Width and height of a cell in pixels."""
LARGEST_SEED = 2**31 - 1
_VALUE = Field("value", "number", 0.0, "the number to fill in")
NOT_KNOWN = "The values are not known: the network is not running."


class WeightEditor(QDialog):
    """Not modal: the network can be looked at, stepped and trained beside it. Esc closes it."""

    parameter_chosen = Signal(str)
    values_typed = Signal(str, object, str, object)
    """Parameter, its new values as an array, what was done, for the undo, and which elements were set, as a mask."""
    lock_requested = Signal(str, object, bool)
    """Parameter, the indices of elements (None: all), and whether they shall be locked."""
    draw_requested = Signal(str, int)
    """Parameter and seed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle("Weights")
        self.parameter = ""
        self._values: np.ndarray | None = None
        self._locked: np.ndarray | None = None
        self._names: tuple[str, ...] = ()
        self.parameters = QComboBox(accessibleName="Parameter", sizeAdjustPolicy=QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.model = MatrixModel(self)
        self.table = QTableView(accessibleName="Values of the parameter")
        self.status = QLabel(wordWrap=True)
        self.controls = Controls(self)
        self.model.cell_typed.connect(self._type)
        self.model.refused.connect(partial(self.say, wrong=True))
        self.parameters.currentIndexChanged.connect(lambda: self.parameter_chosen.emit(self.parameters.currentData() or ""))
        self.resize(700, 440)

    # --- what to show ---

    def set_parameters(self, names: Sequence[tuple[str, str]], present: str) -> None:
        """Offer these parameters, (name, what the screen calls it), with one of them chosen."""
        if [(self.parameters.itemData(row), self.parameters.itemText(row)) for row in range(self.parameters.count())] != list(names):
            self.parameters.blockSignals(True)
            self.parameters.clear()
            for name, text in names:
                self.parameters.addItem(text, name)
            self.parameters.blockSignals(False)
        self.parameters.blockSignals(True)
        self.parameters.setCurrentIndex(self.parameters.findData(present))
        self.parameters.blockSignals(False)

    def set_row_names(self, names: tuple[str, ...]) -> None:
        """Call the rows by these names; without any they are counted. The values follow."""
        self.model.set_row_names(names)

    def set_values(self, parameter: str, values: np.ndarray | None, locked: np.ndarray, names: tuple[str, ...], note: str) -> None:
        """Show a parameter: its values (None: not known), which elements are locked, its axes, and a note, if there is one."""
        fresh = parameter != self.parameter or values is None or self._values is None or values.shape != self._values.shape
        self.parameter, self._values, self._locked, self._names = parameter, values, locked, names
        if fresh:
            self.controls.set_slices(matrix_axes.leading(values.shape) if values is not None else (), names)
        self.model.set_editable(values is not None)
        self.controls.set_enabled(self.model.editable)
        self.show_matrix()
        self.say(
            note if note and values is not None else (NOT_KNOWN if values is None else _summary(self._values, self._locked, self._names))
        )

    def show_matrix(self) -> None:
        """Show the matrix at the chosen place of the leading axes."""
        if self._values is None:
            self.model.set_matrix(np.zeros((0, 0)), np.zeros((0, 0), bool), ("", ""), 1.0)
            return
        place = self.controls.place()
        names = self._names[-2:] if self._values.ndim >= 2 else (self._names[0] if self._names else "", "")
        finite = np.abs(self._values[np.isfinite(self._values)])
        limit = float(finite.max()) if finite.size else 1.0
        self.model.set_matrix(matrix_axes.matrix(self._values, place), matrix_axes.matrix(self._locked, place), names, limit)

    def say(self, text: str, wrong: bool = False) -> None:
        """Say something below the table, or what cannot be done."""
        set_role(self.status, "loss" if wrong else "muted")
        self.status.setText(text)

    # --- what a person does ---

    def _type(self, row: int, column: int, number: float) -> None:
        touched = np.zeros(self._values.shape, bool)
        touched[matrix_axes.element(touched.shape, self.controls.place(), row, column)] = True
        self._set(touched, number, "Set")

    def fill(self, number: float, everywhere: bool) -> None:
        """Set the selected cells, or all that are not locked, to one number."""
        touched = ~self._locked
        if not everywhere:
            if not self.table.selectionModel().hasSelection():
                self.say("Select one cell or more first.")
                return
            touched = np.zeros(self._values.shape, bool)
            for index in self._chosen():
                touched[index] = True
        self._set(touched, number, "Fill")

    def _set(self, touched: np.ndarray, number: float, verb: str) -> None:
        self.values_typed.emit(
            self.parameter, np.where(touched, number, self._values.astype(np.float64)), f"{verb} {self.parameter}", touched
        )

    def selected(self) -> tuple[slice, slice]:
        """Return the selected rows and columns to copy; all of them if at most one cell is selected."""
        ranges = self.table.selectionModel().selection()
        if not ranges or ranges[0].width() * ranges[0].height() <= 1:
            return slice(None), slice(None)
        return slice(ranges[0].top(), ranges[0].bottom() + 1), slice(ranges[0].left(), ranges[0].right() + 1)

    def toggle_lock(self) -> None:
        """Lock the selected cells (or the one that is current); free them if all are locked."""
        if self._values is None:
            return
        indices = self._chosen()
        locked = all(self._locked[index] for index in indices)
        everything = len(indices) == self._values.size
        self.lock_requested.emit(self.parameter, None if everything else indices, not locked)

    def lock_all(self) -> None:
        """Lock the whole parameter, or free it."""
        self.lock_requested.emit(self.parameter, None, not self._locked.all())

    def _chosen(self) -> list[tuple[int, ...]]:
        cells = [(index.row(), index.column()) for index in self.table.selectionModel().selectedIndexes()]
        return [matrix_axes.element(self._values.shape, self.controls.place(), row, column) for row, column in cells or [(0, 0)]]

    def copy(self) -> None:
        """Put the selected block, or the whole matrix, on the clipboard."""
        if self._values is not None:
            block = matrix_axes.matrix(self._values, self.controls.place())[self.selected()]
            QGuiApplication.clipboard().setText(write_block(block.tolist()))
            self.say(f"Copied {block.shape[0]} × {block.shape[1]} numbers.")

    def paste(self) -> None:
        """Set the cells from the current one on to the block on the clipboard."""
        if not self.model.editable:
            return
        values = self._values.astype(np.float64)
        target = matrix_axes.matrix(values, self.controls.place())
        current = self.table.currentIndex()
        row, column = max(0, current.row()), max(0, current.column())
        try:
            block = np.array(read_block(QGuiApplication.clipboard().text(), target.shape[1] - column))
            _check_room(block.shape, target.shape, row, column)
        except Refused as refused:
            self.say(str(refused), wrong=True)
            return
        touched, place = np.zeros(values.shape, bool), np.s_[row : row + block.shape[0], column : column + block.shape[1]]
        target[place] = block
        matrix_axes.matrix(touched, self.controls.place())[place] = True
        self.values_typed.emit(self.parameter, values, f"Paste into {self.parameter}", touched)
        self.say(f"Pasted {block.shape[0]} × {block.shape[1]} numbers at row {row}, column {column}.")


def _summary(values: np.ndarray, locked: np.ndarray, names: tuple[str, ...]) -> str:
    shape = " × ".join(f"{size} {name}" for size, name in zip(values.shape, names, strict=True)) or "one number"
    text = f"{shape} · {numbers.number(values.min())} … {numbers.number(values.max())} · mean {numbers.number(values.mean())}"
    return text + (f" · {int(locked.sum())} locked" if locked.any() else "")


def _check_room(block: tuple[int, ...], target: tuple[int, ...], row: int, column: int) -> None:
    room = target[0] - row, target[1] - column
    if block[0] <= room[0] and block[1] <= room[1]:
        return
    message = f"The block has {block[0]} × {block[1]} numbers, and from row {row}, column {column} there is room for {room[0]} × {room[1]}."
    turned = block[1] <= room[0] and block[0] <= room[1]
    cure = "Turned on its side it would fit: transpose it first." if turned else "Select another cell, or copy a smaller block."
    raise Refused(message, cure)


class Cells(QStyledItemDelegate):
    """Cells whose colour is their value, also when they are selected: then they have a frame.

    What is being typed stays while values change.
    """

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)

    @painted
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
