"""A small trace made by hand: two dense layers, loss, clipping, updates. Only its order matters here; its numbers are ones."""

from __future__ import annotations

import numpy as np

from nnviz.records.tensors import Array, Tensor
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import EdgeRecord, NodeRecord, OutputRecord, StepRecord, TraceRecord, UpdateRecord

X, Y, W1, B1, Z1, A1, W2, B2, Z2, LOSS = range(10)
"""Node ids at detail "textbook"."""

_NODES = (
    ("input", "x", "x", ()),
    ("input", "y", "", ()),
    ("parameter", "W", "h1", ()),
    ("parameter", "b", "h1", ()),
    ("operation", "linear", "h1", (X, W1, B1)),
    ("operation", "relu", "h1", (Z1,)),
    ("parameter", "W", "out", ()),
    ("parameter", "b", "out", ()),
    ("operation", "linear", "out", (A1, W2, B2)),
    ("loss", "mse", "", (Z2, Y)),
)
_ORDER = (
    ("batch", X, ""),
    ("forward", Z1, ""),
    ("forward", A1, ""),
    ("forward", Z2, ""),
    ("loss", LOSS, ""),
    ("backward", LOSS, ""),
    ("backward", Z2, ""),
    ("backward", A1, ""),
    ("backward", Z1, ""),
    ("clip", -1, ""),
    ("update", W1, "h1.weight"),
    ("update", B1, "h1.bias"),
    ("update", W2, "out.weight"),
    ("update", B2, "out.bias"),
)
LENGTH = len(_ORDER)


def tensor(*shape: int) -> Tensor:
    """Return a tensor of ones."""
    return Tensor(shape, Array("float32", shape, np.ones(shape, np.float32).tobytes()))


def trace(iteration: int = 0, rows: int = 4, detail: str = "textbook", relu: bool = True) -> TraceRecord:
    """Return the trace of the iteration that follows `iteration` finished ones; without `relu` its steps are left out of the schedule."""
    edges = [
        EdgeRecord(source, target, argument, None if source in (X, Y) else tensor(rows, 2))
        for target, (_, _, _, inputs) in enumerate(_NODES)
        for argument, source in enumerate(inputs)
    ]
    order = [entry for entry in _ORDER if relu or entry[1] != A1]
    return TraceRecord(
        iteration=iteration,
        epoch=0,
        detail=detail,
        loss=1.0,
        worst_error=0.0,
        precision="float32",
        rows=tuple(range(rows)),
        nodes=tuple(_node(id, rows, *row) for id, row in enumerate(_NODES)),
        edges=tuple(edges),
        steps=tuple(StepRecord(index, *entry) for index, entry in enumerate(order)),
        updates=tuple(UpdateRecord(name, node, (), tensor(2), tensor(2)) for phase, node, name in order if phase == "update"),
        outputs={"x": OutputRecord(X), "h1": OutputRecord(A1 if relu else Z1), "out": OutputRecord(Z2)},
    )


def _node(id: int, rows: int, kind: str, label: str, layer: str, inputs: tuple[int, ...]) -> NodeRecord:
    batched = kind in ("input", "operation")
    shape = (rows, 2) if batched else (2,)
    gradient = None if kind == "input" else tensor(*shape)
    phase = "loss" if kind == "loss" else "forward"
    group = (layer,) if layer else ()
    return NodeRecord(id, kind, label, label, layer, group, inputs, shape, phase, tensor(*shape), gradient, 0 if batched else None)


def index(iteration: int = 0, **what) -> TraceIndex:
    """Return the trace, made quick to read."""
    return TraceIndex(trace(iteration, **what))
