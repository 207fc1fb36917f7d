"""At which iterations a run is measured for the doctor: the run log alone says, so a replay measures at the same ones. Pure."""

from __future__ import annotations

from math import inf

_STEPS = ((5, 1), (24, 2), (32, 4), (64, 8), (128, 16), (256, 25), (400, 50), (800, 100), (1600, 200), (3200, 400))
"""From which age on, counted from the start or the last change, which iterations are measured: all whose number such a step divides.

Each at first, then about eight between every age and its double; from 400 on those that validate and keep a checkpoint anyway."""
FIRST_WHOLE = 20
"""All rows are looked at behind so many iterations, and whenever these have doubled."""


def next_due(iteration: int, changed_at: int) -> int:
    """Return the next iteration behind `iteration` that is measured. `changed_at`: where the last change of the run was made, 0 if none."""
    due = 0
    for (age, step), (end, _) in zip(_STEPS, (*_STEPS[1:], (inf, 0)), strict=True):
        if iteration + 1 < changed_at + end:
            due = -(-max(iteration + 1, changed_at + age) // step) * step
            if due < changed_at + end:
                break
    return due


def is_whole_due(iteration: int, changed_at: int, last: int | None) -> bool:
    """Return whether all rows are looked at in an iteration that is measured; `last`: the one in which they were last."""
    is_first = last is None or last <= changed_at
    return iteration - changed_at >= (FIRST_WHOLE if is_first else 2 * (last - changed_at))
