"""What the optimizer does to each parameter, row by row.

The rows are computed from the textbook formulas and the optimizer's state; the real optimizer then makes its step on
private copies, and the last row has to be what it did. A symbol means one number: clipping, maximising and weight decay
give g₁, g₂, … in the order in which they happen, and v₋ is the v of the step before, 0 at the first. Complex parameters
are optimized as torch does it, their real and imaginary parts each for themselves.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

from .record import Clipping, Row, TraceError, Update, dense

_TOLERANCE = {
    torch.float64: 1e-12,
    torch.float32: 1e-5,
}  # of the last row against torch, relative; 2e-2 for smaller types


def clip_gradients(
    gradients: Mapping[str, Tensor | None], norm: float | None, value: float | None, uncounted: Mapping[str, Tensor] = MappingProxyType({})
) -> Clipping | None:
    """Clipping by the norm over all parameters, then by value, as torch.nn.utils does it; None if not asked for.

    `uncounted`: by parameter the elements (true where they are) that are left out of the norms.
    """
    if norm is None and value is None:
        return None
    present = {name: gradient for name, gradient in gradients.items() if gradient is not None}
    unordered = [name for name, gradient in present.items() if value is not None and gradient.is_complex()]
    if unordered:
        raise TraceError(f"clip_value cannot clip the complex gradient of {unordered[0]}, for torch clips real numbers only: use clip_norm")
    counted = {name: gradient.masked_fill(uncounted[name], 0) if name in uncounted else gradient for name, gradient in present.items()}
    norms = {name: gradient.norm() for name, gradient in counted.items()}
    rows: dict[str, tuple[Row, ...]] = {name: () for name in present}
    total = coefficient = None
    if norm is not None and present:
        total = torch.stack(list(norms.values())).norm()
        coefficient = (norm / (total + 1e-6)).clamp(max=1.0)
        present = {name: gradient * coefficient for name, gradient in present.items()}
        for name, clipped in present.items():
            rows[name] += _norm_rows(norms[name], total, coefficient, norm, clipped, name in uncounted)
    if value is not None:
        present = {name: gradient.clamp(-value, value) for name, gradient in present.items()}
        for name, clipped in present.items():
            before, symbol = ("g", "g₁") if norm is None else ("g₁", "g₂")
            rows[name] += (Row(symbol, f"min(max({before}, −{value:g}), {value:g})", clipped),)
    return Clipping(MappingProxyType(norms), total, coefficient, value, MappingProxyType(present), MappingProxyType(rows))


def _norm_rows(norm: Tensor, total: Tensor, coefficient: Tensor, limit: float, clipped: Tensor, is_part: bool) -> tuple[Row, ...]:
    return (
        Row("‖gᵢ‖", "√Σ g² of this parameter" + (", without what is locked" if is_part else ""), norm),
        Row("total", "√Σᵢ ‖gᵢ‖² over all parameters", total),
        Row("coef", f"min(1, {limit:g} / (total + 10⁻⁶))", coefficient),
        Row("g₁", "g · coef", clipped),
    )


def plan_updates(
    optimizer: Optimizer | None,
    parameters: Mapping[str, Tensor],
    gradients: Mapping[str, Tensor | None],
    clipping: Clipping | None,
    true: Mapping[str, Tensor | None],
) -> tuple[Update, ...]:
    """One Update for every parameter the optimizer holds and the loss reaches, in the optimizer's order.

    `true` are the gradients as autograd gave them: where they are sparse the optimizer gets sparse ones.

    Raises TraceError if the optimizer cannot make its step from gradients alone, or does not do what its formulas say.
    """
    if optimizer is None:
        return ()
    raw, gradients = gradients, gradients if clipping is None else {**gradients, **clipping.gradients}
    names = {id(tensor): name for name, tensor in parameters.items()}
    held = [(names.get(id(p)), p, group) for group in optimizer.param_groups for p in group["params"]]
    held = [(name, p, group) for name, p, group in held if gradients.get(name) is not None]
    private, copies = real_step(optimizer, {id(p): _like(gradients[name], true.get(name)) for name, p, _ in held})
    updates = []
    for name, parameter, group in held:
        clip_rows = clipping.rows[name] if clipping is not None else ()
        rows = UpdateRows(parameter, raw[name], clip_rows, group, optimizer.state.get(parameter, {}))
        after = dense(copies[id(parameter)].detach())
        _write(rows, type(optimizer), private.state.get(copies[id(parameter)], {}), after, name)
        updates.append(Update(name, tuple(rows.written), rows.written[0].value, after))
    return tuple(updates)


def _like(gradient: Tensor, true: Tensor | None) -> Tensor:
    """The gradient in the layout that autograd gave it."""
    if true is None or true.layout == torch.strided:
        return gradient
    return gradient.sparse_mask(true.coalesce() if true.layout == torch.sparse_coo else true)


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def next_symbol(symbol: str) -> str:
    """The same letter one stage further: g, g₁, g₂, …"""
    stage = int(symbol[1:].translate({ord("₀") + k: str(k) for k in range(10)}) or 0)
    return symbol[0] + str(stage + 1).translate(_SUBSCRIPTS)


def in_parts(tensor: Tensor) -> Tensor:
    """A complex tensor with its real and imaginary parts along an axis more, as torch's optimizers see it; any other as it is."""
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


class UpdateRows:
    """The rows of one parameter's update as they are written, beside what the rules read: θ, g, options, state.

    `names` tells what θ, g and η are called by now: the symbols of their last rows.
    """

    def __init__(
        self,
        parameter: Tensor,
        gradient: Tensor,
        clip_rows: tuple[Row, ...],
        group: Mapping[str, Any],
        state: Mapping[str, Any],
    ):
        self.written: list[Row] = []
        self.group = group
        self.state = state
        self.is_complex = parameter.is_complex()
        self.theta = in_parts(dense(parameter.detach()).clone())
        self.add("θ", "before", self.theta)
        self.g = self.add("g", "∂L/∂θ", in_parts(gradient))
        self.written += clip_rows
        self.names = {"θ": "θ", "g": "g", "η": "η"}
        if clip_rows:
            self.g, self.names["g"] = in_parts(clip_rows[-1].value), clip_rows[-1].symbol

    def add(self, symbol: str, formula: str, value: Tensor) -> Tensor:
        """Write a row; returns its value. The parts of complex numbers are put together again; the formula says where they matter."""
        whole = value
        if self.is_complex and value.shape == self.theta.shape and not value.is_complex():
            whole = torch.view_as_complex(value.contiguous())
            formula += ", of Re and Im each" if any(sign in formula for sign in ("²", "√", "max")) else ""
        self.written.append(Row(symbol, formula, whole))
        return value

    def stage(self, letter: str, formula: str, value: Tensor) -> None:
        """The next stage of θ, g or η, with a symbol of its own; in the formula the letter stands for the stage before."""
        formula = formula.replace(letter, self.names[letter])
        self.names[letter] = next_symbol(self.names[letter])
        self.add(self.names[letter], formula, value)
        if letter == "θ":
            self.theta = value
        elif letter == "g":
            self.g = value

    def by_stage(self, formula: str) -> str:
        """A formula with the letters g and η as they are called by now."""
        return formula.replace("g", self.names["g"]).replace("η", self.names["η"])

    def option(self, name: str) -> float:
        """An option of the group as a plain number."""
        return float(self.group[name])

    def rate(self, formula: str, value: Tensor | float) -> None:
        """The row of the effective learning rate: what one unit of the smoothed gradient moves the weight."""
        self.add("ηₜ", self.by_stage(formula), torch.as_tensor(value, dtype=self.theta.dtype))

    def state_tensor(self, name: str) -> Tensor:
        """A state tensor, zero before the first step."""
        kept = self.state.get(name)
        return torch.zeros_like(self.theta) if kept is None else in_parts(dense(kept))

    def step(self) -> int:
        """The number of this step, from 1."""
        return int(self.state.get("step", 0)) + 1

    def finish(self, formula: str, delta: Tensor) -> None:
        """The two last rows of every rule: Δ and the new θ."""
        delta = self.add("Δ", self.by_stage(formula), delta)
        self.add("θ′", f"{self.names['θ']} + Δ", self.theta + delta)


# -- the rules: textbook formulas, in torch's conventions ----------------------------------------------------------


def _prepare(rows: UpdateRows, decoupled: bool = False) -> float:
    """Maximisation and weight decay, common to all; returns the learning rate."""
    rate, decay = rows.option("lr"), rows.option("weight_decay")
    if rows.group.get("lr_formula"):  # whoever set the group's rate may say how it came about
        rows.add("η", rows.group["lr_formula"], torch.tensor(rate, dtype=rows.theta.dtype))
    if rows.group.get("maximize"):
        rows.stage("g", "−g", -rows.g)
    if decay and decoupled:
        rows.stage("θ", "θ · (1 − ηλ)", rows.theta * (1 - rate * decay))
    elif decay:
        rows.stage("g", "g + λθ", rows.g.add(rows.theta, alpha=decay))
    return rate


def sgd(rows: UpdateRows) -> None:
    """Source: torch.optim.SGD; momentum as in Sutskever et al. 2013, with the rate outside the buffer."""
    rate, momentum = _prepare(rows), rows.option("momentum")
    if not momentum:
        rows.rate("η", rate)
        return rows.finish("−η g", -rate * rows.g)
    if rows.state.get("momentum_buffer") is None:
        buffer = rows.add("v", rows.by_stage("g"), rows.g)
    else:
        buffer = rows.state_tensor("momentum_buffer")
        formula = rows.by_stage("μv₋ + (1 − τ)g" if rows.option("dampening") else "μv₋ + g")
        buffer = rows.add("v", formula, momentum * buffer + (1 - rows.option("dampening")) * rows.g)
    step = buffer
    if rows.group["nesterov"]:
        step = rows.add("d", rows.by_stage("g + μv"), rows.g + momentum * buffer)
    rows.rate("η", rate)
    return rows.finish("−η d" if rows.group["nesterov"] else "−η v", -rate * step)


def adagrad(rows: UpdateRows) -> None:
    """Source: Duchi, Hazan & Singer 2011."""
    rate = _prepare(rows)
    rate = rate / (1 + (rows.step() - 1) * rows.option("lr_decay"))
    if rows.option("lr_decay"):
        rows.stage("η", f"η / (1 + (t − 1) · decay), t = {rows.step()}", torch.tensor(rate, dtype=rows.theta.dtype))
    total = rows.add("s", rows.by_stage("s₋ + g²"), rows.state_tensor("sum") + rows.g**2)
    root = total.sqrt() + rows.option("eps")
    rows.rate("η / (√s + ε)", rate / root)
    rows.finish("−η g / (√s + ε)", -rate * rows.g / root)


def rmsprop(rows: UpdateRows) -> None:
    """Source: Hinton's lecture 6e, 2012; centred as in Graves 2013."""
    rate, alpha, momentum = _prepare(rows), rows.option("alpha"), rows.option("momentum")
    spread = (alpha * rows.state_tensor("square_avg")).addcmul(rows.g, rows.g, value=1 - alpha)
    rows.add("v", rows.by_stage("αv₋ + (1 − α)g²"), spread)
    if rows.group["centered"]:  # by torch's own kernels: v and ḡ² may cancel up to their rounding, and the root is taken of that
        mean = rows.add("ḡ", rows.by_stage("αḡ₋ + (1 − α)g"), rows.state_tensor("grad_avg").lerp(rows.g, 1 - alpha))
        spread = rows.add("v̂", "v − ḡ²", spread.addcmul(mean, mean, value=-1))
    symbol, root = "√v̂" if rows.group["centered"] else "√v", spread.sqrt() + rows.option("eps")
    step = rows.add("d", rows.by_stage(f"g / ({symbol} + ε)"), rows.g / root)
    if momentum:
        step = rows.add("buf", "μ buf₋ + d", momentum * rows.state_tensor("momentum_buffer") + step)
    rows.rate(f"η / ({symbol} + ε)", rate / root)
    rows.finish("−η buf" if momentum else "−η d", -rate * step)


def adam(rows: UpdateRows) -> None:
    """Source: Kingma & Ba 2015, algorithm 1; AMSGrad: Reddi, Kale & Kumar 2018; AdamW: Loshchilov & Hutter 2019."""
    rate = _prepare(rows, rows.group.get("decoupled_weight_decay", False))
    (beta1, beta2), t = map(float, rows.group["betas"]), rows.step()
    m = rows.add("m", rows.by_stage("β₁m₋ + (1 − β₁)g"), beta1 * rows.state_tensor("exp_avg") + (1 - beta1) * rows.g)
    v = rows.add("v", rows.by_stage("β₂v₋ + (1 − β₂)g²"), beta2 * rows.state_tensor("exp_avg_sq") + (1 - beta2) * rows.g**2)
    m_hat = rows.add("m̂", f"m / (1 − β₁ᵗ), t = {t}", m / (1 - beta1**t))
    if rows.group["amsgrad"]:
        v = rows.add("vₘₐₓ", "max(vₘₐₓ₋, v)", torch.maximum(rows.state_tensor("max_exp_avg_sq"), v))
    v_hat = rows.add("v̂", f"{'vₘₐₓ' if rows.group['amsgrad'] else 'v'} / (1 − β₂ᵗ), t = {t}", v / (1 - beta2**t))
    root = v_hat.sqrt() + rows.option("eps")
    rows.rate("η / (√v̂ + ε)", rate / root)
    rows.finish("−η m̂ / (√v̂ + ε)", -rate * m_hat / root)


RULES: Mapping[type[Optimizer], Callable[[UpdateRows], None]] = {
    SGD: sgd, Adagrad: adagrad, RMSprop: rmsprop, Adam: adam, AdamW: adam,
}  # fmt: skip


# -- the real optimizer --------------------------------------------------------------------------------------------


def _write(rows: UpdateRows, kind: type[Optimizer], state: Mapping[str, Any], after: Tensor, name: str) -> None:
    """All rows of one parameter; an optimizer without a rule shows what it remembers and what it did."""
    if kind in RULES:
        RULES[kind](rows)
        return _check(in_parts(rows.written[-1].value), in_parts(after), in_parts(rows.written[0].value), f"{kind.__name__} on {name}")
    for key, value in state.items():
        if isinstance(value, Tensor):
            kept = rows.state.get(key)
            rows.add(
                f"{key}, before",
                "what the optimizer remembered",
                torch.zeros_like(value) if kept is None else kept.clone(),
            )
            rows.add(f"{key}, after", f"what {kind.__name__} made of it", value)
    rows.add("Δ", f"what {kind.__name__} adds", in_parts(after) - rows.theta)
    rows.add("θ′", "θ + Δ", after)
    return None


def _check(computed: Tensor, real: Tensor, before: Tensor, what: str) -> None:
    """What is not finite must be so in both: whether inf or NaN comes out may hang on the order of two operations.

    Measured on what is added up, the weight before and its change: the new weight may be next to nothing.
    """
    tolerance = _TOLERANCE.get(real.dtype, 2e-2)
    off = (computed - real).abs_().max().item() if real.numel() else math.inf
    if any(off <= tolerance * part.abs().max().item() < math.inf for part in (before, real) if part.numel()):
        return  # a tenth of what allclose takes, and nearly always enough
    finite = real.isfinite()
    known = torch.cat([real[finite], before[before.isfinite()]])
    scale = known.abs().max().item() if known.numel() else 0.0
    same = torch.equal(finite, computed.isfinite())
    if not same or not torch.allclose(computed[finite], real[finite], rtol=tolerance, atol=tolerance * scale):
        raise TraceError(f"the update of {what} is not what its formulas give, so it is not shown: was the optimizer's step changed?")


def real_step(optimizer: Optimizer, gradients: Mapping[int, Tensor]) -> tuple[Optimizer, dict[int, Tensor]]:
    """A private copy of the optimizer after its step, and its copies of the parameters, by the id of the originals.

    `gradients`: by the id of a parameter. Raises TraceError if it cannot make its step from gradients alone.
    """
    held = [p for group in optimizer.param_groups for p in group["params"]]
    copies = {id(p): p.detach().clone().requires_grad_() for p in held}
    kept = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)]
    memo: dict[int, Any] = copies | {id(value): value.detach().clone() for value in kept}  # deepcopy takes ten times as long
    private = copy.deepcopy(optimizer, memo)
    for name in vars(optimizer).keys() - vars(private).keys() - {"step"}:  # a scheduler's wrapper steps the original
        setattr(private, name, copy.deepcopy(vars(optimizer)[name], memo))
    for key, gradient in gradients.items():
        copies[key].grad = gradient.clone()
    state = torch.get_rng_state()
    try:
        type(optimizer).step(private)
    except Exception as error:
        raise TraceError(_unable(type(optimizer), error)) from error
    finally:
        torch.set_rng_state(state)
    return private, copies


def _unable(kind: type[Optimizer], error: Exception) -> str:
    closure = inspect.signature(kind.step).parameters.get("closure")
    if isinstance(error, TypeError) and closure is not None and closure.default is inspect.Parameter.empty:
        return (
            f"{kind.__name__} runs the model several times in one step, so one iteration cannot show it: "
            "give capture another optimizer, such as SGD or Adam, or none"
        )
    return f"{kind.__name__} cannot make its step: {str(error).rstrip('.')}"
