"""Measures of a run what the doctor judges by. Nothing of the run changes: no random number is drawn, no buffer moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer, split_parameter
from nnviz.engine.data.datasets import Data
from nnviz.engine.data.samples import Samples
from nnviz.engine.model import loss_functions
from nnviz.engine.model.build import set_training
from nnviz.engine.run.trainer import Trainer
from nnviz.records.checkup_records import Checkup, FunctionCheckup, LayerCheckup, StartFacts, WholeCheckup

_FLAT_AT = {"sigmoid": (0.5, math.sqrt(0.25 - 0.05 / 4)), "tanh": (0.0, math.sqrt(1 - 0.05))}
"""Around which value, and how far from it, a lies where the derivative is 5 % of its largest: σ′ = a(1−a), tanh′ = 1−a²."""
MOST_ROWS = 2048
"""So many rows are looked at when all are asked for."""
MOST_BATCHES = 4
"""So many batches are answered as in training."""
_BY_CHANCE = {"dropout", "spatial_dropout", "noise", "batch_norm", "gaussian_latent"}
"""Kinds of layers that do something else in training than in evaluation."""

_ENDS_IN_FUNCTION = {"dense", "activation", "conv1d", "conv2d", "rnn"}
"""Kinds of layers whose output is that of their activation function."""


class Measuring:
    """Measures iterations of one trainer: `begin` before one, `end` behind it. What is looked at is worked out once.

    All tensors are joined first: for a few numbers each call of numpy takes as long as for many.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        trained = {name: tensor for name, tensor in trainer.parameters.items() if tensor.requires_grad}
        self._weights = [name for name, tensor in trained.items() if tensor.dim() > 1]
        self._names = [*self._weights, *(name for name in trained if name not in set(self._weights))]
        counts = {name: tensor.numel() for name, tensor in trained.items()}
        parts = [counts[name] for name in (*self._weights, *self._weights, *self._names)]
        self._starts = [0, *accumulate(parts[:-1])]
        """Where the weights, their updates and the gradients of all parameters begin in what is joined."""
        of_layers: dict[str, list[int]] = {}
        for place, name in enumerate(self._weights):
            of_layers.setdefault(split_parameter(name).layer, []).append(place)
        places = {name: place for place, name in enumerate(self._names)}
        self._layers = [
            (layer, of_layers[layer], sum(counts[self._weights[place]] for place in of_layers[layer]), places.get(f"{layer}.bias"))
            for layer, _ in trainer.net.plan
            if layer in of_layers
        ]
        """Of every layer with weights: their places among the weights, how many numbers these are, and the place of its bias."""
        self._biases = {place: counts[self._names[place]] for *_, place in self._layers if place is not None}
        functions = [(layer.id, function_of(layer)) for layer in trainer.experiment.network]
        self._functions = [(layer, function) for layer, function in functions if function == "relu" or function in _FLAT_AT]
        self._before = np.zeros(0)

    def begin(self) -> None:
        """Keep the weights as they are before an iteration."""
        self._before = self._joined(self.trainer.parameters, self._weights)

    def end(self, with_rows: bool) -> Checkup | None:
        """Return what is measured of the iteration just made, `with_rows` also over all rows; None of a net without weights to train."""
        if not self._weights:
            return None
        trainer, gradients = self.trainer, self.trainer.gradients
        with np.errstate(all="ignore"):  # of a run that diverges some are infinite
            moved = self._joined(trainer.parameters, self._weights) - self._before
            joined = np.concatenate([self._before, moved, *(self._gradient(gradients, name) for name in self._names)])
            squares = np.add.reduceat(np.square(joined, dtype=np.float64), self._starts).tolist()
            functions = self._of_functions(trainer.activations)
            penalty = _penalty_ratio(trainer.experiment, self._before, joined[2 * len(moved) :][: len(moved)])
        count = len(self._weights)
        of_gradients = squares[2 * count :]
        layers = self._of_layers(squares[:count], squares[count : 2 * count], of_gradients)
        whole = whole_checkup(trainer) if with_rows else None
        norm = math.sqrt(sum(of_gradients))
        return Checkup(trainer.position.iteration, trainer.point.loss, layers, functions, norm, penalty, whole)

    def _gradient(self, gradients: Mapping[str, Tensor], name: str) -> np.ndarray:
        """Of a parameter that the loss does not depend on, zeros."""
        gradient = gradients.get(name)
        return np.zeros(self.trainer.parameters[name].numel()) if gradient is None else _numbers(gradient).ravel()

    @staticmethod
    def _joined(tensors: Mapping[str, Tensor], names: Sequence[str]) -> np.ndarray:
        return np.concatenate([_numbers(tensors[name]).ravel() for name in names]) if names else np.zeros(0)

    def _of_layers(self, weights: list[float], moved: list[float], gradients: list[float]) -> tuple[LayerCheckup, ...]:
        """From the sums of the squares of each parameter."""
        found = []
        for layer, places, count, bias in self._layers:
            roots = (math.sqrt(sum(part[place] for place in places) / count) for part in (weights, gradients, moved))
            of_bias = None if bias is None else math.sqrt(gradients[bias] / self._biases[bias])
            found.append(LayerCheckup(layer, *roots, of_bias))
        return tuple(found)

    def _of_functions(self, outputs: Mapping[str, Tensor]) -> tuple[FunctionCheckup, ...]:
        """By layer whose output is that of a function that can be flat; those with the same function and as many rows at once."""
        alike: dict[tuple[str, int], dict[str, np.ndarray]] = {}
        for layer, function in self._functions:
            if layer not in outputs:
                continue
            rows = _by_unit(_numbers(outputs[layer]))
            alike.setdefault((function, len(rows)), {})[layer] = rows
        found = {}
        for (function, _), layers in alike.items():
            units = [rows.shape[1] for rows in layers.values()]
            are_flat = _are_flat(function, np.concatenate(list(layers.values()), 1))
            flat = np.add.reduceat(are_flat, [0, *accumulate(units[:-1])], dtype=np.int64).tolist()
            found |= {layer: FunctionCheckup(layer, function, *figures) for layer, *figures in zip(layers, units, flat, strict=True)}
        return tuple(found[layer] for layer, _ in self._functions if layer in found)

    def root_mean_squares(self) -> dict[str, float]:
        """Return √mean θ² of every layer that is trained, as it is now."""
        with np.errstate(all="ignore"):  # of weights set by hand some squares are infinite
            squares = [np.square(_numbers(self.trainer.parameters[name]), dtype=np.float64).sum() for name in self._weights]
        return {layer: math.sqrt(sum(squares[place] for place in places) / count) for layer, places, count, _ in self._layers}


def _numbers(tensor: Tensor) -> np.ndarray:
    """The same memory: for a few numbers numpy takes a tenth of the time of torch."""
    return tensor.detach().numpy()


def function_of(layer: Layer) -> str:
    """Return the activation function that makes a layer's output, as the catalog names it; "" for none."""
    if layer.kind not in _ENDS_IN_FUNCTION:
        return ""
    return layer.settings.get("function" if layer.kind == "activation" else "activation", "")


def _by_unit(output: np.ndarray) -> np.ndarray:
    """(rows, units): of images the channels are the units, of sequences every step is a row."""
    by_unit = np.moveaxis(output, 1, -1) if output.ndim == 4 else output
    return by_unit.reshape(-1, by_unit.shape[-1])


def _are_flat(function: str, rows: np.ndarray) -> np.ndarray:
    """(units,) whether a ReLU is 0 for all rows, another function flat for more than half of them."""
    if function == "relu":
        return rows.max(0) <= 0
    middle, away = _FLAT_AT[function]
    return np.count_nonzero(np.abs(rows - middle) > away, axis=0) > len(rows) / 2


def _penalty_ratio(experiment: Experiment, weights: np.ndarray, gradients: np.ndarray) -> float | None:
    """Of l1·Σ|w| + l2/2·Σw² in the loss, and of the weight decay that an optimizer adds to the gradient."""
    training = experiment.training
    decay = 0.0 if training.optimizer.kind == "adamw" else float(training.optimizer.settings.get("weight_decay") or 0.0)
    if not (training.l1 or training.l2 or decay):
        return None
    penalty = training.l2 * weights + training.l1 * np.sign(weights)
    data, pull = (math.sqrt(np.square(part, dtype=np.float64).sum()) for part in (gradients - penalty, penalty + decay * weights))
    return pull / data if data else math.inf if pull else 0.0


# --- over all rows ---


def whole_checkup(trainer: Trainer) -> WholeCheckup:
    """Return what all training rows tell, at most MOST_ROWS of them; the trainer stays as it is."""
    rows = Samples(*(part[:MOST_ROWS] for part in trainer.training_rows))
    with torch.no_grad():
        set_training(trainer.net, False)
        answers, dead = _answers(trainer, rows.x)
        loss = trainer.loss(answers, rows.targets).item()
        others = trainer.loss(answers[_shuffled(rows.count)], rows.targets).item()
        in_training = _training_mode_loss(trainer, rows)
    recalls = _recalls(trainer, answers, rows.y) if trainer.data.classes else ()
    return WholeCheckup(rows.count, loss, others, in_training, dead, recalls, symmetric_units(trainer))


def _shuffled(count: int) -> Tensor:
    """Always the same order: half of what neighbours, periods and sorted classes have in common would be left by a shift."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))


def _answers(trainer: Trainer, x: Tensor) -> tuple[Tensor, dict[str, tuple[int, ...]]]:
    """What the net puts out in the mode it is in, and by layer the units of a ReLU that are 0 on all rows."""
    parts, living = [], {}
    relus = [layer.id for layer in trainer.experiment.network if function_of(layer) == "relu"]
    for part in x.split(trainer.rows_at_once):
        parts.append(trainer.net(part))
        for layer in relus:
            lives = _by_unit(_numbers(trainer.net.outputs[layer])).max(0) > 0
            living[layer] = living.get(layer, False) | lives
    return torch.cat(parts), {layer: tuple(np.flatnonzero(~lives).tolist()) for layer, lives in living.items() if not lives.all()}


def _training_mode_loss(trainer: Trainer, rows: Samples) -> float | None:
    """Over a few batches of the size that is trained on; None for a net that does nothing else in training, or answers other rows there."""
    if trainer.sides or not any(layer.kind in _BY_CHANCE or layer.settings.get("dropout") for layer in trainer.experiment.network):
        return None
    size = min(trainer.experiment.training.batch_size or rows.count, rows.count)
    count = min(MOST_BATCHES, rows.count // size) * size  # a last batch of a few rows has other statistics
    order = _shuffled(rows.count)[:count]
    with trainer.unchanged():
        trainer.prepare()
        answers = torch.cat([trainer.net(rows.x[part]) for part in order.split(size)])
    return trainer.loss(answers, rows.targets[order]).item()


def _recalls(trainer: Trainer, answers: Tensor, y: Tensor) -> tuple[float, ...]:
    answered = loss_functions.answered_classes(trainer.experiment.training.loss, answers)
    count = trainer.data.classes
    right, all_of = torch.bincount(y[answered == y], minlength=count), torch.bincount(y, minlength=count)
    return tuple((right.double() / all_of).tolist())


# --- at the start ---


def start_facts(trainer: Trainer, of_start: StartFacts | None = None) -> StartFacts:
    """Return what is known from the start. `of_start`: where the trainer has gone on from there, what was known then: what the
    weights of the start were and did stays so, whatever has been changed since."""
    rows, data = trainer.training_rows, trainer.data
    targets = None if data.classes else (rows.targets.min().item(), rows.targets.max().item())
    constant = _constant_loss(trainer)
    if of_start:
        return replace(of_start, constant_loss=constant, targets=targets)
    means, stds = _columns(trainer.experiment, data, rows)
    counts = tuple(torch.bincount(rows.y, minlength=data.classes).tolist()) if data.classes else ()
    with trainer.unchanged():
        loss = trainer.loss(trainer.answer(rows.x), rows.targets).item()
    weights = Measuring(trainer).root_mean_squares()
    return StartFacts(rows.count, means, stds, counts, constant, loss, symmetric_units(trainer), weights, targets)


def _columns(experiment: Experiment, data: Data, rows: Samples) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of every column of plain rows."""
    is_looked_up = any(layer.kind == "embedding" for layer in experiment.network)
    if rows.x.dim() != 2 or len(data.shape) > 1 or is_looked_up:
        return (), ()
    x = rows.x.double()
    return tuple(x.mean(0).tolist()), tuple(x.std(0, correction=0).tolist())


def _constant_loss(trainer: Trainer) -> float:
    """Of the answer that is the mean of the targets, their median for the mean absolute error, their classes' frequencies."""
    targets, name = trainer.training_rows.targets, trainer.experiment.training.loss
    if name == "cross_entropy":
        shares = torch.bincount(targets).double() / len(targets)
        return -torch.xlogy(shares, shares).sum().item()
    targets = targets.double()
    if name == "bce":
        shares = targets.mean(0)
        return -(torch.xlogy(shares, shares) + torch.xlogy(1 - shares, 1 - shares)).mean().item()
    middle = targets.median(0).values if name in ("mae", "huber") else targets.mean(0)
    return trainer.loss(middle.expand_as(targets).contiguous(), targets).item()


def symmetric_units(trainer: Trainer) -> dict[str, tuple[int, ...]]:
    """Return by dense layer the units that have a twin: bit by bit the same weights and bias in, and the same weights out."""
    found = {}
    for layer, follower in _dense_pairs(trainer):
        own = [_numbers(trainer.parameters[f"{layer}.weight"]), _numbers(trainer.parameters[f"{follower}.weight"]).T]
        bias = trainer.parameters.get(f"{layer}.bias")
        joined = np.concatenate([*own, *([] if bias is None else [_numbers(bias)[:, None]])], 1)
        units: dict[bytes, list[int]] = {}
        for unit, row in enumerate(joined):
            units.setdefault(row.tobytes(), []).append(unit)
        if twins := sorted(unit for group in units.values() if len(group) > 1 for unit in group):
            found[layer] = tuple(twins)
    return found


def _dense_pairs(trainer: Trainer) -> list[tuple[str, str]]:
    """Dense layers of two units or more, each with the dense layer that alone reads it, directly or through one function or dropout."""
    kinds = {layer.id: layer.kind for layer in trainer.experiment.network}
    readers: dict[str, list[str]] = {}
    for layer, sources in trainer.net.plan:
        for source in sources:
            readers.setdefault(source, []).append(layer)
    found = []
    for layer, _ in trainer.net.plan:
        if kinds[layer] != "dense" or trainer.parameters[f"{layer}.weight"].shape[0] < 2:
            continue
        following = readers.get(layer, [])
        while len(following) == 1 and kinds[following[0]] in ("activation", "dropout"):
            following = readers.get(following[0], [])
        if len(following) == 1 and kinds[following[0]] == "dense":
            found.append((layer, following[0]))
    return found
