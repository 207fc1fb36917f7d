"""Trace against trace of the same iteration of two runs: the first thing in the order of the iteration whose bits differ."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from nnviz.document.network import split_parameter
from nnviz.engine.observe.batch_axis import batch_axes
from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.measures import plain
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.divergence_record import Divergence, Place
from nnviz.records.trace_record import TraceRecord
from nnviz.trace import Node, Trace


class Item(NamedTuple):
    """One tensor of an iteration, in the order in which it is made."""

    phase: str
    what: str
    role: tuple
    """What it is, in two traces that compute the same things."""
    tensor: Tensor
    node: int | None = None
    receiver: int | None = None
    symbol: str = ""


def first_difference(one: Captured, other: Captured) -> Divergence | None:
    """Return where two traces of the same iteration differ first, values by their bits; None if they do not.

    If they compute different things, it is the first of these, whatever their numbers. What layers are called makes no difference.
    """
    captured = one, other
    found = _parting(one.trace, other.trace) or _first(
        list(_items(one.trace)), list(_items(other.trace)), batch_axes(one.trace, len(one.rows), one.batch_axis)
    )
    if found is None:
        return _other_rows(captured)
    places = tuple(map(_completed, found.places, captured, [found] * 2))
    return replace(found, iteration=one.iteration + 1, places=places, traces=tuple(map(_skeleton, captured)))


# --- what there is to compare ---


def _items(trace: Trace) -> Iterator[Item]:
    """All tensors: parameters and batch, then what the forward pass, the loss, the backward pass, clipping and the updates make of them."""
    sources: dict[str, list[Node]] = {"start": [], "batch": [], "": []}
    for node in trace.nodes:
        sources["start" if node.kind in ("parameter", "buffer") else "batch" if node.kind == "input" else ""].append(node)
    for phase, nodes in sources.items():
        for node in nodes:
            yield from (Item(phase or node.phase, "value", (node.id, port), value, node.id) for port, value in enumerate(node.values))
    sent: dict[int, list[Item]] = {}
    for node in trace.nodes:
        for part in node.contributions:
            role = part.source, part.argument, node.id, part.output
            sent.setdefault(part.source, []).append(Item("backward", "gradient", role, part.gradient, part.source, node.id))
    for step in trace.steps:
        if step.phase == "backward":
            yield from sorted(sent.get(step.node, ()), key=lambda item: item.role)
    yield from _clipping(trace)
    owners = {step.parameter: step.node for step in trace.steps if step.phase == "update"}
    for update in trace.updates:
        node = owners[update.parameter]
        for row in update.rows:
            yield Item("update", "row", (node, row.symbol), row.value, node, symbol=row.symbol)
        yield Item("update", "row", (node, "after"), update.after, node, symbol="after")


def _clipping(trace: Trace) -> Iterator[Item]:
    clipping = trace.clipping
    if clipping is None:
        return
    limit = None if clipping.limit is None else torch.tensor(clipping.limit, dtype=torch.float64)
    for symbol, tensor in (("norm", clipping.total), ("coefficient", clipping.coefficient), ("limit", limit)):
        if tensor is not None:
            yield Item("clip", "row", ("clip", symbol), tensor, symbol=symbol)


# --- how they differ ---


def _first(one: list[Item], other: list[Item], axes: dict[int, int]) -> Divergence | None:
    for mine, its in zip_longest(one, other):
        if mine is None or its is None or (mine.phase, mine.role) != (its.phase, its.role):
            return _parted(mine, its, one, other)
        found = tensor_difference(mine.tensor, its.tensor)
        if found is not None:
            axis = axes.get(mine.node if mine.receiver is None else mine.receiver)
            row = found.element[axis] if axis is not None and found.element and mine.phase != "update" else None
            places = [_place(item, value) for item, value in zip((mine, its), found.values or (None, None), strict=True)]
            return Divergence(
                0, mine.phase, mine.what, tuple(places), row, found.element, found.difference, found.differing, found.elements
            )
    return None


def _parted(mine: Item | None, its: Item | None, one: list[Item], other: list[Item]) -> Divergence:
    """From here on one has what the other lacks; what the other has further on as well it does not lack."""
    roles = [{(item.phase, item.role) for item in items} for items in (one, other)]
    lacking = [
        item is not None and (item.phase, item.role) not in theirs for item, theirs in zip((mine, its), reversed(roles), strict=True)
    ]
    shown = [item if is_new or not any(lacking) else None for item, is_new in zip((mine, its), lacking, strict=True)]
    first = next(item for item in shown if item is not None)
    return Divergence(0, first.phase, first.what, tuple(map(_place, shown)))


def _parting(one: Trace, other: Trace) -> Divergence | None:
    """The first node from which on they compute different things."""
    if [_role(node) for node in one.nodes] == [_role(node) for node in other.nodes]:
        return None
    pairs = zip_longest(one.nodes, other.nodes)
    pair = next(
        pair
        for pair in pairs
        if None in pair or (_role(pair[0]), pair[0].label, pair[0].module) != (_role(pair[1]), pair[1].label, pair[1].module)
    )
    places = (Place() if node is None else Place(node.id, shape=node.shape) for node in pair)
    return Divergence(0, next(node.phase for node in pair if node is not None), "graph", tuple(places))


def _role(node: Node) -> tuple:
    """What a node computes, of what."""
    is_own = node.kind in ("parameter", "buffer")
    own = (split_parameter(node.label).tensor, node.shape) if is_own else ()
    kind = "operation" if node.kind == "loss" else node.kind  # with a penalty, the loss is the sum
    return kind, node.operation, node.phase, node.inputs, node.ports, own


def _place(item: Item | None, value: float | None = None) -> Place:
    if item is None:
        return Place()
    return Place(item.node, item.receiver, None, item.symbol, tuple(item.tensor.shape), value)


def _completed(place: Place, captured: Captured, found: Divergence) -> Place:
    """With the step it is made in, and the training row it belongs to."""
    at = (step.index + 1 for step in captured.trace.steps if step.phase == found.phase and _is_made(step.node, found, place, captured))
    row = None if found.row is None or place.node is None else int(captured.rows[found.row])
    return replace(place, step=next(at, None), row=row)


def _is_made(node: int | None, found: Divergence, place: Place, captured: Captured) -> bool:
    """Whether a step at this node, of the phase, makes what differs. What no step makes is there once something is made of it."""
    if found.phase == "batch" or node == place.node:
        return True
    return (
        node is not None
        and place.node is not None
        and found.phase in ("forward", "loss")
        and place.node in captured.trace.nodes[node].inputs
    )


def _other_rows(captured: tuple[Captured, Captured]) -> Divergence | None:
    """Other rows of the training data that hold the same numbers."""
    one, other = (each.rows.numpy() for each in captured)
    if np.array_equal(one, other):
        return None
    row = int(np.flatnonzero(one != other)[0])
    places = tuple(Place(0, step=1, row=int(rows[row])) for rows in (one, other))
    differing, traces = int((one != other).sum()), tuple(map(_skeleton, captured))
    return Divergence(captured[0].iteration + 1, "batch", "rows", places, row, (), None, differing, one.size, traces=traces)


class TensorDifference(NamedTuple):
    """How two tensors differ."""

    element: tuple[int, ...] = ()
    """Where most; of two that are not equally large there is none."""
    values: tuple[float, float] | None = None
    difference: float | None = None
    differing: int = 0
    elements: int = 0


def tensor_difference(one: Tensor, other: Tensor) -> TensorDifference | None:
    """Return how two tensors differ in their bits; None if they do not."""
    mine, its = plain(one).contiguous().numpy(), plain(other).contiguous().numpy()
    if mine.shape != its.shape or mine.dtype != its.dtype:
        return TensorDifference()
    if mine.tobytes() == its.tobytes():
        return None
    differs = (_bits(mine) != _bits(its)).reshape(*mine.shape, -1).any(-1)
    with np.errstate(all="ignore"):
        away = np.abs(mine.astype(np.complex128 if mine.dtype.kind == "c" else np.float64) - its)
    away = np.where(differs, np.where(np.isnan(away), np.inf, away), -1.0)
    element = tuple(int(place) for place in np.unravel_index(int(away.argmax()), away.shape))
    largest = float(away[element])
    values = tuple(float(np.real(tensor[element])) for tensor in (mine, its))
    return TensorDifference(element, values, largest if np.isfinite(largest) else None, int(differs.sum()), differs.size)


def _bits(array: np.ndarray) -> np.ndarray:
    return np.frombuffer(array.tobytes(), dtype=np.uint8).reshape(*array.shape, array.dtype.itemsize)


def _skeleton(captured: Captured) -> TraceRecord:
    """The record of a trace without any tensors: its nodes, their names, its steps."""
    record = to_record(captured._replace(measured=lambda tensor: None))
    bare: dict[str, Any] = {"value": None, "gradient": None, "dropped": None, "winners": None, "marks": None, "others": ()}
    nodes = tuple(replace(node, **bare) for node in record.nodes)
    return replace(record, nodes=nodes, edges=(), updates=(), agreements=(), outputs={}, notes=())
