"""Says whether training should stop before an iteration, by the breakpoints that are on. It runs nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

import torch
from torch import Tensor

from nnviz.document.breakpoints import Breakpoint, reason
from nnviz.document.network import split_parameter
from nnviz.engine.run.trainer import Stop, Trainer
from nnviz.records.run_records import BreakpointHit

PlaceFinder = Callable[[Breakpoint, Trainer, float, float], BreakpointHit | None]


class TrainingBreakpoints:
    """The breakpoints of a run. `due` is what the next iteration has to pass, None if nothing: that costs training nothing."""

    def __init__(self) -> None:
        self._active: tuple[Breakpoint, ...] = ()
        self._lets_pass = False

    def set_breakpoints(self, breakpoints: Iterable[Breakpoint]) -> None:
        """Have these, as far as they are on, looked at from the next iteration on."""
        self._active = tuple(one for one in breakpoints if one.enabled)

    def let_pass(self, one: bool) -> None:
        """Let the next iteration be made whatever it does, or (False) look at it as at all others."""
        self._lets_pass = one

    def due(self) -> Callable[[Trainer, float, float], Stop | None] | None:
        """Return what looks at the next iteration; an iteration that may pass is let past once."""
        lets_pass, self._lets_pass = self._lets_pass, False
        return self._look if self._active and not lets_pass else None

    def _look(self, trainer: Trainer, loss: float, previous: float) -> Stop | None:
        """Return why to stop before the iteration that has this loss and whose gradients stand in the parameters."""
        for one in self._active:
            if hit := _FINDERS[one.kind](one, trainer, loss, previous):
                titles = trainer.experiment.network.titles
                why = reason(one, hit.place, hit.value, titles)
                return Stop("breakpoint", f"Stopped before iteration {trainer.position.iteration + 1}: {why}.", hit)
        return None


def _place(one: Breakpoint, trainer: Trainer, loss: float, previous: float) -> BreakpointHit | None:
    return BreakpointHit(one, one.target)


def _loss_rising(one: Breakpoint, trainer: Trainer, loss: float, previous: float) -> BreakpointHit | None:
    return BreakpointHit(one, "loss", loss) if loss > previous + one.threshold else None


def _activation(one: Breakpoint, trainer: Trainer, loss: float, previous: float) -> BreakpointHit | None:
    """The first layer, in the order of the forward pass."""
    outputs = trainer.net.outputs
    return _first(one, ((layer, outputs[layer]) for layer, _ in trainer.net.plan))


def _gradient(one: Breakpoint, trainer: Trainer, loss: float, previous: float) -> BreakpointHit | None:
    """The first parameter, in the order of the backward pass."""
    return _first(one, _gradients(trainer))


def _gradients(trainer: Trainer) -> Iterator[tuple[str, Tensor | None]]:
    """Of every parameter: the last layer first, those of one layer in their own order, as a trace has them."""
    layers = [list(of_layer) for _, of_layer in groupby(trainer.parameters.items(), lambda item: split_parameter(item[0]).layer)]
    yield from ((name, parameter.grad) for of_layer in reversed(layers) for name, parameter in of_layer)


def _first(one: Breakpoint, tensors: Iterable[tuple[str, Tensor | None]]) -> BreakpointHit | None:
    for place, tensor in tensors:
        if tensor is not None and tensor.numel() and one.covers(place):
            largest = torch.linalg.vector_norm(tensor.detach(), float("inf")).item()
            if one.is_beyond(largest):
                return BreakpointHit(one, place, largest)
    return None


def _non_finite(one: Breakpoint, trainer: Trainer, loss: float, previous: float) -> BreakpointHit | None:
    """In the order of the iteration: a layer's output, the loss, the gradient of a parameter."""
    outputs = ((layer, trainer.net.outputs[layer]) for layer, _ in trainer.net.plan)
    for place, tensor in (*outputs, ("loss", torch.tensor(loss)), *_gradients(trainer)):
        count = 0 if tensor is None else tensor.numel() - int(torch.isfinite(tensor).sum())
        if count:
            return BreakpointHit(one, place, count)
    return None


_FINDERS: dict[str, PlaceFinder] = {
    "node": _place,
    "parameter": _place,
    "non_finite": _non_finite,
    "gradient": _gradient,
    "activation": _activation,
    "loss_rising": _loss_rising,
}
