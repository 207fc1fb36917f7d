"""What a capture costs beside the iteration it captures, in CPU time of one thread, the fastest of many on both sides.

An LSTM comes in two sizes: the bare net is one fused call of a millisecond or three, while its gates are 480 nodes, each with a price of
its own that does not shrink with the net. The way from the trace to the record that the window gets is measured beside the same iteration.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnviz.document.store.examples import open_document
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.trainer import Trainer
from nnviz.trace import _iteration as iteration
from nnviz.trace import capture

pytestmark = pytest.mark.timeout(600)


class LastOutput(nn.Module):
    """An LSTM read at its last step."""

    def __init__(self, units: int):
        super().__init__()
        self.lstm, self.out = nn.LSTM(16, units, batch_first=True), nn.Linear(units, 10)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


def mlp() -> tuple[nn.Module, Tensor]:
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)), torch.randn(64, 64)


def cnn() -> tuple[nn.Module, Tensor]:
    stages = [nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2)) for a, b in ((1, 16), (16, 32))]
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(32 * 49, 10)), torch.randn(32, 1, 28, 28)


def lstm(units: int = 128) -> tuple[nn.Module, Tensor]:
    return LastOutput(units), torch.randn(32, 20, 16)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def fastest(call: Callable[[], object], times: int) -> Callable[[], float]:
    """The least CPU seconds of so many calls; a call that returns a float has measured its own."""

    def once() -> float:
        start = time.process_time()
        measured = call()
        return measured if isinstance(measured, float) else time.process_time() - start

    return lambda: min(once() for _ in range(times))


def bare(net: nn.Module, x: Tensor, y: Tensor) -> Callable[[], None]:
    def iterate() -> None:
        net.zero_grad()
        F.cross_entropy(net(x), y).backward()

    return iterate


def bare_backward(net: nn.Module, x: Tensor, y: Tensor) -> Callable[[], float]:
    def back() -> float:
        net.zero_grad()
        loss = F.cross_entropy(net(x), y)
        start = time.process_time()
        loss.backward()
        return time.process_time() - start

    return back


CAPTURES = {
    "mlp": (mlp, "textbook", 2.5, 60),
    "cnn": (cnn, "textbook", 2, 8),
    "lstm of 128 units": (lstm, "textbook", 5, 12),
    "lstm of 32 units": (partial(lstm, 32), "textbook", 10, 12),
    "lstm whole": (lstm, "layer", 2.5, 20),
}


@pytest.mark.parametrize("name", CAPTURES)
def test_a_complete_capture(name, measure):
    """Forward, every node's backward, the comparison with autograd and the schedule, beside forward and backward alone."""
    make, detail, goal, times = CAPTURES[name]
    net, x = make()
    y = torch.randint(10, (len(x),))

    def traced() -> None:
        capture(net, x, loss=F.cross_entropy, target=y, detail=detail)

    measure(
        f"capturing an iteration, {name}, beside the bare iteration",
        fastest(traced, times),
        fastest(bare(net, x, y), times),
        goal,
        rounds=7,
    )


def test_the_rows_of_the_optimizer(measure):
    """Adam's eight rows for every parameter and its real step on private copies, beside an iteration with its step."""
    net, x = mlp()
    y, optimizer = torch.randint(10, (len(x),)), torch.optim.Adam(net.parameters())
    iterate = bare(net, x, y)

    def stepped() -> None:
        iterate()
        optimizer.step()

    def traced() -> None:
        capture(net, x, loss=F.cross_entropy, target=y, optimizer=optimizer)

    measure("capturing an iteration and its Adam step beside the bare two", fastest(traced, 40), fastest(stepped, 40), goal=4, rounds=7)


@pytest.mark.parametrize("document", ["example:moons", "template:lstm", "template:encoder", "template:vae"])
def test_a_trace_for_the_window(document, measure):
    """Capturing the next iteration, and then its record, each beside forward and backward of the same iteration."""
    experiment = open_document(document)
    trainer = Trainer(experiment, load(experiment, Path()))
    captured = capture_next(trainer, "textbook")

    def iterate() -> None:
        trainer.differentiate(trainer.rows())

    times, bare_iteration = 20, fastest(iterate, 20)
    work = f"of {document} beside its forward and backward"
    measure(f"capture {work}", fastest(lambda: capture_next(trainer, "textbook"), times), bare_iteration, goal=10, rounds=7)
    measure(f"record {work}", fastest(lambda: to_record(captured), times), bare_iteration, goal=5, rounds=7)


@pytest.mark.parametrize("make", [mlp, cnn], ids=lambda make: make.__name__)
def test_backward_through_every_node(make, measure, monkeypatch):
    """Every node's gradient and every edge's contribution, beside the parameters' gradients alone."""
    net, x = make()
    y, times = torch.randint(10, (len(x),)), 60 if make is mlp else 8
    sweep, seconds = iteration.run_backward, []

    def timed(*arguments) -> None:
        start = time.process_time()
        sweep(*arguments)
        seconds.append(time.process_time() - start)

    def swept() -> float:
        capture(net, x, loss=F.cross_entropy, target=y, detail="layer")
        return seconds.pop()

    monkeypatch.setattr(iteration, "run_backward", timed)
    work = f"backward through every node, {make.__name__}, beside plain backward"
    measure(work, fastest(swept, times), fastest(bare_backward(net, x, y), times), goal=2, rounds=7)
