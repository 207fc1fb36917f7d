"""Of which kinds enough is known of a run to say that there is none: only of these it may be called healthy. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnviz.doctor.diagnosis import RULES
from nnviz.doctor.history import LOOKED_AT, RunHistory
from nnviz.document.finding_kinds import FINDING_KINDS, bounds_of

Question = Callable[[RunHistory, Mapping[str, Any]], bool]
"""Whether enough is known, by these bounds."""


def judged_kinds(history: RunHistory, changed: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the kinds that are looked for, concern this net, and have been measured long enough. `changed`: as for `diagnose`."""
    kinds = ((kind, bounds_of(kind, changed)) for kind in FINDING_KINDS if kind in RULES)
    return tuple(kind for kind, bounds in kinds if bounds["enabled"] and _KNOWN[kind](history, bounds))


def _always(history: RunHistory, bounds: Mapping[str, Any]) -> bool:
    return True


def _is_measured(history: RunHistory, bounds: Mapping[str, Any]) -> bool:
    return len(history.checkups) >= LOOKED_AT


def _has_layers(history: RunHistory, bounds: Mapping[str, Any]) -> bool:
    return _is_measured(history, bounds) and len(history.checkups[-1].layers) > 1


def _has_function(*names: str) -> Question:
    def known(history: RunHistory, bounds: Mapping[str, Any]) -> bool:
        return _is_measured(history, bounds) and any(one.function in names for one in history.checkups[-1].functions)

    return known


def _of_all_rows(name: str) -> Question:
    """Once all rows were looked at, and this was known of them."""

    def known(history: RunHistory, bounds: Mapping[str, Any]) -> bool:
        return bool(history.wholes) and getattr(history.wholes[-1][1], name) not in (None, {}, ())

    return known


def _is_validated(history: RunHistory, bounds: Mapping[str, Any]) -> bool:
    return sum(point.validation_loss is not None for point in history.points) > bounds["checks"]


_KNOWN: dict[str, Question] = {
    "non_finite": _always,
    "output_range": _always,
    "no_non_linearity": _always,
    "symmetric_start": _always,
    "input_scale": lambda history, bounds: bool(history.facts.means),
    "start_loss": _always,
    "exploding": _has_layers,
    "diverging": _is_measured,
    "rate_too_large": _is_measured,
    "vanishing": _has_layers,
    "dead_relu": lambda history, bounds: _has_function("relu")(history, bounds) and bool(history.wholes),
    "saturated": _has_function("sigmoid", "tanh"),
    "penalty_dominates": lambda history, bounds: _is_measured(history, bounds) and history.checkups[-1].penalty_ratio is not None,
    "rate_too_small": _is_measured,
    "data_ignored": _of_all_rows("permuted_loss"),
    "overfitting": _is_validated,
    "mode_gap": _of_all_rows("training_mode_loss"),
    "class_imbalance": _of_all_rows("recalls"),
    "plateau": lambda history, bounds: len(history.points) > bounds["iterations"],
}
