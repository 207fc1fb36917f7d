"""How far an update moves the parameters of every layer, and with which step size of its own each of them goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from nnviz.document.network import split_parameter
from nnviz.engine.observe.measures import added, learning_layers, plain
from nnviz.engine.run.trainer import Trainer
from nnviz.records.run_records import LayerSteps

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Group = Mapping[str, Any]
"""The settings of one group of a torch optimizer."""


def _double(tensor: Tensor) -> np.ndarray:
    """For what follows numpy is used: torch would start threads for each of these small things."""
    return plain(tensor).numpy().astype(np.float64)


def _adam(state: Group, group: Group, rate: float) -> np.ndarray:
    """η/(√v̂+ε)"""
    moment = _double(state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"])
    return rate / (np.sqrt(moment / (1 - group["betas"][1] ** float(state["step"]))) + group["eps"])


def _rmsprop(state: Group, group: Group, rate: float) -> np.ndarray:
    moment = _double(state["square_avg"])
    if group["centered"]:
        moment = np.maximum(moment - _double(state["grad_avg"]) ** 2, 0.0)
    return rate / (np.sqrt(moment) + group["eps"])


def _adagrad(state: Group, group: Group, rate: float) -> np.ndarray:
    fallen = rate / (1 + (float(state["step"]) - 1) * group["lr_decay"])
    return fallen / (np.sqrt(_double(state["sum"])) + group["eps"])


_RATES: dict[str, Callable[[Group, Group, float], np.ndarray]] = {"adam": _adam, "adamw": _adam, "rmsprop": _rmsprop, "adagrad": _adagrad}
"""Optimizer -> function (state of a parameter, group, learning rate of the last iteration) -> step size of every element."""


def layer_steps(trainer: Trainer) -> tuple[LayerSteps, ...]:
    """Return the steps of the last update by layer, in forward order; none where what was before it is not known."""
    rates = _rates(trainer)
    moved = {layer: added(trainer, layer) for layer in learning_layers(trainer)}
    return tuple(_of_layer(layer, step, rates.get(layer, [])) for layer, step in moved.items() if step is not None)


def _of_layer(layer: str, moved: Tensor, rates: list[np.ndarray]) -> LayerSteps:
    steps = np.abs(_double(moved))
    finite = steps[np.isfinite(steps)]
    found = np.concatenate(rates) if rates else np.empty(0)
    found = found[np.isfinite(found)]
    quantiles = tuple(np.quantile(found, QUANTILES).tolist()) if found.size else ()
    return LayerSteps(layer, float(finite.mean()) if finite.size else 0.0, quantiles, steps.size - finite.size)


def _rates(trainer: Trainer) -> dict[str, list[np.ndarray]]:
    """The step sizes of the elements of all parameters that are trained, by layer."""
    rule = _RATES.get(trainer.experiment.training.optimizer.kind)
    found: dict[str, list[np.ndarray]] = {}
    if rule and trainer.has_last:
        for group, rate in zip(trainer.optimizer.param_groups, trainer.rates, strict=True):
            for parameter in group["params"]:
                if state := trainer.optimizer.state.get(parameter):
                    layer = split_parameter(trainer.names[parameter]).layer
                    found.setdefault(layer, []).append(rule(state, group, rate).ravel())
    return found
