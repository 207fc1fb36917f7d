"""One weight over the last iterations: its value, its gradient, its step, as plain numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import prod

from torch import Tensor

LENGTH = 200
"""Iterations that are kept."""


class WeightRecorder:
    """A ring of numbers of one element of one parameter. A net without that element leaves no trace in it."""

    def __init__(self, parameter: str, element: tuple[int, ...]) -> None:
        self.parameter, self.element = parameter, tuple(element)
        self._rows: deque[tuple[int, float, float, float]] = deque(maxlen=LENGTH)
        self._before = 0.0

    def before_update(self, parameters: Mapping[str, Tensor]) -> None:
        """Note the weight before an update."""
        tensor = self._tensor(parameters)
        self._before = _number(tensor, self.element) if tensor is not None else 0.0

    def after_update(self, parameters: Mapping[str, Tensor], iteration: int) -> None:
        """Record the update that finishes iteration `iteration`; what is kept of later ones is dropped."""
        tensor = self._tensor(parameters)
        if tensor is None:
            return
        while self._rows and self._rows[-1][0] >= iteration:
            self._rows.pop()
        value, gradients = _number(tensor, self.element), tensor.grad
        gradient = 0.0 if gradients is None else _number(gradients, self.element)
        self._rows.append((iteration, value, gradient, value - self._before))

    def rows(self, iteration: int) -> list[tuple[int, float, float, float]]:
        """Return iteration, value, gradient and step of every iteration that is kept, up to this one."""
        return [row for row in self._rows if row[0] <= iteration]

    def _tensor(self, parameters: Mapping[str, Tensor]) -> Tensor | None:
        tensor = parameters.get(self.parameter)
        if tensor is None or tensor.dim() != len(self.element) or not prod(tensor.shape):
            return None
        return tensor if all(0 <= place < size for place, size in zip(self.element, tensor.shape, strict=True)) else None


def _number(tensor: Tensor, element: tuple[int, ...]) -> float:
    """One element, read through numpy: less than half the time of tensor[element].item(), which every iteration would pay three times."""
    return tensor.detach().numpy().item(element)
