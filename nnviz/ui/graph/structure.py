"""What of a trace the graph shows as cards, edges and groups, some of them folded. Pure; it knows no numbers, places or widgets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from nnviz.records.trace_record import TraceRecord
from nnviz.ui.graph.grouping import NodeGroup, Tree, tree

FOLD_ABOVE = 60
"""A graph of more nodes than this opens with every group folded."""
ROOT = ""
"""Key of the block that holds everything and has no frame."""


@dataclass(frozen=True)
class NodeCard:
    """One card: a node, or one or several folded groups. Main cards form the chain; the others stand above or below something of it."""

    key: str
    nodes: tuple[int, ...]
    shown: int
    """The node whose numbers the card shows: for a folded group the last one whose value others use."""
    block: str
    """The block it stands in; for a folded group its own key."""
    home: str = ROOT
    """The block it stands in."""
    folded: bool = False
    groups: tuple[str, ...] = ()
    """Keys of the groups that are folded in it: one, or several of equal structure."""
    title: str = ""
    """Its name where that is not the node's."""
    bias: int | None = None
    """For a neuron the bias it adds."""
    owner: str = ""
    """For a card beside the chain: the main card or block it belongs to."""
    above: bool = False


@dataclass(frozen=True)
class Block:
    """An open group and its main parts in forward order: keys of cards and of blocks."""

    key: str
    title: str
    parent: str
    parts: tuple[str, ...]
    nodes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Edge:
    """All uses of one card's values by another."""

    source: str
    target: str
    edges: tuple[tuple[int, int], ...]
    """(source node, target node) of every edge behind it."""
    weight: int | None = None
    """Between neurons: the weight it multiplies by."""
    lines: tuple[int, int] = (0, 0)
    """Between neurons: how many lines of numbers it has room for, and how many where its target is looked at."""


@dataclass(frozen=True)
class Diagram:
    """Cards, edges and open groups, the root among them, each before those inside it."""

    cards: dict[str, NodeCard]
    edges: tuple[Edge, ...]
    blocks: dict[str, Block]
    card_of: dict[int, str]
    """For each node the card that shows it; for a weight or bias of neurons the first of those that use it."""

    @cached_property
    def edges_at(self) -> dict[str, list[Edge]]:
        """For each card the edges that begin or end there."""
        found: dict[str, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            found[edge.source].append(edge)
            found[edge.target].append(edge)
        return found

    @cached_property
    def cards_with(self) -> dict[int, set[str]]:
        """For each node all cards that show something of it, at themselves or on an edge that ends there."""
        parts = [(node, card.key) for card in self.cards.values() for node in (*card.nodes, card.bias)]
        found: dict[int, set[str]] = defaultdict(set)
        for node, key in (*parts, *((edge.weight, edge.target) for edge in self.edges)):
            if node is not None:
                found[node].add(key)
        return found

    def place_of(self, card: NodeCard) -> int:
        """Return where a card stands in forward order, by the first node of it or of what it stands beside."""
        around = self.blocks.get(card.owner) if card.owner else None
        return min(around.nodes if around else self.cards[card.owner or card.key].nodes)

    def around(self, node: int) -> tuple[int, ...]:
        """Return the nodes of the innermost open group that a node's card stands in; none where it stands in no group."""
        card = self.cards.get(self.card_of.get(node, ""))
        return self.blocks[card.home].nodes if card and card.home != ROOT else ()


def skeleton(trace: TraceRecord) -> tuple:
    """Return what two traces must share to be drawn in the same places: kinds, names, groups and edges, but no numbers and no shapes."""
    return (trace.whole is None, *((node.kind, node.label, node.group, node.inputs) for node in trace.nodes))


def diagram(trace: TraceRecord, folded: frozenset[str] = frozenset(), groups: Tree | None = None) -> Diagram:
    """Return what is to be drawn, with these groups (by key) folded to one card each. `groups`: the trace's tree, if it is known."""
    drawing = _Drawing(trace, groups or tree(trace), folded)
    drawing.draw(drawing.tree.root, "")
    drawing.draw_beside()
    card_of = {node: card.key for card in drawing.cards.values() for node in card.nodes}
    blocks = dict(sorted(drawing.blocks.items(), key=lambda item: drawing.depths[item[0]]))
    return Diagram(drawing.cards, _edges(trace, card_of), blocks, card_of)


def first_folds(groups: Tree, count: int) -> frozenset[str]:
    """Return what is folded in a graph of so many nodes that nobody has touched: all groups of a large one, but not its only one."""
    if count <= FOLD_ABOVE:
        return frozenset()
    folded, here = set(groups.groups), groups.root
    while len(here.groups) == 1 and not here.groups[0].repeats:
        here = here.groups[0]
        folded.discard(here.key)
    return frozenset(folded)


def have_same_layers(one: Tree, other: Tree) -> bool:
    """Return whether two graphs are of the same layers, perhaps at another detail."""
    return [group.title for group in one.root.groups] == [group.title for group in other.root.groups]


def kept_folds(known: Tree, folded: frozenset[str], groups: Tree, first: frozenset[str]) -> frozenset[str]:
    """Return what is folded in another graph of the same layers, such as one of another detail: as before, and what is new as at first."""
    return frozenset(key for key in groups.groups if key in (folded if key in known.groups else first))


def module_path(trace: TraceRecord, group: NodeGroup) -> str:
    """Return the path of groups that a module of its own stands for, as details are asked for by it; empty for a part of one."""
    path = [part.partition("~")[0] for part in group.key.split("/")]
    module = ".".join(part.partition("#")[0] for part in path)
    inside = any(f"{trace.nodes[node].module}.".startswith(f"{module}.") for node in group.chain)
    return "/".join(path) if inside or len(path) == 1 else ""


def opened(groups: Tree, folded: frozenset[str], node: int) -> frozenset[str]:
    """Return what stays folded when a node is to be seen: of equal groups only the one around it opens."""
    path = groups.path(node)
    return folded - {key for key in path if not groups.groups[key].repeats}


def closed(groups: Tree, folded: frozenset[str], key: str) -> frozenset[str]:
    """Return what is folded when a group is folded: equal groups are folded all together."""
    group = groups.groups[key]
    return folded | {key, *(part.key for part in group.groups if group.repeats)}


@dataclass
class _Drawing:
    trace: TraceRecord
    tree: Tree
    folded: frozenset[str]
    cards: dict[str, NodeCard] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    """Group -> the card or block that it is drawn as or in."""

    def draw(self, group: NodeGroup, parent: str, depth: int = 0) -> str:
        """Draw an open group and return its key."""
        parts: list[str] = []
        self.depths[group.key] = depth
        self.items[group.key] = group.key
        merges = group.repeats and group.key in self.folded
        for is_folded, run in groupby(group.parts, key=self._is_folded):
            same = list(run)
            if is_folded:
                parts += [self._fold(some, group.key) for some in ([same] if merges else [[one] for one in same])]
            else:
                parts += [
                    self.draw(part, group.key, depth + 1) if isinstance(part, NodeGroup) else self._node(part, group.key) for part in same
                ]
        nodes = (*group.chain, *self._inside([group])) if group is not self.tree.root else ()
        self.blocks[group.key] = Block(group.key, group.title, parent, tuple(parts), nodes)
        return group.key

    def draw_beside(self) -> None:
        """Draw what stands beside the chain: parameters nearest to the operation that uses them."""
        beside = sorted(self.tree.homes, key=lambda node: self.trace.nodes[node].kind != "parameter")
        for node in beside:
            home = self.tree.homes[node]
            if home in self.blocks:
                record = self.trace.nodes[node]
                above = record.kind == "parameter" and "bias" not in record.label
                owner = self._owner(node, home)
                self.cards[f"node {node}"] = NodeCard(f"node {node}", (node,), node, home, home, owner=owner, above=above)

    def _is_folded(self, part: int | NodeGroup) -> bool:
        if not isinstance(part, NodeGroup):
            return False
        return part.key in self.folded and (not part.repeats or all(member.key in self.folded for member in part.groups))

    def _node(self, node: int, home: str) -> str:
        key = f"node {node}"
        self.cards[key] = NodeCard(key, (node,), node, home, home, title=self.tree.names.get(node, ""))
        return key

    def _fold(self, groups: list[NodeGroup], home: str) -> str:
        first, last = groups[0], groups[-1]
        one = (
            first
            if len(groups) == 1
            else NodeGroup(f"{first.key}…{last.key}", f"{first.title} … {last.title}", tuple(groups), repeats=True)
        )
        key = f"group {one.key}"
        members = tuple(group.key for group in one.groups) if one.repeats else (one.key,)
        nodes = (*one.chain, *self._inside(groups))
        self.cards[key] = NodeCard(key, nodes, self._shown(one.chain), one.key, home, True, members, one.title)
        self.items |= {group.key: key for top in groups for group in (top, *top.walk())}
        return key

    def _shown(self, chain: tuple[int, ...]) -> int:
        inside = set(chain)
        handed_on = [node for node in chain if any(user not in inside for user in self._users.get(node, ()))]
        return (handed_on or chain)[-1]

    @cached_property
    def _users(self) -> dict[int, list[int]]:
        users: dict[int, list[int]] = defaultdict(list)
        for node in self.trace.nodes:
            for source in node.inputs:
                users[source].append(node.id)
        return users

    def _inside(self, groups: Iterable[NodeGroup]) -> Iterator[int]:
        """The nodes beside the chain that have their home in these groups."""
        for top in groups:
            for group in (top, *top.walk()):
                yield from self._residents.get(group.key, ())

    @cached_property
    def _residents(self) -> dict[str, list[int]]:
        residents: dict[str, list[int]] = defaultdict(list)
        for node, home in self.tree.homes.items():
            residents[home].append(node)
        return residents

    def _owner(self, node: int, home: str) -> str:
        """The part of its home that its first user is in."""
        user = self.tree.first_users[node]
        path = self.tree.paths[user]
        depth = path.index(home) + 1 if home else 0
        return self.items[path[depth]] if depth < len(path) else f"node {user}"


def _edges(trace: TraceRecord, card_of: dict[int, str]) -> tuple[Edge, ...]:
    edges: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for edge in trace.edges:
        ends = card_of[edge.source], card_of[edge.target]
        if ends[0] != ends[1]:
            edges[ends].append((edge.source, edge.target))
    return tuple(Edge(*ends, tuple(found)) for ends, found in edges.items())
