"""How far a graph opens by itself: as far as its cards can be read in the panel. Pure arithmetic; it places nothing and draws nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from nnviz.ui.graph.grouping import NodeGroup, Tree
from nnviz.ui.graph.layout import COLUMN_GAP, HEAD, PADDING, ROW_GAP, STACK_GAP, Size, links_by_block
from nnviz.ui.graph.structure import ROOT, Diagram, NodeCard
from nnviz.ui.widgets import layered_order

Extent = tuple[float, float, float]
"""Width; height above the axis and below it."""


class Unfolding:
    """What one graph opens with in rooms of different sizes. Each way of folding it is measured once."""

    def __init__(self, groups: Tree, folded: frozenset[str]) -> None:
        """`folded`: what is folded where there is no room."""
        self._groups, self._folded = groups, folded
        self._sizes: dict[frozenset[str], Size] = {}

    def folds(self, room: Size, measure: Callable[[frozenset[str]], Size]) -> frozenset[str]:
        """Return what stays folded when groups open as long as all still fits: outer before inner ones, large before small.

        Equal parts stay one card, "× 12". Where not even the folded graph fits, nothing opens. `measure`: its size when this is folded.
        """

        def fits(folded: frozenset[str]) -> bool:
            if folded not in self._sizes:
                self._sizes[folded] = measure(folded)
            width, height = self._sizes[folded]
            return width <= room[0] and height <= room[1]

        folded = self._folded
        level = list(_outermost(self._groups.root, folded)) if folded and fits(folded) else []
        while level:
            deeper: list[NodeGroup] = []
            for group in sorted(level, key=lambda group: -len(group.chain)):
                if not group.repeats and fits(folded - {group.key}):
                    folded -= {group.key}
                    deeper += group.groups
            level = deeper
        return folded


def _outermost(group: NodeGroup, folded: frozenset[str]) -> Iterator[NodeGroup]:
    for part in group.groups:
        if part.key in folded:
            yield part
        else:
            yield from _outermost(part, folded)


def extent(diagram: Diagram, sizes: Mapping[str, Size]) -> Size:
    """Return how wide and high a diagram will be, but for wires that lead around its cards."""
    width, up, down = _Measuring(diagram, sizes).block(ROOT)
    return width, up + down


class _Measuring:
    def __init__(self, diagram: Diagram, sizes: Mapping[str, Size]) -> None:
        self._diagram, self._sizes = diagram, sizes
        self._links = links_by_block(diagram)
        self._beside: dict[str, list[NodeCard]] = defaultdict(list)
        for card in diagram.cards.values():
            if card.owner:
                self._beside[card.owner].append(card)

    def block(self, key: str) -> Extent:
        """Return the extent of an open group with its frame."""
        columns: dict[int, list[Extent]] = defaultdict(list)
        for part, column in layered_order.columns(self._diagram.blocks[key].parts, self._links.get(key, set())).items():
            columns[column].append(self._part(part))
        width = sum(max(part[0] for part in parts) for parts in columns.values()) + COLUMN_GAP * (len(columns) - 1)
        heights = [_stacked(parts) for parts in columns.values()]
        up, down = max((up for up, _ in heights), default=0.0), max((down for _, down in heights), default=0.0)
        return (width, up, down) if key == ROOT else (width + 2 * PADDING, up + HEAD + PADDING // 2, down + PADDING)

    def _part(self, key: str) -> Extent:
        """A main part with what stands above and below it: in a row each at a block, one on the other at a card."""
        beside = [[self._sizes[card.key] for card in self._beside.get(key, ()) if card.above is above] for above in (True, False)]
        if key not in self._diagram.blocks:
            width, height = self._sizes[key]
            widest = max((size[0] for size in (*beside[0], *beside[1])), default=0.0)
            return max(width, widest), *(height / 2 + sum(size[1] + ROW_GAP for size in row) for row in beside)
        width, up, down = self.block(key)
        rows = [(sum(size[0] + ROW_GAP for size in row) - ROW_GAP, max((size[1] + ROW_GAP for size in row), default=0.0)) for row in beside]
        return max(width, *(row[0] for row in rows)), up + rows[0][1], down + rows[1][1]


def _stacked(parts: Sequence[Extent]) -> tuple[float, float]:
    """Heights above and below the axis of parts that stand below each other in one column."""
    if len(parts) == 1:
        return parts[0][1:]
    half = (sum(up + down for _, up, down in parts) + STACK_GAP * (len(parts) - 1)) / 2
    return half, half
