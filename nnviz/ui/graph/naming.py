"""What a node of the graph is called on the screen: its name, the note beside it, its symbol. Pure; it knows no widget."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nnviz.protocol import NodeRecord, TraceRecord
from nnviz.ui import numerals

PARAMETERS = {"weight": "W", "bias": "b", "running_mean": "running μ", "running_var": "running σ²", "num_batches_tracked": "batches"}
_NORMALISATION = {"weight": "γ", "bias": "β"}
LONGEST_NOTE = 14
_GAP = re.compile(r"(?<!\w\w) | (?!\w)")
"""Spaces, except between the name of a function and what it is of."""


def name(node: NodeRecord) -> str:
    """Return the name on the node's card: W and b for a layer's parameters, γ and β for a normalisation's, else the label."""
    last = node.label.rsplit(".", 1)[-1]
    if node.kind in ("parameter", "buffer"):
        return PARAMETERS.get(last, last.replace("_", " "))
    return node.label.replace("_", " ")


def names(trace: TraceRecord) -> dict[int, str]:
    """Return the name of every node; those of a normalisation's parameters follow from who uses them."""
    found = {node.id: name(node) for node in trace.nodes}
    for node in trace.nodes:
        if "norm" in node.operation:
            found |= {k: _NORMALISATION.get(trace.nodes[k].label.rsplit(".", 1)[-1], found[k]) for k in node.inputs}
    return found


def iteration(trace: TraceRecord) -> str:
    """Return which iteration a trace is of: not one that is made, as in the curves, but the one that comes next."""
    return f"iteration {trace.iteration + 1:,}, next"


def note(node: NodeRecord) -> str:
    """Return the small text beside the name: a short formula, or the shape."""
    if node.kind == "input" and node.batch_axis is not None:
        return f"batch {numerals.shape(node.shape)}"
    formula = compact(node.formula)
    return formula if 0 < len(formula) <= LONGEST_NOTE else numerals.shape(node.shape)


def compact(formula: str) -> str:
    """Return the first line of a formula without the spaces around its operators: "z = xWᵀ+b", but "a = tanh z"."""
    left, equals, right = formula.split("\n", 1)[0].partition(" = ")
    return f"{left}{equals}{_GAP.sub('', right)}" if equals else formula


def symbol(node: NodeRecord) -> str:
    """Return the letter for the node's value: what stands left of its formula, θ for a parameter, its name for an input."""
    left, equals, _ = node.formula.partition("=")
    if equals and len(left.strip()) <= 3:
        return left.strip()
    if node.kind == "parameter":
        return "θ"
    if node.kind == "input" and node.label == "target":
        return "y"
    return "L" if node.kind == "loss" else node.label if len(node.label) <= 2 else "a"


def where(node: NodeRecord, titles: Mapping[str, str]) -> str:
    """Return the layer a node belongs to, as the person named it; empty where it belongs to none."""
    layer = node.group[0] if node.group else node.module
    return titles.get(layer, layer)


def qualified(node: NodeRecord, named: Mapping[int, str], titles: Mapping[str, str]) -> str:
    """Return name and layer: "W of dense 1"."""
    place = where(node, titles)
    return f"{named[node.id]} of {place}" if place else named[node.id]
