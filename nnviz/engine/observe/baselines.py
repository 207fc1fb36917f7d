"""How well other models do on the very rows and split of a run, beside its net as it stands, and what averaging makes of many models."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnviz.document.catalog import LAYERS
from nnviz.engine import seeds
from nnviz.engine.data.samples import Samples
from nnviz.engine.errors import BuildError
from nnviz.engine.model.loss_functions import probabilities
from nnviz.engine.observe._thinned_nets import ThinnedNets
from nnviz.engine.observe.evaluated_outputs import outputs_of
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.surface import answered_plane
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.tasks import Work
from nnviz.records.baseline_record import Averaged, Baseline, Baselines
from nnviz.records.task_records import BaselinesTask, Progress
from nnviz.records.tensors import Array

if TYPE_CHECKING:
    from nnviz.engine.observe._other_models import Answer, Fitted

MOST_ROWS = 5000
"""To no more rows the models are fitted, and over no more they are scored; of more so many are drawn."""
MOST_FEATURES = 1024
FORETOLD = ("sine_wave", "sawtooth", "ar")
"""Series whose target is a later value of their own: there "as the last value" is an answer, too."""


class Known(NamedTuple):
    """FittedRows whose answers are scored, as the models take them."""

    samples: Samples
    x: np.ndarray
    """(rows, features) float64"""
    y: np.ndarray
    """(rows,) class numbers, or (rows, targets)"""


def baselines(task: BaselinesTask, trainer: Trainer) -> Work:
    """Return the work that fits other models to the trainer's rows and scores them beside its net, which stays as it is.

    A net that reproduces its input stands beside the principal components of the same rows, as many as its narrowest layer is wide.
    Raises BuildError where rows are words, or too wide.
    """
    if any(LAYERS[layer.kind].vocabulary for layer in trainer.experiment.network):
        raise BuildError("", "Words are numbers without an order: these models cannot take them.", "Choose data whose columns are numbers.")
    if (width := trainer.data.x.shape[1]) > MOST_FEATURES:
        raise BuildError("", f"A row has {width:,} numbers; these models take {MOST_FEATURES:,} at most.", "Choose narrower data.")
    return _Comparison(task, private_copy(trainer)).work()


class _Comparison:
    """The models that are there by now."""

    def __init__(self, task: BaselinesTask, trainer: Trainer) -> None:
        self.task, self.trainer = task, trainer
        self.classes, x, y = trainer.data.classes, trainer.data.x, trainer.data.y
        self.is_reproducing = trainer.experiment.training.target == "input" or (not self.classes and np.array_equal(x, y))
        self.metric = "MSE" if self.is_reproducing else "accuracy" if self.classes else "RMSE"
        self.seed = seeds.number(trainer.experiment.seed, "baselines") % 2**32
        self.training, self.validation = (self._drawn(rows) for rows in (trainer.training_rows, trainer.validation_rows))
        self.plane = answered_plane(trainer)
        self.models: list[Baseline] = []
        self.averaged: list[Averaged] = []
        self.left_out: list[tuple[str, str]] = []

    def work(self) -> Work:
        yield Progress(0, 1, "loading scikit-learn")
        from nnviz.engine.observe._other_models import MODELS, MOST_BOOSTED, Fitted, FittedRows, principal_components

        parameters = sum(parameter.numel() for parameter in self.trainer.parameters.values())
        self._add("this net", Fitted(self._net_answer, parameters, "parameters"), None)
        yield self._found()
        if self.is_reproducing:
            self._add_components(principal_components)
            return self._found()
        if self.trainer.experiment.data.kind in FORETOLD:
            self._add_last_value(Fitted)
        rows = FittedRows(self.training.x, self.training.y, self.classes, self.seed)
        for name, fit in MODELS.items():
            if name == "gradient boosting" and not self.classes and self.training.y.shape[1] > MOST_BOOSTED:
                self.left_out.append((name, f"it would take a model for each of {self.training.y.shape[1]} targets"))
                continue
            yield from self._fitted(name, fit(rows, self.task))
            yield self._found()
        yield from self._average_nets()
        return self._found()

    def _found(self) -> Baselines:
        low, high = (self.plane.low, self.plane.high) if self.plane else ((), ())
        parts = tuple(self.models), low, high, tuple(self.averaged), tuple(self.left_out)
        return Baselines(self.metric, len(self.training.x), len(self.validation.x), *parts)

    # --- rows ---

    def _drawn(self, rows: Samples) -> Known:
        if rows.count > MOST_ROWS:
            picked = torch.randperm(rows.count, generator=seeds.stream(self.trainer.experiment.seed, "baseline rows"))[:MOST_ROWS]
            rows = Samples(*(part[picked] for part in rows))
        y = rows.y.numpy() if self.classes else rows.y.double().flatten(1).numpy()
        return Known(rows, rows.x.double().flatten(1).numpy(), y)

    @property
    def _scored(self) -> Known:
        """The rows over which averages are scored."""
        return self.validation if len(self.validation.x) else self.training

    # --- models ---

    def _fitted(self, name: str, fitting: Generator) -> Generator:
        used, fitted = 0.0, None
        while fitted is None:
            start = time.perf_counter()
            try:
                progress = next(fitting)
            except StopIteration as end:
                fitted = end.value
            used += time.perf_counter() - start
            yield progress
        title = ("logistic regression" if self.classes else "linear regression") if name == "linear" else name
        self._add(title, fitted, used)
        if fitted.members:
            yield from self._average(title, [partial(member, self._scored.x) for member in fitted.members])

    def _add_last_value(self, fitted: type[Fitted]) -> None:
        """The rule that the series stays where it is, in the unit of the targets, which are not those of scaled inputs."""
        data = self.trainer.data
        if self.trainer.experiment.data["target_scaling"] != "none":
            self.left_out.append(("last value", "the target has a scale of its own; choose none for it"))
            return
        seen, own = data.x[:, -1], data.x[:, -1] if data.raw is None else data.raw[:, -1]
        slope, offset = np.polyfit(seen, own, 1)
        self._add("last value", fitted(lambda x: slope * x[:, -1:] + offset, 0, "parameters"), None)

    def _add_components(self, of: Callable[[np.ndarray, int], Fitted]) -> None:
        """The mean of the rows, and as many principal components as the narrowest layer is wide."""
        for components in (0, min(_narrowest(self.trainer), self.training.y.shape[1])):
            start = time.perf_counter()
            fitted = of(self.training.y, components)
            name = f"PCA, {components} component{'s' * (components > 1)}" if components else "mean of the rows"
            self._add(name, fitted, time.perf_counter() - start, takes_targets=True)

    def _add(self, name: str, fitted: Fitted, seconds: float | None, takes_targets: bool = False) -> None:
        """`takes_targets`: it answers to the rows that are to be reproduced, not to what the net is given of them."""
        known = [rows for rows in (self.training, self.validation) if len(rows.x)]
        scores = [self._score(fitted.answer(rows.y if takes_targets else rows.x), rows.y) for rows in known]
        picture = self._picture(fitted.answer) if self.plane else None
        self.models.append(Baseline(name, fitted.size, fitted.unit, scores[0], scores[1] if scores[1:] else None, seconds, picture))

    def _net_answer(self, x: np.ndarray) -> np.ndarray:
        trainer = self.trainer
        inputs = torch.from_numpy(x).to(trainer.training_rows.x.dtype).reshape(-1, *trainer.net.input_shape)
        return self._as_answer(trainer.answer(inputs))

    def _as_answer(self, output: Tensor) -> np.ndarray:
        """Outputs of the net as probabilities of all classes, or as numbers."""
        answer = probabilities(self.trainer.experiment.training.loss, output).double().flatten(1).numpy()
        return np.concatenate([1 - answer, answer], 1) if self.classes and answer.shape[1] == 1 else answer

    def _score(self, answer: np.ndarray, y: np.ndarray) -> float:
        if self.classes:
            return float((answer.argmax(1) == y).mean())
        mse = float(((answer - y) ** 2).mean())
        return mse if self.is_reproducing else mse**0.5

    def _picture(self, answer: Answer) -> Array:
        found = answer(self.plane.x.double().flatten(1).numpy()).astype(np.float32)
        return array_of(found.reshape(*self.plane.sizes, -1))

    # --- averages ---

    def _average(self, name: str, members: Sequence[Callable[[], np.ndarray]], whole: float | None = None) -> Generator:
        scored, total, singles, means = self._scored, 0.0, [], []
        for number, member in enumerate(members, start=1):
            answer = member()
            total = total + answer
            singles.append(self._score(answer, scored.y))
            means.append(self._score(total / number, scored.y))
            yield Progress(number, len(members), name)
        kind = "validation" if scored is self.validation else "training"
        self.averaged.append(Averaged(name, array_of(np.array(singles)), array_of(np.array(means)), whole, kind))

    def _average_nets(self) -> Generator:
        """The mean of thinned nets, beside the whole one."""
        nets, scored = ThinnedNets(self.trainer), self._scored
        if not nets.are_there:
            self.left_out.append(("thinned nets", "no layer drops units: switch dropout on, or add a dropout layer"))
            return
        members = [lambda number=number: self._as_answer(nets.answer(number, scored.samples.x)) for number in range(self.task.nets)]
        yield from self._average("thinned nets", members, self._score(self._net_answer(scored.x), scored.y))


def _narrowest(trainer: Trainer) -> int:
    """How many numbers a row is squeezed through."""
    layers = [layer for layer, _ in trainer.net.plan]
    return min(outputs_of(trainer, layer, trainer.training_rows.x[:1]).numel() for layer in layers)
