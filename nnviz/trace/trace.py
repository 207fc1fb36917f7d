"""The trace: the immutable record of one training iteration. It must not compute anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from .record import Clipping, Node, Step, Update, ValueRead
from .schedule import Cursor
from .what_if import WhatIf


@dataclass(frozen=True, eq=False)
class Trace:
    """Everything one iteration did. Its tensors are its own: nothing that happens to the module later changes them."""

    nodes: tuple[Node, ...]  # nodes[i].id == i
    steps: tuple[Step, ...]
    loss: float
    loss_node: int
    detail: str
    worst_error: float  # against ordinary autograd, relative to the largest gradient
    parameter_gradients: Mapping[str, Tensor | None]  # None: the loss does not depend on it
    input_gradients: Mapping[str, Tensor]  # of the inputs that require one
    updates: tuple[Update, ...]  # recorded, not applied
    clipping: Clipping | None
    value_reads: tuple[ValueRead, ...]
    true_gradients: Mapping[str, Tensor | None]  # beside parameter_gradients: ordinary autograd's
    what_ifs: tuple[WhatIf, ...] = ()  # what was supposed; none: the iteration as it is
    outputs: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by module path: node and port of what it returned last
    details: Mapping[str, str] = field(default_factory=dict)  # groups that are opened to another detail

    def start(self) -> Cursor:
        """A cursor before the first step."""
        return Cursor(self)
