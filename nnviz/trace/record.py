"""What a capture leaves behind: the immutable records a trace is made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nnviz.operations.operation import Formula
from nnviz.operations.signature import Input
from nnviz.operations.table import row_of

_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4}  # an opened call against the native one; 2e-2 for smaller types
PHASES = ("batch", "forward", "loss", "backward", "clip", "update")


class TraceError(RuntimeError):
    """The iteration cannot be traced truthfully; the sentence says where, why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Stands, in a recorded call, where its tensor number `argument` stood."""

    argument: int


class Call(NamedTuple):
    """A torch call as it was made, tensors replaced by `Slot`s; enough to make it again with other values."""

    function: Callable[..., Any]
    args: tuple
    kwargs: dict[str, Any]
    written: tuple[int, ...] = ()  # the tensor arguments the call writes into
    differentiable: tuple[bool, ...] = ()  # beside its tensor arguments: whether a gradient was asked for
    rng: Tensor | None = None  # the generator's state before the call, kept only if the call drew from it
    native: NativeResult | None = None  # of the step that ends an opened call

    __eq__, __hash__ = object.__eq__, object.__hash__  # a call is equal to itself only


def is_written_by_hand(call: Call) -> bool:
    """Whether the call has a backward of its own."""
    return getattr(call.function, "is_written_by_hand", False)


class NativeResult(NamedTuple):
    """What the step that ends an opened call hands on in place of its own outputs: those of the call as it was made."""

    first: int  # the node that begins the call's steps
    call: Call
    sources: tuple[tuple[int, int], ...]  # nodes and outputs that the call was given
    ends: dict[int, tuple[int, Tensor, Tensor]]  # by output of the step: which output of the call, the step's own value, the call's


class Contribution(NamedTuple):
    """One addend of a node's gradient: what the backward step of node `source` sends to its input number `argument`."""

    source: int
    argument: int
    gradient: Tensor
    output: int = 0  # which output of the receiving node it belongs to


class Node(NamedTuple):  # made in a tenth of the time of a frozen dataclass
    """One node of the computational graph and all that one iteration did to it; `value` is its first output's."""

    id: int
    kind: str  # input | parameter | buffer | constant | operation | loss
    operation: str
    label: str
    module: str
    group: tuple[str, ...]
    phase: str  # forward | loss
    where: str
    inputs: tuple[int, ...]
    ports: tuple[int, ...]  # beside inputs: which output of that node
    values: tuple[Tensor, ...]
    gradients: tuple[Tensor | None, ...]  # beside values: the sum of that output's contributions
    contributions: tuple[Contribution, ...]  # in the order in which they arrive
    reads: tuple[int, ...]
    operands: tuple[Tensor, ...]  # beside inputs: the values it was computed from
    dropped: Tensor | None
    call: Call | None

    __eq__, __hash__ = object.__eq__, object.__hash__  # a node is equal to itself only

    @property
    def value(self) -> Tensor:
        return self.values[0]

    @property
    def gradient(self) -> Tensor | None:
        return self.gradients[0]

    @property
    def shape(self) -> tuple[int, ...]:
        value = self.values[0]
        return tuple(dense(value).shape if value.is_nested else value.shape)

    @property
    def has_own_backward(self) -> bool:
        """Whether it is a custom `autograd.Function`: what it sends back need not be the derivative of what it computes."""
        return self.call is not None and is_written_by_hand(self.call)

    @property
    def said(self) -> Formula:
        """What is true of its call; worked out at every look."""
        if self.call is None or any([tensor.is_nested for tensor in self.operands]):
            return Formula()
        given = [Input(k, tuple(tensor.shape), _letter(tensor.dtype)) for k, tensor in enumerate(self.operands)]
        return row_of(self.operation).formula_of(fill(self.call.args, given), fill(self.call.kwargs, given), len(given))

    @property
    def formula(self) -> str:
        return self.said.text

    @property
    def derivative(self) -> str:
        return self.said.derivative


@lru_cache
def _letter(dtype: torch.dtype) -> str:
    """numpy's letter for the kind of a dtype."""
    return "b" if dtype == torch.bool else "f" if dtype.is_floating_point else "c" if dtype.is_complex else "i"


class Step(NamedTuple):
    """One step of the iteration. `node` is None in the clip phase; `parameter` is the name in the update phase."""

    index: int
    phase: str
    node: int | None
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class ValueRead:
    """A place where Python read a tensor's value (`if x.sum() > 0`, `.item()`): the graph holds for this batch only."""

    operation: str
    where: str
    module: str


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One line of an update: what it is called, how it is computed, what came out."""

    symbol: str
    formula: str
    value: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """What the optimizer would do to one parameter; recorded, not applied."""

    parameter: str
    rows: tuple[Row, ...]
    before: Tensor
    after: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Clipping:
    """Gradient clipping: `total` and `coefficient` belong to clipping by norm, `limit` to clipping by value."""

    norms: Mapping[str, Tensor]
    total: Tensor | None
    coefficient: Tensor | None
    limit: float | None
    gradients: Mapping[str, Tensor]
    rows: Mapping[str, tuple[Row, ...]]


def dense(tensor: Tensor) -> Tensor:
    """The tensor with every element in a place of its own: of a sparse one the zeros too, a nested one padded with zeros."""
    if tensor.is_nested:
        return tensor.to_padded_tensor(0.0)
    return resolved(tensor) if tensor.layout is torch.strided else tensor.to_dense()


def resolved(tensor: Tensor) -> Tensor:
    """The tensor with its own numbers in memory, not their conjugates or opposites as torch keeps them until they are needed."""
    return tensor.resolve_conj().resolve_neg() if tensor.is_conj() or tensor.is_neg() else tensor


def tensors_in(structure: Any) -> list[Tensor]:
    """The tensors of nested tuples, lists and dicts, in order."""
    if isinstance(structure, Tensor):
        return [structure]
    if isinstance(structure, (tuple, list)):
        return [tensor for part in structure for tensor in tensors_in(part)]
    if isinstance(structure, dict):
        return [tensor for part in structure.values() for tensor in tensors_in(part)]
    return []


_PLAIN = frozenset({int, float, bool, str, type(None), slice, torch.Size, torch.dtype, torch.device})
_slot = lru_cache(maxsize=256)(Slot)


def template(structure: Any, tensors: list[Tensor]) -> Any:
    """The structure with a `Slot` for every tensor; the tensors are appended to `tensors`."""
    if isinstance(structure, Tensor):
        tensors.append(structure)
        return _slot(len(tensors) - 1)
    kind = type(structure)
    if kind is tuple:
        return tuple([part if type(part) in _PLAIN else template(part, tensors) for part in structure])
    if kind is dict:
        return {key: template(part, tensors) for key, part in structure.items()} if structure else structure
    if kind not in _PLAIN and isinstance(structure, (tuple, list)):
        parts = [template(part, tensors) for part in structure]
        return parts if kind is list or isinstance(structure, list) else tuple(parts)
    return structure


def fill(structure: Any, tensors: list[Tensor]) -> Any:
    """The inverse of `template`."""
    kind = type(structure)
    if kind is Slot:
        return tensors[structure.argument]
    if kind is tuple or kind is list:
        return kind([tensors[part.argument] if type(part) is Slot else fill(part, tensors) for part in structure])
    if kind is dict and structure:
        return {key: fill(part, tensors) for key, part in structure.items()}
    return structure


def agree(opened: list[Tensor], native: list[Tensor]) -> bool:
    """Whether an opened call gives what the call itself gave, but for rounding."""
    return len(opened) == len(native) and all(_close(copy.detach(), tensor.detach()) for copy, tensor in zip(opened, native, strict=True))


def _close(opened: Tensor, native: Tensor) -> bool:
    if opened.shape != native.shape or opened.dtype != native.dtype:
        return False
    tolerance = _TOLERANCE.get(native.dtype.to_real() if native.is_complex() else native.dtype, 2e-2)
    if native.is_floating_point() and native.numel() and (opened - native).abs_().max().item() <= tolerance:
        return True  # a tenth of what allclose takes, and nearly always enough
    return torch.allclose(opened, native, rtol=tolerance, atol=tolerance, equal_nan=True)


def end_of_steps(native: Tensor, own: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return the value of an opened call's last step and the native result that is handed on for it; None where they are the same.

    The steps round differently, which could move a sign in front of a ReLU; `.view` and random draws look at strides. What is not finite
    is left as it is.
    """
    is_number = native.dtype.is_floating_point or native.dtype.is_complex
    if native.layout != torch.strided or not is_number or (torch.equal(native, own) and native.stride() == own.stride()):
        return None
    if math.isfinite((native - own).sum().item()):  # nearly always, and several times cheaper
        return _laid_out(native, own), native.clone()
    finite = torch.isfinite(native) & torch.isfinite(own)
    return _laid_out(native, torch.where(finite, own, 0)), _laid_out(native, torch.where(finite, native, 0))


def handed_on(outputs: list[Tensor], native: NativeResult | None) -> list[Tensor]:
    """Return the outputs of a step as it hands them on, differentiably: the native bits where its own are those of the recording."""
    changed = outputs.copy()
    for port, (_, own, given) in native.ends.items() if native else ():
        changed[port] = (_laid_out(own, outputs[port]) - own) + given
    return changed


def _laid_out(pattern: Tensor, tensor: Tensor) -> Tensor:
    return tensor if tensor.stride() == pattern.stride() else torch.empty_like(pattern, dtype=tensor.dtype).copy_(tensor)


def perform(call: Call, tensors: list[Tensor]) -> tuple[Any, list[Tensor]]:
    """Make a recorded call, on copies where it writes: what it returned, and its outputs (see `with_written`)."""
    if call.written:
        tensors = tensors.copy()
        for argument in call.written:
            tensors[argument] = tensors[argument].clone()
    args = fill(call.args, tensors)
    result = call.function(*args, **fill(call.kwargs, tensors)) if call.kwargs else call.function(*args)
    return result, with_written(result, [tensors[argument] for argument in call.written])


def with_written(result: Any, written: list[Tensor]) -> list[Tensor]:
    """The outputs of a call: the tensors it returned, then those it wrote without returning them."""
    if type(result) is Tensor and not written:  # nearly always
        return [result]
    outputs = tensors_in(result)
    return outputs + [tensor for tensor in written if not any(tensor is output for output in outputs)] if written else outputs
