"""Locked weights while training runs: put back after every update, to the bit. Their gradients and the optimizer's state go on as ever,
but the norm that clipping looks at is that of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from nnviz.engine.errors import BuildError
from nnviz.trace import Row, Update


class LockedWeights:
    """Which elements of which parameters are locked."""

    def __init__(self, locks: Mapping[str, list | bool], parameters: Mapping[str, nn.Parameter]) -> None:
        """Raises BuildError for a name or an element that does not exist."""
        self._parameters = {name: parameters.get(name) for name in locks}
        self._masks = {name: _mask(name, value, self._parameters[name]) for name, value in locks.items()}

    @property
    def masks(self) -> Mapping[str, Tensor]:
        """By name of the parameters with locks: which elements are locked."""
        return self._masks

    def clip_norm(self, parameters: Mapping[str, nn.Parameter], limit: float) -> None:
        """Scale all gradients as torch.nn.utils.clip_grad_norm_ does, by the norm that they have without those of locked elements."""
        gradients = {name: parameter.grad for name, parameter in parameters.items() if parameter.grad is not None}
        locked = {name: gradients[name].masked_fill(mask, 0) for name, mask in self._masks.items() if name in gradients}
        total = torch.nn.utils.get_total_norm((gradients | locked).values())
        torch.nn.utils.clip_grads_with_norm_(parameters.values(), limit, total)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Whatever is done to the parameters inside, locked elements have the same bits afterwards."""
        before = {name: parameter.detach().clone() for name, parameter in self._parameters.items()}
        yield
        with torch.no_grad():
            for name, old in before.items():
                self._parameters[name].copy_(torch.where(self._masks[name], old, self._parameters[name]))

    def applied(self, updates: tuple[Update, ...]) -> tuple[Update, ...]:
        """Return the updates as they will be made: those of locked parameters with a last row that says so."""
        return tuple(self._applied(update) if update.parameter in self._masks else update for update in updates)

    def _applied(self, update: Update) -> Update:
        after = torch.where(self._masks[update.parameter], update.before, update.after)
        return replace(update, rows=(*update.rows, Row("θ′ locked", "θ where it is locked", after)), after=after)


def _mask(name: str, locks: list | bool, parameter: nn.Parameter | None) -> Tensor:
    if parameter is None:
        raise BuildError(f"locks.{name}", "No parameter has this name.", "Remove the lock.")
    if locks is True:
        return torch.ones_like(parameter, dtype=torch.bool)
    mask = torch.zeros_like(parameter, dtype=torch.bool)
    try:
        for index in locks or []:
            mask[tuple(index)] = True
    except IndexError:
        raise BuildError(f"locks.{name}", f"It has no element {index}.", f"Its shape is {list(parameter.shape)}.") from None
    return mask
