"""At which iterations a run is measured for the doctor: the run log alone says, so a replay measures at the same ones. Pure."""

from __future__ import annotations

FIRST = 5
"""The first that is measured behind a start or a change; …"""
PER_AGE, WIDEST = 12, 128
"""… then as many between every age and its double: each from 12 on, every second from 24, every fourth from 48, up to so many apart."""
FIRST_WHOLE = 20
"""All rows are looked at behind so many iterations, and whenever these have doubled."""


def next_due(iteration: int, changed_at: int) -> int:
    """Return the next iteration behind `iteration` that is measured. `changed_at`: where the last change of the run was made, 0 if none."""
    age = max(FIRST, iteration - changed_at + 1)
    step = min(WIDEST, 1 << max(0, (age // PER_AGE).bit_length() - 1))  # powers of 2: every age at which it grows is a multiple of both
    return changed_at - (-age // step) * step


def is_whole_due(iteration: int, changed_at: int, last: int | None) -> bool:
    """Return whether all rows are looked at in an iteration that is measured; `last`: the one in which they were last."""
    is_first = last is None or last <= changed_at
    return iteration - changed_at >= (FIRST_WHOLE if is_first else 2 * (last - changed_at))
