"""Evaluates a net over the same rows again and again: after a few times as a flat list of torch's own kernels."""

from __future__ import annotations

from collections.abc import Callable

import torch

from nnviz.engine.data.samples import Samples
from nnviz.engine.model.build import set_training
from nnviz.engine.run._call_plan import CannotFlatten
from nnviz.engine.run._evaluation_program import EvaluationProgram
from nnviz.engine.run.flat_iteration import FlatNet, Parts

WARM_UP = 3
"""So many evaluations are made eagerly before a flat one is built; the next one is made both ways."""
LARGE = 1_000_000
"""Numbers in a forward pass from which on the kernels themselves take nearly all of the time."""

Evaluated = tuple[float, float]
"""Loss with its penalty, and metric; that is NaN where a row is not answered."""


class FlatEvaluation:
    """The evaluation of one trainer's net over these rows; `eagerly` is how it is made without a program."""

    def __init__(self, flat_net: FlatNet, parts: Parts, metric: Callable, kind: str, rows: Samples, eagerly: Callable[[], Evaluated]) -> None:
        self._net, self._parts, self._metric, self._rows, self._eagerly = flat_net, parts, metric, rows, eagerly
        training = parts.training
        self._key = "evaluation", kind, training.loss, training.l1, training.l2
        self._times, self._program, self._is_refused = 0, None, rows.count * flat_net.net.numbers_per_row > LARGE

    def __call__(self) -> Evaluated:
        """Return loss and metric as the net is now."""
        if self._program:
            return self._flat()
        self._times += 1
        if self._times <= WARM_UP or self._is_refused:
            return self._eagerly()
        return self._proven(self._eagerly())

    def _proven(self, eager: Evaluated) -> Evaluated:
        """The same; from now on made by a program if that finds the same."""
        try:
            self._program = self._net.program(self._key, self._made)
        except CannotFlatten:
            self._is_refused = True
            return eager
        if repr(self._flat()) != repr(eager):  # which is also equal where both are NaN
            self._program, self._is_refused = None, True
        return eager

    def _made(self) -> EvaluationProgram:
        parts, rows = self._parts, self._rows
        set_training(self._net.net, False)
        return EvaluationProgram(self._net.net, parts.loss, parts.penalty, self._metric, (rows.x, rows.targets, rows.y), self._net.parameters)

    def _flat(self) -> Evaluated:
        with torch._C._InferenceMode(True):
            found = self._program.run()
        return found["loss"] + found.get("penalty", 0.0), found["metric"]
