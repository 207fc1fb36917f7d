"""Records the torch kernels that one iteration's forward, loss and backward consist of, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from nnviz.engine.flat.kernel_forms import Form, in_place_form, new_form
from nnviz.engine.model.build import Net
from nnviz.engine.model.sequence_layers import OneHot

FORWARD, LOSS, BACKWARD = "forward", "loss", "backward"


@dataclass(eq=False)
class KernelCall:
    """One call of a kernel; its tensors share the memory of those it was given and returned, and have their shapes at that time."""

    op: torch._ops.OpOverload
    args: tuple
    kwargs: dict[str, Any]
    result: Any
    phase: str
    """FORWARD, LOSS (the penalties belong to it) or BACKWARD."""
    layer: str
    """Id of the layer whose call this is, or whose gradient it works out; "" for the loss."""
    form: Form | None = None
    """How it is called most quickly."""

    @cached_property
    def name(self) -> str:
        """The name of the operation as torch spells it: addmm."""
        return self.op._schema.name.partition("::")[2]

    @cached_property
    def inputs(self) -> list[Tensor]:
        """Every tensor it is given."""
        return list(tensors_in((self.args, self.kwargs)))

    @cached_property
    def outputs(self) -> list[Tensor]:
        """Every tensor it returns."""
        return list(tensors_in(self.result))

    @cached_property
    def written(self) -> list[Tensor]:
        """The inputs it writes to."""
        if self.is_view_in_place:
            return []
        given = zip(self.op._schema.arguments, self.args, strict=False)
        named = ((argument, self.kwargs.get(argument.name)) for argument in self.op._schema.arguments[len(self.args) :])
        changed = [value for argument, value in (*given, *named) if argument.alias_info is not None and argument.alias_info.is_write]
        if self.name == "native_batch_norm" and self.args[5]:  # its signature does not say that it moves the running statistics
            changed += [self.args[3], self.args[4]]
        return list(tensors_in(changed))

    @property
    def is_view_in_place(self) -> bool:
        """Whether it gives its input another shape, as transpose_ does, and writes no numbers."""
        return torch.Tag.inplace_view in self.op.tags

    @property
    def is_random(self) -> bool:
        """Whether it draws from torch's generator."""
        return torch.Tag.nondeterministic_seeded in self.op.tags


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def _as_it_is(value: Any) -> Any:
    """The same with views of all tensors, which keep the shape they have now whatever is done to the tensors in place."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, list | tuple):
        return type(value)(map(_as_it_is, value))
    return {name: _as_it_is(part) for name, part in value.items()} if isinstance(value, dict) else value


def memory(tensor: Tensor) -> int:
    """Return what tells the storage of a tensor from all others that are alive."""
    return tensor.untyped_storage()._cdata


def _form(call: KernelCall) -> Form:
    """How it is called; only a call that does nothing but make new tensors can be made again to find out."""
    given = set(map(memory, call.inputs))
    makes_new = call.outputs and not call.written and not call.is_random and given.isdisjoint(map(memory, call.outputs))
    if makes_new:
        return new_form(call.name, call.op, call.args, call.kwargs, call.result)
    if call.is_view_in_place:  # as a view of its own, so that the next run finds the tensor as this one did
        return in_place_form(call.name.removesuffix("_"), call.op, call.args, call.kwargs)
    return in_place_form(call.name, call.op, call.args, call.kwargs)


class _Recorder(TorchDispatchMode):
    """Sees every kernel below autograd, those of the backward pass too."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.calls: list[KernelCall] = []
        self._checking = {layer for layer, module in net._modules.items() if isinstance(module, OneHot)}
        """Layers that read their least and their largest number only to refuse them, which the data has been checked for."""
        self._pooling = {layer for layer, module in net._modules.items() if getattr(module, "of_sequences", None) is F.max_pool1d}
        """Layers that may take the maximum over windows of a sequence."""
        self.phase, self.layer = FORWARD, ""
        self._firsts: list[tuple[int, str, str]] = []
        """From which sequence number of autograd's nodes on they are of which phase and layer."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Whether torch's compiler is to be kept out; it would be loaded for that, and takes a second."""
        return False

    def enter(self, phase: str, layer: str = "") -> None:
        """What follows belongs to this layer."""
        self.phase, self.layer = phase, layer
        self._firsts.append((torch._C._autograd._get_sequence_nr(), phase, layer))

    def __torch_dispatch__(self, op: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None) -> Any:
        given, named = _as_it_is(args), _as_it_is(kwargs or {})
        result = op(*args, **(kwargs or {}))
        node = torch._C._current_autograd_node()
        phase, layer = (self.phase, self.layer) if node is None else (BACKWARD, self._layer_of(node._sequence_nr()))
        if layer in self._checking and op is torch.ops.aten._local_scalar_dense.default:
            return result
        if layer in self._pooling and _is_pool_without_gradient(op, args):
            result = result[0].contiguous(), result[1]
        call = KernelCall(op, given, named, _as_it_is(result), phase, layer)
        call.form = _form(call)
        self.calls.append(call)
        return result

    def _layer_of(self, number: int) -> str:
        return next((layer for first, _, layer in reversed(self._firsts) if first <= number), "")


def _is_pool_without_gradient(op: Any, args: tuple) -> bool:
    """Whether this is the maximum over windows of a sequence for which torch, if nobody records its calls, takes another kernel: its result
    is contiguous, and what later kernels do with a tensor that is not may round differently."""
    is_pool = op is torch.ops.aten.max_pool2d_with_indices.default and args[0].shape[-2] == args[1][0] == 1
    return is_pool and not (torch.is_grad_enabled() and args[0].requires_grad)


class Recorded(NamedTuple):
    """What an iteration consists of up to its gradients, or an evaluation."""

    calls: list[KernelCall]
    results: dict[str, Tensor]
    """Tensors of one number, by name."""
    gradients: dict[str, Tensor]
    """By parameter; one that the loss does not depend on is missing."""
    outputs: dict[str, Tensor]
    """What every layer put out."""


Loss = Callable[[Tensor, Tensor], Tensor]
Penalty = Callable[[Net], Tensor] | None


def record_iteration(net: Net, loss: Loss, penalty: Penalty, x: Tensor, target: Tensor) -> Recorded:
    """Run forward, loss and backward over these rows, and return their calls; the result is "loss".

    The net is in training mode. Random numbers are drawn and running statistics moved as by any iteration.
    """
    recorder = _Recorder(net)
    trained = {name: parameter for name, parameter in net.named_parameters() if parameter.requires_grad}
    with _layers_announced(net, recorder), recorder:
        output = net(x)
        outputs = dict(net.outputs)
        recorder.enter(LOSS)
        total = loss(output, target)
        if penalty:
            total = total + penalty(net)
        recorder.phase, recorder.layer = BACKWARD, ""
        gradients = torch.autograd.grad(total, list(trained.values()), allow_unused=True)
    found = {name: gradient for name, gradient in zip(trained, gradients, strict=True) if gradient is not None}
    return Recorded(recorder.calls, {"loss": total}, found, outputs)


@torch.no_grad()
def record_evaluation(net: Net, loss: Loss, penalty: Penalty, metric: Loss, x: Tensor, target: Tensor, y: Tensor) -> Recorded:
    """Run forward, loss and metric over these rows, and return their calls; results are "loss", "metric" and, if there is one, "penalty".

    The net is in evaluation mode.
    """
    recorder = _Recorder(net)
    with _layers_announced(net, recorder), recorder:
        output = net(x)
        recorder.enter(LOSS)
        results = {"loss": loss(output, target), "metric": metric(output, y)}
        if penalty:
            results["penalty"] = penalty(net)
    return Recorded(recorder.calls, results, {}, {})


@contextmanager
def _layers_announced(net: Net, recorder: _Recorder) -> Iterator[None]:
    """Inside, the recorder is told whenever a layer of the net begins."""
    handles = [
        net._modules[layer].register_forward_pre_hook(lambda module, inputs, layer=layer: recorder.enter(FORWARD, layer))
        for layer, _ in net.plan
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
