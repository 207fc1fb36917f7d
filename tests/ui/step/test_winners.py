"""Max pooling says on the card which element of the input won the window."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.trace import capture
from nnviz.ui.step.chain import forward_lines


def state_of(module: nn.Module, x: torch.Tensor, sample: int | None = 1) -> TraceState:
    net = nn.Sequential(nn.Conv1d(2, 2, 1) if x.dim() == 3 else nn.Conv2d(2, 2, 1), module).double()
    trace = capture(net, x, loss=lambda output, target: output.square().mean())
    index = TraceIndex(to_record(Captured(trace, torch.arange(len(x)), 0, 0, "float64", "x")))
    return TraceState(index, len(index.trace.steps), sample)


@pytest.mark.parametrize(
    ("module", "size"),
    [
        (nn.MaxPool2d(2), (6, 6)),
        (nn.MaxPool2d(3, stride=2, padding=1), (6, 6)),
        (nn.AdaptiveMaxPool2d(2), (5, 5)),
        (nn.MaxPool1d(2), (6,)),
    ],
)
def test_the_winner_has_the_value_of_the_window(module, size):
    torch.manual_seed(0)
    state = state_of(module, torch.randn(3, 2, *size, dtype=torch.float64))
    node = next(node for node in state.index.trace.nodes if "max_pool" in node.operation)
    source = state.index.node(node.inputs[0])
    value, inside = state.row(node.id, node.value), state.row(source.id, source.value)
    for element in np.ndindex(*value.shape):
        line = next(line for line in forward_lines(state, node, element) if line.label == "won by")
        place = tuple(map(int, line.text.partition("[")[2].partition("]")[0].split(", ")))
        assert inside[place] == value[element] and line.node == source.id


def test_of_the_mean_over_the_batch_no_element_won():
    state = state_of(nn.MaxPool2d(2), torch.randn(3, 2, 4, 4, dtype=torch.float64), sample=None)
    node = next(node for node in state.index.trace.nodes if "max_pool" in node.operation)
    assert all(line.label != "won by" for line in forward_lines(state, node, (0, 0, 0)))
