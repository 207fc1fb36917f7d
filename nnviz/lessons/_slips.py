"""The documented slips of backpropagation, each as other rules of the backward pass at some place of a trace. No number is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from nnviz.lessons.altered_pass import Alteration, BackwardRules, OnEdge, OnNode
from nnviz.lessons.contributions import Use, sent_back
from nnviz.operations.operation import UNKNOWN
from nnviz.operations.table import row_of
from nnviz.records.trace_record import EdgeRecord, NodeRecord

NEAR = 4
"""So many nodes above a wrong gradient a factor is looked for; further away, only at the loss."""
MOST_USES = 8
"""Of a node with more uses than this, only the first and the last are tried alone."""
PENALTY = ("penalty",)
"""The group of what regularisation adds to the loss."""


@dataclass(frozen=True)
class Slip:
    """One idea at one place, or at all places of its kind: `places` holds the nodes, the nearest to the loss first."""

    name: str
    places: tuple[int, ...]
    alteration: Alteration
    detail: str = ""
    """What belongs to this one: which factor, which row."""


def slips(rules: BackwardRules, entry: int, above: Sequence[int]) -> Iterator[Slip]:
    """Yield what may be wrong with a node's gradient; `above` are the node and all through which its gradient comes, the nearest first."""
    yield from _at_entry(rules, entry)
    losses = [node for node in above if rules.index.node(node).phase == "loss"][-MOST_USES:]
    for node in dict.fromkeys((*above[: NEAR + 1], *losses)):
        if node == entry or rules.index.node(node).group[:1] != PENALTY:  # a penalty divided by much is one left out
            yield from _factors(rules, node)
    local = [*_local(rules, above)]
    yield from local
    for name in ("local_derivative_left_out", "inner_left_out", "updated_too_early", "not_summed"):
        for detail in dict.fromkeys(slip.detail for slip in local if slip.name == name):
            yield from _together([slip for slip in local if (slip.name, slip.detail) == (name, detail)])


def _together(same: list[Slip]) -> Iterator[Slip]:
    """The same slip at all its places at once."""
    if len(same) > 1:
        alteration = Alteration()
        for slip in same:
            alteration = alteration.joined(slip.alteration)
        places = tuple(sorted({place for slip in same for place in slip.places}, reverse=True))
        yield Slip(same[0].name, places, alteration, same[0].detail)


def _local(rules: BackwardRules, above: Sequence[int]) -> Iterator[Slip]:
    for node in above:
        yield from _one_use(rules, node)
        for edge in rules.index.in_edges.get(node, ()):
            if edge.contribution is not None and edge.source in above:
                yield from _at_edge(rules, edge)


# --- at the entry itself ---


def _at_entry(rules: BackwardRules, entry: int) -> Iterator[Slip]:
    record, g = rules.index.node(entry), rules.gradient(entry)
    yield _on_node("zero_for_not_yet", entry, lambda parts, total: np.zeros_like(total))
    if g is not None and g.ndim == 2:
        yield _on_node("transposed", entry, lambda parts, total: total.T)
    uses = rules.uses(entry)
    phases = [rules.index.node(edge.target).phase for edge in uses]
    if record.kind == "parameter" and {"loss", "forward"} <= set(phases):
        own = [k for k, phase in enumerate(phases) if phase == "forward"]
        yield _on_node("l2_left_out", entry, lambda parts, total: np.sum([parts[k] for k in own], axis=0))
    if record.kind == "parameter":
        yield from _one_row(rules, entry, uses)


def _one_row(rules: BackwardRules, entry: int, uses: Sequence[EdgeRecord]) -> Iterator[Slip]:
    """Only the first or only the last row of the batch."""
    places = [(edge, rules.index.node(edge.target)) for edge in uses if rules.index.node(edge.target).batch_axis is not None]
    if len(places) != len(uses) or not places:
        return
    for row in (0, -1):
        edges = {(edge.target, edge.argument): _of_row(rules, edge, target, row) for edge, target in places}
        count = places[0][1].shape[places[0][1].batch_axis]
        if count > 1:
            yield Slip("rows_not_summed", (entry,), Alteration(edges), f"It is that of row {row % count} alone.")


def _of_row(rules: BackwardRules, edge: EdgeRecord, target: NodeRecord, row: int) -> OnEdge:
    def sent(g: np.ndarray) -> np.ndarray | None:
        kept = np.zeros_like(g)
        at = (*(slice(None) for _ in range(target.batch_axis)), row)
        kept[at] = g[at]
        return rules.sent(edge, kept)

    return sent


def _on_node(name: str, node: int, rule: OnNode, detail: str = "") -> Slip:
    return Slip(name, (node,), Alteration(nodes={node: rule}), detail)


# --- factors ---


def _factors(rules: BackwardRules, node: int) -> Iterator[Slip]:
    yield _on_node("sign", node, lambda parts, total: -total)
    yield _on_node("twice", node, lambda parts, total: 2 * total)
    for words, count in _counts(rules):
        yield _on_node("sum_for_mean", node, partial(_times, count), f"It is {count} times the gradient, the number of {words}.")
        yield _on_node("mean_for_sum", node, partial(_times, 1 / count), f"It is the gradient divided by {count}, the number of {words}.")
    if any(one.operation == "mse_loss" for one in rules.index.trace.nodes):
        yield _on_node("half_loss", node, partial(_times, 0.5))


def _times(factor: float, parts: list[np.ndarray], total: np.ndarray) -> np.ndarray:
    return factor * total


def _counts(rules: BackwardRules) -> Iterator[tuple[str, int]]:
    """Of what a loss may be the mean: rows, outputs of a row, all outputs."""
    rows = len(rules.index.trace.rows)
    loss = next((node for node in rules.index.trace.nodes if node.phase == "loss" and node.kind != "input"), None)
    shape = rules.index.node(loss.inputs[0]).shape if loss and loss.inputs else ()
    outputs = int(np.prod(shape)) // rows if rows and shape else 1
    counts = {"rows": rows, "outputs of a row": outputs, "rows times outputs": rows * outputs}
    seen = {1}
    for words, count in counts.items():
        if count not in seen:
            seen.add(count)
            yield words, count


# --- at one operation ---


def _one_use(rules: BackwardRules, node: int) -> Iterator[Slip]:
    uses = [k for k, edge in enumerate(rules.uses(node)) if rules.port(edge) == 0]
    phases = [rules.index.node(edge.target).phase for edge in rules.uses(node)]
    penalties = [k for k in uses if phases[k] == "loss"] if "forward" in phases else []
    uses = [k for k in uses if k not in penalties]
    if len(uses) < 2:
        return
    for k in uses if len(uses) <= MOST_USES else (uses[0], uses[-1]):
        detail = {uses[0]: "It is the contribution that arrives first.", uses[-1]: "It is the contribution that arrives last."}
        yield _on_node("not_summed", node, partial(_only, (k, *penalties)), detail.get(k, f"It is contribution {uses.index(k) + 1}."))


def _only(kept: Sequence[int], parts: list[np.ndarray], total: np.ndarray) -> np.ndarray:
    return np.sum([parts[k] for k in kept], axis=0)


def _at_edge(rules: BackwardRules, edge: EdgeRecord) -> Iterator[Slip]:
    index = rules.index
    target, source = index.node(edge.target), index.node(edge.source)
    place = edge.target, edge.argument
    row = row_of(target.operation)
    sources = [one for one in index.in_edges[edge.target] if one.contribution is not None]
    is_of_one = len(sources) == 1 and target.shape == source.shape and target.kind == "operation" and row.move is None
    if is_of_one and (row.function or edge.local is not None or row.spreads):
        name = "local_derivative_left_out" if row.has_curve else "inner_left_out"
        yield Slip(name, (edge.target,), Alteration({place: lambda g: g}))
    if is_of_one and row.function is not None:
        yield from _elsewhere(rules, edge)
    if source.kind != "parameter":
        yield from _too_early(rules, edge)


def _elsewhere(rules: BackwardRules, edge: EdgeRecord) -> Iterator[Slip]:
    """f′ at x where f was given g(x), or at the value f(g(x)) itself, or a(1 − a) and 1 − a² with what f was given in place of a."""
    index, place = rules.index, (edge.target, edge.argument)
    source = index.node(edge.source)
    others = [(index.array(index.node(edge.target).value), "It is taken at the value of the node itself.")]
    others += [(index.array(index.node(one).value), "It is taken at what the inner function was given.") for one in source.inputs]
    for z, detail in others:
        if z is not None and z.shape == source.shape and z.dtype.kind == "f":
            yield Slip("outer_at_x", (edge.target,), Alteration({place: _by_slope(rules.use(edge), z.astype(float))}), detail)
    written, z = _OF_VALUE.get(index.node(edge.target).operation), index.array(source.value)
    if written is not None and z is not None:
        slope = written(z.astype(float))
        detail = "The formula for f′ in terms of the value is given what the node was given, not its value."
        yield Slip("outer_at_x", (edge.target,), Alteration({place: lambda g: g * slope}), detail)


_OF_VALUE: dict[str, Callable[[np.ndarray], np.ndarray]] = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a * a}
"""f′ as textbooks write it, of the value a."""


def _by_slope(use: Use, z: np.ndarray) -> OnEdge:
    """The rule with f′ at z, which is worked out when it is first asked for."""

    @cache
    def slope() -> np.ndarray | None:
        try:
            return use.slope(z)
        except UNKNOWN:
            return None

    return lambda g: None if slope() is None else g * slope()


def _too_early(rules: BackwardRules, edge: EdgeRecord) -> Iterator[Slip]:
    index = rules.index
    replaced = {}
    for argument, source in enumerate(index.node(edge.target).inputs):
        update = index.updates.get(source)
        after = index.array(update.after) if update else None
        if after is not None:
            replaced[argument] = after.astype(float)
    if replaced and rules.is_sound(edge):
        use = Use(rules.state, edge, replaced)
        yield Slip("updated_too_early", (edge.target,), Alteration({(edge.target, edge.argument): partial(sent_back, use)}))
