"""What the doctor looks at: a run up to where it stands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import inf
from typing import NamedTuple

import numpy as np

from nnviz.document.experiment import Experiment
from nnviz.document.network import split_parameter
from nnviz.records.checkup_records import Checkup, StartFacts, WholeCheckup
from nnviz.records.run_records import CurvePoint

LOOKED_AT = 20
"""So many of the last checkups are looked at …"""
OFTEN = 0.8
"""… and what holds in this share of them is so."""
SHORTEST = 4
"""Iterations of a window: five of these are the 20 in which a loss that has shot up may come back."""
SOLVED = 0.2
"""Below this share of the loss of a constant answer a net has learnt, …"""
LITTLE = 0.95
"""… above this one it has learnt nothing."""


class RunHistory:
    """A run up to where it stands, oldest first. Numbers of before the last change are not among the checkups: they tell of another run."""

    def __init__(
        self,
        experiment: Experiment,
        facts: StartFacts,
        points: Sequence[CurvePoint],
        checkups: Sequence[Checkup],
        changed_at: int = 0,
        non_finite: str = "",
        non_finite_layer: str = "",
        is_same_loss: bool = True,
    ) -> None:
        """`experiment`: the one in force; `changed_at`: the iteration of its last change; `non_finite`: what the next iteration is said to
        have that is not finite, "" if it can be made; `non_finite_layer`: the id of the layer that is in, "" if it is in none;
        `is_same_loss`: whether the net and its loss were the same before the last change, so that losses of before can be compared."""
        self.is_same_loss = is_same_loss
        self.non_finite_layer = non_finite_layer
        self.experiment, self.facts, self.points, self.non_finite = experiment, facts, points, non_finite
        self.changed_at = changed_at
        self.checkups = [one for one in checkups if one.iteration > changed_at]
        before = [one for one in checkups if one.iteration <= changed_at][-1:]
        self.first_weights = {layer.layer: layer.weight_rms for one in before for layer in one.layers} or facts.weights
        """√mean θ² of every layer where it began or was changed last, as far as it was measured."""

    @property
    def iteration(self) -> int:
        """Where it stands."""
        return self.points[-1].iteration

    @cached_property
    def wholes(self) -> list[tuple[int, WholeCheckup]]:
        """The checkups of all rows, with their iterations."""
        return [(one.iteration, one.whole) for one in self.checkups if one.whole]

    @property
    def epoch(self) -> int:
        """How many iterations an epoch has."""
        rows = self.facts.rows
        return -(-rows // min(rows, self.experiment.training.batch_size or rows))

    @cached_property
    def losses(self) -> np.ndarray:
        """(iterations,) float64: of the batches since the last change."""
        return np.array([point.loss for point in self.points[self.changed_at + 1 :]], dtype=np.float64)

    @property
    def window(self) -> int:
        """So many iterations are taken together to be rid of the noise of the batches: an epoch, which sees every row once, or a few."""
        return max(SHORTEST, self.epoch)

    @property
    def is_where_it_began(self) -> bool:
        """Whether the loss has hardly fallen from that of the start, which may be below that of a constant answer; behind a change, which
        may find the net where it can get no farther, whether it is no better than that."""
        return self.is_no_better if self.changed_at else self.level >= LITTLE * self.facts.start_loss > 0

    @cached_property
    def moving(self) -> frozenset[str]:
        """The layers that are meant to be trained: no weight of them is locked, and their learning rate is not 0."""
        locked = {split_parameter(name).layer for name in self.experiment.locks}
        return frozenset(layer.id for layer in self.experiment.network if layer.learning_rate_factor and layer.id not in locked)

    def levels(self, size: int) -> np.ndarray:
        """Return the mean loss of every window of so many iterations since the last change."""
        with np.errstate(over="ignore"):  # of a run that diverges it may be infinite
            return self.losses[: self.losses.size // size * size].reshape(-1, size).mean(1)

    @cached_property
    def level(self) -> float:
        """The loss where it stands, without penalties, free of most of the noise; infinite as long as it is not known."""
        if self.experiment.penalties:
            return self.wholes[-1][1].loss if self.wholes else inf
        recent = self.losses[-self.window :].tolist()
        return sum(recent) / len(recent) if recent else inf

    @property
    def is_solved(self) -> bool:
        """Whether the loss is a small part of what a constant answer reaches: what is found in a net that has learnt harms nothing."""
        return self.level < SOLVED * self.facts.constant_loss

    @property
    def is_no_better(self) -> bool:
        """Whether the loss is not below what a constant answer reaches by more than the noise; never where that is 0, as of one row."""
        return self.level >= LITTLE * self.facts.constant_loss > 0

    def lasting(self, is_so: Callable[[Checkup], bool]) -> Spell | None:
        """Return since when something has been so in most checkups; None where it is not so now, or too few are known."""
        times = [is_so(one) for one in self.checkups]
        recent = times[-LOOKED_AT:]
        if len(recent) < LOOKED_AT or not recent[-1] or sum(recent) < OFTEN * LOOKED_AT:
            return None
        since, missed = len(times) - 1, 0
        for place in reversed(range(len(times))):
            missed = 0 if times[place] else missed + 1
            if missed > (1 - OFTEN) * LOOKED_AT:
                break
            since = place if times[place] else since
        return Spell(self.checkups[since].iteration, self.checkups[-1].iteration, sum(recent), LOOKED_AT)


class Spell(NamedTuple):
    """Since when something has been so, and how often of the last times."""

    since: int
    at: int
    times: int
    of: int

    @property
    def text(self) -> str:
        """How often, in words."""
        return f"in {self.times} of the last {self.of} checkups"
