"""Measures of a run what the doctor judges by. Nothing of the run changes: no random number is drawn, no buffer moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

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
_BY_CHANCE = {"dropout", "spatial_dropout", "noise", "batch_norm", "gaussian_latent"}
"""Kinds of layers that do something else in training than in evaluation."""

_ENDS_IN_FUNCTION = {"dense", "activation", "conv1d", "conv2d", "rnn"}
"""Kinds of layers whose output is that of their activation function."""

Weights = dict[str, Tensor]


def trained_weights(trainer: Trainer) -> Weights:
    """Return copies of all trained parameters with two axes or more, by name."""
    own = {name: tensor for name, tensor in trainer.parameters.items() if tensor.requires_grad and tensor.dim() > 1}
    with torch.no_grad():
        return dict(zip(own, torch._foreach_clone(list(own.values())), strict=True)) if own else {}


def checkup(trainer: Trainer, before: Weights, with_rows: bool = False) -> Checkup:
    """Return what is measured of the iteration just made. `before`: the trained weights before it; `with_rows`: also over all rows."""
    gradients = trainer.gradients
    with torch.no_grad():
        layers = _layers(trainer, before, gradients)
        functions = tuple(_functions(trainer.experiment, trainer.activations))
        norm = _norms(list(gradients.values()))
        penalty = _penalty_ratio(trainer.experiment, before, gradients)
    whole = whole_checkup(trainer) if with_rows else None
    return Checkup(trainer.position.iteration, trainer.point.loss, layers, functions, math.hypot(*norm), penalty, whole)


def _norms(tensors: Sequence[Tensor]) -> list[float]:
    return torch.stack(torch._foreach_norm(list(tensors))).tolist() if tensors else []


def _layers(trainer: Trainer, before: Weights, gradients: Mapping[str, Tensor]) -> tuple[LayerCheckup, ...]:
    names = [name for name in before if name in gradients]
    old, new = [before[name] for name in names], [trainer.parameters[name] for name in names]
    moved = torch._foreach_sub(new, old) if names else []
    norms = np.array(_norms([*old, *[gradients[name] for name in names], *moved]), dtype=np.float64).reshape(3, -1)
    counts: dict[str, int] = {}
    squares: dict[str, np.ndarray] = {}
    for name, of_parameter in zip(names, norms.T, strict=True):
        layer = split_parameter(name).layer
        counts[layer] = counts.get(layer, 0) + before[name].numel()
        squares[layer] = squares.get(layer, 0.0) + of_parameter**2
    order = [layer for layer, _ in trainer.net.plan if layer in counts]
    return tuple(LayerCheckup(layer, *np.sqrt(squares[layer] / counts[layer]).tolist()) for layer in order)


def _functions(experiment: Experiment, outputs: Mapping[str, Tensor]) -> list[FunctionCheckup]:
    """By layer whose output is that of a function that can be flat."""
    found = []
    for layer in experiment.network:
        function = function_of(layer)
        if layer.id in outputs and (function == "relu" or function in _FLAT_AT):
            rows = _by_unit(outputs[layer.id])
            found.append(FunctionCheckup(layer.id, function, rows.shape[1], _flat_units(function, rows)))
    return found


def function_of(layer: Layer) -> str:
    """Return the activation function that makes a layer's output, as the catalog names it; "" for none."""
    names = layer.settings.get("activation") or layer.settings.get("function") or ""
    return names if layer.kind in _ENDS_IN_FUNCTION else ""


def _by_unit(output: Tensor) -> Tensor:
    """(rows, units): of images the channels are the units, of sequences every step is a row."""
    by_unit = output.movedim(1, -1) if output.dim() == 4 else output
    return by_unit.reshape(-1, by_unit.shape[-1])


def _flat_units(function: str, rows: Tensor) -> int:
    if function == "relu":
        return int((rows.amax(0) <= 0).sum())
    middle, away = _FLAT_AT[function]
    return int(((rows - middle).abs() > away).sum(0).gt(len(rows) / 2).sum())


def _penalty_ratio(experiment: Experiment, before: Weights, gradients: Mapping[str, Tensor]) -> float | None:
    """Of l1·Σ|w| + l2/2·Σw² in the loss, and of the weight decay that an optimizer adds to the gradient."""
    training = experiment.training
    decay = 0.0 if training.optimizer.kind == "adamw" else float(training.optimizer.settings.get("weight_decay") or 0.0)
    if not (training.l1 or training.l2 or decay):
        return None
    pulling, learning = [], []
    for name, weight in before.items():
        if name in gradients:
            penalty = training.l2 * weight + training.l1 * weight.sign()
            learning.append(gradients[name] - penalty)
            pulling.append(penalty + decay * weight)
    of_data, of_penalty = math.hypot(*_norms(learning)), math.hypot(*_norms(pulling))
    return of_penalty / of_data if of_data else math.inf if of_penalty else 0.0


# --- over all rows ---


def whole_checkup(trainer: Trainer) -> WholeCheckup:
    """Return what all training rows tell, at most MOST_ROWS of them; the trainer stays as it is."""
    rows = Samples(*(part[:MOST_ROWS] for part in trainer.training_rows))
    with trainer.unchanged(), torch.no_grad():
        set_training(trainer.net, False)
        answers, dead = _answers(trainer, rows.x)
        permuted = rows.x.roll(max(1, rows.count // 2), 0) if rows.count > 1 else rows.x
        loss = trainer.loss(answers, rows.targets).item()
        without_inputs = trainer.loss(_answers(trainer, permuted)[0], rows.targets).item()
        in_training = _training_mode_loss(trainer, rows)
    recalls = _recalls(trainer, answers, rows.y) if trainer.data.classes else ()
    return WholeCheckup(rows.count, loss, without_inputs, in_training, dead, recalls)


def _answers(trainer: Trainer, x: Tensor) -> tuple[Tensor, dict[str, tuple[int, ...]]]:
    """What the net puts out in the mode it is in, and by layer the units of a ReLU that are 0 on all rows."""
    parts, living = [], {}
    for part in x.split(trainer.rows_at_once):
        parts.append(trainer.net(part))
        for layer in trainer.experiment.network:
            if function_of(layer) == "relu" and layer.id in trainer.net.outputs:
                lives = _by_unit(trainer.net.outputs[layer.id]).amax(0) > 0
                living[layer.id] = living.get(layer.id, False) | lives
    return torch.cat(parts), {layer: tuple((~lives).nonzero()[:, 0].tolist()) for layer, lives in living.items() if not lives.all()}


def _training_mode_loss(trainer: Trainer, rows: Samples) -> float | None:
    """Over batches of the size that is trained on; None for a net that does nothing else in training."""
    if not any(layer.kind in _BY_CHANCE or layer.settings.get("dropout") for layer in trainer.experiment.network):
        return None
    trainer.prepare()
    size = min(trainer.experiment.training.batch_size or rows.count, rows.count)
    whole = rows.count - rows.count % size  # a last batch of a few rows has other statistics
    answers = torch.cat([trainer.net(part) for part in rows.x[:whole].split(size)])
    return trainer.loss(answers, rows.targets[:whole]).item()


def _recalls(trainer: Trainer, answers: Tensor, y: Tensor) -> tuple[float, ...]:
    answered = loss_functions.answered_classes(trainer.experiment.training.loss, answers)
    count = trainer.data.classes
    right, all_of = torch.bincount(y[answered == y], minlength=count), torch.bincount(y, minlength=count)
    return tuple((right.double() / all_of).tolist())


# --- at the start ---


def start_facts(trainer: Trainer) -> StartFacts:
    """Return what is known from the start; the trainer has made no iteration yet."""
    rows, data = trainer.training_rows, trainer.data
    means, stds = _columns(trainer.experiment, data, rows)
    counts = tuple(torch.bincount(rows.y, minlength=data.classes).tolist()) if data.classes else ()
    with trainer.unchanged():
        start = trainer.loss(trainer.answer(rows.x), rows.targets).item()
    bounds = None if data.classes else (rows.targets.min().item(), rows.targets.max().item())
    return StartFacts(rows.count, means, stds, counts, _constant_loss(trainer), start, symmetric_units(trainer), bounds)


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
        own = [trainer.parameters[f"{layer}.weight"].detach(), trainer.parameters[f"{follower}.weight"].detach().T]
        bias = trainer.parameters.get(f"{layer}.bias")
        joined = torch.cat([*own, *([] if bias is None else [bias.detach()[:, None]])], 1)
        _, group, counts = joined.unique(dim=0, return_inverse=True, return_counts=True)
        if twins := (counts[group] > 1).nonzero()[:, 0].tolist():
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
