"""The branches of a run as they are drawn: one line each, which leaves another one, with flags where something was changed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf
from operator import attrgetter

import numpy as np

from nnviz.document.lost_training import lost
from nnviz.document.run_branches import Branch, lines, shared
from nnviz.document.run_log import RunLog
from nnviz.session.branches import KeptBranch
from nnviz.session.run import RunState
from nnviz.session.run_curves import Curves
from nnviz.text import change_text
from nnviz.text.numbers import steady
from nnviz.ui.widgets.time_axis import Flag, Surroundings


@dataclass(frozen=True)
class SelfStop:
    """Where training stopped by itself, and in which run; it is there in every run that is the same up to then."""

    flag: Flag
    log: RunLog


@dataclass(frozen=True)
class RunLine:
    """One branch among the others."""

    branch: Branch
    curves: Curves | None
    """What is known of it; None for the present one, whose run says so."""
    parent: int | None
    """The line it leaves, by its place; None for one with a beginning of its own."""
    start: int
    """The iteration at which it leaves it."""
    flags: tuple[Flag, ...] = ()
    stops: tuple[Flag, ...] = ()

    @property
    def is_present(self) -> bool:
        """Whether it is that of the run that is open."""
        return self.curves is None

    @property
    def name(self) -> str:
        """What the branch is called."""
        return self.branch.name


@dataclass(frozen=True)
class RunTree:
    """All branches in the order of their colours, which is the one in which they came: no line changes places."""

    lines: tuple[RunLine, ...] = ()

    @property
    def present(self) -> int | None:
        """The place of the present line; None as long as no run is open."""
        return next((place for place, line in enumerate(self.lines) if line.is_present), None)

    def path(self) -> tuple[int, ...]:
        """Return the places of the present line and of those it comes from, the present one first."""
        places, at = [], self.present
        while at is not None:
            places.append(at)
            at = self.lines[at].parent
        return tuple(places)

    def owner(self, iteration: int) -> int | None:
        """Return the place of the line on which the present run stands after so many iterations: before its start that of another."""
        return next((place for place in self.path() if iteration >= self.lines[place].start), None)

    def is_shared(self, place: int, iteration: int) -> bool:
        """Return whether the present run is the same as this line up to the iteration."""
        path = self.path()
        return place in path and all(iteration <= self.lines[later].start for later in path[: path.index(place)])


@dataclass(frozen=True)
class Ghost:
    """A branch beside the present one as plots show it: the figures it does not have in common with that."""

    name: str
    color: int
    curves: Curves
    is_chosen: bool = False
    """Whether it stands out."""


def surroundings(tree: RunTree, with_ghosts: bool = True, chosen: str = "") -> Surroundings:
    """Return what plots show besides the present run, with the other branches or without; `chosen` is the name of one that stands out."""
    if tree.present is None:
        return Surroundings()
    present = tree.lines[tree.present]
    ghosts = []
    for line in tree.lines if with_ghosts else ():
        if not line.is_present:
            common = shared(line.branch.log, present.branch.log)
            at = 0 if common in (None, inf) else int(common)
            ghosts.append(Ghost(line.name, line.branch.color, line.curves.after(at - 1), line.name == chosen))
    return Surroundings(present.flags, tuple(ghosts))


def grown(present: Branch | None, kept: Sequence[KeptBranch], stands: int = 0, stops: Sequence[SelfStop] = ()) -> RunTree:
    """Return the tree of these branches. `stands`: where the present run does."""
    known = [(one.branch, one.curves) for one in kept] + ([(present, None)] if present else [])
    known.sort(key=lambda pair: pair[0].color)
    branches = [branch for branch, _ in known]
    made = []
    for (branch, curves), line in zip(known, lines(branches), strict=True):
        start = line.start
        if line.parent is not None and branches[line.parent] is not present:
            start = min(start, branches[line.parent].reached)
        if line.parent is not None and branch is present and shared(branch.log, branches[line.parent].log) == inf:
            start = min(start, stands)  # it will be another one from there on: the engine has not said so yet
        made.append(RunLine(branch, curves, line.parent, start, flags_of(branch.log), _stops_of(branch.log, stops)))
    return RunTree(tuple(made))


def flags_of(log: RunLog) -> tuple[Flag, ...]:
    """Return one flag for each iteration at which the document became another: what it was, what it became, and what was lost by that."""
    flags, before = [], log.first
    for iteration, changes in groupby(log.changes, attrgetter("iteration")):
        documents = [before, *(change.experiment for change in changes)]
        said = lost(documents) if iteration else ()
        flags.append(Flag(iteration, "\n".join((change_text.told(iteration, before, documents[-1]), *said))))
        before = documents[-1]
    return tuple(flags)


def _stops_of(log: RunLog, stops: Sequence[SelfStop]) -> tuple[Flag, ...]:
    reach = [(stop.flag, shared(log, stop.log)) for stop in stops]
    return tuple(flag for flag, common in reach if common is not None and common >= flag.iteration)


def told(line: RunLine, run: RunState, iteration: int, is_alone: bool) -> str:
    """Return what is known of one iteration of a line: the loss of its batch, and the settings that held."""
    curves = line.curves or run.curves.followed_by(run.ahead.after(int(run.curves.iteration[-1]) if run.curves.iteration.size else -1))
    place = int(np.searchsorted(curves.iteration, iteration, side="right")) - 1
    words = [] if is_alone else [line.name]
    words.append(f"iteration {iteration:,}")
    if place >= 0 and np.isfinite(curves.loss[place]):
        at = int(curves.iteration[place])
        words.append(f"loss {steady(float(curves.loss[place]))}" + ("" if at == iteration else f" at {at:,}"))
    return " · ".join(words) + "\n" + change_text.in_brief(line.branch.log.at(iteration))
