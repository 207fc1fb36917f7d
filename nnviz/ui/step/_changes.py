"""What a step changes in the parameters, as rows of text: each number before and after. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnviz.records.tensors import Tensor
from nnviz.records.trace_record import NodeRecord
from nnviz.records.trace_state import TraceState
from nnviz.text import numbers
from nnviz.ui.step.chain import NOT_YET, own_symbol
from nnviz.ui.widgets.lines import Line

MOST_TOGETHER = 8
"""Weights that one step updates which are listed."""


def update_lines(state: TraceState, node: NodeRecord, element: tuple[int, ...], named: Mapping[int, str]) -> list[Line]:
    """Return what the step changes: the element of a parameter; of neurons all weights that change with it, each before and after."""
    step = state.step
    together = (step.node, *step.others) if step and step.phase == "update" and step.others else ()
    if node.id in together:
        shown = [state.index.node(id) for id in together[:MOST_TOGETHER]]
        lines = [_changed(state, one, (), named[one.id], is_here=one.id == node.id) for one in shown]
        more = len(together) - len(shown)
        return [*lines, Line("", f"and {more} more", "muted")] if more else lines
    return [_changed(state, node, element, f"{own_symbol(node)}{numbers.place(element)}")]


def _changed(state: TraceState, node: NodeRecord, element: tuple[int, ...], called: str, is_here: bool = True) -> Line:
    """ "W[1, 0]  0.8 − 0.3981 = 0.4019"; before the update what it is."""
    update = state.index.updates[node.id]
    before, after = (_number(state, tensor, element) for tensor in (update.before, update.after))
    if before is None or not state.is_updated(node.id):
        return Line(called, NOT_YET if before is None else f"{numbers.number(before)}, not updated yet", "faint", "field", node.id)
    change = after - before
    if isinstance(change, complex):
        text = f"{numbers.number(before)} + ({numbers.number(change)}) = {numbers.number(after)}"
    else:
        sign = numbers.MINUS if after < before else "+"
        text = f"{numbers.number(before)} {sign} {numbers.number(abs(change))} = {numbers.number(after)}"
    return Line(called, text, "update", "update" if is_here else "field", node.id, bold=is_here, wraps=True)


def _number(state: TraceState, tensor: Tensor, element: tuple[int, ...]) -> float | complex | None:
    array = state.index.array(tensor)
    if array is None:
        return None
    return (array.reshape(-1)[0] if array.size == 1 else array[element]).item()


def most_changed(state: TraceState) -> NodeRecord | None:
    """Return the node of the present step; where it updates several weights the one that changes most."""
    step = state.step
    if step is None or step.phase != "update" or not step.others:
        return state.node
    changes = {id: state.index.change(id) for id in (step.node, *step.others)}
    known = {id: float(np.abs(change).max()) for id, change in changes.items() if change is not None and change.size}
    return state.index.node(max(known, key=known.__getitem__)) if known else state.node
