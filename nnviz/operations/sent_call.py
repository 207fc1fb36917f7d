"""What a recorded call sends back to one element of one of its inputs, as the rules with numbers need it. It computes no network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.writing import Substitution, numbers, products

Sent = Callable[["SentCall"], "Substitution | None"]
"""A rule: the gradient of `at` with numbers. Raises what a row raises for a call in a way it does not know."""


@dataclass(frozen=True)
class SentCall:
    """A call, ∂L/∂ its value, and the element `at` of its input `argument`; the row of the batch is in it where the input has one."""

    call: RecordedCall
    upstream: np.ndarray
    argument: int
    at: tuple[int, ...]
    local: np.ndarray | None = None
    """∂y/∂x element by element, where it is known."""

    @cached_property
    def x(self) -> np.ndarray:
        """The input that it is sent to."""
        return self.call.input(self.argument)

    @cached_property
    def y(self) -> np.ndarray:
        """What the call made. Raises LookupError where that is not here."""
        value = self.call.state.index.array(self.call.node.value)
        if value is None:
            raise LookupError("the value did not travel")
        return value.astype(float)

    # --- operations that work element by element ---

    @cached_property
    def _copies(self) -> tuple[int | slice, ...]:
        """Where the element is in the result: several places where the input was spread over it."""
        shape, size = self.call.node.shape, self.x.shape
        kept = len(shape) - len(size)
        own = (slice(None) if length == 1 < whole else k for k, length, whole in zip(self.at, size, shape[kept:], strict=True))
        return (*(slice(None) for _ in range(kept)), *own)

    def along(self, part: object) -> np.ndarray:
        """Return a number or an array, spread over the result, at the places of the element's copies."""
        return np.broadcast_to(np.asarray(part, dtype=float), self.call.node.shape)[self._copies].reshape(-1)

    @property
    def arriving(self) -> np.ndarray:
        """∂L/∂y at the places of the element's copies."""
        return self.along(self.upstream)


def times(local: Callable[[SentCall], object]) -> Sent:
    """Return the rule of an operation element by element: upstream · local, summed over the copies."""
    return lambda sent: products(sent.arriving, sent.along(local(sent)))


def handed_on(sign: int = 1) -> Sent:
    """Return the rule of an operation that hands its gradient on as it is, or with the other sign."""
    return lambda sent: numbers(sign * sent.arriving)


def written(values: Callable[[SentCall], np.ndarray], write: Callable[[SentCall], str]) -> Sent:
    """Return the rule of an operation element by element, with a text of its own where there is one copy; else the numbers are added."""

    def rule(sent: SentCall) -> Substitution:
        found = values(sent)
        return Substitution(write(sent), float(found[0])) if len(found) == 1 else numbers(found)

    return rule
