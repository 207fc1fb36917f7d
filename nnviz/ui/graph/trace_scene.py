"""The scene of a trace, of tensors as cards or of neurons as circles: laid out once per structure, touched only where a move changes it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QRectF, QSizeF, Signal
from PySide6.QtWidgets import QGraphicsScene

from nnviz.records.trace_record import TraceRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names
from nnviz.ui.graph import _neuron_diagram, _speech, states, structure
from nnviz.ui.graph._card_face import CardFace, card_sizes, paint_edge, smaller_sizes
from nnviz.ui.graph._circle_face import CircleFace, paint_link
from nnviz.ui.graph._travel import Travel
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.card_states import CardScales
from nnviz.ui.graph.graph_items import CaptionItem, EdgeItem, FrameItem, NodeItem
from nnviz.ui.graph.grouping import Tree, tree
from nnviz.ui.graph.layout import CardSizes, Placement, Placer, Size, Unfolding, extent
from nnviz.ui.graph.neuron_states import NeuronScales
from nnviz.ui.graph.structure import Diagram, Edge
from nnviz.ui.theme.fonts import tip_of

_MARGIN = 400.0
"""Empty room around the graph, so that its edge can be brought to the middle."""
FAR = 60
"""A move over more steps than this looks at every node."""


class TraceScene(QGraphicsScene):
    """Nodes, edges, frames and dots of one trace; `cards`, `edges`, `frames` are the only places that know the items."""

    laid_out = Signal(bool)
    """All items are new; whether they show another structure (else the same one, folded otherwise)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, NodeItem] = {}
        self.edges: dict[tuple[str, str], EdgeItem] = {}
        self.frames: dict[str, FrameItem] = {}
        self._captions: list[CaptionItem] = []
        self.diagram: Diagram | None = None
        self.groups: Tree | None = None
        """What can be folded; None without a trace, and in one of neurons."""
        self.folded: frozenset[str] = frozenset()
        self.is_folded_by_hand = False
        """Whether the person folded or opened something; else the graph opens as far as it can be read."""
        self.look = Appearance()
        self.travel = Travel(self)
        self.placer = Placer(self)
        self.placer.placed.connect(self._take)
        self._state: TraceState | None = None
        self._drawn: TraceState | None = None
        """The state whose states the items have."""
        self._skeleton: tuple = ()
        self._content = QRectF()
        self._known: Tree | None = None
        """The groups of the structure before, that `folded` was of."""
        self._room: Size = (0.0, 0.0)
        self._unfolding: Unfolding | None = None
        self._is_overview = False
        self.density = 0
        """How much cards show now: a place in DENSITIES."""
        self._is_new = False
        """Whether the items still show another structure, until the present one is laid out."""
        self._neurons: Diagram | None = None
        """The diagram of a trace of neurons; None for one of tensors, whose diagram depends on what is folded."""
        self._scales: CardScales | NeuronScales | None = None

    # --- setters ---

    def set_trace_state(self, state: TraceState | None) -> None:
        """Show this state of the trace; one of another structure as soon as it is laid out."""
        before, self._state = self._state, state
        same_trace = before is not None and state is not None and before.index is state.index
        skeleton = self._skeleton if same_trace else structure.skeleton(state.index.trace) if state else ()
        is_new, self._skeleton = skeleton != self._skeleton, skeleton
        if is_new:
            self._neurons = _neuron_diagram.diagram(state.index) if state and state.index.is_scalar else None
        if not (same_trace and before.sample == state.sample):
            self._rescale()
        if is_new:
            self._is_new = True
            self._known = self.groups or self._known
            self.groups = tree(state.index.trace) if state and not self._neurons else None
            self._is_overview = False
            self._fold(self._first_folds() if self.groups else self.folded)
        self._show(moved=True)
        self._send(moving=same_trace and state.cursor == before.cursor + 1)

    def set_look(self, **changes: Any) -> None:
        """Change something of how the trace is looked at, a field of Appearance. Another selection alone touches only a few nodes."""
        before, self.look = self.look, replace(self.look, **changes)
        if self.look.titles != before.titles:
            for key, frame in self.frames.items():
                frame.set_title(self.title(key))
        if self.look.causes != before.causes:
            self._mark_frames()
        if self.look.tokens != before.tokens:
            self._rescale()
        if replace(self.look, selected=before.selected) != before:
            self._show()
        elif self.is_shown:
            step = self._state.step.node if self._state.step else None
            self._show_cards(self._cards_with({before.selected, self.look.selected, step}))

    def _mark_frames(self) -> None:
        for key, frame in self.frames.items():
            frame.set_causes(self.look.causes.get(self._layer_of(key), ()))

    def _rescale(self) -> None:
        if self._neurons:
            self._scales = NeuronScales(self._state, self._neurons)
        else:
            self._scales = CardScales(self._state, self.look.tokens) if self._state else None

    def set_folded(self, folded: frozenset[str]) -> None:
        """Fold exactly these groups, as the person wants it; the old picture stays until the new one is laid out."""
        self.is_folded_by_hand = True
        self._fold(folded)

    def set_overview(self, overview: bool) -> None:
        """Let cards show less where there is no room to read all of them whole, or no longer."""
        if overview != self._is_overview:
            self._is_overview = overview
            if self._unfolding and (self.density or self.placer.is_busy or not self._has_room()):
                self._fold(self.folded)

    def _has_room(self) -> bool:
        return self._content.width() <= self._room[0] and self._content.height() <= self._room[1]

    def set_room(self, room: QSizeF, refold: bool, anew: bool = False) -> None:
        """Open new graphs as far as they fit in so much room; with `refold` the present one, too, unless it was folded by hand.

        With `anew` the cards of the present one, as it is folded, show as much of themselves as there is room for now.
        """
        before, self._room = self._room, (room.width(), room.height())
        if refold and self._unfolding:
            folded = self.folded if self.is_folded_by_hand else self._unfolding.folds(self._room, self._measure)
            if folded != self.folded or self.density or not self._has_room():  # lines may be of another width now
                self._fold(folded)
        elif anew and self._unfolding and self._is_overview and self._room != before and (self.density or not self._has_room()):
            self._fold(self.folded)

    def _fold(self, folded: frozenset[str]) -> None:
        self.folded = folded
        if self._state is None or self._neurons:
            self._unfolding = None
            self.placer.forget()
        if self._state is None:
            self._clear()
            self._content, self._is_new = QRectF(), False
            self.laid_out.emit(False)
        elif self._neurons:
            self._take(self._neurons, _neuron_diagram.place(self._state.index, self._neurons))
        else:
            diagram = structure.diagram(self.trace, folded, self.groups)
            drawn = self._state, diagram, self._scales, self.look.titles
            self.placer.ask(diagram, [CardSizes(card_sizes(*drawn)), *(smaller_sizes(*drawn) if self._is_overview else ())], self._room)

    # --- what is where ---

    @property
    def trace(self) -> TraceRecord | None:
        """The trace it shows."""
        return self._state.index.trace if self._state else None

    @property
    def is_shown(self) -> bool:
        """Whether the items are those of the present trace; while a large one is laid out they are those of the one before."""
        return self._state is not None and self.diagram is not None and not self._is_new

    @property
    def content(self) -> QRectF:
        """The rectangle around all nodes and frames."""
        return self._content

    @property
    def caption(self) -> str:
        """The ranges of the colour scales; empty without a trace."""
        return _speech.scale_caption(self._scales.limits, self.look.coloring) if self._scales else ""

    @property
    def here(self) -> str:
        """Where the cursor is, in a sentence."""
        return _speech.here(self._state, self._scales.names, self.look.titles) if self._state else _speech.NO_TRACE

    def title(self, group: str) -> str:
        """Return the name of a group."""
        title = self._layer_of(group)
        detail = dict(self.trace.details).get(group) if self.trace else None
        return " · ".join(filter(None, (self.look.title(title), detail)))

    def _layer_of(self, group: str) -> str:
        """What a group is called in the trace: the layer's id, if it is a layer."""
        return self.groups.groups[group].title if self.groups and group in self.groups.groups else group

    def card_of(self, node: int | None) -> NodeItem | None:
        """Return the item that shows a node, alone, in a folded group, or as a neuron's weight or bias."""
        return self.cards.get(self.diagram.card_of.get(node, "")) if self.is_shown and node is not None else None

    def tooltip(self, item: NodeItem | EdgeItem | FrameItem) -> str:
        """Return an item's numbers as text; of a frame what the doctor found in it."""
        if not self.is_shown:
            return ""
        if isinstance(item, FrameItem):
            return tip_of(*item.causes)
        if isinstance(item, NodeItem):
            return self._scales.tooltip(self._state, item.card, self.look)
        return self._scales.edge_tooltip(self._state, item.edge, self.look) if isinstance(self._scales, NeuronScales) else ""

    # --- inside ---

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
        return extent(diagram, card_sizes(self._state, diagram, self._scales, self.look.titles), self._room[0] or math.inf)

    def _clear(self) -> None:
        self.travel.clear()
        self.clear()
        self.cards, self.edges, self.frames, self._captions, self.diagram, self._drawn = {}, {}, {}, [], None, None

    def _take(self, diagram: Diagram, placement: Placement) -> None:
        """Put the items of a new layout in place of the present ones."""
        self._clear()
        self.diagram, self.density = diagram, placement.density
        self._make_items(diagram, placement)
        for item in (*self.frames.values(), *self._captions, *self.edges.values(), *self.cards.values()):
            self.addItem(item)
        self._content = self.itemsBoundingRect()
        self.setSceneRect(self._content.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN))
        is_new, self._is_new = self._is_new, False
        self._show()
        self._send(moving=False)
        self.laid_out.emit(is_new)

    def _make_items(self, diagram: Diagram, placement: Placement) -> None:
        neurons = diagram is self._neurons
        self.frames = {
            key: FrameItem(key, self.title(key), box, depth, can_fold=not neurons, is_bare=bool(placement.density))
            for depth, (key, box) in enumerate(placement.frames.items())
        }
        self._mark_frames()
        self._captions = [CaptionItem(self._column_name(tensor), middle) for tensor, middle in placement.captions.items()]
        self.edges = {
            ends: EdgeItem(edge, placement.curves[ends], paint_link if neurons else paint_edge, is_link=neurons)
            for edge in diagram.edges
            if (ends := (edge.source, edge.target))
        }
        boxes = placement.cards
        named_below = {source for source, target in self.edges if neurons and boxes[source][0] == boxes[target][0]}
        self.cards = {
            key: NodeItem(
                diagram.cards[key],
                CircleFace(box, placement.is_roomy, key in named_below) if neurons else CardFace(box, placement.density),
            )
            for key, box in boxes.items()
        }

    def _column_name(self, tensor: int) -> str:
        node = self._state.index.whole.node(tensor)
        return names.name(node) if node.inputs else self.look.title(node.label)

    def _show(self, moved: bool = False) -> None:
        """Give nodes and edges their present states: after a move of the cursor only those that the steps in between touch."""
        if not self.is_shown:
            return
        nodes = touched(self._drawn, self._state) if moved else None
        self._drawn = self._state
        self._show_cards(self.cards if nodes is None else self._cards_with(nodes))

    def _cards_with(self, nodes: Iterable[int | None]) -> set[str]:
        return set().union(*(self.diagram.cards_with.get(node, ()) for node in nodes if node is not None))

    def _show_cards(self, keys: Iterable[str]) -> None:
        edges: set[Edge] = set()
        for key in keys:
            self.cards[key].set_state(self._scales.node_state(self._state, self.diagram.cards[key], self.look))
            edges.update(self.diagram.edges_at.get(key, ()))
        for edge in edges:
            self.edges[edge.source, edge.target].set_edge_state(self._scales.edge_state(self._state, edge, self.look))

    def _send(self, moving: bool) -> None:
        """Put a dot on every edge the present step sends a gradient along."""
        here = self._state.step.node if self.is_shown and self._state.step else -1
        edges = self.diagram.edges_at.get(self.diagram.card_of.get(here, ""), ()) if self.is_shown else ()
        sent = [self.edges[edge.source, edge.target] for edge in edges if states.is_travelling(self._state, edge)]
        self.travel.send(sent, moving)


def touched(before: TraceState | None, now: TraceState) -> frozenset[int] | None:
    """Return the nodes that the steps between two moments make, read, send gradients to or update; None for all.

    In another phase, for another row or in another trace all may look different.
    """
    if before is None or before.index is not now.index or before.sample != now.sample or before.phase != now.phase:
        return None
    low, high = sorted((before.cursor, now.cursor))
    if low == 0 or high - low > FAR:  # the first step lays out all that no operation makes
        return None
    nodes: set[int] = set()
    for step in now.index.trace.steps[max(0, low - 1) : high]:
        for id in (step.node, *step.others):
            if id >= 0:
                node = now.index.node(id)
                nodes |= {id, *node.inputs, *node.reads}
    return frozenset(nodes)
