"""What kind of call a torch function is and what it is called; tables and lookups that must never run anything."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch.nn.functional as F
from torch import Generator, Tensor
from torch._ops import HigherOrderOperator

from nnviz.operations.table import row_of

# One name per operation, however Python spelled it.
_SAME = {
    "iadd": "add_", "isub": "sub_", "imul": "mul_", "itruediv": "div_", "idiv": "div_", "ipow": "pow_",
    "radd": "add", "rmul": "mul", "truediv": "div", "rtruediv": "rdiv", "rmatmul": "matmul", "subtract": "sub",
    "multiply": "mul", "divide": "div", "true_divide": "div", "negative": "neg", "concat": "cat", "concatenate": "cat",
    "absolute": "abs", "swapaxes": "transpose", "swapdims": "transpose", "special_expit": "sigmoid",
    "reshape_as": "reshape", "view_as": "view", "expand_as": "expand",
}  # fmt: skip

# Getters that return a tensor computed from theirs; every other getter is metadata.
_TENSOR_GETTERS = {"T", "mT", "H", "mH", "real", "imag", "data"}

# Python learns a value here: from now on the graph depends on the batch.
_READS = {
    "item", "__bool__", "__float__", "__int__", "__index__", "__complex__", "__contains__", "__array__", "tolist",
    "numpy",
    "is_nonzero", "equal", "allclose",
}  # fmt: skip

_METADATA = {
    "size", "dim", "ndimension", "numel", "nelement", "stride", "storage_offset", "element_size", "is_contiguous",
    "is_floating_point", "is_complex", "is_signed", "is_inference", "is_same_size", "get_device", "data_ptr", "storage",
    "untyped_storage", "__len__", "__hash__", "__repr__", "__format__", "__dir__", "requires_grad_", "retain_grad",
    "_set_grad_enabled", "register_post_accumulate_grad_hook", "result_type", "can_cast",
}  # fmt: skip


# What writes while version counters stand still: a Python function into its first argument, a normalisation into its statistics.
_OF_PYTHON = frozenset({Tensor.apply_, Tensor.map_, Tensor.map2_})
_SILENT = _OF_PYTHON | {F.batch_norm, F.instance_norm}


@lru_cache(maxsize=4096)
def operation_name(function: Callable[..., Any]) -> str:
    """The operation a torch function is: `torch.Tensor.__radd__`, `torch.add` and `Tensor.add` are all `add`."""
    name = getattr(function, "__name__", None) or type(function).__name__
    if name == "__get__":
        return function.__self__.__name__
    if name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
    return _SAME.get(name, name)


@lru_cache(maxsize=4096)
def kind_of(function: Callable[..., Any]) -> str:
    """What the tape does with it: `record`, `read` (a value is read), `metadata` (no node), `count` (maybe a counter).

    Rarer: `data` and `set data` (the attribute), `hook` (register_hook), `gradient` (autograd inside the run), `branch` (torch.cond),
    `compiled` (torch's other control flow).
    """
    name = getattr(function, "__name__", "")
    if isinstance(function, HigherOrderOperator):
        return "branch" if name == "cond" else "compiled"
    if name in ("__get__", "__set__", "__delete__"):
        attribute = function.__self__.__name__
        if attribute == "data":
            return "data" if name == "__get__" else "set data"
        return "record" if name == "__get__" and attribute in _TENSOR_GETTERS else "metadata"
    if name in _READS:
        return "read"
    if name == "register_hook":
        return "hook"
    if name in ("backward", "grad") and getattr(function, "__module__", "").startswith(("torch.autograd", "torch._tensor")):
        return "gradient"
    if operation_name(function) == "add_":
        return "count"
    return "metadata" if name in _METADATA else "record"


@lru_cache(maxsize=4096)
def may_draw(function: Callable[..., Any]) -> bool:
    """Whether the call might use the random generator; then the generator's state is compared around it."""
    return row_of(operation_name(function)).random


def silently_written(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> list[Tensor]:
    """What a call overwrites although version counters stand still: the running statistics of a normalisation, an `apply_`."""
    if function not in _SILENT:
        return []
    if function in _OF_PYTHON:
        return [args[0]]
    if function is F.batch_norm:
        writes = kwargs.get("training", args[5] if len(args) > 5 else False)
    else:
        writes = kwargs.get("use_input_stats", args[5] if len(args) > 5 else True)
    named = (kwargs.get(name, args[k] if len(args) > k else None) for k, name in ((1, "running_mean"), (2, "running_var")))
    return [statistic for statistic in named if writes and statistic is not None]


def own_generator(args: tuple, kwargs: dict[str, Any]) -> Generator | None:
    """The generator a call was given to draw from, instead of torch's own."""
    return next((part for part in (*args, *kwargs.values()) if isinstance(part, Generator)), None)


def without_generator(structure: Any) -> Any:
    """The arguments of a call with torch's own generator in its place."""
    if isinstance(structure, dict):
        return {name: None if isinstance(part, Generator) else part for name, part in structure.items()}
    return tuple([None if isinstance(part, Generator) else part for part in structure])
