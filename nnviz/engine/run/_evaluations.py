"""Loss and metric of a net over all rows of a kind: after a few times by a flat list of torch's own kernels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nnviz.document.checks.training_checks import evaluated_rows
from nnviz.document.experiment import Experiment
from nnviz.engine.data.samples import Samples
from nnviz.engine.flat.call_plan import CannotFlatten
from nnviz.engine.flat.evaluation_program import EvaluationProgram
from nnviz.engine.model import loss_functions
from nnviz.engine.model.build import set_training
from nnviz.engine.run.flat_iteration import FlatNet

WARM_UP = 3
"""So many evaluations are made eagerly before a program is built for them."""
PROOFS = 3
"""So many are then made both ways, and must find the same."""
LARGE = 1_000_000
"""Numbers in a forward pass from which on the kernels themselves take nearly all of the time."""

Evaluated = tuple[float, float]
"""Loss with its penalties, and metric; that is NaN where a row is not answered."""


class Evaluations:
    """What a net answers, and how well, in evaluation mode."""

    def __init__(self, flat_net: FlatNet, experiment: Experiment, classes: int) -> None:
        """`classes`: how many there are in the data, 0 if its targets are numbers."""
        self._flat_net, self._net, self._experiment, self._classes = flat_net, flat_net.net, experiment, classes
        self._loss = loss_functions.LOSSES[experiment.training.loss]
        self._penalty = loss_functions.penalty_of(experiment)
        self._times: dict[str, float] = {}
        """How often was evaluated, by kind of rows; below 0 where no program is to be made."""
        self._programs: dict[str, EvaluationProgram] = {}

    @property
    def rows_at_once(self) -> int:
        """How many rows are evaluated at once: as many as the document's own estimate of memory allows."""
        return evaluated_rows(self._net.numbers_per_row, self._experiment.precision)

    @torch.no_grad()
    def answer(self, x: Tensor) -> Tensor:
        """Return the network's output for these rows."""
        set_training(self._net, False)
        return torch.cat([self._net(part) for part in x.split(self.rows_at_once)])

    def evaluate(self, kind: str, rows: Samples) -> tuple[float, float | None]:
        """Return loss and metric over these rows, always the same ones for a kind. The loss is what is trained on, with all its penalties;
        those that depend on the rows are means over them. The metric is None where a row of a class is not answered."""
        program = self._programs.get(kind)
        return self._answered(_run(program) if program else self._counted(kind, rows))

    def evaluate_once(self, rows: Samples) -> tuple[float, float | None]:
        """Evaluate as `evaluate` does over rows that are others each time."""
        return self._answered(self._eagerly(rows))

    def _answered(self, found: Evaluated) -> tuple[float, float | None]:
        loss, metric = found
        return loss, None if self._classes and math.isnan(metric) else metric

    def _counted(self, kind: str, rows: Samples) -> Evaluated:
        """Evaluate layer by layer; when it is time, prove a program for the next times."""
        found = self._eagerly(rows)
        times = self._times[kind] = self._times.get(kind, 0) + 1
        if times > WARM_UP:
            program = self._program(kind, rows)
            if not program or repr(_run(program)) != repr(found):  # NaN is the same as NaN
                self._times[kind] = -math.inf
            elif times == WARM_UP + PROOFS:
                self._programs[kind] = program
        return found

    def _program(self, kind: str, rows: Samples) -> EvaluationProgram | None:
        """A program that is yet to be proven; None where there can be none, or where it would not be worth it."""
        if rows.count > self.rows_at_once or rows.count * self._net.numbers_per_row > LARGE:
            return None
        training = self._experiment.training
        key = "evaluation", kind, training.loss, training.l1, training.l2
        try:
            return self._flat_net.program(key, rows.count, lambda: self._made(rows))
        except CannotFlatten:
            return None

    @torch.no_grad()
    def _eagerly(self, rows: Samples) -> Evaluated:
        set_training(self._net, False)
        outputs, penalty = [], 0.0
        for part in rows.x.split(self.rows_at_once):
            outputs.append(self._net(part))
            if self._penalty:
                penalty += self._penalty(self._net).item() * (len(part) / rows.count)
        output = torch.cat(outputs)
        return self._loss(output, rows.targets).item() + penalty, self._metric(output, rows.y).item()

    def _made(self, rows: Samples) -> EvaluationProgram:
        set_training(self._net, False)
        of_rows = rows.x, rows.targets, rows.y
        return EvaluationProgram(self._net, self._loss, self._penalty, self._metric, of_rows, self._flat_net.parameters)

    def _metric(self, output: Tensor, y: Tensor) -> Tensor:
        return loss_functions.metric(self._experiment.training.loss, output, y, self._classes)


def _run(program: EvaluationProgram) -> Evaluated:
    with torch._C._InferenceMode(True):
        found = program.run()
    return found["loss"] + found.get("penalty", 0.0), found["metric"]
