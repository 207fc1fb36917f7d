"""Reductions: what makes one number of many, over all elements or along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nnviz.operations.operation import Gradient, Gradients, Operation, Rule, figure
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.signature import Given, Input, inputs_in, spread_shape
from nnviz.operations.writing import Substitution, divided, factors, line, listed, numbers, powers, squares
from nnviz.text.numbers import MINUS


def _reduced(call: RecordedCall) -> np.ndarray:
    """The elements that a reduction makes one of."""
    x, dim = call.options["x"], call.option("dim")
    chosen = range(x.ndim) if dim is None or dim == [] or isinstance(dim, bool) else [dim] if isinstance(dim, int) else dim
    axes = {axis % x.ndim for axis in chosen} if x.ndim else set()
    others = iter(call.place if len(call.place) < x.ndim else [k for axis, k in enumerate(call.place) if axis not in axes])
    return x[tuple(slice(None) if axis in axes else next(others) for axis in range(x.ndim))].reshape(-1)


# --- variance: its options say what the sum of squares is divided by ---


def _correction(given: Given) -> Any:
    """How much less than n the divisor is; `x.var(False)` means that it is not corrected."""
    unbiased = given["dim"] if isinstance(given.get("dim"), bool) else given.get("unbiased")
    correction = given.get("correction")
    return correction if correction is not None else int(unbiased is not False)


def _divisor(given: Given) -> str:
    correction = _correction(given)
    return f"(n − {figure(correction)})" if correction else "n"


def _variance(call: RecordedCall) -> Substitution:
    values, fewer = _reduced(call), _correction(call.options)
    said = squares(values, float(values.mean()))
    return divided(said, len(values) - fewer, f"({len(values)} {MINUS} {fewer})" if fewer else "")


def _rooted(said: Substitution) -> Substitution:
    return Substitution(f"√({said.text})", math.sqrt(said.value))


# --- the largest and the smallest ---


def _other(given: Given) -> bool:
    """Whether `max` and `min` are called with two tensors, which they then compare element by element."""
    return isinstance(given.get("dim"), Input) or "b" in given


def _copied(halves: list[Gradient], given: Given) -> list[Gradient]:
    """The tensors that are compared may be spread to one shape."""
    both = [inputs_in(part)[0] for part in given.values() if inputs_in(part)]
    whole = spread_shape(given)
    return [
        half if tensor.shape == whole else half._replace(right=f"Σ {half.right}, over the copies")
        for half, tensor in zip(halves, both, strict=True)
    ]


def _extreme_gradients(which: str, relation: str) -> Callable[[Given], Gradients]:
    def gradients(given: Given) -> Gradients:
        if _other(given):
            halves = [Gradient(f"∂L/∂y where {a} {relation} {b}, half of it where {a} = {b}", a) for a, b in ("ab", "ba")]
            halves = _copied(halves, given)
            return {"x": halves[0], "b" if "b" in given else "dim": halves[1]}
        if given.get("dim") is None:
            return {"x": f"∂L/∂y at the {which} elements, shared between equals"}
        return {"x": f"∂L/∂y at the {which} element, 0 elsewhere"}

    return gradients


def _extreme(name: str) -> Rule:
    def write(call: RecordedCall) -> Substitution:
        other = call.options.get("b", call.options.get("dim"))
        if not isinstance(other, np.ndarray):
            return listed(name, _reduced(call))
        return listed(name, np.array([np.broadcast_to(one, call.node.shape)[call.place] for one in (call.options["x"], other)]))

    return write


# --- others ---


def _logsumexp(call: RecordedCall) -> Substitution | None:
    sums = powers(_reduced(call))
    return Substitution(f"ln({sums.text})", math.log(sums.value)) if 0 < sums.value < math.inf else None


def _mean(call: RecordedCall) -> Substitution:
    values = _reduced(call)
    return divided(numbers(values), len(values))


def _is_euclidean(given: Given) -> bool:
    return given.get("p") in (None, "fro", 2)


def _cumulated(call: RecordedCall) -> Substitution:
    axis = call.option("dim") % len(call.place)
    return numbers(line(call.options["x"], call.place, axis)[: call.place[axis] + 1])


_reduction = partial(Operation, signature="x dim keepdim", symbol="y")
ROWS = (
    _reduction(
        names="sum", of_complex=True, symbol="s", formula="s = Σ x", gradients={"x": "∂L/∂s, to every element"}, linear_in="all",
        numbers=lambda call: numbers(_reduced(call)),
    ),
    _reduction(
        names="mean", of_complex=True, symbol="m", formula="m = 1/n Σ x", gradients={"x": "∂L/∂m / n, to every element"},
        linear_in="all", numbers=_mean,
    ),
    _reduction(names="logsumexp", formula="y = ln Σ eˣ", gradients={"x": "∂L/∂y · softmax(x)"}, numbers=_logsumexp),
    _reduction(
        names="max", formula=lambda given: "y = max(a, b)" if _other(given) else "y = max x", numbers=_extreme("max"),
        gradients=_extreme_gradients("largest", ">"),
    ),
    _reduction(
        names="min", formula=lambda given: "y = min(a, b)" if _other(given) else "y = min x", numbers=_extreme("min"),
        gradients=_extreme_gradients("smallest", "<"),
    ),
    _reduction(
        names="amax", formula="y = max x", gradients={"x": "∂L/∂y at the largest elements, shared between equals"},
        numbers=_extreme("max"),
    ),
    _reduction(
        names="amin", formula="y = min x", gradients={"x": "∂L/∂y at the smallest elements, shared between equals"},
        numbers=_extreme("min"),
    ),
    _reduction(
        names="var", signature="x dim unbiased keepdim correction", symbol="σ²", numbers=_variance,
        formula=lambda given: f"σ² = 1/{_divisor(given)} Σ (x − x̄)²",
        gradients=lambda given: {"x": f"∂L/∂σ² · 2(x − x̄)/{_divisor(given)}"},
    ),
    _reduction(
        names="std", signature="x dim unbiased keepdim correction", symbol="σ", numbers=lambda call: _rooted(_variance(call)),
        formula=lambda given: f"σ = √(1/{_divisor(given)} Σ (x − x̄)²)",
        gradients=lambda given: {"x": f"∂L/∂σ · (x − x̄)/({_divisor(given)}σ)"},
    ),
    _reduction(
        names="norm", signature="x p dim keepdim", symbol="‖x‖", formula=lambda given: "‖x‖ = √Σ x²" if _is_euclidean(given) else "",
        gradients={"x": "∂L/∂‖x‖ · x / ‖x‖"},
        numbers=lambda call: _rooted(squares(_reduced(call))) if _is_euclidean(call.options) else None,
    ),
    _reduction(
        names="cumsum", of_complex=True, formula="yᵢ = x₁ + … + xᵢ", gradients={"x": Gradient("Σ ∂L/∂yⱼ for j ≥ i", "xᵢ")},
        numbers=_cumulated,
    ),
    _reduction(
        names="prod", formula="y = Π x", gradients={"x": "∂L/∂y · Π of the other elements"},
        of_complex={"x": "∂L/∂y · conj(Π of the other elements)"},
        numbers=lambda call: factors(_reduced(call)),
    ),
)  # fmt: skip
