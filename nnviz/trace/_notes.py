"""What is easily overlooked in an iteration, a sentence each: nothing is trained, a value was read, more pairs are compared than meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer

from nnviz.operations.table import row_of

from .bindings import TapeEntry
from .interception import is_fast_path
from .record import is_written_by_hand
from .tape import Tape

_OF_VALUES = {"nonzero", "argwhere", "masked_select", "unique", "unique_consecutive"}
"""What gives as many elements as the values say."""


def notes_of(
    tape: Tape, end: TapeEntry, parameters: Mapping[str, Tensor], gradients: Mapping[str, Tensor | None], optimizer: Optimizer | None
) -> tuple[str, ...]:
    """Return the sentences, what keeps the net from learning first."""
    entries = tape.bindings.entries
    found = [_of_gradients(end, parameters, gradients), *_of_optimizer(parameters, optimizer)]
    found += [_of_reads([read.where for read in tape.reads]), _of_sizes(entries), _of_compiled(tape)]
    found += [_of_pairs(entry) for entry in entries if entry.call is not None and row_of(entry.operation).parts]
    found += [
        f"{entry.where}: {entry.module or entry.operation} takes torch's fast path (in evaluation, where no gradient is asked of it): "
        "it is one step here, and padded places come out as torch makes them there."
        for entry in entries
        if entry.call is not None and is_fast_path(entry.call.function)
    ]
    found += [
        f"{entry.where}: {entry.operation} has a backward of its own, so what it sends back need not be the derivative of what it computes."
        for entry in entries
        if entry.call is not None and is_written_by_hand(entry.call) and not entry.call.function.__module__.startswith("nnviz.")
    ]
    return tuple(dict.fromkeys(filter(None, found)))


def _of_gradients(end: TapeEntry, parameters: Mapping[str, Tensor], gradients: Mapping[str, Tensor | None]) -> str:
    trained = [name for name, parameter in parameters.items() if parameter.requires_grad]
    if not parameters:
        return ""
    if not trained:
        return "No parameter requires a gradient, so nothing is trained: call requires_grad_(True) on those that should be."
    if not any(gradients.get(name) is not None for name in trained):
        cut = _cut(end)
        where = f": {cut.operation} at {cut.where} cuts it off" if cut else ": the loss is computed from none of them"
        return f"No gradient reaches any parameter, so nothing is trained{where}."
    missed = [name for name in trained if gradients.get(name) is None]
    return f"No gradient reaches {_listed(missed)}: the loss does not depend on {'it' if len(missed) == 1 else 'them'}." if missed else ""


def _cut(end: TapeEntry) -> TapeEntry | None:
    """The call nearest to the loss that was given something with a gradient and returns nothing with one."""
    waiting, seen = [end], set()
    while waiting:
        entry = waiting.pop(0)
        sources = [source for source, _ in entry.sources]
        if any([source.outputs[port].requires_grad for source, port in entry.sources]):
            return entry
        waiting += [source for source in sources if source.id not in seen]
        seen |= {source.id for source in sources}
    return None


def _of_optimizer(parameters: Mapping[str, Tensor], optimizer: Optimizer | None) -> Iterable[str]:
    if optimizer is None:
        return
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    own = {id(parameter): name for name, parameter in parameters.items()}
    if not held & own.keys():
        yield "The optimizer holds no parameter of this module, so nothing is updated: make it from module.parameters()."
        return
    left = [name for key, name in own.items() if key not in held and parameters[name].requires_grad]
    if left:
        yield f"The optimizer does not hold {_listed(left)}, which so {'stays as it is' if len(left) == 1 else 'stay as they are'}."
    if held - own.keys():
        yield f"The optimizer also holds {len(held - own.keys())} parameters that are not of this module."


def _of_reads(places: list[str]) -> str:
    if not places:
        return ""
    return f"The graph is true for this batch only: the code reads a value at {_listed(list(dict.fromkeys(places)))}."


def _of_sizes(entries: list[TapeEntry]) -> str:
    """The graph of a mixture of experts written with nonzero has other rows in other places with every batch."""
    places = [f"{entry.operation} at {entry.where}" for entry in entries if entry.call is not None and _has_size_of_values(entry)]
    return (
        f"Shapes are true for this batch only: values decide how many rows {_listed(list(dict.fromkeys(places)))} gives." if places else ""
    )


def _has_size_of_values(entry: TapeEntry) -> bool:
    given = [source.values[port] for source, port in entry.sources]
    if entry.operation in ("getitem", "index_select", "index"):
        return any([tensor.dtype == torch.bool for tensor in given[1:]])
    if entry.operation == "where":
        return len(given) == 1
    return entry.operation in _OF_VALUES or (entry.operation == "repeat_interleave" and len(given) > 1)


def _of_compiled(tape: Tape) -> str:
    named = tape.scopes.compiled
    return f"What torch.compile has compiled ({_listed(named)}) runs here as it was written, which may round differently." if named else ""


def _of_pairs(entry: TapeEntry) -> str:
    """A loss of (output, target) whose shapes differ compares more pairs than either has elements."""
    shapes = [tuple(source.values[port].shape) for source, port in entry.sources[:2]]
    if not row_of(entry.operation).compares_elements or len(shapes) < 2 or shapes[0] == shapes[1]:
        return ""
    sizes = " with ".join(["×".join(map(str, shape)) or "one number" for shape in shapes])
    return f"{entry.where}: {entry.operation} compares {sizes}, spread over each other: give both one shape, if every row has one target."


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
