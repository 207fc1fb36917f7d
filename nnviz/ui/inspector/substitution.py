"""A node's forward formula with the numbers of one element put in: "z₂ = 0.8·1.3 − 0.3·0.7 + 0.9 = 1.73". Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnviz.protocol import NodeRecord
from nnviz.session.moment import Moment
from nnviz.ui.graph.naming import symbol
from nnviz.ui.inspector.curves import CURVES
from nnviz.ui.numerals import MINUS, number, subscript

MOST_TERMS = 5
_ONE = {
    "relu": "max(0, {})", "leaky_relu": "{} if {} > 0 else 0.01·({})", "elu": "{} if {} > 0 else e^({}) − 1", "gelu": "{}·Φ({})",
    "silu": "{}·σ({})", "softplus": "log(1 + e^({}))", "sigmoid": "1/(1 + e^({m}))", "tanh": "tanh({})",
}  # fmt: skip
"""Texts of the functions of curves.CURVES."""
_TWO = {"mul": "·", "add": "+", "sub": MINUS, "div": "/"}
_LINEAR = {"linear", "add", "sub"}
"""What holds of every row holds of their mean."""
_LOSSES = {"mse_loss": "({} − {})²", "l1_loss": "|{} − {}|"}


def substituted(moment: Moment, node: NodeRecord, element: tuple[int, ...]) -> str:
    """Return the formula with numbers for one element (without the batch axis); empty where there is nothing to put in."""
    value = moment.row(node.id, moment.value(node.id))
    if value is None or len(element) != value.ndim or (moment.sample is None and node.operation not in _LINEAR):
        return ""
    inputs = [moment.row(k, moment.reading.node(k).value) for k in node.inputs]
    if any(array is None for array in inputs):
        return ""
    if node.kind == "loss":
        return _row_of_loss(node, inputs)
    try:
        right = _right(node.operation, inputs, element, float(value[element]))
    except (IndexError, ValueError):  # shapes this rule does not know: better no line than a wrong one
        return ""
    return f"{_named(node, element)} = {right} = {number(value[element])}" if right else ""


def _named(node: NodeRecord, element: tuple[int, ...]) -> str:
    places = [subscript(index + 1) for index in element]
    return symbol(node) + (places[0] if len(places) == 1 else "‚".join(places))


def _right(operation: str, inputs: Sequence[np.ndarray], element: tuple[int, ...], value: float) -> str:
    if operation == "linear":
        return _linear(inputs, element)
    if operation in _ONE:
        return _one(operation, inputs[0][element], value)
    return _two(_TWO[operation], inputs, element) if operation in _TWO else ""


def _one(operation: str, z: float, value: float) -> str:
    """Empty if the function has other constants than the text, such as another slope."""
    same = np.isclose(CURVES[operation](np.array([z], dtype=float))[0], value, rtol=1e-3, atol=1e-6)
    return _ONE[operation].format(*[number(z)] * 3, m=number(-z)) if same else ""


def _two(sign: str, inputs: Sequence[np.ndarray], element: tuple[int, ...]) -> str:
    if len(inputs) != 2:
        return ""
    first, second = (np.broadcast_to(array, np.broadcast_shapes(*(a.shape for a in inputs)))[element] for array in inputs)
    return f"{number(first)} {sign} {_bracketed(second)}" if sign != "·" else f"{_bracketed(first)}·{_bracketed(second)}"


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
    share = np.exp(scores - scores.max())
    share = float(share[int(wanted)] / share.sum())
    return f"this row: −log softmax(ŷ)[{int(wanted)}] = −log {number(share)} = {number(-np.log(share))}"
