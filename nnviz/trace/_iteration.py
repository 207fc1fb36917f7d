"""One training iteration, captured: run the module once under the tape, go back through it, check it, say what the
optimizer would do.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from nnviz.operations.table import row_of

from ._backward import run_backward
from ._notes import notes_of
from ._parts import Part, check_given, filled_in_unseen, hooks_before, misfit, module_of, modules_of, parts_of
from .bindings import Bindings, TapeEntry
from .openers import Openers, require_groups
from .record import Clipping, Node, TraceError, Update, dense, perform, tensors_in
from .scopes import Scopes
from .tape import Tape
from .trace import Trace, plan_steps
from .updates import clip_gradients, plan_updates
from .verify import compare, compare_loss, largest_of, overwritten, true_gradients
from .what_if import ValueChange, by_node


@contextmanager
def _without_collector() -> Iterator[None]:
    """Python's cycle collector waits: a capture makes no cycles, and looking for them takes a sixth of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@_without_collector()  # around it, so that the tape is gone when the collector looks again
def capture(
    module: nn.Module | Callable,
    *inputs: Any,
    loss: Callable[[Any, Any], Tensor] | None = None,
    target: Any = None,
    optimizer: Optimizer | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    detail: str = "textbook",
    penalty: Callable[[nn.Module], Tensor] | None = None,
    what_ifs: Sequence[ValueChange] = (),
    details: Mapping[str, str] = MappingProxyType({}),
    locked: Mapping[str, Tensor] = MappingProxyType({}),
    kwargs: Mapping[str, Any] = MappingProxyType({}),
    batch_axis: int | None = None,
    **keywords: Any,
) -> Trace:
    """Return the trace of one iteration of any module: forward, loss, backward, clip, update.

    `module` may be a function too; other keywords go to it, and `kwargs` those that are named like an option of capture. `loss(output,
    target)` gives the scalar (without it the module, or `loss` of what it returns); `penalty(module)` is added. `batch_axis`: the axis of
    the first input that counts rows, for `show`. `detail`: `layer` (the calls as made), `textbook` (recurrent nets, dropout, attention and
    batch norm opened), `math` (losses and layer norm too); `details`: another one for some groups (`{"encoder/layers/0": "math"}`).
    `what_ifs`: other values for some nodes, everything behind them made again with the same random numbers, and so compared. `locked`: by
    parameter the elements that clipping leaves out of the norm. Afterwards the module stands as after one forward (statistics, generator);
    parameters, `.grad` and optimizer untouched.

    Raises TraceError, naming place and cure, for what cannot be traced truthfully; the module's errors come through.
    """
    check_given(loss, penalty, optimizer, batch_axis, (inputs, {**keywords, **kwargs}))
    given = Given(module, module_of(module), inputs, {**keywords, **kwargs}, loss, target, penalty)
    modules, named = modules_of(given.module, loss)
    parts = parts_of(modules, module, inputs, given.keywords, target)
    tape = Tape(Bindings(Scopes(named), _names(parts), by_node(what_ifs)), Openers(detail, details))
    tape.bindings.suspects += hooks_before(named, parts)
    with torch.enable_grad(), _with_what_ifs(tape):
        real = _run(tape, given, named)
        with _by_name(tape):
            run = _trained_once(tape, modules, parts, real, optimizer, (clip_norm, clip_value, locked))
            return _trace_of(tape, run, detail, details, what_ifs, batch_axis)


class Iteration(NamedTuple):
    """What follows the run: the gradients, proven, and what the optimizer would do with them."""

    end: TapeEntry
    gradients: Mapping[str, Mapping[str, Tensor | None]]
    worst: float
    true: Mapping[str, Tensor | None]
    clipping: Clipping | None
    updates: tuple[Update, ...]
    notes: tuple[str, ...]


def _trained_once(tape: Tape, modules: Mapping, parts: list[Part], real: Tensor, optimizer: Optimizer | None, clip: tuple) -> Iteration:
    end = _loss_entry(tape, real)
    run_backward(tape.bindings.entries, end)
    live = _live(parts, tape)
    gradients = {kind: _totals(tape.bindings.entries, kind, live[kind]) for kind in live}
    worst, true = _verify(tape, modules, real, end, live, gradients)
    given = {name: None if gradient is None else dense(gradient) for name, gradient in true.items()}
    clipping = clip_gradients(given, *clip)
    updates = plan_updates(optimizer, live["parameter"], given, clipping, true)
    return Iteration(
        end, gradients, worst, true, clipping, updates, notes_of(tape, end, live["parameter"], gradients["parameter"], optimizer)
    )


class Given(NamedTuple):
    """What a capture was asked to run."""

    called: Callable
    module: nn.Module
    inputs: tuple
    keywords: Mapping[str, Any]
    loss: Callable | None
    target: Any
    penalty: Callable | None


@contextmanager
def _with_what_ifs(tape: Tape) -> Iterator[None]:
    """Whatever is supposed inside, afterwards the person's tensors are as they were."""
    try:
        yield
    except (RuntimeError, IndexError, ValueError) as error:
        if not tape.bindings.what_ifs or isinstance(error, TraceError):
            raise
        raise TraceError(f"with what is supposed the iteration cannot be made: {error}") from error
    finally:
        tape.bindings.restore()


@contextmanager
def _by_name(tape: Tape) -> Iterator[None]:
    """The person's code has run: an error from here on is none of theirs, and is said in a sentence."""
    try:
        yield
    except Exception as error:
        if isinstance(error, TraceError) or tape.bindings.what_ifs:
            raise
        raise TraceError(f"the iteration ran, but it cannot be stepped: {type(error).__name__}: {error}") from error


def _names(parts: list[Part]) -> dict[int, tuple[str, str]]:
    return {id(part.tensor): (part.kind, part.name) for part in parts}


def _run(tape: Tape, given: Given, named: Mapping[str, nn.Module]) -> Tensor:
    """The person's run: its loss, still with its own autograd graph."""
    with _by_name(tape):
        for tensor in tensors_in((given.inputs, given.keywords)):
            tape.bindings.source(tensor)
    with filled_in_unseen(named), tape.running():
        output = _output(given)
        tape.bindings.phase = "loss"
        with nullcontext() if isinstance(given.loss, nn.Module) else tape.scopes.group("loss"):
            total = _loss_of(given, output)
        if given.penalty is not None:
            with tape.scopes.group("penalty"):
                total = total + given.penalty(given.module)
    if tape.openers.paths:
        require_groups(tape.openers.paths, {entry.group for entry in tape.bindings.entries if entry.call is not None})
    if isinstance(total, Tensor) and total.numel() == 1 and total.is_floating_point():
        return total
    found = f"a tensor of shape {tuple(total.shape)}" if isinstance(total, Tensor) else f"a {type(total).__name__}"
    found += f" of {total.dtype}" if isinstance(total, Tensor) and not total.is_floating_point() else ""
    raise TraceError(f"the loss must be one floating-point number, but it is {found}: give capture a loss=, or reduce it with .mean()")


def _output(given: Given) -> Any:
    try:
        return given.called(*given.inputs, **given.keywords)
    except Exception as error:
        if type(error).__module__.startswith("torch._dynamo"):
            raise TraceError(
                f"torch compiled a part of the iteration, which hides its calls: run the module once before ({error})"
            ) from error
        wrong = isinstance(error, TypeError) and misfit(given.called, given.inputs, given.keywords)
        if not wrong:
            raise
        raise TraceError(f"the arguments are not those of what is traced: {wrong}") from error


def _loss_of(given: Given, output: Any) -> Any:
    if given.loss is None:
        held = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
        return held if isinstance(held, Tensor) else output
    try:
        return given.loss(output, given.target)
    except (TypeError, AttributeError) as error:
        if given.target is not None:
            raise
        raise TraceError(f"the loss cannot be computed from the output and no target: give capture a target= ({error})") from error


def _loss_entry(tape: Tape, real: Tensor) -> TapeEntry:
    entry, _ = tape.bindings.source(real)
    if not entry.sources:
        raise TraceError("the loss is not computed from anything: it must be the result of torch operations in the module or the loss")
    entry.kind = entry.phase = "loss"
    missed = tape.bindings.what_ifs.keys() - tape.bindings.altered
    if missed:
        raise TraceError(f"no other value can be supposed of node {min(missed)}: no call in this iteration makes it")
    return entry


# -- the gradients of the person's own tensors ---------------------------------------------------------------------


def _live(parts: list[Part], tape: Tape) -> dict[str, dict[str, Tensor]]:
    """The person's tensors a gradient may belong to: every parameter, and the inputs that require one."""
    parameters = {part.name: part.tensor for part in parts if part.kind == "parameter" and not is_lazy(part.tensor)}
    inputs = {part.name: part.tensor for part in parts if part.kind == "input" and part.tensor.requires_grad}
    return {"parameter": parameters | tape.bindings.parameters, "input": inputs}


def _totals(entries: list[TapeEntry], kind: str, live: Mapping[str, Tensor]) -> dict[str, Tensor | None]:
    """By name; a tensor that was met several times (written in between) has the sum, one that was never met None."""
    totals: dict[str, Tensor | None] = dict.fromkeys(live)
    for entry in entries:
        if entry.kind == kind and entry.gradients[0] is not None:
            so_far = totals.get(entry.label)
            totals[entry.label] = entry.gradients[0] if so_far is None else so_far + entry.gradients[0]
    return totals


def _verify(
    tape: Tape, modules: Mapping[str, nn.Module], real: Tensor, end: TapeEntry, live: Mapping, gradients: Mapping
) -> tuple[float, Mapping[str, Tensor | None]]:
    """The worst error against the person's own autograd graph, and its parameter gradients. Raises TraceError if they differ."""
    compare_loss(end.values[0], real, [source.values[port] for source, port in end.sources], tape.bindings.suspects)
    tensors = {(kind, name): tensor for kind in live for name, tensor in live[kind].items() if tensor.requires_grad}
    with _undisturbed(modules if tape.recomputes else {}):
        try:
            true = true_gradients(real, tensors)
        except RuntimeError as error:
            if "modified by an inplace operation" not in str(error):
                raise
            raise overwritten(tape.bindings.entries, error) from error
    traced = {(kind, name): gradients[kind][name] for kind, name in true}
    worst = compare(traced, true, lambda: _largest_gradient(tape, end), tape.bindings.suspects)
    return worst, {name: gradient for (kind, name), gradient in true.items() if kind == "parameter"}


def _largest_gradient(tape: Tape, end: TapeEntry) -> float:
    return largest_of(gradient for entry in tape.bindings.entries if entry is not end for gradient in entry.gradients)


@contextmanager
def _undisturbed(modules: Mapping[str, nn.Module]) -> Iterator[None]:
    """Whatever runs inside, the generator and the modules' buffers stay as they are."""
    state = torch.get_rng_state()
    buffers = [(buffer, buffer.clone()) for module in modules.values() for buffer in module.buffers()]
    try:
        yield
    finally:
        torch.set_rng_state(state)
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)


# -- the record ----------------------------------------------------------------------------------------------------


def _trace_of(
    tape: Tape, run: Iteration, detail: str, details: Mapping[str, str], what_ifs: Sequence[ValueChange], axis: int | None
) -> Trace:
    nodes = tuple([_node_of(entry) for entry in tape.bindings.entries])
    return Trace(
        nodes=nodes,
        steps=plan_steps(nodes, run.clipping is not None, run.updates),
        loss=run.end.values[0].item(),
        loss_node=run.end.id,
        detail=detail,
        details=MappingProxyType(dict(details)),
        worst_error=run.worst,
        parameter_gradients=MappingProxyType(run.gradients["parameter"]),
        input_gradients=MappingProxyType(run.gradients["input"]),
        updates=run.updates,
        clipping=run.clipping,
        value_reads=tuple(tape.reads),
        true_gradients=MappingProxyType({name: None if true is None else dense(true) for name, true in run.true.items()}),
        what_ifs=tuple(what_ifs),
        outputs=MappingProxyType({path: (entry.id, port) for path, (entry, port) in tape.outputs.items()}),
        notes=run.notes,
        batch_axis=axis,
    )


def _node_of(entry: TapeEntry) -> Node:
    return Node(
        entry.id, entry.kind, entry.operation, entry.label, entry.module, entry.group, entry.phase, entry.where,
        tuple([source.id for source, _ in entry.sources]), tuple([port for _, port in entry.sources]),
        tuple(entry.values), tuple(entry.gradients), tuple(entry.contributions), entry.reads,
        tuple([source.values[port] for source, port in entry.sources]), _dropped(entry), entry.call,
    )  # fmt: skip


def _dropped(entry: TapeEntry) -> Tensor | None:
    """Which elements a dropout dropped: its own call on ones, with the numbers it drew."""
    if entry.call is None or entry.call.rng is None or not row_of(entry.operation).drops:
        return None
    with _undisturbed({}), torch.no_grad():
        torch.set_rng_state(entry.call.rng)
        ones = [torch.ones_like(source.values[port]) for source, port in entry.sources]
        return perform(entry.call, ones)[1][0] == 0
