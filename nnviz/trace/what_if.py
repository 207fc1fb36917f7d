"""What if a node had another value: how a value is changed and a call made to give the changed one.

Setting a value cuts the graph there, like Pearl's do(·): its gradient is still known, but nothing flows back into what
would have made it. Scaling multiplies, and the factor stays in the chain rule. Source: Pearl, Causality 2009, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .calls import operation_name
from .record import TraceError, tensors_in

KINDS = ("set", "ablate", "scale")


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One node's first output, or a part of it, is set to `value`, ablated (set to 0) or scaled by `value`."""

    node: int  # its id in the trace without it, at the same detail
    kind: str = "set"
    value: float = 0.0
    element: tuple[int | None, ...] | None = None  # None: all elements; None in a place: all along that axis


WhatIfs = Mapping[int, tuple[ValueChange, ...]]


def by_node(what_ifs: Iterable[ValueChange]) -> WhatIfs:
    """The changes of every node, in the order they were given. Raises TraceError for a kind there is not."""
    found: dict[int, tuple[ValueChange, ...]] = {}
    for what_if in what_ifs:
        if what_if.kind not in KINDS:
            raise TraceError(f"what-if of kind {what_if.kind!r} is not one of {', '.join(KINDS)}")
        found[what_if.node] = (*found.get(what_if.node, ()), what_if)
    return found


def altered(tensor: Tensor, what_ifs: Iterable[ValueChange]) -> Tensor:
    """The tensor after the changes, one after the other; differentiable, and cut off where it is set."""
    for what_if in what_ifs:
        tensor = torch.where(_where(tensor, what_if), _replacement(tensor, what_if), tensor)
    return tensor


def altering(function: Callable, what_ifs: tuple[ValueChange, ...]) -> Callable:
    """A call that does what `function` does and alters its first output."""

    def altered_call(*args: Any, **kwargs: Any) -> Any:
        return altered_result(function(*args, **kwargs), what_ifs)

    altered_call.__name__ = operation_name(function)
    return altered_call


def altered_result(result: Any, what_ifs: tuple[ValueChange, ...]) -> Any:
    """What a call returned, with its first tensor altered."""
    first, *others = tensors_in(result)
    return refilled(result, iter([altered(first, what_ifs), *others]))


def refilled(structure: Any, tensors: Iterator[Tensor]) -> Any:
    """The structure with these tensors in place of its own, in order."""
    if isinstance(structure, Tensor):
        return next(tensors)
    if isinstance(structure, (tuple, list)):
        parts = [refilled(part, tensors) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    if isinstance(structure, dict):
        return {key: refilled(part, tensors) for key, part in structure.items()}
    return structure


def _where(tensor: Tensor, what_if: ValueChange) -> Tensor:
    if what_if.element is None:
        return torch.ones_like(tensor, dtype=torch.bool)  # laid out like the tensor: dropout draws in order of memory
    shape, element = tuple(tensor.shape), what_if.element
    fits = len(element) == len(shape) and all(k is None or 0 <= k < size for k, size in zip(element, shape, strict=True))
    if not fits:
        raise TraceError(f"node {what_if.node} of shape {shape} has no element {element}: count from 0 along each axis")
    mask = torch.zeros_like(tensor, dtype=torch.bool)
    mask[tuple([slice(None) if k is None else k for k in element])] = True
    return mask


def _replacement(tensor: Tensor, what_if: ValueChange) -> Tensor:
    value = 0.0 if what_if.kind == "ablate" else what_if.value
    if not (tensor.is_floating_point() or float(value).is_integer()):
        raise TraceError(f"node {what_if.node} holds whole numbers, such as classes: {value} is not one")
    if what_if.kind == "scale":
        return (tensor * value).to(tensor.dtype)
    return torch.full_like(tensor.detach(), value)
