"""What can be asked of all past iterations of a run, and what comes back. Frozen values that msgpack can write."""

from __future__ import annotations

import msgspec

from nnviz.records.tensors import Array

OF_TENSORS = ("weights", "gradients", "activations", "updates")
STATISTICS = ("norm", "mean", "std", "min", "max", "largest", "zeros", "non_finite", "dead", "saturated")


class Question(msgspec.Struct, frozen=True):
    """A number that can be measured after every iteration."""

    of: str
    """weights · gradients · activations · updates · loss · metric. Gradients are those before any clipping."""
    layer: str = ""
    """Of the first four: of which layer. Its weights are all without biases and shifts, its gradients and updates those of all its
    parameters, its activations what it put out for the batch of the iteration."""
    parameter: str = ""
    """Instead of a layer: of which parameter."""
    element: tuple[int, ...] = ()
    """Of a parameter: one element alone. Of activations: one unit, over all rows of the batch."""
    statistic: str = "norm"
    """norm · mean · std · min · max · largest (absolute value) · zeros, non_finite (shares of the elements) · of activations dead (share of
    the units that are 0 for every row of the batch) and saturated (share of elements where the derivative of sigmoid or tanh is below 5 %
    of the largest it can be)."""
    rows: str | tuple[int, ...] = "validation"
    """For loss and metric: training · validation · some training rows by their numbers. With chance switched off, as in the curves."""


class PastNumbers(msgspec.Struct, frozen=True, tag=True):
    """Numbers of past iterations."""

    iterations: Array
    """(iterations,) int64: after how many iterations each was measured."""
    values: Array
    """(questions, iterations) float64; NaN where there was nothing to measure: no gradient before iteration 1, another net at that time."""


class Predicate(msgspec.Struct, frozen=True):
    """Something that is true after an iteration or is not."""

    question: Question
    comparison: str
    """above · below. What is no number (NaN) is neither."""
    threshold: float

    def holds(self, value: float) -> bool:
        """Return whether it is true of this number."""
        return value > self.threshold if self.comparison == "above" else value < self.threshold


class FirstTime(msgspec.Struct, frozen=True, tag=True):
    """When something became true for the first time."""

    iteration: int | None
    """After so many iterations; None if it never was."""
    value: float | None
    """The number there."""
    before: float | None
    """The number an iteration before."""
    how: str
    """scanned: every iteration up to there was looked at · bisected: behind some checkpoints it was false, behind all later ones true, and
    only between two of them every iteration was looked at."""
    looked: int
    """At how many iterations it was looked at."""
