"""The weight-matrix editor: shows one parameter as a table and asks for changes of it. It never writes the document."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QTableView, QWidget

from nnviz.document.problems import Refused
from nnviz.text import numbers
from nnviz.text.number_blocks import read_block, write_block
from nnviz.ui.theme.style import set_role
from nnviz.ui.weights import matrix_axes
from nnviz.ui.weights.controls import Controls
from nnviz.ui.weights.matrix_model import MatrixModel

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
        self.model.rows = names

    def set_values(self, parameter: str, values: np.ndarray | None, locked: np.ndarray, names: tuple[str, ...], note: str) -> None:
        """Show a parameter: its values (None: not known), which elements are locked, its axes, and a note, if there is one."""
        fresh = parameter != self.parameter or values is None or self._values is None or values.shape != self._values.shape
        self.parameter, self._values, self._locked, self._names = parameter, values, locked, names
        if fresh:
            self.controls.set_slices(matrix_axes.leading(values.shape) if values is not None else (), names)
        self.model.editable = values is not None
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
