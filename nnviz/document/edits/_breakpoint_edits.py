"""Edits of the breakpoints. Pure functions Experiment -> Experiment that raise Refused with why not and the cure."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from nnviz.document.breakpoints import KINDS, MOST_BREAKPOINTS, SWITCH, Breakpoint
from nnviz.document.experiment import Experiment
from nnviz.document.fields import checked
from nnviz.document.problems import Refused, offered


def add_breakpoint(experiment: Experiment, kind: str, **settings: Any) -> Experiment:
    """Return the experiment with one more breakpoint. The fields of its kind have their defaults, with `settings` over them."""
    added = _made(kind, settings)
    if replace(added, enabled=True) in [replace(other, enabled=True) for other in experiment.breakpoints]:
        raise Refused("There is such a breakpoint already.", "Switch it on in the list of breakpoints.")
    if len(experiment.breakpoints) >= MOST_BREAKPOINTS:
        raise Refused(f"There are {MOST_BREAKPOINTS} breakpoints, and no more can be listed.", "Delete one first.")
    return experiment.replaced(breakpoints=(*experiment.breakpoints, added))


def toggle_breakpoint(experiment: Experiment, kind: str, target: str) -> Experiment:
    """Return the experiment without the breakpoint at this node or parameter, or with one if there is none."""
    kept = tuple(other for other in experiment.breakpoints if (other.kind, other.target) != (kind, target))
    if len(kept) < len(experiment.breakpoints):
        return experiment.replaced(breakpoints=kept)
    return add_breakpoint(experiment, kind, target=target)


def remove_breakpoint(experiment: Experiment, place: int) -> Experiment:
    """Return the experiment without the breakpoint at this place of the list."""
    gone = _at(experiment, place)
    return experiment.replaced(breakpoints=tuple(other for other in experiment.breakpoints if other is not gone))


def change_breakpoint(experiment: Experiment, place: int, **settings: Any) -> Experiment:
    """Return the experiment with other values for fields of the breakpoint at this place of the list."""
    old = _at(experiment, place)
    kind = KINDS[old.kind]
    changed = replace(old, **checked((*kind.fields, SWITCH), kind.label, settings))
    return experiment.replaced(breakpoints=tuple(changed if other is old else other for other in experiment.breakpoints))


def switch_breakpoints(experiment: Experiment, enabled: bool) -> Experiment:
    """Return the experiment with all breakpoints on, or all off."""
    return experiment.replaced(breakpoints=tuple(replace(one, enabled=enabled) for one in experiment.breakpoints))


def _made(kind: str, settings: dict[str, Any]) -> Breakpoint:
    if kind not in KINDS:
        raise Refused(f'There is no kind of breakpoint called "{kind}".', offered(str(kind), KINDS))
    row = KINDS[kind]
    made = Breakpoint(kind, **(row.defaults | checked((*row.fields, SWITCH), row.label, settings)))
    if made.is_at_a_place and not made.target:
        raise Refused(f"A breakpoint of the kind {row.label} needs a target.", f"Name it, {row.field('target').explanation}.")
    return made


def _at(experiment: Experiment, place: int) -> Breakpoint:
    if not 0 <= place < len(experiment.breakpoints):
        raise Refused(f"There is no breakpoint {place}.", f"There are {len(experiment.breakpoints)}, counted from 0.")
    return experiment.breakpoints[place]
