"""The backward pass of a recorded iteration with a rule altered somewhere: which gradients are other ones then, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nnviz.lessons.contributions import CUTS, Use, sent_back
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import EdgeRecord
from nnviz.records.trace_state import TraceState

Place = tuple[int, int]
"""Of an edge: the operation and which of its inputs."""
OnEdge = Callable[[np.ndarray], "np.ndarray | None"]
"""What an operation sends to one input, of ∂L/∂ its own value."""
OnNode = Callable[[list[np.ndarray], np.ndarray], "np.ndarray | None"]
"""A node's gradient, of its contributions in the order in which they arrive, and their sum."""
Gradients = dict[tuple[int, int], "np.ndarray | None"]
"""∂L/∂ an output, by node and port; None: nothing is known of it."""


@dataclass(frozen=True)
class Alteration:
    """Other rules than those of the chain rule, by the edge and by the node where they stand."""

    edges: Mapping[Place, OnEdge] = field(default_factory=dict)
    nodes: Mapping[int, OnNode] = field(default_factory=dict)

    def joined(self, other: Alteration) -> Alteration:
        """Return both together; where they stand at the same place the other one holds."""
        return Alteration({**self.edges, **other.edges}, {**self.nodes, **other.nodes})


class BackwardRules:
    """A trace as numpy arrays, and the rules by which gradients go back through it. Each rule is held against the recording."""

    def __init__(self, index: TraceIndex) -> None:
        self.index = index
        self.state = TraceState(index, index.length)
        self._is_sound: dict[Place, bool] = {}
        self._made: dict[Place, Use] = {}
        self._gradients: Gradients = {}
        self._contributions: dict[Place, np.ndarray | None] = {}

    def gradient(self, node: int, port: int = 0) -> np.ndarray | None:
        """Return ∂L/∂ one output of a node, as recorded, in double precision; None where there is none, or it did not travel."""
        if (node, port) not in self._gradients:
            record = self.index.node(node)
            tensor = record.gradient if port == 0 else next((one.gradient for one in record.others if one.port == port), None)
            self._gradients[node, port] = _double(self.index.array(tensor))
        return self._gradients[node, port]

    def contribution(self, edge: EdgeRecord) -> np.ndarray | None:
        """Return what came back along an edge, as recorded."""
        place = edge.target, edge.argument
        if place not in self._contributions:
            self._contributions[place] = _double(self.index.array(edge.contribution))
        return self._contributions[place]

    @cached_property
    def noise(self) -> float:
        """The size below which numbers of this trace are rounding errors."""
        sizes = [float(np.abs(g).max()) for node in self.index.trace.nodes if (g := self.gradient(node.id)) is not None and g.size]
        finite = [size for size in sizes if np.isfinite(size)]
        return max(finite, default=0.0) * (1e-13 if self.index.trace.precision == "float64" else 1e-7)

    @cached_property
    def _uses(self) -> dict[int, list[EdgeRecord]]:
        return {node: [edge for edge in edges if edge.contribution is not None] for node, edges in self.index.out_edges.items()}

    def uses(self, node: int) -> list[EdgeRecord]:
        """Return the edges along which gradients come back to a node, in the order in which they arrive."""
        return self._uses.get(node, [])

    @cached_property
    def _outputs(self) -> list[tuple[int, int]]:
        """Every output to which gradients come back, in backward order, with its port."""
        nodes = [node.id for node in reversed(self.index.trace.nodes)]
        return [(node, port) for node in nodes for port in sorted({0, *map(self.port, self.uses(node))})]

    def port(self, edge: EdgeRecord) -> int:
        """Return which output of its source an edge begins at."""
        ports = self.index.node(edge.target).ports
        return ports[edge.argument] if ports else 0

    def sent(self, edge: EdgeRecord, g: np.ndarray) -> np.ndarray | None:
        """Return what comes back along an edge if ∂L/∂ its target is `g`: linear in it, as every backward step is."""
        recorded, sent = self.gradient(edge.target), self.contribution(edge)
        if recorded is not None and sent is not None:
            factor = _factor(g, recorded)
            if factor is not None:
                return factor * sent
        return sent_back(self.use(edge), g) if self.is_sound(edge) else None

    def use(self, edge: EdgeRecord) -> Use:
        """Return the call at the end of an edge, with what was worked out about it so far."""
        return self._made.setdefault((edge.target, edge.argument), Use(self.state, edge))

    def is_sound(self, edge: EdgeRecord) -> bool:
        """Whether the rule for arrays gives what was recorded along an edge."""
        place = edge.target, edge.argument
        if place not in self._is_sound:
            g, sent = self.gradient(edge.target), self.contribution(edge)
            ours = sent_back(self.use(edge), g) if g is not None and sent is not None else None
            is_alike = ours is not None and ours.shape == sent.shape
            self._is_sound[place] = is_alike and (_is_near(ours, sent) or self._is_rounded_off(edge, g, ours, sent))
        return self._is_sound[place]

    def _is_rounded_off(self, edge: EdgeRecord, g: np.ndarray, ours: np.ndarray, sent: np.ndarray) -> bool:
        """Whether both are a sum that cancels out, as at a bias in front of a batch norm: what is left of it is rounding."""
        added = sent_back(self.use(edge), np.abs(g))
        share = 1e-13 if self.index.trace.precision == "float64" else 1e-6
        return added is not None and _is_near(ours, sent, share * float(np.abs(added).max(initial=0.0)))

    def altered(self, alteration: Alteration, among: Collection[int] | None = None) -> dict[int, np.ndarray | None]:
        """Return the gradients that an alteration may change, by node; None: nothing is known of it. `among`: only these are wanted."""
        changed: Gradients = {}
        touched = {target for target, _ in alteration.edges}
        for node, port in self._outputs:
            if among is not None and node not in among:
                continue
            uses, own = self.uses(node), alteration.nodes.get(node) if port == 0 else None
            if own is not None or any([edge.target in touched for edge in uses]):
                self._alter(node, port, own, alteration, changed)
                touched.add(node)
        return {node: g for (node, port), g in changed.items() if port == 0}

    def _alter(self, node: int, port: int, own: OnNode | None, alteration: Alteration, changed: Gradients) -> None:
        uses = [edge for edge in self.uses(node) if self.port(edge) == port]
        sent = [self._sent(edge, alteration, changed) for edge in uses]
        if any(one is None for one in sent):
            changed[node, port] = None
            return
        total = np.sum(sent, axis=0) if sent else self.gradient(node, port)
        changed[node, port] = total if own is None or total is None else own(sent, total)

    def _sent(self, edge: EdgeRecord, alteration: Alteration, changed: Gradients) -> np.ndarray | None:
        target, rule = edge.target, alteration.edges.get((edge.target, edge.argument))
        is_new = (target, 0) in changed
        if rule is None and not is_new and not self._has_new_parts(target, changed):
            return self.contribution(edge)
        if rule is None and self.index.node(target).operation in CUTS:
            return self._of_parts(edge, changed)
        g = changed[target, 0] if is_new else self.gradient(target)
        if g is None:
            return None
        return self.sent(edge, g) if rule is None else rule(g)

    def _has_new_parts(self, node: int, changed: Gradients) -> bool:
        return any((node, other.port) in changed for other in self.index.node(node).others)

    def _of_parts(self, edge: EdgeRecord, changed: Gradients) -> np.ndarray | None:
        node = self.index.node(edge.target)
        parts = [
            changed[node.id, port] if (node.id, port) in changed else self.gradient(node.id, port) for port in range(1 + len(node.others))
        ]
        shapes = [node.shape, *(other.shape for other in node.others)]
        known = [part is not None or all(self.port(use) != port for use in self.uses(node.id)) for port, part in enumerate(parts)]
        if not all(known):
            return None
        filled = [np.zeros(shape) if part is None else part for part, shape in zip(parts, shapes, strict=True)]
        return sent_back(self.use(edge), filled)


def _double(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None or array.dtype.kind == "c" else array.astype(float)


def _factor(g: np.ndarray, recorded: np.ndarray) -> float | None:
    """The number by which one is the other; None where they are no multiples."""
    if g.shape != recorded.shape or not g.size:
        return None
    sizes = np.abs(recorded)
    largest = int(sizes.argmax())
    if not 0 < sizes.flat[largest] < np.inf:
        return None
    factor = float(g.flat[largest] / recorded.flat[largest])
    return factor if np.abs(g - factor * recorded).max() <= 1e-9 * abs(g.flat[largest]) else None


def _is_near(ours: np.ndarray, sent: np.ndarray, rounding: float = 0.0) -> bool:
    atol = 1e-5 * float(np.abs(sent).max(initial=0.0)) + 1e-12 + rounding
    return bool(np.isfinite(atol)) and np.allclose(ours, sent, rtol=1e-4, atol=atol)
