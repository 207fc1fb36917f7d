"""Formulas with the numbers of one element put in: "z[1] = 0.8·1.3 + 0.9 = 1.94", and of what a node sends to its inputs. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from nnviz.operations import losses
from nnviz.operations.operation import UNKNOWN
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import SentCall
from nnviz.operations.sequences import encoding
from nnviz.operations.table import recorded, row_of
from nnviz.operations.writing import Substitution
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_record import EdgeRecord, NodeRecord, WhatIf
from nnviz.records.trace_state import TraceState
from nnviz.text import numbers
from nnviz.text.names import symbol
from nnviz.text.numbers import MINUS, number
from nnviz.text.what_if_text import covers, touches

TOLERANCE = 2e-4
"""Relative difference of what the numbers give from the node's value, beyond which nothing is said: it may be in half precision."""

_PRODUCT = re.compile(rf"(?!.*\s[+{MINUS}]\s)[\d.e{MINUS}()·/\s]+")
"""Factors and divisors only: nothing cancels in it, and its result is right to the last digits however small it is."""


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
def substituted(state: TraceState, node: NodeRecord, element: tuple[int, ...], called: str = "") -> str:
    """Return the formula with numbers for one element (without the batch axis); empty where there is nothing to put in.

    `called`: what the value is called, if not by the letter of its formula.
    """
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
    return _written(state, node, element, float(value[element]), called)


@np.errstate(all="ignore")
def sent(state: TraceState, edge: EdgeRecord, element: tuple[int, ...]) -> Substitution | None:
    """Return what an operation sends to one element of an input (without the batch axis) with the numbers put in.

    None where there is nothing to put in, where the numbers do not give the contribution, and for means over the batch.
    """
    node, source = state.index.node(edge.target), state.index.node(edge.source)
    at = _with_row(state, source, element)
    row = state.row(source.id, edge.contribution)
    if None in at or row is None or len(element) != row.ndim or state.index.supposed(node.id) or _is_complex(state, node, source):
        return None
    whole = state if state.sample is not None else TraceState(state.index, state.cursor, 0)
    try:
        upstream = _upstream(whole, node)
        said = row_of(node.operation).sent_to(SentCall(recorded(whole, node), upstream, edge.argument, at, _local(whole, node, edge)))
    except (*UNKNOWN, StopIteration):
        return None
    return said if said and _gives(said, float(row[element])) else None


def _is_complex(state: TraceState, *nodes: NodeRecord) -> bool:
    """Whether one of these, or of what made the first, has complex numbers: no rule is about them."""
    around = [*nodes, *(state.index.node(id) for id in nodes[0].inputs)]
    arrays = [state.index.array(tensor) for node in around for tensor in (node.value, node.gradient)]
    return any(array is not None and array.dtype.kind == "c" for array in arrays)


def _upstream(state: TraceState, node: NodeRecord) -> np.ndarray:
    """∂L/∂ of a node with all its axes. Of one too large to travel every row is the chosen one."""
    whole = state.index.array(node.gradient)
    if whole is not None:
        return whole.astype(float)
    row = state.row(node.id, node.gradient)
    if row is None or node.batch_axis is None:
        raise LookupError("the gradient is not here")
    return np.broadcast_to(np.expand_dims(row, node.batch_axis).astype(float), node.shape)


def _local(state: TraceState, node: NodeRecord, edge: EdgeRecord) -> np.ndarray | None:
    """∂node/∂source with all axes, where it is known."""
    if edge.local is not None:
        return to_numpy(edge.local).astype(float)
    asked = state.index.local(edge, state.sample)
    if asked is None or not asked[1] or node.batch_axis is None:
        return None if asked is None else asked[0].astype(float)
    return np.broadcast_to(np.expand_dims(asked[0], node.batch_axis).astype(float), node.shape)


def _of_neuron(state: TraceState, node: NodeRecord) -> str:
    """A neuron is one element of a tensor of the same iteration, which the formula is about."""
    if not state.is_made(node.id) or node.element is None or node.kind == "parameter":
        return ""
    whole = TraceState(state.index.whole, state.index.whole.length, state.sample)
    return substituted(whole, whole.index.node(node.whole), node.element)


def _written(state: TraceState, node: NodeRecord, element: tuple[int, ...], value: float, called: str) -> str:
    place = _with_row(state, node, element)
    supposed = [what_if for what_if in state.index.supposed(node.id) if touches(what_if, place)]
    if not all(covers(what_if, place) for what_if in supposed):
        return ""
    left = f"{called or symbol(node)}{numbers.place(element)}"
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
    return said if said and _gives(said, call.value) else None


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


def _gives(said: Substitution, value: float) -> bool:
    """Whether the numbers give the value, but for rounding."""
    least = 0.0 if _PRODUCT.fullmatch(said.text) else TOLERANCE * 1e-2
    return math.isclose(said.value, value, rel_tol=TOLERANCE, abs_tol=least) or (math.isnan(said.value) and math.isnan(value))


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
