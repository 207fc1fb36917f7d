"""The scene of the computational graph: owns every item, lays out once per structure, and on a cursor move touches only what changed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, QRectF
from PySide6.QtWidgets import QGraphicsScene

from nnviz.session.moment import Moment
from nnviz.ui.graph import naming, speech, states, structure
from nnviz.ui.graph.items import CardItem, FrameItem, WireItem, card_size
from nnviz.ui.graph.layout import place
from nnviz.ui.graph.strips import Limits, value_strip
from nnviz.ui.graph.structure import Diagram
from nnviz.ui.graph.travel import Travel
from nnviz.ui.theme import LIGHT, Theme

_MARGIN = 400.0
"""Empty room around the graph, so that its edge can be brought to the middle."""


class GraphScene(QGraphicsScene):
    """Cards, frames, wires and dots of one trace; `cards`, `wires`, `frames` are the only places that know the items."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, CardItem] = {}
        self.wires: dict[tuple[str, str], WireItem] = {}
        self.frames: dict[str, FrameItem] = {}
        self.diagram: Diagram | None = None
        self.folded: frozenset[str] = frozenset()
        self.travel = Travel(self)
        self._moment: Moment | None = None
        self._skeleton: tuple = ()
        self._scales: states.Scales | None = None
        self._theme: Theme = LIGHT
        self._titles: dict[str, str] = {}
        self._selected: int | None = None
        self._breakpoints: dict[int, bool] = {}
        self._coloring = "value"

    # --- setters ---

    def set_moment(self, moment: Moment | None) -> bool:
        """Show this moment; returns whether the structure changed and everything was laid out anew."""
        before, self._moment = self._moment, moment
        same_trace = before is not None and moment is not None and before.reading is moment.reading
        skeleton = self._skeleton if same_trace else structure.skeleton(moment.reading.trace) if moment else ()
        rebuilt, self._skeleton = skeleton != self._skeleton, skeleton
        if moment and not (same_trace and before.sample == moment.sample):
            self._scales = states.scales(moment)
        if rebuilt:
            self.folded = _first_folds(moment)
            self._rebuild()
        self._show()
        self._send(moving=before is not None and moment is not None and moment.cursor == before.cursor + 1)
        return rebuilt

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme."""
        self._theme = theme
        for item in (*self.cards.values(), *self.wires.values(), *self.frames.values()):
            item.set_theme(theme)
        self._send(moving=False)

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Write these names instead of the layers' ids."""
        self._titles = dict(titles)
        for key, frame in self.frames.items():
            frame.set_title(self.title(key))
        self._show()

    def set_selected(self, node: int | None) -> None:
        """Mark the card of this node."""
        if node != self._selected:
            self._selected = node
            self._show()

    def set_breakpoints(self, breakpoints: Mapping[int, bool]) -> None:
        """Mark these nodes with a diamond, filled where the breakpoint is on."""
        if breakpoints != self._breakpoints:
            self._breakpoints = dict(breakpoints)
            self._show()

    def set_coloring(self, coloring: str) -> None:
        """Let colours and widths tell values, gradients, contributions or updates."""
        self._coloring = coloring
        self._show()

    def set_folded(self, folded: frozenset[str]) -> None:
        """Fold exactly these groups."""
        self.folded = folded
        self._rebuild()
        self._show()
        self._send(moving=False)

    # --- what is where ---

    @property
    def content(self) -> QRectF:
        """The rectangle around all cards and frames."""
        return self.itemsBoundingRect()

    @property
    def limits(self) -> Limits | None:
        """The colour scales in use; None without a trace."""
        return self._scales.limits if self._scales and self._moment else None

    @property
    def here(self) -> str:
        """Where the cursor is, in a sentence."""
        return speech.here(self._moment, self._scales.names, self._titles) if self._moment else speech.NO_TRACE

    def title(self, block: str) -> str:
        """Return the name of a group."""
        title = self.diagram.titles.get(block, block) if self.diagram else block
        return self._titles.get(title, title)

    def card_of(self, node: int | None) -> CardItem | None:
        """Return the card that shows a node, alone or in a folded group."""
        return self.cards.get(self.diagram.card_of.get(node, "")) if self.diagram and node is not None else None

    def tooltip(self, card: CardItem) -> str:
        """Return a card's numbers as text."""
        return states.tooltip(self._moment, self.diagram.cards[card.key], self._scales, self._titles) if self._moment else ""

    # --- inside ---

    def _rebuild(self) -> None:
        self.travel.clear()
        self.clear()
        self.cards, self.wires, self.frames, self.diagram = {}, {}, {}, None
        if self._moment is None:
            return
        self.diagram = structure.diagram(self._moment.reading.trace, self.folded)
        placement = place(self.diagram, self._sizes(self._moment, self.diagram))
        shown = {key: box for key, box in placement.frames.items() if key not in self.folded}
        self.frames = {key: FrameItem(key, self.title(key), box, self._theme) for key, box in shown.items()}
        self.wires = {ends: WireItem(*ends, curve, self._theme) for ends, curve in placement.curves.items()}
        self.cards = {key: CardItem(key, box, self._theme) for key, box in placement.cards.items()}
        for item in (*self.frames.values(), *self.wires.values(), *self.cards.values()):
            self.addItem(item)
        self.setSceneRect(self.content.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN))

    def _sizes(self, moment: Moment, diagram: Diagram) -> dict[str, tuple[float, float]]:
        sizes = {}
        for key, card in diagram.cards.items():
            node = moment.reading.node(card.shown)
            texts = (
                (self.title(card.block), f"{len(card.nodes)} nodes") if card.folded else (self._scales.names[node.id], naming.note(node))
            )
            sizes[key] = card_size(*texts, value_strip(moment, node))
        return sizes

    def _show(self) -> None:
        """Give every card and wire its present state; those it is new to repaint themselves."""
        if self._moment is None or self.diagram is None:
            return
        titles = {key: self.title(key) for key in self.folded}
        for key, item in self.cards.items():
            item.set_state(
                states.card_state(
                    self._moment, self.diagram.cards[key], self._scales, titles, self._selected, self._breakpoints, self._coloring
                )
            )
        for wire in self.diagram.wires:
            self.wires[wire.source, wire.target].set_state(states.wire_state(self._moment, wire, self._scales, self._coloring))

    def _send(self, moving: bool) -> None:
        """Put a dot on every wire the present step sends a gradient along."""
        wires = self.diagram.wires if self.diagram and self._moment else ()
        sent = [self.wires[wire.source, wire.target] for wire in wires if states.travelling(self._moment, wire)]
        self.travel.send(sent, self._theme, moving)


def _first_folds(moment: Moment | None) -> frozenset[str]:
    """Large graphs open with every layer folded."""
    large = moment is not None and len(moment.reading.trace.nodes) > structure.FOLD_ABOVE
    return structure.block_keys(moment.reading.trace) if large else frozenset()
