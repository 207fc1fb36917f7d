"""What an iteration at full speed costs beside a bare eager loop over the same net, loss and optimizer of torch, in CPU time of one thread,
the fastest of many on both sides; and how long it takes to go to any iteration of a long run.
"""

from __future__ import annotations

import gc
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from nnviz import jobs
from nnviz.document import catalog
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link, Network
from nnviz.document.training import Training
from nnviz.engine.run import optimizers
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE

pytestmark = pytest.mark.timeout(900)
BARE = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
}
"""The optimizers as a person writes them down, with torch's own choice of how they are carried out."""
MEASURED = 0.06
"""CPU seconds of the piece of work that is repeated."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def mlp(widths: tuple[int, ...], optimizer: str, batch_size: int, data: str) -> Experiment:
    """Return a net of dense layers with ReLU between them, as wide as this."""
    ids = ["x", *(f"h{number}" for number in range(1, len(widths) - 1)), "out"]
    hidden = [catalog.new_layer("dense", id, units=units, activation="relu") for id, units in zip(ids[1:-1], widths[1:-1], strict=True)]
    layers = (catalog.new_layer("input", "x", shape=[widths[0]]), *hidden, catalog.new_layer("dense", "out", units=widths[-1]))
    links = tuple(Link(a, b) for a, b in pairwise(ids))
    choice, schedule = catalog.new_choice(catalog.OPTIMIZERS, optimizer), catalog.new_choice(catalog.SCHEDULES, "constant")
    training = Training(choice, schedule, batch_size=batch_size)
    return Experiment(Network(layers, links), catalog.new_choice(catalog.DATASETS, data), training, "Dense layers", seed=7)


def opened(name: str) -> Experiment:
    return jobs.open_document(name).experiment


WORK = {
    "2-4-2-2, SGD, batch 10": (lambda: mlp((2, 4, 2, 2), "sgd", 10, "moons"), 1 / 4),
    "2-8-8-2, Adam, batch 10": (lambda: mlp((2, 8, 8, 2), "adam", 10, "moons"), 1 / 4),
    "64-128-64-10, Adam, batch 64": (lambda: mlp((64, 128, 64, 10), "adam", 64, "digits"), 1 / 2.5),
    **{name: (lambda name=name: opened(f"template:{name}"), 1 / 1.3) for name in ("cnn", "rnn", "encoder", "vae")},
    **{name: (lambda name=name: opened(f"template:{name}"), 1 / 2) for name in ("lstm", "bidirectional_gru")},
}


def bare_loop(trainer: Trainer) -> Callable[[int], None]:
    """So many iterations as anybody writes them in torch, over the net, rows and loss of a trainer."""
    choice, net, rows = trainer.experiment.training.optimizer, trainer.net, trainer.training_rows
    optimizer = BARE[choice.kind](net.parameters(), **optimizers.arguments(choice))
    size = trainer.experiment.training.batch_size or rows.count

    def make(count: int) -> None:
        while count:
            for batch in torch.randperm(rows.count).split(size)[:count]:
                optimizer.zero_grad()
                loss = trainer.loss(net(rows.x[batch]), rows.targets[batch])
                if trainer.penalty:
                    loss = loss + trainer.penalty(net)
                loss.backward()
                optimizer.step()
                count -= 1

    return make


def full_speed(timeline: Timeline) -> Callable[[int], None]:
    """So many iterations as `nnviz run` makes them, validation and checkpoints included."""

    def make(count: int) -> None:
        end = timeline.iteration + count
        while timeline.iteration < end:
            timeline.advance(at_most=end - timeline.iteration)

    return make


def fastest(make: Callable[[int], None], count: int, times: int = 3) -> Callable[[], float]:
    """The least CPU seconds of so many iterations."""

    def once() -> float:
        start = time.process_time()
        make(count)
        return time.process_time() - start

    return lambda: min(once() for _ in range(times))


@pytest.mark.parametrize("name", WORK)
def test_iterations_at_full_speed(name, measure):
    """With all that nnviz does besides, beside the bare loop."""
    make, goal = WORK[name]
    timeline, bare = Timeline(make(), HERE), bare_loop(Timeline(make(), HERE).trainer)
    iterate = full_speed(timeline)
    iterate(100)  # the flat iteration has been built and proven
    bare(10)
    assert timeline.trainer.flat.lines, timeline.trainer.flat.reason
    count = max(20, round(MEASURED / (fastest(bare, 20)() / 20)))
    measure(f"training {name}, beside a bare loop", fastest(iterate, count), fastest(bare, count), goal)


def resident() -> int:
    """How many bytes the process has in memory; 0 where the system does not tell."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * resource.getpagesize() if told.exists() else 0


@pytest.mark.parametrize("iterations", [10_000, 100_000])
def test_to_any_iteration_of_a_long_run(iterations, report):
    """The window's Go to, from one iteration to another that has nothing to do with it."""
    timeline, chance, seconds = Timeline(opened("example:moons"), HERE), random.Random(7), []
    full_speed(timeline)(100)  # what is built once is there
    gc.collect()
    before = resident()
    full_speed(timeline)(iterations - 100)
    for _ in range(200):
        target = chance.randrange(iterations + 1)
        start = time.perf_counter()
        timeline.go_to(target)
        seconds.append(time.perf_counter() - start)
    report(f"going to any of {iterations:,} iterations of Two moons, median", 1000 * statistics.median(seconds), 300, "ms")
    kept = timeline._checkpoints.kept.values()
    report(f"checkpoints of {iterations:,} iterations of Two moons", sum(one.checkpoint.nbytes for one in kept) / 1e6, 64, "MB")
    grown = (resident() - before) / 1e6
    report(f"what the process has grown by in {iterations:,} iterations of Two moons and 200 jumps", grown, 64, "MB")
