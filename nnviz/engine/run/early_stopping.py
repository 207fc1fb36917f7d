"""Early stopping: the best epoch so far and how long it has not been beaten."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class EarlyStopping:
    """The best epoch so far."""

    loss: float = math.inf
    tensors: dict[str, Tensor] | None = None
    iteration: int = 0
    waited: int = 0
    is_over: bool = False
    """Whether the last epoch was one too many: the best weights should come back."""

    def after(self, validation: float, iteration: int, limit: int, tensors: Callable[[], dict[str, Tensor]]) -> EarlyStopping:
        """Return the state after another epoch. `limit`: after how many epochs without improvement it is over."""
        if validation < self.loss:
            return EarlyStopping(validation, tensors(), iteration)
        if self.waited + 1 < limit:
            return replace(self, waited=self.waited + 1, is_over=False)
        return replace(self, waited=0, is_over=True)

    def sentence(self, limit: int) -> str:
        """Return why training stops."""
        epochs = "epoch" if limit == 1 else "epochs"
        start = f"Validation loss has not fallen below {self.loss:.6g} for {limit} {epochs}"
        return f"{start}; the weights of iteration {self.iteration} are back."
