"""The chain rule at one node, as rows of text: upstream × local = contribution, and where the node's own gradient came from. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from nnviz.operations.recorded_call import output
from nnviz.operations.substitution import holds_for_means, sent
from nnviz.operations.table import row_of
from nnviz.records.tensors import Tensor, to_numpy
from nnviz.records.trace_record import EdgeRecord, Equation, NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers, what_if_text
from nnviz.text.letters import Letters, letters
from nnviz.text.trails import moment
from nnviz.ui.step.elements import row_shape
from nnviz.ui.widgets.lines import Line

NOT_YET = "not computed yet"


_MIXING = {"linear", "matmul", "mm", "bmm", "einsum", "conv1d", "conv2d", "conv3d", "scaled_dot_product_attention"} | {
    *("transpose", "permute", "t", "T", "mT", "H")
}
"""Operations in which an element is not made of the one at the same place."""
FEWEST_MOMENTS = 4
"""From so many contributions on each is told in a line, and those of time steps are drawn as bars, too."""
MOST_WEIGHTS = 4
"""Of a unit with at most so many weights the gradient of each is worked out, else that of the largest."""


def letters_of(state: TraceState, node: NodeRecord, named: Mapping[int, str] | None = None) -> Letters:
    """Return the letters of a node and its inputs; `named`: what the nodes of the trace are called."""
    return letters(state.index.trace.nodes, node, named or {})


def input_symbol(state: TraceState, node: NodeRecord, argument: int) -> str:
    """Return the letter an operation's formula uses for one of its inputs."""
    return letters_of(state, node).old_inputs[argument]


def _equation(node: NodeRecord, argument: int) -> Equation | None:
    return node.equations[argument] if node.equations else None


def own_symbol(node: NodeRecord) -> str:
    """Return the letter for a node's value on its own card: W rather than θ."""
    return names.letter(node)


def figures(state: TraceState, node: int, tensor: Tensor | None, element: tuple[int, ...] = ()) -> str:
    """Return a tensor of a node for the chosen row as text that has this element in it; "not computed yet" for None."""
    if tensor is None:
        return NOT_YET
    array = state.row(node, tensor)
    if array is not None:
        return numbers.around(array, element) if element else numbers.table(array)
    measure = state.measure(tensor)
    if measure is None:
        return "not sent"
    return f"{numbers.number(measure.min)} … {numbers.number(measure.max)}, mean {numbers.number(measure.mean)}"


def compared(lines: Callable[[TraceState, NodeRecord], list[Line]], state: TraceState, node: NodeRecord) -> list[Line]:
    """Return the lines of a node, each with what it says without what is supposed, where that is something else."""
    now, before = lines(state, node), state.before
    if before is None:
        return now
    then = dict(_numbered(lines(before, before.index.node(node.id))))
    olds = [then.get(key) for key, _ in _numbered(now)]
    return [replace(line, was=old.text) if old and old.text != line.text else line for line, old in zip(now, olds, strict=True)]


def _numbered(lines: list[Line]) -> list[tuple[tuple[str, int], Line]]:
    """Every line with its label, and which one of that label it is: there may be other lines among them than before."""
    labels = [line.label for line in lines]
    return [((label, labels[:place].count(label)), line) for place, (label, line) in enumerate(zip(labels, lines, strict=True))]


def forward_lines(state: TraceState, node: NodeRecord, element: tuple[int, ...] = (), named: Mapping[int, str] | None = None) -> list[Line]:
    """Return the inputs' values, muted, and the node's own. Of a matrix of weights it shows the row that makes the element."""
    made, called = state.is_made(node.id), letters_of(state, node, named)
    lines = [_input_line(state, node, argument, called.inputs[argument], element) for argument in range(len(node.inputs))] if made else []
    lines += _own_lines(state, node, called, element) if made else [Line(_own(node, called), NOT_YET, "faint")]
    won = _winner(state, node, element) if made else None
    lines += [won] if won else []
    of_means = state.sample is None and (node.batch_axis is not None or node.kind == "loss")
    if made and node.inputs and of_means and not holds_for_means(state, node):
        lines.append(Line("", f"means over {_rows(state)}: the formula holds row by row, not for them", "muted"))
    return lines


def _own(node: NodeRecord, called: Letters) -> str:
    """The letter of the value on its own card: W rather than θ."""
    return called.own if node.kind == "operation" and node.symbol else own_symbol(node)


def _own_lines(state: TraceState, node: NodeRecord, called: Letters, element: tuple[int, ...]) -> list[Line]:
    """The value; of a parameter that is updated what this iteration worked with, and what it is now."""
    used, own = node.value, _own(node, called)
    if not state.is_updated(node.id):
        return [_marked(own, state, node.id, used, element, "text")]
    after = state.index.updates[node.id].after
    hint = "this forward and backward worked with it"
    lines = [replace(_marked(f"{own} used", state, node.id, used, element, "text"), hint=hint)]
    return [*lines, replace(_marked(f"{own}′ now", state, node.id, after, element, "update"), hint="after the optimizer's update")]


def _marked(label: str, state: TraceState, node: int, tensor: Tensor | None, element: tuple[int, ...], tone: str) -> Line:
    """A line of figures in which the element is framed."""
    text = figures(state, node, tensor, element)
    array = state.row(node, tensor) if tensor is not None else None
    return Line(label, text, tone, mark=numbers.mark(text, array, element) if array is not None and element else None)


def _winner(state: TraceState, node: NodeRecord, element: tuple[int, ...]) -> Line | None:
    """Which element of the input won the window of a max pool's element."""
    if node.winners is None or state.sample is None or node.batch_axis != 0 or len(element) != len(node.shape) - 1:
        return None
    source = state.index.node(node.inputs[0])
    pooled = source.shape[2:]
    place = (*element[:1], *map(int, np.unravel_index(int(to_numpy(node.winners)[state.sample][element]), pooled)))
    values = state.row(source.id, source.value)
    worth = "" if values is None else f" = {numbers.number(values[place])}"
    symbol = input_symbol(state, node, 0)
    return Line("won by", f"{symbol}{numbers.place(place)}{worth}", "text", "field", source.id, "the largest element of the window")


def _input_line(state: TraceState, node: NodeRecord, argument: int, symbol: str, element: tuple[int, ...]) -> Line:
    source = state.index.node(node.inputs[argument])
    place = _read(state, node, argument, element)
    text = _input_figures(state, node, argument, place)
    weights = state.index.array(source.value) if node.operation == "linear" and argument == 1 and element else None
    called = names.name(source) if source.kind == "operation" else source.label
    hint = f"{symbol}: {called}, {numbers.shape(source.shape)}\n{text}"
    if weights is not None:
        return Line(f"{symbol}[{element[-1]}]", numbers.row(weights[element[-1]]), "muted", node=source.id, hint=hint)
    shown, place_of_mark = _one_line(text, _row_of_input(state, node, argument), place)
    return Line(symbol, shown, "muted", node=source.id, hint=hint, mark=place_of_mark)


def _read(state: TraceState, node: NodeRecord, argument: int, element: tuple[int, ...]) -> tuple[int, ...]:
    """The element of an input that the worked out element is made of, where it is one; of a dense layer's bias the unit's own."""
    source = state.index.node(node.inputs[argument])
    if node.operation == "linear" and argument == 2 and element:
        return (element[-1],)
    is_own = element and row_shape(source) == row_shape(node) and not _port(node, argument) and node.operation not in _MIXING
    return element if is_own else ()


def _one_line(text: str, array: np.ndarray | None, place: tuple[int, ...]) -> tuple[str, tuple[int, int, int] | None]:
    """Of a matrix the line with the element in it, else the first; and where in it the element is."""
    mark = numbers.mark(text, array, place) if array is not None and place else None
    lines = text.split("\n")
    shown = lines[mark[0]] if mark else next((line for line in lines if line.startswith("[")), lines[0])
    return shown + (" …" if len(lines) > 1 else ""), (0, *mark[1:]) if mark else None


def _port(node: NodeRecord, argument: int) -> int:
    return node.ports[argument] if node.ports else 0


def _row_of_input(state: TraceState, node: NodeRecord, argument: int) -> np.ndarray | None:
    source = state.index.node(node.inputs[argument])
    return None if _port(node, argument) else state.row(source.id, source.value)


def _input_figures(state: TraceState, node: NodeRecord, argument: int, place: tuple[int, ...] = ()) -> str:
    """An input's numbers: those of the very output it takes, where a node has several."""
    source = state.index.node(node.inputs[argument])
    port = _port(node, argument)
    if not port:
        return figures(state, source.id, source.value, place)
    whole = output(state.index, source.id, port)
    return "not sent" if whole is None else numbers.table(_row_of(state, source, whole))


def _is_only_for_rows(state: TraceState, node: NodeRecord) -> bool:
    """Whether means are shown at an operation whose local derivative differs from row to row: a mean of products is no product of means."""
    return state.sample is None and node.batch_axis is not None and not row_of(node.operation).same_for_means


def _rows(state: TraceState) -> str:
    count = len(state.index.trace.rows)
    return f"the batch's {count} rows" if count > 1 else "the batch's only row"


def chain_lines(state: TraceState, node: NodeRecord, element: tuple[int, ...] = (), named: Mapping[int, str] | None = None) -> list[Line]:
    """Return upstream, then for every input that gets a gradient the local derivative, the numbers, and the contribution."""
    edges = [edge for edge in state.index.in_edges.get(node.id, ()) if edge.contribution is not None]
    if not edges:
        return []
    called, upstream = letters_of(state, node, named), state.gradient(node.id)
    lines = [_figures_line(f"upstream ∂L/∂{_by(called.own)}", state, node.id, upstream, element, "backward")]
    for edge in edges:
        lines += _edge_lines(state, node, edge, called, element)
    if _is_only_for_rows(state, node):
        lines.append(Line("", f"means over {_rows(state)}: upstream × local holds row by row, not for them", "muted"))
    return lines


def _by(symbol: str) -> str:
    return f"({symbol})" if " " in symbol else symbol


def _edge_lines(state: TraceState, node: NodeRecord, edge: EdgeRecord, called: Letters, element: tuple[int, ...]) -> list[Line]:
    symbol = _by(called.inputs[edge.argument])
    is_sent = edge in state.arrived(edge.source)
    contribution = edge.contribution if is_sent else None
    hint = f"shape {numbers.shape(edge.contribution.shape)}, goes to {state.index.node(edge.source).label}"
    places = _received(state, node, edge, element)
    place = places[0] if places else ()
    result = _figures_line(f"= ∂L/∂{symbol}", state, edge.source, contribution, place, "backward", edge.source, hint)
    local, part = _local(state, node, edge, called, element), _row_part(state, node, edge) if is_sent else None
    worked = [_worked(state, edge, symbol, one) for one in places] if is_sent else []
    lines = [*([local] if local else []), *filter(None, worked), result]
    if part is not None:
        text = numbers.around(part, place)
        lines.insert(0, Line(f"row [{state.sample}] gives", text, "text", "field", mark=numbers.mark(text, part, place)))
    return [*lines, Line("", f"summed over {_rows(state)}", "muted")] if _is_summed(state, node, edge) else lines


def _worked(state: TraceState, edge: EdgeRecord, symbol: str, place: tuple[int, ...]) -> Line | None:
    """One element of a contribution with its numbers: "3.062·1.3 = 3.981"."""
    said = sent(state, edge, place)
    if said is None:
        return None
    value = numbers.number(said.value)
    text = said.text if said.text == value else f"{said.text} = {value}"
    return Line(f"∂L/∂{symbol}{numbers.place(place)}", text, "text", "field", edge.source, wraps=True)


def _received(state: TraceState, node: NodeRecord, edge: EdgeRecord, element: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The elements of an input whose gradients are worked out.

    The same one where the shapes agree; of a dense layer the weights and the bias of the unit; else the one with the largest gradient.
    """
    source, row = state.index.node(edge.source), state.row(edge.source, edge.contribution)
    if node.operation == "linear" and edge.argument and element:
        unit = element[-1]
        if edge.argument == 2 or len(source.shape) != 2:
            return [(unit,)[: len(source.shape)]]
        if source.shape[1] <= MOST_WEIGHTS:
            return [(unit, k) for k in range(source.shape[1])]
        return [(unit, 0 if row is None else _largest(row[unit])[0])]
    if row_shape(source) == row_shape(node):
        return [element]
    return [_largest(row)] if row is not None and row.size else []


def _largest(array: np.ndarray) -> tuple[int, ...]:
    return tuple(map(int, np.unravel_index(int(np.argmax(np.nan_to_num(np.abs(array)))), array.shape)))


def _is_summed(state: TraceState, node: NodeRecord, edge: EdgeRecord) -> bool:
    """Whether every row of the batch adds to a contribution: it goes to something all rows share."""
    shared = node.batch_axis is not None and state.index.node(edge.source).batch_axis is None
    return shared and len(state.index.trace.rows) > 1


def _row_part(state: TraceState, node: NodeRecord, edge: EdgeRecord) -> np.ndarray | None:
    """What the chosen row alone adds to the gradient of a dense layer's weights or bias; None for all other contributions."""
    if node.operation != "linear" or len(node.shape) != 2 or state.sample is None or not _is_summed(state, node, edge):
        return None
    x = state.index.node(node.inputs[0])
    upstream, value = state.row(node.id, state.gradient(node.id)), state.row(x.id, x.value)
    if upstream is None or value is None:
        return None
    return np.outer(upstream, value) if edge.argument == 1 else upstream


def _local(state: TraceState, node: NodeRecord, edge: EdgeRecord, called: Letters, element: tuple[int, ...]) -> Line | None:
    if _is_only_for_rows(state, node):
        return None
    name = f"× local ∂{_by(called.own)}/∂{_by(called.inputs[edge.argument])}"
    local = _local_array(state, node, edge)
    if local is not None and state.is_made(node.id):
        text = numbers.around(local, element)
        return Line(name, text, "text", "field", bold=True, mark=numbers.mark(text, local, element))
    equation = _equation(node, edge.argument)
    upstream = f"∂L/∂{names.symbol(node)} · "
    if equation is None or not equation.right.startswith(upstream):
        return None
    right, supposed = equation.right.removeprefix(upstream), state.index.supposed(node.id)
    if supposed:
        return Line("× local", what_if_text.local(called.written(right), supposed), "text", "field")
    for argument, id in enumerate(node.inputs):
        if called.old_inputs[argument] == right:  # one of the inputs, whose numbers are there
            place = _read(state, node, argument, element)
            text = _input_figures(state, node, argument, place)
            mark = numbers.mark(text, _row_of_input(state, node, argument), place) if place else None
            return Line(f"× local {called.inputs[argument]}", text, "text", "field", id, mark=mark)
    return Line("× local", called.written(right), "text", "field")


def _local_array(state: TraceState, node: NodeRecord, edge: EdgeRecord) -> np.ndarray | None:
    """∂node/∂source for the chosen row, as it travelled or was asked for."""
    if edge.local is not None:
        return _row_of(state, node, to_numpy(edge.local))
    asked = state.index.local(edge, state.sample)
    return None if asked is None else asked[0] if asked[1] else _row_of(state, node, asked[0])


def _row_of(state: TraceState, node: NodeRecord, array: np.ndarray) -> np.ndarray:
    axis = node.batch_axis
    if axis is None or array.ndim <= axis or array.shape[axis] != node.shape[axis]:
        return array
    return array.mean(axis) if state.sample is None else array.take(state.sample, axis)


def _figures_line(
    label: str,
    state: TraceState,
    of: int,
    tensor: Tensor | None,
    element: tuple[int, ...],
    ground: str,
    node: int | None = None,
    hint: str = "",
) -> Line:
    """A line of the numbers of a tensor of the node `of`, in the colour of its phase once they are known."""
    known = tensor is not None
    line = _marked(label, state, of, tensor, element, ground if known else "faint")
    return replace(line, ground=ground if known else "field", node=node, hint=hint, bold=known)


def arrival_lines(
    state: TraceState, node: NodeRecord, named: Mapping[int, str], titles: Mapping[str, str], element: tuple[int, ...] = ()
) -> list[Line]:
    """Return where the node's own gradient came from: one row for a single contribution, else every addend and their sum."""
    if node.kind == "loss":
        return [Line("", "∂L/∂L = 1: backward begins here", "muted")]
    edges = [edge for edge in state.index.out_edges.get(node.id, ()) if edge.contribution is not None]
    if not edges:
        return [Line("", "no gradient comes back to this node", "muted")]
    arrived = state.arrived(node.id)
    origins = names.distinct([state.index.node(edge.target) for edge in edges], named, titles)
    symbol = f"∂L/∂{own_symbol(node)}"
    if len(edges) == 1:
        verb = "came from" if arrived else "will come from"
        summed = _is_summed(state, state.index.node(edges[0].target), edges[0])
        count = f"summed over {_rows(state)}" if summed else "1 contribution"
        head = Line("", f"{verb} {origins[0]} · {count}", "positive", node=edges[0].target, hint=f"click to see {origins[0]}")
        return [head] if node.kind == "operation" else [head, _sum_line(state, node, symbol, element)]
    is_short = len(edges) >= FEWEST_MOMENTS
    addends = [_addend(state, node, edge, origin, element, is_short) for edge, origin in zip(edges, origins, strict=True)]
    here = "all of them here" if len(arrived) == len(edges) else f"{len(arrived) or 'none'} of them here yet"
    head = Line("", f"{symbol} is the sum of {len(edges)} contributions, {here}", "muted")
    return [head, *addends, _sum_line(state, node, symbol, element)]


def sizes_by_time(state: TraceState, node: NodeRecord) -> list[tuple[int, float | None, int]]:
    """Return for a tensor that several time steps use: each of them, the norm of what it sends (None: not yet), and the node that does."""
    edges = [edge for edge in state.index.out_edges.get(node.id, ()) if edge.contribution is not None]
    moments = [moment(state.index.node(edge.target)) for edge in edges]
    if len(set(moments)) < FEWEST_MOMENTS or None in moments or len(set(moments)) < len(moments):
        return []
    arrived = state.arrived(node.id)
    return [(at, _norm(state, edge) if edge in arrived else None, edge.target) for at, edge in zip(moments, edges, strict=True)]


def _norm(state: TraceState, edge: EdgeRecord) -> float | None:
    array = state.index.array(edge.contribution)
    if array is not None:
        return float(np.linalg.norm(np.abs(array).astype(float)))
    measure = state.measure(edge.contribution)
    return measure.norm if measure else None


def _addend(state: TraceState, node: NodeRecord, edge: EdgeRecord, origin: str, element: tuple[int, ...], is_short: bool) -> Line:
    """One contribution; where there are many, of each only the element."""
    known = edge in state.arrived(node.id)
    row = state.row(node.id, edge.contribution) if known and is_short and element else None
    if row is not None and len(element) == row.ndim:
        text = f"{numbers.place(element)} {numbers.number(row[element])}"
    else:
        text = figures(state, node.id, edge.contribution if known else None, element)
    return Line(f"+ {origin}", text, "backward" if known else "faint", "field", edge.target, f"click to see {origin}")


def _sum_line(state: TraceState, node: NodeRecord, symbol: str, element: tuple[int, ...]) -> Line:
    return _figures_line(f"= {symbol}", state, node.id, state.gradient(node.id), element, "backward")


def reads_line(state: TraceState, node: NodeRecord, named: Mapping[int, str], titles: Mapping[str, str]) -> list[Line]:
    """Return which forward values the node's backward step reads."""
    if not node.reads:
        return []
    lit = " (highlighted)" if state.reads() == node.reads and state.node is node else ""
    read = [*names.distinct([state.index.node(read) for read in node.reads], named, titles), row_of(node.operation).own_reads]
    said = ", ".join(filter(None, read))
    return [Line("", f"reads from forward: {said}{lit}", "positive", node=node.reads[0])]
