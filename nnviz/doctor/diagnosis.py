"""The doctor: from a run so far to what is found, causes before what they lead to. Pure, and for every moment the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nnviz.doctor import _data_rules as data_rules
from nnviz.doctor import _gradient_rules as gradient_rules
from nnviz.doctor import _rate_rules as rate_rules
from nnviz.doctor import _start_rules as start_rules
from nnviz.doctor import _unit_rules as unit_rules
from nnviz.doctor.history import RunHistory
from nnviz.document.finding_kinds import FINDING_KINDS, bounds_of
from nnviz.records.finding import Finding

Rule = Callable[[RunHistory, Mapping[str, float]], Iterator[Finding]]

RULES: dict[str, Rule] = {
    "non_finite": start_rules.non_finite,
    "output_range": start_rules.output_range,
    "no_non_linearity": start_rules.no_non_linearity,
    "symmetric_start": start_rules.symmetric_start,
    "input_scale": start_rules.input_scale,
    "start_loss": start_rules.start_loss,
    "exploding": gradient_rules.exploding,
    "diverging": rate_rules.diverging,
    "rate_too_large": rate_rules.rate_too_large,
    "vanishing": gradient_rules.vanishing,
    "dead_relu": unit_rules.dead_relu,
    "saturated": unit_rules.saturated,
    "penalty_dominates": data_rules.penalty_dominates,
    "rate_too_small": rate_rules.rate_too_small,
    "data_ignored": data_rules.data_ignored,
    "overfitting": data_rules.overfitting,
    "mode_gap": data_rules.mode_gap,
    "class_imbalance": data_rules.class_imbalance,
    "plateau": rate_rules.plateau,
}
"""The rule of every kind of finding."""


def diagnose(history: RunHistory, changed: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[Finding, ...]:
    """Return what is found where the run stands, in the order of `FINDING_KINDS`: what is named first is likely to be the cause.

    `changed`: what it is judged by, where that differs from the table; None: as the document in force says.
    """
    changed = history.experiment.doctor if changed is None else changed
    found: list[Finding] = []
    for kind in FINDING_KINDS:
        bounds = bounds_of(kind, changed)
        if bounds["enabled"]:
            found += RULES[kind](history, bounds)
    return tuple(sorted(found, key=lambda one: one.is_information))
