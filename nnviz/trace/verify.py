"""The trace against ordinary autograd and finite differences. What differs is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from .bindings import TapeEntry
from .record import TraceError, dense
from .replay import replay
from .trace import Trace

Name = tuple[str, str]  # kind, label
_LIMIT = {torch.float64: 1e-9, torch.float32: 1e-3}  # 5e-2 for smaller types
_ROUNDING = 64  # units in the last place


def limit_of(tensor: Tensor) -> float:
    """How far a number may be off, relative to the largest; a complex one has the precision of its parts."""
    return _LIMIT.get(tensor.dtype.to_real() if tensor.is_complex() else tensor.dtype, 5e-2)


def true_gradients(loss: Tensor, tensors: Mapping[Name, Tensor]) -> dict[Name, Tensor | None]:
    """The gradients of the person's own run, from its own autograd graph."""
    if not loss.requires_grad or not tensors:
        return dict.fromkeys(tensors)
    found = torch.autograd.grad(loss, list(tensors.values()), allow_unused=True, retain_graph=True)
    return dict(zip(tensors, found, strict=True))


def overwritten(entries: list[TapeEntry], error: RuntimeError) -> TraceError:
    """What torch says of a value that was written over before its backward step read it, with the place of the write."""
    for write in entries:
        is_carried = write.operation in ("write_back", "write_beneath")
        lost = write.sources[:1] if is_carried else [write.sources[k] for k in write.call.written] if write.call else []
        needs = [entry for entry in entries[: write.id] for source, _ in lost if source.id in entry.reads]
        if needs:
            writer = write.sources[1][0] if is_carried else write
            return TraceError(
                f"{write.where}: {writer.operation} writes over a value that the backward step of {needs[-1].operation} at "
                f"{needs[-1].where} still reads, so torch has no gradient: make a new tensor (x = x + 1, not x += 1), or .clone() it before"
            )
    return TraceError(f"torch computes no gradient of this iteration: {error}")


def compare(
    traced: Mapping[Name, Tensor | None],
    true: Mapping[Name, Tensor | None],
    largest_anywhere: Callable[[], float],
    suspects: list[str],
) -> float:
    """The worst difference, relative to the largest gradient. Raises TraceError naming every parameter that is off.

    `largest_anywhere()` is the largest gradient anywhere in the net: where everything cancels (the mean after a batch norm) what
    is left is its rounding, and two ways of rounding may differ.
    """
    pairs = {name: _pair(traced[name], gradient) for name, gradient in true.items() if not (traced[name] is gradient is None)}
    off = {name: _difference(*pair) for name, pair in pairs.items()}
    if not any(off.values()):
        return 0.0
    largest = max([_largest(theirs) for _, theirs in pairs.values()], default=0.0) or 1.0
    wrong = [name for name, by in off.items() if not by <= limit_of(pairs[name][1]) * largest]
    if not wrong:
        return max(off.values()) / largest
    flow = largest_anywhere()
    if all(off[name] <= _ROUNDING * torch.finfo(pairs[name][1].dtype).eps * flow for name in wrong):
        return max(off.values()) / flow
    raise TraceError(_refusal("gradient of " + ", ".join(label for _, label in wrong), suspects))


class Agreement(NamedTuple):
    """One parameter's gradient beside ordinary autograd's: the largest number of each, and their largest difference."""

    parameter: str
    ours: float
    torch: float
    difference: float
    relative: float  # the difference, on the scale of Trace.worst_error


def agreements(trace: Trace) -> tuple[Agreement, ...]:
    """How near every parameter's gradient is to ordinary autograd's, the worst first."""
    found = []
    for name, true in trace.true_gradients.items():
        if not (trace.parameter_gradients[name] is true is None):
            ours, theirs = _pair(trace.parameter_gradients[name], true)
            found.append((name, _largest(ours), _largest(theirs), _difference(ours, theirs)))
    off = max((difference for *_, difference in found), default=0.0)
    scale = trace.worst_error / off if off else 0.0
    rows = [Agreement(*row, row[-1] * scale) for row in found]
    return tuple(sorted(rows, key=lambda row: row.relative, reverse=True))


def compare_loss(traced: Tensor, true: Tensor, terms: list[Tensor], suspects: list[str]) -> None:
    """Raises TraceError if the tape computed another loss than the person's run, beside the terms it is made of."""
    if torch.equal(traced, true.detach()):
        return
    scale = max([1.0, *(_largest(term.detach()) for term in (true, *terms) if term.is_floating_point())])
    if not _difference(traced, true.detach()) <= limit_of(true) * scale:
        raise TraceError(_refusal("loss", suspects))


def largest_of(gradients: Iterable[Tensor | None]) -> float:
    """The largest finite element of them all."""
    return max((_largest(gradient) for gradient in gradients if gradient is not None), default=0.0)


def finite_difference(trace: Trace, node: int, index: tuple[int, ...] | int = (), epsilon: float = 1e-6) -> float | complex:
    """(L(v + ε) − L(v − ε)) / 2ε for one element of a node's value, by replaying the recorded calls, same masks.

    It sees through `detach` and `no_grad`, which autograd does not. Of a complex element as torch has it: ∂L/∂Re v + i ∂L/∂Im v.
    """
    slope = _slope(trace, node, index, epsilon)
    return slope + 1j * _slope(trace, node, index, epsilon * 1j) if trace.nodes[node].value.is_complex() else slope


def _slope(trace: Trace, node: int, index: tuple[int, ...] | int, epsilon: float | complex) -> float:
    losses = []
    for sign in (1.0, -1.0):
        moved = dense(trace.nodes[node].value).clone()
        moved[index] += sign * epsilon
        losses.append(replay(trace, {node: moved})[trace.loss_node][0].item())
    return (losses[0] - losses[1]) / (2 * abs(epsilon))


def _pair(one: Tensor | None, other: Tensor | None) -> tuple[Tensor, Tensor]:
    """Both, no gradient standing for zero."""
    one, other = None if one is None else dense(one), None if other is None else dense(other)
    return torch.zeros_like(other) if one is None else one, torch.zeros_like(one) if other is None else other


def _difference(one: Tensor, other: Tensor) -> float:
    """The largest |one − other|; equal infinities and two NaNs are equal."""
    if torch.equal(one, other):
        return 0.0
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


def _refusal(what: str, suspects: list[str]) -> str:
    usual = ["most likely a hook, a write through .data or code outside torch changes it: remove that to step this model"]
    return f"the trace is refused, because the {what} is not what ordinary autograd computes; " + "; ".join(suspects or usual)
