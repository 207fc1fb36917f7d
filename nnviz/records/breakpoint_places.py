"""Where breakpoints hold in a trace: pure functions from (trace, breakpoints) to places of the cursor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np

from nnviz.document.breakpoints import CONDITIONS, Breakpoint, reason
from nnviz.records.tensors import Tensor
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_places import places_of
from nnviz.records.trace_record import NodeRecord

FORWARD = ("forward", "loss")
REMEMBERED = ("m", "v", "vₘₐₓ", "s", "ḡ", "buf")
"""The symbols of what an optimizer keeps for its next step; of one without formulas these end in ", after"."""


class BreakpointPlace(NamedTuple):
    """A place of the cursor at which a breakpoint holds for the first time, or once more."""

    cursor: int
    breakpoint: Breakpoint
    node: int
    place: str
    """The layer, parameter or node it holds for, by its name."""
    value: float | None = None

    def reason(self, titles: Mapping[str, str]) -> str:
        """Return what holds, where, and the value. `titles`: layer id -> name on the screen."""
        return reason(self.breakpoint, self.place, self.value, titles)


def places_reached(index: TraceIndex, breakpoints: Iterable[Breakpoint], previous_loss: float | None = None) -> list[BreakpointPlace]:
    """Return where these hold, in the order of the schedule, as far as they are on.

    `previous_loss` is that of the iteration before; None for the first.
    """
    reached = [place for one in breakpoints if one.enabled for place in _reached(index, one, previous_loss)]
    return sorted(reached, key=lambda place: place.cursor)


def first_between(places: list[BreakpointPlace], start: int, end: int) -> BreakpointPlace | None:
    """Return the first of these on the way from one cursor to another, either way; the end belongs to the way, the start does not."""
    if end >= start:
        return next((place for place in places if start < place.cursor <= end), None)
    return next((place for place in reversed(places) if end <= place.cursor < start), None)


def first_non_finite(index: TraceIndex) -> BreakpointPlace | None:
    """Return where a value or gradient is NaN or infinite for the first time in the order of the schedule; None if nowhere."""
    return next(_reached(index, Breakpoint("non_finite"), None), None)


def _reached(index: TraceIndex, one: Breakpoint, previous_loss: float | None) -> Iterator[BreakpointPlace]:
    reached = (place for place in _PLACES[one.kind](index, one) if one.holds(place.value, previous_loss))
    return islice(reached, 1 if CONDITIONS[one.kind].is_first_only else None)


def is_in_trace(index: TraceIndex, breakpoint: Breakpoint) -> bool:
    """Return whether a breakpoint can hold in such a trace: not if it is on a node or parameter that the trace does not have."""
    return not breakpoint.is_at_a_place or node_of(index, breakpoint) is not None


# --- names that survive a new trace ---


def target_of(index: TraceIndex, node: int) -> tuple[str, str]:
    """Return kind and target of the breakpoint on a node: a parameter by its name, any other by groups and label ("h1/relu#2")."""
    record = index.node(node)
    if record.kind == "parameter":
        return "parameter", index.tensor_of(node).label
    path = _path(record)
    number = sum(_path(other) == path for other in index.trace.nodes[: node + 1] if other.kind != "parameter")
    return "node", path if number == 1 else f"{path}#{number}"


def node_of(index: TraceIndex, breakpoint: Breakpoint) -> int | None:
    """Return the node a breakpoint on a node or parameter means in this trace; None if there is none.

    Of the single weights of a parameter it is the last, with which all have their gradients.
    """
    return next(iter(reversed(_nodes_of(index, breakpoint))), None)


def _nodes_of(index: TraceIndex, breakpoint: Breakpoint) -> list[int]:
    """The same, but all single weights of a parameter."""
    if breakpoint.kind == "parameter":
        named = (node.id for node in index.whole.trace.nodes if (node.kind, node.label) == ("parameter", breakpoint.target))
        whole = next(named, None)
        if whole is None:
            return []
        return list(index.scalars_of[whole].values()) if index.is_scalar else [whole]
    path, _, number = breakpoint.target.partition("#")
    same = [node.id for node in index.trace.nodes if node.kind != "parameter" and _path(node) == path]
    place = int(number) - 1 if number.isdigit() else 0
    return same[place : place + 1] if place >= 0 else []


def nodes_with_breakpoint(index: TraceIndex, breakpoints: Iterable[Breakpoint]) -> dict[int, bool]:
    """Return the nodes that have a breakpoint of their own, and whether it is on."""
    return {node: one.enabled for one in breakpoints if one.is_at_a_place for node in _nodes_of(index, one)}


def _path(node: NodeRecord) -> str:
    return "/".join((*node.group, node.label))


# --- what each kind looks at, in the order of the schedule, with the number that is found there ---


def _place(index: TraceIndex, one: Breakpoint) -> Iterator[BreakpointPlace]:
    node = node_of(index, one)
    if node is not None:
        yield from (BreakpointPlace(cursor, one, node, one.target) for cursor in places_of(index, node))


def _loss(index: TraceIndex, one: Breakpoint) -> Iterator[BreakpointPlace]:
    node = next((node.id for node in index.trace.nodes if node.kind == "loss"), None)
    if node is not None:
        yield BreakpointPlace(index.made_at.get(node, index.length), one, node, "loss", index.trace.loss)


def _gradients(index: TraceIndex, one: Breakpoint) -> Iterator[BreakpointPlace]:
    """Of every parameter, where its gradient is complete."""
    for node in index.trace.nodes:
        if node.kind == "parameter" and node.gradient is not None and one.covers(index.tensor_of(node.id).label):
            for cursor in places_of(index, node.id)[:1]:
                yield BreakpointPlace(cursor, one, node.id, node.label, largest(index, node.gradient))


def _activations(index: TraceIndex, one: Breakpoint) -> Iterator[BreakpointPlace]:
    """Of every layer, where its output is made."""
    for layer, node in _outputs(index):
        if one.covers(layer):
            yield BreakpointPlace(index.made_at[node.id], one, node.id, layer, largest(index, node.value))


def _outputs(index: TraceIndex) -> list[tuple[str, NodeRecord]]:
    """Of every layer the operation that makes its output, or the neurons of it; for one that passes its input on that of another."""
    layers: dict[int, list[str]] = defaultdict(list)
    for layer, output in index.whole.trace.outputs.items():
        layers[output.node].append(layer)
    made = [node for node in index.trace.nodes if node.id in index.made_at]
    return [(layer, node) for node in made for layer in layers.get(index.tensor_of(node.id).id, ())]


def _everything(index: TraceIndex, one: Breakpoint) -> Iterator[BreakpointPlace]:
    """−∞ behind a mask counts for none."""
    completed = _completed(index)
    for step in index.trace.steps:
        for node, tensor in _news(index, step.phase, step.node, step.others, completed[step.index]):
            if index.node(node).is_masked and step.phase in ("batch", *FORWARD):
                continue
            yield BreakpointPlace(step.index + 1, one, node, _name(index.node(node)), float(non_finite(index, tensor)))


def _news(index: TraceIndex, phase: str, node: int, others: tuple[int, ...], completed: list[int]) -> Iterator[tuple[int, Tensor | None]]:
    """The tensors that a step makes known, each with its node."""
    if phase == "batch":
        yield from ((source.id, source.value) for source in index.trace.nodes if source.id not in index.made_at)
    elif phase in FORWARD:
        yield node, index.node(node).value
    elif phase == "backward":
        yield from ((source, index.node(source).gradient) for source in completed)
    elif phase == "update":
        for id in (node, *others):
            update = index.updates[id]
            yield from ((id, row.value) for row in update.rows if row.symbol in REMEMBERED or row.symbol.endswith(", after"))
            yield id, update.after


def _completed(index: TraceIndex) -> dict[int, list[int]]:
    """For each backward step the nodes whose gradient it completes."""
    found = defaultdict(list)
    for node, edges in index.out_edges.items():
        arrivals = [index.backward_at[edge.target] for edge in edges if edge.contribution is not None and edge.target in index.backward_at]
        if arrivals:
            found[max(arrivals) - 1].append(node)
    return found


def _name(node: NodeRecord) -> str:
    if node.kind in ("parameter", "loss") or not node.group:
        return node.label
    return f"{node.group[0]}.{node.label}" if node.label != node.group[0] else node.label


_PLACES: dict[str, Callable[[TraceIndex, Breakpoint], Iterator[BreakpointPlace]]] = {
    "node": _place,
    "parameter": _place,
    "non_finite": _everything,
    "gradient": _gradients,
    "activation": _activations,
    "loss_rising": _loss,
}


# --- tensors, whole or measured ---


def largest(index: TraceIndex, tensor: Tensor | None) -> float:
    """Return the largest |element|, infinite ones included; NaN if any is NaN, or there is none."""
    values = index.array(tensor)
    if values is not None:
        return float(np.abs(values).max()) if values.size else float("nan")
    measure = tensor.measure if tensor else None
    if measure is None or not measure.count:
        return float("nan")
    return float("inf") if measure.non_finite else max(abs(measure.min), abs(measure.max))


def non_finite(index: TraceIndex, tensor: Tensor | None) -> int:
    """Return how many elements are NaN or infinite."""
    values = index.array(tensor)
    if values is not None:
        return int(values.size - np.isfinite(values).sum()) if values.dtype.kind in "fc" else 0
    return tensor.measure.non_finite if tensor and tensor.measure else 0
