"""The tape: every torch call of a run becomes an entry of a graph of the tape's own.

The person's call runs first, on the person's tensors. Then its *shadow* runs on the tape's values, with the generator
set back. The tape's graph never looks at a live parameter again; the person's stays whole, for verify.py to compare.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

from .bindings import Bindings, Source, TapeEntry, leaf
from .calls import kind_of, may_draw, operation_name, own_generator, silently_written, without_generator
from .interception import intercepting
from .interruption import stop_if_unwanted
from .openers import Openers
from .record import (
    Call,
    NativeResult,
    TraceError,
    ValueRead,
    agree,
    end_of_steps,
    fill,
    handed_on,
    perform,
    template,
    tensors_in,
    with_written,
)
from .scopes import user_line
from .what_if import WhatIfs, altered_result, altering, refilled


@dataclass(slots=True)
class ModelCall:
    """A call the person made: what went in and out, what it wrote, the generator around it (None: it drew nothing)."""

    function: Callable
    args: Any
    kwargs: Any
    tensors: list[Tensor]
    sources: list[Source]
    result: Any
    written: tuple[int, ...]
    outputs: list[Tensor]
    before: Tensor | None
    after: Tensor | None
    kept: Tensor | None
    """The state of torch's own generator, where the call drew from another one."""

    @property
    def is_transparent(self) -> bool:
        """Nothing to record: a plain Python answer, or the very tensor that went in."""
        return not self.written and all([any([output is tensor for tensor in self.tensors]) for output in self.outputs])


class Tape(TorchFunctionMode):
    """Records while it is active. `openers` give functions (tape, *arguments) that make a call in its textbook steps."""

    def __init__(self, bindings: Bindings, openers: Openers):
        super().__init__()
        self.bindings, self.scopes, self.openers = bindings, bindings.scopes, openers
        self.reads: list[ValueRead] = []
        self.outputs: dict[str, Source] = {}  # by module path: what the module's last call in the forward phase returned
        self.recomputes = False  # checkpoint was seen: the real backward runs parts of the model again
        self._opening = False  # inside an opener no tensor is the person's: the shadow is the only run
        self._inside: WhatIfs = {}  # what is supposed of the steps of the call being opened

    def __torch_function__(self, function, types, args=(), kwargs=None):
        stop_if_unwanted()
        kwargs = kwargs or {}
        opener = self.openers.get(function, self.scopes.here.group)
        if opener is not None:
            return self._open(opener, function, args, kwargs)
        kind = kind_of(function)
        if kind != "record" and not (kind == "count" and not self.bindings.is_counter(args[0])):
            return self._answer(kind, function, args, kwargs)
        if self._opening:
            return self._record_opened(function, args, kwargs)
        made = self._make(function, args, kwargs)
        if not made.is_transparent:
            self._record(made)
        return made.result

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everything inside is recorded, a custom `autograd.Function` as one entry with its own backward."""
        with intercepting(), self.scopes.watch(lambda *output: _record_output(self, *output), self._is_watching), self:
            yield

    def _is_watching(self) -> bool:
        """Whether this thread runs the person's code under the tape: other threads run modules too, and so does a shadow."""
        return self in _get_current_function_mode_stack()

    def call(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        """For openers: record a Python function of ours as one operation."""
        with torch._C.DisableTorchFunction():  # what it is made of is not recorded
            return self._record_opened(function, args, kwargs)

    # -- the person's call and its shadow ---------------------------------------------------------------------------

    def _make(self, function: Callable, args: tuple, kwargs: dict) -> ModelCall:
        tensors: list[Tensor] = []
        shape = template(args, tensors), template(kwargs, tensors)
        sources = [self.bindings.source(tensor) for tensor in tensors]
        versions = [tensor._version for tensor in tensors]
        draws = may_draw(function)
        own = own_generator(args, kwargs) if draws else None
        state = torch.get_rng_state if own is None else own.get_state
        before = state() if draws else None
        result = function(*args, **kwargs)
        after = state() if before is not None else None
        if own is not None:  # made again it draws the same from torch's own generator
            shape = without_generator(shape[0]), without_generator(shape[1])
        if before is not None and torch.equal(before, after):
            before = after = None
        silent = [id(tensor) for tensor in silently_written(function, args, kwargs)]
        written = tuple([k for k, tensor in enumerate(tensors) if tensor._version != versions[k] or id(tensor) in silent])
        outputs = with_written(result, [tensors[k] for k in written])
        return ModelCall(
            function, *shape, tensors, sources, result, written, outputs, before, after, torch.get_rng_state() if own else None
        )

    def _record(self, made: ModelCall) -> None:
        _apply_what_ifs(self.bindings, made)
        entry = self._shadow(made) if made.tensors else self._record_created(made)
        for port, tensor in enumerate(made.outputs):
            self.bindings.bind(tensor, entry, port)
        if entry.operation == "detach":
            self.bindings.mark_alias(made.result, made.tensors[0])
        for k in made.written:
            self.bindings.propagate_write(made.tensors[k])

    def _shadow(self, made: ModelCall) -> TapeEntry:
        name = operation_name(made.function)
        if made.before is not None:
            torch.set_rng_state(made.before)
        leaves = self._leaves(made.tensors, made.sources)
        needed = tuple([part.requires_grad for part in leaves])
        call = Call(made.function, made.args, made.kwargs, made.written, needed, made.before)
        try:
            with self._own_saved_tensors():
                outputs = perform(call, leaves)[1]
        except Exception as error:
            message = f"{user_line()}: {name} ran in the model but not on the tape's copies of its inputs: {error}"
            raise TraceError(message) from error
        same_draws = made.after is None or torch.equal(made.after, torch.get_rng_state())
        if made.kept is not None:
            torch.set_rng_state(made.kept)
        if len(outputs) != len(made.outputs) or not same_draws:
            raise TraceError(
                f"{user_line()}: {name} does something else each time it is called: make it repeatable, "
                "and draw no random numbers in another thread meanwhile"
            )
        return self.bindings.add("operation", name, call, made.sources, leaves, outputs)

    def _record_created(self, made: ModelCall) -> TapeEntry:
        """A tensor made from nothing: a random draw is an operation, anything else a constant."""
        call = Call(made.function, made.args, made.kwargs, rng=made.before)
        kind = "constant" if made.before is None else "operation"
        copies = [output.detach().clone() for output in made.outputs]
        return self.bindings.add(kind, operation_name(made.function), call, [], [], copies)

    def _leaves(self, tensors: list[Tensor], sources: list[Source]) -> list[Tensor]:
        if not torch.is_grad_enabled():
            return [entry.values[port] for entry, port in sources]
        return [leaf(source, tensor.requires_grad) for tensor, source in zip(tensors, sources, strict=True)]

    def _own_saved_tensors(self):
        """Inside checkpoint() the shadow must keep what it saves, whatever the person's hooks do with theirs."""
        if torch._C._autograd._top_saved_tensors_default_hooks(True) is None:
            return nullcontext()
        self.recomputes = True
        return torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor.detach(), lambda tensor: tensor)

    # -- opened calls -----------------------------------------------------------------------------------------------

    def _open(self, opener: Callable, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Make the call, then again in textbook steps on the tape's tensors, kept only if they give the same."""
        if self._opening:
            opened = self._in_steps(opener, function, args, kwargs)
            return self._record_opened(function, args, kwargs) if opened is NotImplemented else opened
        made = self._make(function, args, kwargs)
        if made.is_transparent:
            return made.result
        count, numbering = len(self.bindings.entries), self.scopes.numbering() if self.bindings.what_ifs else None
        opened = self._opened(opener, made)
        agrees = opened is not None and agree(opened, made.outputs)
        if agrees:
            pairs = [end_of_steps(tensor.detach(), copy.detach()) for tensor, copy in zip(made.outputs, opened, strict=True)]
            inside = self.bindings.what_ifs.keys() & set(range(count, len(self.bindings.entries)))
            if inside:
                opened = self._opened_with_what_ifs(opener, made, count, numbering, inside)
            ends = [self.bindings.source(copy) for copy in opened]
            for output, (entry, port) in enumerate(ends):
                if pairs[output] and entry.id >= count and entry.id not in inside:
                    _hand_on(entry, port, _native(made, count), output, *pairs[output])
            if inside:
                live = _made_again(made, self.bindings.entries[count:])
                _replace_outputs(made, [live[entry.id, port] for entry, port in ends])
            for tensor, end in zip(made.outputs, ends, strict=True):
                self.bindings.bind(tensor, *end)
            for k in made.written:
                self.bindings.propagate_write(made.tensors[k])
        else:
            self.bindings.drop_after(count)
            self._record(made)
        return made.result

    def _opened(self, opener: Callable, made: ModelCall) -> list[Tensor] | None:
        """The outputs of the call in textbook steps on the tape's tensors; None if there are no such steps."""
        after = torch.get_rng_state()
        if made.before is not None:
            torch.set_rng_state(made.before)
        with self._own_saved_tensors():
            opened = self._in_steps(opener, made.function, *self._on_tape(made))
        same_draws = torch.equal(after, torch.get_rng_state())
        torch.set_rng_state(after)
        return tensors_in(opened) if opened is not NotImplemented and same_draws else None

    def _in_steps(self, opener: Callable, function: Callable, args: tuple, kwargs: dict) -> Any:
        outside, self._opening = self._opening, True
        line, self.bindings.line = self.bindings.line, self.bindings.line or user_line()
        named = nullcontext() if self.scopes.here.builtin else self.scopes.group(operation_name(function))
        try:
            with named, self:
                return opener(self, *args, **kwargs)
        finally:
            self._opening, self.bindings.line = outside, line

    def _on_tape(self, made: ModelCall) -> tuple[tuple, dict]:
        """The call's arguments with the tape's tensors in place of the person's; one tensor given twice stays one."""
        copies: dict[int, Tensor] = {}
        for tensor, copy, source in zip(made.tensors, self._leaves(made.tensors, made.sources), made.sources, strict=True):
            if id(tensor) not in copies:
                copies[id(tensor)] = copy if copy.requires_grad else copy.detach()
                self.bindings.bind(copies[id(tensor)], *source)
        tensors = [copies[id(tensor)] for tensor in made.tensors]
        return fill(made.args, tensors), fill(made.kwargs, tensors)

    def _record_opened(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        bindings = self.bindings
        tensors: list[Tensor] = []
        shape = template(args, tensors), template(kwargs, tensors) if kwargs else kwargs
        sources = [bindings.source(tensor) for tensor in tensors]
        leaves = self._leaves(tensors, sources)
        before = torch.get_rng_state() if may_draw(function) else None
        here = len(bindings.entries)
        made = altering(function, self._inside[here]) if here in self._inside else function
        result = made(*fill(shape[0], leaves), **fill(shape[1], leaves)) if kwargs else made(*fill(shape[0], leaves))
        outputs = with_written(result, [])
        if not outputs:
            return result
        rng = before if before is not None and not torch.equal(before, torch.get_rng_state()) else None
        call = Call(made, *shape, (), tuple([part.requires_grad for part in leaves]), rng)
        entry = bindings.add("operation", operation_name(function), call, sources, leaves, outputs)
        for port, tensor in enumerate(outputs):
            bindings.bind(tensor, entry, port)
        return result

    # -- what is supposed -------------------------------------------------------------------------------------------

    def _opened_with_what_ifs(self, opener: Callable, made: ModelCall, count: int, numbering: Counter, inside: set[int]) -> list[Tensor]:
        """The outputs of the call's textbook steps, made once more with what is supposed of some of them."""
        _refuse_in_place(made)
        self.bindings.drop_after(count)
        self.scopes.renumber(numbering)
        self._inside = self.bindings.what_ifs
        opened = self._opened(opener, made)
        self._inside = {}
        self.bindings.altered |= inside
        return opened

    # -- calls that make no node ------------------------------------------------------------------------------------

    def _answer(self, kind: str, function: Callable, args: tuple, kwargs: dict) -> Any:
        if kind == "gradient":
            raise TraceError(
                f"{user_line()}: gradients are computed inside the forward pass, which cannot be stepped: compute them after it, outside "
                "the module. A loss that needs them, such as a gradient penalty, is traced without that term; its share of the gradient is "
                "then not in the trace"
            )
        if kind == "set data":
            raise TraceError(
                f"{user_line()}: `.data = …` replaces a tensor behind autograd's back: use `with torch.no_grad(): tensor.copy_(…)`"
            )
        if kind == "read":
            self.reads.append(ValueRead(operation_name(function), user_line(), self.scopes.here.path))
            if operation_name(function) in ("numpy", "array"):
                self.bindings.suspects.append(
                    f"the numpy array made at {user_line()} shares its memory, and a write into it is not seen: "
                    "write into the tensor itself, or into a copy"
                )
        if kind == "branch":  # torch.cond (predicate, branch if true, branch if false, operands): only the one that is taken runs
            self.reads.append(ValueRead("cond", user_line(), self.scopes.here.path))
            with self:
                return args[1 if args[0] else 2](*args[3])
        if kind == "compiled":
            raise TraceError(
                f"{user_line()}: {operation_name(function)} runs what it is given compiled, which hides its calls: write it out in Python"
            )
        if kind == "hook":
            self.bindings.suspects.append(f"a gradient hook registered at {user_line()} may change it: remove it")
        if kind != "data":
            return function(*args, **kwargs)
        made = self._make(function, args, kwargs)
        self._record(made)
        self.bindings.mark_data(made.result)
        return made.result


def _native(made: ModelCall, first: int) -> NativeResult:
    """The call as it was made, for a replay."""
    needed = tuple([torch.is_grad_enabled() and tensor.requires_grad for tensor in made.tensors])
    call = Call(made.function, made.args, made.kwargs, made.written, needed, made.before)
    return NativeResult(first, call, tuple([(entry.id, port) for entry, port in made.sources]), {})


def _hand_on(entry: TapeEntry, port: int, native: NativeResult, output: int, own: Tensor, given: Tensor) -> None:
    """Let the step that ends an opened call hand on what the call itself gave."""
    ends = (entry.call.native.ends if entry.call.native else {}) | {port: (output, own, given)}
    entry.call = entry.call._replace(native=native._replace(ends=ends))
    entry.outputs[port] = handed_on(entry.outputs, native._replace(ends={port: ends[port]}))[port]
    entry.values[port] = entry.outputs[port].detach()


def _record_output(tape: Tape, path: str, output: Any) -> None:
    """A module of the forward phase has returned this."""
    if tape.bindings.phase == "forward" and isinstance(output, Tensor):
        with torch._C.DisableTorchFunction():
            held = tape.bindings.held(output)
        if held is not None:
            tape.outputs[path] = held


def grouped(name: str) -> AbstractContextManager:
    """For a module's forward: while a tape records, what runs inside `with` belongs to the group `name`; otherwise nothing happens."""
    if not torch._C._len_torch_function_stack():
        return nullcontext()
    tape = next((mode for mode in reversed(_get_current_function_mode_stack()) if isinstance(mode, Tape)), None)
    return tape.scopes.group(name) if tape else nullcontext()


def _apply_what_ifs(bindings: Bindings, made: ModelCall) -> None:
    """If another value is supposed of the entry to come, let the person's run go on with that one."""
    what_ifs = bindings.what_ifs.get(len(bindings.entries))
    if what_ifs:
        _refuse_in_place(made)
        bindings.altered.add(len(bindings.entries))
        made.function, made.result = altering(made.function, what_ifs), altered_result(made.result, what_ifs)
        made.outputs = with_written(made.result, [made.tensors[k] for k in made.written])


def _is_in_place(made: ModelCall) -> bool:
    results = tensors_in(made.result)
    return not results or any(results[0] is tensor for tensor in made.tensors)


def _refuse_in_place(made: ModelCall) -> None:
    if _is_in_place(made):
        raise TraceError(
            f"{user_line()}: {operation_name(made.function)} writes in place, so no other value can be supposed of it: "
            "change the node before it or behind it"
        )


def _made_again(made: ModelCall, entries: list[TapeEntry]) -> dict[tuple[int, int], Tensor]:
    """Recorded entries, made on the person's tensors with the same random numbers: (entry, output) -> tensor."""
    live = {(made.sources[k][0].id, made.sources[k][1]): tensor for k, tensor in enumerate(made.tensors) if k not in made.written}
    state = torch.get_rng_state()
    for entry in entries:
        if entry.call.rng is not None:
            torch.set_rng_state(entry.call.rng)
        tensors = [live.get((source.id, port), source.values[port]) for source, port in entry.sources]
        with torch.set_grad_enabled(any(entry.call.differentiable)):
            live |= {(entry.id, port): output for port, output in enumerate(handed_on(perform(entry.call, tensors)[1], entry.call.native))}
    torch.set_rng_state(state)
    return live


def _replace_outputs(made: ModelCall, outputs: list[Tensor]) -> None:
    """Let these be what the call returned and wrote."""
    returned = len(tensors_in(made.result))
    made.result = refilled(made.result, iter(outputs[:returned]))
    for statistic, value in zip(made.outputs[returned:], outputs[returned:], strict=True):
        statistic.data.copy_(value)  # as batch norm writes its own: other calls may have saved it
    made.outputs[:returned] = outputs[:returned]
