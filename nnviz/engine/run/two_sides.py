"""Whose iteration it is in a network that is trained against itself, the generator's or the discriminator's; the other stands still."""

from __future__ import annotations

import torch
from torch import Tensor

from nnviz.document import adversarial
from nnviz.document.experiment import Experiment
from nnviz.document.network import split_parameter
from nnviz.engine import seeds
from nnviz.engine.data.samples import Samples
from nnviz.engine.model.build import Net, set_training

TWO_LOSSES = "Generator and discriminator have two losses, each of half the parameters: there is no one loss of all of them."

_SENTENCES = {
    adversarial.DISCRIMINATOR: "The discriminator's iteration: it learns to answer 1 to rows of the data and 0 to generated ones; the "
    "generator stands still.",
    adversarial.GENERATOR: "The generator's iteration: it learns to make rows to which the discriminator, which stands still, answers 1.",
}


class TwoSides:
    """Gives a net to one of its sides after the other.

    An iteration is one like any other, over another batch and with one side frozen. So one optimizer of torch does for both sides what two
    of the same settings would do: what it remembers and counts it keeps for each parameter, and it leaves alone what has no gradient.
    """

    def __init__(self, net: Net, experiment: Experiment) -> None:
        """The net's parameters require a gradient where they are trained at all."""
        self.sides = adversarial.sides(experiment.network)
        self._net, self._seed = net, experiment.seed
        self._meeting = net._modules[self.sides.meeting]
        self._meeting.expect_real(1 - experiment.network.inputs_of(self.sides.meeting).index(self.sides.generated))
        generator = set(self.sides.generator)
        trained = [(name, parameter) for name, parameter in net.named_parameters() if parameter.requires_grad]
        self._trained = [(split_parameter(name).layer in generator, parameter) for name, parameter in trained]

    def take(self, iteration: int) -> None:
        """Prepare the net for the iteration behind so many finished ones."""
        turn = adversarial.turn(iteration)
        self._meeting.take(turn)
        for is_generator, parameter in self._trained:
            parameter.requires_grad_(is_generator == (turn == adversarial.GENERATOR))

    def targets(self, iteration: int, like: Tensor) -> Tensor:
        """Return what the net should answer there, where the targets of the batch's rows are `like`: real, 1, and generated, 0, for the
        discriminator; for the generator real: its loss that does not saturate. Source: Goodfellow et al. 2014, section 3."""
        real = torch.ones_like(like)
        return real if adversarial.turn(iteration) == adversarial.GENERATOR else torch.cat([real, torch.zeros_like(like)])

    def of_data(self, iteration: int, rows: Tensor) -> Tensor:
        """Return which of the batch's rows the net is given there: none in the generator's iterations, which are only as large."""
        return rows[:0] if adversarial.turn(iteration) == adversarial.GENERATOR else rows

    def sentence(self, iteration: int) -> str:
        """Return what that iteration is, for a person."""
        return _SENTENCES[adversarial.turn(iteration)]

    @property
    def width(self) -> int:
        """How many random numbers a generated row is made of."""
        return self._net._modules[self.sides.random].units

    def drawn(self, count: int, seed: int | None = None) -> Tensor:
        """Return samples of N(0, 1), (count, units): the same for the same seed, by default the experiment's; none of the run's."""
        stream = seeds.stream(self._seed if seed is None else seed, "generated rows")
        return torch.randn(count, self.width, generator=stream, dtype=torch.float64).to(next(self._net.parameters()).dtype)

    @torch.no_grad()
    def made_of(self, codes: Tensor) -> Tensor:
        """Return what the generator makes of these random numbers, in evaluation mode: (rows, *shape of a row as the net takes it)."""
        set_training(self._net, False)
        known = {self.sides.random: codes}
        for layer, sources in self._net.plan:
            if layer in self.sides.generator:
                known[layer] = self._net._modules[layer](*[known[source] for source in sources])
        return known[self.sides.generated]

    def generated(self, count: int, seed: int | None = None) -> Tensor:
        """Return so many rows that the generator makes of the numbers `drawn` gives."""
        return self.made_of(self.drawn(count, seed))

    def beside_generated(self, rows: Samples) -> Samples:
        """Return the rows and as many generated ones behind them, always of the same random numbers: what the discriminator tells apart."""
        x = torch.cat([rows.x, self.generated(rows.count)])
        targets = torch.cat([torch.ones_like(rows.targets), torch.zeros_like(rows.targets)])
        return Samples(x, targets, torch.cat([torch.ones_like(rows.y), torch.zeros_like(rows.y)]))


def sides_of(net: Net, experiment: Experiment) -> TwoSides | None:
    """Return the two sides of a network that is trained against itself; None for any other."""
    return TwoSides(net, experiment) if experiment.training.target == adversarial.TARGET else None
