"""One weight over the last iterations: its value, its gradient, its step, as plain numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import prod

import numpy as np
from torch import Tensor

LENGTH = 200
"""Iterations that are kept."""


class WeightRecorder:
    """A ring of numbers of one element of one parameter. A net without that element leaves no trace in it."""

    def __init__(self, parameter: str, element: tuple[int, ...]) -> None:
        self.parameter, self.element = parameter, tuple(element)
        self._rows: deque[tuple[int, float, float, float]] = deque(maxlen=LENGTH)
        self._before = 0.0
        self._known: Tensor | None = None
        """The tensor that was looked at last, and is known to have the element."""
        self._value, self._gradient = _Element(self.element), _Element(self.element)

    def before_update(self, parameters: Mapping[str, Tensor]) -> None:
        """Note the weight before an update."""
        tensor = self._tensor(parameters)
        self._before = self._value.of(tensor) if tensor is not None else 0.0

    def after_update(self, parameters: Mapping[str, Tensor], iteration: int) -> None:
        """Record the update that finishes iteration `iteration`; what is kept of later ones is dropped."""
        tensor = self._tensor(parameters)
        if tensor is None:
            return
        while self._rows and self._rows[-1][0] >= iteration:
            self._rows.pop()
        value, gradients = self._value.of(tensor), tensor.grad
        gradient = 0.0 if gradients is None else self._gradient.of(gradients)
        self._rows.append((iteration, value, gradient, value - self._before))

    def rows(self, iteration: int) -> list[tuple[int, float, float, float]]:
        """Return iteration, value, gradient and step of every iteration that is kept, up to this one."""
        return [row for row in self._rows if row[0] <= iteration]

    def _tensor(self, parameters: Mapping[str, Tensor]) -> Tensor | None:
        tensor = parameters.get(self.parameter)
        if tensor is None or tensor is self._known:
            return tensor
        if tensor.dim() != len(self.element) or not prod(tensor.shape):
            return None
        if not all(0 <= place < size for place, size in zip(self.element, tensor.shape, strict=True)):
            return None
        self._known = tensor
        return tensor


class _Element:
    """One element, read in the memory of its tensor: a tenth of the time of tensor[element].item(), which every iteration pays thrice."""

    def __init__(self, element: tuple[int, ...]) -> None:
        self._element = element
        self._tensor: Tensor | None = None
        self._memory, self._numbers = 0, np.empty(0)

    def of(self, tensor: Tensor) -> float:
        """Return the element of a tensor."""
        memory = tensor.data_ptr()
        if tensor is not self._tensor or memory != self._memory:
            self._tensor, self._memory, self._numbers = tensor, memory, tensor.detach().numpy()
        return self._numbers.item(self._element)
