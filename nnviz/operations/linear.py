"""Products of matrices and vectors: dense layers, matmul, einsum."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import numpy as np

from nnviz.operations.operation import Formula, Gradient, Gradients, Operation
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import Sent, SentCall
from nnviz.operations.signature import Given, inputs_in, is_complex
from nnviz.operations.writing import Substitution, numbers, plain, products

OF_ONE_UNIT = {
    2: Formula("z", "z = Σᵢ wᵢ xᵢ", "∂L/∂xᵢ = ∂L/∂z · wᵢ\n∂L/∂wᵢ = ∂L/∂z · xᵢ"),
    3: Formula("z", "z = Σᵢ wᵢ xᵢ + b", "∂L/∂xᵢ = ∂L/∂z · wᵢ\n∂L/∂wᵢ = ∂L/∂z · xᵢ\n∂L/∂b = ∂L/∂z"),
}
"""What is said of one unit of a dense layer, by how many inputs the layer has."""


def _dense_formula(given: Given) -> str:
    if len(given["weight"].shape) == 1:
        return ""
    return "z = x Wᵀ" if given.get("bias") is None else "z = x Wᵀ + b"


def _dense_gradients(given: Given) -> Gradients:
    """Of x that is one vector, rows of vectors, or more: then every place is a row."""
    axes = len(given["x"].shape)
    weight = {1: "∂L/∂z xᵀ", 2: "(∂L/∂z)ᵀ · x"}.get(axes, "Σ ∂L/∂z xᵀ over all places")
    return {"x": "∂L/∂z · W", "weight": weight, "bias": {1: "∂L/∂z", 2: "Σ ∂L/∂z over the batch"}.get(axes, "Σ ∂L/∂z over all places")}


def _of_complex_dense(given: Given) -> Gradients:
    sent = _dense_gradients(given)
    weight = str(sent["weight"]).replace("(∂L/∂z)ᵀ · x", "(∂L/∂z)ᵀ · conj(x)").replace("xᵀ", "xᴴ")
    return sent | {"x": "∂L/∂z · conj(W)", "weight": weight}


def _factors(transposed: str) -> Callable[[Given], Gradients]:
    """What is sent to two matrices; where one of them stands for a stack of equal ones, it is added up."""

    def gradients(given: Given) -> Gradients:
        a, b = given["a"], given["b"]
        to_a, to_b = f"∂L/∂C · B{transposed}", f"A{transposed} · ∂L/∂C"
        if min(len(a.shape), len(b.shape)) < 2 and max(len(a.shape), len(b.shape)) > 2:
            return {}  # a vector with a stack of matrices
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return {
            "a": to_a if a.shape[:-2] == stack else f"Σ {to_a} over the stack",
            "b": to_b if b.shape[:-2] == stack else f"Σ {to_b} over the stack",
        }

    return gradients


def _summed(given: Given) -> str:
    """The formula of einsum, of as many letters as there are operands; nothing of one that takes a diagonal."""
    letters = _letters(given)
    if any(len(set(term)) < len(term) for term in re.split(r"->|,", given["equation"].replace(" ", "").replace("...", ""))):
        return ""
    return f"y = Σ {' '.join(letters)} over the indices that y does not have"


def _letters(given: Given) -> str:
    return "abcdefgh"[: len(inputs_in(list(given.values())))]


def _summed_gradients(conjugate: bool) -> Callable[[Given], Gradients]:
    def gradients(given: Given) -> Gradients:
        letters = _letters(given)
        sent = []
        for own in letters:
            others = " ".join([f"conj({other})" if conjugate else other for other in letters if other != own])
            sent.append(Gradient(f"Σ {f'∂L/∂y {others}'.strip()} over the indices that {own} does not have", own))
        names = [name for name, part in given.items() if inputs_in(part)]
        return {names[0]: sent} if len(names) == 1 else {name: [one] for name, one in zip(names, sent, strict=True)}

    return gradients


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


def _flat(array: np.ndarray) -> np.ndarray:
    """(rows, features): all axes before the last as one."""
    return array.reshape(-1, array.shape[-1])


def _to_dense_input(sent: SentCall) -> Substitution:
    return products(sent.upstream[sent.at[:-1]], sent.call.options["weight"][:, sent.at[-1]])


def _to_dense_weight(sent: SentCall) -> Substitution:
    unit, feature = sent.at
    return products(_flat(sent.upstream)[:, unit], _flat(sent.call.options["x"])[:, feature])


def _to_dense_bias(sent: SentCall) -> Substitution:
    return numbers(_flat(sent.upstream)[:, sent.at[-1]])


def _to_dot(sent: SentCall) -> Substitution:
    upstream, other = float(sent.upstream.reshape(-1)[0]), float(sent.call.input(1 - sent.argument)[sent.at])
    return products(np.array([upstream]), np.array([other]))


def _to_factor(sent: SentCall) -> Substitution:
    """∂L/∂A = ∂L/∂C Bᵀ and ∂L/∂B = Aᵀ ∂L/∂C, summed over the further axes along which a factor was spread."""
    a, b, g = sent.call.input(0), sent.call.input(1), sent.upstream
    g = g[..., None] if b.ndim == 1 else g
    g = g[..., None, :] if a.ndim == 1 else g
    a, b = a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    place = sent.at if len(sent.at) > 1 else (0, *sent.at) if sent.argument == 0 else (*sent.at, 0)
    own = a if sent.argument == 0 else b
    kept = (slice(None),) * (g.ndim - own.ndim)
    spread = tuple(
        slice(None) if size == 1 < whole else k for k, size, whole in zip(place, own.shape[:-2], g.shape[-own.ndim :], strict=False)
    )
    row, column = place[-2:]
    if sent.argument == 0:
        other = np.broadcast_to(b, (*g.shape[:-2], *b.shape[-2:]))
        left, right = g[(*kept, *spread, row)], other[(*kept, *spread, column)]
    else:
        other = np.broadcast_to(a, (*g.shape[:-2], *a.shape[-2:]))
        left, right = other[(*kept, *spread, slice(None), row)], g[(*kept, *spread, slice(None), column)]
    return products(left.reshape(-1), right.reshape(-1))


def _einsum(call: RecordedCall) -> Substitution | None:
    """Of two tensors; every place of the indices that are summed away is a term."""
    inputs, arrow, output = call.node.arguments[0].replace(" ", "").partition("->")
    terms = inputs.split(",")
    return _contracted(terms, output, [call.input(k) for k in range(len(terms))], call.place) if arrow else None


def _to_einsum(sent: SentCall) -> Substitution | None:
    """Of two tensors: what is sent to one is the product of ∂L/∂y and the other, summed over what the one does not have."""
    inputs, arrow, output = sent.call.node.arguments[0].replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not arrow or len(terms) != 2 or not set(terms[sent.argument]) <= set(output) | set(terms[1 - sent.argument]):
        return None
    other = sent.call.input(1 - sent.argument)
    return _contracted([output, terms[1 - sent.argument]], terms[sent.argument], [sent.upstream, other], sent.at)


def _contracted(terms: list[str], output: str, arrays: list[np.ndarray], place: tuple[int, ...]) -> Substitution | None:
    if "." in "".join(terms) or len(terms) != 2 or any(len(set(term)) < len(term) for term in terms):
        return None
    fixed = dict(zip(output, place, strict=True))
    summed = sorted(set("".join(terms)) - set(output))
    parts = [array[tuple(fixed.get(index, slice(None)) for index in term)] for array, term in zip(arrays, terms, strict=True)]
    left = [[index for index in term if index in summed] for term in terms]
    sizes = {index: size for kept, part in zip(left, parts, strict=True) for index, size in zip(kept, part.shape, strict=True)}
    grids = np.indices([sizes[index] for index in summed]).reshape(len(summed), -1)
    a, b = (part[tuple(grids[summed.index(index)] for index in kept)] for part, kept in zip(parts, left, strict=True))
    return products(*np.broadcast_arrays(np.atleast_1d(a), np.atleast_1d(b)))


_FACTORS: dict[str, Sent] = {"a": _to_factor, "b": _to_factor}
_product = partial(
    Operation, signature="a:A b:B", symbol="C", gradients=_factors("ᵀ"), of_complex=_factors("ᴴ"), numbers=_matmul, linear_in="each",
    sent=_FACTORS,
)  # fmt: skip
ROWS = (
    Operation(
        names="linear", signature="x weight:W bias:b", symbol="z", formula=_dense_formula, numbers=_dense, linear_in="all",
        gradients=_dense_gradients, of_complex=_of_complex_dense, same_for_means=True,
        sent={"x": _to_dense_input, "weight": _to_dense_weight, "bias": _to_dense_bias},
    ),
    _product(names="matmul mm", formula="C = A B"),
    _product(names="bmm", formula="C = A B, for each sample"),
    _product(
        names="mv", signature="a:A b:x", symbol="y", formula="y = A x", gradients={"a": "∂L/∂y xᵀ", "b": "Aᵀ · ∂L/∂y"},
        of_complex={"a": "∂L/∂y xᴴ", "b": "Aᴴ · ∂L/∂y"},
    ),
    Operation(
        names="dot", signature="a b", symbol="s", formula="s = a · b", gradients={"a": "∂L/∂s · b", "b": "∂L/∂s · a"},
        of_complex={"a": "∂L/∂s · conj(b)", "b": "∂L/∂s · conj(a)"}, numbers=lambda call: products(call.input(0), call.input(1)),
        sent={"a": _to_dot, "b": _to_dot},
    ),
    Operation(
        names="vdot", signature="a b", symbol="s", formula=lambda given: "s = conj(a) · b" if is_complex(given) else "s = a · b",
        gradients={"a": "∂L/∂s · b", "b": "∂L/∂s · a"}, of_complex={"a": "conj(∂L/∂s) · b", "b": "∂L/∂s · a"},
        numbers=lambda call: products(call.input(0), call.input(1)),
        sent={"a": _to_dot, "b": _to_dot},
    ),
    Operation(
        names="einsum", signature="equation a b c d e f g h", symbol="y", formula=_summed, numbers=_einsum,
        gradients=_summed_gradients(False), of_complex=_summed_gradients(True),
        sent={"a": _to_einsum, "b": _to_einsum},
    ),
)  # fmt: skip
