"""A safetensors file of weights beside a network: which of its tensors fit a parameter of the same name, and why the others do not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, deserialize

Shape = tuple[int, ...]
_FLOATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""What safetensors calls the types that are taken, and what torch does."""
_SHOWN = 3


class FittingWeights(NamedTuple):
    """What a file has for a network."""

    values: dict[str, list]
    """Of each parameter or running statistic that fits: nested lists of its shape."""
    misfits: tuple[str, ...]
    """A sentence for each tensor of the file that fits nothing, and for each parameter that the file has nothing for."""
    dtypes: tuple[str, ...] = ()
    """Of those that fit, as the file holds them."""

    @property
    def told(self) -> str:
        """How much fits, as a sentence."""
        count = f"{len(self.values)} tensors fit, {len(self.misfits)} do not" if self.misfits else f"All {len(self.values)} tensors fit"
        return f"{count}." if set(self.dtypes) <= {"float32"} else f"{count}; the file holds {' and '.join(self.dtypes)}."


class WeightsError(ValueError):
    """A file that holds no weights that can be read, or none that fit: a sentence that names it and says why."""


class _Stored(NamedTuple):
    """A tensor of a file: its type as safetensors calls it, its shape and its bytes."""

    dtype: str
    shape: Shape
    data: bytes

    @property
    def values(self) -> np.ndarray:
        """The same numbers in double precision."""
        if self.dtype == "BF16":  # the upper half of a float32
            found = (np.frombuffer(self.data, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            found = np.frombuffer(self.data, _FLOATS[self.dtype])
        return found.reshape(self.shape).astype(np.float64)


def read_weights(path: Path, wanted: Mapping[str, Shape]) -> FittingWeights:
    """Return what fits of a safetensors file. `wanted`: the shapes of all that can be set, by name. Raises WeightsError."""
    try:
        content = path.read_bytes()
        tensors = {name: _Stored(one["dtype"], tuple(one["shape"]), one["data"]) for name, one in deserialize(content)}
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror or error}.") from None
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise WeightsError(_unreadable(path, content, error)) from None
    faults = {name: fault for name, tensor in tensors.items() if (fault := _fault(name, tensor, wanted))}
    fitting = {name: tensors[name] for name in wanted if name in tensors and name not in faults}
    absent = [f"{name} is not in the file." for name in wanted if name not in tensors]
    if not fitting:
        raise WeightsError(_nothing_fits(path, tensors, wanted, [*faults.values()]))
    values = {name: tensor.values.tolist() for name, tensor in fitting.items()}
    dtypes = sorted({_FLOATS[tensor.dtype] for tensor in fitting.values()})
    return FittingWeights(values, (*faults.values(), *absent), tuple(dtypes))


def _unreadable(path: Path, content: bytes, error: Exception) -> str:
    """What a file is that is no safetensors, and what to do."""
    if content.startswith(b"\x80") or _is_of_torch(content):
        new = path.with_suffix(".safetensors").name
        new = f"new_{new}" if new == path.name else new
        return (
            f"{path.name} is a pickle, which may run code when it is read, so it is not opened. If you trust it, convert it in Python: "
            f'safetensors.torch.save_file(torch.load("{path.name}", weights_only=True), "{new}")'
        )
    return f"{path.name} cannot be read as safetensors: {error}. It is damaged or another kind of file: save it as safetensors again."


def _is_of_torch(content: bytes) -> bool:
    """Whether it is what `torch.save` writes: an archive with a pickle inside."""
    try:
        return any(name.endswith("data.pkl") for name in zipfile.ZipFile(io.BytesIO(content)).namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def _nothing_fits(path: Path, tensors: Mapping[str, _Stored], wanted: Mapping[str, Shape], faults: list[str]) -> str:
    if tensors.keys().isdisjoint(wanted):
        here, there = (_listed(found) for found in (wanted, {name: tensor.shape for name, tensor in tensors.items()}))
        return f"Nothing in {path.name} fits this network: it has {there}, and the network {here}. Rename its tensors."
    return f"Nothing in {path.name} fits this network. {' '.join(faults[:_SHOWN])}".strip()


def _listed(shapes: Mapping[str, Shape]) -> str:
    """The first of them, and how many more."""
    shown = [f"{name} ({_times(shape)})" for name, shape in list(shapes.items())[:_SHOWN]]
    more = len(shapes) - len(shown)
    return ", ".join(shown or ["no tensors"]) + (f" and {more} more" if more else "")


def _fault(name: str, tensor: _Stored, wanted: Mapping[str, Shape]) -> str:
    """Why a tensor cannot be taken; empty if it can."""
    if name not in wanted:
        return f"{name} is no parameter of this network."
    if tensor.shape != wanted[name]:
        cure = ": transpose it" if tensor.shape == wanted[name][::-1] else ""
        return f"{name} is {_times(tensor.shape)} in the file, and {_times(wanted[name])} here{cure}."
    if tensor.dtype not in _FLOATS:
        return f"{name} holds {tensor.dtype} in the file; taken are {', '.join(_FLOATS.values())}."
    return "" if np.isfinite(tensor.values).all() else f"{name} holds values that are not finite."


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a single number"
