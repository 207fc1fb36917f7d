"""The scene of the computational graph: owns every item, lays out once per structure, and on a cursor move touches only what changed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEasingCurve, QObject, QPointF, QRectF, QVariantAnimation
from PySide6.QtWidgets import QGraphicsScene

from nnviz.session.moment import Moment
from nnviz.ui.graph import naming, speech, states, structure
from nnviz.ui.graph.items import CardItem, DotItem, FrameItem, WireItem, card_size
from nnviz.ui.graph.layout import place
from nnviz.ui.graph.structure import Card, Diagram
from nnviz.ui.theme import LIGHT, Theme

TRAVEL = 240
"""Milliseconds a gradient takes along a wire."""
_REST = 0.5
_MARGIN = 400.0


class GraphScene(QGraphicsScene):
    """Cards, frames, wires and travelling dots of one trace; `cards`, `wires`, `frames` are the only places that know the items."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, CardItem] = {}
        self.wires: dict[tuple[str, str], WireItem] = {}
        self.frames: dict[str, FrameItem] = {}
        self.diagram: Diagram | None = None
        self.folded: frozenset[str] = frozenset()
        self._dots: list[tuple[DotItem, WireItem]] = []
        self._moment: Moment | None = None
        self._skeleton: tuple = ()
        self._scales: states.Scales | None = None
        self._theme, self._titles, self._selected, self._coloring, self._animated = LIGHT, {}, None, "gradient", True
        self._travel = QVariantAnimation(self, startValue=1.0, endValue=_REST, duration=TRAVEL, easingCurve=QEasingCurve.Type.OutCubic)
        self._travel.valueChanged.connect(self._place_dots)

    # --- setters ---

    def set_moment(self, moment: Moment | None) -> bool:
        """Show this moment; returns whether the structure changed and everything was laid out anew."""
        before, self._moment = self._moment, moment
        skeleton = structure.skeleton(moment.reading.trace) if moment else ()
        rebuilt = skeleton != self._skeleton if before is None or moment is None or before.reading is not moment.reading else False
        self._skeleton = skeleton if rebuilt else self._skeleton
        if moment and (before is None or before.reading is not moment.reading or before.sample != moment.sample):
            self._scales = states.scales(moment)
        if rebuilt:
            self.folded = self._first_folds(moment)
            self._rebuild()
        self._show(forward=before is not None and moment is not None and moment.cursor == before.cursor + 1)
        return rebuilt

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme."""
        self._theme = theme
        for item in (*self.cards.values(), *self.wires.values(), *self.frames.values()):
            item.set_theme(theme)
        self._put_dots(forward=False)

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Write these names instead of the layers' ids."""
        self._titles = dict(titles)
        for key, frame in self.frames.items():
            frame.set_title(self.title(key))
        self._show(forward=False)

    def set_selected(self, node: int | None) -> None:
        """Mark the card of this node."""
        self._selected = node
        self._show(forward=False)

    def set_coloring(self, coloring: str) -> None:
        """Let the width of wires tell the size of values ("value") or of gradients ("gradient")."""
        self._coloring = coloring
        self._show(forward=False)

    def set_animated(self, animated: bool) -> None:
        """Let gradients travel, or put them in place at once."""
        self._animated = animated
        self._travel.stop()
        self._place_dots(_REST)

    def set_folded(self, folded: frozenset[str]) -> None:
        """Fold exactly these groups."""
        self.folded = folded
        self._rebuild()
        self._show(forward=False)

    # --- what is where ---

    def title(self, block: str) -> str:
        """Return the name of a group."""
        title = self.diagram.titles.get(block, block) if self.diagram else block
        return self._titles.get(title, title)

    def limits(self) -> states.Limits | None:
        """Return the colour scales in use; None without a trace."""
        return self._scales.limits if self._scales and self._moment else None

    def here(self) -> str:
        """Return where the cursor is, in a sentence."""
        return speech.here(self._moment, self._scales.names, self._titles) if self._moment else "There is no trace yet."

    def card_of(self, node: int | None) -> CardItem | None:
        """Return the card that shows a node, alone or in a folded group."""
        return self.cards.get(self.diagram.card_of.get(node, "")) if self.diagram and node is not None else None

    def tooltip(self, card: CardItem) -> str:
        """Return a card's numbers as text."""
        return states.tooltip(self._moment, self.diagram.cards[card.key], self._scales, self._titles) if self._moment else ""

    # --- inside ---

    def _first_folds(self, moment: Moment | None) -> frozenset[str]:
        large = moment is not None and len(moment.reading.trace.nodes) > structure.FOLD_ABOVE
        return structure.block_keys(moment.reading.trace) if large else frozenset()

    def _rebuild(self) -> None:
        self._travel.stop()
        self._dots = []
        self.clear()
        self.cards, self.wires, self.frames, self.diagram = {}, {}, {}, None
        if self._moment is None:
            return
        self.diagram = structure.diagram(self._moment.reading.trace, self.folded)
        placement = place(self.diagram, {key: self._size(card) for key, card in self.diagram.cards.items()})
        self.frames = {key: FrameItem(key, self.title(key), box, self._theme) for key, box in placement.frames.items() if key not in self.folded}
        self.wires = {ends: WireItem(*ends, curve, self._theme) for ends, curve in placement.curves.items()}
        self.cards = {key: CardItem(key, box, self._theme) for key, box in placement.cards.items()}
        for item in (*self.frames.values(), *self.wires.values(), *self.cards.values()):
            self.addItem(item)
        self.setSceneRect(self.content().adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN))

    def content(self) -> QRectF:
        """Return the rectangle around all cards and frames."""
        return self.itemsBoundingRect()

    def _size(self, card: Card) -> tuple[float, float]:
        node = self._moment.reading.node(card.shown)
        if card.folded:
            return card_size(self.title(card.block), f"{len(card.nodes)} nodes")
        return card_size(self._scales.names[node.id], naming.note(node))

    def _show(self, forward: bool) -> None:
        if self._moment is None or self.diagram is None:
            return
        titles = {key: self.title(key) for key in self.folded}
        for key, item in self.cards.items():
            item.set_state(states.card_state(self._moment, self.diagram.cards[key], self._scales, titles, self._selected))
        for wire in self.diagram.wires:
            self.wires[wire.source, wire.target].set_state(states.wire_state(self._moment, wire, self._scales, self._coloring))
        self._put_dots(forward)

    def _put_dots(self, forward: bool) -> None:
        """Put a dot on every wire the present step sends a gradient along; a step forward lets it travel there."""
        self._travel.stop()
        for dot, _ in self._dots:
            self.removeItem(dot)
        self._dots = []
        if self._moment is None or self.diagram is None:
            return
        for wire in self.diagram.wires:
            if states.travelling(self._moment, wire):
                self._dots.append((DotItem(self._theme), self.wires[wire.source, wire.target]))
                self.addItem(self._dots[-1][0])
        moving = bool(self._dots) and forward and self._animated
        self._place_dots(1.0 if moving else _REST)
        if moving:
            self._travel.start()

    def _place_dots(self, share: float) -> None:
        for dot, wire in self._dots:
            dot.setPos(QPointF(wire.point(share)))
