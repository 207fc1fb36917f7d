"""Answers about the latest trace: all of it, one tensor of it, one element against a finite difference. It never moves the run."""

from __future__ import annotations

import torch

from nnviz import protocol
from nnviz.engine.errors import BuildError
from nnviz.engine.measure import array_of
from nnviz.engine.tracing import Captured
from nnviz.trace import Node, Scalar, finite_difference


def inspected(captured: Captured | None, request: protocol.Inspect) -> protocol.Inspected:
    """Return one tensor of the trace whole. Raises BuildError if there is none."""
    captured, node, scalar = _node(captured, request.node)
    shown = scalar or node
    tensor = {"value": shown.value, "gradient": shown.gradient}.get(request.what)
    if tensor is None:
        raise BuildError("", f"Node {node.label} has no {request.what}.", "Only what the loss depends on has a gradient.")
    return protocol.Inspected(captured.iteration, request.node, request.what, array_of(tensor))


def gradient_checked(captured: Captured | None, request: protocol.CheckGradient) -> protocol.GradientChecked:
    """Return an element's gradient beside the central difference of the loss, over a step that suits the precision."""
    captured, node, scalar = _node(captured, request.node)
    element = (*request.element, *scalar.element) if scalar else tuple(request.element)
    inside = len(element) == len(node.shape) and all(0 <= place < size for place, size in zip(element, node.shape, strict=True))
    if node.gradient is None or not inside or (scalar and scalar.port):
        raise BuildError("", f"Node {node.label} has no gradient at {list(element)}.", f"Its shape is {list(node.shape)}.")
    step = torch.finfo(node.value.dtype).eps ** (1 / 3) * max(1.0, abs(node.value[element].item()))
    numeric = finite_difference(captured.trace, node.id, element, step)
    return protocol.GradientChecked(request.node, tuple(request.element), node.gradient[element].item(), numeric)


def _node(captured: Captured | None, node: int) -> tuple[Captured, Node, Scalar | None]:
    """What a node id of the latest trace means; in a trace opened into scalars one element of a node."""
    nodes = () if captured is None else captured.scalars.scalars if captured.scalars else captured.trace.nodes
    if not 0 <= node < len(nodes):
        raise BuildError("", f"The latest trace has no node {node}.", "Trace an iteration first.")
    found = nodes[node]
    return (captured, captured.trace.nodes[found.node], found) if isinstance(found, Scalar) else (captured, found, None)
