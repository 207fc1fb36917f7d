"""The rows of the batch that comes next, one by one: loss, gradient norm, prediction. The run stays as it is."""

from __future__ import annotations

import torch
from torch import Tensor

from nnviz.engine.model.loss_functions import answered_classes, probabilities
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.trainer import Trainer
from nnviz.messages import BatchInspected

MOST_ROWS = 1024
"""No more rows of a batch are described."""
WORK = 300_000_000
"""Parameters times rows times backward passes that are spent on gradient norms; of large batches only the first rows get one."""


def inspected_batch(trainer: Trainer) -> BatchInspected:
    """Return what every row adds to the next iteration.

    A row's loss is the loss function of that row alone, at the answer it gets within its batch (with its dropout mask, with the batch's
    statistics). Its gradient is that of its own loss with respect to all parameters. No row of the data is in a generator's iteration, and
    of a discriminator's batch the generated rows are left out.
    """
    rows, samples = trainer.rows(), trainer.training_rows
    with trainer.unchanged():
        trainer.prepare()
        output = trainer.net(samples.x[rows])
        targets = trainer.targets(rows)
        loss = trainer.loss(output, targets).item()
        rows = trainer.sides.of_data(trainer.position.iteration, rows) if trainer.sides else rows
        output = output[: len(rows)]
        losses = _losses(trainer, output, targets)
        norms = _norms(trainer, losses, len(rows))
    name, shown = trainer.experiment.training.loss, output.detach()[:MOST_ROWS]
    return BatchInspected(
        iteration=trainer.position.iteration,
        rows=tuple(rows.tolist()),
        losses=array_of(losses.detach().double()),
        gradient_norms=array_of(norms),
        outputs=array_of(probabilities(name, shown).float()),
        loss=loss,
        classes=array_of(answered_classes(name, shown)) if trainer.data.classes else None,
    )


def _losses(trainer: Trainer, output: Tensor, targets: Tensor) -> Tensor:
    """(rows,) The loss of each of the first rows."""
    count = min(len(output), MOST_ROWS)
    return _stacked([trainer.loss(output[row : row + 1], targets[row : row + 1]) for row in range(count)])


def _norms(trainer: Trainer, losses: Tensor, batch: int) -> Tensor:
    """(rows,) The gradient norm of each of the first rows, as many as the work allows."""
    parameters = [parameter for parameter in trainer.parameters.values() if parameter.requires_grad]
    work = batch * sum(parameter.numel() for parameter in parameters)
    norms = []
    for loss in losses[: max(1, WORK // max(1, work))]:
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        norms.append(torch.cat([gradient.ravel().double() for gradient in gradients if gradient is not None]).norm())
    return _stacked(norms)


def _stacked(numbers: list[Tensor]) -> Tensor:
    return torch.stack(numbers) if numbers else torch.zeros(0)
