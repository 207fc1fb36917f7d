"""What a folded group does, as rows of text: its equations with values, what goes in and comes out, its parameters, gradients. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import names, numbers
from nnviz.text.trails import group_title, moment
from nnviz.ui.step.chain import NOT_YET, figures
from nnviz.ui.widgets.lines import Line

MOST = 4
"""Operations of a group whose formulas are written below each other; of more only what goes in and comes out is said."""
_MOST_LINES = 6
"""Inputs, outputs or parameters that are listed."""
_OF_RECURRENT_NETS = {
    ("i_t", "f_t", "g_t", "o_t", "c_t", "h_t"): (
        "i_t, f_t, o_t = σ(W_ih x_t + W_hh h₋ + b)\ng_t = tanh(W_ih x_t + W_hh h₋ + b)\nc_t = f_t·c₋ + i_t·g_t\nh_t = o_t·tanh c_t"
    ),
    ("r_t", "z_t", "n_t", "h_t"): (
        "r_t, z_t = σ(W_ih x_t + W_hh h₋ + b)\nn_t = tanh(W_ih x_t + b_ih + r_t·(W_hh h₋ + b_hh))\nh_t = (1 − z_t)·n_t + z_t·h₋"
    ),
    ("z_t", "h_t"): "z_t = W_ih x_t + W_hh h₋ + b\nh_t = f(z_t)",
}
"""By the parts of one time step that have a name what they are; a gate has its own rows of W_ih, W_hh and b."""
_OF_ATTENTION = "y = softmax(Q Kᵀ/√d) V, head by head"
_HEADS = ("Q", "K", "V", "scores", "softmax", "heads")
"""Groups of an attention, in the order in which they are worked out."""


@dataclass(frozen=True)
class GroupText:
    """All that the card says of a group."""

    facts: str
    formula: str
    forward: tuple[Line, ...]
    chain: tuple[Line, ...]


class Group:
    """Some nodes of a trace that are shown as one, at a place of the cursor."""

    def __init__(self, state: TraceState, nodes: Collection[int], named: Mapping[int, str], titles: Mapping[str, str]) -> None:
        self.state, self.named, self.titles = state, named, titles
        self.nodes = frozenset(nodes)
        self.chain = [state.index.node(id) for id in sorted(self.nodes) if state.index.node(id).inputs]

    @cached_property
    def depth(self) -> int:
        """How many groups all operations of it are in."""
        groups = [node.group for node in self.chain] or [()]
        return next((k for k in range(min(map(len, groups))) if len({group[k] for group in groups}) > 1), min(map(len, groups)))

    @cached_property
    def title(self) -> str:
        """What the group is called: for several equal ones the first and the last."""
        first, last = (_below(self.chain[place].group, self.depth) for place in (0, -1)) if self.chain else ("", "")
        if first and last and first != last and self._are_equal(first, last):
            return f"{group_title(first)} … {group_title(last)}"
        group = self.chain[0].group[: self.depth] if self.chain else ()
        if not group:
            return "group"
        return self.titles.get(group[0], group_title(group[0])) if len(group) == 1 else group_title(group[-1])

    def _are_equal(self, first: str, last: str) -> bool:
        """Whether every operation is in a time step or a numbered part of its own: then they are several groups and not one around them."""
        stems = {re.sub(r"\d+$", "", _below(node.group, self.depth)) for node in self.chain}
        return len(stems) == 1 and re.sub(r"\d+$", "", first) in stems and first[-1:].isdigit()

    @cached_property
    def inputs(self) -> list[NodeRecord]:
        """What it is given by other operations and the data."""
        return [node for node in self._given if node.inputs or node.kind == "input"]

    @cached_property
    def parameters(self) -> list[NodeRecord]:
        """The parameters that it works with."""
        own = [self.state.index.node(id) for node in self.chain for id in node.inputs]
        return list({node.id: node for node in own if node.kind == "parameter"}.values())

    @cached_property
    def _given(self) -> list[NodeRecord]:
        sources = dict.fromkeys(id for node in self.chain for id in node.inputs if id not in self.nodes)
        return [self.state.index.node(id) for id in sources]

    @cached_property
    def outputs(self) -> list[NodeRecord]:
        """What of it others use."""
        users = self.state.index.out_edges
        handed_on = [node for node in self.chain if any(edge.target not in self.nodes for edge in users.get(node.id, ()))]
        return handed_on or self.chain[-1:]


def explained(group: Group) -> GroupText:
    """Return what is said of a group now."""
    formula, parts = _parts(group)
    count = len(group.nodes)
    sizes = " → ".join(numbers.shape(nodes[0].shape) for nodes in (group.inputs, group.outputs[-1:]) if nodes)
    facts = " · ".join(filter(None, (sizes, f"{count:,} node{'s' if count != 1 else ''} as one", "F11 opens it")))
    lines = [
        *_values(group, "in", group.inputs),
        *parts,
        *_values(group, "", group.parameters),
        *_values(group, "out", [node for node in group.outputs if node.id not in {line.node for line in parts}]),
    ]
    return GroupText(facts, formula, tuple(lines), tuple(_gradients(group)))


# --- equations --------------------------------------------------------------------------------------------------------


def _parts(group: Group) -> tuple[str, list[Line]]:
    """The equations of a group and the values of what stands in them."""
    if any(moment(node) is not None for node in group.chain):
        return _of_recurrent_net(group)
    last = {part: node for node in group.chain for part in node.group if part in _HEADS}
    if {"Q", "K", "V", "softmax"} <= last.keys():
        lines = [_value_line(group, part if part != "softmax" else "softmax(…)", last[part]) for part in _HEADS if part in last]
        return _OF_ATTENTION, lines
    formulas = [node.formula.split(",  ")[0] for node in group.chain]
    if len(formulas) <= MOST and all(formulas):
        inner = [node for node in group.chain if node not in group.outputs]
        return "\n".join(formulas), [_value_line(group, names.symbol(node), node) for node in inner]
    return "", []


def _of_recurrent_net(group: Group) -> tuple[str, list[Line]]:
    """The equations of a time step, with the values of the one the cursor is in, else of the last that is made.

    Of several nets in a group, layers or directions, it is the one of that step.
    """
    state, inside = group.state, [node for node in group.chain if moment(node) is not None]
    made = [node for node in inside if state.is_made(node.id)]
    here = state.node if state.node in inside else (made or inside)[-1 if made else 0]
    net, at = _net(here), moment(here)
    moments = sorted({moment(node) for node in inside if _net(node) == net})
    named = {group.named[node.id]: node for node in inside if _net(node) == net and moment(node) == at}
    called = next((called for called in _OF_RECURRENT_NETS if all(name in named for name in called)), None)
    if called is None:
        return "", []
    nets = {_net(node) for node in inside}
    which = " · ".join(group_title(part) for part in net[group.depth :]) if len(nets) > 1 else ""
    span = f", of t = {moments[0]} … {moments[-1]}" if len(moments) > 1 else ""
    head = Line("", " · ".join(filter(None, (which, f"t = {at}{span}"))), "muted")
    return _OF_RECURRENT_NETS[called], [head, *(_value_line(group, name, named[name]) for name in called)]


def _net(node: NodeRecord) -> tuple[str, ...]:
    """The groups around the time steps that a node is in one of."""
    place = next(place for place, part in enumerate(node.group) if part.startswith("t=") and part[2:3].isdigit())
    return node.group[:place]


def _below(group: tuple[str, ...], depth: int) -> str:
    return group[depth] if len(group) > depth else ""


# --- rows -------------------------------------------------------------------------------------------------------------


def _values(group: Group, word: str, nodes: Sequence[NodeRecord]) -> list[Line]:
    lines = [_value_line(group, f"{word} {_called(group, node)}".strip(), node) for node in nodes[:_MOST_LINES]]
    more = len(nodes) - len(lines)
    return [*lines, Line("", f"and {more} more", "muted")] if more > 0 else lines


def _called(group: Group, node: NodeRecord) -> str:
    """A parameter by its letter, anything else by its name and layer, short enough to stand beside its numbers."""
    called = group.named[node.id]
    return names.letter(node) if node.kind == "parameter" and len(called) > 5 else called


def _value_line(group: Group, label: str, node: NodeRecord) -> Line:
    value = group.state.value(node.id)
    row = group.state.row(node.id, value)
    is_column = row is not None and row.ndim == 2 and row.shape[1] == 1
    text = numbers.row(row) if is_column else figures(group.state, node.id, value)
    first, *more = text.split("\n")
    hint = f"{names.qualified(node, group.named, group.titles)} · {numbers.shape(node.shape)}\n{text}"
    tone = "faint" if value is None else "muted" if node.id not in group.nodes or node.kind == "parameter" else "text"
    return Line(label, f"{first} …" if more else first, tone, node=node.id, hint=hint)


def _gradients(group: Group) -> list[Line]:
    """Gradients of what it hands on, of its parameters, and what it sends to what it was given."""
    state = group.state
    arriving = [_gradient_line(group, f"arrives ∂L/∂{_letter(group, node)}", node) for node in group.outputs if node.gradient is not None]
    own = [_gradient_line(group, f"∂L/∂{_letter(group, node)}", node) for node in group.parameters if node.gradient is not None]
    sent = [_sent_line(group, node) for node in group.inputs if any(edge.contribution for edge in _edges(state, group, node))]
    return [*arriving[:_MOST_LINES], *own[:_MOST_LINES], *sent[:_MOST_LINES]]


def _letter(group: Group, node: NodeRecord) -> str:
    """A letter for a gradient: the node's own name where that is one."""
    called = group.named[node.id]
    is_letter = " " not in called and ("_" in called or (len(called) <= 5 and node.kind != "operation"))
    return called if is_letter else names.letter(node)


def _gradient_line(group: Group, label: str, node: NodeRecord) -> Line:
    gradient = group.state.gradient(node.id)
    return _colored(label, figures(group.state, node.id, gradient), node)


def _edges(state: TraceState, group: Group, node: NodeRecord) -> list:
    return [edge for edge in state.index.out_edges.get(node.id, ()) if edge.target in group.nodes]


def _sent_line(group: Group, node: NodeRecord) -> Line:
    """What all uses of an input in the group send back to it together."""
    state = group.state
    edges = [edge for edge in _edges(state, group, node) if edge.contribution is not None]
    label = f"sends to {_called(group, node)}"
    if any(edge not in state.arrived(node.id) for edge in edges):
        return _colored(label, NOT_YET, node)
    rows = [state.row(node.id, edge.contribution) for edge in edges]
    if any(row is None for row in rows):
        return _colored(label, figures(state, node.id, edges[0].contribution) if len(edges) == 1 else "not sent", node)
    return _colored(label, numbers.table(sum(rows[1:], rows[0])), node)


def _colored(label: str, text: str, node: NodeRecord) -> Line:
    known = text != NOT_YET
    first, *more = text.split("\n")
    tone = "backward" if known else "faint"
    return Line(label, f"{first} …" if more else first, tone, "backward" if known else "field", node.id, text, bold=known)
