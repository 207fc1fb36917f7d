"""The job `doctor` of the command line: train, judge, and put the cures of what is found to the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnviz.doctor.cures import cures
from nnviz.doctor.history import LOOKED_AT
from nnviz.doctor.run_questions import answer, replay
from nnviz.doctor.trial import Trial, TrialVerdict, trial, verdict
from nnviz.document.problems import Refused
from nnviz.document.run_length import DEFAULT_EPOCHS
from nnviz.jobs import HeadlessRun, JobError, OpenedFile
from nnviz.jobs.comparing import finished
from nnviz.records.finding import Finding
from nnviz.records.task_records import RaceTask

if TYPE_CHECKING:
    from nnviz.engine.run.timeline import Timeline


def trained(document: OpenedFile, iterations: int | None, epochs: int | None) -> HeadlessRun:
    """Return the run of a document after so many iterations or epochs; by default as many as are usual."""
    going = HeadlessRun(document)
    if iterations is None and epochs is None:
        iterations, epochs = document.reached, DEFAULT_EPOCHS
    going.train(iterations, epochs)
    return going


def diagnosed(document: OpenedFile, iterations: int | None = None, epochs: int | None = None, tries: str = "first") -> dict[str, Any]:
    """Train, and return what is found; `tries`: of which present findings the cures are tried (none · first · all)."""
    going = trained(document, iterations, epochs)
    timeline, present = going.timeline, going.findings.present
    chosen = {"none": 0, "first": 1, "all": len(present)}[tries]
    values = going.findings.values(timeline.trainer.experiment)
    for value, finding in zip(values, present[:chosen], strict=False):
        value["trials"] = tried(timeline, finding)
    return {
        "iterations": timeline.iteration,
        "stopped": going.stopped,
        "message": going.message,
        "loss": timeline.points[-1].loss,
        "checkups": len(timeline.checkups),
        "judged": len(timeline.checkups) >= LOOKED_AT,
        "findings": values,
    }


def asked(document: OpenedFile, question: str, iterations: int | None = None, epochs: int | None = None) -> dict[str, Any]:
    """Train, and return the answer to a question of doctor.run_questions, measured by a short replay. Raises JobError where it cannot be
    asked."""
    from nnviz.engine.run.race import race

    timeline = trained(document, iterations, epochs).timeline
    try:
        wanted = replay(question, timeline.log, timeline.iteration, timeline.trainer.training_rows.count)
    except Refused as refused:
        raise JobError(str(refused)) from None
    runs = finished(race(RaceTask(wanted.logs, wanted.end), timeline)).runs
    return {"iterations": timeline.iteration, "question": question, "answer": answer(wanted, runs)}


def tried(timeline: Timeline, finding: Finding) -> list[dict[str, Any]]:
    """Put all cures of a finding to the test, and return what has been measured; the run stays as it is."""
    trials = [trial(timeline.log, finding, one, timeline.iteration) for one in cures(finding, timeline.trainer.experiment)]
    found = verdicts(timeline, trials)
    return [{"fix": one.fix.label, "from": one.start, **said._asdict()} for one, said in zip(trials, found, strict=True)]


def verdicts(timeline: Timeline, trials: Sequence[Trial]) -> list[TrialVerdict]:
    """Train these trials of one finding, and the run without a cure, and return what has been measured of each."""
    from nnviz.engine.run.race import race

    if not trials:
        return []
    logs = (trials[0].control, *(one.treated for one in trials))
    control, *treated = finished(race(RaceTask(logs, max(one.end for one in trials)), timeline)).runs
    return [verdict(one, control, run) for one, run in zip(trials, treated, strict=True)]
