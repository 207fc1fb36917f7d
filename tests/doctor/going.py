"""Runs that the doctor looks at whenever something was measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nnviz.doctor.diagnosis import diagnose
from nnviz.document.experiment import Experiment
from nnviz.engine.run.timeline import Timeline
from nnviz.records.finding import Finding


def after(experiment: Experiment, iterations: int) -> Timeline:
    """The run after so many iterations, or where it cannot go on."""
    timeline = Timeline(experiment, Path())
    timeline.go_to(iterations)
    return timeline


def diagnoses(experiment: Experiment, iterations: int) -> Iterator[tuple[Timeline, tuple[Finding, ...]]]:
    """At the start, behind every checkup, and where it ends: the run, and what is found then."""
    timeline = Timeline(experiment, Path())
    yield timeline, diagnose(timeline.history())
    measured = 0
    while timeline.iteration < iterations:
        stop = timeline.advance(at_most=iterations - timeline.iteration)
        if len(timeline.checkups) > measured or stop:
            measured = len(timeline.checkups)
            yield timeline, diagnose(timeline.history())
        if stop:
            return
