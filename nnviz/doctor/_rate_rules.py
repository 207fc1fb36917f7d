"""What the size of the updates and the course of the loss tell: whether it diverges, swings, creeps, or stands still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from nnviz.doctor.history import RunHistory, Spell
from nnviz.document.experiment import Experiment
from nnviz.records.checkup_records import Checkup
from nnviz.records.finding import Finding
from nnviz.records.verdicts import noise_of, verdict_of_points

LASTING = 5
"""So many windows above its least is a loss that does not come back."""
MATERIAL = 0.5
"""A rise counts from this share of the loss of a constant answer on: near 0 the noise alone is many times the least loss."""
FEWEST_SWINGING = 60
"""Iterations before a swing is told from the settling of a start."""
DECAYED = 0.1
"""A schedule that has brought the learning rate below this share of what is set means its updates to be small."""
_RATE = "training.optimizer.learning_rate"

Bounds = Mapping[str, float]


def diverging(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Window by window, the loss is above its least so far by a factor and by an amount that matters. Shorter than that it is information:
    a step too large for where it was made (a "catapult") often comes back."""
    levels = history.levels
    start = [history.points[history.changed_at].loss]
    above, least = 0, min([*start, *levels[:1]])
    for level in levels:
        is_above = not level <= max(bounds["rise"] * least, least + MATERIAL * history.facts.constant_loss)
        above = above + 1 if is_above else 0
        least = min(least, level)
    if not above:
        return
    since = history.changed_at + (len(levels) - above) * history.window + 1
    times = levels[-1] / least if least > 0 else float("inf")
    span = above * history.window
    evidence = f"The loss is {levels[-1]:.4g}, {times:.3g} times its least so far (bound {bounds['rise']:g}), for {span} iterations."
    lasts = above >= LASTING
    cause = "The loss has risen far above where it was, and does not come back." if lasts else "The loss has shot up; it may come back."
    yield Finding("diverging", _RATE, cause, evidence, times, bounds["rise"], since, history.iteration, not lasts)


def rate_too_large(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Weights that change by much of themselves in every iteration, or a loss that swings about a level and gets no closer."""
    if history.is_solved:
        return
    is_large = lambda one: _update(history.experiment, one) > bounds["update"]  # noqa: E731
    if spell := history.lasting(is_large):
        ratio = _usual_update(history)
        cause = "An iteration changes the weights by a large part of themselves: what was learnt is lost again."
        yield _of_rate("rate_too_large", cause, f"‖Δθ‖/‖θ‖ is {ratio:.2g} (above {bounds['update']:g}) {spell.text}.", ratio, bounds, spell)
    elif len(history.losses) >= FEWEST_SWINGING and history.checkups:
        yield from _swinging(history)


def _swinging(history: RunHistory) -> Iterator[Finding]:
    found = verdict_of_points(history.points[history.changed_at :], noise_of(history.experiment, history.facts.rows))
    if found.kind == "oscillating" and not found.is_converging:
        cause = "The loss swings about a level that it should pass: updates jump across the minimum."
        evidence = f"{found.swings} swings of about {found.swing:.2g} between {found.lowest:.4g} and {found.highest:.4g}."
        since, at = history.changed_at, history.iteration
        yield Finding("rate_too_large", _RATE, cause, evidence, found.swing, None, since, at)


def rate_too_small(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Weights that hardly change, and a loss that hardly falls; not where a schedule means it so."""
    if not history.is_no_better or _is_scheduled_small(history):
        return
    if spell := history.lasting(lambda one: _update(history.experiment, one) < bounds["update"]):
        ratio = _usual_update(history)
        cause = "Updates are so small that the weights stay nearly what they are."
        evidence = f"‖Δθ‖/‖θ‖ is {ratio:.2g} (below {bounds['update']:g}) {spell.text}."
        yield _of_rate("rate_too_small", cause, evidence, ratio, bounds, spell)


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


def _update(experiment: Experiment, one: Checkup) -> float:
    """The median over the layers of ‖Δθ‖/‖θ‖, without those that are locked or not meant to move."""
    factors = {layer.id: layer.learning_rate_factor for layer in experiment.network}
    locked = {name.partition(".")[0] for name in experiment.locks}
    ratios = [layer.update_ratio for layer in one.layers if layer.layer not in locked and factors.get(layer.layer)]
    return median(ratios) if ratios else float("nan")


def _usual_update(history: RunHistory) -> float:
    return median(_update(history.experiment, one) for one in history.checkups[-20:])


def _of_rate(kind: str, cause: str, evidence: str, ratio: float, bounds: Bounds, spell: Spell) -> Finding:
    return Finding(kind, _RATE, cause, evidence, ratio, bounds["update"], spell.since, spell.at)
