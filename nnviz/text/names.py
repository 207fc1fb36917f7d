"""What a node of the graph is called on the screen: its name, the note beside it, its symbol."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nnviz.document.network import split_parameter
from nnviz.records.trace_record import NodeRecord, TraceRecord
from nnviz.text import _latent_names, _recurrent_names, numbers

_PLAIN = {
    "getitem": "slice", "chunk": "cut in parts", "split": "cut in parts", "unbind": "one by one", "block": "part", "cat": "joined",
    "rsub": "subtract", "in_proj_weight": "W_qkv", "in_proj_bias": "b_qkv", "bias_k": "b_k", "bias_v": "b_v",
}  # fmt: skip
"""What the screen calls what torch has another word for."""
PARAMETERS = {"weight": "W", "bias": "b", "running_mean": "running μ", "running_var": "running σ²", "num_batches_tracked": "batches"}
_NORMALISATION = {"weight": "γ", "bias": "β"}
_RECURRENT = re.compile(r"(weight|bias)(?:_(ih|hh|hr)(?:_l(\d+))?|_l(\d+))(_reverse)?")
LONGEST_NOTE = 14
_GAP = re.compile(r"(?<!\w\w) | (?!\w)")
"""Spaces, except between the name of a function and what it is of."""


def name(node: NodeRecord) -> str:
    """Return the name on the node's card: W and b for a layer's parameters, γ and β for a normalisation's, else the label."""
    label, place = _split(node)
    last = label.rsplit(".", 1)[-1]
    if node.kind in ("parameter", "buffer"):
        return (_of_recurrent_net(last) or PARAMETERS.get(last) or _PLAIN.get(last, last.replace("_", " "))) + place
    return _PLAIN.get(label, label.replace("_", " ")) + place


def parameter_title(parameter: str, titles: Mapping[str, str]) -> str:
    """Return what the screen calls a parameter: "h1.weight" is "dense 1.W"; one that stands in no layer has its own name."""
    layer, tensor = split_parameter(parameter)
    called = PARAMETERS.get(tensor) or _of_recurrent_net(tensor) or _PLAIN.get(tensor, tensor)
    return f"{titles.get(layer, layer)}.{called}" if tensor else titles.get(layer, layer)


def _of_recurrent_net(label: str) -> str:
    """What the textbook calls a recurrent net's weights: of x (ih), of the last h (hh), of a projection (hr); empty for others."""
    found = _RECURRENT.fullmatch(label)
    if found is None:
        return ""
    letter, of, *layers, backwards = found.groups()
    layer = next((one for one in layers if one), None)
    return (
        (f"{PARAMETERS[letter]}_{of}" if of else PARAMETERS[letter])
        + (f" of layer {layer}" if layer not in (None, "0") else "")
        + (" ←" if backwards else "")
    )


def _split(node: NodeRecord) -> tuple[str, str]:
    """The label, and for a neuron which element it is, apart."""
    if node.whole is None or "[" not in node.label:
        return node.label, ""
    label, bracket, place = node.label.partition("[")
    return label, bracket + place


def names(trace: TraceRecord) -> dict[int, str]:
    """Return the name of every node; a normalisation's parameters and the parts of a recurrent net are called as in a textbook."""
    found = {node.id: name(node) for node in trace.nodes}
    for node in trace.nodes:
        if "norm" in node.operation:
            found |= {k: _of_normalisation(trace.nodes[k], found[k]) for k in node.inputs}
    return found | _latent_names.names(trace) | _recurrent_names.names(trace)


def _of_normalisation(node: NodeRecord, name: str) -> str:
    label, place = _split(node)
    letter = _NORMALISATION.get(label.rsplit(".", 1)[-1])
    return letter + place if letter else name


def iteration(trace: TraceRecord, age: str = "next") -> str:
    """Return which iteration a trace is of: not one that is made, as in the curves, but the one that comes next, or whatever `age` says."""
    return f"iteration {trace.iteration + 1:,}" + (f", {age}" if age else "")


def note(node: NodeRecord) -> str:
    """Return the small text beside the name: a short formula, or the shape."""
    if node.kind == "input" and node.batch_axis is not None:
        return f"batch {numbers.shape(node.shape)}"
    formula = compact(node.formula)
    return formula if 0 < len(formula) <= LONGEST_NOTE else numbers.shape(node.shape)


def compact(formula: str) -> str:
    """Return the first line of a formula without the spaces around its operators: "z = xWᵀ+b", but "a = tanh z"."""
    left, equals, right = formula.split("\n", 1)[0].partition(" = ")
    return f"{left}{equals}{_GAP.sub('', right)}" if equals else formula


def symbol(node: NodeRecord) -> str:
    """Return the letter for the node's value: that of its formula, θ for a parameter, its name for an input."""
    label, place = _split(node)
    if node.symbol:
        return node.symbol + place
    if node.kind == "parameter":
        return "θ" if node.whole is None else name(node)
    if node.kind == "input" and label == "target":
        return "y" + place
    return "L" if node.kind == "loss" else (label if len(label) <= 2 else "a") + place


def letter(node: NodeRecord, reader: NodeRecord | None = None) -> str:
    """Return the letter for a node's value where its kind is plain: W rather than θ, and γ where a normalisation reads it."""
    called = name(node)
    if reader is not None and "norm" in reader.operation:
        called = _of_normalisation(node, called)
    is_letter = len(called) <= 3 or "_" in called or called.startswith("running")  # only a recurrent net's weights keep a _
    return called if node.kind in ("parameter", "buffer") and is_letter else symbol(node)


def scalar(node: NodeRecord) -> str:
    """Return what one element of a tensor is called: a weight, a bias, a neuron."""
    if node.kind in ("operation", "input"):
        return "neuron" if node.kind == "operation" else "input"
    return "bias" if "bias" in node.label else "weight" if node.kind == "parameter" else node.kind


def where(node: NodeRecord, titles: Mapping[str, str]) -> str:
    """Return the layer a node belongs to, as the person named it; empty where it belongs to none."""
    layer = node.group[0] if node.group else node.module
    return titles.get(layer, layer)


def qualified(node: NodeRecord, named: Mapping[int, str], titles: Mapping[str, str]) -> str:
    """Return name and layer: "W of dense 1"."""
    place = where(node, titles)
    return f"{named[node.id]} of {place}" if place else named[node.id]


def distinct(nodes: Sequence[NodeRecord], named: Mapping[int, str], titles: Mapping[str, str]) -> list[str]:
    """Return name and layer of each, with the inner groups where several are called the same: "linear of lstm · t=3"."""
    called = [qualified(node, named, titles) for node in nodes]
    inner = [_inner(nodes, node) if called.count(name) > 1 else "" for node, name in zip(nodes, called, strict=True)]
    longer = [f"{name} · {groups}" if groups else name for name, groups in zip(called, inner, strict=True)]
    return [f"{name} · op {node.id}" if longer.count(name) > 1 else name for node, name in zip(nodes, longer, strict=True)]


def _inner(nodes: Sequence[NodeRecord], node: NodeRecord) -> str:
    """The groups of a node that not all of these share, outermost first."""
    shared = set.intersection(*(set(other.group) for other in nodes))
    return " · ".join(group for group in node.group[1:] if group not in shared)
