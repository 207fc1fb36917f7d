"""The groups of a trace as a tree: layers, what is inside them, runs of equal parts. Pure; it does not know what is folded."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from nnviz.records.trace_record import NodeRecord, TraceRecord

_NUMBER = re.compile(r"(?P<stem>.*?)(?P<mark>[#=]?)\d+")


@dataclass(frozen=True)
class NodeGroup:
    """A layer or a part of one; `parts` are nodes and groups in forward order."""

    key: str
    title: str
    parts: tuple[int | NodeGroup, ...]
    repeats: bool = False
    """Whether its parts are groups of equal structure, one behind the other: time steps, blocks, heads."""

    @cached_property
    def chain(self) -> tuple[int, ...]:
        """Its nodes in forward order, without those that stand beside them."""
        return tuple(node for part in self.parts for node in (part.chain if isinstance(part, NodeGroup) else (part,)))

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """The groups among its parts."""
        return tuple(part for part in self.parts if isinstance(part, NodeGroup))

    def walk(self) -> Iterator[NodeGroup]:
        """Yield every group inside, an outer one before its own."""
        for group in self.groups:
            yield group
            yield from group.walk()


@dataclass(frozen=True)
class Tree:
    """All groups of a trace.

    What stands beside the chain (parameters, masks, targets) has a home: the innermost group with all its users (of the forward phase).
    """

    root: NodeGroup
    homes: dict[int, str]
    """Node beside the chain -> key of its home; empty for the root."""
    first_users: dict[int, int]
    """Node beside the chain -> the first node that uses it."""
    paths: dict[int, tuple[str, ...]]
    """Node of the chain -> keys of the groups around it, outermost first."""
    names: dict[int, str]
    """What a node is called that is alone in an inner group."""

    @cached_property
    def groups(self) -> dict[str, NodeGroup]:
        """Every group by its key, an outer one before those in it."""
        return {group.key: group for group in self.root.walk()}

    def path(self, node: int) -> tuple[str, ...]:
        """Return the keys of the groups around any node, outermost first; empty for one that is not drawn."""
        if node in self.paths:
            return self.paths[node]
        around = self.paths.get(self.first_users.get(node, -1), ())
        home = self.homes.get(node, "")
        return around[: around.index(home) + 1] if home in around else ()


def tree(trace: TraceRecord) -> Tree:
    """Return the groups of a trace. Groups are runs in forward order, so that folded ones can never form a cycle."""
    users: dict[int, list[int]] = defaultdict(list)
    for node in trace.nodes:
        for source in node.inputs:
            users[source].append(node.id)
    beside = {node.id: users[node.id] for node in trace.nodes if node.id in users and _stands_beside(trace, node, users[node.id][0])}
    chain = [node for node in trace.nodes if node.id not in beside and not _is_idle(node, users)]
    grower = _Grower(trace, beside)
    root = NodeGroup("", "", grower.parts(chain, ""))
    paths = dict(_paths(root, ()))
    repeated = {group.key for group in root.walk() if group.repeats}
    homes = {node: _home([paths[user] for user in _at_work(trace, using) if user in paths], repeated) for node, using in beside.items()}
    return Tree(root, homes, {node: using[0] for node, using in beside.items()}, paths, grower.names)


def _stands_beside(trace: TraceRecord, node: NodeRecord, first_user: int) -> bool:
    user = trace.nodes[first_user]
    if node.inputs or not user.inputs:
        return False
    if node.kind == "input":  # data enters at the left, a target stands below the loss
        return any(trace.nodes[source].inputs for source in user.inputs)
    return True


def _at_work(trace: TraceRecord, users: list[int]) -> list[int]:
    """The users in the forward phase, if there are any: a penalty looks at weights, and they stay with the layer that works with them."""
    return [user for user in users if trace.nodes[user].phase == "forward"] or users


def _is_idle(node: NodeRecord, users: Collection[int]) -> bool:
    """Whether a buffer or constant takes no part in the iteration, such as a counter of batches."""
    return node.kind in ("buffer", "constant") and node.id not in users


def _paths(group: NodeGroup, around: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for part in group.parts:
        if isinstance(part, NodeGroup):
            yield from _paths(part, (*around, part.key))
        else:
            yield part, around


def _home(paths: Sequence[tuple[str, ...]], repeated: Collection[str]) -> str:
    """The innermost group that all paths share. What equal parts share stands beside all of them."""
    shared = paths[0] if paths else ()
    for path in paths[1:]:
        same = next((place for place, (a, b) in enumerate(zip(shared, path, strict=False)) if a != b), min(len(shared), len(path)))
        shared = shared[:same]
    if shared and shared[-1] in repeated:
        shared = shared[:-1]
    return shared[-1] if shared else ""


class _Grower:
    """Makes the tree from the outside in."""

    def __init__(self, trace: TraceRecord, beside: dict[int, list[int]]) -> None:
        self.names: dict[int, str] = {}
        self._trace = trace
        self._accompanied = {users[0] for users in beside.values()}
        self._owning = {trace.nodes[node].group for node in beside}
        """Groups with tensors of their own: they stay frames of their own."""

    def parts(self, nodes: Sequence[NodeRecord], key: str, depth: int = 0) -> tuple[int | NodeGroup, ...]:
        """Return nodes and groups of one level."""
        parts: list[int | NodeGroup] = []
        taken: Counter[str] = Counter()
        for name, run in groupby(nodes, key=lambda node: _name(node, depth)):
            inside = list(run)
            if not name or (depth and len(inside) == 1 and inside[0].id not in self._accompanied):
                parts += [node.id for node in inside]
                self.names |= {node.id: name for node in inside if name and not name.isdigit()}
                continue
            taken[name] += 1
            own = f"{key}/{name}" if key else name
            parts.append(self._group(inside, own if taken[name] == 1 else f"{own}~{taken[name]}", name, depth))
        return self._with_repeats(parts, depth)

    def _group(self, nodes: Sequence[NodeRecord], key: str, name: str, depth: int) -> NodeGroup:
        parts = self.parts(nodes, key, depth + 1)
        only = parts[0] if len(parts) == 1 else None
        if isinstance(only, NodeGroup) and nodes[0].group[: depth + 1] not in self._owning:
            return NodeGroup(key, name if only.repeats or not depth else f"{name} › {only.title}", only.parts, only.repeats)
        return NodeGroup(key, name, parts)

    def _with_repeats(self, parts: list[int | NodeGroup], depth: int) -> tuple[int | NodeGroup, ...]:
        """Groups of equal structure in a row become parts of one group."""
        found: list[int | NodeGroup] = []
        for like, run in groupby(parts, key=lambda part: self._likeness(part, depth)):
            equal = list(run)
            found += [_repeat(equal)] if like is not None and len(equal) > 1 else equal
        return tuple(found)

    def _likeness(self, part: int | NodeGroup, depth: int) -> tuple | None:
        """What equal parts have in common: name without its number, operations, shapes and how these hang together."""
        if not isinstance(part, NodeGroup):
            return None
        places = {node: place for place, node in enumerate(part.chain)}
        records = [self._trace.nodes[node] for node in part.chain]
        inside = [(r.operation, r.shape, r.group[depth + 1 :], tuple(places.get(source, -1) for source in r.inputs)) for r in records]
        return _stem(part.title, depth), tuple(inside)


def _name(node: NodeRecord, depth: int) -> str:
    return "" if node.kind == "input" or len(node.group) <= depth else node.group[depth]


def _stem(title: str, depth: int) -> str:
    """The title without its number. Layers that a person numbered ("dense 2") are no repetition, those of a list ("2") are."""
    match = _NUMBER.fullmatch(title)
    if match is None or (depth == 0 and match["stem"] and not match["mark"]):
        return title
    return match["stem"]


def _repeat(members: list[NodeGroup]) -> NodeGroup:
    first, last = members[0], members[-1]
    return NodeGroup(f"{first.key}…{last.key}", f"{first.title} … {last.title}", tuple(members), repeats=True)
