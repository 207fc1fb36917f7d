"""Keeps all parameters of a net in one buffer, and their gradients in another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

ALIGNMENT = 64
"""Bytes: where torch lets a tensor begin. Kernels may round differently elsewhere."""


class Span(NamedTuple):
    """Where something lies in a flat buffer."""

    start: int
    stop: int

    def of(self, flat: Tensor) -> Tensor:
        """Return this part of the buffer."""
        return flat[self.start : self.stop]


class FlatParameters:
    """The parameters of a net one behind the other, each beginning where torch would let it begin; between them lie zeros.

    The parameters stay the same objects; from now on their values are views of `values`.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self.parameters = dict(parameters)
        self.spans: dict[str, Span] = {}
        end = 0
        for name, parameter in self.parameters.items():
            self.spans[name] = Span(end, end + parameter.numel())
            step = ALIGNMENT // parameter.element_size()
            end += -(-parameter.numel() // step) * step
        dtype = next(iter(self.parameters.values())).dtype
        self.values = torch.zeros(end, dtype=dtype)
        self.gradients = torch.zeros(end, dtype=dtype)
        self.views = self.views_of(self.values)
        self.gradient_views = self.views_of(self.gradients)
        for name, parameter in self.parameters.items():
            self.views[name].copy_(parameter.detach())
            parameter.data = self.views[name]

    def like(self) -> Tensor:
        """Return another buffer of the same size, of zeros."""
        return torch.zeros_like(self.values)

    def views_of(self, flat: Tensor) -> dict[str, Tensor]:
        """Return by parameter its part of such a buffer, in its shape."""
        return {name: span.of(flat).view(self.parameters[name].shape) for name, span in self.spans.items()}
