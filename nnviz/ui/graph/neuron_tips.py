"""What a neuron or a link says when the mouse rests on it. Pure text."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.records.tensors import Tensor
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.ui.graph import marks
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.neuron_states import ColorScale
from nnviz.ui.graph.strips import words
from nnviz.ui.graph.units import NeuronLink, Units


def circle(state: TraceState, shown: Units, scale: ColorScale, node: int, look: Appearance) -> str:
    """Return a neuron's numbers as text."""
    record, bias = state.index.node(node), shown.bias_of.get(node)
    lines = [f"{names.symbol(record)}: {names.qualified(record, scale.names, look.titles)}{_rows(state, node)}"]
    said = [sentence for part in shown.parts(node) for sentence in marks.explained(state, part)]
    lines += list(dict.fromkeys(said))
    lines += _figures(state, node, "")
    lines += [f"token {word}" for word in words(state, record, look.tokens)] if state.is_made(node) else []
    lines += _figures(state, bias, f"{scale.names[bias]}: ") if bias is not None else []
    return "\n".join(lines)


def link(state: TraceState, shown: Units, scale: ColorScale, ends: NeuronLink, titles: Mapping[str, str]) -> str:
    """Return what a link multiplies by, and what came back along it."""
    source, target = (names.symbol(state.index.node(end)) for end in ends)
    lines = [f"{source} → {target}"]
    weight = shown.weight_of.get(ends)
    if weight is not None:
        lines += _figures(state, weight, f"{names.qualified(state.index.node(weight), scale.names, titles)}: ")
    back = [edge.contribution for edge in scale.edges[ends] if edge in state.arrived(ends[0])]
    lines += [f"sends back to {source}: {_text(state, ends[0], contribution)}" for contribution in back]
    return "\n".join(lines)


def _rows(state: TraceState, node: int) -> str:
    if state.index.node(node).batch_axis is None or len(state.index.trace.rows) == 1:
        return ""
    return f" · mean over the batch's {len(state.index.trace.rows)} rows" if state.sample is None else f" · row [{state.sample}]"


def _figures(state: TraceState, node: int, head: str) -> list[str]:
    value, gradient = state.value(node), state.gradient(node)
    lines = [f"{head}value {_text(state, node, value)}"]
    if state.index.node(node).gradient is not None:
        lines.append(f"{head}gradient {_text(state, node, gradient)}")
    return lines


def _text(state: TraceState, node: int, tensor: Tensor | None) -> str:
    row = state.row(node, tensor)
    return "not computed yet" if row is None else numbers.number(float(row.reshape(-1)[0]))
