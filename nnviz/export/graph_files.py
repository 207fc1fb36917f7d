"""The graph of one iteration as DOT, GraphML and JSON, with what is known at a cursor. It returns text; it opens no file and no window."""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from typing import Any
from xml.etree import ElementTree

import numpy as np

from nnviz.records.tensors import Tensor, to_numpy
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord, TraceRecord, UpdateRecord
from nnviz.records.trace_state import TraceState

GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_NODE_KEYS = ("label", "kind", "operation", "module", "group", "shape", "phase", "formula", "value", "gradient")
_EDGE_KEYS = ("argument", "contribution")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry in any form."""
_SHAPES = {"parameter": "box", "input": "box", "loss": "doubleoctagon", "operation": "ellipse"}


def json_text(trace: TraceRecord, cursor: int | None = None, indent: int | None = 1) -> str:
    """Return the trace as JSON text, as `nnviz export --to OUT.json` writes it; with a cursor, what is not computed there yet is null.

    NaN and ±Infinity, which JSON does not have, are the strings "NaN", "Infinity" and "-Infinity".
    """
    return json.dumps(as_data(trace, cursor), ensure_ascii=False, indent=indent, allow_nan=False)


def as_data(trace: TraceRecord, cursor: int | None = None) -> dict[str, Any]:
    """Return what `json_text` writes, as dicts and lists."""
    state = _state(trace, cursor)
    made = [node for node in trace.nodes if node.kind == "loss" and state.is_made(node.id)]
    return {
        "iteration": trace.iteration,
        "loss": _plain(trace.loss) if made or cursor is None else None,
        "detail": trace.detail,
        "worst_error": _plain(trace.worst_error),
        "cursor": state.cursor,
        "nodes": [_node(state, node) for node in trace.nodes],
        "steps": [{"index": step.index, "phase": step.phase, "node": step.node} for step in trace.steps],
        "updates": [_update(update) for update in trace.updates if cursor is None or state.is_updated(update.node)],
    }


def dot(trace: TraceRecord, cursor: int | None = None) -> str:
    """Return the graph in Graphviz's DOT language: layers are clusters, values and gradients are attributes."""
    state = _state(trace, cursor)
    lines = ["digraph trace {", "  rankdir=LR;", "  compound=true;", f"  label={_quoted(f'iteration {trace.iteration}')};"]
    by_layer: dict[str, list[NodeRecord]] = defaultdict(list)
    for node in trace.nodes:
        by_layer[node.group[0] if node.group else ""].append(node)
    for number, (layer, nodes) in enumerate(by_layer.items()):
        inside = [f"    n{node.id} [{_attributes(_dot_node(state, node))}];" for node in nodes]
        head = [f"  subgraph cluster_{number} {{", f"    label={_quoted(layer)};", "    style=dashed;"]
        lines += [*head, *inside, "  }"] if layer else inside
    lines += [f"  n{source} -> n{target} [{_attributes(facts)}];" for source, target, facts in _edges(state)]
    return "\n".join([*lines, "}", ""])


def graphml(trace: TraceRecord, cursor: int | None = None) -> str:
    """Return the graph as GraphML; every attribute is a string, values and gradients are JSON."""
    state = _state(trace, cursor)
    ElementTree.register_namespace("", GRAPHML)
    root = ElementTree.Element(f"{{{GRAPHML}}}graphml")
    for domain, keys in (("node", _NODE_KEYS), ("edge", _EDGE_KEYS)):
        for key in keys:
            _child(root, "key", id=f"{domain}_{key}", **{"for": domain, "attr.name": key, "attr.type": "string"})
    graph = _child(root, "graph", id=f"iteration {trace.iteration}", edgedefault="directed")
    for node in trace.nodes:
        _add_data(_child(graph, "node", id=f"n{node.id}"), "node", _facts(state, node))
    for number, (source, target, facts) in enumerate(_edges(state)):
        _add_data(_child(graph, "edge", id=f"e{number}", source=f"n{source}", target=f"n{target}"), "edge", facts)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


WRITERS = {"dot": dot, "graphml": graphml, "json": json_text}
"""By suffix without its dot: (trace, cursor) -> text."""


# --- what is known ----------------------------------------------------------------------------------------------------


def _state(trace: TraceRecord, cursor: int | None) -> TraceState:
    index = TraceIndex(trace)
    return TraceState(index, index.length if cursor is None else cursor, None)


def _value(state: TraceState, node: NodeRecord) -> Tensor | None:
    """The value of the forward pass: an update shows in `updates`, not here."""
    return node.value if state.is_made(node.id) else None


def _node(state: TraceState, node: NodeRecord) -> dict[str, Any]:
    arrived = state.arrived(node.id)
    return {
        "id": node.id, "kind": node.kind, "operation": node.operation, "label": node.label, "module": node.module,
        "group": list(node.group), "inputs": list(node.inputs), "shape": list(node.shape), "value": _numbers(_value(state, node)),
        "gradient": _numbers(state.gradient(node.id)),
        "contributions": [{"from": edge.target, "gradient": _numbers(edge.contribution)} for edge in arrived],
        "reads": list(node.reads), "formula": node.formula, "derivative": node.derivative,
    }  # fmt: skip


def _update(update: UpdateRecord) -> dict[str, Any]:
    rows = [{"symbol": row.symbol, "formula": row.formula, "value": _numbers(row.value)} for row in update.rows]
    return {"parameter": update.parameter, "rows": rows, "before": _numbers(update.before), "after": _numbers(update.after)}


def _numbers(tensor: Tensor | None) -> Any:
    """Nested lists for a tensor that travelled whole, a dict of statistics for a measure, None for none."""
    if tensor is None:
        return None
    if tensor.values is not None:
        array = to_numpy(tensor.values)
        is_plain = array.dtype.kind != "c" and np.isfinite(array).all()
        return array.tolist() if is_plain else _nested(array.tolist())
    if tensor.measure is None:
        return None
    names = ("min", "max", "mean", "std", "norm", "zeros", "non_finite")
    statistics = {name: _plain(getattr(tensor.measure, name)) for name in names}
    return {"shape": list(tensor.shape), **statistics, "histogram": list(tensor.measure.histogram)}


def _nested(values: Any) -> Any:
    return [_nested(value) for value in values] if isinstance(values, list) else _plain(values)


def _plain(value: complex) -> float | str:
    if isinstance(value, complex):
        return str(value).strip("()")  # as Python reads it
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


# --- writing ----------------------------------------------------------------------------------------------------------


def _facts(state: TraceState, node: NodeRecord) -> dict[str, str]:
    """The attributes of a node as strings; what is not computed yet is left out."""
    known = {"value": _numbers(_value(state, node)), "gradient": _numbers(state.gradient(node.id))}
    texts = {"group": "/".join(node.group), "shape": "×".join(map(str, node.shape))}
    texts |= {name: getattr(node, name) for name in ("label", "kind", "operation", "module", "phase", "formula")}
    return texts | {name: json.dumps(numbers) for name, numbers in known.items() if numbers is not None}


def _edges(state: TraceState) -> list[tuple[int, int, dict[str, str]]]:
    edges = []
    for edge in state.index.trace.edges:
        facts = {"argument": str(edge.argument)}
        if edge in state.arrived(edge.source):
            facts["contribution"] = json.dumps(_numbers(edge.contribution))
        edges.append((edge.source, edge.target, facts))
    return edges


def _dot_node(state: TraceState, node: NodeRecord) -> dict[str, str]:
    facts = _facts(state, node)
    line = "solid" if "value" in facts else "dashed"
    label = f"{node.label}\n{facts['shape'] or 'scalar'}"
    facts["operation_shape"] = facts.pop("shape")
    facts["layer"] = facts.pop("group")
    return facts | {"label": label, "shape": _SHAPES.get(node.kind, "box"), "style": line, "tooltip": node.formula or node.label}


def _attributes(facts: dict[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(text)}" for name, text in facts.items())


def _quoted(text: str) -> str:
    escaped = _FORBIDDEN.sub("", text).replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'


def _child(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"{{{GRAPHML}}}{tag}", attributes)


def _add_data(parent: ElementTree.Element, domain: str, facts: dict[str, str]) -> None:
    for name, text in facts.items():
        _child(parent, "data", key=f"{domain}_{name}").text = _FORBIDDEN.sub("", text)
