"""Attention weights as a heat map, a row for each query and a column for each key, and their gradients. It draws given arrays."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from nnviz.records.tensors import Tensor
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import numbers
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import mono, sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.color_scale import robust_limit
from nnviz.ui.widgets.header_button import ChoiceButton

SCALES = (("matrix", "colours: of the matrix"), ("row", "colours: of each row"))
MOST = 64
"""Queries or keys that are drawn at most; the first ones."""
_USERS = {"matmul", "bmm", "mul", "dropout", "scaled_dot_product_attention"}
"""What attention weights go into: the weighted sum of values, maybe past a dropout."""
_LABELLED = 12
"""Up to so many rows and columns are numbered."""
_LEFT, _BOTTOM, _CAPTION = 18.0, 14.0, 18.0
_NUMBERED = 26.0
"""Cells so wide have their number in them."""
_Flag = Qt.AlignmentFlag


def is_attention(state: TraceState, node: NodeRecord) -> bool:
    """Return whether a node is a softmax over keys: a matrix for each head, that is multiplied with the values."""
    rows = [size for axis, size in enumerate(node.shape) if axis != node.batch_axis]
    users = {state.index.node(edge.target).operation for edge in state.index.out_edges.get(node.id, ())}
    return node.operation == "softmax" and node.whole is None and len(rows) >= 2 and not users.isdisjoint(_USERS)


def matrix(state: TraceState, node: NodeRecord, tensor: Tensor | None, element: tuple[int, ...]) -> np.ndarray | None:
    """Return (queries, keys) of the head that an element is in, for the chosen row; None where it is not there."""
    array = state.row(node.id, tensor)
    return None if array is None or len(element) != array.ndim else array[element[:-2]][:MOST, :MOST]


class HeatPicture(QWidget):
    """One matrix of cells, coloured on ± a limit of all of them, or of each row."""

    def __init__(self, caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = caption
        self._cells: np.ndarray | None = None
        self._limits, self._chosen = np.ones(1), (-1, -1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(caption)

    def set_cells(self, cells: np.ndarray | None, limits: np.ndarray, chosen: tuple[int, int]) -> None:
        """Show (queries, keys); None: not computed yet. `limits`: one for each row. `chosen`: the cell that is worked out on the card."""
        self._cells, self._limits, self._chosen = cells, limits, chosen
        shape = "" if cells is None else f": {cells.shape[0]} queries × {cells.shape[1]} keys, {_range(cells)}"
        self.setAccessibleDescription(f"{self._caption}{shape}" if shape else f"{self._caption}: not computed yet")
        self.update()

    def cell_at(self, place: QPointF) -> tuple[int, int] | None:
        """Return query and key at a place; None beside the cells."""
        if self._cells is None:
            return None
        side = self._side()
        column, row = (place.x() - _LEFT) // side, place.y() // side
        inside = 0 <= row < self._cells.shape[0] and 0 <= column < self._cells.shape[1]
        return (int(row), int(column)) if inside else None

    def _side(self) -> float:
        rows, columns = self._cells.shape
        return max(1.0, min((self.width() - _LEFT - 2) / columns, (self.height() - _BOTTOM - _CAPTION) / rows))

    def _paint_cells(self, painter: QPainter, cells: np.ndarray) -> None:
        side, theme = self._side(), current_theme()
        gap = 1.0 if side > 6 else 0.0
        for (row, column), value in np.ndenumerate(cells):
            box = QRectF(_LEFT + column * side, row * side, side - gap, side - gap)
            limit = float(self._limits[row])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.diverging(float(value), limit) if np.isfinite(value) else theme.color("loss"))
            painter.drawRoundedRect(box, 2, 2)
            if side >= _NUMBERED:
                painter.setFont(mono(SMALL - 2))
                painter.setPen(theme.color("panel" if abs(value) > 0.6 * limit else "text"))
                painter.drawText(box, int(_Flag.AlignCenter), f"{value:.2f}".replace("0.", ".").replace("-", numbers.MINUS))
        row, column = self._chosen
        if 0 <= row < cells.shape[0] and 0 <= column < cells.shape[1]:
            painter.setPen(QPen(theme.color("text"), 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(_LEFT + column * side, row * side, side - gap, side - gap), 2, 2)

    def _paint_numbers(self, painter: QPainter, cells: np.ndarray) -> None:
        side = self._side()
        painter.setFont(mono(SMALL - 2))
        painter.setPen(current_theme().color("faint"))
        for row in range(cells.shape[0] if cells.shape[0] <= _LABELLED else 0):
            painter.drawText(QRectF(0, row * side, _LEFT - 5, side), int(_Flag.AlignRight | _Flag.AlignVCenter), str(row))
        for column in range(cells.shape[1] if cells.shape[1] <= _LABELLED else 0):
            below = QRectF(_LEFT + column * side, cells.shape[0] * side, side, _BOTTOM)
            painter.drawText(below, int(_Flag.AlignCenter), str(column))

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(140, 172)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._cells is not None:
            self._paint_cells(painter, self._cells)
            self._paint_numbers(painter, self._cells)
        painter.setFont(sans(SMALL))
        painter.setPen(current_theme().color("muted"))
        said = f"{self._caption} {_range(self._cells)}" if self._cells is not None else f"{self._caption} · not yet"
        top = self.height() - _CAPTION if self._cells is None else self._cells.shape[0] * self._side() + _BOTTOM
        painter.drawText(QRectF(0, top, self.width(), _CAPTION), int(_Flag.AlignLeft | _Flag.AlignVCenter), said)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self.cell_at(QPointF(event.pos()))
            said = (
                f"query {cell[0]} attends to key {cell[1]}: {numbers.number(self._cells[cell])}" if cell else self.accessibleDescription()
            )
            QToolTip.showText(event.globalPos(), said, self)
            return True
        return super().event(event)


def _range(cells: np.ndarray) -> str:
    known = cells[np.isfinite(cells)]
    return f"{numbers.short(known.min())} … {numbers.short(known.max())}" if known.size else "not finite"


class HeatPanel(QWidget):
    """The weights of one head, and beside them their gradients, each on a scale of its own: that of the matrix, or of every row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.weights, self.gradients = HeatPicture("weights"), HeatPicture("∂L")
        self.scale = ChoiceButton("What full colour stands for: the largest of the whole matrix, or of each row")
        self.scale.set_choices(SCALES, "matrix")
        self.scale.chosen.connect(lambda scale: self._paint())
        self._shown: list[tuple[HeatPicture, np.ndarray | None, np.ndarray | None]] = []
        self._cell = (-1, -1)
        row = QHBoxLayout()
        row.setSpacing(10)
        for picture in (self.weights, self.gradients):
            row.addWidget(picture, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.scale, 0, Qt.AlignmentFlag.AlignRight)

    def set_trace_state(self, state: TraceState, node: NodeRecord, element: tuple[int, ...]) -> str:
        """Show the head of an element of an attention node; return what the maps are of, empty for any other node."""
        shown = is_attention(state, node)
        self.setVisible(shown)
        if not shown:
            return ""
        weights = matrix(state, node, state.value(node.id), element)
        gradients = matrix(state, node, state.gradient(node.id), element)
        whole = matrix(state, node, node.gradient, element)
        self._shown, self._cell = [(self.weights, weights, weights), (self.gradients, gradients, whole)], element[-2:]
        self._paint()
        head = f" · head {', '.join(map(str, element[:-2]))}" if len(element) > 2 else ""
        return f"Attention{head} · queries ↓ keys →"

    def _paint(self) -> None:
        for picture, cells, scaled_by in self._shown:
            picture.set_cells(cells, limits(scaled_by, self.scale.key), self._cell)


def limits(cells: np.ndarray | None, scale: str) -> np.ndarray:
    """Return for each row of a matrix the number that has full colour: its own largest, or the robust largest of all."""
    if cells is None:
        return np.ones(MOST)
    if scale == "row":
        largest = np.nan_to_num(np.abs(cells), posinf=0.0, neginf=0.0).max(1)
        return np.where(largest > 0, largest, 1.0)
    return np.full(len(cells), robust_limit(cells) or 1.0)
