"""A cure put to the test: the same run with the fix, beside the run without it, and what is measured of both. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Fix, Refused
from nnviz.document.run_log import RunLog
from nnviz.records.finding import Finding
from nnviz.records.task_records import RacedRun
from nnviz.records.tensors import to_numpy

SHORTEST, LONGEST = 300, 3000
"""A trial goes on for so many iterations behind its start: up to where the run stands, within these bounds."""
AT_ONCE = 20
"""What began within so many iterations behind the start, or behind a change, began there: the doctor cannot have seen it earlier."""
BETTER, WORSE = 0.8, 1.25
"""The loss with the fix over that without it: below it helps, above it harms."""
_BY_VALIDATION = {"overfitting", "mode_gap"}
"""Kinds of findings that the training loss does not show."""


class Trial(NamedTuple):
    """One cure of a finding, and the two runs that are compared."""

    finding: Finding
    fix: Fix
    control: RunLog
    """Without it."""
    treated: RunLog
    """With it."""
    start: int
    """The iteration from which on they differ."""
    end: int
    """Up to there both are trained."""
    needs: int = 0
    """How many iterations the finding took to be named; a run that is shorter does not show that it is gone."""


class TrialVerdict(NamedTuple):
    """What a trial has shown."""

    outcome: str
    """helps · gone: the finding is gone, and the loss is as before · no help · worse"""
    sentence: str
    before: float | None
    """The figure without the fix; None where it is not finite."""
    after: float | None


class _Figure(NamedTuple):
    """What two runs are compared by, and what of a point it is."""

    name: str
    field: str
    is_better_above: bool = False


def trial(log: RunLog, finding: Finding, one: Fix, reached: int) -> Trial:
    """Return the trial of a fix. `log`: of the run, which has come to iteration `reached`.

    The fix is made at the iteration before the onset, at the change that brought it, or at the start, also where what it changes begins a
    run. Raises Refused where it cannot be made.
    """
    changed_at = max((change.iteration for change in log.changes if change.iteration <= finding.since), default=0)
    start = changed_at if finding.since - changed_at <= AT_ONCE else finding.since - 1
    in_force = log.at(start)
    fixed = edits.apply_fix(in_force, one)
    control = log.until(max(start, finding.at))
    if start == 0 or _begins_a_run(in_force, fixed):
        treated = RunLog(_fixed_where_it_can_be(log.first, one), tuple(_also_fixed(control, one)))
        documents = zip((0, *(change.iteration for change in treated.changes)), _documents(treated), _documents(control), strict=True)
        start = next((at for at, new, old in documents if new != old), 0)
    else:
        treated = log.changed(start, fixed)
    needs = finding.at - changed_at
    return Trial(finding, one, control, treated, start, start + min(LONGEST, max(SHORTEST, reached - start, needs)), needs)


def _begins_a_run(old: Experiment, new: Experiment) -> bool:
    """Whether a run cannot go on with what has changed, or would not notice it: data, and how weights start."""
    starts = [[(layer.id, layer.initializer, layer.gain) for layer in one.network] for one in (old, new)]
    return (old.data, old.seed, old.precision, old.weights, starts[0]) != (new.data, new.seed, new.precision, new.weights, starts[1])


def _also_fixed(log: RunLog, one: Fix) -> Iterable:
    """The changes of a run, with the fix made in each that it can be made in."""
    for change in log.changes:
        yield change._replace(experiment=_fixed_where_it_can_be(change.experiment, one))


def _fixed_where_it_can_be(experiment: Experiment, one: Fix) -> Experiment:
    """The document with the fix; as it is where the layers that it is about are not there yet."""
    try:
        return edits.apply_fix(experiment, one)
    except Refused:
        return experiment


def _documents(log: RunLog) -> list[Experiment]:
    return [log.first, *(change.experiment for change in log.changes)]


def verdict(one: Trial, control: RacedRun, treated: RacedRun) -> TrialVerdict:
    """Return what has been measured: both runs at the same iteration, by what the document trains on."""
    if treated.stopped == "failed":
        return TrialVerdict("no help", f"{one.fix.label}: it could not be built. {treated.message}", None, None)
    figure = _figure(one)
    before, after = (_value(run, figure) for run in (control, treated))
    length = treated.iteration - one.start
    is_gone = length >= one.needs and not any(finding.kind == one.finding.kind for finding in treated.findings)
    outcome = _outcome(before, after, figure, is_gone)
    if outcome == "helps" and before is None and not _has_learnt(treated, after, figure):
        outcome = "gone"
    course = f"{figure.name} {_number(before)} → {_number(after)} in {length:,} iteration{'s' * (length != 1)}"
    words = _NOTHING_LEARNT if outcome == "gone" and before is None else _WORDS[outcome]
    return TrialVerdict(outcome, f"{one.fix.label} {words}: {course}{_ending(treated)}.", before, after)


_WORDS = {
    "helps": "helps",
    "gone": "takes the finding away, and the loss is no better",
    "no help": "does not help",
    "worse": "makes it worse",
}

_NOTHING_LEARNT = "takes the finding away, but nothing is learnt"
"""Where the loss without it is not finite, any other is better."""


def _ending(treated: RacedRun) -> str:
    if treated.stopped == "non_finite":
        return "; the run with it is not finite any more"
    return "; it stopped early" if treated.stopped == "early_stopping" else ""


def _figure(one: Trial) -> _Figure:
    """The training loss; the validation loss where that is what it is about; the score where both losses are not the same sum."""
    old, new = one.control.at(one.start), one.treated.at(one.start)
    parts = [
        (part.training.loss, part.training.l1, part.training.l2, part.penalties, part.data.settings.get("target_scaling"))
        for part in (old, new)
    ]
    if one.finding.kind == "class_imbalance":
        return _Figure("recall of the rarest class", "recall", True)
    by_validation = one.finding.kind in _BY_VALIDATION
    if parts[0] == parts[1]:
        return _Figure("validation loss", "validation_loss") if by_validation else _Figure("training loss", "training_loss")
    is_score = old.training.loss in ("bce", "cross_entropy")
    name = "accuracy" if is_score else "error"
    return _Figure(f"validation {name}", "metric", is_score) if by_validation else _Figure(f"training {name}", "training_metric", is_score)


def _value(run: RacedRun, figure: _Figure) -> float | None:
    """What a run has come to; None where it is not finite or was not made."""
    if run.stopped == "non_finite":
        return None
    value = _rarest_recall(run) if figure.field == "recall" else getattr(run.last, figure.field, None) if run.last else None
    return value if value is not None and math.isfinite(value) else None


def _rarest_recall(run: RacedRun) -> float | None:
    """The share of the rows of that class which is answered with it that is least often so; None where nothing was looked at."""
    recalls = [recall for recall in (run.whole.recalls if run.whole else ()) if math.isfinite(recall)]
    return min(recalls, default=None)


def _has_learnt(treated: RacedRun, after: float, figure: _Figure) -> bool:
    """Whether a run is better than where it began, as far as that is the same figure."""
    return treated.points is None or figure.field != "training_loss" or after < float(to_numpy(treated.points.losses)[0])


def _outcome(before: float | None, after: float | None, figure: _Figure, is_gone: bool) -> str:
    if after is None:
        return "no help" if before is None else "worse"
    if before is None:
        return "helps"
    wrong = [1 - value if figure.is_better_above else value for value in (before, after)]
    if wrong[1] < BETTER * wrong[0]:
        return "helps"
    if wrong[1] > WORSE * wrong[0] and wrong[1] > 1e-6:
        return "worse"
    return "gone" if is_gone else "no help"


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3g}"
