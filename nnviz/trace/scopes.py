"""Where a call was made: module path, groups, line of the person's code."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.modules import module as module_hooks

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_BESIDE_THE_WINDOW = (
    *(_PACKAGE + part + os.sep for part in ("viewing", "watching", "session")),
    _PACKAGE + "__main__.py",
    threading.__file__,
)
_OURS = (os.path.dirname(torch.__file__) + os.sep, os.path.dirname(__file__) + os.sep, contextlib.__file__, *_BESIDE_THE_WINDOW)
_is_ours: dict[str, bool] = {}
_thread = threading.local()


@contextlib.contextmanager
def called_at(line: str) -> Iterator[None]:
    """While this runs, what nothing of the person's code has called in this thread was called at this `file:line`."""
    before, _thread.line = getattr(_thread, "line", ""), line
    try:
        yield
    finally:
        _thread.line = before


def user_line() -> str:
    """`file:line` of the innermost frame that belongs neither to torch nor to this package (nor to the decorators in between)."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        ours = _is_ours.get(name)
        if ours is None:
            ours = _is_ours[name] = name.startswith(_OURS) or name.startswith("<")
        if not ours:
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return getattr(_thread, "line", "")


def line_of_call(part: str) -> str:
    """`file:line` of the person's code that called into this part of torch, the outermost; where nothing did, `user_line`."""
    frame, found, inside = sys._getframe(1), "", False
    while frame is not None:
        name = frame.f_code.co_filename
        if part in name.replace(os.sep, "/"):
            inside = True
        elif inside and not name.startswith(_OURS) and not name.startswith("<"):
            found, inside = f"{name}:{frame.f_lineno}", False
        frame = frame.f_back
    return found or user_line()


class Scope(NamedTuple):
    """One level of the call stack: the module that runs and the groups its calls belong to."""

    path: str
    group: tuple[str, ...]
    builtin: bool  # one of torch's own modules, or one that `is_one_operation`: its path already says what its call is


class ModuleGroup:
    """On the stack while its `with` runs; a class, because an unrolled recurrent net enters hundreds of them."""

    __slots__ = ("_scope", "_stack")

    def __init__(self, stack: list[Scope], scope: Scope):
        self._stack, self._scope = stack, scope

    def __enter__(self) -> None:
        self._stack.append(self._scope)

    def __exit__(self, *_: object) -> None:
        self._stack.pop()


class Scopes:
    """The stack of running modules and opened groups. The second call of a module, or group of a name, is `cell#2`."""

    def __init__(self, named: dict[str, nn.Module]):
        self._names: dict[int, str] = {}
        for name, part in named.items():
            self._names.setdefault(id(part), name)
        self.compiled = [name or "the module itself" for name, part in named.items() if _is_compiled(part)]
        self._stack = [Scope("", (), False)]
        self._counts: Counter[tuple[str, ...]] = Counter()

    @property
    def here(self) -> Scope:
        return self._stack[-1]

    @contextlib.contextmanager
    def watch(self, left: Callable[[str, Any], None], is_watching: Callable[[], bool]) -> Iterator[None]:
        """While this runs, every module call is a scope; at its end `left` is called with the module's path and what it returned.

        Torch calls these hooks for the modules of every thread: `is_watching` says whether a call is meant.
        """

        def enter(module: nn.Module, _: Any) -> None:
            if is_watching():
                self._enter(module)

        def leave(module: nn.Module, inputs: Any, output: Any) -> None:
            if is_watching():
                left(self._leave().path, output)

        before = module_hooks.register_module_forward_pre_hook(enter)
        after = module_hooks.register_module_forward_hook(leave, always_call=True)
        try:
            yield
        finally:
            before.remove()
            after.remove()

    def group(self, name: str) -> ModuleGroup:
        """What runs inside `with` belongs to the group `name`."""
        return ModuleGroup(self._stack, Scope(self.here.path, self._numbered(self.here.group, (name,)), self.here.builtin))

    def numbering(self) -> Counter[tuple[str, ...]]:
        """How often each group has been entered."""
        return self._counts.copy()

    def renumber(self, counts: Counter[tuple[str, ...]]) -> None:
        """Drop the groups that were entered since."""
        self._counts = counts

    def _enter(self, module: nn.Module) -> None:
        here = self.here
        path = self._names.get(id(module))
        if path is None:  # made inside forward: it has no path of its own
            path = ".".join(filter(None, (here.path, type(module).__name__)))
        inside = path[len(here.path) :].lstrip(".") if _is_inside(path, here.path) else path
        group = self._numbered(here.group, tuple(inside.split("."))) if inside else here.group
        builtin = type(module).__module__.startswith("torch.nn.") or getattr(module, "is_one_operation", False)
        self._stack.append(Scope(path, group, builtin))

    def _leave(self) -> Scope:
        return self._stack.pop()

    def _numbered(self, group: tuple[str, ...], parts: tuple[str, ...]) -> tuple[str, ...]:
        group = group + parts
        self._counts[group] += 1
        count = self._counts[group]
        return group if count == 1 else (*group[:-1], f"{group[-1]}#{count}")


def _is_compiled(module: nn.Module) -> bool:
    return type(module).__name__ == "OptimizedModule" or getattr(module, "_compiled_call_impl", None) is not None


def _is_inside(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith(outer + ".")
