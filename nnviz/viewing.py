"""`nnviz.show`: one iteration of any module in a window, in the process that has the module. It trains nothing and keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from nnviz import messages
from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.inspection import gradient_checked, node_tensors
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import Details, NodeTensors
from nnviz.trace import DETAILS, Trace, capture

if TYPE_CHECKING:
    from nnviz.ui.shell.trace_window import TraceWindow


def show(subject: torch.nn.Module | Trace, *inputs: Any, block: bool = True, detail: str = "textbook", **how: Any) -> TraceWindow:
    """Open a window on one iteration of a module, to be stepped node by node, and return it.

    `subject` is a module, then `inputs` and `how` are what `capture` takes (loss, target, optimizer, clip_norm, …), or a
    trace that was captured already. `block` waits until the window is closed; without it the caller runs Qt's loop.
    Raises TraceError for what cannot be traced truthfully.
    """
    from nnviz.ui.shell.trace_window import open_window, run

    source = TracedTrace(subject) if isinstance(subject, Trace) else TracedModule(subject, inputs, how)
    title = "Trace" if isinstance(subject, Trace) else type(subject).__name__
    window = open_window(source, title, source.details[0] if isinstance(subject, Trace) else detail)
    if block:
        run(window)
    return window


class TracedTrace:
    """A trace as the window reads it."""

    def __init__(self, trace: Trace) -> None:
        self.details: Sequence[str] = (trace.detail,)
        self._captured = _placed(trace, None)

    def index(self, detail: str, details: Details = ()) -> TraceIndex:
        """Return the trace as it travels."""
        return TraceIndex(to_record(self._captured))

    def check(self, node: int, element: tuple[int, ...]) -> messages.GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        return gradient_checked(self._captured, messages.CheckGradient(node, element))

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node."""
        return node_tensors(self._captured, node, row)


class TracedModule:
    """The same iteration of a module at any detail: every capture starts from the same buffers and random numbers."""

    def __init__(self, module: torch.nn.Module, inputs: tuple, how: dict[str, Any]) -> None:
        self.details: Sequence[str] = DETAILS
        self._module, self._inputs, self._how = module, inputs, how
        self._buffers = [(buffer, buffer.clone()) for buffer in module.buffers()]
        self._generator_state = torch.get_rng_state()
        self._captured: Captured | None = None

    def index(self, detail: str, details: Details = ()) -> TraceIndex:
        """Return the iteration at this detail, or at these inside some groups. Raises TraceError if it cannot be traced truthfully."""
        with torch.no_grad():
            for buffer, before in self._buffers:
                buffer.copy_(before)
        torch.set_rng_state(self._generator_state)
        trace = capture(self._module, *self._inputs, detail=detail, details=dict(details), **self._how)
        self._captured = _placed(trace, self._inputs)
        return TraceIndex(to_record(self._captured))

    def check(self, node: int, element: tuple[int, ...]) -> messages.GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        return gradient_checked(self._captured, messages.CheckGradient(node, element))

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node."""
        return node_tensors(self._captured, node, row)


def _placed(trace: Trace, inputs: tuple | None) -> Captured:
    """The trace with what is said of it in a run: its batch is as long as the first axis of its first input."""
    given = [node.value for node in trace.nodes if node.kind == "input" and node.value.dim()]
    first = next((part for part in inputs or given if isinstance(part, torch.Tensor) and part.dim()), torch.empty(1))
    floats = [node.value.dtype for node in trace.nodes if node.value.is_floating_point()]
    return Captured(trace, torch.arange(len(first)), 0, 0, str(floats[0]).removeprefix("torch."), "x")
