"""Finds for each kernel the quickest way to call it from Python that gives the same bits."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

_BUILTINS = (torch._C._VariableFunctions, torch._C._nn, torch._C._linalg, torch.Tensor)
"""Where torch's own functions are; to call one takes a third less time than to call the operation by its overload."""
_SAME = {"relu": lambda x: (torch.clamp_min, (x, 0)), "relu_": lambda x: (torch.clamp_min_, (x, 0))}
"""Operations that are nothing but another one, which can write where it is told to."""

_RESIZING = {"mse_loss", "huber_loss", "smooth_l1_loss", "soft_margin_loss", "binary_cross_entropy"}
"""Operations that warn when they are told where to write a mean, because they resize what they are given."""

_WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""The whole numbers that take so many bytes."""


class Form(NamedTuple):
    """How a kernel is called."""

    name: str
    function: Callable[..., Any]
    args: tuple
    kwargs: dict[str, Any]
    outs: tuple[str, ...] = ()
    """The names of the arguments that take the tensors to write to; empty: it makes new ones. "" takes the first place."""

    def call(self, *buffers: Tensor) -> Any:
        """Call it, writing to these."""
        if self.outs == ("",):
            return self.function(*buffers, *self.args, **self.kwargs)
        return self.function(*self.args, **self.kwargs, **dict(zip(self.outs, buffers, strict=True)))


def in_place_form(name: str, op: torch._ops.OpOverload, args: tuple, kwargs: dict[str, Any]) -> Form:
    """Return how a kernel is called whose results are its arguments or views of them, or that draws random numbers."""
    function = _builtin(name) if not kwargs else None
    return Form(name, function or op._op, args, kwargs)


def new_form(name: str, op: torch._ops.OpOverload, args: tuple, kwargs: dict[str, Any], result: Any) -> Form:
    """Return how a kernel is called that has just made `result` of these arguments: if possible writing to given tensors."""
    outputs = (result,) if isinstance(result, Tensor) else tuple(result)
    if all(isinstance(output, Tensor) for output in outputs):
        for form in () if name in _RESIZING else _writing(name, op, args, kwargs, len(outputs)):
            buffers = [torch.empty_strided(output.shape, output.stride(), dtype=output.dtype) for output in outputs]
            if _works(form, buffers) and all(map(same_bits, buffers, outputs)):
                return form
    builtin = Form(name, _builtin(name), args, kwargs)
    if builtin.function and (again := _tried(builtin)) is not None and _equal(again, outputs):
        return builtin
    return Form(name, op._op, args, kwargs)


def _writing(name: str, op: torch._ops.OpOverload, args: tuple, kwargs: dict[str, Any], count: int) -> list[Form]:
    """The forms that may exist, the quickest first."""
    if name == "clone":
        return [Form("copy_", torch.Tensor.copy_, args[:1], {}, ("",))]
    if name in _SAME:
        function, others = _SAME[name](*args)
        return [Form(function.__name__, function, others, {}, ("out",))]
    forms = [Form(name, function, args, kwargs, ("out",)) for function in [_builtin(name)] if function and count == 1]
    packet = getattr(torch.ops.aten, name, None)
    for overload in (getattr(packet, one) for one in packet.overloads()) if packet else ():
        outs = tuple(argument.name for argument in overload._schema.arguments if argument.is_out)
        if len(outs) == count and torch.Tag.generated not in overload.tags:
            forms.append(Form(name, overload._op, args, kwargs, outs))
    return forms


def _builtin(name: str) -> Callable[..., Any] | None:
    return next((getattr(place, name) for place in _BUILTINS if hasattr(place, name)), None)


def _works(form: Form, buffers: Sequence[Tensor]) -> bool:
    """Whether it writes to these tensors, and leaves them where they are."""
    pointers = [(buffer.data_ptr(), buffer.shape, buffer.stride()) for buffer in buffers]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # that a tensor had to be resized is a warning
            form.call(*buffers)
    except (TypeError, RuntimeError, UserWarning):
        return False
    return pointers == [(buffer.data_ptr(), buffer.shape, buffer.stride()) for buffer in buffers]


def _tried(form: Form) -> Any:
    try:
        return form.call()
    except (TypeError, RuntimeError):
        return None


def _equal(result: Any, outputs: Sequence[Tensor]) -> bool:
    results = (result,) if isinstance(result, Tensor) else tuple(result)
    return len(results) == len(outputs) and all(
        same_bits(a, b) if isinstance(a, Tensor) and isinstance(b, Tensor) else a is b for a, b in zip(results, outputs, strict=True)
    )


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Return whether two tensors are the same to the bit, one NaN being as good as another, and laid out alike."""
    if a.shape != b.shape or a.dtype != b.dtype or a.stride() != b.stride():
        return False
    are_same = a.view(_WHOLE[a.element_size()]) == b.view(_WHOLE[a.element_size()])  # 0 and -0 are equal as numbers
    return bool(are_same.all()) or (a.is_floating_point() and bool((are_same | (a.isnan() & b.isnan())).all()))
