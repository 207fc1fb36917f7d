"""A trace made quick to read: which step makes what, and arrays decoded once. Built when a trace arrives.

What it knows never changes; only tensors that were too large to travel are added, once they have been asked for.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

import numpy as np

from nnviz.records.tensors import Tensor, to_numpy
from nnviz.records.trace_record import EdgeRecord, NodeRecord, NodeTensors, Piece, TraceRecord, UpdateRecord, WhatIf


class TraceIndex:
    """A TraceRecord with its indexes. `made_at[node]` and `backward_at[node]` are places in the schedule, from 1 (after the first step)."""

    def __init__(self, trace: TraceRecord, original: TraceIndex | None = None) -> None:
        """`original`: where something is supposed, the same iteration without it."""
        self.trace = trace
        self.original = original
        self.made_at: dict[int, int] = {}
        self.backward_at: dict[int, int] = {}
        self.updated_at: dict[int, int] = {}
        self.phase_spans: dict[str, tuple[int, int]] = {}
        for step in trace.steps:
            for node in (step.node, *step.others):
                self._place(step.phase, node, step.index + 1)
        self._arrays: dict[int, np.ndarray] = {}
        self._rows: dict[tuple[int, int | None], np.ndarray] = {}
        self._locals: dict[int, np.ndarray] = {}
        """By operation, where the whole of it came."""
        self._local_rows: dict[tuple[int, int | None], np.ndarray] = {}

    def _place(self, phase: str, node: int, position: int) -> None:
        places = {"forward": self.made_at, "loss": self.made_at, "backward": self.backward_at, "update": self.updated_at}.get(phase)
        if places is not None:
            places[node] = position
        first, _ = self.phase_spans.get(phase, (position - 1, 0))
        self.phase_spans[phase] = (first, position)

    @property
    def truth(self) -> TraceIndex:
        """The iteration as it will be made, whatever is supposed here."""
        return self.original or self

    @cached_property
    def whole(self) -> TraceIndex:
        """The same iteration with whole tensors; itself unless this one is opened into neurons."""
        return TraceIndex(self.trace.whole, self.original.whole if self.original else None) if self.is_scalar else self

    @property
    def is_scalar(self) -> bool:
        """Whether every node is one neuron, weight or bias."""
        return self.trace.whole is not None

    def tensor_of(self, node: int) -> NodeRecord:
        """Return the node of the whole that a node of this trace is, or is an element of."""
        whole = self.node(node).whole
        return self.node(node) if whole is None else self.whole.node(whole)

    @cached_property
    def scalars_of(self) -> dict[int, dict[tuple[int, ...], int]]:
        """For each node of the whole its neurons by element; empty unless this trace is opened into neurons."""
        found: dict[int, dict[tuple[int, ...], int]] = defaultdict(dict)
        for node in self.trace.nodes if self.is_scalar else ():
            if node.element is not None:
                found[node.whole][node.element] = node.id
        return found

    @cached_property
    def is_comparable(self) -> bool:
        """Whether this is the original with other values: the same nodes, each made from the same."""
        return self.original is not None and _skeleton(self.trace) == _skeleton(self.original.trace)

    def supposed(self, node: int) -> tuple[WhatIf, ...]:
        """Return what is supposed of a node itself."""
        return tuple(what_if for what_if in self.trace.what_ifs if what_if.node == node)

    @cached_property
    def changed_values(self) -> frozenset[int]:
        """The nodes that have another value than in the original."""
        return self._changed("value")

    @cached_property
    def changed_gradients(self) -> frozenset[int]:
        """The nodes that have another gradient than in the original."""
        return self._changed("gradient")

    def _changed(self, what: str) -> frozenset[int]:
        pairs = zip(self.trace.nodes, self.original.trace.nodes, strict=True) if self.is_comparable else ()
        return frozenset(one.id for one, other in pairs if self._differ(getattr(one, what), getattr(other, what)))

    def _differ(self, one: Tensor | None, other: Tensor | None) -> bool:
        mine, its = self.array(one), self.original.array(other)
        return one != other if mine is None or its is None else not np.array_equal(mine, its, equal_nan=mine.dtype.kind in "fc")

    @property
    def length(self) -> int:
        """How many steps the iteration has."""
        return len(self.trace.steps)

    def node(self, id: int) -> NodeRecord:
        """Return the node with this id."""
        return self.trace.nodes[id]

    @cached_property
    def out_edges(self) -> dict[int, list[EdgeRecord]]:
        """For each node the uses of its value, in the order their contributions arrive in backward."""
        edges: dict[int, list[EdgeRecord]] = defaultdict(list)
        for edge in self.trace.edges:
            edges[edge.source].append(edge)
        for uses in edges.values():
            uses.sort(key=lambda edge: (self.backward_at.get(edge.target, self.length + 1), edge.argument))
        return edges

    @cached_property
    def in_edges(self) -> dict[int, list[EdgeRecord]]:
        """For each node its inputs, in the order of the call's arguments."""
        edges: dict[int, list[EdgeRecord]] = defaultdict(list)
        for edge in self.trace.edges:
            edges[edge.target].append(edge)
        for uses in edges.values():
            uses.sort(key=lambda edge: edge.argument)
        return edges

    @cached_property
    def updates(self) -> dict[int, UpdateRecord]:
        """For each parameter node what the optimizer does to it."""
        return {update.node: update for update in self.trace.updates}

    def change(self, node: int) -> np.ndarray | None:
        """Return what the optimizer adds to a parameter; None where it does nothing to it, or its values did not travel."""
        update = self.updates.get(node)
        before, after = (self.array(update.before), self.array(update.after)) if update else (None, None)
        return None if before is None or after is None else after - before

    @cached_property
    def nodes_of_layer(self) -> dict[str, list[NodeRecord]]:
        """For each layer (the outermost group) its nodes in forward order."""
        nodes: dict[str, list[NodeRecord]] = defaultdict(list)
        for node in self.trace.nodes:
            if node.group:
                nodes[node.group[0]].append(node)
        return nodes

    def array(self, tensor: Tensor | None) -> np.ndarray | None:
        """Return the tensor's values, decoded once; None where it travelled as a measure or not at all."""
        if tensor is None:
            return None
        if id(tensor) not in self._arrays and tensor.values is not None:
            self._arrays[id(tensor)] = to_numpy(tensor.values)
        return self._arrays.get(id(tensor))

    def row(self, tensor: Tensor | None, row: int | None) -> np.ndarray | None:
        """Return one row of a tensor that is too large to travel whole, if that row has come; row None is the mean."""
        return self._rows.get((id(tensor), row))

    def local(self, edge: EdgeRecord, row: int | None) -> tuple[np.ndarray, bool] | None:
        """Return ∂target/∂source where it was asked for, and whether it is that row alone."""
        if edge.target in self._locals:
            return self._locals[edge.target], False
        found = self._local_rows.get((edge.target, row))
        return None if found is None else (found, True)

    def take(self, tensors: NodeTensors) -> bool:
        """Add the tensors that were asked for; return whether they are of this trace and there are any."""
        trace = self.trace
        here = (trace.iteration, trace.detail, trace.details, trace.what_ifs)
        if (tensors.iteration, tensors.detail, tensors.details, tensors.what_ifs) != here or tensors.node >= len(trace.nodes):
            return False
        for piece in tensors.pieces:
            self._add(piece, tensors.row)
        return bool(tensors.pieces)

    def _add(self, piece: Piece, row: int | None) -> None:
        is_local = piece.what == "local"
        tensor = None if is_local else self._tensor(piece)
        if tensor is None and not is_local:
            return
        key = piece.target if is_local else id(tensor)
        if piece.is_row:
            (self._local_rows if is_local else self._rows)[key, row] = to_numpy(piece.array)
        else:
            (self._locals if is_local else self._arrays)[key] = to_numpy(piece.array)

    def _tensor(self, piece: Piece) -> Tensor | None:
        if piece.what == "after":
            return self.updates[piece.node].after if piece.node in self.updates else None
        if piece.what != "contribution":
            return getattr(self.node(piece.node), piece.what)
        edges = self.out_edges.get(piece.node, ())
        return next((edge.contribution for edge in edges if (edge.target, edge.argument) == (piece.target, piece.argument)), None)

    def lacks(self, node: int, row: int | None) -> bool:
        """Return whether anything around a node has not travelled, not even the row of the batch."""
        record = self.node(node)
        tensors = [record.value, record.gradient, *(self.node(source).value for source in record.inputs)]
        tensors += [self.updates[node].after] if node in self.updates else []
        tensors += [edge.contribution for edge in (*self.in_edges.get(node, ()), *self.out_edges.get(node, ()))]
        return any(tensor is not None and self.array(tensor) is None and self.row(tensor, row) is None for tensor in tensors)


def _skeleton(trace: TraceRecord) -> list[tuple]:
    return [(node.kind, node.operation, node.label, node.group, node.inputs, node.shape) for node in trace.nodes]
