"""The nets that dropout leaves: each with one mask for all rows, its answers scaled as in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nnviz.engine import seeds
from nnviz.engine.model.stochastic_layers import Dropout, SpatialDropout
from nnviz.engine.run.trainer import Trainer


class ThinnedNets:
    """Answers of one thinned net after the other, in evaluation mode otherwise: batch normalisation uses its running statistics."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._dropping = [part for part in trainer.net.modules() if isinstance(part, Dropout | SpatialDropout) and part.enabled and part.p]

    @property
    def are_there(self) -> bool:
        """Whether any layer drops units."""
        return bool(self._dropping)

    def answer(self, number: int, x: Tensor) -> Tensor:
        """Return what the net with this number answers to these rows."""
        with self._thinned(seeds.stream(self._trainer.experiment.seed, "thinned nets", number)):
            return self._trainer.answer(x)

    @contextmanager
    def _thinned(self, generator: torch.Generator) -> Iterator[None]:
        hooks = [part.register_forward_hook(_masking(part, generator)) for part in self._dropping]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _masking(part: Dropout | SpatialDropout, generator: torch.Generator) -> Callable[[nn.Module, tuple, Tensor], Tensor]:
    """A hook that drops the same units, or channels, of every row."""
    masks: list[Tensor] = []

    def masked(module: nn.Module, arguments: tuple, output: Tensor) -> Tensor:
        if not masks:
            kept = torch.rand(_shape(part, output), generator=generator) >= part.p
            masks.append(kept.to(output.dtype) / max(1 - part.p, torch.finfo(output.dtype).tiny))
        return output * masks[0]

    return masked


def _shape(part: Dropout | SpatialDropout, output: Tensor) -> tuple[int, ...]:
    """Of one mask for all rows; whole channels of images and whole features of sequences are dropped alike."""
    if isinstance(part, Dropout):
        return (1, *output.shape[1:])
    return (1, output.shape[1], 1, 1) if output.dim() == 4 else (1, 1, output.shape[2])
