"""The recorded calls again, with other values."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .record import Node, TraceError, laid_out_as, perform
from .trace import Trace


def replay(trace: Trace, overrides: Mapping[int, Tensor]) -> tuple[tuple[Tensor, ...], ...]:
    """The values of every node (`values` by node id) if the nodes in `overrides` had these values instead.

    Only what depends on them is computed again; every random call draws what it drew in the trace. The generator stays.
    """
    values = [node.values for node in trace.nodes]
    changed = set()
    state = torch.get_rng_state()
    try:
        for node in trace.nodes:
            if node.id in overrides:
                values[node.id] = (_checked(overrides[node.id], node.value), *node.values[1:])
                changed.add(node.id)
            elif node.call is not None and not changed.isdisjoint(node.inputs):
                values[node.id] = _again(node, values)
                changed.add(node.id)
    finally:
        torch.set_rng_state(state)
    return tuple(values)


def _again(node: Node, values: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """With gradients where the trace had them: torch picks its kernels by that, and they round differently."""
    if node.call.rng is not None:
        torch.set_rng_state(node.call.rng)
    sources = zip(node.inputs, node.ports, node.call.differentiable, strict=True)
    # What needs no gradient is the very tensor, as it was on the tape: attention asks whether query and key are one.
    tensors = [values[source][port].detach().requires_grad_() if needed else values[source][port] for source, port, needed in sources]
    with torch.set_grad_enabled(any(node.call.differentiable)):
        outputs = perform(node.call, tensors)[1]
    return tuple([laid_out_as(recorded, output.detach()) for recorded, output in zip(node.values, outputs, strict=True)])


def _checked(value: Tensor, recorded: Tensor) -> Tensor:
    if value.shape != recorded.shape:
        raise TraceError(f"a node of shape {tuple(recorded.shape)} cannot take a value of shape {tuple(value.shape)}")
    return value.detach().to(recorded.dtype)
