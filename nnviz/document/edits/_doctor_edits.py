"""Edits of what the doctor judges by. Pure functions Experiment -> Experiment that raise Refused with why not and the cure."""

from __future__ import annotations

from typing import Any

from nnviz.document.catalog import Kind
from nnviz.document.experiment import Experiment
from nnviz.document.fields import checked
from nnviz.document.finding_kinds import ENABLED, FINDING_KINDS, bounds_of
from nnviz.document.problems import Refused, offered


def change_bounds(experiment: Experiment, kind: str, **bounds: Any) -> Experiment:
    """Return the experiment with other bounds for a kind; `enabled` says whether it is looked for at all."""
    row = _row(kind)
    given = bounds_of(kind, experiment.doctor) | checked((*row.fields, ENABLED), row.label, bounds)
    usual = bounds_of(kind, {})
    return _with(experiment, kind, {name: value for name, value in given.items() if value != usual[name]})


def reset_bounds(experiment: Experiment, kind: str | None = None) -> Experiment:
    """Return the experiment with the usual bounds for a kind; None: for all of them."""
    if kind is None:
        return experiment.replaced(doctor={})
    return _with(experiment, _row(kind).name, {})


def _row(kind: str) -> Kind:
    if kind not in FINDING_KINDS:
        raise Refused(f'The doctor knows nothing called "{kind}".', offered(str(kind), FINDING_KINDS))
    return FINDING_KINDS[kind]


def _with(experiment: Experiment, kind: str, bounds: dict[str, Any]) -> Experiment:
    others = {name: kept for name, kept in experiment.doctor.items() if name != kind}
    return experiment.replaced(doctor=others | {kind: bounds} if bounds else others)
