"""A safetensors file of weights beside a network: which of its tensors fit a parameter of the same name, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

Shape = tuple[int, ...]


class FittingWeights(NamedTuple):
    """What a file has for a network."""

    values: dict[str, list]
    """Of each parameter or running statistic that fits: nested lists of its shape."""
    misfits: tuple[str, ...]
    """A sentence for each tensor of the file that fits nothing, and for each parameter that the file has nothing for."""

    @property
    def told(self) -> str:
        """How much fits, as a sentence."""
        return f"{len(self.values)} tensors fit, {len(self.misfits)} do not." if self.misfits else f"All {len(self.values)} tensors fit."


class WeightsError(ValueError):
    """A file that holds no weights that can be read, or none that fit: a sentence that names it and says why."""


def read_weights(path: Path, wanted: Mapping[str, Shape]) -> FittingWeights:
    """Return what fits of a safetensors file. `wanted`: the shapes of all that can be set, by name. Raises WeightsError."""
    try:
        tensors = load(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror or error}.") from None
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise WeightsError(f"{path.name} cannot be read as safetensors: {error}. Choose a file of float32 or float64 tensors.") from None
    faults = {name: fault for name, tensor in tensors.items() if (fault := _fault(name, tensor, wanted))}
    values = {name: tensors[name].astype(np.float64).tolist() for name in wanted if name in tensors and name not in faults}
    absent = [f"{name} is not in the file." for name in wanted if name not in tensors]
    found = FittingWeights(values, (*faults.values(), *absent))
    if not values:
        raise WeightsError(f"Nothing in {path.name} fits this network. {' '.join(found.misfits[:3])}".strip())
    return found


def _fault(name: str, tensor: np.ndarray, wanted: Mapping[str, Shape]) -> str:
    """Why a tensor cannot be taken; empty if it can."""
    if name not in wanted:
        return f"{name} is no parameter of this network."
    if tensor.shape != wanted[name]:
        return f"{name} is {_times(tensor.shape)} in the file, and {_times(wanted[name])} here."
    if not np.issubdtype(tensor.dtype, np.floating):
        return f"{name} holds {tensor.dtype} in the file, no floats."
    return "" if np.isfinite(tensor).all() else f"{name} holds values that are not finite."


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a single number"
