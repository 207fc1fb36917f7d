"""What the gradients of the layers tell: whether they shrink or grow on their way back, and whether they are clipped all the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from nnviz.doctor.history import LOOKED_AT, RunHistory, Spell
from nnviz.records.checkup_records import Checkup
from nnviz.records.finding import Finding


def vanishing(history: RunHistory, bounds: Mapping[str, float]) -> Iterator[Finding]:
    """The gradient of the first layer is a small part of that of the last, and its update is nearly nothing.

    Norms per element: layers differ in width. Adam rescales gradients, so the update has to be small, too.
    """

    def is_so(one: Checkup) -> bool:
        return len(one.layers) > 1 and _ratio(one) < bounds["ratio"] and one.layers[0].update_ratio < bounds["update"]

    if spell := history.lasting(is_so):
        ratio = _usual_ratio(history)
        yield _of_first_layer(
            "vanishing", history, spell, ratio, bounds["ratio"], "below", "hardly learns: gradients vanish on their way back"
        )


def exploding(history: RunHistory, bounds: Mapping[str, float]) -> Iterator[Finding]:
    """The gradient of the first layer is many times that of the last, or gradients are clipped nearly always."""
    if spell := history.lasting(lambda one: len(one.layers) > 1 and _ratio(one) > bounds["ratio"]):
        yield _of_first_layer(
            "exploding", history, spell, _usual_ratio(history), bounds["ratio"], "above", "gets gradients that explode on their way back"
        )
    clip = history.experiment.training.clip_norm
    recent = history.checkups[-LOOKED_AT:]
    if clip is None or len(recent) < LOOKED_AT:
        return
    share = sum(one.gradient_norm > clip for one in recent) / LOOKED_AT
    if share > bounds["clipped"]:
        cause = f"Nearly every gradient is clipped to {clip:g}: the direction is left, the size is not."
        usual = median(one.gradient_norm for one in recent)
        evidence = f"‖g‖ is {usual:.3g}, clipped in {share:.0%} of the last checkups (bound {bounds['clipped']:.0%})"
        yield Finding(
            "exploding", "training.clip_norm", cause, evidence, share, bounds["clipped"], recent[0].iteration, recent[-1].iteration
        )


def _ratio(one: Checkup) -> float:
    """The RMS of the gradient of the first layer over that of the last; 1 where the last has none."""
    last = one.layers[-1].gradient_rms
    return one.layers[0].gradient_rms / last if last else 1.0


def _usual_ratio(history: RunHistory) -> float:
    return median(_ratio(one) for one in history.checkups[-LOOKED_AT:])


def _of_first_layer(kind: str, history: RunHistory, spell: Spell, ratio: float, bound: float, side: str, what: str) -> Finding:
    first, last = (history.checkups[-1].layers[place].layer for place in (0, -1))
    titles = history.experiment.network.titles
    evidence = f"RMS of the gradient per weight: {titles[first]} has {ratio:.2g} of that of {titles[last]} ({side} {bound:g}) {spell.text}"
    return Finding(kind, first, f"{titles[first]} {what}.", evidence, ratio, bound, spell.since, spell.at)
