"""What a watched training loop costs beside the same loop unwatched, in CPU time of one thread, the fastest of many on both sides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
import torch
from torch import nn

import nnviz
from tests.benchmarks.test_capture import cnn, lstm, mlp

pytestmark = pytest.mark.timeout(600)
ITERATIONS = 30
NETS = {"mlp": (mlp, 20), "cnn": (cnn, 3), "lstm of 128 units": (lstm, 4)}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def trained(net: nn.Module, x: torch.Tensor, watches: bool, rounds: int, **how) -> Callable[[], float]:
    """The least CPU seconds that so many iterations take."""
    y, loss, optimizer = torch.randint(10, (len(x),)), nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters(), 1e-4)

    def once() -> float:
        with nnviz.watch(net, optimizer, loss=loss, **how) if watches else nullcontext():
            start = time.process_time()
            for _ in range(ITERATIONS):
                optimizer.zero_grad()
                loss(net(x), y).backward()
                optimizer.step()
            return time.process_time() - start

    return lambda: min(once() for _ in range(rounds))


@pytest.mark.parametrize("name", NETS)
def test_a_watched_loop_that_never_halts(name, measure):
    make, rounds = NETS[name]
    net, x = make()
    how = {"break_on": ["non_finite", "gradient > 1e6", "loss rising > 1e6", "gradient norm > 1e6"]}
    work = f"training {name}, watched for four conditions, beside unwatched"
    measure(work, trained(net, x, True, rounds, **how), trained(net, x, False, rounds), goal=1.3)


def test_the_ratio_of_updates(measure):
    """What the step changes is kept before it, and measured after it."""
    net, x = mlp()
    work = "training mlp, watched for the ratio of its updates, beside unwatched"
    measure(work, trained(net, x, True, 5, break_on="update ratio > 1e6"), trained(net, x, False, 5), goal=2, rounds=3)
