"""Functions of one number with that number put in: activations, roots, powers of e. Pure; the trace's numbers never come from here."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.writing import Substitution, bracketed
from nnviz.text.numbers import MINUS, number


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


def _softplus(z: float) -> float:
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def _leaky(z: float, call: RecordedCall) -> Substitution:
    slope = call.option("negative_slope", 0.01)
    return Substitution(f"{number(z)} if {number(z)} > 0 else {number(slope)}·({number(z)})", z if z > 0 else slope * z)


def _elu(z: float, call: RecordedCall) -> Substitution:
    a = call.option("alpha", 1.0)
    factor = "" if a == 1 else f"{bracketed(a)}·("
    text = f"{number(z)} if {number(z)} > 0 else {factor}e^({number(z)}) {MINUS} 1{')' if factor else ''}"
    return Substitution(text, z if z > 0 else a * math.expm1(z))


def _selu(z: float, call: RecordedCall) -> Substitution:
    alpha, scale = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017
    text = f"1.051·({number(z)} if {number(z)} > 0 else 1.673·(e^({number(z)}) {MINUS} 1))"
    return Substitution(text, scale * (z if z > 0 else alpha * math.expm1(z)))


def _celu(z: float, call: RecordedCall) -> Substitution:
    a = call.option("alpha", 1.0)
    return Substitution(
        f"{number(z)} if {number(z)} > 0 else {number(a)}·(e^({number(z / a)}) {MINUS} 1)", z if z > 0 else a * math.expm1(z / a)
    )


def _gelu(z: float, call: RecordedCall) -> Substitution:
    if call.option("approximate", "none") == "tanh":
        inner = math.sqrt(2 / math.pi) * (z + 0.044715 * z * z * z)
        return Substitution(f"{number(z)}·(1 + tanh({number(inner)}))/2", z * (1 + math.tanh(inner)) / 2)
    return Substitution(f"{number(z)}·Φ({number(z)})", z * (1 + math.erf(z / math.sqrt(2))) / 2)


def _softplus_of(z: float, call: RecordedCall) -> Substitution:
    beta = call.option("beta", 1)
    if beta * z > call.option("threshold", 20):
        return Substitution(number(z), z)  # as torch: from there on the line itself
    if beta == 1:
        return Substitution(f"ln(1 + e^({number(z)}))", _softplus(z))
    return Substitution(f"ln(1 + e^({number(beta * z)}))/{bracketed(beta)}", _softplus(beta * z) / beta)


def _between(low: str, high: str, limits: tuple[float | None, float | None]) -> Callable[[float, RecordedCall], Substitution]:
    def write(z: float, call: RecordedCall) -> Substitution:
        least, most = call.option(low, limits[0]), call.option(high, limits[1])
        text, value = number(z), z
        if least is not None:
            text, value = f"max({text}, {number(least)})", max(value, least)
        if most is not None:
            text, value = f"min({text}, {number(most)})", min(value, most)
        return Substitution(text, value)

    return write


def _simple(text: str, value: Callable[[float], float]) -> Callable[[float, RecordedCall], Substitution]:
    """`text` with {z} for the number, {b} for it in brackets if negative, {m} for its opposite."""
    return lambda z, call: Substitution(text.format(z=number(z), b=bracketed(z), m=number(-z)), value(z))


_sixth = _simple("min(max({z}/6 + 0.5, 0), 1)", lambda z: min(max(z / 6 + 0.5, 0), 1))
ONE: dict[str, Callable[[float, RecordedCall], Substitution]] = {
    "relu": _simple("max(0, {z})", lambda z: max(0.0, z)),
    "leaky_relu": _leaky, "elu": _elu, "selu": _selu, "celu": _celu, "gelu": _gelu, "softplus": _softplus_of,
    "silu": _simple("{z}·σ({z})", lambda z: z * _sigmoid(z)),
    "sigmoid": _simple("1/(1 + e^({m}))", _sigmoid),
    "tanh": _simple("tanh({z})", math.tanh),
    "log_sigmoid": _simple("ln σ({z})", lambda z: -_softplus(-z)),
    "relu6": _simple("min(max({z}, 0), 6)", lambda z: min(max(z, 0.0), 6.0)),
    "hardtanh": _between("min_val", "max_val", (-1.0, 1.0)), "clamp": _between("min", "max", (None, None)),
    "hardsigmoid": _sixth,
    "hardswish": _simple("{z}·min(max({z}/6 + 0.5, 0), 1)", lambda z: z * min(max(z / 6 + 0.5, 0), 1)),
    "mish": _simple("{z}·tanh(ln(1 + e^({z})))", lambda z: z * math.tanh(_softplus(z))),
    "tanhshrink": _simple("{z} − tanh({z})", lambda z: z - math.tanh(z)),
    "softsign": _simple("{z}/(1 + |{z}|)", lambda z: z / (1 + abs(z))),
    "neg": _simple("−{b}", lambda z: -z),
    "square": _simple("({z})²", lambda z: z * z),
    "sqrt": _simple("√({z})", math.sqrt),
    "rsqrt": _simple("1/√({z})", lambda z: 1 / math.sqrt(z)),
    "exp": _simple("e^({z})", math.exp),
    "log": _simple("ln({z})", math.log),
    "abs": _simple("|{z}|", abs),
    "sin": _simple("sin({z})", math.sin),
    "cos": _simple("cos({z})", math.cos),
}  # fmt: skip
"""Operation -> what it says of one number."""

ACTIVATIONS = frozenset((
    "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "softplus", "silu", "sigmoid", "tanh", "log_sigmoid", "hardtanh", "hardsigmoid",
    "hardswish", "mish", "softsign",
))  # fmt: skip
"""Those of ONE that a curve is drawn of."""


def curve(call: RecordedCall, z: np.ndarray) -> np.ndarray:
    """Return what an activation with the options of this call makes of every z, for drawing it."""
    return np.array([ONE[call.operation](value, call).value for value in z.tolist()])
