"""The chain-rule card of one neuron: z = Σ w·x + b term by term, and upstream × local for every input and weight. Pure text."""

from __future__ import annotations

import numpy as np

from nnviz.operations.table import row_of
from nnviz.operations.writing import MOST_TERMS, bracketed
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_record import EdgeRecord, NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.records.weighted_sums import weighted
from nnviz.text import names
from nnviz.text.numbers import number
from nnviz.ui.step.chain import NOT_YET
from nnviz.ui.widgets.lines import Line


def forward_lines(state: TraceState, node: NodeRecord) -> list[Line]:
    """Return what the neuron is made of, one line per weight and input, and its own value."""
    made = state.is_made(node.id)
    weights, bias = weighted(state.index, node)
    lines: list[Line] = []
    if made:
        plain = [id for id in dict.fromkeys(node.inputs) if id not in weights and id not in weights.values() and id not in bias]
        lines += [_term(state, x, w) for x, w in weights.items()]
        lines += [Line(names.symbol(state.index.node(id)), number(_value(state, id)), "muted", node=id) for id in plain]
        lines += [Line(f"+ {names.symbol(state.index.node(id))}", number(_value(state, id)), "muted", node=id) for id in bias]
    own, called = _value(state, node.id) if made else None, names.symbol(node)
    lines.append(Line(called, NOT_YET if own is None else number(own), "faint" if own is None else "text"))
    if made and state.is_updated(node.id):
        lines[-1] = Line(f"{called} used", number(own), "text", hint="this forward and backward worked with it")
        now = _single(state, node.id, state.value(node.id))
        lines.append(Line(f"{called}′ now", number(now), "update", hint="after the optimizer's update"))
    if made and node.inputs and _is_of_means(state, node) and not row_of(state.index.tensor_of(node.id).operation).same_for_means:
        lines.append(Line("", f"means over {_rows(state)}: the formula holds row by row, not for them", "muted"))
    return lines


def _term(state: TraceState, x: int, weight: int) -> Line:
    left, right = _value(state, x), _value(state, weight)
    label = f"{names.symbol(state.index.node(x))} · {names.symbol(state.index.node(weight))}"
    return Line(label, f"{number(left)} · {bracketed(right)} = {number(left * right)}", "muted", node=weight)


def equation(state: TraceState, node: NodeRecord) -> str:
    """Return "z[1] = 1.3·0.8 + 0.7·(−0.3) + 0.9 = 1.73"; empty for other than weighted sums."""
    weights, bias = weighted(state.index, node) if node.whole is not None else ({}, [])
    if not weights or not state.is_made(node.id) or state.index.supposed(node.id):
        return ""
    terms = [f"{number(_value(state, x))}·{bracketed(_value(state, w))}" for x, w in list(weights.items())[:MOST_TERMS]]
    terms += ["…"] if len(weights) > MOST_TERMS else []
    terms += [bracketed(_value(state, id)) for id in bias]
    return f"{names.symbol(node)} = {' + '.join(terms)} = {number(_value(state, node.id))}"


def chain_lines(state: TraceState, node: NodeRecord) -> list[Line]:
    """Return upstream, then for every input and weight what it gets: upstream × local."""
    edges = [edge for edge in state.index.in_edges.get(node.id, ()) if edge.contribution is not None]
    if not edges:
        return []
    upstream = _single(state, node.id, state.gradient(node.id))
    symbol = names.symbol(node)
    lines = [_line(f"upstream ∂L/∂{symbol}", upstream, NOT_YET if upstream is None else number(upstream))]
    lines += [_edge_line(state, node, edge, upstream) for edge in edges]
    if _is_of_means(state, node):
        lines.append(Line("", f"means over {_rows(state)}, for weights their sum: upstream × local holds row by row", "muted"))
    return lines


def _edge_line(state: TraceState, node: NodeRecord, edge: EdgeRecord, upstream: float | None) -> Line:
    source = state.index.node(edge.source)
    label = f"∂L/∂{names.symbol(source)}"
    if edge not in state.arrived(edge.source) or upstream is None:
        return _line(label, None, NOT_YET, edge.source)
    contribution = _single(state, edge.source, edge.contribution)
    local = None if state.sample is None and _is_of_means(state, node) else _local(state, edge)
    product = "" if local is None else f"{number(upstream)} × {bracketed(local)} = "
    if source.batch_axis is not None or node.batch_axis is None or len(state.index.trace.rows) == 1:
        return _line(label, contribution, f"{product}{number(contribution)}", edge.source)
    total = f"sum over {_rows(state)}: {number(contribution)}"
    own = f"{product}{number(upstream * local)}\n" if local is not None else ""
    return _line(label, contribution, f"{own}{total}", edge.source)


def _line(label: str, value: float | None, text: str, node: int | None = None) -> Line:
    ground = "field" if value is None else "backward"
    return Line(label, text, "faint" if value is None else "backward", ground, node, bold=value is not None)


def _local(state: TraceState, edge: EdgeRecord) -> float | None:
    if edge.local is None:
        return None
    array = to_numpy(edge.local)
    return float(array.reshape(-1)[0] if array.size == 1 else array[state.sample or 0])


def _is_of_means(state: TraceState, node: NodeRecord) -> bool:
    several = len(state.index.trace.rows) > 1
    return several and state.sample is None and (node.batch_axis is not None or node.kind == "loss")


def _value(state: TraceState, node: int) -> float:
    """The value the forward step read: a weight's own even after its update."""
    return _single(state, node, state.index.node(node).value)


def _single(state: TraceState, node: int, tensor) -> float | None:
    row = state.row(node, tensor)
    return None if row is None else float(np.reshape(row, -1)[0])


def _rows(state: TraceState) -> str:
    return f"the batch's {len(state.index.trace.rows)} rows"
