"""The job `compare` of the command line: where two runs differ first, and their figures side by side."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TypeVar

from nnviz import jobs
from nnviz.document.differences import differences
from nnviz.document.run_length import DEFAULT_EPOCHS
from nnviz.engine.loading import loading
from nnviz.jobs import HeadlessRun, OpenedFile
from nnviz.records.divergence_record import Divergence
from nnviz.records.verdicts import noise_of, verdict_of_points
from nnviz.text import divergence_text

if TYPE_CHECKING:
    from nnviz.engine.run.timeline import Timeline

Found = TypeVar("Found")


def compare(one: OpenedFile, other: OpenedFile, iterations: int | None = None) -> dict[str, Any]:
    """Train both and return where they differ first, what differs in their documents, and what came of each.

    They are compared as far as both were trained.
    """
    with loading():
        from nnviz.engine.run.divergence import first_divergence
        from nnviz.engine.run.timeline import Timeline

    runs, figures = [], []
    for document in (one, other):
        run, start = HeadlessRun(document), time.perf_counter()
        run.train(iterations, None if iterations is not None else DEFAULT_EPOCHS)
        runs.append(run)
        figures.append(outcome(run) | {"seconds": round(time.perf_counter() - start, 3)})
    ends = [run.timeline.iteration + (run.stopped == "non_finite") for run in runs]
    alone = [Timeline(run.timeline.log, run.timeline.folder, run.timeline.data) for run in runs]
    found = finished(first_divergence(*alone, min(ends)))
    documents = [run.timeline.document for run in runs]
    return {
        "identical": found is None and ends[0] == ends[1],
        "compared": min(run.timeline.iteration for run in runs),
        "first_difference": None if found is None else _described(found, runs),
        "document": [entry._asdict() for entry in differences(*documents)],
        "runs": figures,
    }


def finished(work: Generator[Any, None, Found]) -> Found:
    """Return what long work comes to, without a pause."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def outcome(run: HeadlessRun) -> dict[str, Any]:
    """Return what a run has come to, with the verdict on it."""
    timeline: Timeline = run.timeline
    trainer = timeline.trainer
    found = verdict_of_points(timeline.points, noise_of(trainer.experiment, trainer.training_rows.count), run.stopped == "non_finite")
    return {**jobs.figures(run), "verdict": found.kind, "verdict_is": found.sentence, "stopped": run.stopped, "message": run.message}


def _described(found: Divergence, runs: list[HeadlessRun]) -> dict[str, Any]:
    titles = tuple(run.timeline.document.network.titles for run in runs)
    nodes = [
        None if place.node is None else {"id": place.node, **{name: getattr(trace.nodes[place.node], name) for name in _OF_NODES}}
        for place, trace in zip(found.places, found.traces, strict=False)
    ]
    return {
        **{name: getattr(found, name) for name in ("iteration", "phase", "what", "row", "element", "difference", "differing", "elements")},
        "nodes": nodes or [None, None],
        "symbols": [place.symbol for place in found.places],
        "steps": [place.step for place in found.places],
        "training_rows": [place.row for place in found.places],
        "shapes": [place.shape for place in found.places],
        "values": [place.value for place in found.places],
        "place": divergence_text.heading(found, titles),
        "difference_is": divergence_text.details(found, titles),
    }


_OF_NODES = ("kind", "operation", "label", "module", "group")
