"""Where breakpoints hold in a trace: pure functions from (trace, breakpoints) to places of the cursor. They stop nothing themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from nnviz.document.breakpoints import Breakpoint, reason
from nnviz.records.run_records import BreakpointHit
from nnviz.records.tensors import Tensor
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_places import places_of
from nnviz.records.trace_record import NodeRecord

FORWARD = ("forward", "loss")


class BreakpointPlace(NamedTuple):
    """A place of the cursor at which a breakpoint holds for the first time, or once more."""

    cursor: int
    breakpoint: Breakpoint
    node: int
    place: str
    """The layer, parameter or node it holds for, by its name."""
    value: float | None = None

    def said(self, titles: Mapping[str, str]) -> str:
        """Return what holds, where, and the value. `titles`: layer id -> name on the screen."""
        return reason(self.breakpoint, self.place, self.value, titles)


def halts(index: TraceIndex, breakpoints: Iterable[Breakpoint], previous_loss: float | None = None) -> list[BreakpointPlace]:
    """Return where these hold, in the order of the schedule, as far as they are on.

    `previous_loss` is that of the iteration before; None for the first.
    """
    found = [halt for one in breakpoints if one.enabled for halt in _FINDERS[one.kind](index, one, previous_loss)]
    return sorted(found, key=lambda halt: halt.cursor)


def first_non_finite(index: TraceIndex) -> BreakpointPlace | None:
    """Return where a value or gradient is NaN or infinite for the first time in the order of the schedule; None if nowhere."""
    return next(_non_finite(index, Breakpoint("non_finite"), None), None)


def present(index: TraceIndex, breakpoints: Iterable[Breakpoint]) -> tuple[Breakpoint, ...]:
    """Return those that can hold in such a trace: not those on a node or parameter it does not have."""
    return tuple(one for one in breakpoints if not one.is_at_a_place or node_of(index, one) is not None)


def told(index: TraceIndex, hit: BreakpointHit, previous_loss: float | None, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return what has stopped training, and the first place where it holds in this trace, as a plain value."""
    one = hit.breakpoint
    halt = next(iter(halts(index, [one], previous_loss)), None)  # None where a number lies on the threshold but for its rounding
    return {
        **{name: getattr(one, name) for name in ("kind", "target", "comparison", "threshold")},
        "iteration": index.trace.iteration + 1,
        "node": target_of(index, halt.node)[1] if halt else hit.place,
        "phase": index.trace.steps[halt.cursor - 1].phase if halt else None,
        "step": halt.cursor if halt else None,
        "value": hit.value,
        "reason": reason(one, hit.place, hit.value, titles),
    }


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


def marks(index: TraceIndex, breakpoints: Iterable[Breakpoint]) -> dict[int, bool]:
    """Return the nodes that have a breakpoint of their own, and whether it is on."""
    return {node: one.enabled for one in breakpoints if one.is_at_a_place for node in _nodes_of(index, one)}


def _path(node: NodeRecord) -> str:
    return "/".join((*node.group, node.label))


# --- one finder per kind ---


def _place(index: TraceIndex, one: Breakpoint, previous: float | None) -> Iterator[BreakpointPlace]:
    node = node_of(index, one)
    if node is not None:
        yield from (BreakpointPlace(place, one, node, one.target) for place in places_of(index, node))


def _loss_rising(index: TraceIndex, one: Breakpoint, previous: float | None) -> Iterator[BreakpointPlace]:
    node = next((node.id for node in index.trace.nodes if node.kind == "loss"), None)
    if node is not None and previous is not None and index.trace.loss > previous + one.threshold:
        yield BreakpointPlace(index.made_at.get(node, index.length), one, node, "loss", index.trace.loss)


def _gradient(index: TraceIndex, one: Breakpoint, previous: float | None) -> Iterator[BreakpointPlace]:
    """Where the gradient of a parameter is complete."""
    for node in index.trace.nodes:
        if node.kind == "parameter" and node.gradient is not None and one.covers(index.tensor_of(node.id).label):
            value, places = largest(index, node.gradient), places_of(index, node.id)
            if places and one.is_beyond(value):
                yield BreakpointPlace(places[0], one, node.id, node.label, value)


def _activation(index: TraceIndex, one: Breakpoint, previous: float | None) -> Iterator[BreakpointPlace]:
    """Where the output of a layer is made."""
    for layer, node in _outputs(index):
        value = largest(index, node.value) if one.covers(layer) else float("nan")
        if one.is_beyond(value):
            yield BreakpointPlace(index.made_at[node.id], one, node.id, layer, value)


def _outputs(index: TraceIndex) -> list[tuple[str, NodeRecord]]:
    """Of every layer the operation that makes its output, or the neurons of it; for one that passes its input on that of another."""
    layers: dict[int, list[str]] = defaultdict(list)
    for layer, output in index.whole.trace.outputs.items():
        layers[output.node].append(layer)
    made = [node for node in index.trace.nodes if node.id in index.made_at]
    return [(layer, node) for node in made for layer in layers.get(index.tensor_of(node.id).id, ())]


def _non_finite(index: TraceIndex, one: Breakpoint, previous: float | None) -> Iterator[BreakpointPlace]:
    """The first place only: behind it all that depends on it is spoiled."""
    completed = _completed(index)
    for step in index.trace.steps:
        for node, tensor in _news(index, step.phase, step.node, step.others, completed[step.index]):
            if count := non_finite(index, tensor):
                yield BreakpointPlace(step.index + 1, one, node, _name(index.node(node)), float(count))
                return


def _news(index: TraceIndex, phase: str, node: int, others: tuple[int, ...], completed: list[int]) -> Iterator[tuple[int, Tensor | None]]:
    """The tensors that a step makes known, each with its node."""
    if phase == "batch":
        yield from ((source.id, source.value) for source in index.trace.nodes if source.id not in index.made_at)
    elif phase in FORWARD:
        yield node, index.node(node).value
    elif phase == "backward":
        yield from ((source, index.node(source).gradient) for source in completed)
    elif phase == "update":
        yield from ((id, index.updates[id].after) for id in (node, *others))


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


_FINDERS = {
    "node": _place,
    "parameter": _place,
    "non_finite": _non_finite,
    "gradient": _gradient,
    "activation": _activation,
    "loss_rising": _loss_rising,
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
        return int(values.size - np.isfinite(values).sum()) if values.dtype.kind == "f" else 0
    return tensor.measure.non_finite if tensor and tensor.measure else 0
