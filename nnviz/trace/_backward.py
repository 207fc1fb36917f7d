"""The gradient of every entry, addend by addend, from the tape's own graph.

Every use of a value has an alias of its own as its leaf. So the gradient of a leaf is exactly what that use sends back,
and one run of the autograd engine over all leaves makes every backward step of the iteration at once.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from .bindings import TapeEntry
from .record import Contribution, dense


def run_backward(entries: list[TapeEntry], loss: TapeEntry) -> None:
    """Fill `gradients`, `contributions` and `reads` of every entry, from the loss back to the beginning."""
    for entry in entries:
        entry.gradients = [None] * len(entry.values)
    if not loss.outputs[0].requires_grad:
        return
    loss.gradients[0] = torch.ones_like(loss.values[0])
    reached = [entry for entry in entries[: loss.id + 1] if entry.leaves]
    reads = [_reads(entry) for entry in reached]  # before the engine frees what was saved
    uses = [(entry, k) for entry in reversed(reached) for k, leaf in enumerate(entry.leaves) if leaf.requires_grad]
    sent = torch.autograd.grad(loss.outputs[0], [entry.leaves[k] for entry, k in uses], allow_unused=True)
    for (entry, argument), gradient in zip(uses, sent, strict=True):
        if gradient is not None:
            receiver, port = entry.sources[argument]
            receiver.contributions.append(Contribution(entry.id, argument, dense(gradient), port))
    for entry in entries[: loss.id]:
        _add_up(entry)
    for entry, read in zip(reached, reads, strict=True):
        if entry.contributions or entry is loss:
            entry.reads = read


def _add_up(entry: TapeEntry) -> None:
    """The sum of every output's contributions, in the order in which they arrived."""
    if len(entry.contributions) == 1:
        entry.gradients[entry.contributions[0].output] = entry.contributions[0].gradient
        return
    summed = set()
    for _, _, gradient, port in entry.contributions:
        total = entry.gradients[port]
        if total is None:
            entry.gradients[port] = gradient
        elif port in summed:
            total += gradient  # its own by now: a weight used at every time step needs no new tensor for each
        else:
            entry.gradients[port] = total + gradient
            summed.add(port)


def _reads(entry: TapeEntry) -> tuple[int, ...]:
    """The entries whose forward values the backward of this one reads: what its part of the graph saved, by memory."""
    saved = _saved_places(entry)
    if not saved:
        return ()
    read = {source.id for leaf, (source, _) in zip(entry.leaves, entry.sources, strict=True) if not saved.isdisjoint(_places(leaf))}
    if any([not saved.isdisjoint(_places(output)) for output in entry.outputs]):
        read.add(entry.id)
    return tuple(sorted(read))


def _places(tensor: Tensor) -> tuple[int, ...]:
    """Where its numbers lie in memory."""
    if tensor.layout is torch.strided and not tensor.is_nested:
        return (tensor.data_ptr(),)
    if tensor.is_nested:
        return (tensor.values().data_ptr(),)
    if tensor.layout == torch.sparse_coo:
        return (tensor._values().data_ptr(),)
    return (tensor.values().data_ptr(),) if tensor.layout in _COMPRESSED else ()


_COMPRESSED = (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)


def _saved_places(entry: TapeEntry) -> set[int]:
    """Where the tensors lie that the entry's own functions saved: those between its outputs and its leaves."""
    seen = {leaf.grad_fn for leaf in entry.leaves}
    seen.add(None)
    waiting = [output.grad_fn for output in entry.outputs]
    places: set[int] = set()
    for function in waiting:  # which grows meanwhile
        if function in seen:
            continue
        seen.add(function)
        for name in _saved_names(type(function)):
            saved = getattr(function, name)
            for tensor in (saved,) if isinstance(saved, Tensor) else saved or ():  # one, or a tuple of them
                places.update(() if tensor is None else _places(tensor))
        waiting += [following for following, _ in function.next_functions if following not in seen]
    return places


@lru_cache(maxsize=1024)
def _saved_names(kind: type) -> tuple[str, ...]:
    """What such a function keeps tensors under; a name without a `_raw` twin keeps a number."""
    names = tuple([name for name in dir(kind) if name.startswith("_saved_") and hasattr(kind, "_raw" + name)])
    return names or (("saved_tensors",) if hasattr(kind, "saved_tensors") else ())
