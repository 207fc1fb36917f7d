"""A small node opened into neurons: one per element, with its links to the elements it was computed from.

Every number comes from the recorded call, made again alone, so it must not know one operation from another.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .record import Node, TraceError, perform
from .trace import Trace

Index = tuple[int, ...]
LARGEST = 4096  # links of an opened node, counted as outputs × inputs


class Link(NamedTuple):
    """What a neuron takes from one element of one input, and what it sends back to it."""

    source: int
    argument: int
    index: Index
    value: float
    derivative: float  # of the neuron's value with respect to this element
    contribution: float | None  # derivative · the neuron's gradient


class Neuron(NamedTuple):
    """One element of a node's value. Linear neurons have as many links as weights, inputs and biases they use."""

    index: Index
    value: float
    gradient: float | None
    links: tuple[Link, ...]


def open_neurons(trace: Trace, node: Node | int) -> tuple[Neuron, ...]:
    """The neurons of an operation's first output, in row-major order.

    An element is linked if the neuron depends on it here or at other values of the same shapes: a dead unit keeps its
    links, with derivative 0. Raises TraceError for a node that is no operation or is too large to draw.
    """
    node = trace.nodes[node] if isinstance(node, int) else node
    if node.call is None or not node.inputs:
        raise TraceError(f"node {node.id} ({node.label}) was not computed from anything: it has no neurons to open")
    inputs = [trace.nodes[source].values[port] for source, port in zip(node.inputs, node.ports, strict=True)]
    size = node.value.numel() * sum(tensor.numel() for tensor in inputs)
    if size > LARGEST:
        raise TraceError(f"node {node.id} ({node.label}) may have {size} links; up to {LARGEST} can be opened")
    slopes = _jacobians(node, inputs)
    linked = _linked(node, inputs, slopes)
    return tuple([_neuron(node, inputs, slopes, linked, row) for row in range(node.value.numel())])


def _neuron(node: Node, inputs: list[Tensor], slopes: list, linked: list, row: int) -> Neuron:
    gradient = None if node.gradient is None else node.gradient.reshape(-1)[row].item()
    links = []
    for argument, (tensor, slope) in enumerate(zip(inputs, slopes, strict=True)):
        for place in [] if slope is None else linked[argument][row].nonzero().flatten().tolist():
            derivative = slope[row, place].item()
            contribution = None if gradient is None else derivative * gradient
            value, index = tensor.reshape(-1)[place].item(), _index(place, tensor)
            links.append(Link(node.inputs[argument], argument, index, value, derivative, contribution))
    return Neuron(_index(row, node.value), node.value.reshape(-1)[row].item(), gradient, tuple(links))


def _jacobians(node: Node, inputs: list[Tensor]) -> list[Tensor | None]:
    """For every input (outputs, elements) of ∂output/∂element; None for one that has no derivative, such as a class."""
    wanted = [tensor.is_floating_point() for tensor in inputs]
    try:
        leaves, output = _performed(node, inputs, wanted)
    except RuntimeError:  # torch has no derivative for some, such as the weights of classes
        leaves, output = _performed(node, inputs, list(node.call.differentiable))
    rows = [_slopes(element, [leaf for leaf in leaves if leaf.requires_grad]) for element in output] if output.requires_grad else []
    found = iter([torch.stack(column) for column in zip(*rows, strict=True)])
    return [next(found, None) if leaf.requires_grad else None for leaf in leaves]


def _performed(node: Node, inputs: list[Tensor], wanted: list[bool]) -> tuple[list[Tensor], Tensor]:
    """The call made again with the numbers it drew: its leaves, and its first output in one row."""
    leaves = [tensor.detach().clone().requires_grad_(asked) for tensor, asked in zip(inputs, wanted, strict=True)]
    state = torch.get_rng_state()
    try:
        if node.call.rng is not None:
            torch.set_rng_state(node.call.rng)
        with torch.enable_grad():
            return leaves, perform(node.call, leaves)[1][0].reshape(-1)
    finally:
        torch.set_rng_state(state)


def _slopes(element: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(element, leaves, retain_graph=True, materialize_grads=True)
    return [gradient.reshape(-1) for gradient in found]


def _linked(node: Node, inputs: list[Tensor], slopes: list[Tensor | None]) -> list[Tensor | None]:
    """Where a derivative is not zero, here or with every value moved to about ±1, which also wakes the dead."""
    linked = [None if slope is None else slope != 0 for slope in slopes]
    generator = torch.Generator().manual_seed(0)
    for sign in (1.0, -1.0):
        moved = [_moved(tensor, sign, generator) if tensor.is_floating_point() else tensor for tensor in inputs]
        try:
            slopes = _jacobians(node, moved)
        except RuntimeError:  # values the operation does not take, such as a probability of −1
            continue
        for known, slope in zip(linked, slopes, strict=True):
            if known is not None and slope is not None:
                known |= slope != 0
    return linked


def _moved(tensor: Tensor, sign: float, generator: torch.Generator) -> Tensor:
    return sign * (0.25 + 0.5 * torch.rand(tensor.shape, generator=generator, dtype=torch.float64)).to(tensor.dtype)


def _index(place: int, tensor: Tensor) -> Index:
    return tuple(int(part) for part in torch.unravel_index(torch.tensor(place), tensor.shape))
