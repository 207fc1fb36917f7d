"""`nnviz.check_gradients`: gradients a person worked out, held against one iteration of any module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from nnviz.engine.observe.measures import array_of
from nnviz.lessons.gradient_check import GradientVerdicts, check
from nnviz.lessons.gradient_text import read, read_array
from nnviz.records.tensors import WHOLE
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeTensors, Piece
from nnviz.trace import Trace, capture
from nnviz.viewing.viewing import TracedTrace


def check_gradients(
    subject: torch.nn.Module | Callable | Trace,
    *inputs: Any,
    mine: Mapping[str, Any] | str,
    batch_axis: int | None = None,
    **how: Any,
) -> GradientVerdicts:
    """Return which of a person's own gradients are right, the first wrong one in backward order, and the slip that gives its numbers.

    `mine`: by the name of a parameter ("h1.weight") or node ("h1/relu", or its number) an array, a tensor, nested lists or text; or the
    whole text that NumPy printed. `subject`, `inputs` and `how` are what `capture` takes (loss, target, optimizer, clip_norm, …), or a
    trace that is there already. With the optimizer a weight that was updated too early is recognised, too. `print` shows the sentences.

    Raises TraceError for what cannot be traced truthfully, GradientTextError for a text that cannot be read.
    """
    trace = subject if isinstance(subject, Trace) else capture(subject, *inputs, batch_axis=batch_axis, **how)
    index = TracedTrace(trace, batch_axis).take(trace.detail).index
    _add_large(index, trace)
    given = read(mine) if isinstance(mine, str) else mine
    return check({name: _plain(array) for name, array in given.items()}, index)


def _plain(array: Any) -> Any:
    if isinstance(array, torch.Tensor):
        return array.detach().cpu().numpy()
    return read_array(array) if isinstance(array, str) else array


def _add_large(index: TraceIndex, trace: Trace) -> None:
    """Give the record, which leaves large tensors out, all of them."""
    after = {update.node: given.after for update, given in zip(index.trace.updates, trace.updates, strict=True)}
    for node in trace.nodes:
        wanted = [("value", node.value, -1, 0), ("gradient", node.gradient, -1, 0), ("after", after.get(node.id), -1, 0)]
        wanted += [("contribution", part.gradient, part.source, part.argument) for part in node.contributions]
        pieces = [
            Piece(what, node.id, array_of(tensor), False, target, argument)
            for what, tensor, target, argument in wanted
            if tensor is not None and tensor.numel() > WHOLE
        ]
        record = index.trace
        index.take(NodeTensors(record.iteration, record.detail, record.details, record.what_ifs, node.id, None, tuple(pieces)))
