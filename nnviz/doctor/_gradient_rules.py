"""What the gradients of the layers tell: whether they shrink or grow on their way back, and whether they are clipped all the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from nnviz.doctor.history import LOOKED_AT, RunHistory
from nnviz.records.checkup_records import Checkup
from nnviz.records.finding import Finding

CLIPPED_BY = 10
"""Times the clip norm: less is what clipping is for."""


def vanishing(history: RunHistory, bounds: Mapping[str, float]) -> Iterator[Finding]:
    """The gradient of the first layer is a small part of that of the last, and its update is nearly nothing.

    Norms per element: layers differ in width. Adam rescales gradients, so the update has to be small, too.
    """

    def is_so(one: Checkup) -> bool:
        return len(one.layers) > 1 and _ratio(one) < bounds["ratio"] and one.layers[0].update_ratio < bounds["update"]

    if spell := history.lasting(is_so):
        first, last = (history.checkups[-1].layers[place].layer for place in (0, -1))
        titles, ratio = history.experiment.network.titles, median(_ratio(one) for one in history.checkups[-LOOKED_AT:])
        evidence = (
            f"RMS of the gradient per weight: {titles[first]} has {ratio:.2g} of that of {titles[last]} "
            f"(below {bounds['ratio']:g}) {spell.text}."
        )
        cause = f"{titles[first]} hardly learns: gradients vanish on their way back."
        yield Finding("vanishing", first, cause, evidence, ratio, bounds["ratio"], spell.since, spell.at)


def exploding(history: RunHistory, bounds: Mapping[str, float]) -> Iterator[Finding]:
    """The gradient of the first layer is many times that of the last, or gradients are clipped nearly always, and by much.

    Where what goes forward grows as well, as with ReLU, the gradients of the weights are alike; those of the biases are not.
    """
    if history.is_solved:
        return
    if spell := history.lasting(lambda one: len(one.layers) > 1 and _growth(one) > bounds["ratio"]):
        first, last = (history.checkups[-1].layers[place].layer for place in (0, -1))
        titles, ratio = history.experiment.network.titles, median(_growth(one) for one in history.checkups[-LOOKED_AT:])
        evidence = (
            f"RMS of the gradient: {titles[first]} has {ratio:.2g} times that of {titles[last]} (above {bounds['ratio']:g}) {spell.text}."
        )
        cause = f"Gradients explode on their way back to {titles[first]}."
        yield Finding("exploding", first, cause, evidence, ratio, bounds["ratio"], spell.since, spell.at)
    elif (clip := history.experiment.training.clip_norm) is not None:
        yield from _clipped(history, clip, bounds["clipped"])


def _clipped(history: RunHistory, clip: float, bound: float) -> Iterator[Finding]:
    recent = history.checkups[-LOOKED_AT:]
    if len(recent) < LOOKED_AT:
        return
    share = sum(one.gradient_norm > CLIPPED_BY * clip for one in recent) / LOOKED_AT
    if share > bound:
        usual = median(one.gradient_norm for one in recent)
        cause = "Nearly every gradient is clipped to a small part of itself: only its direction is left, whatever its size."
        evidence = (
            f"‖g‖ is {usual:.3g}, and more than {CLIPPED_BY} times the clip norm {clip:g} in {share:.0%} of the last checkups "
            f"(bound {bound:.0%})."
        )
        yield Finding("exploding", "training.clip_norm", cause, evidence, share, bound, recent[0].iteration, recent[-1].iteration)


def _growth(one: Checkup) -> float:
    """How many times the gradient of the last layer that of the first is: per weight or, where both have some, per bias."""
    first, last = one.layers[0].bias_gradient_rms, one.layers[-1].bias_gradient_rms
    return max(_ratio(one), first / last if first and last else 0.0)


def _ratio(one: Checkup) -> float:
    """The RMS of the gradient of the first layer over that of the last; 1 where the last has none."""
    last = one.layers[-1].gradient_rms
    return one.layers[0].gradient_rms / last if last else 1.0
