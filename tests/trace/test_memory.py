"""What a trace keeps in memory, and that nothing stays when it goes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnviz.trace import capture


def net_and_data(name: str) -> tuple[nn.Module, Tensor, Tensor]:
    """Nets of ordinary size: what is kept once, such as the generator's state, does not decide."""
    torch.manual_seed(0)
    dropping = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))
    pooling = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 9, 10)
    )  # fmt: skip
    nets = {
        "mlp": (nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)), torch.randn(64, 64)),
        "dropout": (dropping, torch.randn(64, 64)),
        "cnn": (pooling, torch.randn(32, 1, 8, 8)),
        "lstm": (nn.LSTM(16, 64, num_layers=2, dropout=0.2), torch.randn(20, 32, 16)),
    }
    return *nets[name], torch.randint(10, (len(nets[name][1]),))


def loss(output: Any, target: Tensor) -> Tensor:
    return F.cross_entropy(output, target) if isinstance(output, Tensor) else output[0].square().mean()


def tensors(part: Any) -> Iterable[Tensor]:
    """Every tensor that can be reached."""
    if isinstance(part, Tensor):
        yield part
    elif is_dataclass(part):
        yield from (tensor for field in fields(part) for tensor in tensors(getattr(part, field.name)))
    elif hasattr(part, "items"):
        yield from (tensor for value in part.values() for tensor in tensors(value))
    elif isinstance(part, (tuple, list)):
        yield from (tensor for value in part for tensor in tensors(value))


def size(parts: Iterable[Tensor]) -> int:
    """Bytes of the memory they lie in, shared memory once."""
    storages = [part.untyped_storage() for part in parts]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


@pytest.mark.parametrize("detail", ["layer", "textbook"])
@pytest.mark.parametrize("name", ["mlp", "dropout", "cnn", "lstm"])
def test_a_trace_keeps_at_most_four_times_its_values(name, detail):
    net, x, y = net_and_data(name)
    trace = capture(net, x, loss=loss, target=y, detail=detail, optimizer=torch.optim.Adam(net.parameters()), clip_norm=1.0)
    values = [value for node in trace.nodes for value in node.values]
    rows = [row.value for update in trace.updates for row in update.rows]
    assert size(tensors(trace)) <= 4 * size([*values, *rows])
    assert size(tensors(capture(net, x, loss=loss, target=y, detail=detail))) <= 4 * size(values)


def test_a_trace_keeps_no_autograd_graph():
    net, x, y = net_and_data("cnn")
    trace = capture(net, x, loss=loss, target=y, optimizer=torch.optim.Adam(net.parameters()))
    assert [tensor.grad_fn for tensor in tensors(trace) if tensor.grad_fn is not None] == []


THIRTY = """
import gc
from pathlib import Path

import torch

from nnviz.trace import capture
from tests.trace.test_memory import loss, net_and_data

torch.set_num_threads(1)
gc.collect()
gc.disable()  # only what is let go by itself counts
pages = lambda: int(Path("/proc/self/statm").read_text().split()[1])
resident = []
for name in ("mlp", "cnn", "lstm"):
    net, x, y = net_and_data(name)
    optimizer = torch.optim.Adam(net.parameters())
    for number in range(40):
        capture(net, x, loss=loss, target=y, optimizer=optimizer)
        if number in (9, 39):
            resident.append(pages())
print(*(last - first for first, last in zip(resident[::2], resident[1::2])))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell the resident size in /proc")
def test_thirty_captures_leave_the_resident_size_flat():
    """Thirty traces of the smallest net would be 25 MiB."""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", THIRTY], cwd=root, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    grown = [int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20 for pages in done.stdout.split()]
    assert max(grown) < 4, f"MiB grown over 30 captures of an MLP, a CNN and an LSTM: {grown}"
