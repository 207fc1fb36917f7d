"""What torch runs out of the tape's sight, brought before it: compiled code, custom autograd functions, modules on their fast path.

Stand-ins take the place of attributes of torch's classes while a capture runs, and act for its own thread only. While any
`TorchFunctionMode` is active torch leaves the fast path of attention in evaluation, which treats padding otherwise: a net that
takes it unwatched is recorded as it is, in one call.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.stateless import _reparametrize_module
from torch.overrides import handle_torch_function
from torch.utils._python_dispatch import TorchDispatchMode

from .record import TraceError, tensors_in
from .scopes import user_line

_KERNELS = {
    nn.MultiheadAttention: "aten::_native_multi_head_attention",
    nn.TransformerEncoderLayer: "aten::_transformer_encoder_layer_fwd",
    nn.TransformerEncoder: "aten::_nested_tensor_from_mask",
}
"""What gives away that a module has taken its fast path."""
_FORWARDS = {kind: kind.forward for kind in _KERNELS}
_APPLY = torch.autograd.Function.__dict__["apply"]
_here = threading.local()
_lock = threading.Lock()
_captures = 0
_eager = ExitStack()


@contextmanager
def intercepting() -> Iterator[None]:
    """While this runs, the tape of this thread is shown what it would not see."""
    _count(+1)
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1
        _count(-1)


def _count(change: int) -> None:
    """Two threads may capture at the same time: the first puts the stand-ins there, the last takes them away."""
    global _captures
    with _lock:
        _captures += change
        if _captures == (1 if change > 0 else 0):
            _run_eagerly() if change > 0 else _eager.close()
            torch.autograd.Function.apply = classmethod(_applied) if change > 0 else _APPLY
            for kind, forward in _FORWARDS.items():
                kind.forward = _STAND_INS[kind] if change > 0 else forward


def _run_eagerly() -> None:
    """What torch.compile has compiled runs as it was written, so that its calls are seen."""
    if "torch._dynamo" in sys.modules:
        _eager.enter_context(torch.compiler.set_stance("force_eager"))
        _eager.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", r"Using `torch\.compile\(module\)` when there are global hooks")


def _is_recording() -> bool:
    return bool(getattr(_here, "depth", 0)) and torch._C._is_torch_function_mode_enabled()


# -- custom functions ----------------------------------------------------------------------------------------------


def _applied(cls: type, *args: Any, **kwargs: Any) -> Any:
    """A custom `autograd.Function` as one torch call, with its own backward."""
    if not _is_recording():
        return _APPLY.__func__(cls, *args, **kwargs)
    if cls.__name__ == "CheckpointFunction":
        raise TraceError(f"{user_line()}: reentrant checkpointing hides its backward: use checkpoint(…, use_reentrant=False)")

    def apply(*args: Any, **kwargs: Any) -> Any:
        return _APPLY.__func__(cls, *args, **kwargs)

    apply.__name__, apply.__module__ = cls.__name__, cls.__module__
    apply.is_written_by_hand = not cls.__module__.startswith("torch.")
    return handle_torch_function(apply, (), *args, **kwargs)


# -- the fast path -------------------------------------------------------------------------------------------------


def is_fast_path(function: Callable) -> bool:
    """Whether a recorded call is that of a module that took its fast path."""
    return function in _CALLS.values()


def _call_of(kind: type[nn.Module]) -> Callable:
    """The forward of such a module with other parameters, outside the tape."""

    def call(module: nn.Module, parameters: dict[str, Tensor], args: tuple, kwargs: dict[str, Any]) -> Any:
        with torch._C.DisableTorchFunction(), _reparametrize_module(module, parameters):
            return _FORWARDS[kind](module, *args, **kwargs)

    call.__name__ = kind.__name__
    return call


def _stand_in(kind: type[nn.Module]) -> Callable:
    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if not _is_recording() or not _takes_fast_path(kind, self, args, kwargs):
            return _FORWARDS[kind](self, *args, **kwargs)
        held = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return handle_torch_function(_CALLS[kind], (), self, held, args, kwargs)

    return forward


_CALLS = {kind: _call_of(kind) for kind in _KERNELS}
_STAND_INS = {kind: _stand_in(kind) for kind in _KERNELS}


class _FastPathTakenError(Exception):
    """It is taken."""


class _KernelWatch(TorchDispatchMode):
    """Stops at a kernel. Other than a `TorchFunctionMode` it does not change which ones torch chooses."""

    def __init__(self, kernel: str) -> None:
        super().__init__()
        self.kernel = kernel

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.name().partition(".")[0] == self.kernel:
            raise _FastPathTakenError
        return function(*args, **(kwargs or {}))


def _takes_fast_path(kind: type[nn.Module], module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> bool:
    """Tried out, with the random numbers it will draw; not where it cannot be, because it trains or a gradient is needed."""
    trained = [parameter.requires_grad for parameter in module.parameters()]
    needs_gradient = all(trained) or any(tensor.requires_grad for tensor in tensors_in((args, kwargs)))
    if module.training or (torch.is_grad_enabled() and needs_gradient):
        return False
    state, buffers = torch.get_rng_state(), []
    try:
        with torch._C.DisableTorchFunction(), _KernelWatch(_KERNELS[kind]):
            buffers += [(buffer, buffer.clone()) for buffer in module.buffers()]
            _FORWARDS[kind](module, *args, **kwargs)
    except _FastPathTakenError:
        return True
    except Exception:
        return False  # the run itself raises it where the person can see it
    finally:
        torch.set_rng_state(state)
        with torch._C.DisableTorchFunction(), torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
    return False
