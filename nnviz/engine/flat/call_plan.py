"""Decides which recorded calls an iteration needs, and where their results lie: in tensors made once wherever that is possible."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nnviz.engine.flat.recorded_calls import KernelCall, Recorded, memory

NOTHING, ZERO, TOLD, ANEW = "nothing", "zero", "told", "anew"
"""What is to be done for a call: nothing at all · set its tensor to 0 · write to its tensor · make a new tensor."""

_ZEROS = {"zeros", "zeros_like", "new_zeros"}
_EMPTY = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided"}
_FACTORIES = _ZEROS | _EMPTY | {"ones", "ones_like", "new_ones", "full", "full_like", "new_full", "scalar_tensor"}
"""What they make does not depend on the values of what they are given."""


class CannotFlatten(Exception):
    """A sentence that says why an iteration cannot be written as a flat list of calls."""


@dataclass
class Storage:
    """A piece of memory that tensors of the iteration are views of."""

    made_by: KernelCall | None = None
    """None: it exists before and after the iteration."""
    is_varying: bool = False
    """Whether its content depends on the iteration."""
    parameter: str = ""
    """The parameter whose gradient, and nothing else, it holds."""
    treatment: str = NOTHING
    """What its call has to do."""

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same memory in every iteration."""
        return self.treatment != ANEW


class CallPlan:
    """What is to be done for each call. Raises CannotFlatten for what the recorded calls do not tell."""

    def __init__(self, recorded: Recorded) -> None:
        self.storages: dict[int, Storage] = {}
        for call in recorded.calls:
            _refuse_the_unknown(call)
            self._note(call)
        for storage in self.storages.values():
            storage.treatment = _treatment(storage)
        self._find_gradients(recorded)
        self.calls = self._needed(recorded)

    def storage(self, tensor: Tensor) -> Storage:
        """Return the storage that a tensor is a view of."""
        return self.storages[memory(tensor)]

    def made(self, call: KernelCall) -> list[Tensor]:
        """Return the outputs of a call that are no views of what is there already."""
        return [output for output in call.outputs if self.storage(output).made_by is call]

    def _note(self, call: KernelCall) -> None:
        for tensor in call.inputs:
            self.storages.setdefault(memory(tensor), Storage(is_varying=True))
        depends = call.name not in _FACTORIES and any(self.storage(tensor).is_varying for tensor in call.inputs)
        varies = depends or call.is_random
        for tensor in call.outputs:
            self.storages.setdefault(memory(tensor), Storage(call, varies))
        for tensor in call.written:
            storage = self.storage(tensor)
            storage.is_varying = True

    def _find_gradients(self, recorded: Recorded) -> None:
        """Storages that are nothing but one parameter's gradient, laid out as it is; they can be written straight to its place."""
        homes = [memory(gradient) for gradient in recorded.gradients.values()]
        for (name, gradient), home in zip(recorded.gradients.items(), homes, strict=True):
            storage = self.storages[home]
            is_told = homes.count(home) == 1 and storage.treatment in (TOLD, ZERO) and gradient.is_contiguous()
            if is_told and all(output.numel() == gradient.numel() == _room(output) for output in self.made(storage.made_by)):
                storage.parameter = name

    def _needed(self, recorded: Recorded) -> list[KernelCall]:
        """The calls on which a result depends, and those that change what exists before and after, or draw random numbers."""
        needed = set(map(memory, (*recorded.results.values(), *recorded.gradients.values(), *recorded.outputs.values())))
        found = []
        for call in reversed(recorded.calls):
            writes = {memory(tensor) for tensor in (*call.written, *self.made(call))}
            is_lasting = any(self.storages[one].made_by is None for one in writes)
            if call.is_random or is_lasting or not needed.isdisjoint(writes):
                needed.update(map(memory, call.inputs))
                found.append(call)
        return found[::-1]


def _treatment(storage: Storage) -> str:
    call = storage.made_by
    if call is None or call.name in _EMPTY or not storage.is_varying:
        return NOTHING
    if call.name in _ZEROS:
        return ZERO
    return TOLD if call.form.outs else ANEW


def _room(tensor: Tensor) -> int:
    """How many elements its storage has."""
    return tensor.untyped_storage().nbytes() // tensor.element_size()


def _refuse_the_unknown(call: KernelCall) -> None:
    if call.name in ("_local_scalar_dense", "item"):
        raise CannotFlatten("it reads a value, on which its calls may depend")
    if call.is_view_in_place and not set(map(memory, call.outputs)) <= set(map(memory, call.inputs)):
        raise CannotFlatten(f"{call.name} gives a tensor other memory")
    for tensor in (*call.inputs, *call.outputs):
        if tensor.layout is not torch.strided:
            raise CannotFlatten(f"{call.name} works on a tensor of another layout ({tensor.layout})")
