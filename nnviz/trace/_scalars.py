"""A whole trace opened into scalars: every element of every node by itself, with what it takes from others and sends back to them.

The rows of a batch stay together: a scalar of a batched node is one number per row. Every number is the trace's own, or that of
its recorded call made again alone; nothing here may know one operation from another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from .record import Node, Step, TraceError, perform
from .trace import Trace

Index = tuple[int, ...]
Place = tuple[int, int]  # a node, and which of its outputs
LARGEST = 600  # scalars of a trace that can be opened


class ScalarLink(NamedTuple):
    """What a scalar takes from another one, and what it sends back to it; both as (rows,) where rows differ, else ()."""

    source: int
    contribution: Tensor | None
    local: Tensor | None  # ∂scalar/∂source, row by row; None where rows of a batch mix, or torch knows none


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One element of one output of a node."""

    id: int
    node: int
    port: int
    element: Index  # without the batch axis
    is_batched: bool
    value: Tensor  # (rows,) if batched, else ()
    gradient: Tensor | None
    links: tuple[ScalarLink, ...]  # in the order of the node's inputs


class ScalarStep(NamedTuple):
    """One step at one scalar; an update step is about a whole neuron: all weights that only it uses first, `others` included."""

    index: int
    phase: str
    scalar: int | None
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Scalars:
    """`scalars[i].id == i`. `places[cursor]`: how many steps of the trace itself are wholly made after so many of these steps."""

    trace: Trace
    scalars: tuple[Scalar, ...]
    steps: tuple[ScalarStep, ...]
    places: tuple[int, ...]


class TooManyScalars(TraceError):
    """The iteration is too large to be opened into scalars; other details show it."""


def open_scalars(trace: Trace, batched: Collection[int] = (), largest: int = LARGEST) -> Scalars:
    """The trace opened. `batched`: the nodes whose first axis counts the rows of the batch.

    A scalar is linked to what it depends on here or at other values: a dead unit keeps its links, with derivative 0.
    Raises TooManyScalars, with the count, if there are more than `largest`; TraceError for complex numbers, which are two each.
    """
    if any(value.is_complex() for node in trace.nodes for value in node.values):
        raise TraceError("Complex numbers are not shown one by one: choose another detail.")
    opener = _Opener(trace, batched)
    if opener.count > largest:
        raise TooManyScalars(
            f"This iteration opens into {opener.count:,} neurons, weights and biases; up to {largest:,} can be shown one by one. "
            "Choose another detail, or make the layers narrower."
        )
    scalars = tuple([scalar for node in trace.nodes for scalar in opener.open(node)])
    steps, places = _schedule(trace, scalars)
    return Scalars(trace, scalars, steps, places)


class _Opener:
    """Knows the id of every scalar before any is made."""

    def __init__(self, trace: Trace, batched: Collection[int]):
        self._nodes, self._batched = trace.nodes, frozenset(batched)
        self._starts: dict[Place, int] = {}
        self.count = 0
        used = {source for node in trace.nodes for source in node.inputs}
        for node in trace.nodes:
            if node.id in used or node.kind not in ("buffer", "constant"):
                for port, value in enumerate(node.values):
                    self._starts[node.id, port] = self.count
                    self.count += _units(value, self._is_batched(node.id, value)).numel()

    def _is_batched(self, node: int, value: Tensor) -> bool:
        return node in self._batched and value.dim() > 0 and value.shape[0] == self._nodes[node].values[0].shape[0]

    def open(self, node: Node) -> Iterator[Scalar]:
        """The scalars of a node, output by output, in row-major order."""
        ports = [port for port in range(len(node.values)) if (node.id, port) in self._starts]
        inputs = [self._input(*place) for place in zip(node.inputs, node.ports, strict=True)]
        links = _Links(node, inputs) if ports and inputs else None
        for port in ports:
            value, gradient = node.values[port], node.gradients[port]
            batched = self._is_batched(node.id, value)
            for place, element in enumerate(_elements(_units(value, batched))):
                own = () if links is None else tuple(links.of(port, batched, element))
                column = None if gradient is None else _column(gradient, batched, element)
                id = self._starts[node.id, port] + place
                yield Scalar(id, node.id, port, element, batched, _column(value, batched, element), column, own)

    def _input(self, node: int, port: int) -> _Input:
        value = self._nodes[node].values[port]
        return _Input(self._starts[node, port], value, self._is_batched(node, value))


class _Input(NamedTuple):
    start: int
    value: Tensor
    is_batched: bool

    @property
    def units(self) -> torch.Size:
        return _units(self.value, self.is_batched)


class _Run:
    """A recorded call made again with these values, ready to be differentiated."""

    def __init__(self, node: Node, values: list[Tensor]):
        wanted = [value.is_floating_point() for value in values]
        try:
            self.leaves, self.outputs = _performed(node, values, wanted)
        except RuntimeError:  # torch has no derivative for some, such as the weights of classes
            self.leaves, self.outputs = _performed(node, values, list(node.call.differentiable))
        self._asked = [leaf for leaf in self.leaves if leaf.requires_grad]

    def slopes(self, port: int, cotangent: Tensor) -> list[Tensor | None]:
        """What the output with this gradient sends to every leaf; None to one that gets none."""
        if not self._asked or not self.outputs[port].requires_grad:
            return [None] * len(self.leaves)
        found = iter(torch.autograd.grad(self.outputs[port], self._asked, cotangent, retain_graph=True, materialize_grads=True))
        return [next(found) if leaf.requires_grad else None for leaf in self.leaves]

    def along(self, port: int, argument: int, direction: Tensor) -> Tensor | None:
        """How the output changes with a leaf in this direction: the derivative of the backward step, which is linear. None: unknown."""
        output = self.outputs[port]
        dummy = torch.zeros_like(output).requires_grad_()
        try:
            (back,) = torch.autograd.grad(output, self.leaves[argument], dummy, create_graph=True, retain_graph=True)
            return torch.autograd.grad(back, dummy, direction, retain_graph=True)[0]
        except RuntimeError:  # some backward steps cannot be differentiated again
            return None


class _Links:
    """The links of all scalars of one node."""

    def __init__(self, node: Node, inputs: list[_Input]):
        self._node, self._inputs = node, inputs
        self._run = _Run(node, [one.value for one in inputs])
        self._others = list(_elsewhere(node, inputs))
        self._rows_are_separate = all([self._keeps_rows(run) for run in self._others or [self._run]])
        self._ways: dict[tuple[int, int, Index], Tensor | None] = {}

    def of(self, port: int, batched: bool, element: Index) -> Iterator[ScalarLink]:
        """The links of one scalar."""
        ones = _alone(torch.ones_like(self._node.values[port]), batched, element)
        slopes = self._run.slopes(port, ones)
        others = [run.slopes(port, ones) for run in self._others]
        gradient = self._node.gradients[port]
        sent = None if gradient is None else self._run.slopes(port, _alone(gradient, batched, element))
        for argument, one in enumerate(self._inputs):
            for source, place in enumerate(_elements(one.units)):
                if slopes[argument] is None:
                    if _shares(place, one.units, element):
                        yield ScalarLink(one.start + source, None, None)
                elif any([bool(_column(found[argument], one.is_batched, place).any()) for found in (slopes, *others)]):
                    part = None
                    if sent is not None and self._node.call.differentiable[argument]:
                        part = _column(sent[argument], one.is_batched, place)
                    local = self._local(port, batched, element, argument, place, slopes[argument])
                    yield ScalarLink(one.start + source, part, local)

    def _local(self, port: int, batched: bool, element: Index, argument: int, place: Index, slope: Tensor) -> Tensor | None:
        one = self._inputs[argument]
        if one.is_batched:
            return _column(slope, True, place) if self._rows_are_separate or not batched else None
        if not batched:
            return slope[place]
        if self._node.values[port].shape[0] == 1:
            return slope[place].reshape(1)
        way = self._way(port, argument, place)
        return None if way is None else _column(way, True, element)

    def _way(self, port: int, argument: int, place: Index) -> Tensor | None:
        key = port, argument, place
        if key not in self._ways:
            direction = _alone(torch.ones_like(self._inputs[argument].value), False, place)
            self._ways[key] = self._run.along(port, argument, direction)
        return self._ways[key]

    def _keeps_rows(self, run: _Run) -> bool:
        """Whether what the first row of the outputs sends back goes to first rows only."""
        for port, output in enumerate(run.outputs):
            if output.dim() and output.shape[0] > 1:
                first = torch.zeros_like(output)
                first[0] = 1.0
                slopes = zip(self._inputs, run.slopes(port, first), strict=True)
                if any([one.is_batched and slope is not None and bool(slope[1:].any()) for one, slope in slopes]):
                    return False
        return True


def _elsewhere(node: Node, inputs: list[_Input]) -> Iterator[_Run]:
    """The call with every value moved to about ±1, which also wakes the dead."""
    generator = torch.Generator().manual_seed(0)
    for sign in (1.0, -1.0):
        moved = [_moved(one.value, sign, generator) if one.value.is_floating_point() else one.value for one in inputs]
        try:
            yield _Run(node, moved)
        except RuntimeError:  # values the operation does not take, such as a probability of −1
            continue


def _moved(tensor: Tensor, sign: float, generator: torch.Generator) -> Tensor:
    return sign * (0.25 + 0.5 * torch.rand(tensor.shape, generator=generator, dtype=torch.float64)).to(tensor.dtype)


def _performed(node: Node, values: list[Tensor], wanted: list[bool]) -> tuple[list[Tensor], list[Tensor]]:
    """The call made again with the numbers it drew: its leaves, and its outputs."""
    leaves = [tensor.detach().clone().requires_grad_(asked) for tensor, asked in zip(values, wanted, strict=True)]
    state = torch.get_rng_state()
    try:
        if node.call.rng is not None:
            torch.set_rng_state(node.call.rng)
        with torch.enable_grad():
            return leaves, perform(node.call, leaves)[1]
    finally:
        torch.set_rng_state(state)


def _units(value: Tensor, batched: bool) -> torch.Size:
    return value.shape[1:] if batched else value.shape


def _elements(units: torch.Size) -> Iterator[Index]:
    return product(*(range(size) for size in units))


def _column(tensor: Tensor, batched: bool, element: Index) -> Tensor:
    return tensor[(slice(None), *element)] if batched else tensor[element]


def _alone(tensor: Tensor, batched: bool, element: Index) -> Tensor:
    """The tensor with zeros everywhere but at one scalar."""
    alone = torch.zeros_like(tensor)
    place = (slice(None), *element) if batched else element
    alone[place] = tensor[place]
    return alone


def _shares(place: Index, units: torch.Size, element: Index) -> bool:
    """Whether an input without a derivative, such as a class, may be linked: not if it is plainly another one's."""
    depth = len(place)
    return depth > len(element) or place == element[:depth] or units.numel() == 1


# -- the schedule --------------------------------------------------------------------------------------------------


def _schedule(trace: Trace, scalars: tuple[Scalar, ...]) -> tuple[tuple[ScalarStep, ...], tuple[int, ...]]:
    """The steps scalar by scalar, and how many steps of the trace are made after 0, 1, … of them."""
    own: dict[int, list[Scalar]] = {}
    for scalar in scalars:
        own.setdefault(scalar.node, []).append(scalar)
    planned: list[tuple[str, int | None, tuple[int, ...]]] = []
    places = [0]
    for step in trace.steps:
        if step.phase != "update":
            made = [(step.phase, id, ()) for id in _touched(step, own)]
            planned += made
            places += [step.index] * (len(made) - 1) + [step.index + 1]
    updated, behind = _updates(trace, scalars, own)
    steps = [ScalarStep(index, *step) for index, step in enumerate(planned + updated)]
    return tuple(steps), tuple(places + behind)


def _touched(step: Step, own: dict[int, list[Scalar]]) -> list[int | None]:
    if step.node is None or step.phase == "batch":
        return [None if step.node is None else own[step.node][0].id]
    found = own[step.node]
    return [scalar.id for scalar in found if step.phase != "backward" or scalar.gradient is not None]


def _updates(
    trace: Trace, scalars: tuple[Scalar, ...], own: dict[int, list[Scalar]]
) -> tuple[list[tuple[str, int | None, tuple[int, ...]]], list[int]]:
    """One step per neuron: the parameters that it is the first to use."""
    first_user = {link.source: scalar.id for scalar in reversed(scalars) for link in scalar.links}
    groups: dict[int, list[int]] = {}
    steps = [step for step in trace.steps if step.phase == "update"]
    for scalar in (scalar for step in steps for scalar in own[step.node]):
        groups.setdefault(first_user.get(scalar.id, scalar.id), []).append(scalar.id)
    made = [groups[user] for user in sorted(groups)]
    left = {step.node: len(own[step.node]) for step in steps}
    places = []
    for group in made:
        for id in group:
            left[scalars[id].node] -= 1
        places.append(next((step.index for step in steps if left[step.node]), len(trace.steps)))
    return [("update", group[0], tuple(group[1:])) for group in made], places
