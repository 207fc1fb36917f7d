"""What is there before a run: what is called, parameters, buffers, inputs, targets, and their names."""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import CodeType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from .record import TraceError, tensors_in
from .scopes import user_line


class Part(NamedTuple):
    """One tensor: kind `parameter`, `buffer` or `input`, and its name."""

    kind: str
    name: str
    tensor: Tensor


def module_of(subject: Any) -> nn.Module:
    """The module whose parameters take part: that of a bound method, or one that holds what a function uses.

    Raises TraceError for what cannot be called.
    """
    if isinstance(subject, nn.Module):
        return subject
    if isinstance(subject, type) or not callable(subject):
        what = f"the class {subject.__name__}: give it an instance" if isinstance(subject, type) else f"a {type(subject).__name__}"
        raise TraceError(f"{user_line()}: capture traces a module or a function, but this is {what}")
    if isinstance(getattr(subject, "__self__", None), nn.Module):
        return subject.__self__
    holder = nn.Module()
    for name, part in _used_by(subject):
        if isinstance(part, nn.Module):
            holder.add_module(name, part)
        elif isinstance(part, nn.Parameter):
            holder.register_parameter(name, part)
    return holder


def _used_by(function: Any) -> Iterator[tuple[str, Any]]:
    """What a function takes from around it, by the name it has there."""
    if isinstance(function, partial):
        yield from function.keywords.items()
        yield from _used_by(function.func)
    elif not hasattr(function, "__code__"):
        yield from getattr(function, "__dict__", {}).items()
    else:
        names = set(_globals_of(function.__code__))
        yield from ((name, function.__globals__[name]) for name in sorted(names & function.__globals__.keys()))
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        yield from ((name, cell.cell_contents) for name, cell in cells if cell != type(cell)())


def _globals_of(code: CodeType) -> Iterator[str]:
    """The names of what is looked up outside, by the functions and comprehensions inside too."""
    yield from (step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL")
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _globals_of(part)


def check_given(loss: Any, penalty: Any, optimizer: Any, batch_axis: Any, inputs: tuple) -> None:
    """Raises TraceError for what capture cannot use."""
    for name, given, example in (
        ("loss", loss, "(output, target), such as torch.nn.functional.mse_loss"),
        ("penalty", penalty, "the module"),
    ):
        if given is not None and (not callable(given) or isinstance(given, type)):
            raise TraceError(f"{user_line()}: {name}= must be a function of {example}, but it is {_said(given)}")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TraceError(
            f"{user_line()}: optimizer= must be a torch.optim.Optimizer over the module's parameters, but it is {_said(optimizer)}"
        )
    _check_axis(batch_axis, inputs)


def _check_axis(axis: Any, inputs: tuple) -> None:
    """Raises TraceError for an axis that the first input does not have."""
    shape = next((tuple(tensor.shape) for tensor in tensors_in(inputs) if tensor.dim()), ())
    if axis is not None and (not isinstance(axis, int) or not 0 <= axis < len(shape)):
        raise TraceError(
            f"{user_line()}: batch_axis={axis!r}, but the first input has the shape {shape}: "
            "give the place of the axis that counts its rows"
        )


def _said(given: Any) -> str:
    if isinstance(given, type):
        return f"the class {given.__name__}"
    return repr(given if isinstance(given, (str, int, float)) else type(given))


def misfit(called: Callable, inputs: tuple, keywords: Mapping[str, Any]) -> str:
    """What does not fit between the arguments and what is called, as Python says it; empty if they fit."""
    function = called.forward if isinstance(called, nn.Module) else called
    try:
        inspect.signature(function).bind(*inputs, **keywords)
    except TypeError as error:
        return f"{getattr(function, '__qualname__', type(called).__name__)} {error}"
    except ValueError:  # it has no signature
        pass
    return ""


def modules_of(module: nn.Module, loss: Any) -> tuple[dict[str, nn.Module], dict[str, nn.Module]]:
    """The modules that take part, by prefix, and all of their parts by path. Raises TraceError if one of them hides its calls."""
    modules = {"": module} | ({"loss": loss} if isinstance(loss, nn.Module) else {})
    tops = [(prefix, pair) for prefix, top in modules.items() for pair in top.named_modules()]
    named = {".".join(filter(None, (prefix, name))): part for prefix, (name, part) in tops}
    for name, part in named.items():
        if isinstance(part, torch.jit.ScriptModule):
            raise TraceError(f"{_compiled(name, named)} by torch.jit.script, which hides its calls: give capture the plain module")
    return modules, named


@contextmanager
def filled_in_unseen(named: Mapping[str, nn.Module]) -> Iterator[None]:
    """Lazy modules make their parameters at their first call, before it and out of the tape's sight."""
    lazy = [part for part in named.values() if isinstance(part, LazyModuleMixin) and part.has_uninitialized_params()]
    waiting = [(part, part._initialize_hook.id, part._forward_pre_hooks[part._initialize_hook.id]) for part in lazy]
    for part, number, hook in waiting:
        part._forward_pre_hooks[number] = partial(_filled_in, hook)
    try:
        yield
    finally:
        for part, number, hook in waiting:
            if number in part._forward_pre_hooks:
                part._forward_pre_hooks[number] = hook


def _filled_in(hook: Callable, *call: Any) -> Any:
    with torch._C.DisableTorchFunction():
        return hook(*call)


def _compiled(name: str, named: Mapping[str, nn.Module]) -> str:
    """What is compiled and where: the line that gives a part its name, or the one that calls capture."""
    parent, _, attribute = name.rpartition(".")
    place = _assignment(type(named[parent]), attribute) if name else ""
    return f"{place or user_line()}: {f'module {name!r}' if name else 'the module'} is compiled"


def _assignment(kind: type, attribute: str) -> str:
    """`file:line` where a class written by the person assigns the attribute; empty if that cannot be found."""
    if kind.__module__.startswith("torch."):
        return ""
    try:
        lines, first = inspect.getsourcelines(kind)
    except (OSError, TypeError):
        return ""
    places = [first + k for k, line in enumerate(lines) if re.search(rf"\.{re.escape(attribute)}\s*=[^=]", line)]
    return f"{inspect.getsourcefile(kind)}:{places[0]}" if places else ""


def parts_of(modules: Mapping[str, nn.Module], called: Callable, inputs: tuple, keywords: Mapping[str, Any], target: Any) -> list[Part]:
    """Everything that is there; of two names for one tensor the last counts."""
    parts = [Part("input", name, tensor) for name, tensor in _named(target, "target")]
    for name, given in (*zip(_input_names(called, len(inputs)), inputs, strict=True), *keywords.items()):
        parts += [Part("input", label, tensor) for label, tensor in _named(given, name)]
    for prefix, module in modules.items():
        dot = prefix and prefix + "."
        parts += [Part("buffer", dot + name, tensor) for name, tensor in module.named_buffers()]
        parts += [Part("parameter", dot + name, tensor) for name, tensor in module.named_parameters()]
    for part in parts:
        if part.tensor.device.type != "cpu":
            raise TraceError(f"{part.kind} {part.name!r} is on {part.tensor.device}: capture traces on the CPU, move it there")
    return parts


def hooks_before(named: Mapping[str, nn.Module], parts: list[Part]) -> list[str]:
    """The gradient hooks that were there before the run, each a sentence with its place and cure."""
    there = [part for part in parts if not is_lazy(part.tensor)]
    hooks = [(repr(part.name), hook) for part in there for hook in (part.tensor._backward_hooks or {}).values()]
    for name, module in named.items():
        kept = (*module._backward_hooks.values(), *module._backward_pre_hooks.values())
        hooks += [(f"module {name or 'itself'!r}", hook) for hook in kept]
    return [f"a gradient hook on {owner}, defined at {_place(hook)}, may change it: remove it" for owner, hook in hooks]


def _place(hook: Any) -> str:
    code = getattr(inspect.unwrap(hook), "__code__", None)
    return repr(hook) if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def _named(structure: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of nested tuples, lists and dicts: `state`, `state.0`, `batch.mask`."""
    if isinstance(structure, Tensor):
        yield name, structure
    elif isinstance(structure, dict):
        for key, part in structure.items():
            yield from _named(part, f"{name}.{key}")
    elif isinstance(structure, (tuple, list)):
        for index, part in enumerate(structure):
            yield from _named(part, f"{name}.{index}")


def _input_names(called: Callable, count: int) -> list[str]:
    """The names forward gives its positional arguments; `inputs.2` where it takes them by number."""
    names: list[str] = []
    function = called.forward if isinstance(called, nn.Module) else called
    code = getattr(inspect.unwrap(function), "__code__", None)  # a fifth of the time of inspect.signature
    if code is not None:
        names += code.co_varnames[inspect.ismethod(function) : code.co_argcount]
        if code.co_flags & inspect.CO_VARARGS:
            rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
            names += [f"{rest}.{k}" for k in range(count - len(names))]
    return (names + [f"inputs.{k}" for k in range(len(names), count)])[:count]
