"""One weight over the last iterations: its value, its gradient, its step. It only looks; it keeps numbers, no tensors."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from nnviz.engine.run.timeline import Timeline

LENGTH = 200
"""Iterations that are kept."""
REPLAYING = 0.25
"""Seconds that the past of a weight may take to be made again."""


class WeightRecorder:
    """A ring of numbers of one element of one parameter. A net without that element leaves no trace in it."""

    def __init__(self, parameter: str, element: tuple[int, ...]) -> None:
        self.parameter, self.element = parameter, tuple(element)
        self._rows: deque[tuple[int, float, float, float]] = deque(maxlen=LENGTH)
        self._before = 0.0

    def expect(self, parameters: Mapping[str, Tensor]) -> None:
        """An update is about to be made."""
        tensor = self._tensor(parameters)
        self._before = _number(tensor, self.element) if tensor is not None else 0.0

    def keep(self, parameters: Mapping[str, Tensor], iteration: int) -> None:
        """The update is made, and so many iterations are finished. What was kept of later ones is forgotten."""
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


def record_weight(timeline: Timeline, parameter: str, element: tuple[int, ...]) -> None:
    """Keep the history of one weight from now on, and of what lies behind as much as can be made again quickly; of "" none."""
    here, timeline.trainer.history = timeline.iteration, WeightRecorder(parameter, element) if parameter else None
    behind = min(LENGTH, here, int(REPLAYING / timeline.pace)) if timeline.pace else 0
    if parameter and behind:
        timeline.go_to(here - behind)
        timeline.go_to(here)
