"""What the layers of a net put out for given rows, run in evaluation mode from its input or from a layer inside. It changes no run."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nnviz.engine.errors import BuildError
from nnviz.engine.model.build import set_training
from nnviz.engine.run.trainer import Trainer


def _row_as_input(trainer: Trainer, row: int) -> Tensor:
    """Return a row of the data as the net takes it, a batch of one; the last one where there are fewer."""
    x = np.array(trainer.data.x[max(0, min(row, len(trainer.data.x) - 1))])
    return torch.from_numpy(x).to(trainer.training_rows.x.dtype).reshape(1, *trainer.net.input_shape)


@torch.no_grad()
def outputs_of_row(trainer: Trainer, row: int) -> dict[str, Tensor]:
    """Return what every layer puts out for one row of the data, in evaluation mode, by layer."""
    set_training(trainer.net, False)
    trainer.net(_row_as_input(trainer, row))
    return trainer.net.outputs


@torch.no_grad()
def outputs_of(trainer: Trainer, layer: str, x: Tensor) -> Tensor:
    """Return what a layer puts out for these inputs in evaluation mode. What it put out in the last iteration stays as it is."""
    set_training(trainer.net, False)
    parts = []
    for part in x.split(trainer.rows_at_once):
        trainer.net(part)
        parts.append(trainer.net.outputs[layer])
    return torch.cat(parts)


@torch.no_grad()
def decoded(trainer: Trainer, layer: str, values: Tensor) -> Tensor:
    """Return the output of the net where a layer puts out these values, in evaluation mode.

    Raises BuildError where a layer behind it reads something else, too.
    """
    set_training(trainer.net, False)
    known = {layer: values}
    for name, sources in trainer.net.plan:
        if not set(sources) & known.keys() or name == layer:
            continue
        if not set(sources) <= known.keys():
            titles = trainer.experiment.network.titles
            raise BuildError("", f"{titles[name]} does not read {titles[layer]} alone, so nothing can be decoded from there.", "")
        known[name] = trainer.net._modules[name](*[known[source] for source in sources])
    return known[trainer.net.exit]
