"""Dropout and other operations that draw random numbers."""

from __future__ import annotations

from functools import partial

from nnviz.operations.operation import Gradients, Operation
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import SentCall
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, bracketed
from nnviz.records.tensors import to_numpy
from nnviz.text.numbers import MINUS, number


def _is_on(given: Given) -> bool:
    return given.get("training") is not False and given.get("p") != 0


def _formula(given: Given) -> str:
    if not _is_on(given):
        return "y = x"
    return "y = 0" if given.get("p") == 1 else "y = kept · x / (1 − p),  kept = 0 with probability p, else 1"


def _of_channels(given: Given) -> str:
    text = _formula(given)
    return text + (", for whole channels" if "kept" in text else "")


def _gradients(given: Given) -> Gradients:
    if not _is_on(given):
        return {"x": "∂L/∂y"}
    return {"x": "0" if given.get("p") == 1 else "∂L/∂y · kept / (1 − p)"}


def _dropout(call: RecordedCall) -> Substitution | None:
    record, x, p = call.node.dropped, float(call.input(0)[call.place]), call.option("p", 0.5)
    if record is None:
        return Substitution(number(x), x) if call.option("training") is False or not p else None
    kept = not to_numpy(record)[call.place]
    return Substitution(f"{int(kept)}·{bracketed(x)}/(1 {MINUS} {number(p)})", kept * x / (1 - p))


def _dropped_back(sent: SentCall) -> Substitution | None:
    record, g, p = sent.call.node.dropped, float(sent.upstream[sent.at]), sent.call.option("p", 0.5)
    if record is None:
        return Substitution(number(g), g) if sent.call.option("training") is False or not p else None
    kept = not to_numpy(record)[sent.at]
    return Substitution(f"{bracketed(g)}·{int(kept)}/(1 {MINUS} {number(p)})", kept * g / (1 - p))


def _mask(call: RecordedCall) -> Substitution | None:
    p = call.option("p")
    if p is None:
        return None
    return Substitution(f"1/(1 {MINUS} {number(p)})", 1 / (1 - p)) if call.value else Substitution("0", 0.0)


_dropping = partial(
    Operation,
    signature="x p training inplace",
    symbol="y",
    gradients=_gradients,
    numbers=_dropout,
    drops=True,
    random=True,
    sent={"x": _dropped_back},
)
ROWS = (
    _dropping(names="dropout", formula=_formula),
    _dropping(names="dropout1d dropout2d dropout3d", formula=_of_channels),
    Operation(names="feature_dropout", drops=True, random=True),
    Operation(
        names="dropout_mask", signature="shape stride p", symbol="mask", formula="mask = 0 with probability p, else 1/(1 − p)",
        numbers=_mask, drops=True, random=True,
    ),
    Operation(names="bernoulli", signature="x p", numbers=_mask, random=True),
    Operation(names="randn", formula="ε ~ N(0, 1), drawn anew in every iteration", random=True),
)  # fmt: skip
