"""Keeps torch's compiler out of a process that never compiles: two decorators of torch.optim load it, which takes longer than torch itself.

What an optimizer computes is untouched: the functions inside the decorators are torch's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from inspect import unwrap

import torch
from torch.optim import Optimizer


def keep_compiler_out(kinds: Iterable[type[Optimizer]]) -> None:
    """Let these kinds of optimizer be made and make steps without torch.compile being told to keep off.

    They are no longer differentiable themselves, and no longer to be used inside a compiled function. Calling it twice does no harm.
    """
    Optimizer.add_param_group = unwrap(Optimizer.add_param_group)
    for kind in kinds:
        kind.step = torch.no_grad()(unwrap(kind.step))
