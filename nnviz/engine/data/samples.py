"""Rows of data as the tensors a network and its loss take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nnviz.document.experiment import Experiment
from nnviz.engine.data.datasets import Data
from nnviz.engine.model.build import DTYPES, Net
from nnviz.engine.model.loss_functions import targets_for


class Samples(NamedTuple):
    """Rows that belong together."""

    x: Tensor
    """(rows, *shape of the input layer)"""
    targets: Tensor
    """As the loss takes them."""
    y: Tensor
    """As the data has them: (rows,) class numbers, or (rows, targets)."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.x.size(0)


def samples(experiment: Experiment, data: Data, net: Net) -> tuple[Samples, Samples]:
    """Return the training rows and the validation rows."""
    dtype = DTYPES[experiment.precision]
    rows = np.require(data.x, requirements="W")  # a text's windows come read-only
    x = torch.from_numpy(rows).to(dtype).reshape(-1, *net.input_shape)
    y = torch.from_numpy(data.y) if data.classes else torch.from_numpy(data.y).to(dtype)
    targets = targets_for(experiment.training.loss, y, data.classes, net.width, dtype)
    training = torch.from_numpy(data.training)
    return Samples(x[training], targets[training], y[training]), Samples(x[~training], targets[~training], y[~training])
