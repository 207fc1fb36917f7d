"""A run up to where it stands, as it is written down as a program."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
import torch

from nnviz.document.experiment import Experiment
from nnviz.document.run_log import RunLog
from nnviz.document.shapes.report import examine
from nnviz.engine.data.data_facts import recorded_data
from nnviz.engine.model.build import Net, build
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.records.recorded_run import RecordedRun
from nnviz.records.tensors import Array


def recorded_run(timeline: Timeline) -> RecordedRun:
    """Return the run of a timeline from its start to where it stands."""
    log, trainer = timeline.log.until(timeline.iteration), timeline.trainer
    first = log.at(0)
    with torch.random.fork_rng(devices=[]):  # some layers of torch draw numbers when they are made
        at_start = (
            Timeline(log.until(0), timeline.folder, timeline.data).trainer.net if log.until(0).changes else build(first, timeline.data)
        )
        drawn = dict(_values(build(first.replaced(weights={}), timeline.data), first))
    start = dict(_values(at_start, first))
    losses = np.array([point.loss for point in timeline.points[1 : timeline.iteration + 1]], dtype=np.float64)
    return RecordedRun(
        experiment=first,
        changes=tuple(change for change in log.changes if change.iteration > 0),
        iterations=timeline.iteration,
        losses=Array("float64", losses.shape, losses.tobytes()),
        digest=digest(trainer.net),
        start=start,
        end=dict(_values(trainer.net, trainer.experiment)),
        drawn=frozenset(name for name, values in start.items() if values == drawn[name]),
        data=recorded_data(first, timeline.folder, timeline.data),
        libraries=(("Python", platform.python_version()), *((name, version(name)) for name in ("torch", "numpy"))),
    )


def _start(log: RunLog, timeline: Timeline) -> Net:
    """The network as it stands before the first iteration."""
    return Timeline(log, timeline.folder, timeline.data).trainer.net if log.changes else build(log.first, timeline.data)


def _values(net: Net, experiment: Experiment) -> Iterator[tuple[str, Array]]:
    """Parameters and running statistics by name."""
    tensors = dict(net.named_parameters()) | dict(net.named_buffers())
    for name in examine(experiment).settable_by_name:
        yield name, array_of(tensors[name].detach())
