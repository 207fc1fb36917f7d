"""What a person folds and opens in the graph: one group, all of them, one of several equal ones. It draws nothing."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QObject, Signal

from nnviz.ui.graph import structure
from nnviz.ui.graph.structure import ROOT, NodeCard
from nnviz.ui.graph.trace_scene import TraceScene


class Folds(QObject):
    """The folds of one scene."""

    changed = Signal(object)
    """The keys of all folded groups, as a frozenset."""

    def __init__(self, scene: TraceScene) -> None:
        super().__init__(scene)
        self._scene = scene

    def card(self, node: int) -> NodeCard | None:
        """Return the card of the folded group that a node is in; None where it is not folded away."""
        card = self._card_of(node)
        return card if card and card.folded else None

    def around(self, node: int) -> tuple[int, ...]:
        """Return the nodes of the innermost open group around a node's card; of the card itself where it stands in none."""
        card = self._card_of(node)
        return (self._scene.diagram.around(node) or (card.nodes if card.folded else ())) if card else ()

    def _card_of(self, node: int) -> NodeCard | None:
        diagram = self._scene.diagram
        return diagram.cards.get(diagram.card_of.get(node, "")) if diagram else None

    def set(self, folded: frozenset[str]) -> None:
        """Fold exactly these groups."""
        if folded != self._scene.folded and self._scene.groups is not None:
            self._scene.set_folded(folded)
            self.changed.emit(folded)

    def fold(self, key: str) -> None:
        """Fold a group to one card, equal ones together."""
        self.set(structure.closed(self._scene.groups, self._scene.folded, key))

    def fold_around(self, node: int) -> None:
        """Fold the innermost open group around a node's card."""
        card = self._card_of(node)
        if card and card.home != ROOT:
            self.fold(card.home)

    def fold_whole(self, node: int, members: Collection[int]) -> None:
        """Fold the largest group around a node that has no others than these in it."""
        if self._scene.groups is None:
            return
        path = self._scene.groups.path(node)
        key = next((key for key in path if members >= set(self._scene.groups.groups[key].chain)), None)
        if key is not None:
            self.set(self._scene.folded - set(path) | {key})

    def open(self, card: NodeCard) -> None:
        """Open a folded group by one level: equal ones become a card each."""
        is_group = card.block in self._scene.groups.groups
        self.set(self._scene.folded - {card.block if is_group else card.home})

    def open_fully(self, card: NodeCard) -> None:
        """Open every one of the equal groups in a card."""
        self.open(card)
        self.set(self._scene.folded - set(card.groups))

    def open_one(self, key: str) -> None:
        """Open one group; those equal to it stay folded."""
        self.set(self._scene.folded - {key})

    def enter(self, card: NodeCard, node: int) -> None:
        """Open by one level what a card has folded around a node; of equal groups only the one the node is in."""
        path = self._scene.groups.path(node)
        self.set(self._scene.folded - {next((key for key in card.groups if key in path), card.block)})

    def show(self, node: int) -> None:
        """Open all that hides a node; of equal groups only the ones around it."""
        if self._scene.groups is not None:
            self.set(structure.opened(self._scene.groups, self._scene.folded, node))

    def fold_all(self) -> None:
        """Fold every group, but not the only one of all."""
        if self._scene.groups is not None:
            self.set(structure.first_folds(self._scene.groups, structure.FOLD_ABOVE + 1))

    def open_all(self) -> None:
        """Open every group."""
        self.set(frozenset())
