"""Products of matrices and vectors: dense layers, matmul, einsum."""

from __future__ import annotations

from functools import partial

import numpy as np

from nnviz.operations.operation import Formula, Gradients, Operation
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, plain, products

OF_ONE_UNIT = {
    2: Formula("z", "z = Σᵢ wᵢ xᵢ", "∂L/∂xᵢ = ∂L/∂z · wᵢ\n∂L/∂wᵢ = ∂L/∂z · xᵢ"),
    3: Formula("z", "z = Σᵢ wᵢ xᵢ + b", "∂L/∂xᵢ = ∂L/∂z · wᵢ\n∂L/∂wᵢ = ∂L/∂z · xᵢ\n∂L/∂b = ∂L/∂z"),
}
"""What is said of one unit of a dense layer, by how many inputs the layer has."""


def _dense_formula(given: Given) -> str:
    return "z = x Wᵀ" if given.get("bias") is None else "z = x Wᵀ + b"


def _dense(call: RecordedCall) -> Substitution:
    bias = call.option("bias")
    tail = [] if bias is None else [plain(bias[call.place[-1]])]
    return products(call.options["weight"][call.place[-1]], call.options["x"][call.place[:-1]], tail)


def _matmul(call: RecordedCall) -> Substitution:
    a, b = call.input(0), call.input(1)
    rows, columns = a if a.ndim > 1 else a[None], b if b.ndim > 1 else b[:, None]
    kept = list(call.place)
    column = kept.pop() if b.ndim > 1 else 0
    row = kept.pop() if a.ndim > 1 else 0
    return products(_within(rows, kept)[row], _within(columns, kept)[:, column])


def _within(matrices: np.ndarray, place: list[int]) -> np.ndarray:
    """One of a stack of matrices that may be spread over further axes."""
    axes = matrices.ndim - 2
    chosen = place[len(place) - axes :] if axes else []
    return matrices[tuple(k if size > 1 else 0 for k, size in zip(chosen, matrices.shape, strict=False))]


def _einsum(call: RecordedCall) -> Substitution | None:
    """Of two tensors; every place of the indices that are summed away is a term."""
    equation = call.node.arguments[0]
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not arrow or "." in equation or len(terms) != 2 or any(len(set(term)) < len(term) for term in terms):
        return None
    fixed = dict(zip(output, call.place, strict=True))
    summed = sorted(set(inputs) - {","} - set(output))
    parts = [call.input(k)[tuple(fixed.get(index, slice(None)) for index in term)] for k, term in enumerate(terms)]
    left = [[index for index in term if index in summed] for term in terms]
    sizes = {index: size for kept, part in zip(left, parts, strict=True) for index, size in zip(kept, part.shape, strict=True)}
    grids = np.indices([sizes[index] for index in summed]).reshape(len(summed), -1)
    a, b = (part[tuple(grids[summed.index(index)] for index in kept)] for part, kept in zip(parts, left, strict=True))
    return products(*np.broadcast_arrays(np.atleast_1d(a), np.atleast_1d(b)))


_TO_FACTORS: Gradients = {"a": "∂L/∂C · Bᵀ", "b": "Aᵀ · ∂L/∂C"}
_product = partial(Operation, signature="a:A b:B", symbol="C", gradients=_TO_FACTORS, numbers=_matmul, linear_in="each")
ROWS = (
    Operation(
        names="linear", signature="x weight:W bias:b", symbol="z", formula=_dense_formula, numbers=_dense, linear_in="all",
        gradients={"x": "∂L/∂z · W", "weight": "(∂L/∂z)ᵀ · x", "bias": "Σ ∂L/∂z over the batch"}, same_for_means=True,
    ),
    _product(names="matmul mm", formula="C = A B"),
    _product(names="bmm", formula="C = A B, for each sample"),
    _product(
        names="mv", signature="a:A b:x", symbol="y", formula="y = A x", gradients={"a": "∂L/∂y xᵀ", "b": "Aᵀ · ∂L/∂y"},
    ),
    Operation(
        names="dot vdot", signature="a b", symbol="s", formula="s = a · b", gradients={"a": "∂L/∂s · b", "b": "∂L/∂s · a"},
        numbers=lambda call: products(call.input(0), call.input(1)),
    ),
    Operation(
        names="einsum", signature="equation a", symbol="y", formula="y = Σ a b … over the indices that y does not have",
        gradients={"a": "Σ ∂L/∂y b … over the indices that a does not have"}, numbers=_einsum,
    ),
)  # fmt: skip
