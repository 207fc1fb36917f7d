"""The scene of a trace of neurons: owns every circle and link, places them once per structure, and then touches only what changed."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QObject, QPointF, QRectF, Signal
from PySide6.QtWidgets import QGraphicsScene

from nnviz.records.trace_record import TraceRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names
from nnviz.ui.graph import neuron_states, neuron_tips, speech, structure, units
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.neuron_items import CaptionItem, NeuronItem, NeuronLinkItem
from nnviz.ui.graph.strips import Limits
from nnviz.ui.graph.structure import NodeCard
from nnviz.ui.graph.travel import Travel

_MARGIN = 400.0
_TWO_LINES = 66.0
"""Circles that stand so far apart have room for a weight and its gradient on every link of the one looked at."""
_BOW = 46.0
"""How far a link that passes over other columns swings up for each of them."""


class NeuronScene(QGraphicsScene):
    """Circles, links and captions of one trace; `circles` and `links` are the only places that know the items."""

    laid_out = Signal(bool)
    """All items are new: another structure is shown."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.circles: dict[int, NeuronItem] = {}
        self.links: dict[units.NeuronLink, NeuronLinkItem] = {}
        self.frames: dict[str, CaptionItem] = {}
        self.captions: list[CaptionItem] = []
        self.units: units.Units | None = None
        self.travel = Travel(self)
        self._content = QRectF()
        self._state: TraceState | None = None
        self._skeleton: tuple = ()
        self._scale: neuron_states.ColorScale | None = None
        self._labelled: frozenset[units.NeuronLink] = frozenset()
        self._look = Appearance()
        self._lines = 2
        """How many lines of numbers a link of the neuron looked at has room for."""
        self._roomy = True

    # --- setters ---

    def set_trace_state(self, state: TraceState | None) -> None:
        """Show this moment of a trace of neurons."""
        before, self._state = self._state, state
        same_trace = before is not None and state is not None and before.index is state.index
        skeleton = self._skeleton if same_trace else structure.skeleton(state.index.trace) if state else ()
        rebuilt, self._skeleton = skeleton != self._skeleton, skeleton
        if rebuilt:
            self._rebuild()
        if state and not (same_trace and before.sample == state.sample):
            self._scale = neuron_states.scale(state, self.units)
        self._show()
        self._send(moving=same_trace and state.cursor == before.cursor + 1)
        if rebuilt and state:
            self.laid_out.emit(True)

    def set_look(self, look: Appearance) -> None:
        """Be looked at in this way."""
        before, self._look = self._look, look
        for layer, frame in self.frames.items():
            frame.set_text(self._title(layer))
        if look != before:
            self._show()

    # --- what is where ---

    @property
    def cards(self) -> dict[str, NeuronItem]:
        """The circles by their keys, as the scene of cards has them."""
        return {item.key: item for item in self.circles.values()}

    @property
    def trace(self) -> TraceRecord | None:
        """The trace it shows."""
        return self._state.index.trace if self._state else None

    @property
    def content(self) -> QRectF:
        """The rectangle around everything."""
        return self._content

    @property
    def limits(self) -> Limits | None:
        """The colour scales in use; None without a trace."""
        return self._scale.limits if self._scale and self._state else None

    @property
    def here(self) -> str:
        """Where the cursor is, in a sentence."""
        return speech.here(self._state, self._scale.names, self._look.titles) if self._state else speech.NO_TRACE

    def circle(self, item: NeuronItem) -> NodeCard:
        """Return what a circle stands for: a neuron, its weights and its bias."""
        node = next(id for id, other in self.circles.items() if other is item)
        return NodeCard(item.key, self.units.parts(node), node, block=structure.ROOT)

    def card_of(self, node: int | None) -> NeuronItem | None:
        """Return the circle that shows a neuron, weight or bias."""
        return self.circles.get(self.units.circle_of.get(node, -1)) if self.units and node is not None else None

    def tooltip(self, item: NeuronItem | NeuronLinkItem) -> str:
        """Return an item's numbers as text."""
        if self._state is None:
            return ""
        if isinstance(item, NeuronLinkItem):
            return neuron_tips.link(self._state, self.units, self._scale, item.link, self._look.titles)
        return neuron_tips.circle(self._state, self.units, self._scale, self.circle(item).shown, self._look)

    # --- inside ---

    def _rebuild(self) -> None:
        self.travel.clear()
        self.clear()
        self._content = QRectF()
        self.circles, self.links, self.frames, self.captions, self.units, self._scale = {}, {}, {}, [], None, None
        if self._state is None:
            return
        index = self._state.index
        self.units = units.units(index)
        self._labelled = units.labelled(index, self.units)
        places = units.places(index, self.units)
        roomy = self._roomy = places.pitch >= units.ROOMY
        self._lines = 2 if places.pitch >= _TWO_LINES else 1
        lifted = {source for source, target in self.units.links if places.centres[source][0] == places.centres[target][0]}
        self.circles = {
            id: NeuronItem(f"node {id}", QPointF(*centre), places.diameter, roomy, id in lifted) for id, centre in places.centres.items()
        }
        columns = sorted({x for x, _ in places.centres.values()})
        self.links = {link: self._link(link, columns) for link in self.units.links}
        self.frames = {layer: CaptionItem(self._title(layer), QRectF(*box), True) for layer, box in places.frames.items()}
        self.captions = [self._caption(tensor, place) for tensor, place in places.captions.items()]
        for item in (*self.frames.values(), *self.captions, *self.links.values(), *self.circles.values()):
            self.addItem(item)
        self._content = self.itemsBoundingRect()
        self.setSceneRect(self._content.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN))

    def _link(self, link: units.NeuronLink, columns: list[float]) -> NeuronLinkItem:
        source, target = (self.circles[end] for end in link)
        way = QLineF(source.pos(), target.pos())
        passed = columns.index(target.x()) - columns.index(source.x()) - 1
        unit = way.unitVector()
        reach = QPointF(unit.dx(), unit.dy()) * (source.radius + 1)
        return NeuronLinkItem(link, source.pos() + reach, target.pos() - reach, _BOW * max(0, passed))

    def _caption(self, tensor: int, place: tuple[float, float]) -> CaptionItem:
        node = self._state.index.whole.node(tensor)
        text = names.name(node) if node.inputs else self._look.title(node.label)
        return CaptionItem(text, QRectF(place[0] - 45, place[1] - 8, 90, 14), False)

    def _title(self, layer: str) -> str:
        """The name of a layer, and its detail where it has one of its own."""
        detail = dict(self.trace.details).get(layer) if self.trace else None
        return " · ".join(filter(None, (self._look.title(layer), detail)))

    def _show(self) -> None:
        """Give every item its present state; those it is new to repaint themselves."""
        state = self._state
        if state is None or self.units is None:
            return
        focus = self._focus(state)
        for id, item in self.circles.items():
            item.set_state(neuron_states.neuron_state(state, self.units, self._scale, id, self._look))
        for link, item in self.links.items():
            lines = self._lines if link[1] == focus else (2 if self._roomy else 1) * (link in self._labelled)
            if item.set_state(neuron_states.link_state(state, self.units, self._scale, link, self._look, focus, lines)):
                item.setZValue(1.6 if item.state.active else 1.4 if item.state.labels else 1)

    def _focus(self, state: TraceState) -> int | None:
        """The circle looked at: the selected one, else the cursor's."""
        node = self._look.selected if self._look.selected is not None else state.step.node if state.step else None
        return self.units.circle_of.get(node) if node is not None else None

    def _send(self, moving: bool) -> None:
        """Put a dot on every link the present step sends a gradient along."""
        state = self._state
        here = state.step.node if state and state.step and state.phase == "backward" and self.units else None
        sent = [item for (source, target), item in self.links.items() if target == here and self.links[source, target].state.returned]
        self.travel.send(sent, moving)
