"""What is found in the course of a run, also what was there for a while and has gone. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnviz.doctor.cures import cures
from nnviz.doctor.diagnosis import diagnose
from nnviz.doctor.history import RunHistory
from nnviz.document.experiment import Experiment
from nnviz.document.finding_kinds import FINDING_KINDS
from nnviz.records.finding import Finding

FIRST_LOOK = 25
LOOK_AGAIN = 1.25
"""It is looked after so many iterations, and whenever there are so many times as many."""


class FindingsOfRun:
    """`present` is what was found when it was looked last."""

    def __init__(self) -> None:
        self.present: tuple[Finding, ...] = ()
        self._seen: dict[tuple[str, str], Finding] = {}
        self._next: float = FIRST_LOOK

    def look_if_due(self, iteration: int, history: Callable[[], RunHistory]) -> None:
        """Look after so many iterations, if it is time."""
        if iteration >= self._next:
            self.look(history())

    def look(self, history: RunHistory) -> None:
        """Look now."""
        self._next = max(FIRST_LOOK, LOOK_AGAIN * history.iteration)
        self.present = diagnose(history)
        self._seen |= {(one.kind, one.place): one for one in self.present}

    def values(self, experiment: Experiment) -> list[dict[str, Any]]:
        """Return all as the plain values the command line prints, the present ones first. `experiment`: the one in force."""
        here = {(one.kind, one.place) for one in self.present}
        gone = [one for place, one in self._seen.items() if place not in here]
        return [_value(one, True, experiment) for one in self.present] + [_value(one, False, experiment) for one in gone]


def _value(one: Finding, is_present: bool, experiment: Experiment) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "label": FINDING_KINDS[one.kind].label,
        **{name: getattr(one, name) for name in ("place", "cause", "evidence", "value", "bound")},
        "iterations": [one.since, one.at],
        "present": is_present,
        "information": one.is_information,
        "fixes": [fix.label for fix in cures(one, experiment)],
    }
