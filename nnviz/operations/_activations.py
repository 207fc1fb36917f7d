"""Activations: functions of one number, and softmax over an axis."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from nnviz.operations.operation import Gradients, Operation, Rule
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import Sent, SentCall, times
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, between, bracketed, exponential, line, numbers, of_number, powers, products
from nnviz.text.numbers import MINUS, number

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017


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
    text = f"1.051·({number(z)} if {number(z)} > 0 else 1.673·(e^({number(z)}) {MINUS} 1))"
    return Substitution(text, _SELU_SCALE * (z if z > 0 else _SELU_ALPHA * math.expm1(z)))


def _celu(z: float, call: RecordedCall) -> Substitution:
    a = call.option("alpha", 1.0)
    return Substitution(
        f"{number(z)} if {number(z)} > 0 else {number(a)}·(e^({number(z / a)}) {MINUS} 1)", z if z > 0 else a * math.expm1(z / a)
    )


def _is_tanh(given: Given) -> bool:
    """Whether GELU is called in its approximation. Source: Hendrycks & Gimpel 2016, section 2."""
    return given.get("approximate") == "tanh"


def _gelu_formula(given: Given) -> str:
    return "a = ½ z (1 + tanh u),  u = √(2/π) (z + 0.044715 z³)" if _is_tanh(given) else "a = z Φ(z)"


def _gelu_gradients(given: Given) -> Gradients:
    if _is_tanh(given):
        return {"x": "∂L/∂a · (½(1 + tanh u) + ½ z (1 − tanh² u) √(2/π) (1 + 0.134145 z²))"}
    return {"x": "∂L/∂a · (Φ(z) + z φ(z))"}


def _gelu(z: float, call: RecordedCall) -> Substitution:
    if _is_tanh(call.options):
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


def _prelu(call: RecordedCall) -> Substitution:
    z, weights = float(call.input(0)[call.place]), call.input(1)
    w = float(weights.reshape(-1)[call.place[1] if weights.size > 1 else 0])
    return Substitution(f"{number(z)} if {number(z)} > 0 else {number(w)}·({number(z)})", z if z > 0 else w * z)


def _share(sign: float) -> Rule:
    def write(call: RecordedCall) -> Substitution | None:
        x, axis = sign * call.options["x"], call.option("dim", -1)
        top, sums = float(x[call.place]), powers(line(x, call.place, axis))
        return Substitution(f"{exponential(top)} / ({sums.text})", math.exp(top) / sums.value) if math.isfinite(sums.value) else None

    return write


def _log_share(call: RecordedCall) -> Substitution | None:
    x = call.options["x"]
    z, sums = float(x[call.place]), powers(line(x, call.place, call.option("dim", -1)))
    return Substitution(f"{number(z)} {MINUS} ln({sums.text})", z - math.log(sums.value)) if 0 < sums.value < math.inf else None


def _to_shares(sign: int) -> Sent:
    """±p · (∂L/∂p − Σ ∂L/∂p · p) along the axis of a softmax."""

    def write(sent: SentCall) -> Substitution:
        axis = sent.call.option("dim", -1)
        p, g = line(sent.y, sent.at, axis), line(sent.upstream, sent.at, axis)
        own, arriving, sums = float(sent.y[sent.at]), float(sent.upstream[sent.at]), products(g, p)
        return Substitution(f"{bracketed(sign * own)}·({number(arriving)} {MINUS} ({sums.text}))", sign * own * (arriving - sums.value))

    return write


def _to_log_shares(sent: SentCall) -> Substitution:
    own, sums = math.exp(sent.y[sent.at]), numbers(line(sent.upstream, sent.at, sent.call.option("dim", -1)))
    arriving = float(sent.upstream[sent.at])
    return Substitution(f"{number(arriving)} {MINUS} {number(own)}·({sums.text})", arriving - own * sums.value)


def _to_prelu(sent: SentCall) -> Substitution:
    z, w = float(sent.x[sent.at]), sent.call.input(1)
    own = float(w.reshape(-1)[sent.at[1] if w.size > 1 else 0])
    return times(lambda one: 1.0 if z > 0 else own)(sent)


def _to_prelu_slope(sent: SentCall) -> Substitution:
    z = sent.call.input(0)
    units = slice(None) if sent.x.size == 1 else sent.at[0]
    return products(sent.upstream[:, units].reshape(-1), np.minimum(z, 0)[:, units].reshape(-1))


_activation = partial(Operation, signature="x:z", symbol="a", has_curve=True)
_shares = partial(Operation, signature="x:z dim", symbol="p")
ROWS = (
    _activation(
        names="relu", formula="a = max(0, z)", gradients={"x": "∂L/∂a · [z > 0]"}, sends_local=True,
        function=of_number("max(0, {z})", lambda z: max(0.0, z)),
    ),
    _activation(
        names="leaky_relu", sends_local=True, signature="x:z negative_slope", formula="a = z if z > 0 else slope · z",
        gradients={"x": "∂L/∂a · (1 if z > 0 else slope)"}, function=_leaky,
    ),
    _activation(
        names="elu", sends_local=True, signature="x:z alpha", formula="a = z if z > 0 else α(eᶻ − 1)",
        gradients={"x": "∂L/∂a · (1 if z > 0 else α eᶻ)"}, function=_elu,
    ),
    _activation(
        names="gelu", sends_local=True, signature="x:z approximate", formula=_gelu_formula, gradients=_gelu_gradients, function=_gelu,
    ),
    _activation(
        names="silu", sends_local=True, formula="a = z σ(z)", gradients={"x": "∂L/∂a · σ(z)(1 + z(1 − σ(z)))"},
        function=of_number("{z}·σ({z})", lambda z: z * _sigmoid(z)),
    ),
    _activation(
        names="softplus", sends_local=True, signature="x:z beta threshold=20", formula="a = ln(1 + e^(βz)) / β",
        gradients={"x": "∂L/∂a · σ(βz)"}, function=_softplus_of,
    ),
    _activation(
        names="sigmoid", sends_local=True, formula="a = σ(z) = 1 / (1 + e⁻ᶻ)", gradients={"x": "∂L/∂a · a(1 − a)"},
        of_complex={"x": "∂L/∂a · conj(a(1 − a))"},
        function=of_number("1/(1 + e^({m}))", _sigmoid),
    ),
    _activation(
        names="tanh", sends_local=True, formula="a = tanh z", gradients={"x": "∂L/∂a · (1 − a²)"},
        of_complex={"x": "∂L/∂a · conj(1 − a²)"},
        function=of_number("tanh({z})", math.tanh),
    ),
    _activation(
        names="log_sigmoid", formula="a = ln σ(z)", gradients={"x": "∂L/∂a · σ(−z)"},
        function=of_number("ln σ({z})", lambda z: -_softplus(-z)),
    ),
    _activation(
        names="hardtanh", signature="x:z min_val max_val", formula="a = min(max(z, low), high)",
        gradients={"x": "∂L/∂a · [low < z < high]"}, function=between("min_val", "max_val", -1.0, 1.0),
    ),
    _activation(
        names="relu6", formula="a = min(max(z, 0), 6)", gradients={"x": "∂L/∂a · [0 < z < 6]"}, has_curve=False,
        function=of_number("min(max({z}, 0), 6)", lambda z: min(max(z, 0.0), 6.0)),
    ),
    _activation(
        names="hardsigmoid", formula="a = min(max(z/6 + ½, 0), 1)", gradients={"x": "∂L/∂a / 6 · [−3 < z < 3]"},
        function=of_number("min(max({z}/6 + 0.5, 0), 1)", lambda z: min(max(z / 6 + 0.5, 0), 1)),
    ),
    _activation(
        names="hardswish", formula="a = z · min(max(z/6 + ½, 0), 1)",
        gradients={"x": "∂L/∂a · (0 if z ≤ −3, 1 if z ≥ 3, else z/3 + ½)"},
        function=of_number("{z}·min(max({z}/6 + 0.5, 0), 1)", lambda z: z * min(max(z / 6 + 0.5, 0), 1)),
    ),
    _activation(
        names="selu", formula="a = λ(z if z > 0 else α(eᶻ − 1))", gradients={"x": "∂L/∂a · λ(1 if z > 0 else α eᶻ)"},
        function=_selu,
    ),
    _activation(
        names="celu", signature="x:z alpha", formula="a = z if z > 0 else α(e^(z/α) − 1)",
        gradients={"x": "∂L/∂a · (1 if z > 0 else e^(z/α))"}, function=_celu,
    ),
    _activation(
        names="mish", formula="a = z tanh(s),  s = ln(1 + eᶻ)", gradients={"x": "∂L/∂a · (tanh s + z σ(z)(1 − tanh² s))"},
        function=of_number("{z}·tanh(ln(1 + e^({z})))", lambda z: z * math.tanh(_softplus(z))),
    ),
    _activation(
        names="tanhshrink", formula="a = z − tanh z", gradients={"x": "∂L/∂a · tanh² z"}, has_curve=False,
        function=of_number("{z} − tanh({z})", lambda z: z - math.tanh(z)),
    ),
    _activation(
        names="softsign", formula="a = z / (1 + |z|)", gradients={"x": "∂L/∂a / (1 + |z|)²"},
        function=of_number("{z}/(1 + |{z}|)", lambda z: z / (1 + abs(z))),
    ),
    Operation(
        names="prelu", signature="x:z weight:w", symbol="a", formula="a = z if z > 0 else w z", numbers=_prelu,
        gradients={"x": "∂L/∂a · (1 if z > 0 else w)", "weight": "Σ ∂L/∂a · min(z, 0)"},
        sent={"x": _to_prelu, "weight": _to_prelu_slope},
    ),
    _shares(
        names="softmax", formula="pᵢ = e^zᵢ / Σⱼ e^zⱼ", gradients={"x": "p · (∂L/∂p − Σ ∂L/∂p · p)"}, numbers=_share(1.0),
        sent={"x": _to_shares(1)},
    ),
    _shares(
        names="softmin", formula="pᵢ = e^−zᵢ / Σⱼ e^−zⱼ", gradients={"x": "−p · (∂L/∂p − Σ ∂L/∂p · p)"}, numbers=_share(-1.0),
        sent={"x": _to_shares(-1)},
    ),
    _shares(
        names="log_softmax", symbol="ℓ", formula="ℓᵢ = zᵢ − ln Σⱼ e^zⱼ", gradients={"x": "∂L/∂ℓ − p Σ ∂L/∂ℓ,  p = e^ℓ"},
        numbers=_log_share, sent={"x": _to_log_shares},
    ),
)  # fmt: skip
