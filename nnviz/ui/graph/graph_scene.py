"""The scene of the computational graph: owns every item, lays out once per structure, and on a cursor move touches only what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, QRectF, QSizeF, Signal
from PySide6.QtWidgets import QGraphicsScene

from nnviz.records.trace_record import TraceRecord
from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import speech, states, structure
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.card_items import CardItem, EdgeItem, FrameItem, card_size
from nnviz.ui.graph.grouping import Tree, tree
from nnviz.ui.graph.layout import Placement, Size
from nnviz.ui.graph.placing import Placer
from nnviz.ui.graph.strips import Limits, value_strip
from nnviz.ui.graph.structure import Diagram
from nnviz.ui.graph.touched import touched
from nnviz.ui.graph.travel import Travel
from nnviz.ui.graph.unfolding import Unfolding, extent

_MARGIN = 400.0
"""Empty room around the graph, so that its edge can be brought to the middle."""


class GraphScene(QGraphicsScene):
    """Cards, frames, wires and dots of one trace; `cards`, `wires`, `frames` are the only places that know the items."""

    laid_out = Signal(bool)
    """All items are new; whether they show another structure (else the same one, folded otherwise)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, CardItem] = {}
        self.wires: dict[tuple[str, str], EdgeItem] = {}
        self.frames: dict[str, FrameItem] = {}
        self.diagram: Diagram | None = None
        self.groups: Tree | None = None
        self.folded: frozenset[str] = frozenset()
        self.is_folded_by_hand = False
        """Whether the person folded or opened something; else the graph opens as far as it can be read."""
        self.travel = Travel(self)
        self.placer = Placer(self)
        self.placer.placed.connect(self._take)
        self._state: TraceState | None = None
        self._drawn: TraceState | None = None
        """The moment whose states the items have."""
        self._skeleton: tuple = ()
        self._content = QRectF()
        self._known: Tree | None = None
        """The groups of the structure before, that `folded` was of."""
        self._room: Size = (0.0, 0.0)
        self._unfolding: Unfolding | None = None
        self._is_new = False
        """Whether the items still show another structure, until the present one is laid out."""
        self._scales: states.Scales | None = None
        self._look = Appearance()

    # --- setters ---

    def set_trace_state(self, state: TraceState | None) -> None:
        """Show this moment; one of another structure as soon as it is laid out."""
        before, self._state = self._state, state
        same_trace = before is not None and state is not None and before.index is state.index
        skeleton = self._skeleton if same_trace else structure.skeleton(state.index.trace) if state else ()
        is_new, self._skeleton = skeleton != self._skeleton, skeleton
        if state and not (same_trace and before.sample == state.sample):
            self._scales = states.scales(state, self._look.tokens)
        if is_new:
            self._is_new = True
            self._known, self.groups = self.groups or self._known, tree(state.index.trace) if state else None
            self._fold(self._first_folds() if state else self.folded)
        self._show(moved=True)
        self._send(moving=before is not None and state is not None and state.cursor == before.cursor + 1)

    def set_look(self, look: Appearance) -> None:
        """Be looked at in this way. Another selection alone touches only two cards."""
        before, self._look = self._look, look
        if look.titles != before.titles:
            for key, frame in self.frames.items():
                frame.set_title(self.title(key))
        if look.tokens != before.tokens and self._state:
            self._scales = states.scales(self._state, look.tokens)
        if replace(look, selected=before.selected) != before:
            self._show()
        elif self._is_shown:
            self._show_cards({self.diagram.card_of[one] for one in {before.selected, look.selected} if one in self.diagram.card_of})

    def set_folded(self, folded: frozenset[str]) -> None:
        """Fold exactly these groups, as the person wants it; the old picture stays until the new one is laid out."""
        self.is_folded_by_hand = True
        self._fold(folded)

    def set_room(self, room: QSizeF, refold: bool) -> None:
        """Open new graphs as far as they fit in so much room; with `refold` the present one, too, unless it was folded by hand."""
        self._room = room.width(), room.height()
        if refold and self._unfolding and not self.is_folded_by_hand:
            folded = self._unfolding.folds(self._room, self._measure)
            if folded != self.folded:
                self._fold(folded)

    def _fold(self, folded: frozenset[str]) -> None:
        self.folded = folded
        if self._state is None:
            self._unfolding = None
            self.placer.forget()
            self._clear()
            self._content, self._is_new = QRectF(), False
        else:
            diagram = structure.diagram(self._state.index.trace, folded, self.groups)
            self.placer.ask(diagram, _sizes(self._state, diagram, self._scales, self._look.titles))

    # --- what is where ---

    @property
    def trace(self) -> TraceRecord | None:
        """The trace it shows."""
        return self._state.index.trace if self._state else None

    @property
    def content(self) -> QRectF:
        """The rectangle around all cards and frames."""
        return self._content

    @property
    def limits(self) -> Limits | None:
        """The colour scales in use; None without a trace."""
        return self._scales.limits if self._scales and self._state else None

    @property
    def here(self) -> str:
        """Where the cursor is, in a sentence."""
        return speech.here(self._state, self._scales.names, self._look.titles) if self._state else speech.NO_TRACE

    def title(self, group: str) -> str:
        """Return the name of a group."""
        title = self.groups.groups[group].title if self.groups and group in self.groups.groups else group
        detail = dict(self.trace.details).get(group) if self.trace else None
        return " · ".join(filter(None, (self._look.title(title), detail)))

    def card_of(self, node: int | None) -> CardItem | None:
        """Return the card that shows a node, alone or in a folded group."""
        return self.cards.get(self.diagram.card_of.get(node, "")) if self.diagram and node is not None else None

    def tooltip(self, card: CardItem) -> str:
        """Return a card's numbers as text."""
        return states.tooltip(self._state, self.diagram.cards[card.key], self._scales, self._look.titles) if self._is_shown else ""

    # --- inside ---

    @property
    def _is_shown(self) -> bool:
        """Whether the items are those of the present moment's structure."""
        return self._state is not None and self.diagram is not None and not self._is_new

    def _first_folds(self) -> frozenset[str]:
        """What is folded in a new structure: what was by hand in the same layers, else what there is no room for."""
        folded = structure.first_folds(self.groups, len(self.trace.nodes))
        self._unfolding = Unfolding(self.groups, folded)
        by_itself = self._unfolding.folds(self._room, self._measure)
        if self.is_folded_by_hand and self._known and structure.have_same_layers(self._known, self.groups):
            return structure.kept_folds(self._known, self.folded, self.groups, by_itself)
        self.is_folded_by_hand = False
        return by_itself

    def _measure(self, folded: frozenset[str]) -> Size:
        diagram = structure.diagram(self.trace, folded, self.groups)
        return extent(diagram, _sizes(self._state, diagram, self._scales, self._look.titles))

    def _clear(self) -> None:
        self.travel.clear()
        self.clear()
        self.cards, self.wires, self.frames, self.diagram, self._drawn = {}, {}, {}, None, None

    def _take(self, diagram: Diagram, placement: Placement) -> None:
        """Put the items of a new layout in place of the present ones."""
        self._clear()
        self.diagram = diagram
        self.frames = {key: FrameItem(key, self.title(key), box, depth) for depth, (key, box) in enumerate(placement.frames.items())}
        self.wires = {ends: EdgeItem(*ends, curve) for ends, curve in placement.curves.items()}
        self.cards = {key: CardItem(key, box) for key, box in placement.cards.items()}
        for item in (*self.frames.values(), *self.wires.values(), *self.cards.values()):
            self.addItem(item)
        self._content = self.itemsBoundingRect()
        self.setSceneRect(self._content.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN))
        is_new, self._is_new = self._is_new, False
        self._show()
        self._send(moving=False)
        self.laid_out.emit(is_new)

    def _show(self, moved: bool = False) -> None:
        """Give cards and wires their present states: after a move of the cursor only those that the steps in between touch."""
        if not self._is_shown:
            return
        nodes = touched(self._drawn, self._state) if moved else None
        self._drawn = self._state
        self._show_cards(self.cards if nodes is None else {self.diagram.card_of[node] for node in nodes if node in self.diagram.card_of})

    def _show_cards(self, keys: Iterable[str]) -> None:
        wires = set()
        for key in keys:
            card = self.diagram.cards[key]
            shown = states.card_state(self._state, card, self._scales, self._look)
            self.cards[key].set_state(shown)
            wires.update(self.diagram.wires_at.get(key, ()))
        for wire in wires:
            self.wires[wire.source, wire.target].set_state(states.wire_state(self._state, wire, self._scales, self._look.coloring))

    def _send(self, moving: bool) -> None:
        """Put a dot on every wire the present step sends a gradient along."""
        here = self._state.step.node if self._is_shown and self._state.step else -1
        wires = self.diagram.wires_at.get(self.diagram.card_of.get(here, ""), ()) if self._is_shown else ()
        sent = [self.wires[wire.source, wire.target] for wire in wires if states.travelling(self._state, wire)]
        self.travel.send(sent, moving)


def _sizes(state: TraceState, diagram: Diagram, scales: states.Scales, titles: Mapping[str, str]) -> dict[str, Size]:
    """The room that every card needs."""
    sizes = {}
    for key, card in diagram.cards.items():
        node = state.index.node(card.shown)
        sizes[key] = card_size(*states.card_texts(card, node, scales, titles), value_strip(state, node, scales.tokens))
    return sizes
