"""What of a trace the graph shows as cards, wires and groups, some of them folded. Pure; it knows no numbers, places or widgets."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby

from nnviz.protocol import NodeRecord, TraceRecord

FOLD_ABOVE = 60
"""A graph of more nodes than this opens with every layer folded."""


@dataclass(frozen=True)
class Card:
    """One card: a node, or a whole folded group. Main cards form the chain; the others stand above or below one of them."""

    key: str
    nodes: tuple[int, ...]
    shown: int
    """The node whose numbers the card shows: for a folded group the last one whose value others use."""
    block: str
    folded: bool = False
    owner: str = ""
    """For a card beside the chain: the main card it belongs to."""
    above: bool = False


@dataclass(frozen=True)
class Wire:
    """All uses of one card's values by another."""

    source: str
    target: str
    edges: tuple[tuple[int, int], ...]
    """(source node, target node) of every edge behind it."""


@dataclass(frozen=True)
class Diagram:
    """Cards, wires and groups; `blocks` maps a group's key to its cards in order, and `titles` to its name ("" draws no frame)."""

    cards: dict[str, Card]
    wires: tuple[Wire, ...]
    blocks: dict[str, tuple[str, ...]]
    titles: dict[str, str]
    card_of: dict[int, str]


def skeleton(trace: TraceRecord) -> tuple:
    """Return what two traces must share to be drawn in the same places: kinds, names, groups and edges, but no numbers and no shapes."""
    return tuple((node.kind, node.label, node.group, node.inputs) for node in trace.nodes)


def diagram(trace: TraceRecord, folded: frozenset[str] = frozenset()) -> Diagram:
    """Return what is to be drawn, with these groups (by block key) folded to one card each."""
    owners = _owners(trace)
    blocks, titles = _blocks(trace, owners)
    cards: dict[str, Card] = {}
    for key, nodes in blocks.items():
        made = _folded_card(trace, key, nodes, owners) if key in folded else _open_cards(trace, key, nodes, owners)
        cards |= {card.key: card for card in made}
    card_of = {node: card.key for card in cards.values() for node in card.nodes}
    members = defaultdict(list)
    for card in cards.values():
        members[card.block].append(card.key)
    return Diagram(cards, _wires(trace, card_of), {key: tuple(value) for key, value in members.items()}, titles, card_of)


def block_keys(trace: TraceRecord) -> frozenset[str]:
    """Return the key of every group that can be folded."""
    blocks, titles = _blocks(trace, _owners(trace))
    return frozenset(key for key in blocks if titles[key])


def _owners(trace: TraceRecord) -> dict[int, int]:
    """Parameters, masks, constants and targets, each with the node of the chain it stands beside: the first one that uses it."""
    users: dict[int, int] = {}
    for node in trace.nodes:
        for source in node.inputs:
            users.setdefault(source, node.id)
    used = [node for node in trace.nodes if node.id in users]
    return {node.id: users[node.id] for node in used if _stands_beside(trace, node, trace.nodes[users[node.id]])}


def _stands_beside(trace: TraceRecord, node: NodeRecord, user: NodeRecord) -> bool:
    if node.inputs or not user.inputs:
        return False
    if node.kind == "input":  # data enters at the left, a target stands below the loss
        return any(trace.nodes[source].inputs for source in user.inputs)
    return True


def _blocks(trace: TraceRecord, owners: dict[int, int]) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Runs of neighbouring chain nodes of one layer, with what stands beside them. Runs in forward order can never form a cycle."""
    beside = defaultdict(list)
    for node, owner in owners.items():
        beside[owner].append(node)
    used = {source for node in trace.nodes for source in node.inputs}
    chain = [node for node in trace.nodes if node.id not in owners and not _idle(node, used)]
    blocks: dict[str, list[int]] = {}
    titles: dict[str, str] = {}
    for members in beside.values():
        members.sort(key=lambda k: trace.nodes[k].kind != "parameter")  # parameters nearest to the operation that uses them
    for (title, _), run in groupby(chain, key=_run):
        key = _free_key(title, blocks)
        titles[key] = title
        blocks[key] = [id for node in run for id in (node.id, *beside[node.id])]
    return blocks, titles


def _run(node: NodeRecord) -> tuple[str, int]:
    """What neighbours must share to stand in one frame: the layer. Every input stands alone and has no frame."""
    return ("", node.id) if node.kind == "input" else (node.group[0] if node.group else "", -1)


def _idle(node: NodeRecord, used: set[int]) -> bool:
    """Whether a buffer or constant takes no part in the iteration, such as a counter of batches."""
    return node.kind in ("buffer", "constant") and node.id not in used


def _free_key(title: str, taken: dict[str, list[int]]) -> str:
    count = sum(key == title or key.startswith(f"{title}#") for key in taken)
    return f"{title}#{count + 1}" if count or not title else title


def _folded_card(trace: TraceRecord, key: str, nodes: list[int], owners: dict[int, int]) -> list[Card]:
    chain = [node for node in nodes if node not in owners]
    handed_on = {source for node in trace.nodes if node.id not in nodes for source in node.inputs}
    shown = [node for node in chain if node in handed_on or not handed_on.intersection(chain)][-1]
    return [Card(f"group {key}", tuple(nodes), shown, key, folded=True)]


def _open_cards(trace: TraceRecord, key: str, nodes: list[int], owners: dict[int, int]) -> list[Card]:
    above = _above(trace, [node for node in nodes if node in owners])
    names = {node: f"node {owners[node]}" for node in nodes if node in owners}
    return [Card(f"node {node}", (node,), node, key, owner=names.get(node, ""), above=node in above) for node in nodes]


def _above(trace: TraceRecord, beside: list[int]) -> set[int]:
    """Weights stand above the operation that uses them; biases, masks, constants and targets below."""
    return {node for node in beside if trace.nodes[node].kind == "parameter" and "bias" not in trace.nodes[node].label}


def _wires(trace: TraceRecord, card_of: dict[int, str]) -> tuple[Wire, ...]:
    edges: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for edge in trace.edges:
        ends = card_of[edge.source], card_of[edge.target]
        if ends[0] != ends[1]:
            edges[ends].append((edge.source, edge.target))
    return tuple(Wire(*ends, tuple(found)) for ends, found in edges.items())
