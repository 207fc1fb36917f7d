"""A node's forward formula with the numbers of one element put in: "z₂ = 0.8·1.3 − 0.3·0.7 + 0.9 = 1.73". Pure; every number is the trace's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nnviz.protocol import NodeRecord
from nnviz.session.moment import Moment
from nnviz.ui.graph.naming import symbol
from nnviz.ui.numerals import MINUS, number, subscript

MOST_TERMS = 5
_ONE = {
    "relu": "max(0, {})", "sigmoid": "1/(1 + e^({m}))", "tanh": "tanh({})", "exp": "e^({})", "log": "log({})", "sqrt": "√{}", "neg": "−({})",
    "leaky_relu": "{} if {} > 0 else 0.01·{}", "elu": "{} if {} > 0 else e^({}) − 1", "gelu": "{}·Φ({})", "silu": "{}·σ({})",
    "softplus": "log(1 + e^({}))",
}  # fmt: skip
_TWO = {"mul": "·", "add": "+", "sub": MINUS, "div": "/"}
_LOSSES = {"mse_loss": "squared", "squared error": "squared", "l1_loss": "absolute"}


def substituted(moment: Moment, node: NodeRecord, element: tuple[int, ...]) -> str:
    """Return the formula with numbers for one element (without the batch axis); empty where there is nothing to put in."""
    value = moment.row(node.id, moment.value(node.id))
    rule = _rule(node.operation)
    if value is None or len(element) != value.ndim:
        return ""
    inputs = [moment.row(k, moment.reading.node(k).value) for k in node.inputs]
    if any(array is None for array in inputs):
        return ""
    if node.operation == "cross_entropy":
        return _cross_entropy(inputs) if moment.sample is not None else ""
    if rule is None:
        return ""
    try:
        right = rule(inputs, element)
    except (IndexError, ValueError):  # shapes this rule does not know: better no line than a wrong one
        return ""
    return f"{_named(node, element)} = {right} = {number(value[element])}" if right else ""


def _named(node: NodeRecord, element: tuple[int, ...]) -> str:
    places = [subscript(index + 1) for index in element]
    return symbol(node) + (places[0] if len(places) == 1 else "‚".join(places))


def _rule(operation: str) -> Callable[[Sequence[np.ndarray], tuple[int, ...]], str] | None:
    if operation == "linear":
        return _linear
    if operation in _ONE:
        return lambda inputs, element: _one(_ONE[operation], inputs[0][element])
    if operation in _TWO:
        return lambda inputs, element: _two(_TWO[operation], inputs, element)
    return {"squared": _squared, "absolute": _absolute}.get(_LOSSES.get(operation, ""))


def _one(text: str, value: float) -> str:
    return text.format(*[number(value)] * 3, m=number(-value))


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


def _squared(inputs: Sequence[np.ndarray], element: tuple[int, ...]) -> str:
    return _mean_of(inputs, "({} − {})²")


def _absolute(inputs: Sequence[np.ndarray], element: tuple[int, ...]) -> str:
    return _mean_of(inputs, "|{} − {}|")


def _mean_of(inputs: Sequence[np.ndarray], text: str) -> str:
    """Only for a batch of one row with one target: then the mean is that one term."""
    if any(array.size != 1 for array in inputs[:2]):
        return ""
    found, wanted = (float(array.reshape(-1)[0]) for array in inputs[:2])
    return text.format(number(found), _bracketed(wanted))


def _cross_entropy(inputs: Sequence[np.ndarray]) -> str:
    """The chosen row's part of the mean, for class numbers as targets."""
    scores, wanted = inputs[0].astype(float), inputs[1]
    if scores.ndim != 1 or wanted.ndim != 0 or wanted.dtype.kind not in "iu":
        return ""
    share = np.exp(scores - scores.max())
    share = float(share[int(wanted)] / share.sum())
    return f"this row: −log softmax(ŷ)[{int(wanted)}] = −log {number(share)} = {number(-np.log(share))}"
