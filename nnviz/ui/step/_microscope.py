"""What the optimizer does to one element of one parameter, row by row, as a TraceState of the trace knows it. It computes no row itself."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from nnviz.records.run_records import WeightHistory
from nnviz.records.trace_record import UpdateRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.ui.step.update_rows import ShownRow, fitted, needed_height, paint_rows, rows_of, tallest
from nnviz.ui.step.weight_history import HIGHEST, is_drawable, paint_history
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.widgets.element_picker import ElementPicker
from nnviz.ui.widgets.header_button import PopupButton
from nnviz.ui.widgets.plot import Plot

_EXPLANATION = (
    "How the optimizer turns the gradient of one weight into its change, row by row. "
    "The bars show absolute values on one logarithmic scale; the sign stands with the number."
)
_APART = 6
"""Pixels between the rows and the history."""
_MOST = 4
"""The history grows to this many times its height where there is room."""


class OptimizerMicroscope(Plot):
    """The rows of one UpdateRecord for one element; dashed until the cursor has passed the parameter's update."""

    element_picked = Signal(int, tuple)
    """Node of the parameter and place of the element, when a person picks another."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Optimizer microscope", _EXPLANATION, "Optimizer", parent)
        self.picker = ElementPicker()
        self.opener = PopupButton("Which parameter and which element of it", self.picker)
        self.tools = (self.opener,)
        self.picker.picked.connect(self._pick)
        self.rows: tuple[ShownRow, ...] = ()
        self.node: int | None = None
        self.element: tuple[int, ...] = ()
        self.history: WeightHistory | None = None
        self._state: TraceState | None = None
        self._optimizer = ""
        self._note, self._age = "", "next"

    def set_trace_state(self, state: TraceState | None, node: int | None = None, element: tuple[int, ...] | None = None) -> None:
        """Show a parameter's element at a cursor; None keeps the parameter and element that are shown, as far as the trace has them."""
        updates = state.index.updates if state else {}
        node = next((known for known in (node, self.node, *updates) if known in updates), None)
        element = self.element if element is None else element
        place = fitted(element if node == self.node or element else (), updates[node].before.shape) if updates else self.element
        self.element = self.element if place == self.element else place  # the same object where it is the same: then nothing is new
        self.node = self.node if node is None else node
        self._state = state
        self.offer(state, self.node, self.element)

    def set_history(self, history: WeightHistory | None) -> None:
        """Show how a weight went over the last iterations; drawn only if it is the weight that is shown."""
        if history is not self.history:
            self.history = history
            self._claim_room()
            self.update()

    @property
    def parameter(self) -> str:
        """The name of the parameter that is shown; empty without one."""
        updates = self._state.index.updates if self._state else {}
        return updates[self.node].parameter if self.node in updates else ""

    def set_optimizer(self, label: str) -> None:
        """Name the optimizer in the heading, as "Adam"."""
        if label != self._optimizer:
            self._optimizer = label
            self.renew()

    def set_age(self, age: str) -> None:
        """Say of the iteration that it comes next, or whatever else is to be said of it."""
        if age != self._age:
            self._age = age
            self.renew()

    def take(self, state: TraceState | None = None, node: int | None = None, element: tuple[int, ...] = ()) -> None:
        updates = state.index.updates if state else {}
        self.sentence = "" if updates else "the optimizer's rows appear with the first trace"
        self.opener.setVisible(bool(updates))
        if not updates:
            self.rows = ()
            self._claim_room()
            self.set_heading("Optimizer microscope", self._optimizer, "Optimizer")
            return
        self.rows = rows_of(state, node, element)
        self._fill_picker(updates, node, element)
        self._note = names.iteration(state.index.trace, self._age) + (" · what if" if state.index.trace.what_ifs else "")
        self.set_heading("Optimizer microscope", self._optimizer, "Optimizer")
        self._claim_room()

    def paint(self, painter: QPainter, area: QRectF) -> None:
        if is_drawable(self.history, self.parameter, self.element):
            rows = min(tallest(self.rows), area.height() - HIGHEST - _APART)
            below = area.adjusted(0, rows + _APART, 0, 0)
            below.setHeight(min(below.height(), _MOST * HIGHEST))
            paint_history(self, painter, below, self.history)
            area = area.adjusted(0, 0, 0, rows - area.height())
        paint_rows(painter, area, current_theme(), self.rows, self._note, self.hovered)

    def _fill_picker(self, updates: Mapping[int, UpdateRecord], node: int, element: tuple[int, ...]) -> None:
        titles = {known: names.parameter_title(update.parameter, self.names) for known, update in updates.items()}
        self.picker.set_parameters([(known, titles[known], update.before.shape) for known, update in updates.items()])
        self.picker.set_element(node, element)
        self.choice = titles[node] + numbers.place(element)
        self.opener.set_text(self.choice)

    def _claim_room(self) -> None:
        """Grow as high as all rows and the history need; whoever frames the plot lets a person scroll."""
        rows = needed_height(self.rows, self.width()) if self.rows else 0.0
        lines = _APART + HIGHEST if is_drawable(self.history, self.parameter, self.element) else 0.0
        self.setMinimumHeight(math.ceil(rows + lines))
        self.least_height = math.ceil(rows + _APART + HIGHEST) if self.rows else 0  # steady, in a recording that begins without a history

    def _pick(self, node: int, element: tuple[int, ...]) -> None:
        self.set_trace_state(self._state, node, element)
        self.element_picked.emit(self.node, self.element)

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._claim_room()
