"""The doctor: from a run so far to what is found, causes before what they lead to. Pure, and for every moment the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nnviz.doctor import _gradient_rules as gradient_rules
from nnviz.doctor.history import RunHistory
from nnviz.document.finding_kinds import FINDING_KINDS, bounds_of
from nnviz.records.finding import Finding

Rule = Callable[[RunHistory, Mapping[str, float]], Iterator[Finding]]

RULES: dict[str, Rule] = {
    "exploding": gradient_rules.exploding,
    "vanishing": gradient_rules.vanishing,
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
        if bounds["enabled"] and kind in RULES:
            found += RULES[kind](history, bounds)
    return tuple(sorted(found, key=lambda one: one.is_information))
