"""Layers of a network that is trained against itself: where its generator begins, and where what it made meets the rows of the data."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnviz.document.adversarial import DISCRIMINATOR


class RandomNumbers(nn.Module):
    """Draws N(0, 1) anew for every row that comes in; outside training puts out the mean, 0. It draws from torch's generator."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def forward(self, x: Tensor) -> Tensor:
        shape = len(x), self.units
        return torch.randn(shape, dtype=x.dtype) if self.training else torch.zeros(shape, dtype=x.dtype)


class RealOrGenerated(nn.Module):
    """In the discriminator's iterations real rows and, behind them, as many generated ones; in the generator's only those it generated.

    Outside training only real rows, so that the network answers for each how real it looks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.real, self.turn = 0, DISCRIMINATOR
        """Which of the inputs are the rows of the data, the first (0) or the second (1), and which side's iteration it is."""

    def take(self, turn: str) -> None:
        """Have this side's iteration."""
        self.turn = turn

    def expect_real(self, place: int) -> None:
        """Take this input for the rows of the data."""
        self.real = place

    def forward(self, *inputs: Tensor) -> Tensor:
        real, generated = inputs[self.real], inputs[1 - self.real]
        if not self.training:
            return real
        return torch.cat([real, generated]) if self.turn == DISCRIMINATOR else generated
