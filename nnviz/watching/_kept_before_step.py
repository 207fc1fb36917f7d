"""What a step of the optimizer changes, kept from before it, so that its size can be measured afterwards and the step be taken back."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

_KINDS = (SGD, Adagrad, RMSprop, Adam, AdamW)
_OTHER_WAYS = ("foreach", "fused", "capturable", "differentiable")
"""Options with which a step may write into the gradients too, or keep them."""
_TYPES = (torch.float32, torch.float64)


def can_be_taken_back(optimizer: Optimizer) -> bool:
    """Return whether a step changes only parameters with a gradient and their state, and no hook but the watch's own sees it."""
    if type(optimizer) not in _KINDS or _global_optimizer_pre_hooks or _global_optimizer_post_hooks:
        return False
    if len(optimizer._optimizer_step_pre_hooks) > 1 or len(optimizer._optimizer_step_post_hooks) > 1:
        return False
    for group in optimizer.param_groups:
        if any([group.get(way) for way in _OTHER_WAYS]):
            return False
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            if parameter.dtype not in _TYPES or not parameter.is_cpu or gradient.layout is not torch.strided:
                return False
    return True


class KeptBeforeStep:
    """Parameters with a gradient and the optimizer's state of them, as they were when this was made."""

    def __init__(self, optimizer: Optimizer) -> None:
        """`optimizer`: one whose step can be taken back."""
        self._optimizer = optimizer
        self._held = [one for group in optimizer.param_groups for one in group["params"] if one.grad is not None]
        self._states = [dict(optimizer.state[one]) if one in optimizer.state else None for one in self._held]
        self._changed = list(self._held)
        for state in self._states:
            if state:
                self._changed += [value for value in state.values() if isinstance(value, Tensor)]
        self._versions = [one._version for one in self._changed]
        with torch.no_grad():
            self._values = [one.clone() for one in self._changed]

    def ratios(self) -> dict[int, float]:
        """Return ‖Δθ‖/‖θ‖ by the id of the parameter, to six digits at least."""
        count = len(self._held)
        if not count:
            return {}
        before = self._values[:count]
        with torch.no_grad():
            changes = torch._foreach_sub(self._held, before)
            norms = torch._foreach_norm([*changes, *before], 2, dtype=torch.float64)
        numbers = [norm.item() for norm in norms]
        pairs = zip(self._held, numbers[:count], numbers[count:], strict=True)
        return {id(one): change / size if size else 0.0 for one, change, size in pairs}

    def take_back(self) -> None:
        """Put everything back, the version counters too: no one else may take the step for a change of the batch."""
        for one, before in zip(self._held, self._states, strict=True):
            if before is None:
                self._optimizer.state.pop(one, None)
            else:
                state = self._optimizer.state[one]
                state.clear()
                state.update(before)
        with torch.no_grad():
            torch._foreach_copy_(self._changed, self._values)
        torch._C._autograd._unsafe_set_version_counter(self._changed, self._versions)
