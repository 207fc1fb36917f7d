"""At which iterations a run is measured for the doctor: the run log alone says, so a replay measures at the same ones. Pure."""

from __future__ import annotations

FIRST = 5
"""The first iterations behind a start or a change are not measured …"""
EVERY_ONE = 40
"""… up to here all are, …"""
PER_AGE, WIDEST = 20, 200
"""… then one in so many: the age divided by 20, at most 200."""
FIRST_WHOLE = 20
"""All rows are looked at behind so many iterations, and whenever these have doubled."""


def next_due(iteration: int, changed_at: int) -> int:
    """Return the next iteration behind `iteration` that is measured. `changed_at`: where the last change of the run was made, 0 if none."""
    age = max(FIRST, iteration - changed_at + 1)
    step = min(WIDEST, max(1, age // PER_AGE)) if age > EVERY_ONE else 1
    return changed_at - (-age // step) * step


def is_whole_due(iteration: int, changed_at: int, last: int | None) -> bool:
    """Return whether all rows are looked at in an iteration that is measured; `last`: the one in which they were last."""
    is_first = last is None or last <= changed_at
    return iteration - changed_at >= (FIRST_WHOLE if is_first else 2 * (last - changed_at))
