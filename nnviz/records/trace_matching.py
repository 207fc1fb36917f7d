"""What in one trace is what in another: nodes, places of the cursor, what is supposed. Between tensors and neurons, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord, StepRecord, WhatIf
from nnviz.records.trace_state import TraceState

Element = tuple[int | None, ...]
"""A place in a tensor; None: everywhere along that axis."""


# --- nodes ------------------------------------------------------------------------------------------------------------


def same_node(old: TraceState | None, new: TraceState | None, node: int | None) -> int | None:
    """Return the node of the new trace that is what `node` was in the old one; None if there is none, or no trace."""
    if node is None or old is None or new is None or node >= len(old.index.trace.nodes):
        return None
    return counterpart(old.index, new.index, node)


def followed(old: TraceState | None, new: TraceState | None, node: int | None, is_pinned: bool) -> int | None:
    """Return the chosen node after a move: a step leaves it and all follows the cursor again, unless it is pinned or where the step led."""
    kept = same_node(old, new, node)
    is_left = kept is not None and new.index is old.index and new.cursor != old.cursor and not is_pinned
    return None if is_left and (new.node is None or new.node.id != kept) else kept


def at_hand(state: TraceState | None, chosen: int | None) -> int | None:
    """Return the node that is meant without being named: the chosen one, else the one the cursor is at."""
    here = state.node if state else None
    return chosen if chosen is not None or here is None else here.id


def shown_node(state: TraceState | None, node: int, element: tuple[int, ...] = ()) -> int:
    """Return what a node with whole tensors is in the trace on the screen: where that is opened into neurons, this one or the first."""
    own = state.index.scalars_of.get(node, {}) if state else {}
    return own.get(element, next(iter(own.values()), node))


def counterpart(old: TraceIndex, new: TraceIndex, node: int) -> int | None:
    """Return the node of the new trace that is what `node` is in the old one; None if there is none.

    Of a tensor's neurons it is the first; of a neuron its tensor.
    """
    if old is new:
        return node
    if old.is_scalar != new.is_scalar:
        tensor = counterpart(old.whole, new.whole, old.tensor_of(node).id)
        return next(iter(new.scalars_of.get(tensor, {}).values()), None) if new.is_scalar else tensor
    return found_again(new, old.node(node))


def found_again(index: TraceIndex, node: NodeRecord) -> int | None:
    """Return the node of a trace that is what this one of another trace is, both with whole tensors or both not; None if none is."""
    wanted, nodes = _identity(node), index.trace.nodes
    if node.id < len(nodes) and _identity(nodes[node.id]) == wanted:
        return node.id
    return next((other.id for other in nodes if _identity(other) == wanted), None)


def _identity(node: NodeRecord) -> tuple:
    return node.kind, node.operation, node.label, node.module, node.group, node.phase


# --- places -----------------------------------------------------------------------------------------------------------


def same_place(old: TraceIndex, new: TraceIndex, cursor: int) -> int:
    """Return the place in `new` that shows what `cursor` shows in `old`.

    That is the same step; between tensors and neurons the last one of the same phase at the same tensor; else the last one of its
    layer and phase, else the last one of its phase. The start stays the start and the end the end, whatever the detail.
    """
    if cursor == 0 or cursor >= old.length:
        return new.length if cursor else 0
    step = old.trace.steps[cursor - 1]
    if old.is_scalar == new.is_scalar and cursor <= new.length and _name(old, step) == _name(new, new.trace.steps[cursor - 1]):
        return cursor
    across = _at_same_tensor(old, new, step) if old.is_scalar != new.is_scalar else []
    in_region = [other.index + 1 for other in new.trace.steps if _region(new, other) == _region(old, step)]
    in_phase = [other.index + 1 for other in new.trace.steps if other.phase == step.phase]
    return (across or in_region or in_phase or [new.length])[-1]


def _at_same_tensor(old: TraceIndex, new: TraceIndex, step: StepRecord) -> list[int]:
    wanted = {counterpart(old.whole, new.whole, tensor) for tensor in _tensors(old, step)}
    found = (other for other in new.trace.steps if other.phase == step.phase)
    return [other.index + 1 for other in found if not wanted.isdisjoint(_tensors(new, other))]


def _tensors(index: TraceIndex, step: StepRecord) -> set[int]:
    return {index.tensor_of(node).id for node in (step.node, *step.others) if node >= 0}


def _region(index: TraceIndex, step: StepRecord) -> tuple[str, str]:
    group = index.node(step.node).group if step.node >= 0 else ()
    return step.phase, (*group, "")[0]


def _name(index: TraceIndex, step: StepRecord) -> tuple:
    label = index.node(step.node).label if step.node >= 0 else ""
    return *_region(index, step), label, step.parameter


# --- what is supposed -------------------------------------------------------------------------------------------------


def same_what_ifs(old: TraceIndex, new: TraceIndex, items: Iterable[WhatIf]) -> tuple[WhatIf, ...] | None:
    """Return what supposes the same in the new trace; None if something of it has no place there."""
    if not old.is_scalar and new.is_scalar:
        parts = [tuple(_of_neurons(old, new, item)) for item in items]
        return tuple(one for part in parts for one in part) if all(parts) else None
    found = [(item, counterpart(old, new, item.node)) for item in items]
    if any(node is None or new.node(node).shape != _shape(old, new, item.node) for item, node in found):
        return None
    if old.is_scalar and not new.is_scalar:
        return tuple(_gathered(old, found))
    return tuple(WhatIf(node, item.kind, item.value, item.element) for item, node in found)


def _shape(old: TraceIndex, new: TraceIndex, node: int) -> tuple[int, ...]:
    return (old.node(node) if old.is_scalar == new.is_scalar else old.tensor_of(node)).shape


def _of_neurons(old: TraceIndex, new: TraceIndex, item: WhatIf) -> Iterator[WhatIf]:
    """The same of every neuron that is one of the elements; nothing for a tensor that is not there."""
    tensor = counterpart(old, new.whole, item.node)
    if tensor is None or new.whole.node(tensor).shape != old.node(item.node).shape:
        return
    wanted: Element = item.element or (None,) * len(old.node(item.node).shape)
    for element, neuron in new.scalars_of.get(tensor, {}).items():
        is_batched = new.node(neuron).batch_axis is not None
        row, own = (wanted[:1], wanted[1:]) if is_batched else ((), wanted)
        if all(place in (None, at) for place, at in zip(own, element, strict=True)):
            yield WhatIf(neuron, item.kind, item.value, None if row in ((), (None,)) else row)


def _gathered(old: TraceIndex, found: Iterable[tuple[WhatIf, int]]) -> Iterator[WhatIf]:
    """The same of the neurons' tensors; where all of one are supposed to be the same it is said once."""
    together: dict[tuple, list[Element]] = {}
    for item, tensor in found:
        neuron = old.node(item.node)
        row = (item.element or (None,)) if neuron.batch_axis is not None else ()
        together.setdefault((tensor, item.kind, item.value, row, neuron.whole), []).append(neuron.element)
    for (tensor, kind, value, row, whole), elements in together.items():
        if set(elements) == set(old.scalars_of[whole]):
            elements = [(None,) * len(elements[0])]
        for element in elements:
            place = (*row, *element)
            yield WhatIf(tensor, kind, value, None if set(place) <= {None} else place)
