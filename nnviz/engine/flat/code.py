"""Writes the calls of an iteration as Python source: one line for each, over tensors whose names are constants of the code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from keyword import kwlist
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nnviz.document.network import split_parameter
from nnviz.engine.flat.call_plan import NOTHING, TOLD, ZERO, CallPlan
from nnviz.engine.flat.kernel_forms import Form
from nnviz.engine.flat.parameters import FlatParameters
from nnviz.engine.flat.recorded_calls import BACKWARD, KernelCall, Recorded, memory

_REMEMBERING = {"mkldnn_rnn_layer"}
"""Operations that keep what their backward needs only where gradients are enabled."""
_RESERVED = {*kwlist, "float", "__builtins__"}
"""Words that mean something else in a source."""


class CodeLine(NamedTuple):
    """One call of the flat iteration, as it is run."""

    phase: str
    layer: str
    """Id of the layer; "" for what belongs to none."""
    text: str

    @property
    def is_call(self) -> bool:
        """Whether it calls a kernel of torch; the other lines take a number, count steps, or switch gradients on or off."""
        return "(" in self.text and "_grad_enabled(" not in self.text


class Names:
    """The names of a source and what they stand for."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"torch": torch}

    def add(self, wanted: str, value: Any) -> str:
        """Return the name by which the source finds this value: the wanted one, with a number if another value has it."""
        first = name = _identifier(wanted)
        number = 2
        while name in _RESERVED or self.namespace.get(name, value) is not value:
            name, number = f"{first}_{number}", number + 1
        self.namespace[name] = value
        return name

    def local(self, wanted: str) -> str:
        """Return a name that is given to something while the source runs."""
        return self.add(wanted, object())


def _identifier(words: str) -> str:
    name = re.sub(r"\W", "_", words, flags=re.ASCII)
    return f"_{name}" if not name or name[0].isdigit() else name


Place = tuple[int, int, tuple[int, ...], tuple[int, ...], torch.dtype]


def _place(tensor: Tensor) -> Place:
    """What tells a tensor from every other view of the same memory: two with the same place are the same numbers."""
    return memory(tensor), tensor.storage_offset(), tuple(tensor.shape), tensor.stride(), tensor.dtype


class FlatCode:
    """The lines that work out results and gradients; the gradients end in the flat buffer of `parameters`."""

    def __init__(self, recorded: Recorded, parameters: FlatParameters, names: Names, known: Iterable[tuple[str, Tensor]]) -> None:
        """`known`: tensors that exist before and after, and their names. Raises CannotFlatten."""
        self.lines: list[CodeLine] = []
        self._plan, self._parameters, self._names = CallPlan(recorded), parameters, names
        self._words = {_place(tensor): names.add(name, tensor.detach()) for name, tensor in known}
        """The names of all tensors that have one, by place."""
        self._wholes = {_part(place): place for place in reversed(self._words)}
        """The tensor of some elements that was named first."""
        self._wanted = {_place(tensor): name for name, tensor in (*recorded.outputs.items(), *recorded.results.items())}
        self._views = {_place(output): call for call in reversed(recorded.calls) for output in call.outputs}
        """By place the first call that returns it."""
        self._counts: dict[str, int] = {}
        for call in self._plan.calls:
            self._write(call)
        for name, gradient in recorded.gradients.items():
            self._bring_home(name, gradient)
        self.results = {name: self.word(result) for name, result in recorded.results.items()}
        """The names of the results."""
        self.outputs = {layer: self.word(output) for layer, output in recorded.outputs.items()}
        """The names of what each layer puts out."""

    # --- lines ---

    def _write(self, call: KernelCall) -> None:
        made = self._plan.made(call)
        treatment = self._plan.storage(made[0]).treatment if made else ""
        if treatment == ZERO:
            self._line(call, f"{self._names.add('zero_', torch.Tensor.zero_)}({self.word(made[0], call.layer)})")
        elif treatment == TOLD:
            self._line(call, self._text(call.form, call.layer, [self.word(tensor, call.layer) for tensor in made]))
        elif treatment != NOTHING:
            self._write_as_it_was(call)

    def _write_as_it_was(self, call: KernelCall) -> None:
        """A call that returns a new tensor in every iteration, or only writes to one that is there."""
        text = self._text(call.form, call.layer, ())
        results = call.result if isinstance(call.result, list | tuple) else (call.result,)
        names = [self._result_name(result, call.layer) for result in results]
        if any(name != "_" for name in names):
            is_one = not isinstance(call.result, list | tuple)
            text = f"{names[0] if is_one else ', '.join(names) + ',' * (len(names) == 1)} = {text}"
        if call.name in _REMEMBERING:
            self._line(call, f"{self._names.add('set_grad_enabled', torch._C._set_grad_enabled)}(True)")
        self._line(call, text)
        if call.name in _REMEMBERING:
            self._line(call, "set_grad_enabled(False)")

    def _result_name(self, result: Any, layer: str) -> str:
        """The name a result is given; "_" if it has one or needs none."""
        if not isinstance(result, Tensor) or self._plan.storage(result).is_fixed or _place(result) in self._words:
            return "_"
        name = self._words[_place(result)] = self._names.local(self._new_name(result, layer))
        return name

    def _bring_home(self, name: str, gradient: Tensor) -> None:
        """A line that copies a gradient to its place, unless it was written there."""
        if not self._plan.storage(gradient).parameter:
            layer = split_parameter(name).layer
            home = self._names.add(f"{name}_grad", self._parameters.gradient_views[name])
            copy = self._names.add("copy_", Tensor.copy_)
            self.lines.append(CodeLine(BACKWARD, layer, f"{copy}({home}, {self.word(gradient, layer)})"))

    def _text(self, form: Form, layer: str, outs: Sequence[str]) -> str:
        args = [self.word(value, layer) for value in form.args]
        kwargs = [f"{name}={self.word(value, layer)}" for name, value in form.kwargs.items()]
        if form.outs == ("",):
            args = [*outs, *args]
        elif outs:
            kwargs += [f"{name}={out}" for name, out in zip(form.outs, outs, strict=True)]
        return f"{self._names.add(form.name, form.function)}({', '.join([*args, *kwargs])})"

    def _line(self, call: KernelCall, text: str) -> None:
        self.lines.append(CodeLine(call.phase, call.layer, text))

    # --- words ---

    def word(self, value: Any, layer: str = "") -> str:
        """Return how an argument is written."""
        if isinstance(value, Tensor):
            return self._words.get(_place(value)) or self._name(value, layer)
        if isinstance(value, list | tuple):
            return f"[{', '.join(self.word(part, layer) for part in value)}]"
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        if value is None or isinstance(value, bool | int | float | str | torch.dtype | torch.layout | torch.memory_format):
            return repr(value)
        return self._names.add(type(value).__name__, value)

    def _name(self, tensor: Tensor, layer: str) -> str:
        """Name a tensor for the first time: what is fixed is a constant, what is not is returned by a call that views it."""
        place = _place(tensor)
        if self._plan.storage(tensor).is_fixed:
            self._words[place] = self._names.add(self._new_name(tensor, layer), self._fixed(tensor))
        else:
            self._write_as_it_was(self._views[place])
        return self._words[place]

    def _fixed(self, tensor: Tensor) -> Tensor:
        """The tensor itself, or where it is to lie in the flat gradients."""
        name = self._plan.storage(tensor).parameter
        if not name:
            return tensor.detach()
        start = self._parameters.spans[name].start + tensor.storage_offset()
        return self._parameters.gradients.as_strided(tensor.shape, tensor.stride(), start)

    def _new_name(self, tensor: Tensor, layer: str) -> str:
        place = _place(tensor)
        whole = self._wholes.setdefault(_part(place), place)
        if wanted := self._wanted.get(place):
            return wanted
        if name := self._plan.storage(tensor).parameter:
            return f"{name}_grad"
        if whole != place:
            return self._words[whole] + ("_t" if _is_transposed(place, whole) else "_view")
        number = self._counts[layer] = self._counts.get(layer, 0) + 1
        return f"{layer or 'loss'}_{number}"


def _part(place: Place) -> tuple[int, int, int]:
    """What two tensors have in common that view the same elements, as far as their first and their number tell."""
    return place[0], place[1], math.prod(place[2])


def _is_transposed(one: Place, other: Place) -> bool:
    return len(one[2]) == 2 and (one[1], one[2], one[3]) == (other[1], other[2][::-1], other[3][::-1])


def compiled(signature: str, lines: Iterable[str], names: Names) -> Callable:
    """Return the function with these lines."""
    source = "\n    ".join([f"def {signature}:", *lines])
    functions: dict[str, Callable] = {}  # not among the names, where a layer may be called so
    exec(compile(source, "<flat iteration>", "exec"), names.namespace, functions)
    return functions[signature.partition("(")[0]]
