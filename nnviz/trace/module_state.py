"""What a run may change of a person's modules besides their tensors, and the generators of random numbers: kept, and put back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn


class ModuleState:
    """Attributes of modules, which buffers they have, and the generators of torch, Python and numpy, as they were when this was made."""

    def __init__(self, *roots: object) -> None:
        """`roots` that are no modules have no state."""
        modules = [part for root in roots if isinstance(root, nn.Module) for part in root.modules()]
        parts = [part for part in modules if not isinstance(part, torch.jit.ScriptModule)]
        self._attributes = [(part, dict(part.__dict__), dict(part._buffers)) for part in parts]
        own = [value for _, attributes, _ in self._attributes for name, value in attributes.items() if _is_own_container(name, value)]
        self._contents = [(value, value.copy()) for value in own]
        self._generators = torch.get_rng_state(), random.getstate(), np.random.get_state()

    def restore(self) -> None:
        """Put everything back."""
        for part, own, buffers in self._attributes:
            part.__dict__.clear()
            part.__dict__.update(own)
            part._buffers.clear()
            part._buffers.update(buffers)
        for value, before in self._contents:
            value.clear()
            value.extend(before) if isinstance(value, list) else value.update(before)
        torch.set_rng_state(self._generators[0])
        random.setstate(self._generators[1])
        np.random.set_state(self._generators[2])


@contextmanager
def unchanged(*roots: object) -> Iterator[None]:
    """Whatever is made again inside: buffers, attributes, generators of torch, Python and numpy are then as they were."""
    before = ModuleState(*roots)
    try:
        yield
    finally:
        before.restore()


def _is_own_container(name: str, value: Any) -> bool:
    """Whether a module keeps it for itself, and not torch for it."""
    return type(value) in (list, dict, set) and not name.startswith("_")
