"""The small language in which lessons say what is measured: arithmetic over values, gradients, curves and counts of the live state.

Nothing else can be said in it: no names but the given ones, no attributes, no assignments.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

LONGEST = 500
"""Characters."""
LARGEST_POWER = 64


class ExpressionError(ValueError):
    """What is wrong with an expression, as a sentence."""


_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.MatMult: operator.matmul,
}
_COMPARED = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _softmax(z: Any) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(np.asarray(z, dtype=np.float64) - np.max(z, axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _precision(predicted: Any, true: Any) -> float:
    """Of what was predicted to be 1 the share that is 1."""
    predicted, true = np.asarray(predicted, dtype=bool), np.asarray(true, dtype=bool)
    return float(np.sum(predicted & true) / np.sum(predicted))


def _fbeta(predicted: Any, true: Any, beta: float) -> float:
    """The harmonic mean of precision and recall, which counts β times as much; recall is precision with both exchanged."""
    precision, recall = _precision(predicted, true), _precision(true, predicted)
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "all": np.all,
    "any": np.any,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "ceil": np.ceil,
    "eigenvalues": lambda matrix: np.linalg.eigvalsh(np.asarray(matrix, dtype=np.float64)),
    "exp": np.exp,
    "f1": lambda predicted, true: _fbeta(predicted, true, 1),
    "fbeta": _fbeta,
    "floor": np.floor,
    "inverse": lambda matrix: np.linalg.inv(np.asarray(matrix, dtype=np.float64)),
    "len": len,
    "log": np.log,
    "max": np.max,
    "mean": np.mean,
    "median": np.median,
    "min": np.min,
    "norm": lambda values: float(np.linalg.norm(np.asarray(values, dtype=np.float64))),
    "precision": _precision,
    "product": np.prod,
    "recall": lambda predicted, true: _precision(true, predicted),
    "round": np.round,
    "sigmoid": lambda z: 1 / (1 + np.exp(-np.asarray(z, dtype=np.float64))),
    "sign": np.sign,
    "softmax": _softmax,
    "sqrt": np.sqrt,
    "std": np.std,
    "sum": np.sum,
    "tanh": np.tanh,
    "transpose": np.transpose,
    "var": np.var,
}
_CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "true": True, "false": False}


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """Return the value of an expression. `names`: further functions and values by name. Raises ExpressionError."""
    tree = _parsed(text)
    try:
        with np.errstate(all="ignore"):
            return _value(tree, {**_FUNCTIONS, **_CONSTANTS, **names})
    except ExpressionError as error:
        raise ExpressionError(f"{text!r}: {error}") from None
    except (TypeError, ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
        raise ExpressionError(f"{text!r} cannot be worked out: {error}.") from None


def number(text: str, names: Mapping[str, Any]) -> float:
    """Return the value of an expression that is one number. Raises ExpressionError."""
    found = np.asarray(evaluate(text, names))
    if found.size != 1 or found.dtype.kind not in "biuf":
        raise ExpressionError(f"{text!r} is no single number.")
    return float(found.reshape(-1)[0])


def truth(text: str, names: Mapping[str, Any]) -> bool:
    """Return whether a condition holds. Raises ExpressionError."""
    return bool(np.all(evaluate(text, names)))


@lru_cache(maxsize=1000)
def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise ExpressionError(f"An expression has at most {LONGEST} characters, this one {len(text)}.")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        raise ExpressionError(f"{text!r} cannot be read.") from None


def _value(tree: ast.expr, names: Mapping[str, Any]) -> Any:
    match tree:
        case ast.Constant(value=bool() | int() | float() | str()):
            return tree.value
        case ast.Name(id=name):
            if name not in names:
                raise ExpressionError(f"nothing is called {name}.")
            return names[name]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if callable(names.get(name)):
            return names[name](*(_value(part, names) for part in args))
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            return _power(_value(left, names), _value(right, names))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, names), _value(right, names))
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return -_value(part, names)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return not np.all(_value(part, names))
        case ast.Subscript(value=whole, slice=place):
            return _value(whole, names)[_place(place, names)]
        case _:
            return _logical(tree, names)


def _logical(tree: ast.expr, names: Mapping[str, Any]) -> Any:
    match tree:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(np.all(_value(part, names)) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(np.all(_value(part, names)) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=parts) if all(type(op) in _COMPARED for op in ops):
            values = [_value(part, names) for part in (left, *parts)]
            pairs = zip(ops, values[:-1], values[1:], strict=True)
            return np.logical_and.reduce([_COMPARED[type(op)](one, other) for op, one, other in pairs])
        case ast.IfExp(test=test, body=body, orelse=other):
            return _value(body if np.all(_value(test, names)) else other, names)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return np.array([_value(part, names) for part in parts])
    raise ExpressionError("only numbers, names, + - * / ** @, comparisons, and, or, not, lists, [places] and calls can be written.")


def _power(base: Any, exponent: Any) -> Any:
    if np.max(np.abs(exponent)) > LARGEST_POWER:
        raise ExpressionError(f"a power is at most {LARGEST_POWER}.")
    return np.power(np.asarray(base, dtype=np.float64), exponent)


def _place(tree: ast.expr, names: Mapping[str, Any]) -> Any:
    match tree:
        case ast.Tuple(elts=parts):
            return tuple(_place(part, names) for part in parts)
        case ast.Slice(lower=lower, upper=upper, step=None):
            return slice(*(None if part is None else int(_value(part, names)) for part in (lower, upper)))
    found = _value(tree, names)
    return found if isinstance(found, str) else int(found)
