"""What is there before a run: parameters, buffers, inputs, targets, and their names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .record import TraceError
from .scopes import user_line


class Part(NamedTuple):
    """One tensor: kind `parameter`, `buffer` or `input`, and its name."""

    kind: str
    name: str
    tensor: Tensor


def modules_of(module: nn.Module, loss: Any) -> tuple[dict[str, nn.Module], dict[str, nn.Module]]:
    """The modules that take part, by prefix, and all of their parts by path. Raises TraceError if one of them hides its calls."""
    modules = {"": module} | ({"loss": loss} if isinstance(loss, nn.Module) else {})
    tops = [(prefix, pair) for prefix, top in modules.items() for pair in top.named_modules()]
    named = {".".join(filter(None, (prefix, name))): part for prefix, (name, part) in tops}
    for name, part in named.items():
        if isinstance(part, torch.jit.ScriptModule):
            raise TraceError(f"{_compiled(name, named)} by torch.jit.script, which hides its calls: give capture the plain module")
        if type(part).__name__ == "OptimizedModule":
            raise TraceError(f"{_compiled(name, named)} by torch.compile, which hides its calls: give capture its ._orig_mod")
    return modules, named


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


def parts_of(modules: Mapping[str, nn.Module], inputs: tuple, target: Any) -> list[Part]:
    """Everything that is there; of two names for one tensor the last counts."""
    parts = [Part("input", name, tensor) for name, tensor in _named(target, "target")]
    for name, given in zip(_input_names(modules[""], len(inputs)), inputs, strict=True):
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
    hooks = [(repr(part.name), hook) for part in parts for hook in (part.tensor._backward_hooks or {}).values()]
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


def _input_names(module: nn.Module, count: int) -> list[str]:
    """The names forward gives its positional arguments; `inputs.2` where it takes them by number."""
    names: list[str] = []
    code = getattr(inspect.unwrap(module.forward), "__code__", None)  # a fifth of the time of inspect.signature
    if code is not None:
        names += code.co_varnames[inspect.ismethod(module.forward) : code.co_argcount]
        if code.co_flags & inspect.CO_VARARGS:
            rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
            names += [f"{rest}.{k}" for k in range(count - len(names))]
    return (names + [f"inputs.{k}" for k in range(len(names), count)])[:count]
