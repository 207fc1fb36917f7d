"""`nnviz.show`: one iteration of any module in a window, in the process that has the module; `nnviz.to_json`. It trains nothing."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import torch
from msgspec.structs import replace
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy
from torch.overrides import _get_current_function_mode_stack
from torch.utils._device import DeviceContext

from nnviz import messages
from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.inspection import gradient_checked, node_tensors
from nnviz.engine.observe.measures import LazyMeasure
from nnviz.engine.observe.trace_pictures import trace_picture
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import Details, NodeTensors, TraceRecord, WhatIf
from nnviz.trace import DETAILS, Node, Trace, TraceError, ValueChange, called_at, capture, interrupted_by, module_of, user_line
from nnviz.trace.module_state import ModuleState

if TYPE_CHECKING:
    from nnviz.ui.shell.trace_window import TraceWindow

AHEAD = 1 << 20
"""The histogram of a tensor of more elements than this takes longer than a window may wait: it is worked out before."""
_DEVICES = ("cpu", "cuda")


def show(
    subject: torch.nn.Module | Callable | Trace,
    *inputs: Any,
    block: bool = True,
    detail: str = "textbook",
    batch_axis: int | None = None,
    process: bool | None = None,
    **how: Any,
) -> TraceWindow | None:
    """Open a window on one iteration of a module, to be stepped node by node, and return it.

    `subject` is a module or a function, then `inputs` and `how` are what `capture` takes (loss, target, optimizer, clip_norm, …), or a
    trace that was captured already. The window opens at once and can be used and closed while the module runs beside it, in a
    thread. `block` waits until the window is closed; without it the call returns when the first iteration is there, and the
    caller runs Qt's loop. `batch_axis`: which axis of the first input counts the rows of the batch; without it that is what `capture`
    was told, else the first, or the second where only that is as long as the target, as in torch's recurrent nets. `process`: whether
    the window is a process of its own, which is waited for (and then nothing is returned); without it that is so in a notebook.

    Raises TraceError for what cannot be traced truthfully; the module's own errors come through.
    """
    if process and not block:
        raise ValueError("process=True waits until its window is closed, so it cannot be combined with block=False")
    source = TracedTrace(subject, batch_axis) if isinstance(subject, Trace) else TracedModule(subject, inputs, how, batch_axis)
    title = "Trace" if isinstance(subject, Trace) else getattr(subject, "__name__", type(subject).__name__)
    detail = source.details[0] if isinstance(subject, Trace) else detail
    if process or (process is None and block and is_notebook()):
        from nnviz.viewing.window_process import show_apart

        show_apart(source, title, detail)
        return None
    from nnviz.ui.shell.trace_window import open_window, run

    window = open_window(source, title, detail)
    if block:
        run(window)
    return window


def to_json(trace: Trace, path: str | Path | None = None) -> str:
    """Return a captured trace as JSON text, and write it to `path` if there is one: what `nnviz export --to OUT.json` writes.

    A tensor of more than 4,096 elements is told by its statistics. NaN and ±Infinity are the strings "NaN", "Infinity", "-Infinity".
    """
    from nnviz.export.graph_files import json_text

    text = json_text(TracedTrace(trace).take(trace.detail).record())
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def is_notebook() -> bool:
    """Return whether this program is the kernel of a notebook, which runs no loop of Qt."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


class TracedIteration:
    """A captured iteration as the window reads it."""

    def __init__(self, captured: Captured, check: Callable[[], object]) -> None:
        measures = _Measures()
        self._captured = captured._replace(measured=measures.of)
        record, findings = to_record(self._captured), captured.trace.findings
        told = [f"{one.cause} In evidence: {one.evidence}." for one in findings]
        self.index = TraceIndex(replace(record, notes=(*record.notes, *told)))
        measures.prepare(captured.trace, check)

    @property
    def captured(self) -> Captured:
        """The trace, and what its rows are."""
        return self._captured

    def record(self) -> TraceRecord:
        """Return it as it travels to another process, everything worked out."""
        return msgspec.msgpack.decode(msgspec.msgpack.encode(self.index.trace, enc_hook=LazyMeasure.whole), type=TraceRecord)

    def check(self, node: int, element: tuple[int, ...]) -> messages.GradientChecked:
        """Return one element of a node's gradient beside a finite difference."""
        return gradient_checked(self._captured, messages.CheckGradient(node, element))

    def picture(self, wish: PictureWish) -> Picture:
        """Return a picture of the weights, or of what a part of the module puts out for a row."""
        return trace_picture(self._captured, wish)

    def numbers(self, node: int, row: int | None) -> NodeTensors:
        """Return what was too large to travel around a node."""
        return node_tensors(self._captured, node, row)


class _Measures:
    """The measures of the large tensors of a trace, each worked out when it is looked at; one for each tensor."""

    def __init__(self) -> None:
        self._known: dict[int, LazyMeasure] = {}

    def of(self, tensor: torch.Tensor) -> LazyMeasure:
        """Return the measure of a tensor, which the trace keeps alive."""
        return self._known.setdefault(id(tensor), LazyMeasure(tensor))

    def prepare(self, trace: Trace, check: Callable[[], object]) -> None:
        """Work out what the colours of the graph need of all its tensors, and what would keep the window waiting."""
        for node in trace.nodes:
            for tensor in (node.value, node.gradient, *(part.gradient for part in node.contributions)):
                if tensor is not None and id(tensor) in self._known:
                    check()
                    self._known[id(tensor)].work_out("sizes")
                    if tensor.numel() > AHEAD:
                        self._known[id(tensor)].work_out("histogram")


class TracedTrace:
    """A trace that is there already."""

    obstacle = "This trace was captured before, without its module at hand: nnviz.show(module, inputs…) can suppose other values."

    def __init__(self, trace: Trace, batch_axis: int | None = None) -> None:
        self.details: Sequence[str] = (trace.detail,)
        self.stage = "measuring"
        self._trace, self._batch_axis = trace, trace.batch_axis if batch_axis is None else batch_axis

    def take(
        self, detail: str, details: Details = (), check: Callable[[], object] = lambda: None, what_ifs: tuple[WhatIf, ...] = ()
    ) -> TracedIteration:
        """Return the trace as the window reads it."""
        return TracedIteration(_placed(self._trace, self._batch_axis), check)


class _Start(NamedTuple):
    """Where a capture began, and what it came to."""

    state: ModuleState
    weights: list[tuple[int, int]]
    nodes: list[tuple]


class TracedModule:
    """The same iteration of a module at any detail: every capture starts from the same buffers and random numbers.

    It may be taken in another thread than it was made in: what torch keeps by thread is as it was there.
    """

    obstacle = ""

    def __init__(self, called: Callable, inputs: tuple, how: dict[str, Any], batch_axis: int | None = None, iteration: int = 0) -> None:
        """`iteration`: how many came before it."""
        self.details: Sequence[str] = DETAILS
        self._iteration = iteration
        self.stage = "capturing"
        self._called, self._inputs, self._how, self._batch_axis = called, inputs, how, batch_axis
        self._module, self._line = module_of(called), user_line()
        parts = [part for part in self._module.modules() if isinstance(part, LazyModuleMixin)]
        self._lazy = [part for part in parts if part.has_uninitialized_params()]
        self._before = self._state()
        self._roots = self._module, how.get("loss")
        self._starts: dict[tuple[str, Details], _Start] = {}
        """By what was taken."""
        self._as_called = thread_modes()

    def take(
        self, detail: str, details: Details = (), check: Callable[[], object] = lambda: None, what_ifs: tuple[WhatIf, ...] = ()
    ) -> TracedIteration:
        """Return the iteration at this detail, or at these inside some groups; in between `check` is called, and may raise.

        With `what_ifs` it starts where the last one at this detail without them did, and leaves the module as it was.
        Raises TraceError if it cannot be traced truthfully. Whatever is raised, buffers and generator stay as they are.
        """
        self.stage = "capturing"
        self._fill_in()
        if what_ifs:
            return self._supposed(detail, details, check, what_ifs)
        began, weights, present = ModuleState(*self._roots), self._versions(), self._state()
        self._set_state(self._before)
        try:
            taken = self._captured(detail, details, check)
            self._starts[detail, tuple(details)] = _Start(began, weights, _identities(taken))
            return taken
        except BaseException:
            self._set_state(present)
            raise

    def _supposed(self, detail: str, details: Details, check: Callable[[], object], what_ifs: tuple[WhatIf, ...]) -> TracedIteration:
        start = self._starts[detail, tuple(details)]
        if self._versions() != start.weights:
            raise TraceError("the weights of the module have changed since this iteration began, so nothing can be supposed of it any more")
        present, buffers = ModuleState(*self._roots), self._state()
        start.state.restore()
        self._set_state(self._before)
        try:
            supposed = self._captured(detail, details, check, what_ifs)
            found = _identities(supposed)
            lost = next((start.nodes[one.node] for one in what_ifs if start.nodes[one.node] != found[one.node]), None)
            if lost is not None:
                raise TraceError(f"with this the module goes another way, which does not lead to {lost[2]} as it was: take that back first")
            return supposed
        finally:
            present.restore()
            self._set_state(buffers)

    def _captured(self, detail: str, details: Details, check: Callable[[], object], what_ifs: tuple[WhatIf, ...] = ()) -> TracedIteration:
        changes = [ValueChange(change.node, change.kind, change.value, change.element) for change in what_ifs]
        how = self._how | {"what_ifs": (*self._how.get("what_ifs", ()), *changes)}
        with in_modes(self._as_called), interrupted_by(check), called_at(self._line):
            trace = capture(self._called, *self._inputs, detail=detail, details=dict(details), **how)
        check()
        self.stage = "measuring"
        return TracedIteration(_placed(trace, self._batch_axis, self._iteration), check)

    def _versions(self) -> list[tuple[int, int]]:
        """Which tensors the weights are, and how often each was written into."""
        return [
            (id(weight), 0 if weight.is_inference() else weight._version) for weight in self._module.parameters() if not is_lazy(weight)
        ]

    def _state(self) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Buffers and generator, which a forward pass may change."""
        return [buffer.clone() for buffer in self._buffers()], torch.get_rng_state()

    def _buffers(self) -> list[torch.Tensor]:
        return [buffer for buffer in self._module.buffers() if not is_lazy(buffer)]

    def _set_state(self, state: tuple[list[torch.Tensor], torch.Tensor]) -> None:
        with torch.no_grad():
            for buffer, value in zip(self._buffers(), state[0], strict=True):
                buffer.copy_(value)
        torch.set_rng_state(state[1])

    def _fill_in(self) -> None:
        """Lazy modules make their parameters at their first call: make one before the captures, of which nothing else is left."""
        if not self._lazy:
            return
        before = [(buffer, buffer.clone()) for buffer in self._buffers()]

        def keep(part: torch.nn.Module, args: tuple) -> None:
            before.extend((buffer, buffer.clone()) for buffer in part.buffers())

        hooks = [part.register_forward_pre_hook(keep) for part in self._lazy]  # each behind the one that fills the part in
        state, options = torch.get_rng_state(), inspect.signature(capture).parameters
        keywords = {name: value for name, value in self._how.items() if name not in options}
        try:
            with in_modes(self._as_called), torch.no_grad():
                self._called(*self._inputs, **keywords, **self._how.get("kwargs", {}))
        finally:
            for hook in hooks:
                hook.remove()
            with torch.no_grad():
                for buffer, value in reversed(before):  # the first that was kept is the last that is put back
                    buffer.copy_(value)
            torch.set_rng_state(state)
        self._before, self._lazy = self._state(), []


def _identities(taken: TracedIteration) -> list[tuple]:
    """What the nodes of an iteration are, whatever their values."""
    return [(node.kind, node.operation, node.label, node.module, node.group, node.shape) for node in taken.captured.trace.nodes]


def thread_modes() -> list[Callable[[], Any]]:
    """What torch keeps by thread, as it is here: functions that return contexts, to be entered in this order."""
    modes: list[Callable[[], Any]] = []
    if not (torch._C._is_any_autocast_enabled() or torch._C._len_torch_function_stack() or torch.is_inference_mode_enabled()):
        return modes  # a watched loop asks at each of its iterations
    if torch.is_inference_mode_enabled():
        modes.append(torch.inference_mode)
    for device in _DEVICES:
        if torch.is_autocast_enabled(device):
            dtype, keeps = torch.get_autocast_dtype(device), torch.is_autocast_cache_enabled()
            modes.append(lambda device=device, dtype=dtype, keeps=keeps: torch.autocast(device, dtype, cache_enabled=keeps))
    for mode in _get_current_function_mode_stack():
        is_device = isinstance(mode, DeviceContext)  # it keeps what was before it, so that each entry needs its own
        modes.append((lambda mode=mode: DeviceContext(mode.device)) if is_device else (lambda mode=mode: mode))
    return modes


@contextmanager
def in_modes(modes: Sequence[Callable[[], Any]]) -> Iterator[None]:
    with ExitStack() as entered:
        for mode in modes:
            entered.enter_context(mode())
        yield


def _placed(trace: Trace, batch_axis: int | None, iteration: int = 0) -> Captured:
    """The trace with what is said of it in a run: its batch is as long as an axis of its first input.

    Raises ValueError if that input has no such axis.
    """
    inputs = [node for node in trace.nodes if node.kind == "input" and node.shape]
    shape = next((node.shape for node in inputs if not _is_target(node)), (1,))
    axis = _batch_axis(shape, inputs) if batch_axis is None else batch_axis
    if not 0 <= axis < len(shape):
        raise ValueError(
            f"batch_axis={batch_axis}, but the first input has the shape {shape}: give the place of the axis that counts its rows"
        )
    numbers = [node.value.dtype for node in trace.nodes if node.value.is_floating_point() or node.value.is_complex()]
    return Captured(trace, torch.arange(shape[axis]), iteration, 0, str(numbers[0]).removeprefix("torch."), "x", batch_axis=axis)


def _batch_axis(shape: tuple[int, ...], inputs: Sequence[Node]) -> int:
    """The second axis where only that is as long as the targets are (time comes first for torch's recurrent nets), else the first.

    Without a target other inputs of at most two axes may be one.
    """
    lengths = {node.shape[0] for node in inputs if _is_target(node)}
    lengths = lengths or {node.shape[0] for node in inputs[1:] if len(node.shape) <= 2}
    return 1 if len(shape) > 1 and lengths == {shape[1]} and shape[0] != shape[1] else 0


def _is_target(node: Node) -> bool:
    return node.label.partition(".")[0] == "target"
