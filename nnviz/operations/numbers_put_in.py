"""One table: per operation its formula with the numbers of one element put in. Pure; the trace's numbers never come from here.

A rule takes a Call and returns the right side of "z[1] = …" with what it gives, or None for a call it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnviz.operations import numbers_of_losses, numbers_of_moves, numbers_of_windows
from nnviz.operations.numbers_of_activations import ONE
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.writing import (
    Substitution,
    bracketed,
    divided,
    exponential,
    factors,
    listed,
    numbers,
    plain,
    powers,
    products,
    squares,
)
from nnviz.text.numbers import MINUS, number, place

Rule = Callable[[RecordedCall], Substitution | None]

# -- element by element ----------------------------------------------------------------------------------------------


def _one(call: RecordedCall) -> Substitution:
    return ONE[call.operation](float(call.input(0)[call.place]), call)


def _at(part: Any, call: RecordedCall) -> float:
    """An operand at the call's element: a number, or a tensor that is spread over the node's shape."""
    return float(np.broadcast_to(part, call.node.shape)[call.place]) if isinstance(part, np.ndarray) else float(part)


def _operands(call: RecordedCall) -> tuple[float, float]:
    given = call.options
    return _at(given["a"], call), _at(next(given[name] for name in ("b", "other", "exponent") if name in given), call)


def _sum_of(sign: int, turned: bool = False) -> Rule:
    def write(call: RecordedCall) -> Substitution:
        a, b = reversed(_operands(call)) if turned else _operands(call)
        alpha = call.option("alpha", 1)
        factor = "" if alpha == 1 else f"{bracketed(alpha)}·"
        return Substitution(f"{number(a)} {'+' if sign > 0 else MINUS} {factor}{bracketed(b)}", a + sign * alpha * b)

    return write


def _quotient(turned: bool) -> Rule:
    def write(call: RecordedCall) -> Substitution | None:
        a, b = reversed(_operands(call)) if turned else _operands(call)
        return Substitution(f"{number(a)} / {bracketed(b)}", a / b) if b else None

    return write


def _times(call: RecordedCall) -> Substitution:
    a, b = _operands(call)
    return Substitution(f"{bracketed(a)}·{bracketed(b)}", a * b)


def _power(call: RecordedCall) -> Substitution:
    a, b = _operands(call)
    return Substitution(f"({number(a)}){'²' if b == 2 else f'^{bracketed(b)}'}", a**b)


def _base(call: RecordedCall) -> Substitution:
    a, b = _operands(call)
    return Substitution(f"({number(b)})^{bracketed(a)}", b**a)


def _better(name: str) -> Rule:
    return lambda call: listed(name, np.array(_operands(call)))


def _where(call: RecordedCall) -> Substitution:
    chosen = bool(_at(call.options["c"], call))
    value = _at(call.options["a" if chosen else "b"], call)
    return Substitution(f"{number(value)} (from {'a' if chosen else 'b'})", value)


def _masked(call: RecordedCall) -> Substitution:
    masked = bool(_at(call.options["mask"], call))
    value = _at(call.options["value" if masked else "x"], call)
    return Substitution(f"{number(value)} ({'masked' if masked else 'not masked'})", value)


def _prelu(call: RecordedCall) -> Substitution:
    z, weights = float(call.input(0)[call.place]), call.input(1)
    w = float(weights.reshape(-1)[call.place[1] if weights.size > 1 else 0])
    return Substitution(f"{number(z)} if {number(z)} > 0 else {number(w)}·({number(z)})", z if z > 0 else w * z)


def _dropout(call: RecordedCall) -> Substitution | None:
    record, x, p = call.node.dropped, float(call.input(0)[call.place]), call.option("p", 0.5)
    if record is None:
        return Substitution(number(x), x) if call.option("training") is False or not p else None
    kept = not np.frombuffer(record.data, record.dtype).reshape(record.shape)[call.place]
    return Substitution(f"{int(kept)}·{bracketed(x)}/(1 {MINUS} {number(p)})", kept * x / (1 - p))


def _mask(call: RecordedCall) -> Substitution | None:
    p = call.option("p")
    if p is None:
        return None
    return Substitution(f"1/(1 {MINUS} {number(p)})", 1 / (1 - p)) if call.value else Substitution("0", 0.0)


# -- over an axis ----------------------------------------------------------------------------------------------------


def _line(x: np.ndarray, place: tuple[int, ...], axis: int) -> np.ndarray:
    """The numbers along an axis through an element."""
    return x[(*place[: axis % x.ndim], slice(None), *place[axis % x.ndim + 1 :])]


def _share(sign: float) -> Rule:
    def write(call: RecordedCall) -> Substitution | None:
        x, axis = sign * call.options["x"], call.option("dim", -1)
        top, sums = float(x[call.place]), powers(_line(x, call.place, axis))
        return Substitution(f"{exponential(top)} / ({sums.text})", math.exp(top) / sums.value) if math.isfinite(sums.value) else None

    return write


def _log_share(call: RecordedCall) -> Substitution | None:
    x = call.options["x"]
    z, sums = float(x[call.place]), powers(_line(x, call.place, call.option("dim", -1)))
    return Substitution(f"{number(z)} {MINUS} ln({sums.text})", z - math.log(sums.value)) if 0 < sums.value < math.inf else None


def _reduced(call: RecordedCall) -> np.ndarray:
    """The elements that a reduction makes one of."""
    x, dim = call.options["x"], call.option("dim", call.options.get("axis"))
    chosen = range(x.ndim) if dim is None or dim == [] else [dim] if isinstance(dim, int) else dim
    axes = {axis % x.ndim for axis in chosen} if x.ndim else set()
    others = iter(call.place if len(call.place) < x.ndim else [k for axis, k in enumerate(call.place) if axis not in axes])
    return x[tuple(slice(None) if axis in axes else next(others) for axis in range(x.ndim))].reshape(-1)


def _mean(call: RecordedCall) -> Substitution:
    values = _reduced(call)
    return divided(numbers(values), len(values))


def _logsumexp(call: RecordedCall) -> Substitution | None:
    sums = powers(_reduced(call))
    return Substitution(f"ln({sums.text})", math.log(sums.value)) if 0 < sums.value < math.inf else None


def _deviation(rooted: bool) -> Rule:
    def write(call: RecordedCall) -> Substitution | None:
        values = _reduced(call)
        center = float(values.mean())
        fewer = call.option("correction", 1 if call.option("unbiased", True) else 0)
        said = divided(squares(values, center), len(values) - fewer, f"({len(values)} {MINUS} {fewer})" if fewer else "")
        return Substitution(f"√({said.text})", math.sqrt(said.value)) if rooted else said

    return write


def _norm(call: RecordedCall) -> Substitution | None:
    said = squares(_reduced(call))
    return Substitution(f"√({said.text})", math.sqrt(said.value)) if call.option("p", "fro") in ("fro", 2) else None


def _product(call: RecordedCall) -> Substitution:
    values = _reduced(call)
    return factors(values)


def _extreme(name: str) -> Rule:
    def write(call: RecordedCall) -> Substitution:
        others = call.options.get("dim", call.options.get("other"))
        return _better(name)(call) if isinstance(others, np.ndarray) else listed(name, _reduced(call))

    return write


def _cumulated(call: RecordedCall) -> Substitution:
    axis = call.option("dim") % len(call.place)
    return numbers(_line(call.options["x"], call.place, axis)[: call.place[axis] + 1])


# -- products of matrices --------------------------------------------------------------------------------------------


def _linear(call: RecordedCall) -> Substitution:
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


def _dot(call: RecordedCall) -> Substitution:
    return products(call.input(0), call.input(1))


def _attention(call: RecordedCall) -> Substitution | None:
    q, k, v = (call.options[name] for name in ("query", "key", "value"))
    mask, scale = call.option("attn_mask"), call.option("scale", 1 / math.sqrt(q.shape[-1]))
    scores = k[call.place[:-2]] @ q[call.place[:-1]] * scale
    if call.option("is_causal", False):
        scores = np.where(np.arange(len(scores)) <= call.place[-2], scores, -np.inf)
    if isinstance(mask, np.ndarray):
        line = np.broadcast_to(mask, (*q.shape[:-1], len(scores)))[call.place[:-1]]
        scores = np.where(line, scores, -np.inf) if mask.dtype.kind == "b" else scores + line
    shares = np.exp(scores - scores.max())
    return products(shares / shares.sum(), v[call.place[:-2]][:, call.place[-1]])


# -- normalisation ---------------------------------------------------------------------------------------------------


def _normalised(x: float, values: np.ndarray, eps: float, weight: float | None, bias: float | None) -> Substitution:
    """y with the mean and variance of the values it is among, which follow on lines of their own."""
    center, count = float(values.mean()), len(values)
    spread = float(((values - center) ** 2).mean())
    said = _standardised(x, center, spread, eps, weight, bias)
    mean, variance = divided(numbers(values), count), divided(squares(values, center), count)
    return Substitution(f"{said.text}\nμ = {mean.text} = {number(center)}\nσ² = {variance.text} = {number(spread)}", said.value)


def _standardised(x: float, center: float, spread: float, eps: float, weight: float | None, bias: float | None) -> Substitution:
    value = (x - center) / math.sqrt(spread + eps)
    text = f"({number(x)} {MINUS} {bracketed(center)})/√({number(spread)} + {number(eps)})"
    if weight is not None:
        text, value = f"{bracketed(weight)}·{text}", weight * value
    if bias is not None:
        text, value = f"{text} {MINUS if bias < 0 else '+'} {number(abs(bias))}", value + bias
    return Substitution(text, value)


def _of(part: np.ndarray | None, where: Any) -> float | None:
    return None if part is None else float(part[where])


def _layer_norm(call: RecordedCall) -> Substitution:
    x, sizes = call.options["x"], call.options["normalized_shape"]
    kept = x.ndim - len(sizes)
    own = call.place[kept:]
    weight, bias = _of(call.option("weight"), own), _of(call.option("bias"), own)
    return _normalised(float(x[call.place]), x[call.place[:kept]].reshape(-1), call.option("eps", 1e-5), weight, bias)


def _group_norm(call: RecordedCall) -> Substitution:
    x, groups, channel = call.options["x"], call.options["num_groups"], call.place[1]
    size = x.shape[1] // groups
    values = x[call.place[0], channel // size * size : (channel // size + 1) * size].reshape(-1)
    weight, bias = _of(call.option("weight"), channel), _of(call.option("bias"), channel)
    return _normalised(float(x[call.place]), values, call.option("eps", 1e-5), weight, bias)


def _batch_norm(call: RecordedCall) -> Substitution:
    x, channel, eps = call.options["x"], call.place[1], call.option("eps", 1e-5)
    weight, bias, own = _of(call.option("weight"), channel), _of(call.option("bias"), channel), float(x[call.place])
    if call.option("training", False):
        return _normalised(own, x[:, channel].reshape(-1), eps, weight, bias)
    center, spread = (float(call.options[name][channel]) for name in ("running_mean", "running_var"))
    return _standardised(own, center, spread, eps, weight, bias)


# -- picking ---------------------------------------------------------------------------------------------------------


def _embedding(call: RecordedCall) -> Substitution:
    row = int(call.options["index"][call.place[:-1]])
    value = float(call.options["weight"][row, call.place[-1]])
    return Substitution(f"W{place((row, call.place[-1]))}", value)


def _one_hot(call: RecordedCall) -> Substitution:
    named = int(call.input(0)[call.place[:-1]])
    return Substitution(f"1 if {named} = {call.place[-1]} else 0", float(named == call.place[-1]))


def _moved(call: RecordedCall) -> Substitution | None:
    x = call.input(0)
    source = numbers_of_moves.origin(call.node, x.shape, call.place)
    if source is None:
        return None
    axis = call.state.index.node(call.node.inputs[0]).batch_axis
    return Substitution(f"x{place([k for at, k in enumerate(source) if at != axis])}", float(x[source]))


def _joined(call: RecordedCall) -> Substitution:
    parts = [call.input(k) for k in range(len(call.node.inputs))]
    axis = call.node.keywords.get("dim", call.node.arguments[1] if len(call.node.arguments) > 1 else 0)
    which, source = numbers_of_moves.joined(call.operation, [part.shape for part in parts], axis, call.place)
    batch = call.state.index.node(call.node.inputs[which]).batch_axis
    letter = chr(ord("a") + which) if which < 26 else f"input {which} "
    return Substitution(f"{letter}{place([k for at, k in enumerate(source) if at != batch])}", float(parts[which][source]))


def _encoding(call: RecordedCall) -> Substitution:
    """Source: Vaswani et al. 2017, section 3.5."""
    time, feature = call.place
    name, power = "cos" if feature % 2 else "sin", feature - feature % 2
    angle = time / 10_000 ** (power / call.node.shape[1])
    return Substitution(f"{name}({time}/10000^({power}/{call.node.shape[1]}))", getattr(math, name)(angle))


ENCODING = "positional encoding"
"""What the rule for the buffer of that layer is called: no operation makes it."""
RULES: dict[str, Rule] = {
    ENCODING: _encoding,
    **dict.fromkeys(ONE, _one),
    "add": _sum_of(+1), "sub": _sum_of(-1), "rsub": _sum_of(-1, turned=True), "mul": _times, "div": _quotient(False),
    "rdiv": _quotient(True), "pow": _power, "rpow": _base, "maximum": _better("max"), "minimum": _better("min"), "where": _where,
    "masked_fill": _masked, "prelu": _prelu, "dropout_mask": _mask, "bernoulli": _mask,
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d"), _dropout),
    "softmax": _share(1.0), "softmin": _share(-1.0), "log_softmax": _log_share, "logsumexp": _logsumexp,
    "sum": lambda call: numbers(_reduced(call)), "mean": _mean, "var": _deviation(False), "std": _deviation(True), "norm": _norm,
    "prod": _product, "cumsum": _cumulated, **{name: _extreme(name[-3:]) for name in ("max", "min", "amax", "amin")},
    "linear": _linear, "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), _matmul), **dict.fromkeys(("dot", "vdot"), _dot),
    "layer_norm": _layer_norm, "group_norm": _group_norm, "batch_norm": _batch_norm,
    "einsum": _einsum, "embedding": _embedding, "one_hot": _one_hot, "cat": _joined, "stack": _joined,
    **numbers_of_windows.RULES, **dict.fromkeys(numbers_of_losses.PARTS, numbers_of_losses.whole),
    **dict.fromkeys((*numbers_of_moves.IN_ORDER, *numbers_of_moves.MOVES), _moved),
}  # fmt: skip
