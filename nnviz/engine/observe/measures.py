"""From tensors to what travels: arrays, measures, the measures of all layers, the recorded weight."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from nnviz.document.network import split_parameter
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.run.weight_recorder import WeightRecorder
from nnviz.records.run_records import LayerMeasures, WeightHistory
from nnviz.records.tensors import FEW, WHOLE, Array, Measure, histogram_of
from nnviz.records.tensors import Tensor as TensorRecord

FEWEST_BINS, MOST_BINS = 8, 40


def array_of(tensor: Tensor | np.ndarray) -> Array:
    """Return the tensor as it travels."""
    values = np.ascontiguousarray(tensor.detach().numpy() if isinstance(tensor, Tensor) else tensor)
    return Array(values.dtype.name, tuple(tensor.shape), values.tobytes())


def tensor_record(tensor: Tensor) -> TensorRecord:
    """Return the tensor whole, or as a measure if it has more than WHOLE elements."""
    if tensor.numel() <= WHOLE:
        return TensorRecord(tuple(tensor.shape), array_of(tensor))
    return TensorRecord(tuple(tensor.shape), None, measure(tensor))


def measure(tensor: Tensor) -> Measure:
    """Return what is said of a tensor. Zeros and non-finite elements are counted apart and are not in the histogram."""
    values = tensor.detach().numpy().ravel().astype(np.float64)
    finite = values[np.isfinite(values)]
    filled = finite[finite != 0]
    low, high, histogram = histogram_of(filled, _bins(values.size))
    if not finite.size:
        return Measure(values.size, 0.0, 0.0, 0.0, 0.0, 0.0, 0, values.size, histogram, low, high)
    scale = float(np.abs(finite).max()) or 1.0  # squares of large numbers would overflow
    scaled = finite / scale
    return Measure(
        count=values.size,
        min=float(finite.min()),
        max=float(finite.max()),
        mean=float(scaled.mean()) * scale,
        std=float(scaled.std()) * scale,
        norm=math.sqrt(float(scaled @ scaled)) * scale,
        zeros=finite.size - filled.size,
        non_finite=values.size - finite.size,
        histogram=histogram,
        low=low,
        high=high,
        values=tuple(np.sort(filled).tolist()) if filled.size <= FEW else (),
    )


def _bins(count: int) -> int:
    return max(FEWEST_BINS, min(MOST_BINS, math.isqrt(count)))


def history_record(recorder: WeightRecorder, iteration: int) -> WeightHistory:
    """Return what is kept of a weight up to an iteration, as it travels."""
    iterations, *columns = np.array(recorder.rows(iteration), dtype=np.float64).reshape(-1, 4).T
    return WeightHistory(recorder.parameter, recorder.element, array_of(iterations.astype(np.int64)), *map(array_of, columns))


# --- layers ---


def layer_measures(trainer: Trainer) -> tuple[LayerMeasures, ...]:
    """Return the measures of every layer with parameters, in forward order: of the last iteration, or (there being none) of the next."""
    if not trainer.has_last:
        _differentiate_next(trainer)
    learning = {split_parameter(name).layer for name in trainer.parameters}
    return tuple(_of_layer(trainer, layer) for layer, _ in trainer.net.plan if layer in learning)


def _differentiate_next(trainer: Trainer) -> None:
    """Run the next iteration without its update, so that there are gradients to measure."""
    with trainer.unchanged():
        trainer.differentiate(trainer.rows())


def _of_layer(trainer: Trainer, layer: str) -> LayerMeasures:
    weight = measure(_weights(trainer, layer))
    return LayerMeasures(
        layer, weight, measure(_gradient(trainer, layer)), measure(trainer.activations[layer]), _update_ratio(trainer, layer)
    )


def _weights(trainer: Trainer, layer: str) -> Tensor:
    """All weights of the layer in one row, without biases and shifts."""
    own = {name: parameter for name, parameter in trainer.parameters.items() if split_parameter(name).layer == layer}
    chosen = [parameter for parameter in own.values() if parameter.dim() > 1] or [own[f"{layer}.weight"]]
    return chosen[0] if len(chosen) == 1 else torch.cat([parameter.detach().ravel() for parameter in chosen])


def _gradient(trainer: Trainer, layer: str) -> Tensor:
    """The gradients of all parameters of the layer in one row before any clipping, so that their norm is the layer's. A frozen one
    has none."""
    own = (gradient for name, gradient in trainer.gradients.items() if split_parameter(name).layer == layer)
    return torch.cat([torch.empty(0), *(gradient.ravel() for gradient in own)])


def _update_ratio(trainer: Trainer, layer: str) -> float:
    names = [name for name in trainer.previous if split_parameter(name).layer == layer]
    before = math.hypot(*(trainer.previous[name].norm().item() for name in names))
    moved = math.hypot(*((trainer.parameters[name].detach() - trainer.previous[name]).norm().item() for name in names))
    return moved / before if before and math.isfinite(moved / before) else 0.0
