"""The chain rule at one node, as rows of text: upstream × local = contribution, and where the node's own gradient came from. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnviz.protocol import EdgeRecord, NodeRecord, Tensor
from nnviz.session.moment import Moment
from nnviz.session.reading import to_numpy
from nnviz.ui import numerals
from nnviz.ui.graph import naming
from nnviz.ui.inspector.lines import Line

NOT_YET = "not computed yet"
_EQUATION = re.compile(r"∂L/∂([^\s=]+)\s*=\s*([^\n;]+)")


@dataclass(frozen=True)
class Equation:
    """∂L/∂`symbol` = `right`, one for each input of an operation."""

    symbol: str
    right: str


def equations(node: NodeRecord) -> list[Equation]:
    """Return the equations of a derivative, one for each ∂L/∂… it gives."""
    return [Equation(symbol, right.strip(" ,.")) for symbol, right in _EQUATION.findall(node.derivative)]


def input_symbol(moment: Moment, node: NodeRecord, argument: int) -> str:
    """Return the letter an operation's formula uses for one of its inputs."""
    equation = _equation(moment, node, argument)
    return equation.symbol if equation else naming.symbol(moment.reading.node(node.inputs[argument]))


def _equation(moment: Moment, node: NodeRecord, argument: int) -> Equation | None:
    """The equation for one input: derivatives speak of every input, or only of those that get a gradient."""
    found = equations(node)
    if len(found) == len(node.inputs):
        return found[argument]
    receiving = [edge.argument for edge in moment.reading.in_edges.get(node.id, ()) if edge.contribution is not None]
    return dict(zip(receiving, found, strict=False)).get(argument) if len(found) == len(receiving) else None


def own_symbol(node: NodeRecord) -> str:
    """Return the letter for a node's value on its own card: W rather than θ."""
    name = naming.name(node)
    return name if node.kind == "parameter" and len(name) <= 3 else naming.symbol(node)


def figures(moment: Moment, node: int, tensor: Tensor | None) -> str:
    """Return a tensor of a node for the chosen row as text; "not computed yet" for None."""
    if tensor is None:
        return NOT_YET
    array = moment.row(node, tensor)
    if array is not None:
        return numerals.table(array)
    measure = moment.measure(tensor)
    if measure is None:
        return "not sent"
    return f"{numerals.number(measure.min)} … {numerals.number(measure.max)}, mean {numerals.number(measure.mean)}"


def forward_lines(moment: Moment, node: NodeRecord) -> list[Line]:
    """Return the inputs' values, muted, and the node's own."""
    made = moment.is_made(node.id)
    lines = [_input_line(moment, node, argument) for argument in range(len(node.inputs))] if made else []
    own = moment.value(node.id)
    return [*lines, Line(own_symbol(node), figures(moment, node.id, own), "text" if own else "faint")]


def _input_line(moment: Moment, node: NodeRecord, argument: int) -> Line:
    source = moment.reading.node(node.inputs[argument])
    text = figures(moment, source.id, source.value)
    shown = text.split("\n")[0] + (" …" if "\n" in text else "")
    return Line(input_symbol(moment, node, argument), shown, "muted", node=source.id, hint=text)


def chain_lines(moment: Moment, node: NodeRecord) -> list[Line]:
    """Return upstream, then for every input that gets a gradient the local derivative and the contribution."""
    edges = [edge for edge in moment.reading.in_edges.get(node.id, ()) if edge.contribution is not None]
    if not edges:
        return []
    upstream = moment.gradient(node.id)
    lines = [_figures_line(f"upstream ∂L/∂{naming.symbol(node)}", figures(moment, node.id, upstream), upstream is not None, "backward")]
    for edge in edges:
        lines += _edge_lines(moment, node, edge)
    return lines


def _edge_lines(moment: Moment, node: NodeRecord, edge: EdgeRecord) -> list[Line]:
    symbol = input_symbol(moment, node, edge.argument)
    sent = edge in moment.arrived(edge.source)
    contribution = edge.contribution if sent else None
    hint = f"shape {numerals.shape(edge.contribution.shape)}, goes to {moment.reading.node(edge.source).label}"
    result = _figures_line(f"= ∂L/∂{symbol}", figures(moment, edge.source, contribution), sent, "backward", edge.source, hint)
    local = _local(moment, node, edge, symbol)
    return [local, result] if local else [result]


def _local(moment: Moment, node: NodeRecord, edge: EdgeRecord, symbol: str) -> Line | None:
    name = f"× local ∂{naming.symbol(node)}/∂{symbol}"
    if edge.local is not None and moment.is_made(node.id):
        return Line(name, numerals.table(_row_of(moment, node, to_numpy(edge.local))), "text", "field", bold=True)
    equation = _equation(moment, node, edge.argument)
    upstream = f"∂L/∂{naming.symbol(node)} · "
    if equation is None or not equation.right.startswith(upstream):
        return None
    return Line("× local", equation.right.removeprefix(upstream), "text", "field")


def _row_of(moment: Moment, node: NodeRecord, array: np.ndarray) -> np.ndarray:
    axis = node.batch_axis
    if axis is None or array.ndim <= axis or array.shape[axis] != node.shape[axis]:
        return array
    return array.mean(axis) if moment.sample is None else array.take(moment.sample, axis)


def _figures_line(label: str, text: str, known: bool, ground: str, node: int | None = None, hint: str = "") -> Line:
    return Line(label, text, ground if known else "faint", ground if known else "field", node, hint, bold=known)


def arrival_lines(moment: Moment, node: NodeRecord, named: Mapping[int, str], titles: Mapping[str, str]) -> list[Line]:
    """Return where the node's own gradient came from: one row for a single contribution, else every addend and their sum."""
    if node.kind == "loss":
        return [Line("", "∂L/∂L = 1: backward begins here", "muted")]
    edges = [edge for edge in moment.reading.out_edges.get(node.id, ()) if edge.contribution is not None]
    if not edges:
        return [Line("", "no gradient comes back to this node", "muted")]
    arrived = moment.arrived(node.id)
    origins = [naming.qualified(moment.reading.node(edge.target), named, titles) for edge in edges]
    symbol = f"∂L/∂{own_symbol(node)}"
    if len(edges) == 1:
        verb = "came from" if arrived else "will come from"
        head = Line("", f"{verb} {origins[0]} · 1 contribution", "muted", node=edges[0].target)
        return [head] if node.kind == "operation" else [head, _sum_line(moment, node, symbol)]
    addends = [_addend(moment, node, edge, origin) for edge, origin in zip(edges, origins, strict=True)]
    head = Line("", f"{symbol} is the sum of {len(edges)} contributions, {len(arrived)} here", "muted")
    return [head, *addends, _sum_line(moment, node, symbol)]


def _addend(moment: Moment, node: NodeRecord, edge: EdgeRecord, origin: str) -> Line:
    known = edge in moment.arrived(node.id)
    text = figures(moment, node.id, edge.contribution if known else None)
    return Line(f"+ {origin}", text, "backward" if known else "faint", "field", edge.target, f"click to see {origin}")


def _sum_line(moment: Moment, node: NodeRecord, symbol: str) -> Line:
    gradient = moment.gradient(node.id)
    return _figures_line(f"= {symbol}", figures(moment, node.id, gradient), gradient is not None, "backward")


def reads_line(moment: Moment, node: NodeRecord, named: Mapping[int, str], titles: Mapping[str, str]) -> list[Line]:
    """Return which forward values the node's backward step reads."""
    if not node.reads:
        return []
    lit = " (highlighted)" if moment.reads() == node.reads and moment.node is node else ""
    said = ", ".join(naming.qualified(moment.reading.node(read), named, titles) for read in node.reads)
    return [Line("", f"reads from forward: {said}{lit}", "muted", node=node.reads[0])]
