"""What one iteration can show of what keeps a module from learning; a run can show more (see nnviz.doctor)."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

import torch
from msgspec.structs import replace
from torch import Tensor

from nnviz.document.finding_kinds import FINDING_KINDS
from nnviz.records.finding import Finding

from .first_non_finite import first_non_finite
from .record import Node, Step, Update

_TWICE = {
    "cross_entropy": ("softmax", "sigmoid"),
    "log_softmax": ("softmax", "sigmoid"),
    "binary_cross_entropy_with_logits": ("sigmoid", "softmax"),
}
"""Operations that begin with a softmax or a sigmoid of their own, and what should not stand before them; a log-softmax of a log-softmax is
the same again."""
_SEEN_THROUGH = {"view", "reshape", "flatten", "squeeze", "unsqueeze", "transpose", "permute", "movedim", "contiguous", "dropout"}
"""Operations that only rearrange or drop."""
_FLAT_AT = {"sigmoid": (0.5, (0.25 - 0.05 / 4) ** 0.5), "tanh": (0.0, (1 - 0.05) ** 0.5)}
"""Around which value, and how far from it, a lies where the derivative is 5 % of its largest: σ′ = a(1−a), tanh′ = 1−a²."""
_ENOUGH_ROWS = 8
"""A batch of fewer rows says nothing about units and columns."""


class PartsOfTrace(NamedTuple):
    """What of a trace is looked at."""

    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    updates: tuple[Update, ...]
    loss_node: int


def findings_of(trace: PartsOfTrace) -> tuple[Finding, ...]:
    """Return what is found, causes before what they lead to. Bounds are those of `FINDING_KINDS`."""
    bad = list(_non_finite(trace))
    if bad:
        return tuple(bad)
    rules = (_double_functions, _twins, _input_scale, _gradients, _updates, _flat_units)
    return tuple(finding for rule in rules for finding in rule(trace))


def _bound(kind: str, name: str) -> float:
    return FINDING_KINDS[kind].field(name).default


def _place(node: Node) -> str:
    return node.module or node.label


def _found(kind: str, node: Node, cause: str, evidence: str, value: float | None = None, bound: float | None = None) -> Finding:
    return Finding(kind, _place(node), cause, evidence, value, bound, node=node.id)


def _called(node: Node) -> str:
    return f"{node.operation} in {node.module}" if node.module else node.label


# --- exact ---


def _non_finite(trace: PartsOfTrace) -> Iterator[Finding]:
    found = first_non_finite(trace.nodes, trace.steps, trace.loss_node)
    if found is not None:
        does = "sends back the first gradient that is not finite" if found.is_gradient else "is the first value that is not finite"
        which = f"of which that at {found.first} makes {_called(found.use)} NaN" if found.use else f"the first at {found.first}"
        yield _found("non_finite", found.node, f"{_called(found.node)} {does}.", f"{found.counted}, {which}")


def _double_functions(trace: PartsOfTrace) -> Iterator[Finding]:
    for node in trace.nodes:
        source = _source(trace, node) if node.operation in _TWICE or node.operation == "nll_loss" else None
        if source is None:
            continue
        if source.operation in _TWICE.get(node.operation, ()):
            own = "a sigmoid" if "binary" in node.operation else "a softmax"
            cause = f"{_called(source)} stands before {node.operation}, which begins with {own} of its own: gradients are flattened twice."
            yield _found("output_range", source, cause, f"node {source.id} feeds node {node.id}; hand over the raw outputs")
        elif node.operation == "nll_loss" and source.operation != "log_softmax" and bool((source.value > 0).any()):
            cause = f"nll_loss takes logarithms of probabilities, and {_called(source)} gives others."
            yield _found("output_range", source, cause, f"its largest value is {source.value.max().item():.3g}; logarithms are 0 at most")


def _source(trace: PartsOfTrace, node: Node) -> Node | None:
    """What its first input comes from, through what only rearranges."""
    while node.inputs:
        node = trace.nodes[node.inputs[0]]
        if node.operation not in _SEEN_THROUGH:
            return node
    return None


def _twins(trace: PartsOfTrace) -> Iterator[Finding]:
    """Units whose weights and whose gradients are the same bit by bit stay the same for ever."""
    for node in _weights(trace):
        if node.value.dim() != 2 or node.value.shape[0] < 2 or not bool(node.gradient.any()):
            continue
        joined = torch.cat([node.value, node.gradient], 1)
        count = len(joined) - len(joined.unique(dim=0))
        if count:
            cause = f"Units of {_place(node)} have the same weights and the same gradients, so that they are trained alike."
            yield _found("symmetric_start", node, cause, f"{len(joined)} units, {len(joined) - count} of them different", float(count), 0.0)


# --- measured on this batch ---


def _weights(trace: PartsOfTrace) -> list[Node]:
    """Parameters with two axes or more that have a gradient, in the order in which they are used."""
    used: dict[int, Node] = {}
    for node in trace.nodes:
        for source in (trace.nodes[place] for place in node.inputs):
            gradient = source.gradient
            is_matrix = source.kind == "parameter" and source.value.dim() > 1 and source.value.dtype.is_floating_point
            if is_matrix and gradient is not None and gradient.layout == torch.strided and gradient.numel():
                used.setdefault(source.id, source)
    return list(used.values())


def _input_scale(trace: PartsOfTrace) -> Iterator[Finding]:
    for node in trace.nodes:
        x = node.value
        is_table = node.kind == "input" and node.label != "target" and x.dim() == 2 and x.dtype.is_floating_point
        if not is_table or x.layout != torch.strided or len(x) < _ENOUGH_ROWS or not x.numel():
            continue
        means, stds = x.double().mean(0), x.double().std(0, correction=0)
        offset = (means.abs() / stds.clamp(min=1e-300)).max().item()
        spread = (stds.max() / stds.min().clamp(min=1e-300)).item()
        for value, name, what in ((offset, "offset", "|mean|/std of a column"), (spread, "spread", "the largest std over the smallest")):
            if value > (bound := _bound("input_scale", name)):
                evidence = f"{what} is {value:.3g} on this batch (bound {bound:g})"
                yield _found("input_scale", node, "The columns of the input are not on one scale about 0.", evidence, value, bound)
                break


def _gradients(trace: PartsOfTrace) -> Iterator[Finding]:
    weights = _weights(trace)
    if len(weights) < 3:
        return
    first, last = (node.gradient.double().pow(2).mean().sqrt().item() for node in (weights[0], weights[-1]))
    ratio = first / last if last else 1.0
    evidence = f"RMS of the gradient per weight: {first:.2g} in {weights[0].label}, {last:.2g} in {weights[-1].label}"
    moves = {update.parameter: _ratio(update.before, update.after) for update in trace.updates}
    is_still = moves.get(weights[0].label, 0.0) < _bound("vanishing", "update")
    if ratio < (bound := _bound("vanishing", "ratio")) and is_still:
        yield _found("vanishing", weights[0], f"Gradients vanish on their way back to {_place(weights[0])}.", evidence, ratio, bound)
    if ratio > (bound := _bound("exploding", "ratio")):
        yield _found("exploding", weights[0], f"Gradients explode on their way back to {_place(weights[0])}.", evidence, ratio, bound)


def _ratio(before: Tensor, after: Tensor) -> float:
    """‖Δθ‖/‖θ‖"""
    size = before.double().norm().item()
    return (after.double() - before.double()).norm().item() / size if size else 0.0


def _updates(trace: PartsOfTrace) -> Iterator[Finding]:
    trained = {node.label: node for node in _weights(trace)}
    ratios = {one.parameter: _ratio(one.before, one.after) for one in trace.updates if one.parameter in trained and bool(one.before.any())}
    if not ratios:
        return
    usual = median(ratios.values())
    evidence = f"the median of ‖Δθ‖/‖θ‖ over {len(ratios)} weights is {usual:.2g}"
    node = trained[max(ratios, key=ratios.get)]
    if usual > (bound := _bound("rate_too_large", "update")):
        yield _found("rate_too_large", node, "This update changes the weights by a large part of themselves.", evidence, usual, bound)
    if usual < (bound := _bound("rate_too_small", "update")):
        yield _found("rate_too_small", node, "This update hardly changes the weights.", evidence, usual, bound)


def _flat_units(trace: PartsOfTrace) -> Iterator[Finding]:
    for node in trace.nodes:
        value = node.value
        if node.operation not in ("relu", *_FLAT_AT) or value.dim() not in (2, 4) or len(value) < _ENOUGH_ROWS:
            continue
        if node.operation == "relu":
            units = value.amax([axis for axis in range(value.dim()) if axis != 1])
            dead = int((units <= 0).sum())
            if dead:
                cause = f"{dead} of {len(units)} units of {_called(node)} are 0 on every row of this batch."
                found = _found("dead_relu", node, cause, f"{len(value)} rows; other rows may wake them", dead / len(units), 0.0)
                yield replace(found, is_information=True)
            continue
        if _source_of_loss(trace, node):
            continue
        middle, away = _FLAT_AT[node.operation]
        rows = value.movedim(1, -1).flatten(0, -2)
        share = ((rows - middle).abs() > away).double().mean(0).gt(0.5).double().mean().item()
        if share > (bound := _bound("saturated", "share")):
            evidence = f"the derivative is below 5 % of its largest for more than half of the rows in {share:.0%} of the units"
            yield _found("saturated", node, f"{_called(node)} is flat where most values fall.", evidence, share, bound)


def _source_of_loss(trace: PartsOfTrace, node: Node) -> bool:
    """Whether the loss is computed from it: an answer may be sure."""
    source = _source(trace, trace.nodes[trace.loss_node])
    return source is not None and source.id == node.id
