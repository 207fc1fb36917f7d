"""A run that goes on from a place it was brought to has the masks, the steps of the optimizer and the rows it would have had anyway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch

from nnviz import jobs
from nnviz.document import edits
from nnviz.document.run_log import RunLog
from nnviz.document.store import files, saved_run
from nnviz.document.store.saved_run import SavedRun
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.race import beside
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE, experiment
from tests.engine.flat_runs import eager

START = experiment(batch_size=16)
LOG = RunLog(START).changed(31, edits.change_optimizer(START, learning_rate=0.02))
PLACE, FURTHER = 64, 9
"""In the middle of an epoch of 42 rows in three batches, and over its end."""


def a_run() -> Timeline:
    timeline = Timeline(LOG, HERE)
    timeline.go_to(120)
    return timeline


def from_a_file(folder) -> Trainer:
    path = folder / "run.nnviz"
    files.save(path, LOG.last, extras={saved_run.PART: saved_run.encode(SavedRun(PLACE, None, LOG))})
    timeline = Timeline(jobs.open_branch(path.as_posix(), "main").log, HERE)
    timeline.go_to(PLACE)
    return timeline.trainer


def by_a_jump(folder) -> Trainer:
    timeline = a_run()
    for iteration in (3, 119, PLACE):
        timeline.go_to(iteration)
    return timeline.trainer


def as_a_branch(folder) -> Trainer:
    timeline = a_run().branch(LOG.until(PLACE).changed(90, edits.change_training(LOG.last, l2=0.1)))
    timeline.go_to(PLACE)
    return timeline.trainer


def in_a_race(folder) -> Trainer:
    timeline = beside(a_run(), LOG)
    timeline.go_to(PLACE)
    return timeline.trainer


def as_a_twin(folder) -> Trainer:
    timeline = a_run()
    timeline.go_to(PLACE)
    return timeline.twin().trainer


def as_a_copy(folder) -> Trainer:
    timeline = a_run()
    timeline.go_to(PLACE)
    return private_copy(timeline.trainer)


WAYS = (from_a_file, by_a_jump, as_a_branch, in_a_race, as_a_twin, as_a_copy)


def seen(trainer: Trainer) -> Iterator[tuple]:
    """Of every further iteration its rows, which units are dropped, the steps the optimizer has counted, the generator, and the weights."""
    for _ in range(FURTHER):
        rows = trainer.rows().tolist()
        assert trainer.advance() is None
        dropped = trainer.activations["d1"] == 0
        kept = trainer.activations["h1"] != 0  # what ReLU has not put out anyway
        mask = (dropped & kept).tolist()
        steps = {name: float(entry["step"]) for name, entry in trainer.checkpoint().state.items()}
        yield rows, mask, steps, torch.get_rng_state().tolist(), [tensor.tolist() for tensor in trainer.tensors().values()]


@pytest.fixture(scope="module")
def straight() -> list[tuple]:
    """The same of a run that was made in one go, eagerly."""
    with eager():
        timeline = Timeline(LOG, HERE)
        while timeline.iteration < PLACE:
            timeline.advance()
        return list(seen(timeline.trainer))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("kind", ["flat", "eager"])
def test_it_goes_on_as_if_nothing_had_been(way, kind, straight, tmp_path):
    with eager() if kind == "eager" else nullcontext():
        trainer = way(tmp_path)
        torch.rand(17)  # whoever draws numbers in between
        found = list(seen(trainer))
    for (rows, mask, steps, generator, weights), expected in zip(found, straight, strict=True):
        assert rows == expected[0]
        assert mask == expected[1] and any(map(any, mask)) and not all(map(all, mask))
        assert steps == expected[2] and set(steps.values()) == {max(steps.values())}
        assert generator == expected[3] and weights == expected[4]
    assert [max(one[2].values()) for one in found] == list(range(PLACE + 1, PLACE + 1 + FURTHER))
    assert len({repr(one[1]) for one in found}) == FURTHER, "every iteration has another mask"
