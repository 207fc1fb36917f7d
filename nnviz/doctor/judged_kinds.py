"""Of which kinds enough is known of a run to say that there is none: only of these it may be called healthy. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnviz.doctor.history import LOOKED_AT, RunHistory
from nnviz.document.finding_kinds import bounds_of


def judged_kinds(history: RunHistory, changed: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the kinds that are looked for, concern this net, and have been measured long enough. `changed`: as for `diagnose`.

    Others, such as overfitting, are never called healthy: that nothing is found of them so far says little.
    """
    return tuple(kind for kind, is_known in _KNOWN.items() if bounds_of(kind, changed)["enabled"] and is_known(history))


def _is_measured(history: RunHistory) -> bool:
    return len(history.checkups) >= LOOKED_AT


def _has_layers(history: RunHistory) -> bool:
    return _is_measured(history) and len(history.checkups[-1].layers) > 1


def _has_function(history: RunHistory, *names: str) -> bool:
    return _is_measured(history) and any(one.function in names for one in history.checkups[-1].functions)


def _is_checked_twice(history: RunHistory) -> bool:
    """Whether all rows were looked at twice, an epoch apart."""
    return len(history.wholes) > 1 and history.wholes[-1][0] - history.wholes[0][0] >= history.epoch


_KNOWN: dict[str, Callable[[RunHistory], bool]] = {
    "output_range": lambda history: True,
    "symmetric_start": lambda history: True,
    "input_scale": lambda history: bool(history.facts.stds),
    "start_loss": lambda history: history.facts.constant_loss > 0,
    "exploding": _has_layers,
    "diverging": _is_measured,
    "rate_too_large": _is_measured,
    "vanishing": _has_layers,
    "dead_relu": lambda history: _has_function(history, "relu") and _is_checked_twice(history),
    "saturated": lambda history: _has_function(history, "sigmoid", "tanh"),
    "penalty_dominates": lambda history: _is_measured(history) and history.checkups[-1].penalty_ratio is not None,
    "rate_too_small": _is_measured,
}
