"""What a learner may call the parameters and nodes whose gradients are checked: `h1.weight`, `h1/relu`, the number of a node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord


class Named(NamedTuple):
    """A node that has a gradient, and its name here."""

    name: str
    node: int


class UnknownName(LookupError):
    """No parameter or node is called so; the sentence says which ones are near."""


def named_nodes(index: TraceIndex) -> tuple[Named, ...]:
    """Return all nodes that have one gradient, in backward order, each with a name of its own.

    Left out are the loss, whose gradient is 1, and nodes with several outputs, each of which has its own.
    """
    nodes = [node for node in index.trace.nodes if node.gradient is not None and node.kind != "loss" and not node.others]
    names = dict(zip((node.id for node in nodes), _names(nodes), strict=True))
    ordered = sorted(nodes, key=lambda node: (backward_place(index, node.id), node.kind != "parameter", node.id))
    return tuple(Named(names[node.id], node.id) for node in ordered)


def backward_place(index: TraceIndex, node: int) -> int:
    """Return the place in the schedule at which a node's gradient is complete."""
    arrivals = [index.backward_at.get(edge.target, 0) for edge in index.out_edges.get(node, ()) if edge.contribution is not None]
    return max(arrivals, default=0)


def _names(nodes: Sequence[NodeRecord]) -> list[str]:
    """The label of a parameter or input, of an operation the groups around it too; equal ones are numbered in forward order."""
    plain = [node.label if node.kind != "operation" else "/".join((*node.group, node.label)) for node in nodes]
    often, seen = Counter(plain), Counter()
    names = []
    for name in plain:
        seen[name] += 1
        names.append(f"{name}#{seen[name]}" if often[name] > 1 else name)
    return names


def node_named(index: TraceIndex, named: Sequence[Named], asked: str) -> int:
    """Return the node that is meant: by its name, by its number, by the layer whose output it is, or with _ for what Python's names lack.

    Raises UnknownName.
    """
    asked = asked.strip()
    nodes = {one.name: one.node for one in named}
    if asked in nodes:
        return nodes[asked]
    number = asked.removeprefix("#")
    if number.isdigit() and int(number) in nodes.values():
        return int(number)
    layer = index.trace.outputs.get(asked)
    if layer is not None and layer.node in nodes.values():
        return layer.node
    alike = [one for one in named if _as_variable(one.name) == asked]
    if len(alike) == 1:
        return alike[0].node
    raise UnknownName(_unknown(index, list(nodes), asked))


def _as_variable(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _unknown(index: TraceIndex, names: list[str], asked: str) -> str:
    record = next((node for node in index.trace.nodes if asked in (node.label, str(node.id))), None)
    if record is not None and record.gradient is None:
        return f"{asked} has no gradient: the loss does not depend on it, or nothing asks for it. Leave it out."
    numbered = [name for name in names if name.startswith(f"{asked}#")]
    near = numbered or get_close_matches(asked, names, 3, 0.5) or names[:6]
    return f"There is no parameter or node “{asked}”. Write one of these: {', '.join(near[:6])}."
