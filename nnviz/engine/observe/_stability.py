"""Up to which learning rate an optimizer goes downhill: of torch's optimizers, where the loss is quadratic and the gradient is exact.

Along every eigenvector its steps are then a linear recursion, of second order with momentum. It converges as long as both roots z of its
characteristic polynomial have |z| < 1; as the learning rate grows the first of them reaches the circle at z = −1, which gives the limits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nnviz.document.network import Choice
from nnviz.engine.run.trainer import Trainer


def limit(choice: Choice) -> float:
    """Return what sharpness times learning rate must stay below. Source: Cohen et al. 2021, 2022; derived for torch's own update rules.

    SGD 2 · momentum (2 + 2μ)/(1 − dampening) · Nesterov (2 + 2μ)/(1 + 2μ) · RMSprop 2 + 2μ · Adam (2 + 2β₁)/(1 − β₁) · Adagrad 2.
    """
    momentum = choice.settings.get("momentum", 0.0)
    if choice.kind in ("adam", "adamw"):
        return (2 + 2 * choice["beta1"]) / (1 - choice["beta1"])
    if choice.settings.get("nesterov"):
        return (2 + 2 * momentum) / (1 + 2 * momentum)
    if momentum and choice.settings.get("dampening", 0.0):
        kept = 1 - choice["dampening"]
        return (2 + 2 * momentum) / kept if kept else float("inf")
    return 2 + 2 * momentum


def decay_beside(choice: Choice) -> float:
    """Return what decay that does not go through the gradient (AdamW's) adds to the sharpness, w(1 + β₁)/(1 − β₁); exact where no layer has
    a learning rate factor."""
    return choice["weight_decay"] * (1 + choice["beta1"]) / (1 - choice["beta1"]) if choice.kind == "adamw" else 0.0


def decay_within(choice: Choice) -> float:
    """Return what weight decay that is added to the gradient adds to every eigenvalue of the Hessian."""
    return 0.0 if choice.kind == "adamw" else choice.settings.get("weight_decay", 0.0)


def rate_scales(trainer: Trainer) -> Tensor | None:
    """Return by how much the next update multiplies the learning rate for every parameter element, (Q,) in float64: 1/(√v̂ + ε) where the
    optimizer divides by that, times the layer's factor, 0 where nothing is trained. None while such an optimizer has made no step.

    The trainer is prepared for its next iteration. The correction of Adam's first moment, 1 after some tens of steps, is left out.
    """
    choice, own = trainer.experiment.training.optimizer, trainer.learning_rate
    factors = {one: group["lr"] / own if own else 1.0 for group in trainer.optimizer.param_groups for one in group["params"]}
    parts = []
    for parameter in trainer.parameters.values():
        divisor = _divisor(choice, trainer.optimizer.state.get(parameter, {}), parameter)
        if parameter in factors and divisor is None:
            return None
        parts.append(factors[parameter] / divisor.ravel() if parameter in factors else torch.zeros(parameter.numel(), dtype=torch.float64))
    return torch.cat(parts)


def _divisor(choice: Choice, state: dict, parameter: Tensor) -> Tensor | None:
    """What the gradient is divided by; None where that is not known yet."""
    if choice.kind == "sgd":
        return torch.ones_like(parameter, dtype=torch.float64)
    if not state or not state["step"]:
        return None
    step = float(state["step"])
    if choice.kind == "adagrad":
        return (state["sum"].double().sqrt() + choice["epsilon"]) * (1 + step * choice["lr_decay"])
    if choice.kind == "rmsprop":
        square = state["square_avg"].double()
        if choice["centered"]:
            square = (square - state["grad_avg"].double().pow(2)).clamp(min=0)
        return square.sqrt() + choice["epsilon"]
    square = state["max_exp_avg_sq" if choice["amsgrad"] else "exp_avg_sq"].double()
    return (square / (1 - choice["beta2"] ** step)).sqrt() + choice["epsilon"]
