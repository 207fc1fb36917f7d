"""The chain-rule card: one node at a cursor, its formula, the same with numbers, how its gradient is made. It computes no gradient.

Long because all that is said of a node stands below each other in one order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from nnviz.messages import GradientChecked
from nnviz.operations.substitution import substituted
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers, trails
from nnviz.ui.step import _changes, _neuron_lines, chain
from nnviz.ui.step._batch_pictures import BatchPictures
from nnviz.ui.step._breadcrumb import Breadcrumb
from nnviz.ui.step._check import CheckRow
from nnviz.ui.step._copying import copying
from nnviz.ui.step._group_lines import Group, explained
from nnviz.ui.step._heat import HeatPanel
from nnviz.ui.step._history_lines import HistoryLines
from nnviz.ui.step._pickers import Picker
from nnviz.ui.step._pin import PinRow, row_height
from nnviz.ui.step._source_line import SourceLine
from nnviz.ui.step._time_bars import TimeBar, TimeBars
from nnviz.ui.step._update_table import UpdateTable
from nnviz.ui.step._what_if_row import WhatIfRow
from nnviz.ui.step.elements import Elements, row_shape
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.lines import Line, Lines
from nnviz.ui.widgets.sections import DividingLine, FormulaLabel, Heading, TitleRow

NO_FORMULA = "No formula is on record for this operation; its numbers are torch's own."

OWN_BACKWARD = "{} is a torch.autograd.Function of your own: what it sends back is what its backward says."

KNOWN = {
    "parameter": "a parameter: the optimizer changes it",
    "input": "data of this batch",
    "constant": "a constant: the same in every iteration, nothing is learned in it",
    "encoding": "the positional encoding, a buffer: sin(t/10000^(2k/d)) at feature 2k of time t, the cosine at 2k + 1",
    "buffer": "a buffer: the layer keeps it, the optimizer does not change it",
}
"""What is said of nodes that no operation makes."""


_HEAD = 52
"""Height in pixels at 100 % of what is not scrolled."""


class ChainRuleCard(QWidget):
    """Shows the node of the cursor, or a chosen one; of one that is folded with others the whole group."""

    check_requested = Signal(int, tuple)
    sample_chosen = Signal(object)
    """A row of the batch, or None for the mean over it."""
    node_clicked = Signal(int)
    element_chosen = Signal(int, tuple)
    """A node, and the element of it that is worked out, without the batch axis."""
    copy_requested = Signal(str, str)
    """value · gradient · element, and numpy · torch."""
    group_clicked = Signal(int, int)
    """A node, and how many of the groups around it lead to the one that shall be folded and shown."""

    def __init__(self, root: str = "", parent: QWidget | None = None) -> None:
        """`root`: what the whole is called in front of every way, where the modules are the person's own code."""
        super().__init__(parent)
        self._root = root
        self._folded: Collection[int] = ()
        self._has_microscope = False
        self._state: TraceState | None = None
        self._chosen: int | None = None
        self._is_pinned = self._is_printed = False
        self._titles: dict[str, str] = {}
        self._names: Mapping[int, str] = {}
        self._elements = Elements()
        self._check: GradientChecked | None = None
        self._make_parts()
        self._lay_out()
        self.setMinimumWidth(300)
        self.setAccessibleName("Chain-rule card")
        self.set_trace_state(None, None)

    # --- setters ---

    def set_trace_state(self, state: TraceState | None, node: int | None, is_pinned: bool = False, folded: Collection[int] = ()) -> None:
        """Show a node at a place of the cursor; None for the node follows the cursor. `is_pinned`: steps leave the card at this node.

        `folded`: the nodes that are shown as one with it; then the card is about all of them.
        """
        if state is not None and (self._state is None or state.index is not self._state.index):
            if self._state is None or not _has_same_nodes(self._state, state):
                self._elements.clear()
            self._names = names.names(state.index.trace)
            self._check = None
        if self._check and self._state and state and state.sample != self._state.sample:
            self._check = None
        self._state, self._chosen, self._is_pinned, self._folded = state, node, is_pinned, folded
        self._show()

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Write these names instead of the layers' ids."""
        if titles != self._titles:
            self._titles = dict(titles)
            self._show()

    def set_microscope_visible(self, visible: bool) -> None:
        """Leave the optimizer's rows to the microscope while it can be seen."""
        if visible != self._has_microscope:
            self._has_microscope = visible
            self._show()

    def set_check(self, check: GradientChecked | None) -> None:
        """Show the result of a comparison with finite differences."""
        self._check = check
        self._show()

    def set_printed(self) -> None:
        """Leave out what only a hand can use, and the pictures of the batch."""
        self._is_printed = True
        self._show()

    def printed_size(self) -> QSize:
        """Return the room that its text takes; nothing without a node."""
        layout, width = self._body.layout(), self._body.width()
        below = layout.heightForWidth(width) if layout.hasHeightForWidth() else layout.sizeHint().height()
        return QSize(self.width(), self._area.y() + below) if self.node() else QSize()

    def node(self) -> NodeRecord | None:
        """Return the node on the card."""
        if self._state is None:
            return None
        if self._chosen is not None:
            return self._state.index.node(self._chosen)
        return _changes.most_changed(self._state) or _first(self._state)

    def element(self) -> tuple[int, ...]:
        """Return the chosen element of the node, without the batch axis."""
        node = self.node()
        return self._elements.element(self._state, node) if node else ()

    def set_foot(self, foot: QWidget) -> None:
        """Have this below all that is said of the node."""
        self._column.insertWidget(self._column.count() - 1, foot)

    # --- parts ---

    def _make_parts(self) -> None:
        self.breadcrumb, self._title, self.pin_row = Breadcrumb(), TitleRow(), PinRow()
        self.source = SourceLine()
        self.source.setVisible(bool(self._root))
        self._sample = Picker("row", "Which row of the batch the numbers are of: type one, or “mean” for all rows", mean=True)
        self._element = Picker("element", "Which element of the node is worked out in full and checked")
        self.what_if = WhatIfRow(of_module=bool(self._root))
        self._forward, self._formula, self._inputs, self._numbers = (
            Heading("Forward", "forward"),
            FormulaLabel(),
            Lines(),
            FormulaLabel(small=True),
        )
        self._chain, self._derivative, self._rows = Heading("Chain rule", "backward"), FormulaLabel(), Lines()
        self._origins, self.time_bars, self._reads, self._check_row = Lines(), TimeBars(), Lines(), CheckRow()
        self._update, self._changes = Heading("Update", "update"), Lines()
        self._table, self.history = UpdateTable(), HistoryLines()
        self._batch, self._pictures = Heading("This batch", "muted"), BatchPictures()
        self._attention, self.heat = Heading("Attention", "muted"), HeatPanel()
        self._rules = [DividingLine() for _ in range(3)]
        self._of_node = (
            self._attention, self.heat, self._check_row, *self._rules[1:], self._update, self._changes, self._table,
            self._batch, self._pictures,
        )  # fmt: skip
        self._sample.chosen.connect(self.sample_chosen)
        self._element.chosen.connect(self.choose_element)
        self.breadcrumb.group_clicked.connect(lambda depth: self.group_clicked.emit(self.node().id, depth))
        self._check_row.requested.connect(self._request_check)
        for lines in (self._inputs, self._rows, self._origins, self._reads, self._changes, self.time_bars):
            lines.node_clicked.connect(self.node_clicked)

    def _lay_out(self) -> None:
        self._body = QWidget()
        column = self._column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 8, 0)  # room for the scroll bar; the frame around has margins of its own
        column.setSpacing(6)
        for part in (
            _side_by_side(self._sample, self._element), self.what_if, self._attention, self.heat, self._forward,
            self._formula, self._inputs, self._numbers, self._rules[0], self._chain, self._derivative, self._rows, self.time_bars,
            self._origins, self._reads, self._check_row, self._rules[1],
            self._update, self._changes, self._table, self.history, self._rules[2], self._batch, self._pictures,
        ):  # fmt: skip
            column.addWidget(part)
        column.addStretch(1)
        self._area = QScrollArea(accessibleName="Chain rule")
        self._area.setWidget(self._body)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._area.setStyleSheet("QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addWidget(self._made_head())
        outer.addWidget(self._area)

    def _made_head(self) -> QWidget:
        """What stays in sight while the rest is scrolled: the way to the node, its name, the phase. It is always equally high."""
        self._head = head = QWidget()
        where = QHBoxLayout()
        where.setSpacing(6)
        where.addWidget(self.breadcrumb, 1)
        where.addWidget(self.pin_row)
        column = QVBoxLayout(head)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(0)
        column.addLayout(where)
        column.addWidget(self.source)
        column.addWidget(self._title)
        self._fit_head()
        return head

    def _fit_head(self) -> None:
        self.breadcrumb.setFixedHeight(row_height())
        self.source.set_height(row_height())
        self._head.setFixedHeight(round(scaled(_HEAD)) + (row_height() if self._root else 0))

    # --- Qt ---

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange and self.layout():
            self._fit_head()
        super().changeEvent(event)

    # --- showing ---

    def _show(self) -> None:
        state, node = self._state, self.node()
        for part in (self._area, self._body, self._title, self.breadcrumb):
            part.setVisible(node is not None)
        if state is None or node is None:
            self.pin_row.hide()
            return
        here = state.node
        elsewhere = names.qualified(here, self._names, self._titles) if here and here.id != node.id else ""
        self.pin_row.show_state(self._chosen is not None, self._is_pinned, elsewhere)
        self._show_pickers(state, node)
        for part in (self._element, self.what_if):
            part.setEnabled(not self._folded)
        if self._folded:
            self._show_group(state)
        else:
            self._show_node(state, node)
        if self._is_printed:
            for part in (self.pin_row, self._sample, self._element, self.what_if, self._check_row, self._batch, self._pictures):
                part.hide()

    def _show_head(self, state: TraceState, node: NodeRecord, title: str, facts: str, depth: int | None = None) -> None:
        crumbs = trails.trail(node, self._names[node.id], self._titles, self._root, depth)
        where = node.where if self._root else ""
        self.breadcrumb.set_trail(crumbs, trails.source(node) if where else "", where, has_links=not state.index.is_scalar)
        self.source.set_where(where)
        self._title.set_title(title, facts, state.phase if state.step else "batch")

    def _show_group(self, state: TraceState) -> None:
        """Say what the folded group around the node does as a whole."""
        group = Group(state, self._folded, self._names, self._titles)
        said = explained(group)
        node = group.outputs[-1] if group.outputs else self.node()
        self._show_head(state, node, group.title, said.facts, group.depth)
        self._formula.set_text(said.formula or "Its operations stand inside.", quiet=not said.formula)
        self._inputs.set_lines(said.forward)
        self._rows.set_lines(said.chain)
        for lines in (self._origins, self._reads):
            lines.set_lines(())
        for label in (self._numbers, self._derivative):
            label.set_text("")
        for part in self._of_node:
            part.hide()
        self.time_bars.set_bars(())
        self.history.set_weight("", ())

    def _show_node(self, state: TraceState, node: NodeRecord) -> None:
        what = numbers.shape(node.shape) if node.whole is None else names.scalar(node)
        torch_name = "" if self._names[node.id] == names.name(node) or node.kind == "parameter" else f" {node.operation}"
        self._show_head(state, node, self._names[node.id], " · ".join(filter(None, (what, f"op {node.id}{torch_name}"))))
        self._show_forward(state, node)
        self._show_chain(state, node)
        self._show_update(state, node)
        drawn = self._pictures.set_trace_state(state, node.id)
        for part in (self._rules[2], self._batch):
            part.setVisible(drawn)

    def _show_pickers(self, state: TraceState, node: NodeRecord) -> None:
        self._sample.set_choice(state.sample, (len(state.index.trace.rows),))
        self._element.set_choice(self._elements.place(state, node), row_shape(node))
        self._element.setVisible(node.whole is None)
        self.what_if.set_node(state, node, self.element())

    def _show_forward(self, state: TraceState, node: NodeRecord) -> None:
        attention = self.heat.set_trace_state(state, node, self.element())
        self._attention.setVisible(bool(attention))
        self._attention.setText(attention.upper())
        kind = "encoding" if node.kind == "buffer" and node.label.endswith(".encoding") else node.kind
        called = chain.letters_of(state, node, self._names)
        unknown = OWN_BACKWARD.format(node.operation) if node.has_own_backward else NO_FORMULA
        self._formula.set_text(called.written(node.formula) or KNOWN.get(kind, unknown), quiet=not node.formula)
        lines = _neuron_lines.forward_lines if node.whole is not None else self._of_tensor(chain.forward_lines)
        self._inputs.set_lines(chain.compared(lines, state, node))
        self._numbers.set_text(_neuron_lines.equation(state, node) or substituted(state, node, self.element(), called.own))

    def _of_tensor(self, lines: Callable[..., list[Line]]) -> Callable[[TraceState, NodeRecord], list[Line]]:
        """The lines of a node with the chosen element in them, in the letters of its textbook."""
        return partial(lines, element=self.element(), named=self._names)

    def _show_chain(self, state: TraceState, node: NodeRecord) -> None:
        element = self.element()
        lines = self._of_tensor(chain.chain_lines) if node.whole is None else _neuron_lines.chain_lines
        rows = chain.compared(lines, state, node)
        derivative = chain.letters_of(state, node, self._names).written(node.derivative)
        self._derivative.set_text(derivative or (NO_FORMULA if rows else ""), quiet=not derivative)
        self._rows.set_lines(rows)
        arrivals = partial(chain.arrival_lines, named=self._names, titles=self._titles, element=element)
        self._origins.set_lines(chain.compared(arrivals, state, node))
        self.time_bars.set_bars([TimeBar(*bar) for bar in chain.sizes_by_time(state, node)])
        self._reads.set_lines(chain.reads_line(state, node, self._names, self._titles))
        self._check_row.setVisible(node.gradient is not None)
        check = (
            self._check if self._check and self._check.node == node.id and self._check.element == self._elements.full(state, node) else None
        )
        self._check_row.show_state(self.element(), check, _why_not(state, node), _own_backward(state, node) if check else "")

    def _show_update(self, state: TraceState, node: NodeRecord) -> None:
        shown = node.kind == "parameter" and node.id in state.index.updates
        for part in (self._rules[1], self._update, self._changes):
            part.setVisible(shown)
        self._table.setVisible(shown and not self._has_microscope)
        self.history.set_weight(node.label if shown else "", self.element())
        if shown:
            self._changes.set_lines(self._update_lines(state, node))
            self._table.set_trace_state(state, node.id, self.element())

    def _update_lines(self, state: TraceState, node: NodeRecord) -> list[Line]:
        """The change in a line; how it comes about stands in the optimizer's rows."""
        element = self.element() if node.whole is None else ()
        lines = chain.compared(lambda at, one: _changes.update_lines(at, one, element, self._names), state, node)
        return [*lines, Line("", "row by row in the optimizer microscope", "muted")] if self._has_microscope else lines

    # --- copying ---

    def copy_menu(self, place: QPoint) -> QMenu:
        """Return what can be copied at a place of the card: the line there, the node's value and its gradient."""
        formulas = [part.text() for part in (self._formula, self._numbers, self._derivative)]
        return copying(self, self._state, self.node(), self._line_at(place), "\n".join(filter(None, formulas)), self.copy_requested.emit)

    def _line_at(self, place: QPoint) -> Line | None:
        lines = self.childAt(place)
        return lines.line_at(QPointF(lines.mapFrom(self, place))) if isinstance(lines, Lines) else None

    # --- the chosen element ---

    def choose_element(self, place: int) -> None:
        """Work out this element of the node, counted row-major without the batch axis."""
        self._elements.choose(self.node(), place)
        self._show()
        self.element_chosen.emit(self.node().id, self.element())

    def _request_check(self) -> None:
        node = self.node()
        self.check_requested.emit(node.id, self._elements.full(self._state, node))

    # --- Qt ---

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.node() is not None:
            self.copy_menu(event.pos()).popup(event.globalPos())


def _first(state: TraceState) -> NodeRecord | None:
    """What is shown where the step is at no node: the first parameter while gradients are clipped, else where the data enters."""
    wanted = "parameter" if state.phase == "clip" else "input"
    nodes = state.index.trace.nodes
    return next((node for node in nodes if node.kind == wanted), nodes[0] if nodes else None)


def _has_same_nodes(one: TraceState, other: TraceState) -> bool:
    """Whether a choice in one trace means the same in the other: of the next iteration, too, or with something supposed.

    A layer may have got other units in between, or the graph another detail.
    """
    return _nodes(one) == _nodes(other)


def _nodes(state: TraceState) -> list[tuple]:
    return [(node.label, node.operation, row_shape(node)) for node in state.index.trace.nodes]


def _why_not(state: TraceState, node: NodeRecord) -> str:
    """Why a gradient cannot be checked now; empty if it can."""
    if not state.has_gradient(node.id):
        return "The gradient is not computed yet: step on."
    return "Choose one row of the batch first." if node.batch_axis is not None and state.sample is None else ""


def _own_backward(state: TraceState, node: NodeRecord) -> str:
    """The first call on the way from a node to the loss whose backward is a person's own; empty if there is none."""
    waiting, seen = [node.id], set()
    while waiting:
        here = state.index.node(waiting.pop(0))
        if here.has_own_backward:
            return here.operation
        users = {edge.target for edge in state.index.out_edges.get(here.id, ())} - seen
        seen |= users
        waiting += sorted(users)
    return ""


def _side_by_side(*parts: QWidget) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 2)
    row.setSpacing(12)
    for part in parts:
        row.addWidget(part)
    row.addStretch(1)
    return box
