"""Measures of a run what the doctor judges by. Nothing of the run changes: no random number is drawn, no buffer moved."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
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
MOST_BATCHES = 8
"""So many batches are answered as in training."""
_BY_CHANCE = {"dropout", "spatial_dropout", "noise", "batch_norm", "gaussian_latent"}
"""Kinds of layers that do something else in training than in evaluation."""

_ENDS_IN_FUNCTION = {"dense", "activation", "conv1d", "conv2d", "rnn"}
"""Kinds of layers whose output is that of their activation function."""

Weights = dict[str, np.ndarray]


def trained_weights(trainer: Trainer) -> Weights:
    """Return copies of all trained parameters with two axes or more, by name."""
    return {name: _numbers(tensor).copy() for name, tensor in trainer.parameters.items() if tensor.requires_grad and tensor.dim() > 1}


def checkup(trainer: Trainer, before: Weights, with_rows: bool = False) -> Checkup:
    """Return what is measured of the iteration just made. `before`: the trained weights before it; `with_rows`: also over all rows."""
    gradients = {name: _numbers(gradient) for name, gradient in trainer.gradients.items()}
    with np.errstate(all="ignore"):  # of a run that diverges some are infinite
        squares = {name: _square(gradient) for name, gradient in gradients.items()}
        layers = _layers(trainer, before, squares)
        functions = tuple(_functions(trainer.experiment, trainer.activations))
        penalty = _penalty_ratio(trainer.experiment, before, gradients)
    whole = whole_checkup(trainer) if with_rows else None
    norm = math.sqrt(sum(squares.values()))
    return Checkup(trainer.position.iteration, trainer.point.loss, layers, functions, norm, penalty, whole)


def _numbers(tensor: Tensor) -> np.ndarray:
    """The same memory: for a few numbers numpy takes a tenth of the time of torch."""
    return tensor.detach().numpy()


def _square(numbers: np.ndarray) -> float:
    """Σx²; what is too large for the net's precision is added up in float64."""
    flat = numbers.ravel()
    with np.errstate(all="ignore"):
        total = float(np.dot(flat, flat))
    return total if math.isfinite(total) else float(np.square(flat, dtype=np.float64).sum())


def _layers(trainer: Trainer, before: Weights, gradients: Mapping[str, float]) -> tuple[LayerCheckup, ...]:
    """`gradients`: Σg² by parameter."""
    sums: dict[str, list[float]] = {}
    for name, old in before.items():
        if name in gradients:
            moved = _numbers(trainer.parameters[name]) - old
            of_layer = sums.setdefault(split_parameter(name).layer, [0, 0.0, 0.0, 0.0])
            for place, square in enumerate((old.size, _square(old), gradients[name], _square(moved))):
                of_layer[place] += square
    found = []
    for layer, _ in trainer.net.plan:
        if layer in sums:
            count, *squares = sums[layer]
            found.append(LayerCheckup(layer, *(math.sqrt(square / count) for square in squares), _of_bias(trainer, layer, gradients)))
    return tuple(found)


def _of_bias(trainer: Trainer, layer: str, gradients: Mapping[str, float]) -> float | None:
    square = gradients.get(f"{layer}.bias")
    return None if square is None else math.sqrt(square / trainer.parameters[f"{layer}.bias"].numel())


def _functions(experiment: Experiment, outputs: Mapping[str, Tensor]) -> list[FunctionCheckup]:
    """By layer whose output is that of a function that can be flat."""
    found = []
    for layer in experiment.network:
        function = function_of(layer)
        if layer.id in outputs and (function == "relu" or function in _FLAT_AT):
            rows = _by_unit(_numbers(outputs[layer.id]))
            found.append(FunctionCheckup(layer.id, function, rows.shape[1], _flat_units(function, rows)))
    return found


def function_of(layer: Layer) -> str:
    """Return the activation function that makes a layer's output, as the catalog names it; "" for none."""
    if layer.kind not in _ENDS_IN_FUNCTION:
        return ""
    return layer.settings.get("function" if layer.kind == "activation" else "activation", "")


def _by_unit(output: np.ndarray) -> np.ndarray:
    """(rows, units): of images the channels are the units, of sequences every step is a row."""
    by_unit = np.moveaxis(output, 1, -1) if output.ndim == 4 else output
    return by_unit.reshape(-1, by_unit.shape[-1])


def _flat_units(function: str, rows: np.ndarray) -> int:
    if function == "relu":
        return rows.shape[1] - int(np.count_nonzero(rows.max(0) > 0))
    middle, away = _FLAT_AT[function]
    return int(np.count_nonzero(2 * np.count_nonzero(np.abs(rows - middle) > away, axis=0) > len(rows)))


def _penalty_ratio(experiment: Experiment, before: Weights, gradients: Mapping[str, np.ndarray]) -> float | None:
    """Of l1·Σ|w| + l2/2·Σw² in the loss, and of the weight decay that an optimizer adds to the gradient."""
    training = experiment.training
    decay = 0.0 if training.optimizer.kind == "adamw" else float(training.optimizer.settings.get("weight_decay") or 0.0)
    if not (training.l1 or training.l2 or decay):
        return None
    of_data = of_penalty = 0.0
    for name, weight in before.items():
        if name in gradients:
            penalty = training.l2 * weight + training.l1 * np.sign(weight)
            of_data += _square(gradients[name] - penalty)
            of_penalty += _square(penalty + decay * weight)
    return math.sqrt(of_penalty / of_data) if of_data else math.inf if of_penalty else 0.0


# --- over all rows ---


def whole_checkup(trainer: Trainer) -> WholeCheckup:
    """Return what all training rows tell, at most MOST_ROWS of them; the trainer stays as it is."""
    rows = Samples(*(part[:MOST_ROWS] for part in trainer.training_rows))
    with trainer.unchanged(), torch.no_grad():
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
    """Over a few batches of the size that is trained on; None for a net that does nothing else in training."""
    if not any(layer.kind in _BY_CHANCE or layer.settings.get("dropout") for layer in trainer.experiment.network):
        return None
    trainer.prepare()
    size = min(trainer.experiment.training.batch_size or rows.count, rows.count)
    count = min(MOST_BATCHES, rows.count // size) * size  # a last batch of a few rows has other statistics
    order = _shuffled(rows.count)[:count]
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
    means, stds = _columns(trainer.experiment, data, rows)
    counts = tuple(torch.bincount(rows.y, minlength=data.classes).tolist()) if data.classes else ()
    bounds = None if data.classes else (rows.targets.min().item(), rows.targets.max().item())
    if of_start:
        loss, twins, weights = of_start.start_loss, of_start.symmetric_units, of_start.weights
    else:
        with trainer.unchanged():
            loss = trainer.loss(trainer.answer(rows.x), rows.targets).item()
        twins, weights = symmetric_units(trainer), _start_weights(trainer)
    return StartFacts(rows.count, means, stds, counts, _constant_loss(trainer), loss, twins, weights, bounds)


def _start_weights(trainer: Trainer) -> dict[str, float]:
    sums: dict[str, tuple[int, float]] = {}
    for name, weight in trained_weights(trainer).items():
        layer = split_parameter(name).layer
        count, square = sums.get(layer, (0, 0.0))
        sums[layer] = count + weight.size, square + _square(weight)
    return {layer: math.sqrt(square / count) for layer, (count, square) in sums.items()}


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
