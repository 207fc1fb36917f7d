"""What is conspicuous about a traced node over its whole batch: dead, saturated, dropped, frozen, not finite."""

from __future__ import annotations

import cmath
from collections.abc import Callable

import torch
from torch import Tensor

from nnviz.engine.observe.measures import plain
from nnviz.records.trace_record import NodeMarks
from nnviz.trace.record import dense

FLAT = 0.05
"""A sigmoid or tanh is saturated where its derivative is below this share of the largest it can be."""
STEEPNESS: dict[str, Callable[[Tensor], Tensor]] = {"sigmoid": lambda a: 4 * a * (1 - a), "tanh": lambda a: 1 - a * a}
"""The derivative from the value, as a share of the largest: σ' = a(1 − a) is at most ¼, tanh' = 1 − a² at most 1."""


def node_marks(
    operation: str,
    value: Tensor,
    gradient: Tensor | None,
    dropped: Tensor | None,
    batch_axis: int | None,
    frozen: bool = False,
    is_masked: bool = False,
) -> NodeMarks | None:
    """Return the marks of a node from its value over the batch; None if it has none. −∞ behind a mask (`is_masked`) is none."""
    operation, value, can_saturate = operation.rstrip("_"), dense(value), value.dtype.is_floating_point
    found = NodeMarks(
        dead=_dead(value, batch_axis) if operation == "relu" else 0,
        units=value.numel() if batch_axis is None else value.numel() // max(1, value.shape[batch_axis]),
        saturated=int((STEEPNESS[operation](value) < FLAT).sum()) if operation in STEEPNESS and can_saturate else 0,
        dropped=0 if dropped is None else int(dropped.sum()),
        elements=value.numel(),
        non_finite=0 if is_masked else _non_finite(value),
        non_finite_gradient=0 if gradient is None else _non_finite(gradient),
        frozen=frozen,
    )
    conspicuous = (found.dead, found.saturated, found.dropped, found.non_finite, found.non_finite_gradient, found.frozen)
    return found if any(conspicuous) else None


def _dead(value: Tensor, batch_axis: int | None) -> int:
    """A unit is an element of a row. Without a batch there is only one row."""
    zero = value == 0
    return int((zero if batch_axis is None else zero.all(batch_axis)).sum())


def _non_finite(tensor: Tensor) -> int:
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return 0
    numbers = plain(tensor)
    if cmath.isfinite(numbers.sum().item()):  # nearly always: what is not finite makes the sum so too
        return 0
    return numbers.numel() - int(torch.isfinite(numbers).sum())
