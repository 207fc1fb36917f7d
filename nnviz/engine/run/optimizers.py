"""One table: the optimizers of the catalog as torch makes them, and how their state survives an edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import unwrap
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from nnviz.document.network import Choice
from nnviz.engine.errors import BuildError

NAMES = {"learning_rate": "lr", "epsilon": "eps"}
"""Fields of the catalog that torch spells differently."""


def keep_compiler_out(kinds: Iterable[type[Optimizer]]) -> None:
    """Let these kinds of optimizer be made and make steps without torch's compiler, which takes longer to load than torch itself.

    Two decorators of torch.optim load it in order to be kept out of compiled functions. The functions inside them are torch's own; they
    are no longer differentiable themselves, and no longer to be used inside a compiled function. Calling it twice does no harm.
    A kind that a person's program has made one of already stays as it is: its step calls the hooks that are registered on it.
    """
    Optimizer.add_param_group = unwrap(Optimizer.add_param_group)
    for kind in kinds:
        if not getattr(kind.step, "hooked", False):
            kind.step = torch.no_grad()(unwrap(kind.step))


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}
keep_compiler_out(OPTIMIZERS.values())

FAST = {"adagrad", "rmsprop", "adam", "adamw"}
"""Where `foreach` gives the same bits in less time. `fused` is faster still but rounds differently from the textbook's rows."""

LATE_STATE: dict[str, dict[str, str]] = {
    "rmsprop": {"momentum": "momentum_buffer", "centered": "grad_avg"},
    "adam": {"amsgrad": "max_exp_avg_sq"},
    "adamw": {"amsgrad": "max_exp_avg_sq"},
    "sgd": {"momentum": "momentum_buffer"},
}
"""Per kind: the setting that, when it is on, needs this entry in a parameter's state."""


def arguments(choice: Choice) -> dict[str, Any]:
    """Return torch's keyword arguments for the settings of this optimizer."""
    settings = dict(choice.settings)
    if "beta1" in settings:
        settings["betas"] = (settings.pop("beta1"), settings.pop("beta2"))
    return {NAMES.get(name, name): value for name, value in settings.items()}


def build_optimizer(choice: Choice, factors: Mapping[nn.Parameter, float]) -> Optimizer:
    """Return the optimizer over the parameters that are not frozen. `factors`: what multiplies the learning rate of each.

    Neighbours with the same factor share a group. Raises BuildError if torch refuses the settings, or if there is nothing to train.
    """
    trainable = [(parameter, factor) for parameter, factor in factors.items() if parameter.requires_grad]
    if not trainable:
        raise BuildError("network.layers", "There is nothing to train.", "Add a layer with weights, or unfreeze one.")
    groups = [
        {"params": [parameter for parameter, _ in pairs], "lr": choice["learning_rate"] * factor, "factor": factor}
        for factor, pairs in groupby(trainable, lambda pair: pair[1])
    ]
    fast = {"foreach": True} if choice.kind in FAST else {}
    try:
        return OPTIMIZERS[choice.kind](groups, **arguments(choice), **fast)
    except ValueError as error:
        raise BuildError("training.optimizer", f"{choice.kind} refuses its settings: {error}.", _cure(choice)) from error


def set_learning_rates(optimizer: Optimizer, own: float, scheduled: Callable[[float], float]) -> None:
    """Give every group its learning rate: what the schedule makes of the optimizer's `own` times the group's factor, as
    torch.optim.lr_scheduler has it, so that a floor of the schedule holds for every group alike.

    Where these differ a trace finds in `lr_formula` how it came about.
    """
    for group in optimizer.param_groups:
        group["lr"] = scheduled(own * group["factor"])
        group["lr_formula"] = _formula(own, group["factor"], group["lr"])


def _formula(own: float, factor: float, rate: float) -> str:
    base = f"{own:g} · {factor:g} (layer)" if factor != 1 else f"{own:g}"
    if rate != own * factor:
        return f"{rate:.6g} (schedule, of {base})"
    return base if factor != 1 else ""


def _cure(choice: Choice) -> str:
    if choice.settings.get("nesterov"):
        return "Set momentum above 0 and dampening to 0, or turn nesterov off."
    return "Change the settings back into their limits."


State = dict[str, dict[str, Any]]
"""Optimizer state by parameter name."""


def save_state(optimizer: Optimizer, names: Mapping[nn.Parameter, str]) -> State:
    """Return a copy of the optimizer's state by parameter name."""
    return {names[parameter]: {key: _copy(value) for key, value in entry.items()} for parameter, entry in optimizer.state.items()}


def load_state(optimizer: Optimizer, names: Mapping[nn.Parameter, str], state: State) -> None:
    """Give the optimizer a copy of this state; parameters without an entry start anew."""
    for parameter in (parameter for group in optimizer.param_groups for parameter in group["params"]):
        if names[parameter] in state:
            optimizer.state[parameter] = {key: _copy(value) for key, value in state[names[parameter]].items()}


def fitting_state(state: State, old: Choice, new: Choice, fitting: set[str], shapes: Mapping[str, Tensor]) -> State:
    """Return the state that stays valid when `old` becomes `new`: of the `fitting` parameters, if the kind is the same.

    What a newly switched-on setting needs starts at 0; what a switched-off one left is dropped.
    """
    if old.kind != new.kind:
        return {}
    return {name: _adapted(entry, new, shapes[name]) for name, entry in state.items() if name in fitting}


def _adapted(entry: dict[str, Any], choice: Choice, parameter: Tensor) -> dict[str, Any]:
    entry = dict(entry)
    for setting, key in LATE_STATE.get(choice.kind, {}).items():
        if not choice[setting]:
            entry.pop(key, None)
        elif key not in entry and choice.kind != "sgd":  # SGD makes its buffer from the first gradient by itself
            entry[key] = torch.zeros_like(parameter)
    return entry


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
