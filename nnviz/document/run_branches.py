"""The branches of a run: runs that have their beginning in common, each with a name and a colour of its own. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import count, zip_longest
from typing import NamedTuple

import msgspec

from nnviz.document.run_log import RunLog, same_run

FIRST = "main"
"""What the run of a document is called as long as there is no other one."""
COLORS = 8
"""How many colours there are; the ninth branch has that of the first, though a place of its own among them."""


class Branch(msgspec.Struct, frozen=True):
    """One run among those of a document."""

    name: str
    color: int
    """Its place among the colours of branches, from 0; places beyond the colours begin at their start again."""
    log: RunLog
    reached: int = 0
    """How many of its iterations have been made."""
    note: str = ""
    """What has been found out by it, as the verdict on a cure; "" for nothing."""


class BranchLine(NamedTuple):
    """How a branch is drawn: a line that leaves another one."""

    branch: int
    parent: int | None
    """The branch whose line it leaves; None for one that has its own beginning."""
    start: int
    """The iteration at which it leaves it."""


def shared(one: RunLog, other: RunLog) -> float | None:
    """Return up to which iteration two runs are the same: infinity for the very same run, None if they begin with different documents."""
    if not same_run(one.first, other.first):
        return None
    for left, right in zip_longest(one.changes, other.changes):
        if left is None or right is None or left.iteration != right.iteration or not same_run(left.experiment, right.experiment):
            return min(change.iteration for change in (left, right) if change is not None)
    return float("inf")


def lines(branches: Sequence[Branch]) -> list[BranchLine]:
    """Return how the branches are drawn, in their order: each leaves the earlier one with which it has most in common."""
    found = []
    for index, branch in enumerate(branches):
        common = [(shared(branch.log, other.log), -earlier) for earlier, other in enumerate(branches[:index])]
        start, parent = max(((at, place) for at, place in common if at is not None), default=(0, None))
        reached = int(min(start, branch.reached)) if parent is not None else 0
        found.append(BranchLine(index, None if parent is None else -parent, reached))
    return found


def free_name(taken: Container[str]) -> str:
    """Return a name for another branch."""
    return next(name for number in count(2) if (name := f"branch {number}") not in taken)


def name_like(name: str, taken: Container[str]) -> str:
    """Return this name for a branch, with a number behind it where it is taken."""
    return name if name not in taken else next(other for number in count(2) if (other := f"{name} {number}") not in taken)


def free_color(branches: Sequence[Branch]) -> int:
    """Return the first place among the colours that none of these has."""
    used = {branch.color for branch in branches}
    return next(place for place in count() if place not in used)
