"""What the size of the updates and the course of the loss tell: whether it diverges, swings, creeps, or stands still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, nan
from statistics import median
from typing import NamedTuple

import numpy as np

from nnviz.doctor.history import LOOKED_AT, SHORTEST, RunHistory, Spell
from nnviz.records.checkup_records import Checkup
from nnviz.records.finding import Finding
from nnviz.records.verdicts import noise_of, verdict

LASTING = 5
"""So many windows above its least is a loss that does not come back."""
MATERIAL = 0.5
"""A rise counts from this share of the loss of a constant answer on: near 0 the noise alone is many times the least loss."""
COMING_BACK = 0.5
"""Of the highest of these windows: what has fallen below this share is on its way back."""
BLOWN_UP = 5.0
"""From so many of it on windows of a few iterations are enough: no batch makes as much."""
FEWEST_SWINGING = 60
"""Iterations before a swing is told from the settling of a start."""
FEWEST_SWINGS = 20
"""Three times as many as make a verdict on a whole run: the doctor looks again and again, and a few spikes are no swing."""
THROWN = 3.0
"""Times the weights of the start, in a net that has learnt nothing."""
DECAYED = 0.1
"""A schedule that has brought the learning rate below this share of what is set means its updates to be small."""
STILL_THERE = 0.5
"""Of the gradient of the first checkups."""
_RATE = "training.optimizer.learning_rate"

Bounds = Mapping[str, float]


def diverging(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Window by window, the loss is above its least so far by a factor and by an amount that matters. Shorter than that it is information:
    a step too large for where it was made (a "catapult") often comes back."""
    spell = history.lasting(lambda one: _update(history, one) > bounds["update"]) if history.is_no_better else None
    if spell:
        ratio = _usual_update(history)
        cause = "Every iteration replaces the weights by others: nothing of them is kept."
        yield _of_rate("diverging", cause, f"‖Δθ‖/‖θ‖ is {ratio:.3g} (above {bounds['update']:g}) {spell.text}.", ratio, bounds, spell)
        return
    found = [
        _Rise.of(history, history.window, MATERIAL, bounds["rise"]),
        _Rise.of(history, SHORTEST, BLOWN_UP, bounds["rise"]),
    ]
    rise = max(filter(None, found), key=lambda one: one.windows, default=None)
    if rise:
        lasts = rise.windows >= LASTING and rise.level > COMING_BACK * rise.highest
        cause = "The loss has risen far above where it was, and does not come back." if lasts else "The loss has shot up; it may come back."
        least = f"{rise.times:.3g} times its least so far (bound {bounds['rise']:g})" if rise.least > 0 else "and its least so far was 0"
        evidence = f"The loss is {rise.level:.4g}, {least}, for {rise.span} iterations."
        yield Finding("diverging", _RATE, cause, evidence, rise.times, bounds["rise"], rise.since, history.iteration, not lasts)


class _Rise(NamedTuple):
    """The last windows, as far as the loss is above its least so far."""

    windows: int
    level: float
    least: float
    highest: float
    span: int
    since: int

    @property
    def times(self) -> float:
        return self.level / self.least if self.least > 0 else inf

    @classmethod
    def of(cls, history: RunHistory, size: int, material: float, rise: float) -> _Rise | None:
        """`material`: by how many losses of a constant answer it has to be above, where that is none of the first. None where it is not
        above now."""
        levels, scale = history.levels(size), history.facts.constant_loss or history.facts.start_loss
        least = np.fmin.accumulate([history.points[history.changed_at].loss if history.is_same_loss else inf, *levels])
        with np.errstate(over="ignore"):
            is_not_above = levels <= np.maximum(rise * least[:-1], least[:-1] + material * scale)
        last = int(np.flatnonzero(is_not_above).max(initial=-1)) + 1
        above = levels[last:]
        since = history.changed_at + last * size + 1
        return cls(above.size, float(above[-1]), float(least[-1]), float(above.max()), above.size * size, since) if above.size else None


def rate_too_large(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Weights that change by much of themselves in every iteration, or a loss that swings about a level and gets no closer."""
    spell = history.lasting(lambda one: _update(history, one) > bounds["update"])
    if spell and not history.is_solved:
        ratio = _usual_update(history)
        cause = "An iteration changes the weights by a large part of themselves: what was learnt is lost again."
        yield _of_rate("rate_too_large", cause, f"‖Δθ‖/‖θ‖ is {ratio:.2g} (above {bounds['update']:g}) {spell.text}.", ratio, bounds, spell)
    elif (found := _thrown(history) or _swinging(history)) is not None:
        yield found


def _thrown(history: RunHistory) -> Finding | None:
    """Weights that large updates have thrown so far away that the net answers no better than with a constant."""
    if len(history.checkups) < LOOKED_AT or not history.is_no_better:
        return None
    last = history.checkups[-1]
    grown = [one.weight_rms / first for one in last.layers if (first := history.first_weights.get(one.layer, 0.0))]
    if not grown or (usual := median(grown)) <= THROWN:
        return None
    cause = "The updates have thrown the weights far away, to where nothing is learnt."
    then = f"after iteration {history.changed_at:,}" if history.changed_at else "at the start"
    evidence = f"The weights (RMS, median over the layers) are {usual:.3g} times what they were {then} (bound {THROWN:g})."
    return Finding("rate_too_large", _RATE, cause, evidence, usual, THROWN, history.changed_at, last.iteration)


def _swinging(history: RunHistory) -> Finding | None:
    """Where the swings grow smaller, or the net has learnt nevertheless, they are information."""
    if len(history.losses) < FEWEST_SWINGING or not history.checkups:
        return None
    start = history.points[history.changed_at].loss
    found = verdict(history.losses, noise_of(history.experiment, history.facts.rows), start)
    if found.kind != "oscillating" or found.swings < FEWEST_SWINGS:
        return None
    is_harmless = found.is_converging or history.is_solved
    course = "The loss swings, though it gets closer" if is_harmless else "The loss swings about a level that it should pass"
    evidence = (
        f"{found.swings} swings of about {found.swing:.2g} between {found.lowest:.4g} and {found.highest:.4g} (bound {FEWEST_SWINGS})."
    )
    cause = f"{course}: updates jump across the minimum."
    since, at = history.changed_at, history.iteration
    return Finding("rate_too_large", _RATE, cause, evidence, found.swings, FEWEST_SWINGS, since, at, is_harmless)


def rate_too_small(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Weights that hardly change, and a loss that hardly falls, though the gradient is what it was: else it is the gradient that is small.
    Not where a schedule means it so."""
    if not history.is_where_it_began or _is_scheduled_small(history) or _gradient_left(history) < STILL_THERE:
        return
    if spell := history.lasting(lambda one: _update(history, one) < bounds["update"]):
        ratio = _usual_update(history)
        cause = "Updates are so small that the weights stay nearly what they are."
        evidence = f"‖Δθ‖/‖θ‖ is {ratio:.2g} (below {bounds['update']:g}) {spell.text}."
        yield _of_rate("rate_too_small", cause, evidence, ratio, bounds, spell)


def _gradient_left(history: RunHistory) -> float:
    """The norm of the gradient over that of the first checkups."""
    if not history.checkups:
        return 0.0
    first, last = (median(one.gradient_norm for one in part) for part in (history.checkups[:5], history.checkups[-LOOKED_AT:]))
    return last / first if first else 0.0


def _is_scheduled_small(history: RunHistory) -> bool:
    rate = history.points[-1].learning_rate
    return rate is not None and rate < DECAYED * float(history.experiment.training.optimizer["learning_rate"])


def plateau(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Over many iterations the loss over all training rows has not moved, and is no better than a constant answer."""
    constant = history.facts.constant_loss
    measured = _exact_losses(history)
    span = max(bounds["iterations"], FEWEST_EPOCHS * history.epoch)
    late = [(at, loss) for at, loss in measured if at > history.iteration - span]
    if not late or len(late) < FEWEST_MEASURED or measured[0][0] > history.iteration - span:
        return
    losses = [loss for _, loss in late]
    mean = sum(losses) / len(losses)
    change = (max(losses) - min(losses)) / mean if mean > 0 else 0.0
    if change < bounds["change"] and mean > NO_BETTER * constant > 0:
        cause = "The loss has stopped where a constant answer would be: nothing of the rows is learnt."
        evidence = (
            f"Over {late[-1][0] - late[0][0]:,} iterations it moved by {change:.2g} of itself (bound {bounds['change']:g}), "
            f"at {mean:.4g}; the best constant answer has {constant:.4g}."
        )
        yield Finding("plateau", _RATE, cause, evidence, change, bounds["change"], late[0][0], late[-1][0])


FEWEST_EPOCHS = 20
FEWEST_MEASURED = 5
NO_BETTER = 0.98


def _exact_losses(history: RunHistory) -> list[tuple[int, float]]:
    """Iterations and the loss over all training rows, which has no noise of the batches; without penalties."""
    if history.experiment.penalties:
        return [(at, whole.loss) for at, whole in history.wholes]
    points = history.points[history.changed_at + 1 :]
    if history.epoch == 1:
        return [(point.iteration, point.loss) for point in points]
    return [(point.iteration, point.training_loss) for point in points if point.training_loss is not None]


def _update(history: RunHistory, one: Checkup) -> float:
    """The median over the layers of ‖Δθ‖/‖θ‖, without those that are locked, get no gradient, or are not meant to move. Weights that have
    shrunk since the start count as they were: where the best are next to 0, any update is many times as much."""
    ratios = []
    for layer in one.layers:
        if layer.gradient_rms and layer.layer in history.moving:
            weight = max(layer.weight_rms, history.first_weights.get(layer.layer, 0.0))
            ratios.append(layer.update_rms / weight if weight else inf)
    return median(ratios) if ratios else nan


def _usual_update(history: RunHistory) -> float:
    return median(_update(history, one) for one in history.checkups[-LOOKED_AT:])


def _of_rate(kind: str, cause: str, evidence: str, ratio: float, bounds: Bounds, spell: Spell) -> Finding:
    return Finding(kind, _RATE, cause, evidence, ratio, bounds["update"], spell.since, spell.at)
