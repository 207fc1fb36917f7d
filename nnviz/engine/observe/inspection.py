"""Answers about the latest trace: all of it, one tensor of it, one element against a finite difference."""

from __future__ import annotations

import torch

from nnviz import messages
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.batch_axis import batch_axes
from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.measures import array_of, row_of_batch
from nnviz.engine.observe.trace_records import local_derivative, tensor_what_ifs
from nnviz.records.tensors import WHOLE
from nnviz.records.trace_record import NodeTensors, Piece
from nnviz.trace import Node, Scalar, finite_difference

ALONE = 1 << 18
"""A tensor of more elements than this does not travel whole even when it is asked for, only its row of the batch."""
LARGEST = 1 << 20
"""Rows, and tensors without rows, of more elements than this do not travel at all."""


def inspected(captured: Captured | None, request: messages.Inspect) -> messages.Inspected:
    """Return one tensor of the trace whole. Raises BuildError if there is none."""
    captured, node, scalar = _node(captured, request.node)
    shown = scalar or node
    tensor = {"value": shown.value, "gradient": shown.gradient}.get(request.what)
    if tensor is None:
        raise BuildError("", f"Node {node.label} has no {request.what}.", "Only what the loss depends on has a gradient.")
    return messages.Inspected(captured.iteration, request.node, request.what, array_of(tensor))


def node_tensors(captured: Captured | None, id: int, row: int | None) -> NodeTensors:
    """Return what is too large to travel with the trace around a node. Raises BuildError if there is no such node."""
    captured, node, scalar = _node(captured, id)
    trace, axes = captured.trace, batch_axes(captured.trace, len(captured.rows), captured.batch_axis)
    wanted = [] if scalar else [("value", node.id, -1, 0, node.value), ("gradient", node.id, -1, 0, node.gradient)]
    for argument, source in enumerate(() if scalar else node.inputs):
        sent = [part.gradient for part in trace.nodes[source].contributions if (part.source, part.argument) == (node.id, argument)]
        wanted.append(("value", source, -1, 0, trace.nodes[source].value))
        wanted += [("contribution", source, node.id, argument, gradient) for gradient in sent]
    wanted += [] if scalar else [("contribution", node.id, part.source, part.argument, part.gradient) for part in node.contributions]
    wanted += [("after", node.id, -1, 0, update.after) for update in trace.updates if not scalar and update.parameter == node.label]
    wanted += [] if scalar or node.value.numel() <= WHOLE else [("local", node.id, node.id, 0, local_derivative(trace, node))]
    pieces = [_piece(*one, axes.get(one[1]), row) for one in wanted if one[-1] is not None and one[-1].numel() > WHOLE]
    details, what_ifs = tuple(trace.details.items()), tensor_what_ifs(captured)
    found = tuple(piece for piece in pieces if piece)
    return NodeTensors(captured.iteration, trace.detail, details, what_ifs, id, row, found)


def _piece(what: str, node: int, target: int, argument: int, tensor: torch.Tensor, axis: int | None, row: int | None) -> Piece | None:
    """The tensor whole, its row, or None where even that is too large."""
    is_row = tensor.numel() > ALONE and axis is not None and tensor.dim() > axis
    if is_row:
        tensor = row_of_batch(tensor, axis, row)
    if tensor.numel() > LARGEST:
        return None
    return Piece(what, node, array_of(tensor), is_row, target, argument)


def gradient_checked(captured: Captured | None, request: messages.CheckGradient) -> messages.GradientChecked:
    """Return an element's gradient beside the central difference of the loss, over a step that suits the precision."""
    captured, node, scalar = _node(captured, request.node)
    element = (*request.element, *scalar.element) if scalar else tuple(request.element)
    inside = len(element) == len(node.shape) and all(0 <= place < size for place, size in zip(element, node.shape, strict=True))
    if node.gradient is None or not inside or (scalar and scalar.port):
        raise BuildError("", f"Node {node.label} has no gradient at {list(element)}.", f"Its shape is {list(node.shape)}.")
    eps = torch.finfo(node.value.dtype).eps
    step = eps ** (1 / 3) * max(1.0, abs(node.value[element].item()))
    numeric, rounding = finite_difference(captured.trace, node.id, element, step), eps * abs(captured.trace.loss) / step
    return messages.GradientChecked(request.node, tuple(request.element), node.gradient[element].item(), numeric, rounding)


def _node(captured: Captured | None, node: int) -> tuple[Captured, Node, Scalar | None]:
    """What a node id of the latest trace means; in a trace opened into scalars one element of a node."""
    nodes = () if captured is None else captured.scalars.scalars if captured.scalars else captured.trace.nodes
    if not 0 <= node < len(nodes):
        raise BuildError("", f"The latest trace has no node {node}.", "Trace an iteration first.")
    found = nodes[node]
    return (captured, captured.trace.nodes[found.node], found) if isinstance(found, Scalar) else (captured, found, None)
