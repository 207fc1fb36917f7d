"""What a neuron or a link says when the mouse rests on it. Pure text."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.protocol import Tensor
from nnviz.session.moment import Moment
from nnviz.ui import numerals
from nnviz.ui.graph import marks, naming
from nnviz.ui.graph.look import Look
from nnviz.ui.graph.neuron_states import Scale
from nnviz.ui.graph.strips import words
from nnviz.ui.graph.units import Link, Units


def circle(moment: Moment, shown: Units, scale: Scale, node: int, look: Look) -> str:
    """Return a neuron's numbers as text."""
    record, bias = moment.reading.node(node), shown.bias_of.get(node)
    lines = [f"{naming.symbol(record)}: {naming.qualified(record, scale.names, look.titles)}{_rows(moment, node)}"]
    said = [sentence for part in shown.parts(node) for sentence in marks.explained(moment, part)]
    lines += list(dict.fromkeys(said))
    lines += _figures(moment, node, "")
    lines += [f"token {word}" for word in words(moment, record, look.tokens)] if moment.is_made(node) else []
    lines += _figures(moment, bias, f"{scale.names[bias]}: ") if bias is not None else []
    return "\n".join(lines)


def link(moment: Moment, shown: Units, scale: Scale, ends: Link, titles: Mapping[str, str]) -> str:
    """Return what a link multiplies by, and what came back along it."""
    source, target = (naming.symbol(moment.reading.node(end)) for end in ends)
    lines = [f"{source} → {target}"]
    weight = shown.weight_of.get(ends)
    if weight is not None:
        lines += _figures(moment, weight, f"{naming.qualified(moment.reading.node(weight), scale.names, titles)}: ")
    back = [edge.contribution for edge in scale.edges[ends] if edge in moment.arrived(ends[0])]
    lines += [f"sends back to {source}: {_text(moment, ends[0], contribution)}" for contribution in back]
    return "\n".join(lines)


def _rows(moment: Moment, node: int) -> str:
    if moment.reading.node(node).batch_axis is None or len(moment.reading.trace.rows) == 1:
        return ""
    return f" · mean over the batch's {len(moment.reading.trace.rows)} rows" if moment.sample is None else f" · row [{moment.sample}]"


def _figures(moment: Moment, node: int, head: str) -> list[str]:
    value, gradient = moment.value(node), moment.gradient(node)
    lines = [f"{head}value {_text(moment, node, value)}"]
    if moment.reading.node(node).gradient is not None:
        lines.append(f"{head}gradient {_text(moment, node, gradient)}")
    return lines


def _text(moment: Moment, node: int, tensor: Tensor | None) -> str:
    row = moment.row(node, tensor)
    return "not computed yet" if row is None else numerals.number(float(row.reshape(-1)[0]))
