"""Pictures of one traced iteration of any module: its weights, and what its parts put out for a row of the batch."""

from __future__ import annotations

import torch
from torch import Tensor

from nnviz.engine.observe.batch_axis import batch_axes
from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.tiled_values import as_pictures, framed
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.trace import Node, Trace

_ALONG_TIME = ("conv1d", "conv_transpose1d", "max_pool1d", "avg_pool1d", "adaptive_avg_pool1d", "adaptive_max_pool1d", "lp_pool1d")
"""Operations that put out (channels, time)."""


def trace_picture(captured: Captured, wish: PictureWish) -> Picture:
    """Return the picture that is wished for, of kind "weights" or "maps"; one that says why, where there can be none."""
    return _weights(captured, wish) if wish.kind == "weights" else _maps(captured, wish)


# --- weights ---


def _weights(captured: Captured, wish: PictureWish) -> Picture:
    """A parameter: kernels as one picture for each output channel, else one matrix."""
    parameters = {node.label: node for node in captured.trace.nodes if node.kind == "parameter" and _is_shown(node.value, 2)}
    if not parameters:
        return Picture(wish, sentence="No part of this module has a weight matrix.")
    kernels = [name for name, node in parameters.items() if len(node.shape) > 2]
    name = wish.layer if wish.layer in parameters else next(iter(kernels or parameters))
    node = parameters[name]
    weight = _kernels(captured.trace, node)
    channels = weight.shape[1] if weight.dim() == 4 else 1
    if weight.dim() == 4:
        weight = weight[:, wish.channel] if 0 <= wish.channel < channels else weight.mean(1)
    shown = weight if weight.dim() == 3 else weight[None]
    return framed(wish, name, tuple(parameters), shown, channels=channels, node=node.id)


def _kernels(trace: Trace, node: Node) -> Tensor:
    """The weight with its output channels first and at most two axes of space: what is deep lies slice below slice."""
    weight = node.value.real if node.value.is_complex() else node.value
    used = {other.operation for other in trace.nodes if node.id in other.inputs}
    if weight.dim() > 2 and any(operation.startswith("conv_transpose") for operation in used):
        weight = weight.transpose(0, 1)
    return weight.flatten(2, -2) if weight.dim() > 4 else weight


# --- what a row makes of the module ---


def _maps(captured: Captured, wish: PictureWish) -> Picture:
    """What a part of the module puts out for one row: a picture for each channel, of a sequence (time, features), of units one line."""
    trace, rows = captured.trace, len(captured.rows)
    axes = batch_axes(trace, rows, captured.batch_axis)
    places = _places(trace, axes)
    if not places:
        return Picture(wish, sentence="No part of this module puts out numbers for each row of the batch.")
    values = {name: trace.nodes[node].values[port] for name, (node, port) in places.items()}
    parts = [name for name in places if trace.nodes[places[name][0]].kind != "input"]
    of_images = [name for name in parts if values[name].dim() == 4]
    name = wish.layer if wish.layer in places else next(iter(of_images or parts or places))
    node, value = trace.nodes[places[name][0]], values[name]
    own = value.select(axes[node.id], max(0, min(wish.row, rows - 1)))
    own = own.real if own.is_complex() else own
    if own.dim() == 2 and _is_channels_first(trace, node):
        own = own.T
    shown = as_pictures((own.flatten(1, -2) if own.dim() > 3 else own)[None])
    return framed(wish, name, tuple(places), shown, is_sequence=own.dim() == 2, node=node.id, rows=rows)


def _places(trace: Trace, axes: dict[int, int]) -> dict[str, tuple[int, int]]:
    """Node and port of the inputs and of what every part of the module put out for the rows of the batch, in forward order."""
    inputs = {f"input {node.label}": (node.id, 0) for node in trace.nodes if node.kind == "input"}
    parts = {path or "output": place for path, place in sorted(trace.outputs.items(), key=lambda part: (part[1], part[0]))}
    if len(parts) > 1:  # what the whole puts out is what one of its parts does, or made of that
        parts.pop("output", None)
    found = inputs | parts
    return {name: (node, port) for name, (node, port) in found.items() if _is_of_rows(trace.nodes[node], port, axes)}


def _is_of_rows(node: Node, port: int, axes: dict[int, int]) -> bool:
    value = node.values[port]
    return (
        node.id in axes
        and value.dim() == len(node.shape)
        and value.shape[axes[node.id]] == node.shape[axes[node.id]]
        and _is_shown(value, 1)
    )


def _is_shown(tensor: Tensor, axes: int) -> bool:
    """Whether a tensor is of numbers that can be cut into pictures, with at least so many axes."""
    is_plain = not tensor.is_nested and tensor.layout == torch.strided
    return is_plain and tensor.dim() >= axes and tensor.numel() > 0 and (tensor.is_floating_point() or tensor.is_complex())


def _is_channels_first(trace: Trace, node: Node) -> bool:
    """Whether what has two axes for each row is (channels, time): given to an operation along time, or made by one, element by element."""
    if any(other.operation in _ALONG_TIME for other in trace.nodes if node.id in other.inputs):
        return True
    shape = node.shape
    while node.operation not in _ALONG_TIME:
        before = next((trace.nodes[source] for source in node.inputs if trace.nodes[source].shape == shape), None)
        if before is None or node.operation in ("transpose", "permute"):
            return False
        node = before
    return True
