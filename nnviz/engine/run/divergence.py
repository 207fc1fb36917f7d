"""The first divergence of two runs: both are made again side by side until their bits differ, then traced where they do."""

from __future__ import annotations

from msgspec.structs import replace

from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_difference import first_difference, tensor_difference
from nnviz.engine.run import checkpoints
from nnviz.engine.run.replay_slices import InSlices, in_slices
from nnviz.engine.run.timeline import Timeline
from nnviz.records.divergence_record import Divergence, Place
from nnviz.trace import TraceError

Pair = tuple[Timeline, Timeline]


def first_divergence(one: Timeline, other: Timeline, iterations: int) -> InSlices[Divergence | None]:
    """Find where two runs differ first in `iterations` iterations; None if they do not, as far as both can be made.

    Both are moved, so they are to be timelines of their own. They are compared in blocks: by the loss of every iteration, and by all
    parameters and buffers at the end of a block; inside the first block that differs after every iteration.
    """
    runs = one, other
    precisions = one.document.precision, other.document.precision
    if precisions[0] != precisions[1]:
        return Divergence(0, "start", "precision", reasons=precisions)
    for run in runs:
        run.go_to(0)
    if not _is_same(runs, 0):
        return _located(runs, 0)
    start, end = 0, 0
    while end < iterations:
        start, end = end, min(end + checkpoints.SPACING, iterations)
        for run in runs:
            for _ in in_slices(run, end):
                yield (one.iteration + other.iteration) // 2, iterations
        if not _is_same(runs, start):
            return (yield from _inside(runs, start, end))
        if one.iteration < end:
            return None  # neither can be made
    return None


def _inside(runs: Pair, start: int, end: int) -> InSlices[Divergence | None]:
    """The same, where they are the same at `start` and not at `end`."""
    for run in runs:
        run.go_to(start)
    for iteration in range(start + 1, end + 1):
        for run in runs:
            run.go_to(iteration)
        if not _is_same(runs, iteration - 1):
            return _located(runs, iteration)
        yield iteration, end
    return None


def _is_same(runs: Pair, start: int) -> bool:
    """Whether both stand at the same iteration with the same parameters and buffers, and had the same losses since this one."""
    one, other = runs
    losses = [[point.loss for point in run.points[start + 1 :]] for run in runs]
    if one.iteration != other.iteration or losses[0] != losses[1]:
        return False
    mine, its = (list((run.trainer.parameters | run.trainer.buffers).values()) for run in runs)
    return len(mine) == len(its) and all(tensor_difference(*pair) is None for pair in zip(mine, its, strict=True))


# --- where in the iteration ---


def _located(runs: Pair, iteration: int) -> Divergence:
    """Where they differ in the first iteration behind which they do, or already in one before, as where only the state of the optimizer
    does; 0: at the start."""
    found = _traced(runs, max(iteration, 1))
    while found and found.iteration > 1 and (earlier := _traced(runs, found.iteration - 1)):
        found = earlier
    if found is None:
        return _stopped(runs, iteration) or _behind(runs, iteration)
    return replace(found, iteration=found.iteration - 1) if found.phase == "start" else found


def _traced(runs: Pair, iteration: int) -> Divergence | None:
    for run in runs:
        run.go_to(iteration - 1)
    try:
        return first_difference(*(capture_next(run.trainer, "textbook") for run in runs))
    except TraceError:
        return None


def _stopped(runs: Pair, iteration: int) -> Divergence | None:
    """Where only one of them can make the iteration."""
    stops = [run.go_to(iteration) for run in runs]
    reasons = tuple(stop.message if stop else "" for stop in stops)
    return Divergence(iteration, "forward", "stop", reasons=reasons) if reasons[0] != reasons[1] else None


def _behind(runs: Pair, iteration: int) -> Divergence:
    """The first parameter or buffer that differs behind the iteration, though nothing in its trace does: something changed it there."""
    for run in runs:
        run.go_to(iteration)
    phase = "after" if iteration else "start"
    for (name, mine), (name_of_other, its) in zip(*((run.trainer.parameters | run.trainer.buffers).items() for run in runs), strict=False):
        found = tensor_difference(mine, its)
        if found is not None:
            values = found.values or (None, None)
            places = (
                Place(symbol=name, shape=tuple(mine.shape), value=values[0]),
                Place(symbol=name_of_other, shape=tuple(its.shape), value=values[1]),
            )
            return Divergence(iteration, phase, "value", places, None, *found[:1], *found[2:])
    return Divergence(iteration, phase, "graph")
