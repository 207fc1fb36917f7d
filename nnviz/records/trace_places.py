"""Where the cursor goes: pure functions from (trace index, cursor) to a cursor, one for each way of stepping."""

from __future__ import annotations

from collections.abc import Callable, Collection

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import EdgeRecord, StepRecord

Folded = Callable[[int], Collection[int]]


def clamped(index: TraceIndex, cursor: int) -> int:
    """Return the cursor, moved into the trace if it is outside."""
    return max(0, min(cursor, index.length))


def to_phase(index: TraceIndex, cursor: int, direction: int) -> int:
    """Return the place after the first step of the next phase, or (direction −1) of this one, or of the one before if it stands there.

    Behind the last phase comes the end, before the first the start.
    """
    steps = index.trace.steps
    firsts = [step.index + 1 for step in steps if step.index == 0 or steps[step.index - 1].phase != step.phase]
    if direction > 0:
        return next((first for first in firsts if first > cursor), index.length)
    return next((first for first in reversed(firsts) if first < cursor), 0)


def to_layer(index: TraceIndex, cursor: int, direction: int) -> int:
    """Return the place after the nearest step of another layer or phase, forward (+1) or back (−1); else the end or the start."""
    steps = index.trace.steps
    here = _region(index, steps[cursor - 1]) if cursor else None
    others = steps[cursor:] if direction > 0 else reversed(steps[: max(0, cursor - 1)])
    end = index.length if direction > 0 else 0
    return next((step.index + 1 for step in others if _region(index, step) != here), end)


def over(index: TraceIndex, cursor: int, direction: int, folded: Folded) -> int:
    """Return the place one node further, forward (+1) or back (−1); a folded group is one node in each phase.

    `folded` returns the nodes that are folded to one card with a node; empty for a node that stands alone.
    """
    place = clamped(index, cursor + direction)
    if place == cursor:
        return cursor
    first, last = run_through(index, max(cursor, place), folded)
    return last if direction > 0 else first - 1


def into(index: TraceIndex, cursor: int, folded: Folded) -> int:
    """Return the place after the first step in the folded group that the cursor stands in; behind its last step, the next place."""
    return run_through(index, cursor, folded)[0] if is_in_group(index, cursor, folded) else clamped(index, cursor + 1)


def out(index: TraceIndex, cursor: int, around: Folded | None = None) -> int:
    """Return the place after the first step behind the innermost group that the cursor stands in, or of the next phase; else the end.

    `around` returns the nodes of that group, none for a node in no group; without it the trace's own groups count.
    """
    if not cursor:
        return clamped(index, 1)
    here = index.trace.steps[cursor - 1]
    members = (around or _fellows(index))(here.node)
    behind = (step for step in index.trace.steps[cursor:] if step.phase != here.phase or (members and step.node not in members))
    return next((step.index + 1 for step in behind), index.length)


def _fellows(index: TraceIndex) -> Folded:
    def around(node: int) -> Collection[int]:
        group = index.node(node).group if node >= 0 else ()
        return {other.id for other in index.trace.nodes if group and other.group[: len(group)] == group}

    return around


def is_in_group(index: TraceIndex, cursor: int, folded: Folded) -> bool:
    """Return whether the step just made was made in a folded group, and another of it is to come."""
    return cursor > 0 and bool(folded(index.trace.steps[cursor - 1].node)) and run_through(index, cursor, folded)[1] > cursor


def run_through(index: TraceIndex, place: int, folded: Folded) -> tuple[int, int]:
    """Return the first and the last place of the steps of one phase that a folded group makes in a row around this place."""
    steps, here = index.trace.steps, index.trace.steps[place - 1]
    members = folded(here.node)
    first = last = place
    while first > 1 and steps[first - 2].phase == here.phase and steps[first - 2].node in members:
        first -= 1
    while last < len(steps) and steps[last].phase == here.phase and steps[last].node in members:
        last += 1
    return first, last


def to_node(index: TraceIndex, cursor: int, node: int) -> int | None:
    """Return the next place where something happens to the node (made, gradient complete, updated), from the start again behind the last.

    None if no step of this trace touches it.
    """
    places = places_of(index, node)
    return next((place for place in places if place > cursor), places[0] if places else None)


def places_of(index: TraceIndex, node: int) -> list[int]:
    """Return the places behind the node's own steps; for one without a backward step also where its gradient is complete. In order."""
    places = {step.index + 1 for step in index.trace.steps if step.node == node or node in step.others}
    arrivals = [index.backward_at[edge.target] for edge in index.out_edges.get(node, ()) if _comes_back(index, edge)]
    return sorted(places | ({max(arrivals)} if arrivals and node not in index.backward_at else set()))


def _comes_back(index: TraceIndex, edge: EdgeRecord) -> bool:
    return edge.contribution is not None and edge.target in index.backward_at


def _region(index: TraceIndex, step: StepRecord) -> tuple[str, str]:
    return step.phase, _layer(index, step)


def _layer(index: TraceIndex, step: StepRecord) -> str:
    return (*_group(index, step), "")[0]


def _group(index: TraceIndex, step: StepRecord) -> tuple[str, ...]:
    return index.node(step.node).group if step.node >= 0 else ()
