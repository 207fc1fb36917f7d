"""A node's forward formula with the numbers of one element put in: "z[1] = 0.8·1.3 − 0.3·0.7 + 0.9 = 1.73". Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnviz.protocol import NodeRecord, WhatIf
from nnviz.session.moment import Moment
from nnviz.ui import numerals
from nnviz.ui.graph.naming import symbol
from nnviz.ui.inspector.curves import CURVES
from nnviz.ui.numerals import MINUS, number
from nnviz.ui.supposition import covers, touches

MOST_TERMS = 5
_ONE = {
    "relu": "max(0, {})", "leaky_relu": "{} if {} > 0 else 0.01·({})", "elu": "{} if {} > 0 else e^({}) − 1", "gelu": "{}·Φ({})",
    "silu": "{}·σ({})", "softplus": "log(1 + e^({}))", "sigmoid": "1/(1 + e^({m}))", "tanh": "tanh({})",
}  # fmt: skip
"""Texts of the functions of curves.CURVES."""
_TWO = {"mul": "·", "add": "+", "sub": MINUS, "div": "/"}
LINEAR = {"linear", "add", "sub"}
"""What holds of every row holds of their mean."""
_LOSSES = {"mse_loss": "({} − {})²", "l1_loss": "|{} − {}|"}


def substituted(moment: Moment, node: NodeRecord, element: tuple[int, ...]) -> str:
    """Return the formula with numbers for one element (without the batch axis); empty where there is nothing to put in."""
    value = moment.row(node.id, moment.value(node.id))
    if value is None or len(element) != value.ndim or (moment.sample is None and node.operation not in LINEAR):
        return ""
    inputs = [moment.row(k, moment.reading.node(k).value) for k in node.inputs]
    if any(array is None for array in inputs):
        return ""
    place = _with_row(moment, node, element)
    supposed = [what_if for what_if in moment.reading.supposed(node.id) if touches(what_if, place)]
    if not all(covers(what_if, place) for what_if in supposed):
        return ""
    if any(what_if.kind != "scale" for what_if in supposed):
        return f"{symbol(node)}{numerals.place(element)} = {number(value[element])}, set by hand"
    if node.kind == "loss":
        return _row_of_loss(node, inputs) if not supposed else ""
    factor = float(np.prod([what_if.value for what_if in supposed]))
    try:
        computed = float(value[element]) / factor if factor else 0.0
        right = _two(moment, node, element) if node.operation in _TWO else _right(node.operation, inputs, element, computed)
    except (IndexError, ValueError, TypeError):  # shapes this rule does not know: better no line than a wrong one
        return ""
    right = _scaled(right, supposed)
    return f"{symbol(node)}{numerals.place(element)} = {right} = {number(value[element])}" if right else ""


def _with_row(moment: Moment, node: NodeRecord, element: tuple[int, ...]) -> tuple[int | None, ...]:
    full: list[int | None] = list(element)
    if node.batch_axis is not None:
        full.insert(node.batch_axis, moment.sample)
    return tuple(full)


def _scaled(right: str, what_ifs: Sequence[WhatIf]) -> str:
    for what_if in what_ifs:
        right = right and f"{number(what_if.value)}·({right})"
    return right


def _right(operation: str, inputs: Sequence[np.ndarray], element: tuple[int, ...], value: float) -> str:
    if operation == "linear":
        return _linear(inputs, element)
    return _one(operation, inputs[0][element], value) if operation in _ONE else ""


def _one(operation: str, z: float, value: float) -> str:
    """Empty if the function has other constants than the text, such as another slope."""
    same = np.isclose(CURVES[operation](np.array([z], dtype=float))[0], value, rtol=1e-3, atol=1e-6)
    return _ONE[operation].format(*[number(z)] * 3, m=number(-z)) if same else ""


def _two(moment: Moment, node: NodeRecord, element: tuple[int, ...]) -> str:
    """With one input, the other operand is a number that stands in the formula: "s = a + 1e−05"."""
    sign = _TWO[node.operation]
    first, *rest = (_operand(moment, node, k, element) for k in node.inputs)
    if not rest:
        _, _, other = node.formula.partition(f" = a {sign} ")
        return f"{number(first)} {sign} {other}" if other not in ("", "b") else ""
    return f"{number(first)} {sign} {_bracketed(rest[0])}" if sign != "·" else f"{_bracketed(first)}·{_bracketed(rest[0])}"


def _operand(moment: Moment, node: NodeRecord, source: int, element: tuple[int, ...]) -> float:
    """What an operand, spread over the node's shape, has at the element: batch axes only meet once both are whole."""
    whole = np.broadcast_to(moment.reading.array(moment.reading.node(source).value), node.shape)
    if node.batch_axis is not None:
        whole = whole.mean(node.batch_axis) if moment.sample is None else whole.take(moment.sample, node.batch_axis)
    return float(whole[element])


def _bracketed(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def _linear(inputs: Sequence[np.ndarray], element: tuple[int, ...]) -> str:
    """Σ w·x + b of one output; `element` is (…, output)."""
    x, weight = inputs[0][element[:-1]], inputs[1][element[-1]]
    terms = [(w, f"{number(abs(w))}·{_bracketed(v)}") for w, v in zip(weight[:MOST_TERMS], x, strict=False)]
    text = "".join(_signed(sign, term, first=place == 0) for place, (sign, term) in enumerate(terms))
    text += " + …" if len(weight) > MOST_TERMS else ""
    if len(inputs) > 2:
        text += _signed(inputs[2][element[-1]], number(abs(inputs[2][element[-1]])), first=False)
    return text


def _signed(value: float, text: str, first: bool) -> str:
    if first:
        return f"{MINUS}{text}" if value < 0 else text
    return f" {MINUS if value < 0 else '+'} {text}"


def _row_of_loss(node: NodeRecord, inputs: Sequence[np.ndarray]) -> str:
    """The chosen row's part of a loss that is a mean over the batch."""
    if node.operation == "cross_entropy":
        return _cross_entropy(inputs)
    if node.operation not in _LOSSES or any(array.size != 1 for array in inputs[:2]):
        return ""
    found, wanted = (float(array.reshape(-1)[0]) for array in inputs[:2])
    part = (found - wanted) ** 2 if node.operation == "mse_loss" else abs(found - wanted)
    return f"this row: {_LOSSES[node.operation].format(number(found), _bracketed(wanted))} = {number(part)}"


def _cross_entropy(inputs: Sequence[np.ndarray]) -> str:
    """For class numbers as targets."""
    scores, wanted = inputs[0].astype(float), inputs[1]
    if scores.ndim != 1 or wanted.ndim != 0 or wanted.dtype.kind not in "iu":
        return ""
    powers = np.exp(scores - scores.max())
    share = float(powers[int(wanted)] / powers.sum())
    rest = float(np.delete(powers, int(wanted)).sum() / powers.sum())
    said = f"(1 − {number(rest)})" if rest and number(share) == "1" else f" {number(share)}"  # "−log 1" would be 0
    loss = -np.log1p(-rest) if rest < 0.5 else -np.log(share)
    return f"this row: −log softmax(ŷ)[{int(wanted)}] = −log{said} = {number(loss)}"
