"""What a textbook calls the parts of a recurrent net that is unrolled in time: x_t, W_ih x, i_t, c_t, h₀."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from nnviz.records.trace_record import NodeRecord, TraceRecord

_GATES = {"input gate": "i", "forget gate": "f", "output gate": "o", "reset gate": "r", "update gate": "z", "candidate": "g"}
_TIME = re.compile(r"t=\d+")
_WEIGHT = re.compile(r".*weight_(ih|hh)\b.*|.*weight_(ih|hh)_l\d+.*")
_PRODUCTS = {"ih": "x", "hh": "h"}
_BLENDS = {
    ("cell", 0): "f · c", ("cell", 1): "i · g", ("state", 0): "(1 − z) · n", ("state", 1): "z · h",
}  # fmt: skip
"""The products that a new state is the sum of, by the group and which of its products."""


def names(trace: TraceRecord) -> dict[int, str]:
    """Return the textbook's names of the nodes in and around the time steps of a trace; none where there are no time steps."""
    inside = {node.id: node for node in trace.nodes if _step(node) is not None}
    if not inside or any(node.whole is not None for node in inside.values()):  # opened into neurons they have names of their own
        return {}
    groups = _Groups(trace.nodes, defaultdict(list))
    for node in inside.values():
        groups.members[node.group].append(node)
    return {id: name for id, node in inside.items() if (name := _in_step(groups, node))} | _around(trace, inside)


class _Groups(NamedTuple):
    """The nodes of a trace, and those of every group in a time step."""

    nodes: tuple[NodeRecord, ...]
    members: dict[tuple[str, ...], list[NodeRecord]]


def _step(node: NodeRecord) -> int | None:
    """How deep the group of the time step is in which a node stands; None outside of all."""
    return next((depth for depth, part in enumerate(node.group) if _TIME.fullmatch(part.partition("#")[0])), None)


def _in_step(trace: _Groups, node: NodeRecord) -> str:
    depth = _step(node)
    inner = node.group[depth + 1].partition("#")[0] if len(node.group) > depth + 1 else ""
    if node.operation == "linear":
        of = _product(trace, node)
        return f"W_{of} {_PRODUCTS[of]}" if of else ""
    if inner in _GATES:
        return _in_gate(trace, node, _letter(trace, node, depth, inner))
    if inner in ("cell", "state"):
        return _in_blend(trace, node, inner)
    return "h_t" if not inner and node.operation in ("tanh", "relu") else "z_t" if not inner and node.operation == "add" else ""


def _product(trace: _Groups, node: NodeRecord) -> str:
    """ih or hh, by the weight a product is made with; empty for another."""
    labels = [trace.nodes[source].label for source in node.inputs[1:2]]
    found = _WEIGHT.fullmatch(labels[0]) if labels else None
    return (found[1] or found[2]) if found else ""


def _letter(trace: _Groups, node: NodeRecord, depth: int, gate: str) -> str:
    """The candidate is g in an LSTM and n in a GRU, which has a reset gate."""
    is_gru = gate == "candidate" and (*node.group[: depth + 1], "reset gate") in trace.members
    return "n" if is_gru else _GATES[gate]


def _in_gate(trace: _Groups, node: NodeRecord, letter: str) -> str:
    if node.operation == "block":
        of = _product(trace, trace.nodes[node.inputs[0]])
        return f"W_{letter} {_PRODUCTS[of]}" if of else ""
    if node.operation == "mul":
        return "r · W_n h"
    return {"add": f"z_{letter}", "sigmoid": f"{letter}_t", "tanh": f"{letter}_t"}.get(node.operation, "")


def _in_blend(trace: _Groups, node: NodeRecord, group: str) -> str:
    """In the cell and the state: products, their sum, and in an LSTM h_t = o · tanh c."""
    products = [other.id for other in trace.members[node.group] if other.operation == "mul"]
    if node.operation == "mul":
        return "h_t" if len(products) == 1 else _BLENDS.get((group, products.index(node.id)), "")
    return {"add": "c_t" if group == "cell" else "h_t", "tanh": "tanh c_t", "rsub": "1 − z_t"}.get(node.operation, "")


# --- around the time steps --------------------------------------------------------------------------------------------


def _around(trace: TraceRecord, inside: Mapping[int, NodeRecord]) -> dict[int, str]:
    """Names of what leads into the time steps and out of them: x by time, the first states, the outputs and last states."""
    found: dict[int, str] = {}
    for node in inside.values():
        for place, source in enumerate(node.inputs):
            if source not in inside and trace.nodes[source].kind in ("operation", "constant"):
                _name_entrance(trace, node, place, source, found)
    for node in trace.nodes:
        if node.id not in inside and node.operation == "stack" and node.inputs and node.inputs[0] in inside:
            found[node.id] = _of_stack(trace, node)
        if node.operation == "getitem" and node.inputs and _leads(found, node.inputs[0], "h_t"):
            found[node.id] = "last h_t"
        if node.operation == "transpose" and node.inputs and _leads(found, node.inputs[0], "h_t"):
            found[node.id] = "h_t by row"
    return found


def _leads(found: Mapping[int, str], source: int, name: str) -> bool:
    return found.get(source, "").startswith(name)


def _name_entrance(trace: TraceRecord, node: NodeRecord, place: int, source: int, found: dict[int, str]) -> None:
    entrance = trace.nodes[source]
    if entrance.operation == "unbind":
        found[source] = "x_t"
        first = trace.nodes[entrance.inputs[0]]
        if first.operation == "transpose":
            found[first.id] = "x by time"
    elif place == (0 if node.operation == "linear" else 1) and entrance.operation in ("getitem", "zeros"):
        name = "c₀" if "cell" in node.group[-1] else "h₀"
        found[source] = name
        if entrance.inputs and trace.nodes[entrance.inputs[0]].operation == "zeros":
            states = trace.nodes[entrance.inputs[0]]
            found[states.id] = f"{name} = 0" + (", every layer" if states.shape and states.shape[0] > 1 else "")


def _of_stack(trace: TraceRecord, node: NodeRecord) -> str:
    """The outputs over time are several steps of one net; the last states are those of one step of each."""
    ends = [trace.nodes[source] for source in node.inputs]
    steps = {end.group[: (_step(end) or 0) + 1] for end in ends}
    nets = {end.group[: _step(end) or 0] for end in ends}
    if len(steps) > 1 and len(nets) == 1:
        return "h_t over time"
    return "last c" if "cell" in ends[0].group[-1] else "last h"
