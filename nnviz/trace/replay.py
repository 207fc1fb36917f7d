"""The recorded calls again, with other values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from .record import Call, Node, TraceError, dense, handed_on, perform
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
                values[node.id] = _again(node, values, overrides)
                changed.add(node.id)
    finally:
        torch.set_rng_state(state)
    return tuple(values)


def _again(node: Node, values: list[tuple[Tensor, ...]], overrides: Mapping[int, Tensor]) -> tuple[Tensor, ...]:
    outputs, native = _performed(node.call, zip(node.inputs, node.ports, strict=True), values), node.call.native
    if native is None:
        return tuple(outputs)
    if not overrides.keys().isdisjoint(range(native.first, node.id)):
        return tuple(handed_on(outputs, native))  # the call itself cannot be made with another value inside it
    given = _performed(native.call, native.sources, values)
    for port, (output, _, _) in native.ends.items():
        outputs[port] = given[output]
    return tuple(outputs)


def _performed(call: Call, sources: Iterable[tuple[int, int]], values: list[tuple[Tensor, ...]]) -> list[Tensor]:
    """With gradients where the trace had them: torch picks its kernels by that, and they round differently."""
    if call.rng is not None:
        torch.set_rng_state(call.rng)
    # What needs no gradient is the very tensor, as it was on the tape: attention asks whether query and key are one.
    given = [(values[source][port], needed) for (source, port), needed in zip(sources, call.differentiable, strict=True)]
    tensors = [tensor.detach().requires_grad_() if needed else tensor for tensor, needed in given]
    with torch.set_grad_enabled(any(call.differentiable)):
        return [output.detach() for output in perform(call, tensors)[1]]


def _checked(value: Tensor, recorded: Tensor) -> Tensor:
    if recorded.is_nested:
        raise TraceError("a nested tensor cannot take another value: change the node before it or behind it")
    if value.shape != recorded.shape:
        raise TraceError(f"a node of shape {tuple(recorded.shape)} cannot take a value of shape {tuple(value.shape)}")
    value = value.detach().to(recorded.dtype)
    if recorded.layout == torch.strided or recorded.layout == value.layout:
        return value
    return dense(value).sparse_mask(recorded.coalesce() if recorded.layout == torch.sparse_coo else recorded)
