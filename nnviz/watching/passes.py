"""What of an iteration is kept so that it can be made again: inputs, random numbers, buffers before each forward, calls of the loss."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import _get_current_function_mode_stack

from nnviz.trace import user_line
from nnviz.trace.record import tensors_in
from nnviz.viewing.viewing import thread_modes

Guards = list[tuple[Tensor, int]]
"""Tensors that are referred to, not copied, and their version counters then."""


SURE = 3
"""After so many steps that were alike the only loss of a step is taken to be what the loop goes back from, unasked."""
NEVER = -(1 << 62)


_made_again = 0
"""How many halts, of one watch inside another too, are under way; a window makes iterations again in other threads."""


@contextmanager
def making_again() -> Iterator[None]:
    """What runs inside, in any thread, is no part of a loop."""
    global _made_again
    _made_again += 1
    try:
        yield
    finally:
        _made_again -= 1


def is_made_again() -> bool:
    """Return whether what runs is no part of the loop: an iteration made again, or a capture that the loop makes for itself."""
    if _made_again or not torch._C._len_torch_function_stack():
        return _made_again > 0
    return any(type(mode).__module__.startswith("nnviz.") for mode in _get_current_function_mode_stack())


class ViewLayout(NamedTuple):
    """How a view looks into its memory."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int

    def transposed(self, one: int, other: int) -> ViewLayout:
        """Return the layout with two axes swapped."""
        order = list(range(len(self.size)))
        order[one], order[other] = other, one
        return ViewLayout(tuple(self.size[axis] for axis in order), tuple(self.stride[axis] for axis in order), self.offset)

    def selected(self, axis: int, place: int) -> ViewLayout:
        """Return the layout of one place of an axis."""
        rest = [other for other in range(len(self.size)) if other != axis]
        offset = self.offset + place * self.stride[axis]
        return ViewLayout(tuple(self.size[other] for other in rest), tuple(self.stride[other] for other in rest), offset)


class FromOutput(NamedTuple):
    """Stands where an output of a forward stood, number `port` of its tensors, or a view of it."""

    run: ForwardRun
    port: int
    view: ViewLayout | None = None
    """None: the tensor itself."""
    whole: ViewLayout | None = None
    """How the output itself looks into that memory."""


class ForwardRun:
    """One call of the model, as it was before it ran."""

    __slots__ = ("args", "buffers", "guards", "is_tensor", "is_training", "keywords", "modes", "outputs", "rng")

    def __init__(self, args: tuple, keywords: dict, guards: Guards, is_training: bool, buffers: list[Tensor | None]) -> None:
        self.args, self.keywords, self.guards = args, keywords, guards
        self.rng, self.is_training, self.buffers = torch.default_generator.get_state(), is_training, buffers
        self.modes = thread_modes()
        self.outputs: list[tuple[weakref.ref[Tensor], weakref.ref[Tensor], ViewLayout | None]] = []
        """Each tensor it returned, the one whose memory that is a view of, and how; None where it is its own."""
        self.is_tensor = False
        """Whether it returned a tensor and nothing around it."""

    def made(self, output: Any) -> None:
        """Take note of what it returned."""
        self.is_tensor = isinstance(output, Tensor)
        self.outputs = [_output(tensor) for tensor in ([output] if self.is_tensor else output_tensors(output))]

    @property
    def is_gone(self) -> bool:
        """Whether nobody holds anything of what it returned."""
        return all(base() is None for _, base, _ in self.outputs)


class LossCall:
    """One call of the loss; `sent` is what backward brought to it, ∂(what the loop went back from)/∂loss."""

    sent: Tensor | None = None
    _backward = -1
    _alive: weakref.ref[Tensor] | None = None
    _hook: Any = None

    def __init__(self, args: tuple, keywords: dict, guards: Guards, runs: list[ForwardRun], value: Tensor, problem: str) -> None:
        self.args, self.keywords, self.guards, self.problem = args, keywords, guards, problem
        self.runs = runs
        """The forwards it was computed from."""
        self.is_number = value.numel() == 1
        self.value = value.item() if self.is_number else value.detach()

    def listen(self, value: Tensor, heard: Callable[[LossCall], None]) -> None:
        """Call `heard` when backward has come to this value of the loss."""

        def hear(gradient: Tensor) -> None:
            self.sent, self._backward = gradient.detach(), torch._C._current_graph_task_id()
            heard(self)

        self._alive, self._hook = weakref.ref(value), value.register_hook(hear)

    def is_of_one_backward_with(self, other: LossCall) -> bool:
        """Whether one call of backward came to both."""
        return self._backward == other._backward

    def forget(self) -> None:
        """Leave nothing on the person's tensor."""
        if self._hook is not None:
            self._hook.remove()

    @property
    def is_listening(self) -> bool:
        """Whether it would have heard of backward."""
        return self._hook is not None

    @property
    def is_gone(self) -> bool:
        """Whether backward can never come to it."""
        return self._alive is not None and self.sent is None and self._alive() is None

    @property
    def weight(self) -> float:
        """How much of it counts in what the loop went back from; 1 for a loss of several numbers, which are weighted one by one."""
        return self.sent.item() if self.sent is not None and self.is_number else 1.0

    @property
    def number(self) -> float:
        """The loss as one number."""
        return self.value if self.is_number else (self.value * self.sent).sum().item()


class Passes:
    """The forwards and losses since the last step of the optimizer, as far as they may belong to the next one.

    Its methods are the hooks on the person's modules; a copy of such a module, made in the loop to keep the best one, is not watched.
    """

    def __init__(self, model: nn.Module | None = None, loss: Callable | None = None, parameters: Sequence[Tensor] = ()) -> None:
        self.runs: list[ForwardRun] = []
        self.losses: list[LossCall] = []
        self._model, self._loss, self._parameters = model, loss, parameters
        self._buffers = [(part._buffers, name) for part in model.modules() for name in part._buffers] if model is not None else []
        self._open: ForwardRun | None = None
        self._alike = 0
        """How many steps in a row have had one loss of one number, which the loop went back from as it is."""

    def __reduce__(self) -> tuple:
        return Passes, ()

    @property
    def went_back(self) -> list[LossCall]:
        """The losses that backward has come to, in the order in which they were computed."""
        if len(self.losses) == 1 and not self.losses[0].is_listening:
            return self.losses
        heard = [call for call in self.losses if call.sent is not None]
        return heard or [call for call in self.losses if not call.is_listening]

    @property
    def candidates(self) -> list[LossCall]:
        """The losses that backward may have come to."""
        return [call for call in self.losses if call.sent is not None or not call.is_listening]

    def before_forward(self, module: nn.Module, args: tuple, keywords: dict) -> None:
        """A forward begins; without gradients it is none of ours."""
        self._open = None
        if self._model is None or not torch.is_grad_enabled() or is_made_again():
            return
        if self.runs:
            self._drop_the_dead()
        guards: Guards = []
        given, named = self._linked(args, keywords, guards, [], [])
        self._open = ForwardRun(given, named, guards, self._model.training, self.buffers() if self._buffers else [])

    def after_forward(self, module: nn.Module, args: tuple, output: Any) -> None:
        """The forward has returned this."""
        run, self._open = self._open, None
        if run is None:
            return
        run.made(output)
        self.runs.append(run)
        if self._loss is None:
            held = output.get("loss") if isinstance(output, dict) else getattr(output, "loss", output)
            if isinstance(held, Tensor) and held.numel() == 1:
                self.after_loss(module, (held,), {}, held)

    def after_loss(self, module: Any, args: tuple, keywords: Mapping[str, Any], value: Any) -> None:
        """The loss of these arguments has been computed."""
        if self._model is None or not isinstance(value, Tensor) or not value.requires_grad or is_made_again():
            return
        guards: Guards = []
        runs: list[ForwardRun] = []
        others: list[Tensor] = []
        given, named = self._linked(args, keywords, guards, runs, others)
        is_stray = not runs or any(tensor.grad_fn is not None for tensor in others)
        call = LossCall(given, named, guards, runs, value, user_line() if is_stray else "")
        if self.losses and self._alike >= SURE:
            self._alike = NEVER
        if self._alike < SURE or not call.is_number:  # a hook takes a twentieth of the iteration of a small net
            call.listen(value, self._heard)
        self.losses.append(call)

    def buffers(self) -> list[Tensor | None]:
        """Return copies of the model's buffers."""
        present = [held[name] for held, name in self._buffers]
        return [None if buffer is None or is_lazy(buffer) else buffer.clone() for buffer in present]

    def clear(self) -> None:
        """The optimizer has made its step."""
        if self._alike < SURE:
            is_plain = len(self.losses) == 1 and self.losses[0].sent is not None and self.losses[0].is_number
            self._alike = self._alike + 1 if is_plain and self.losses[0].weight == 1.0 else min(0, self._alike)
        for call in self.losses:
            call.forget()
        self.runs, self.losses = [], []

    def _heard(self, call: LossCall) -> None:
        """The first backward since the gradients were dropped: what went back before does not count for the next step."""
        if all(parameter.grad is None for parameter in self._parameters):
            self._keep([one for one in self.losses if one.sent is None or one.is_of_one_backward_with(call)])

    def _drop_the_dead(self) -> None:
        """Evaluations with gradients that nobody goes back from must not pile up."""
        alive = [call for call in self.losses if not call.is_gone]
        if len(alive) < len(self.losses):
            self._keep(alive)
        needed = {id(run) for call in self.losses for run in call.runs}
        self.runs = [run for run in self.runs if id(run) in needed or not run.is_gone]

    def _keep(self, losses: list[LossCall]) -> None:
        for call in self.losses:
            if call not in losses:
                call.forget()
        self.losses = losses

    def _linked(
        self, args: tuple, keywords: Mapping[str, Any], guards: Guards, runs: list[ForwardRun], others: list[Tensor]
    ) -> tuple[tuple, dict]:
        """The arguments with a placeholder for what comes from one of our `runs`; all else is guarded, `others` need gradients."""

        def link(tensor: Tensor) -> Any:
            if tensor.requires_grad:
                found = self._source(tensor)
                if found is not None:
                    runs.append(found.run)
                    return found
                others.append(tensor)
            guards.append((tensor, version(tensor)))
            return tensor

        given = tuple([link(part) if isinstance(part, Tensor) else mapped(part, link) for part in args])
        return given, mapped(keywords, link) if keywords else {}

    def _source(self, tensor: Tensor) -> FromOutput | None:
        for run in reversed(self.runs):
            for port, (output, memory, layout) in enumerate(run.outputs):
                if output() is tensor:
                    return FromOutput(run, port)
                base = tensor._base if tensor._is_view() else tensor
                if memory() is base:
                    return FromOutput(run, port, _layout(tensor), layout or _layout(base))
        return None


def _output(tensor: Tensor) -> tuple[weakref.ref[Tensor], weakref.ref[Tensor], ViewLayout | None]:
    kept = weakref.ref(tensor)
    return (kept, weakref.ref(tensor._base), _layout(tensor)) if tensor._is_view() else (kept, kept, None)


def output_tensors(output: Any) -> list[Tensor]:
    """Return the tensors that a model returned, in order: in tuples, lists, dicts, or as the attributes of an object of its own."""
    is_object = not isinstance(output, (Tensor, tuple, list, dict)) and hasattr(output, "__dict__")
    return tensors_in(list(vars(output).values()) if is_object else output)


def version(tensor: Tensor) -> int:
    """Return how often a tensor has been written into; one made in inference mode does not count."""
    try:
        return tensor._version
    except RuntimeError:
        return -1


def mapped(structure: Any, change: Callable[[Tensor], Any]) -> Any:
    """Return the structure of tuples, lists and dicts with something else for every tensor and placeholder."""
    if isinstance(structure, (Tensor, FromOutput)):
        return change(structure)
    kind = type(structure)
    if kind in (tuple, list):
        return kind([mapped(part, change) for part in structure])
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return kind(*[mapped(part, change) for part in structure])
    if isinstance(structure, dict):
        return {key: mapped(part, change) for key, part in structure.items()}
    return structure


def placeholders(structure: Any) -> list[FromOutput]:
    """Return all that stand for outputs."""
    if isinstance(structure, FromOutput):
        return [structure]
    parts = structure.values() if isinstance(structure, dict) else structure if isinstance(structure, (tuple, list)) else ()
    return [found for part in parts for found in placeholders(part)]


def _layout(tensor: Tensor) -> ViewLayout:
    if tensor.layout != torch.strided:
        return ViewLayout(tuple(tensor.shape), (), 0)
    return ViewLayout(tuple(tensor.shape), tensor.stride(), tensor.storage_offset())
