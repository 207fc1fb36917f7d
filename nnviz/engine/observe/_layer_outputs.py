"""What every layer puts out for the batch that comes next: how widely it spreads, in both modes, and where its functions are flat."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from nnviz.engine import seeds
from nnviz.engine.model.build import Net, build, set_training
from nnviz.engine.model.dense_layers import ACTIVATIONS, Dense
from nnviz.engine.observe.measures import LazyMeasure, array_of, measure
from nnviz.engine.observe.node_marks import FLAT
from nnviz.engine.run.position import Position, next_rows
from nnviz.engine.run.trainer import Trainer
from nnviz.records.run_records import FunctionUse, LayerOutputs

_NAMES = {function: name for name, function in ACTIVATIONS.items() if name not in ("identity", "softmax")}
"""The functions that work element by element, and what the catalog calls them."""
_STEEPEST = {"sigmoid": 0.25, "tanh": 1.0, "elu": 1.0, "softplus": 1.0, "silu": 1.0998393194985332, "gelu": 1.1289042530882034}
"""The largest derivative of every function with a flat side where it still depends on z."""
POINTS, AROUND, _FARTHEST = 121, 4.0, 1e30
"""Places on a curve, and how far from 0 it reaches at least, and at most."""


class _Calls(TorchFunctionMode):
    """Notes while it is on every activation function that is called: the function, its arguments, its value."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[Any, tuple, dict, Tensor]] = []

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        value = function(*args, **(kwargs or {}))
        if function in _NAMES:
            self.found.append((function, args, kwargs or {}, value))
        return value


def layer_outputs(trainer: Trainer, start: Mapping[str, float], watched: Collection[str]) -> tuple[LayerOutputs, ...]:
    """Return what every layer puts out in the next iteration, the input first, in forward order; the trainer stays as it is.

    `start`: the spread of every layer at the start, as `start_spread` gives it; `watched`: "modes" and "functions" ask for these.
    """
    net, x = trainer.net, trainer.training_rows.x[trainer.rows()]
    with trainer.unchanged(), torch.no_grad():
        trainer.prepare()
        outputs, calls = _forward(net, x, "functions" in watched)
        set_training(net, False)
        evaluated = _forward(net, x)[0] if "modes" in watched else {}
    found = []
    for layer, output in outputs.items():
        made = LazyMeasure(output)
        in_evaluation = LazyMeasure(evaluated[layer]).mean if evaluated else None
        functions = tuple(_uses(calls[layer], net._modules[layer])) if layer in calls else ()
        found.append(LayerOutputs(layer, made.mean, made.std, start.get(layer), in_evaluation, made.non_finite, functions))
    return tuple(found)


def start_spread(trainer: Trainer) -> dict[str, float]:
    """Return the standard deviation of every layer's output, in training mode, with the weights the network starts with, over the batch
    of the first iteration."""
    experiment = trainer.experiment
    with trainer.unchanged(), torch.no_grad():
        net = build(experiment, trainer.data)
        rows = next_rows(experiment.seed, Position(), trainer.training_rows.count, experiment.training.batch_size)
        seeds.start_iteration(experiment.seed, 0)
        set_training(net, True)
        outputs, _ = _forward(net, trainer.training_rows.x[rows])
    return {layer: LazyMeasure(output).std for layer, output in outputs.items()}


def _forward(net: Net, x: Tensor, with_calls: bool = False) -> tuple[dict[str, Tensor], dict[str, list]]:
    """What every layer puts out, as `Net.forward` has it, and the functions each has called."""
    values, calls = {net.entry: x}, {}
    for layer, sources in net.plan:
        module, inputs = net._modules[layer], [values[source] for source in sources]
        if with_calls:
            with _Calls() as noted:
                values[layer] = module(*inputs)
            calls[layer] = noted.found
        else:
            values[layer] = module(*inputs)
    return values, calls


def _uses(calls: list, module: torch.nn.Module) -> list[FunctionUse]:
    """Every function of a layer with all its calls, as over time, taken together."""
    together: dict[tuple, list] = {}
    for function, (z, *more), options, value in calls:
        is_image = z.dim() == 4 and not isinstance(module, Dense)
        by_unit = [tensor.movedim(1, -1) if is_image else tensor for tensor in (z, value)]
        rows = [tensor.reshape(-1, tensor.shape[-1]) for tensor in by_unit]
        together.setdefault((function, tuple(more), tuple(options.items()), rows[0].shape[1]), []).append(rows)
    found = []
    for (function, more, options, _), rows in together.items():
        z, value = (torch.cat(parts) for parts in zip(*rows, strict=True))
        found.append(_use(function, more, dict(options), z, value))
    return found


def _use(function: Any, more: tuple, options: dict, z: Tensor, value: Tensor) -> FunctionUse:
    """`z` and `value` are (rows, units)."""
    name, measured = _NAMES[function], measure(z)
    curve = _curve(max(-_FARTHEST, min(-AROUND, measured.min)), min(_FARTHEST, max(AROUND, measured.max)))
    value_of = lambda z: function(z, *more, **options)  # noqa: E731
    saturated = saturated_units = None
    if name in _STEEPEST:
        flat = _derivative(value_of, z.double()).abs() < FLAT * _STEEPEST[name]
        saturated, saturated_units = int(flat.sum()), int(flat.all(0).sum())
    dead = int((value == 0).all(0).sum()) if function is F.relu else None
    points = torch.stack([curve, value_of(curve), _derivative(value_of, curve)])
    return FunctionUse(name, z.shape[1], measured, array_of(points), saturated, saturated_units, dead)


def _derivative(function: Any, z: Tensor) -> Tensor:
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        return torch.autograd.grad(function(z).sum(), z)[0]


def _curve(low: float, high: float) -> Tensor:
    """Places from low to high, 0 among them, where many of the functions bend."""
    return torch.from_numpy(np.unique(np.append(np.linspace(low, high, POINTS), 0.0)))
