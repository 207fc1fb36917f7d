"""Arithmetic on one or two operands, element by element. Where an operand was broadcast its gradient is summed over the copies."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from nnviz.operations.operation import Gradients, Operation, Rule, figure
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import Sent, SentCall, handed_on, times, written
from nnviz.operations.signature import Given, Input
from nnviz.operations.writing import Substitution, between, bracketed, listed, numbers, of_number, products
from nnviz.text.numbers import MINUS, number

# --- formulas in which a number of the code stands in place of its letter ---

_REAL = re.compile(rf"\(?[{MINUS}\d.e+]+\)?")
_RAISED = str.maketrans("0123456789.-", "⁰¹²³⁴⁵⁶⁷⁸⁹·⁻")


def _with_numbers(text: str, given: Given) -> str:
    """The text, whose letters a and b stand alone, with the operands that are numbers."""
    written = " ".join([figure(given.get(part), part) if part in "ab" else part for part in text.split(" ")])
    return re.sub(r"conj\( (.+) \)$", lambda found: found[1] if _REAL.fullmatch(found[1]) else f"conj({found[1]})", written)


def _of_two(text: str) -> Callable[[Given], str]:
    return lambda given: _with_numbers(text, given)


def _sent_to(a: str, b: str) -> Callable[[Given], Gradients]:
    return lambda given: {"a": _with_numbers(a, given), "b": _with_numbers(b, given)}


def _scaled(text: str, scaled: str) -> Callable[[Given], str]:
    """The text of a sum of which torch multiplies one operand by alpha."""

    def formula(given: Given) -> str:
        alpha = given.get("alpha", 1)
        return _with_numbers(text if alpha == 1 else text.replace(f" {scaled}", f" {figure(alpha, 'α')} · {scaled}"), given)

    return formula


def _scaled_gradients(scaled: str, **sent: str) -> Callable[[Given], Gradients]:
    def gradients(given: Given) -> Gradients:
        alpha = given.get("alpha", 1)
        return sent if alpha == 1 else sent | {scaled: f"{sent[scaled]} · {figure(alpha, 'α')}"}

    return gradients


def _raised(base: str, exponent: Any) -> str:
    if isinstance(exponent, Input):
        return f"{base}ⁿ"
    if isinstance(exponent, complex):
        return f"{base}^{figure(exponent)}"
    return base if exponent == 1 else base + f"{exponent:g}".translate(_RAISED)


def _power_gradients(given: Given) -> Gradients:
    n = given["exponent"]
    if isinstance(n, Input):
        return {"a": "∂L/∂y · n xⁿ⁻¹", "exponent": f"∂L/∂y · y ln {figure(given['a'], 'x')}"}
    return {"a": f"∂L/∂y · {figure(n)} {_raised('x', n - 1)}".removesuffix(" x⁰")}


def _conjugated(gradients: Callable[[Given], Gradients]) -> Callable[[Given], Gradients]:
    """What is sent through a function of complex numbers: the conjugate of its slope, which follows "∂L/∂y · "."""
    upstream = "∂L/∂y · "
    return lambda given: {name: f"{upstream}conj({right.removeprefix(upstream)})" for name, right in gradients(given).items()}


def _limited(given: Given) -> str:
    """The formula of clamp; a limit may be missing."""
    has_low, has_high = given.get("min") is not None, given.get("max") is not None
    if isinstance(given.get("min"), Input) or isinstance(given.get("max"), Input):
        return ""
    return f"y = {'min(max(x, low), high)' if has_low and has_high else 'max(x, low)' if has_low else 'min(x, high)'}"


def _limited_gradients(given: Given) -> Gradients:
    low, high = ("" if given.get(name) is None else text for name, text in (("min", "low ≤ "), ("max", " ≤ high")))
    return {"x": f"∂L/∂y where {low}x{high}, else 0"}


def _extreme_gradients(relation: str) -> Gradients:
    return {a: f"∂L/∂y where {a} {relation} {b}, half of it where {a} = {b}" for a, b in ("ab", "ba")}


# --- numbers put in ---


def _at(part: Any, call: RecordedCall) -> float:
    """An operand at the call's element: a number, or a tensor that is spread over the node's shape."""
    return float(np.broadcast_to(part, call.node.shape)[call.place]) if isinstance(part, np.ndarray) else float(part)


def _operands(call: RecordedCall) -> tuple[float, float]:
    return _at(call.options["a"], call), _at(next(call.options[name] for name in ("b", "exponent") if name in call.options), call)


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
    chosen = bool(_at(call.options["condition"], call))
    value = _at(call.options["input" if chosen else "other"], call)
    return Substitution(f"{number(value)} (from {'a' if chosen else 'b'})", value)


def _masked(call: RecordedCall) -> Substitution:
    masked = bool(_at(call.options["mask"], call))
    value = _at(call.options["value" if masked else "x"], call)
    return Substitution(f"{number(value)} ({'masked' if masked else 'not masked'})", value)


# --- what is sent back, with numbers ---


def _by_alpha(sign: int) -> Sent:
    """To the operand of a sum that torch multiplies by alpha."""
    return lambda sent: (
        handed_on(sign)(sent) if sent.call.option("alpha", 1) == 1 else times(lambda one: sign * one.call.option("alpha"))(sent)
    )


def _operand(sent: SentCall, name: str) -> np.ndarray:
    return sent.along(sent.call.options[name])


def _divided_by(name: str) -> Sent:
    """Upstream / the other operand."""
    return written(
        lambda sent: sent.arriving / _operand(sent, name),
        lambda sent: f"{number(sent.arriving[0])} / {bracketed(_operand(sent, name)[0])}",
    )


def _to_divisor(name: str) -> Sent:
    """−upstream · q / the divisor itself."""
    return written(
        lambda sent: -sent.arriving * sent.along(sent.y) / _operand(sent, name),
        lambda sent: f"{number(-sent.arriving[0])}·{bracketed(sent.along(sent.y)[0])} / {bracketed(_operand(sent, name)[0])}",
    )


def _where_chosen(is_chosen: Callable[[SentCall], object]) -> Sent:
    """Upstream where a condition is true, else 0; halves between equals."""

    def rule(sent: SentCall) -> Substitution:
        share = sent.along(is_chosen(sent))
        return numbers(sent.arriving * share) if set(share.tolist()) <= {0.0, 1.0} else products(sent.arriving, share)

    return rule


def _share_of_extreme(mine: str, other: str, sign: int) -> Sent:
    def share(sent: SentCall) -> np.ndarray:
        ahead = sign * (np.asarray(sent.call.options[mine]) - sent.call.options[other])
        return np.where(ahead == 0, 0.5, ahead > 0)

    return _where_chosen(share)


def _extreme_sent(sign: int) -> dict[str, Sent]:
    return {"a": _share_of_extreme("a", "b", sign), "b": _share_of_extreme("b", "a", sign)}


def _power_slope(sent: SentCall) -> np.ndarray:
    x, n = np.asarray(sent.call.options["a"], float), np.asarray(sent.call.options["exponent"], float)
    return n * x ** (n - 1)


def _root_slope(sent: SentCall) -> np.ndarray:
    return np.where(sent.x == 0, 0.0, 0.5 / np.sqrt(sent.x))


ROWS = (
    Operation(
        names="add", spreads=True, of_complex=True, signature="a b", symbol="s", formula=_scaled("s = a + b", "b"),
        numbers=_sum_of(+1), linear_in="all",
        gradients=_scaled_gradients("b", a="∂L/∂s", b="∂L/∂s"), same_for_means=True, sent={"a": handed_on(), "b": _by_alpha(1)},
    ),
    Operation(
        names="sub", spreads=True, of_complex=True, signature="a b", symbol="d", formula=_scaled("d = a − b", "b"),
        numbers=_sum_of(-1), linear_in="all",
        gradients=_scaled_gradients("b", a="∂L/∂d", b="−∂L/∂d"), same_for_means=True, sent={"a": handed_on(), "b": _by_alpha(-1)},
    ),
    Operation(
        names="rsub", spreads=True, of_complex=True, signature="a b", symbol="d", formula=_scaled("d = b − a", "a"),
        numbers=_sum_of(-1, turned=True), linear_in="all",
        gradients=_scaled_gradients("a", a="−∂L/∂d", b="∂L/∂d"), sent={"a": _by_alpha(-1), "b": handed_on()},
    ),
    Operation(
        names="mul", spreads=True, signature="a b", symbol="p", formula=_of_two("p = a · b"), numbers=_times, linear_in="each",
        gradients=_sent_to("∂L/∂p · b", "∂L/∂p · a"), of_complex=_sent_to("∂L/∂p · conj( b )", "∂L/∂p · conj( a )"),
        sent={"a": times(lambda sent: sent.call.options["b"]), "b": times(lambda sent: sent.call.options["a"])},
    ),
    Operation(
        names="div", spreads=True, signature="a b rounding_mode=None", symbol="q", formula=_of_two("q = a / b"), numbers=_quotient(False),
        gradients=_sent_to("∂L/∂q / b", "−∂L/∂q · q / b"), linear_in="first",
        of_complex=_sent_to("∂L/∂q / conj( b )", "−∂L/∂q · conj( q / b )"), sent={"a": _divided_by("b"), "b": _to_divisor("b")},
    ),
    Operation(
        names="rdiv", spreads=True, signature="a b rounding_mode=None", symbol="q", formula=_of_two("q = b / a"), numbers=_quotient(True),
        gradients=_sent_to("−∂L/∂q · q / a", "∂L/∂q / a"), of_complex=_sent_to("−∂L/∂q · conj( q / a )", "∂L/∂q / conj( a )"),
        sent={"a": _to_divisor("a"), "b": _divided_by("a")},
    ),
    Operation(
        names="pow", spreads=True, signature="a:x exponent:n", symbol="y", numbers=_power, sends_local=True,
        formula=lambda given: f"y = {_raised(figure(given['a'], 'x'), given['exponent'])}", gradients=_power_gradients,
        of_complex=_conjugated(_power_gradients),
        sent={
            "a": times(_power_slope),
            "exponent": times(lambda sent: sent.y * np.log(np.asarray(sent.call.options["a"], float))),
        },
    ),
    Operation(
        names="rpow", spreads=True, signature="a:x b:c", symbol="y", formula=lambda given: f"y = {figure(given['b'], 'c')}ˣ", numbers=_base,
        gradients=lambda given: {"a": f"∂L/∂y · y ln {figure(given['b'], 'c')}"},
        sent={"a": times(lambda sent: sent.y * math.log(sent.call.options["b"]))},
    ),
    Operation(
        names="neg", of_complex=True, symbol="y", formula="y = −x", gradients={"x": "−∂L/∂y"}, linear_in="all", sends_local=True,
        function=of_number("−{b}", lambda z: -z),
    ),
    Operation(
        names="square", symbol="y", formula="y = x²", gradients={"x": "∂L/∂y · 2x"}, of_complex={"x": "∂L/∂y · conj(2x)"},
        function=of_number("({z})²", lambda z: z * z),
    ),
    Operation(
        names="sqrt", symbol="y", formula="y = √x", gradients={"x": "∂L/∂y / (2y)"}, of_complex={"x": "∂L/∂y / conj(2y)"}, sends_local=True,
        function=of_number("√({z})", math.sqrt),
    ),
    Operation(
        names="root", symbol="y", formula="y = √x", gradients={"x": "∂L/∂y / (2y), and 0 where y = 0"}, sends_local=True,
        function=of_number("√({z})", math.sqrt), sent={"x": times(_root_slope)},
    ),
    Operation(
        names="rsqrt", symbol="y", formula="y = 1/√x", gradients={"x": "−∂L/∂y · y³/2"}, of_complex={"x": "−∂L/∂y · conj(y³/2)"},
        function=of_number("1/√({z})", lambda z: 1 / math.sqrt(z)),
    ),
    Operation(
        names="exp", symbol="y", formula="y = eˣ", gradients={"x": "∂L/∂y · y"}, of_complex={"x": "∂L/∂y · conj(y)"},
        sends_local=True, function=of_number("e^({z})", math.exp),
    ),
    Operation(
        names="log", symbol="y", formula="y = ln x", gradients={"x": "∂L/∂y / x"}, of_complex={"x": "∂L/∂y / conj(x)"}, sends_local=True,
        function=of_number("ln({z})", math.log),
    ),
    Operation(
        names="abs", symbol="y", formula="y = |x|", gradients={"x": "∂L/∂y · sign x"},
        of_complex={"x": "∂L/∂y · x/|x|,  0 where x = 0"}, sends_local=True, function=of_number("|{z}|", abs),
    ),
    Operation(
        names="sin", symbol="y", formula="y = sin x", gradients={"x": "∂L/∂y · cos x"}, of_complex={"x": "∂L/∂y · conj(cos x)"},
        function=of_number("sin({z})", math.sin),
    ),
    Operation(
        names="cos", symbol="y", formula="y = cos x", gradients={"x": "−∂L/∂y · sin x"},
        of_complex={"x": "−∂L/∂y · conj(sin x)"}, function=of_number("cos({z})", math.cos),
    ),
    Operation(names="real", symbol="y", formula="y = Re x", gradients={"x": "∂L/∂y"}, of_complex={"x": "∂L/∂y"}),
    Operation(names="imag", symbol="y", formula="y = Im x", gradients={"x": "i ∂L/∂y"}, of_complex={"x": "i ∂L/∂y"}),
    Operation(
        names="conj", symbol="y", formula="y = conj(x)", gradients={"x": "conj(∂L/∂y)"}, of_complex={"x": "conj(∂L/∂y)"},
    ),
    Operation(
        names="clamp", signature="x min max", symbol="y", formula=_limited, gradients=_limited_gradients, function=between("min", "max"),
    ),
    Operation(
        names="maximum", spreads=True, signature="a b", symbol="y", formula="y = max(a, b)", gradients=_extreme_gradients(">"),
        numbers=_better("max"), sent=_extreme_sent(1),
    ),
    Operation(
        names="minimum", spreads=True, signature="a b", symbol="y", formula="y = min(a, b)", gradients=_extreme_gradients("<"),
        numbers=_better("min"), sent=_extreme_sent(-1),
    ),
    Operation(
        names="where", spreads=True, of_complex=True, signature="condition:c input:a other:b", symbol="y", numbers=_where,
        formula=lambda given: "y = a where c, else b" if "other" in given and given["condition"].kind == "b" else "",
        gradients={"input": "∂L/∂y where c", "other": "∂L/∂y elsewhere"},
        sent={
            "input": _where_chosen(lambda sent: sent.call.options["condition"]),
            "other": _where_chosen(lambda sent: ~sent.call.options["condition"]),
        },
    ),
    Operation(
        names="masked_fill", spreads=True, of_complex=True, signature="x mask value", symbol="y",
        formula="y = value where masked, else x", numbers=_masked,
        gradients={"x": "∂L/∂y where not masked, else 0"}, sent={"x": _where_chosen(lambda sent: ~sent.call.options["mask"])},
    ),
)  # fmt: skip
