"""Traces of the zoo's modules as they travel to the window: what torch really did."""

from __future__ import annotations

from functools import cache

import torch

from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.trace_index import TraceIndex
from nnviz.trace import capture
from tests.trace import zoo


@cache
def index(name: str, detail: str = "textbook") -> TraceIndex:
    """Return the trace of a module of the zoo, with the first step of plain gradient descent."""
    module, inputs = zoo.make(name)
    trace = capture(module, *inputs, optimizer=torch.optim.SGD(module.parameters(), 0.1), detail=detail)
    return TraceIndex(to_record(Captured(trace, torch.arange(len(inputs[0])), 0, 0, "float64", "x")))
