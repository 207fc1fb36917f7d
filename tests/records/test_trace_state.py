"""What the window knows at a cursor is what the Python API says there."""

from __future__ import annotations

import pytest
import torch

from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.trace import DETAILS, capture
from tests.trace import zoo

NETS = ["mlp_relu_cross_entropy", "batch_norm_train", "lstm", "encoder_layer", "in_place_view", "tied_weights", "penalty_inside"]


@pytest.mark.parametrize(("name", "detail"), [(name, detail) for name in NETS for detail in DETAILS])
def test_the_window_and_the_python_api_know_the_same_at_every_place_of_the_cursor(name, detail):
    module, inputs = zoo.make(name)
    trace = capture(module, *inputs, optimizer=torch.optim.SGD(module.parameters(), 0.1), detail=detail)
    index = TraceIndex(to_record(Captured(trace, torch.arange(len(inputs[0])), 0, 0, "float64", "x")))
    cursor = trace.start()
    for position in range(len(trace.steps) + 1):
        cursor.move_to(position)
        state = TraceState(index, position)
        for node in trace.nodes:
            for ours, shown in ((cursor.gradient(node), state.gradient(node.id)), (cursor.value(node), state.value(node.id))):
                assert (ours is None) == (shown is None), (position, node.label)
                assert ours is None or (to_numpy(shown.values) == ours.numpy()).all()
