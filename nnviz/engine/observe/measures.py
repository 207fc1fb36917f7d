"""From tensors to what travels: arrays, measures, the measures of all layers, the recorded weight."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnviz.document.network import split_parameter
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.run.weight_recorder import WeightRecorder
from nnviz.records.run_records import LayerMeasures, WeightHistory
from nnviz.records.tensors import FEW, WHOLE, Array, Measure, blocks_of, histogram_of
from nnviz.records.tensors import Tensor as TensorRecord

FEWEST_BINS, MOST_BINS = 8, 40
_OF_NUMPY = (torch.float16, torch.float32, torch.float64)
_PARTS = {
    "sizes": ("count", "min", "max", "norm", "non_finite"),
    "spread": ("mean", "std", "zeros"),
    "histogram": ("histogram", "low", "high", "values"),
}
"""What of a measure is worked out together."""


def array_of(tensor: Tensor | np.ndarray) -> Array:
    """Return the tensor as it travels; what numpy has no type for, in one that holds the same numbers (see `plain`)."""
    values = plain(tensor).numpy() if isinstance(tensor, Tensor) else np.asarray(tensor)
    return Array(_name(values.dtype), values.shape, values.tobytes())


@cache
def _name(dtype: np.dtype) -> str:
    """What numpy calls it, which it puts together anew at every look."""
    return dtype.name


def plain(tensor: Tensor) -> Tensor:
    """Return the same numbers in a dense tensor numpy can read: bfloat16 and 8 bits as float32, quantised ones as what they stand for."""
    tensor = tensor.detach() if tensor.requires_grad else tensor
    if tensor.dtype in _OF_NUMPY and tensor.layout is torch.strided and not tensor.is_nested:  # nearly always
        return tensor.resolve_neg() if tensor.is_neg() else tensor
    if tensor.is_nested:
        tensor = torch.nested.to_padded_tensor(tensor, 0.0)
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.dtype == torch.complex32:
        tensor = tensor.to(torch.complex64)
    elif tensor.dtype.is_floating_point and tensor.dtype not in _OF_NUMPY:
        tensor = tensor.float()
    return tensor.resolve_conj().resolve_neg()


def row_of_batch(tensor: Tensor, axis: int, row: int | None) -> Tensor:
    """Return one row of the batch, or with None the mean over it in double precision."""
    if row is not None:
        return tensor.select(axis, min(row, tensor.shape[axis] - 1))
    return tensor.to(torch.complex128 if tensor.is_complex() else torch.float64).mean(axis)


def tensor_record(tensor: Tensor, measured: Callable[[Tensor], Any] | None = None) -> TensorRecord:
    """Return the tensor whole, or as a measure if it has more than WHOLE elements: as `measured` makes it."""
    dtype = "" if tensor.dtype in _OF_NUMPY else _unknown(tensor.dtype)
    if tensor.numel() <= WHOLE:
        array = array_of(tensor)
        return TensorRecord(array.shape, array, None, dtype)
    return TensorRecord(tuple(tensor.shape), None, (measured or measure)(tensor), dtype)


@cache
def _unknown(dtype: torch.dtype) -> str:
    """What torch calls numbers that numpy has no type for; empty for others, and for quantised ones, which stand for other numbers."""
    name = str(dtype).removeprefix("torch.")
    is_number = dtype.is_floating_point or dtype.is_complex
    return name if is_number and not hasattr(np, name) and dtype not in (torch.cfloat, torch.cdouble) else ""


def measure(tensor: Tensor) -> Measure:
    """Return what is said of a tensor. Zeros and non-finite elements are counted apart and are not in the histogram."""
    values = _Values(tensor)
    return Measure(**values.sizes(), **values.spread(), **values.histogram())


class LazyMeasure:
    """A `Measure` whose parts are worked out when they are first looked at: of a tensor in the process that shows it.

    The tensor must stay as it is.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    def __getattr__(self, name: str) -> Any:
        part = next((part for part, names in _PARTS.items() if name in names), None)
        if part is None:
            raise AttributeError(name)
        self.work_out(part)
        return self.__dict__[name]

    def whole(self) -> Measure:
        """Return all of it, as it travels."""
        return Measure(**{name: getattr(self, name) for name in Measure.__struct_fields__})

    def work_out(self, part: str) -> None:
        """Work out sizes, spread or histogram."""
        self.__dict__ |= getattr(_Values(self._tensor), part)()


class _Values:
    """The finite numbers of a tensor in double precision, of complex ones both parts; what is said of them by the names of `Measure`."""

    def __init__(self, tensor: Tensor) -> None:
        values = plain(tensor)
        values = (torch.view_as_real(values) if values.is_complex() else values).numpy().ravel().astype(np.float64)
        self._count = values.size
        self._low, self._high = _bounds(values)
        self._finite = values if math.isfinite(self._low) and math.isfinite(self._high) else values[np.isfinite(values)]
        if self._finite is not values:
            self._low, self._high = _bounds(self._finite)

    def sizes(self) -> dict[str, Any]:
        """Return how many there are and how large."""
        non_finite = self._count - self._finite.size
        return {"count": self._count, "min": self._low, "max": self._high, "norm": _length(self._finite), "non_finite": non_finite}

    def spread(self) -> dict[str, Any]:
        """Return where they lie and how widely, and how many are exactly 0."""
        finite, scale = self._finite, max(-self._low, self._high) or 1.0
        zeros = finite.size - int(np.count_nonzero(finite))
        if not finite.size:
            return {"mean": 0.0, "std": 0.0, "zeros": zeros}
        mean = sum(float((block / scale).sum()) for block in blocks_of(finite)) / finite.size  # sums of large numbers would overflow
        away = math.hypot(*(_length(block / scale - mean) for block in blocks_of(finite)))
        return {"mean": mean * scale, "std": away / math.sqrt(finite.size) * scale, "zeros": zeros}

    def histogram(self) -> dict[str, Any]:
        """Return the histogram of those that are not 0."""
        has_zeros = np.count_nonzero(self._finite) < self._finite.size
        filled = self._finite[self._finite != 0] if has_zeros else self._finite
        low, high, counts = histogram_of(filled, _bins(self._count))
        values = tuple(np.sort(filled).tolist()) if filled.size <= FEW else ()
        return {"histogram": counts, "low": low, "high": high, "values": values}


def _bounds(values: np.ndarray) -> tuple[float, float]:
    """The least and the largest; NaN if there is one, 0 of none."""
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def _length(values: np.ndarray) -> float:
    """The norm; squares of very large and very small numbers are not all there are."""
    low, high = _bounds(values)
    largest = max(-low, high)
    if largest == 0 or 1e-140 < largest < 1e140:
        return math.sqrt(float(np.einsum("i,i->", values, values)))  # `@` would start threads of its own
    scaled = values / largest
    return math.sqrt(float(np.einsum("i,i->", scaled, scaled))) * largest


def _bins(count: int) -> int:
    return max(FEWEST_BINS, min(MOST_BINS, math.isqrt(count)))


def history_record(recorder: WeightRecorder, iteration: int) -> WeightHistory:
    """Return what is kept of a weight up to an iteration, as it travels."""
    iterations, *columns = np.array(recorder.rows(iteration), dtype=np.float64).reshape(-1, 4).T
    return WeightHistory(recorder.parameter, recorder.element, array_of(iterations.astype(np.int64)), *map(array_of, columns))


# --- layers ---


def layer_measures(trainer: Trainer, with_updates: bool = False) -> tuple[LayerMeasures, ...]:
    """Return the measures of every layer with parameters, in forward order: of the last iteration, or (there being none) of the next.

    `with_updates`: what the last update added, too.
    """
    if not trainer.has_last:
        _differentiate_next(trainer)
    return tuple(_of_layer(trainer, layer, with_updates) for layer in learning_layers(trainer))


def learning_layers(trainer: Trainer) -> list[str]:
    """Return the layers with parameters, in forward order."""
    learning = {split_parameter(name).layer for name in trainer.parameters}
    return [layer for layer, _ in trainer.net.plan if layer in learning]


def _differentiate_next(trainer: Trainer) -> None:
    """Run the next iteration without its update, so that there are gradients to measure."""
    with trainer.unchanged():
        trainer.differentiate(trainer.rows())


def _of_layer(trainer: Trainer, layer: str, with_updates: bool) -> LayerMeasures:
    weights, gradients, activations = layer_weights(trainer, layer), layer_gradient(trainer, layer), trainer.activations[layer]
    moved = added(trainer, layer) if with_updates else None
    return LayerMeasures(
        layer,
        measure(weights),
        measure(gradients),
        measure(activations),
        _update_ratio(trainer, layer),
        None if moved is None else measure(moved),
    )


def layer_weights(trainer: Trainer, layer: str) -> Tensor:
    """Return all weights of a layer in one row, without biases and shifts."""
    own = {name: parameter for name, parameter in trainer.parameters.items() if split_parameter(name).layer == layer}
    chosen = [parameter for parameter in own.values() if parameter.dim() > 1] or [own[f"{layer}.weight"]]
    return chosen[0] if len(chosen) == 1 else torch.cat([parameter.detach().ravel() for parameter in chosen])


def layer_gradient(trainer: Trainer, layer: str) -> Tensor:
    """Return the gradients of all parameters of a layer in one row before any clipping, so that their norm is the layer's. A frozen one
    has none."""
    own = (gradient for name, gradient in trainer.gradients.items() if split_parameter(name).layer == layer)
    return torch.cat([torch.empty(0), *(gradient.ravel() for gradient in own)])


def added(trainer: Trainer, layer: str) -> Tensor | None:
    """Return what the last update added to all parameters of the layer, in one row; None where what was before is not known."""
    names = [name for name in trainer.previous if split_parameter(name).layer == layer]
    if not (trainer.has_last and names):
        return None
    return torch.cat([(trainer.parameters[name].detach() - trainer.previous[name]).ravel() for name in names])


def _update_ratio(trainer: Trainer, layer: str) -> float | None:
    """‖Δθ‖/‖θ‖ in double precision; NaN where it is not a number."""
    moved = added(trainer, layer)
    if moved is None:
        return None
    before = math.hypot(*(_norm(tensor) for name, tensor in trainer.previous.items() if split_parameter(name).layer == layer))
    distance = _norm(moved)
    return distance / before if before else math.inf if distance else 0.0


def _norm(tensor: Tensor) -> float:
    return tensor.detach().double().norm().item()
