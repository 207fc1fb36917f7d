"""The chain-rule card of one neuron: z = Σ w·x + b term by term, and upstream × local for every input and weight. Pure text."""

from __future__ import annotations

import numpy as np

from nnviz.protocol import EdgeRecord, NodeRecord
from nnviz.session.moment import Moment
from nnviz.session.reading import to_numpy
from nnviz.ui.graph import naming, units
from nnviz.ui.inspector.chain import NOT_YET, SAME_FOR_MEANS
from nnviz.ui.inspector.lines import Line
from nnviz.ui.inspector.writing import MOST_TERMS
from nnviz.ui.numerals import number


def forward_lines(moment: Moment, node: NodeRecord) -> list[Line]:
    """Return what the neuron is made of, one line per weight and input, and its own value."""
    made = moment.is_made(node.id)
    weights, bias = units.weighted(moment.reading, node)
    lines: list[Line] = []
    if made:
        plain = [id for id in dict.fromkeys(node.inputs) if id not in weights and id not in weights.values() and id not in bias]
        lines += [_term(moment, x, w) for x, w in weights.items()]
        lines += [Line(naming.symbol(moment.reading.node(id)), number(_value(moment, id)), "muted", node=id) for id in plain]
        lines += [Line(f"+ {naming.symbol(moment.reading.node(id))}", number(_value(moment, id)), "muted", node=id) for id in bias]
    own = _value(moment, node.id) if made else None
    lines.append(Line(naming.symbol(node), NOT_YET if own is None else number(own), "faint" if own is None else "text"))
    if made and node.inputs and _is_of_means(moment, node) and moment.reading.tensor_of(node.id).operation not in SAME_FOR_MEANS:
        lines.append(Line("", f"means over {_rows(moment)}: the formula holds row by row, not for them", "muted"))
    return lines


def _term(moment: Moment, x: int, weight: int) -> Line:
    left, right = _value(moment, x), _value(moment, weight)
    label = f"{naming.symbol(moment.reading.node(x))} · {naming.symbol(moment.reading.node(weight))}"
    return Line(label, f"{number(left)} · {_bracketed(right)} = {number(left * right)}", "muted", node=weight)


def equation(moment: Moment, node: NodeRecord) -> str:
    """Return "z[1] = 1.3·0.8 + 0.7·(−0.3) + 0.9 = 1.73"; empty for other than weighted sums."""
    weights, bias = units.weighted(moment.reading, node) if node.whole is not None else ({}, [])
    if not weights or not moment.is_made(node.id) or moment.reading.supposed(node.id):
        return ""
    terms = [f"{number(_value(moment, x))}·{_bracketed(_value(moment, w))}" for x, w in list(weights.items())[:MOST_TERMS]]
    terms += ["…"] if len(weights) > MOST_TERMS else []
    terms += [_bracketed(_value(moment, id)) for id in bias]
    return f"{naming.symbol(node)} = {' + '.join(terms)} = {number(_value(moment, node.id))}"


def chain_lines(moment: Moment, node: NodeRecord) -> list[Line]:
    """Return upstream, then for every input and weight what it gets: upstream × local."""
    edges = [edge for edge in moment.reading.in_edges.get(node.id, ()) if edge.contribution is not None]
    if not edges:
        return []
    upstream = _single(moment, node.id, moment.gradient(node.id))
    symbol = naming.symbol(node)
    lines = [_line(f"upstream ∂L/∂{symbol}", upstream, NOT_YET if upstream is None else number(upstream))]
    lines += [_edge_line(moment, node, edge, upstream) for edge in edges]
    if _is_of_means(moment, node):
        lines.append(Line("", f"means over {_rows(moment)}, for weights their sum: upstream × local holds row by row", "muted"))
    return lines


def _edge_line(moment: Moment, node: NodeRecord, edge: EdgeRecord, upstream: float | None) -> Line:
    source = moment.reading.node(edge.source)
    label = f"∂L/∂{naming.symbol(source)}"
    if edge not in moment.arrived(edge.source) or upstream is None:
        return _line(label, None, NOT_YET, edge.source)
    contribution = _single(moment, edge.source, edge.contribution)
    local = None if moment.sample is None and _is_of_means(moment, node) else _local(moment, edge)
    product = "" if local is None else f"{number(upstream)} × {_bracketed(local)} = "
    if source.batch_axis is not None or node.batch_axis is None or len(moment.reading.trace.rows) == 1:
        return _line(label, contribution, f"{product}{number(contribution)}", edge.source)
    total = f"sum over {_rows(moment)}: {number(contribution)}"
    own = f"{product}{number(upstream * local)}\n" if local is not None else ""
    return _line(label, contribution, f"{own}{total}", edge.source)


def _line(label: str, value: float | None, text: str, node: int | None = None) -> Line:
    ground = "field" if value is None else "backward"
    return Line(label, text, "faint" if value is None else "backward", ground, node, bold=value is not None)


def _local(moment: Moment, edge: EdgeRecord) -> float | None:
    if edge.local is None:
        return None
    array = to_numpy(edge.local)
    return float(array.reshape(-1)[0] if array.size == 1 else array[moment.sample or 0])


def _is_of_means(moment: Moment, node: NodeRecord) -> bool:
    several = len(moment.reading.trace.rows) > 1
    return several and moment.sample is None and (node.batch_axis is not None or node.kind == "loss")


def _value(moment: Moment, node: int) -> float:
    """The value the forward step read: a weight's own even after its update."""
    return _single(moment, node, moment.reading.node(node).value)


def _single(moment: Moment, node: int, tensor) -> float | None:
    row = moment.row(node, tensor)
    return None if row is None else float(np.reshape(row, -1)[0])


def _rows(moment: Moment) -> str:
    return f"the batch's {len(moment.reading.trace.rows)} rows"


def _bracketed(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)
