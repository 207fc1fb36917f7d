"""Wrong answers that documented misconceptions lead to, as expressions made from the right one. No number is written down. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from nnviz.lessons.checks import is_near
from nnviz.lessons.expression import ExpressionError, number
from nnviz.lessons.facts import Facts
from nnviz.lessons.lesson import Wrong
from nnviz.lessons.trace_names import node_named
from nnviz.records.breakpoint_places import target_of
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import EdgeRecord, NodeRecord

_ASKED = re.compile(r"\s*(value|gradient|updated)\('([^']+)'\)(?:\[([\d, ]+)\])?\s*")
_SHAPED = {"relu", "leaky_relu", "sigmoid", "tanh", "gelu", "elu", "silu", "softplus", "selu"}
"""Operations that are activations: one number in, one out."""


def asked_expression(index: TraceIndex, node: int, element: tuple[int, ...], kind: str) -> str:
    """Return the expression of one number of a node: its value, gradient, or, of a parameter, what it is updated to.

    `element`: without the batch axis, and only for a node that is no neuron; the first row is taken.
    """
    record, own = index.tensor_of(node), index.node(node).element
    if (record.kind, kind) == ("loss", "value"):
        return "loss"
    axis = record.batch_axis
    count = len(record.shape) - (axis is not None)
    place = own if own is not None else element if len(element) == count else (0,) * count
    return f"{kind}('{lesson_name(index, node)}')" + _at(place if axis is None else (*place[:axis], 0, *place[axis:]))


def lesson_name(index: TraceIndex, node: int) -> str:
    """Return what a lesson calls a node: `h1/relu`, `h1.weight`, or an input or the loss by its label."""
    record = index.tensor_of(node)
    name = target_of(index.whole, record.id)[1]
    others = () if record.kind in ("operation", "parameter") else (record.label, record.module)
    return next((other for other in others if other and node_named(index.whole, other) == record.id), name)


def suggested(expression: str, facts: Facts, tolerance: float = 0.01) -> list[Wrong]:
    """Return the wrong answers that can be computed for a right one, each with its misconception, and none that is near the right one."""
    try:
        right = number(expression, facts.names)
    except ExpressionError:
        return []
    found, values = [], [right]
    for wrong in _variants(expression.strip(), facts):
        try:
            value = number(wrong.answer, facts.names)
        except ExpressionError:
            continue
        if np.isfinite(value) and not any(is_near(value, one, tolerance) or is_near(one, value, tolerance) for one in values):
            found.append(wrong)
            values.append(value)
    return found


def _variants(text: str, facts: Facts) -> Iterator[Wrong]:
    """Those of the node first: of two that give the same number the first is kept."""
    match = _ASKED.fullmatch(text)
    node = node_named(facts.index, match[2]) if match and facts.index else None
    if node is not None:
        place = tuple(int(one) for one in match[3].split(",")) if match[3] else ()
        record = facts.index.whole.node(node)
        yield from _OF_KIND[match[1]](facts.index.whole, record, match[2], place)
    simple = text if match or re.fullmatch(r"\w+", text) else f"({text})"
    if match is None or match[1] != "updated":
        yield Wrong(f"-{simple}", "sign")
    if match and match[1] == "gradient":
        yield Wrong(f"2 * {simple}", "twice")
        yield Wrong("0", "zero_for_not_yet")
    if text == "loss" or (match and match[1] == "gradient"):
        yield Wrong(f"{simple} * rows", "sum_for_mean")
        yield Wrong(f"{simple} / rows", "mean_for_sum")
    if text == "loss":
        yield Wrong(f"{simple} / 2", "half_loss")


def _of_value(index: TraceIndex, record: NodeRecord, name: str, place: tuple[int, ...]) -> Iterator[Wrong]:
    if record.operation in _SHAPED:
        yield Wrong(f"value('{lesson_name(index, record.inputs[0])}'){_at(place)}", "activation_left_out")
    bias = _parameter(index, record, "bias")
    if record.operation == "linear" and bias and place:
        yield Wrong(f"value('{name}'){_at(place)} - value('{bias}')[{place[-1]}]", "bias_left_out")
        weight, source = _parameter(index, record, "weight"), index.node(record.inputs[0])
        if weight and source.operation in _SHAPED:
            before = f"value('{lesson_name(index, source.inputs[0])}'){_at(place[:-1])}"
            yield Wrong(f"value('{weight}')[{place[-1]}] @ {before} + value('{bias}')[{place[-1]}]", "activation_left_out")


def _of_gradient(index: TraceIndex, record: NodeRecord, name: str, place: tuple[int, ...]) -> Iterator[Wrong]:
    uses = [edge for edge in index.out_edges.get(record.id, ()) if edge.contribution is not None]
    if len(uses) > 1:
        for edge in (uses[0], uses[-1]):
            yield Wrong(f"contribution('{name}', '{lesson_name(index, edge.target)}'){_at(place)}", "not_summed")
    for edge in uses if len(uses) == 1 else ():
        yield from _of_use(index, index.node(edge.target), edge, place)
    if record.kind == "parameter" and len(place) == 2:
        yield Wrong(f"gradient('{name}')[{place[1]}, {place[0]}]", "transposed")


def _of_use(index: TraceIndex, target: NodeRecord, edge: EdgeRecord, place: tuple[int, ...]) -> Iterator[Wrong]:
    """Wrong ways back through the only use of a value."""
    name = lesson_name(index, target.id)
    if target.operation in _SHAPED:
        yield Wrong(f"gradient('{name}'){_at(place)}", "local_derivative_left_out")
    if target.operation != "linear":
        return
    weight, source = _parameter(index, target, "weight"), lesson_name(index, target.inputs[0])
    if edge.argument == 0 and weight and len(place) > 1:
        yield Wrong(f"gradient('{name}'){_at(place[:-1])} @ updated('{weight}')[:, {place[-1]}]", "updated_too_early")
        yield Wrong(f"gradient('{name}'){_at((*place[:-1], 0))} * value('{weight}')[0, {place[-1]}]", "not_summed")
    if edge.argument == 1 and len(place) == 2:
        inside = index.node(target.inputs[0])
        yield Wrong(f"gradient('{name}')[0, {place[0]}] * value('{source}')[0, {place[1]}]", "rows_not_summed")
        if inside.operation in _SHAPED:
            before = lesson_name(index, inside.inputs[0])
            yield Wrong(f"sum(gradient('{name}')[:, {place[0]}] * value('{before}')[:, {place[1]}])", "activation_left_out")


def _of_updated(index: TraceIndex, record: NodeRecord, name: str, place: tuple[int, ...]) -> Iterator[Wrong]:
    at = _at(place)
    yield Wrong(f"2 * value('{name}'){at} - updated('{name}'){at}", "sign")
    yield Wrong(f"value('{name}'){at} - gradient('{name}'){at}", "The learning rate was left out: it multiplies the gradient.")
    yield Wrong(f"value('{name}'){at}", "That is the weight before the update.")


_OF_KIND = {"value": _of_value, "gradient": _of_gradient, "updated": _of_updated}


def _parameter(index: TraceIndex, record: NodeRecord, ending: str) -> str:
    """The name of the parameter of this kind among what an operation is given; empty for none."""
    inputs = (index.node(one) for one in record.inputs)
    return next((lesson_name(index, one.id) for one in inputs if one.kind == "parameter" and one.label.endswith(f".{ending}")), "")


def _at(place: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, place))}]" if place else ""
