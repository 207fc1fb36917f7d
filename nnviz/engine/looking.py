"""Answers about the latest trace: all of it, one tensor of it, one element against a finite difference. It never moves the run."""

from __future__ import annotations

import torch

from nnviz import protocol
from nnviz.engine.errors import BuildError
from nnviz.engine.measure import array_of
from nnviz.engine.tracing import Captured
from nnviz.trace import Node, finite_difference


def inspected(captured: Captured | None, request: protocol.Inspect) -> protocol.Inspected:
    """Return one tensor of the trace whole. Raises BuildError if there is none."""
    captured, node = _node(captured, request.node)
    tensor = {"value": node.value, "gradient": node.gradient}.get(request.what)
    if tensor is None:
        raise BuildError("", f"Node {node.label} has no {request.what}.", "Only what the loss depends on has a gradient.")
    return protocol.Inspected(captured.iteration, node.id, request.what, array_of(tensor))


def gradient_checked(captured: Captured | None, request: protocol.CheckGradient) -> protocol.GradientChecked:
    """Return an element's gradient beside the central difference of the loss, over a step that suits the precision."""
    captured, node = _node(captured, request.node)
    element = tuple(request.element)
    inside = len(element) == len(node.shape) and all(0 <= place < size for place, size in zip(element, node.shape, strict=True))
    if node.gradient is None or not inside:
        raise BuildError("", f"Node {node.label} has no gradient at {list(element)}.", f"Its shape is {list(node.shape)}.")
    step = torch.finfo(node.value.dtype).eps ** (1 / 3) * max(1.0, abs(node.value[element].item()))
    numeric = finite_difference(captured.trace, node.id, element, step)
    return protocol.GradientChecked(node.id, element, node.gradient[element].item(), numeric)


def _node(captured: Captured | None, node: int) -> tuple[Captured, Node]:
    if captured is None or not 0 <= node < len(captured.trace.nodes):
        raise BuildError("", f"The latest trace has no node {node}.", "Trace an iteration first.")
    return captured, captured.trace.nodes[node]
