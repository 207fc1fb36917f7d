"""One table: the loss functions, what targets they take, and the penalties."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnviz.document.experiment import Experiment
from nnviz.engine.model.stochastic_layers import GaussianLatent

Loss = Callable[[Tensor, Tensor], Tensor]


class Root(torch.autograd.Function):
    """√x with torch's own bits, whose gradient is 0 at x = 0, where torch's is infinite and one behind it NaN."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        root = x.sqrt()
        context.save_for_backward(root)
        return root

    @staticmethod
    def backward(context: Any, upstream: Tensor) -> Tensor:
        (root,) = context.saved_tensors
        return torch.where(root == 0, torch.zeros_like(root), upstream / (2 * root))


Root.__name__ = "root"  # the name of its row in the table of operations

LOSSES: dict[str, Loss] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "rmse": lambda output, target: Root.apply(F.mse_loss(output, target)),
    "huber": F.huber_loss,
    "bce": F.binary_cross_entropy_with_logits,
    "cross_entropy": F.cross_entropy,
}


def targets_for(loss: str, y: Tensor, classes: int, outputs: int, dtype: torch.dtype) -> Tensor:
    """Return the targets in the form the loss takes: class numbers for cross-entropy, else one number per output.

    `y`: (rows,) class numbers where `classes` > 0, else (rows, targets). Class numbers become 0/1 for one output, one-hot for several.
    """
    if not classes or loss == "cross_entropy":
        return y
    if outputs == 1:
        return y.unsqueeze(1).to(dtype)
    return F.one_hot(y, outputs).to(dtype)


def weights_of(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters penalties act on: all with two axes or more (no biases, no normalisation scales)."""
    return [parameter for parameter in module.parameters() if parameter.dim() > 1]


def penalty_of(experiment: Experiment) -> Callable[[nn.Module], Tensor] | None:
    """Return what is added to the loss, as a function of the network after its forward: l1·Σ|w| + l2/2·Σw² and the divergences of
    Gaussian latents. None where there is nothing to add."""
    training = experiment.training
    if not experiment.penalties:
        return None

    def penalty(module: nn.Module) -> Tensor:
        terms = [part.divergence() for part in module.modules() if isinstance(part, GaussianLatent)]
        for weight in weights_of(module):
            if training.l1:
                terms.append(training.l1 * weight.abs().sum())
            if training.l2:
                terms.append(training.l2 / 2 * weight.pow(2).sum())
        return torch.stack(terms).sum() if terms else torch.zeros((), dtype=next(module.parameters()).dtype)

    return penalty


def probabilities(loss: str, output: Tensor) -> Tensor:
    """Return the network's answer as probabilities where the loss takes raw outputs, else unchanged."""
    if loss == "cross_entropy":
        return output.softmax(-1)
    return output.sigmoid() if loss == "bce" else output


UNANSWERED = -1
"""Stands for the class of a row whose outputs are not all finite: they answer nothing."""


def answered_classes(loss: str, output: Tensor) -> Tensor:
    """Return the class each row is answered with, (rows,), the one rule for accuracy, matrix, scores and mistakes.

    It decides on the raw outputs: the largest of several; of a single one whether it is above 0 (binary cross-entropy, where σ is above
    one half) or above one half (any other loss, which compares it with 0 and 1). UNANSWERED where an output is not finite.
    """
    rows = output.flatten(1)
    threshold = 0.0 if loss == "bce" else 0.5
    classes = rows.argmax(1) if rows.shape[1] > 1 else (rows[:, 0] > threshold).long()
    return classes.where(rows.isfinite().all(1), torch.tensor(UNANSWERED))


def metric(loss: str, output: Tensor, y: Tensor, classes: int) -> Tensor:
    """Return accuracy (0 to 1) for classes, NaN where a row is not answered; the root mean squared error otherwise. In float64."""
    if not classes:
        return (probabilities(loss, output).reshape(y.shape).double() - y.double()).pow(2).mean().sqrt()
    answers = answered_classes(loss, output)
    return (answers == y).double().mean().masked_fill((answers == UNANSWERED).any(), math.nan)
