"""The trace against ordinary autograd, and against finite differences. It refuses what does not agree and never repairs it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .record import TraceError
from .replay import replay
from .trace import Trace

Name = tuple[str, str]  # kind, label
_LIMIT = {torch.float64: 1e-9, torch.float32: 1e-3}  # 5e-2 for smaller types


def true_gradients(loss: Tensor, tensors: Mapping[Name, Tensor]) -> dict[Name, Tensor | None]:
    """The gradients of the person's own run, from its own autograd graph."""
    if not loss.requires_grad or not tensors:
        return dict.fromkeys(tensors)
    found = torch.autograd.grad(loss, list(tensors.values()), allow_unused=True)
    return {name: None if g is None else g.detach() for name, g in zip(tensors, found, strict=True)}


def compare(traced: Mapping[Name, Tensor | None], true: Mapping[Name, Tensor | None], hooks: list[str]) -> float:
    """The worst difference, relative to the largest gradient. Raises TraceError naming every parameter that is off by too much."""
    pairs = {
        name: _pair(traced[name], gradient) for name, gradient in true.items() if not (traced[name] is gradient is None)
    }
    if not pairs:
        return 0.0
    ours, theirs = (
        torch.cat([gradient.reshape(-1) for gradient in side]) for side in zip(*pairs.values(), strict=True)
    )
    largest = _largest(theirs) or 1.0
    error = _difference(ours, theirs) / largest
    limit = _LIMIT.get(theirs.dtype, 5e-2)
    if not error <= limit:
        wrong = [label for (_, label), pair in pairs.items() if not _difference(*pair) <= limit * largest]
        raise TraceError(_refusal("gradient of " + ", ".join(wrong), hooks))
    return error


def compare_loss(traced: Tensor, true: Tensor) -> None:
    """Raises TraceError if the tape computed another loss than the person's run."""
    error = _difference(traced, true.detach()) / max(_largest(true.detach()), 1e-300)
    if not error <= _LIMIT.get(true.dtype, 5e-2):
        raise TraceError(_refusal("loss", []))


def finite_difference(trace: Trace, node: int, index: tuple[int, ...] | int = (), epsilon: float = 1e-6) -> float:
    """(L(v + ε) − L(v − ε)) / 2ε for one element of a node's value, by replaying the recorded calls with the same masks.

    It sees through `detach` and `no_grad`, which autograd does not.
    """
    losses = []
    for sign in (1.0, -1.0):
        moved = trace.nodes[node].value.clone()
        moved[index] += sign * epsilon
        losses.append(replay(trace, {node: moved})[trace.loss_node][0].item())
    return (losses[0] - losses[1]) / (2 * epsilon)


def _pair(one: Tensor | None, other: Tensor | None) -> tuple[Tensor, Tensor]:
    """Both, no gradient standing for zero."""
    return torch.zeros_like(other) if one is None else one, torch.zeros_like(one) if other is None else other


def _difference(one: Tensor, other: Tensor) -> float:
    """The largest |one − other|; equal infinities and two NaNs are equal."""
    largest = (one - other).abs().max().item() if one.numel() else 0.0
    if largest == largest:
        return largest
    same = (one == other) | (one.isnan() & other.isnan())  # inf − inf and NaN − NaN are no difference
    return torch.where(same, 0.0, (one - other).abs()).max().item()


def _largest(gradient: Tensor) -> float:
    largest = gradient.abs().max().item() if gradient.numel() else 0.0
    if largest < float("inf"):
        return largest
    finite = gradient[gradient.isfinite()]
    return finite.abs().max().item() if finite.numel() else 0.0


def _refusal(what: str, hooks: list[str]) -> str:
    cause = (
        f"a gradient hook at {', '.join(hooks)} changes it"
        if hooks
        else "a hook, a write through .data or code outside torch changes it"
    )
    return f"the trace is refused, because the {what} is not what ordinary autograd computes: probably {cause}; remove it to step this model"
