"""What the rows tell: whether a net learns of them at all, by heart, or only of the frequent ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

import numpy as np

from nnviz.doctor.history import LOOKED_AT, RunHistory
from nnviz.records.finding import Finding

Bounds = Mapping[str, float]

FEWEST_ITERATIONS, FEWEST_EPOCHS = 300, 20
"""Before these a net may simply not have begun to learn."""
SMOOTHED = 5
"""Measurements whose median is taken: a single lucky one is no minimum."""
FEWEST_BEHIND = 40
"""Iterations since the least validation loss: with one batch an epoch, ten measurements are soon made."""
COLLAPSED = 0.1
"""Of the RMS of the weights that a run begins with."""
MATERIAL = 0.1
"""Of the loss of a constant answer: what is less than this does not matter, however many times something else it is."""
MATERIAL_OF_ROWS = 0.15
"""The same for the validation loss: it creeps up in any net that grows surer of what it knows."""
MATERIAL_OF_DROPOUT = 0.35
"""The same for a loss that is larger in training, as it is meant to be with dropout."""


def penalty_dominates(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """The gradient of the penalties, and of weight decay, against that of the data, for long. Where they have won, both are next to
    nothing, and so are the weights: then these tell."""
    training = history.experiment.training
    place = "training.l1" if training.l1 else "training.l2" if training.l2 else "training.optimizer.weight_decay"
    if spell := history.lasting(lambda one: one.penalty_ratio is not None and one.penalty_ratio >= bounds["ratio"]):
        ratio = median(one.penalty_ratio for one in history.checkups[-LOOKED_AT:])
        cause = "The penalty pulls at the weights more than the data does: they shrink rather than learn."
        evidence = f"‖∇penalty‖/‖∇data‖ is {ratio:.3g} (bound {bounds['ratio']:g}) {spell.text}."
        yield Finding("penalty_dominates", place, cause, evidence, ratio, bounds["ratio"], spell.since, spell.at)
    elif history.is_no_better and (left := _weights_left(history)) < COLLAPSED:
        at = history.checkups[-1].iteration
        cause = "The penalty has pulled the weights to nearly nothing, and the answers are as good as a constant one."
        evidence = f"No layer has more than {left:.1%} of the weights (RMS) it began with (bound {COLLAPSED:.0%})."
        yield Finding("penalty_dominates", place, cause, evidence, left, COLLAPSED, history.checkups[0].iteration, at)


def _weights_left(history: RunHistory) -> float:
    """The RMS of the weights over that of the start or the last change, of the layer that has most of it; 1 without penalties."""
    if len(history.checkups) < LOOKED_AT or history.checkups[-1].penalty_ratio is None:
        return 1.0
    pairs = [(one.weight_rms, history.first_weights.get(one.layer)) for one in history.checkups[-1].layers]
    return max((last / first if first else 1.0 for last, first in pairs), default=1.0)


def data_ignored(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """After a good while, answers that are handed to other rows are as good as they were."""
    late = [(at, one) for at, one in history.wholes if at - history.changed_at >= max(FEWEST_ITERATIONS, FEWEST_EPOCHS * history.epoch)]
    if not late or history.facts.rows < 10 or not history.is_no_better:
        return
    changes = [abs(one.permuted_loss / one.loss - 1) if one.loss > 0 else 1.0 for _, one in late]
    if changes[-1] < bounds["change"]:
        first = next(place for place in range(len(late)) if all(change < bounds["change"] for change in changes[place:]))
        cause = "The answers suit other rows as well as their own: whatever the inputs may tell of the targets is not used."
        (at, last), change = late[-1], changes[-1]
        evidence = f"The loss changes by {change:.2%} (bound {bounds['change']:.0%}), on {last.rows:,} rows at iteration {at:,}."
        yield Finding("data_ignored", "data", cause, evidence, change, bounds["change"], late[first][0], at)


def overfitting(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """The validation loss had its least many measurements ago, and has been above it ever since, while the training loss went on. A net
    that is no better than a constant answer knows no row by heart."""
    if history.is_no_better:
        return
    checks = int(bounds["checks"])
    points = history.points[history.changed_at :]
    measured = [(point.iteration, point.validation_loss) for point in points if point.validation_loss is not None]
    if len(measured) <= checks + SMOOTHED:
        return
    losses = np.array([loss for _, loss in measured])
    losses[np.isnan(losses)] = np.inf  # no least one
    usual_of = np.median(np.lib.stride_tricks.sliding_window_view(losses, SMOOTHED), axis=1)
    place = int(usual_of.argmin())
    least, at = float(usual_of[place]), measured[place + SMOOTHED - 1][0]
    behind = losses[place + SMOOTHED :].tolist()
    if len(behind) < checks or measured[-1][0] - at < FEWEST_BEHIND:
        return
    usual = median(behind[-checks:])
    is_material = usual - least > MATERIAL_OF_ROWS * history.facts.constant_loss
    if usual > bounds["rise"] * least > 0 and is_material and _has_fallen_since(history, at):
        cause = "The validation loss rises while the training loss falls: the net learns its rows by heart."
        evidence = (
            f"The validation loss is {usual:.4g}, {usual / least:.2f} times its least, {least:.4g} at iteration {at:,} "
            f"(bound {bounds['rise']:g}, {len(behind)} measurements ago)."
        )
        yield Finding("overfitting", "data", cause, evidence, usual / least, bounds["rise"], at, measured[-1][0])


def _has_fallen_since(history: RunHistory, at: int) -> bool:
    start = at - history.changed_at
    parts = history.losses[max(0, start - history.window) : start + 1], history.losses[-history.window :]
    then, now = (part.tolist() for part in parts)
    return sum(now) / len(now) < sum(then) / len(then) if then and now else False


def mode_gap(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """At equal weights the loss in evaluation differs by much from that in training. Dropout makes it larger in training: there the
    difference has to be a large part of what a constant answer reaches."""
    if len(history.wholes) < 2:
        return
    constant, gaps = history.facts.constant_loss, []
    for _, one in history.wholes[-2:]:
        if one.training_mode_loss is None:
            return
        difference = one.loss - one.training_mode_loss
        smaller = min(one.loss, one.training_mode_loss)
        is_material = difference > MATERIAL * constant or -difference > MATERIAL_OF_DROPOUT * constant
        gaps.append(abs(difference) / smaller if is_material and smaller > 0 else 0.0)
    if min(gaps) > bounds["gap"]:
        (since, _), (at, last) = history.wholes[-2:]
        cause = "With the same weights the net answers otherwise in evaluation than in training."
        evidence = (
            f"The loss over the training rows is {last.loss:.4g} in evaluation and {last.training_mode_loss:.4g} in training "
            f"({gaps[-1]:.0%} apart, bound {bounds['gap']:.0%})."
        )
        yield Finding("mode_gap", _by_chance(history), cause, evidence, gaps[-1], bounds["gap"], since, at)


def _by_chance(history: RunHistory) -> str:
    kinds = ("batch_norm", "dropout", "spatial_dropout", "noise", "gaussian_latent")
    return next((layer.id for kind in kinds for layer in history.experiment.network if layer.kind == kind), "data")


def class_imbalance(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """A class that is rare, and mostly answered with another one."""
    counts, wholes = history.facts.class_counts, history.wholes[-2:]
    if len(wholes) < 2 or not counts or not min(counts):
        return
    rare = min(range(len(counts)), key=counts.__getitem__)
    ratio = max(counts) / counts[rare]
    recalls = [one.recalls[rare] for _, one in wholes]
    if ratio > bounds["ratio"] and max(recalls) < bounds["recall"]:
        cause = f"Class {rare} is rare, and its rows are mostly answered with another class."
        evidence = (
            f"{counts[rare]:,} rows against {max(counts):,} ({ratio:.3g} times, bound {bounds['ratio']:g}); "
            f"{recalls[-1]:.0%} of them are answered rightly (bound {bounds['recall']:.0%})."
        )
        yield Finding("class_imbalance", "data", cause, evidence, recalls[-1], bounds["recall"], wholes[0][0], wholes[-1][0])
