"""The chain-rule card: one node at one moment, its formula, the same with numbers, how its gradient is made. It computes no gradient."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from nnviz.protocol import GradientChecked, NodeRecord
from nnviz.session.moment import Moment
from nnviz.ui import numerals
from nnviz.ui.graph import naming
from nnviz.ui.inspector import chain, neuron_lines
from nnviz.ui.inspector.batch import BatchPanel
from nnviz.ui.inspector.check import CheckRow
from nnviz.ui.inspector.elements import Elements, row_shape
from nnviz.ui.inspector.heat import HeatPanel
from nnviz.ui.inspector.history import HistoryLines
from nnviz.ui.inspector.lines import Lines
from nnviz.ui.inspector.pickers import Picker
from nnviz.ui.inspector.pin import PinRow
from nnviz.ui.inspector.sections import Formula, Heading, Rule, TitleRow
from nnviz.ui.inspector.substitution import substituted
from nnviz.ui.inspector.updates import UpdateTable
from nnviz.ui.inspector.what_if import WhatIfRow
from nnviz.ui.theme import LIGHT, Theme

NO_FORMULA = "No formula is on record for this operation; its numbers are torch's own."

KNOWN = {
    "parameter": "a parameter: the optimizer changes it",
    "input": "data of this batch",
    "constant": "a constant: the same in every iteration, nothing is learned in it",
    "encoding": "the positional encoding, a buffer: sin(t/10000^(2k/d)) at feature 2k of time t, the cosine at 2k + 1",
    "buffer": "a buffer: the layer keeps it, the optimizer does not change it",
}
"""What is said of nodes that no operation makes."""


class ChainRuleCard(QWidget):
    """Shows the node of the cursor, or a chosen one."""

    check_requested = Signal(int, tuple)
    sample_chosen = Signal(object)
    """A row of the batch, or None for the mean over it."""
    node_clicked = Signal(int)
    element_chosen = Signal(int, tuple)
    """A node, and the element of it that is worked out, without the batch axis."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._moment: Moment | None = None
        self._chosen: int | None = None
        self._is_pinned = False
        self._titles: dict[str, str] = {}
        self._names: Mapping[int, str] = {}
        self._elements = Elements()
        self._check: GradientChecked | None = None
        self._make_parts()
        self._lay_out()
        self.setMinimumWidth(300)
        self.setAccessibleName("Chain-rule card")
        self.set_theme(LIGHT)
        self.set_moment(None, None)

    # --- setters ---

    def set_moment(self, moment: Moment | None, node: int | None, is_pinned: bool = False) -> None:
        """Show a node at a moment; None for the node follows the cursor. `is_pinned`: steps leave the card at this node."""
        if moment is not None and (self._moment is None or moment.reading is not self._moment.reading):
            if self._moment is None or not _has_same_nodes(self._moment, moment):
                self._elements.clear()
            self._names = naming.names(moment.reading.trace)
            self._check = None
        if self._check and self._moment and moment and moment.sample != self._moment.sample:
            self._check = None
        self._moment, self._chosen, self._is_pinned = moment, node, is_pinned
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme."""
        self._theme = theme
        for part in self._themed:
            part.set_theme(theme)
        self._show()

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Write these names instead of the layers' ids."""
        self._titles = dict(titles)
        self._show()

    def set_check(self, check: GradientChecked | None) -> None:
        """Show the result of a comparison with finite differences."""
        self._check = check
        self._show()

    def node(self) -> NodeRecord | None:
        """Return the node on the card."""
        if self._moment is None:
            return None
        if self._chosen is not None:
            return self._moment.reading.node(self._chosen)
        return self._moment.node or _first(self._moment)

    def element(self) -> tuple[int, ...]:
        """Return the chosen element of the node, without the batch axis."""
        node = self.node()
        return self._elements.element(self._moment, node) if node else ()

    # --- parts ---

    def _make_parts(self) -> None:
        self._title, self.pin_row = TitleRow(), PinRow()
        self._sample = Picker("row", "Which row of the batch the numbers are of: type one, or “mean” for all rows", mean=True)
        self._element = Picker("element", "Which element of the node is worked out in full and checked")
        self.what_if = WhatIfRow()
        self._forward, self._formula, self._inputs, self._numbers = Heading("Forward", "forward"), Formula(), Lines(), Formula(small=True)
        self._chain, self._derivative, self._rows = Heading("Chain rule", "backward"), Formula(), Lines()
        self._origins, self._reads, self._check_row = Lines(), Lines(), CheckRow()
        self._update, self._table, self.history = Heading("Update", "update"), UpdateTable(), HistoryLines()
        self._batch, self._pictures = Heading("This batch", "muted"), BatchPanel()
        self._attention, self.heat = Heading("Attention", "muted"), HeatPanel()
        self._rules = [Rule() for _ in range(3)]
        self._themed = (
            self._title, self.pin_row, self._sample, self._element, self.what_if, self._forward, self._formula, self._inputs, self._numbers,
            self._chain, self._derivative, self._rows, self._origins, self._reads, self._check_row, self._update, self._batch,
            self._pictures, self._attention, self.heat, self.history, *self._rules,
        )  # fmt: skip
        self._sample.chosen.connect(self.sample_chosen)
        self._element.chosen.connect(self.choose_element)
        self._check_row.requested.connect(self._request_check)
        for lines in (self._inputs, self._rows, self._origins, self._reads):
            lines.node_clicked.connect(self.node_clicked)

    def _lay_out(self) -> None:
        self._body = QWidget()
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 8, 0)  # room for the scroll bar; the frame around has margins of its own
        column.setSpacing(6)
        for part in (
            self._title, self.pin_row, _side_by_side(self._sample, self._element), self.what_if, self._attention, self.heat, self._forward,
            self._formula, self._inputs, self._numbers, self._rules[0], self._chain, self._derivative, self._rows, self._origins,
            self._reads, self._check_row,
            self._rules[1], self._update, self._table, self.history, self._rules[2], self._batch, self._pictures,
        ):  # fmt: skip
            column.addWidget(part)
        column.addStretch(1)
        self._area = QScrollArea(accessibleName="Chain rule")
        self._area.setWidget(self._body)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)

    # --- showing ---

    def _show(self) -> None:
        moment, node = self._moment, self.node()
        self._body.setVisible(node is not None)
        if moment is None or node is None:
            return
        where, what = naming.where(node, self._titles), numerals.shape(node.shape) if node.whole is None else naming.scalar(node)
        torch_name = "" if self._names[node.id] == naming.name(node) or node.kind == "parameter" else f" {node.operation}"
        facts = " · ".join(filter(None, (where, what, f"op {node.id}{torch_name}")))
        self._title.set_title(self._names[node.id], facts, moment.phase if moment.step else "batch")
        here = moment.node
        elsewhere = naming.qualified(here, self._names, self._titles) if here and here.id != node.id else ""
        self.pin_row.show_state(self._chosen is not None, self._is_pinned, elsewhere)
        self._show_pickers(moment, node)
        self._show_forward(moment, node)
        self._show_chain(moment, node)
        self._show_update(moment, node)
        drawn = self._pictures.set_moment(moment, node.id)
        for part in (self._rules[2], self._batch):
            part.setVisible(drawn)

    def _show_pickers(self, moment: Moment, node: NodeRecord) -> None:
        self._sample.set_choice(moment.sample, (len(moment.reading.trace.rows),))
        self._element.set_choice(self._elements.place(moment, node), row_shape(node))
        self._element.setVisible(node.whole is None)
        self.what_if.set_node(moment, node, self.element())

    def _show_forward(self, moment: Moment, node: NodeRecord) -> None:
        attention = self.heat.set_moment(moment, node, self.element())
        self._attention.setVisible(bool(attention))
        self._attention.setText(attention.upper())
        kind = "encoding" if node.kind == "buffer" and node.label.endswith(".encoding") else node.kind
        self._formula.set_text(node.formula or KNOWN.get(kind, NO_FORMULA), quiet=not node.formula)
        lines = neuron_lines.forward_lines if node.whole is not None else partial(chain.forward_lines, element=self.element())
        self._inputs.set_lines(chain.compared(lines, moment, node))
        self._numbers.set_text(neuron_lines.equation(moment, node) or substituted(moment, node, self.element()))

    def _show_chain(self, moment: Moment, node: NodeRecord) -> None:
        element = self.element()
        lines = partial(chain.chain_lines, element=element) if node.whole is None else neuron_lines.chain_lines
        rows = chain.compared(lines, moment, node)
        self._derivative.set_text(node.derivative or (NO_FORMULA if rows else ""), quiet=not node.derivative)
        self._rows.set_lines(rows)
        arrivals = partial(chain.arrival_lines, named=self._names, titles=self._titles, element=element)
        self._origins.set_lines(chain.compared(arrivals, moment, node))
        self._reads.set_lines(chain.reads_line(moment, node, self._names, self._titles))
        self._check_row.setVisible(node.gradient is not None)
        check = (
            self._check
            if self._check and self._check.node == node.id and self._check.element == self._elements.full(moment, node)
            else None
        )
        self._check_row.show_state(self.element(), check, _why_not(moment, node))

    def _show_update(self, moment: Moment, node: NodeRecord) -> None:
        shown = node.kind == "parameter" and node.id in moment.reading.updates
        for part in (self._rules[1], self._update, self._table):
            part.setVisible(shown)
        self.history.set_weight(node.label if shown else "", self.element())
        if shown:
            self._table.set_moment(moment, node.id, self.element(), self._theme)

    # --- the chosen element ---

    def choose_element(self, place: int) -> None:
        """Work out this element of the node, counted row-major without the batch axis."""
        self._elements.choose(self.node(), place)
        self._show()
        self.element_chosen.emit(self.node().id, self.element())

    def _request_check(self) -> None:
        node = self.node()
        self.check_requested.emit(node.id, self._elements.full(self._moment, node))


def _first(moment: Moment) -> NodeRecord | None:
    """What is shown where the step is at no node: the first parameter while gradients are clipped, else where the data enters."""
    wanted = "parameter" if moment.phase == "clip" else "input"
    nodes = moment.reading.trace.nodes
    return next((node for node in nodes if node.kind == wanted), nodes[0] if nodes else None)


def _has_same_nodes(one: Moment, other: Moment) -> bool:
    """Whether a choice in one trace means the same in the other: of the next iteration, too, or with something supposed.

    A layer may have got other units in between, or the graph another detail.
    """
    return _nodes(one) == _nodes(other)


def _nodes(moment: Moment) -> list[tuple]:
    return [(node.label, node.operation, row_shape(node)) for node in moment.reading.trace.nodes]


def _why_not(moment: Moment, node: NodeRecord) -> str:
    """Why a gradient cannot be checked now; empty if it can."""
    if not moment.has_gradient(node.id):
        return "The gradient is not computed yet: step on."
    return "Choose one row of the batch first." if node.batch_axis is not None and moment.sample is None else ""


def _side_by_side(*parts: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 2)
    row.setSpacing(12)
    for part in parts:
        row.addWidget(part)
    row.addStretch(1)
    return box
