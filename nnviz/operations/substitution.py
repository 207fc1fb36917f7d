"""A node's forward formula with the numbers of one element put in: "z[1] = 0.8·1.3 − 0.3·0.7 + 0.9 = 1.73". Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nnviz.operations import losses
from nnviz.operations.operation import UNKNOWN
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sequences import encoding
from nnviz.operations.table import recorded, row_of
from nnviz.operations.writing import Substitution
from nnviz.records.trace_record import NodeRecord, WhatIf
from nnviz.records.trace_state import TraceState
from nnviz.text import numbers
from nnviz.text.names import symbol
from nnviz.text.numbers import number
from nnviz.text.what_if_text import covers, touches

TOLERANCE = 2e-4
"""Relative difference of what the numbers give from the node's value, beyond which nothing is said: it may be in half precision."""


def holds_for_means(state: TraceState, node: NodeRecord) -> bool:
    """Return whether what an operation does with every row it does with their mean."""
    batched = [state.index.node(k).batch_axis is not None for k in node.inputs]
    match row_of(node.operation).linear_in:
        case "all":
            return True
        case "each" if sum(batched) == 1:
            return True
        case "first" if batched[1:] != [True]:
            return True
    return not any(batched)


@np.errstate(all="ignore")  # an overflow gives another value than the node's, and then nothing is said
def substituted(state: TraceState, node: NodeRecord, element: tuple[int, ...]) -> str:
    """Return the formula with numbers for one element (without the batch axis); empty where there is nothing to put in."""
    if node.whole is not None:
        return _of_neuron(state, node)
    value = state.row(node.id, state.value(node.id))
    is_mean = state.sample is None and node.batch_axis is not None
    if (
        value is None
        or value.dtype.kind == "c"
        or len(element) != value.ndim
        or node.kind == "parameter"
        or (is_mean and not holds_for_means(state, node))
    ):
        return ""
    return _written(state, node, element, float(value[element]))


def _of_neuron(state: TraceState, node: NodeRecord) -> str:
    """A neuron is one element of a tensor of the same iteration, which the formula is about."""
    if not state.is_made(node.id) or node.element is None or node.kind == "parameter":
        return ""
    whole = TraceState(state.index.whole, state.index.whole.length, state.sample)
    return substituted(whole, whole.index.node(node.whole), node.element)


def _written(state: TraceState, node: NodeRecord, element: tuple[int, ...], value: float) -> str:
    place = _with_row(state, node, element)
    supposed = [what_if for what_if in state.index.supposed(node.id) if touches(what_if, place)]
    if not all(covers(what_if, place) for what_if in supposed):
        return ""
    left = f"{symbol(node)}{numbers.place(element)}"
    if any(what_if.kind != "scale" for what_if in supposed):
        return f"{left} = {number(value)}, set by hand"
    factor = math.prod(what_if.value for what_if in supposed)
    full = tuple(0 if index is None else index for index in place)
    call = recorded(state, node, full, value / factor if factor else 0.0)
    part = _row_of_loss(call) if not supposed else None
    if part:
        return f"this row: {part.text} = {number(part.value)}"
    said = _said(call)
    return _equation(left, _scaled(said, supposed), value) if said else ""


def _said(call: RecordedCall) -> Substitution | None:
    """What the operation's rule says, unless it knows no such call or its numbers do not give the node's."""
    is_encoding = call.node.kind == "buffer" and call.node.label.endswith(".encoding") and len(call.node.shape) == 2
    try:
        said = encoding(call) if is_encoding else row_of(call.node.operation).substituted(call)
    except UNKNOWN:
        return None
    return said if said and _is_same(said.value, call.value) else None


def _row_of_loss(call: RecordedCall) -> Substitution | None:
    """The chosen row's part of a loss over the batch."""
    state, node, parts = call.state, call.node, row_of(call.node.operation).parts
    axis = state.index.node(node.inputs[0]).batch_axis if node.inputs else None
    if parts is None or axis is None or node.batch_axis is not None or state.sample is None:
        return None
    try:
        return losses.of_row(call, parts(call), state.sample, axis)
    except UNKNOWN:
        return None


def _is_same(found: float, value: float) -> bool:
    return math.isclose(found, value, rel_tol=TOLERANCE, abs_tol=TOLERANCE * 1e-2) or (math.isnan(found) and math.isnan(value))


def _equation(left: str, said: Substitution, value: float) -> str:
    first, *more = said.text.split("\n")
    return "\n".join([f"{left} = {first} = {number(value)}", *more])


def _scaled(said: Substitution, what_ifs: Sequence[WhatIf]) -> Substitution:
    for what_if in what_ifs:
        said = Substitution(f"{number(what_if.value)}·({said.text})", what_if.value * said.value)
    return said


def _with_row(state: TraceState, node: NodeRecord, element: tuple[int, ...]) -> tuple[int | None, ...]:
    full: list[int | None] = list(element)
    if node.batch_axis is not None:
        full.insert(node.batch_axis, state.sample)
    return tuple(full)
