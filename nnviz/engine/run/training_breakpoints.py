"""The breakpoints of a run while it trains: whether one holds in an iteration before its update is made, and at which place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby

import torch
from torch import Tensor

from nnviz.document.breakpoints import Breakpoint, reason
from nnviz.document.network import split_parameter
from nnviz.engine.run.stop import Stop
from nnviz.engine.run.trainer import Trainer
from nnviz.records.run_records import BreakpointHit

Numbers = Iterable[tuple[str, float | None]]
"""Places, and the number that is found at each; in the order of the iteration."""


class TrainingBreakpoints:
    """The breakpoints of a run; `check` is what the next iteration has to pass."""

    def __init__(self) -> None:
        self._active: tuple[Breakpoint, ...] = ()
        self._skipped: int | None = None

    def set_breakpoints(self, breakpoints: Iterable[Breakpoint]) -> None:
        """Check these, as far as they are on, from the next iteration on."""
        self._active = tuple(one for one in breakpoints if one.enabled)

    def skip(self, iteration: int | None) -> None:
        """Do not check the iteration that follows so many finished ones; None: check all."""
        self._skipped = iteration

    @property
    def active_check(self) -> Callable[[Trainer, float, float], Stop | None] | None:
        """What the next iteration has to pass, if there is anything."""
        return self.check if self._active else None

    def check(self, trainer: Trainer, loss: float, previous: float) -> Stop | None:
        """Return why to stop before the iteration with this loss, whose gradients are in the parameters; `previous`: the loss before."""
        if trainer.position.iteration == self._skipped:
            return None
        for hit in (_hit(one, trainer, loss, previous) for one in self._active):
            if hit:
                titles = trainer.experiment.network.titles
                why = reason(hit.breakpoint, hit.place, hit.value, titles)
                return Stop("breakpoint", f"Stopped before iteration {trainer.position.iteration + 1}: {why}.", hit)
        return None


def _hit(one: Breakpoint, trainer: Trainer, loss: float, previous: float) -> BreakpointHit | None:
    numbers = _NUMBERS[one.kind](one, trainer, loss)
    return next((BreakpointHit(one, place, number) for place, number in numbers if one.holds(number, previous)), None)


def _outputs(trainer: Trainer) -> Iterator[tuple[str, Tensor]]:
    """Of every layer, in the order of the forward pass."""
    outputs = trainer.activations
    return ((layer, outputs[layer]) for layer, _ in trainer.net.plan)


def _gradients(trainer: Trainer) -> Iterator[tuple[str, Tensor]]:
    """Of every parameter that has one, in the order of the backward pass: the last layer first, those of one layer as a trace has them."""
    layers = [list(of_layer) for _, of_layer in groupby(trainer.parameters.items(), lambda item: split_parameter(item[0]).layer)]
    parameters = chain.from_iterable(reversed(layers))
    return ((name, parameter.grad) for name, parameter in parameters if parameter.grad is not None)


def _largest(tensor: Tensor) -> float:
    return torch.linalg.vector_norm(tensor.detach(), float("inf")).item() if tensor.numel() else float("nan")


def _non_finite(tensor: Tensor) -> int:
    return tensor.numel() - int(torch.isfinite(tensor).sum())


def _all(trainer: Trainer, loss: float) -> Iterator[tuple[str, Tensor]]:
    return chain(_outputs(trainer), [("loss", torch.tensor(loss))], _gradients(trainer))


_NUMBERS: dict[str, Callable[[Breakpoint, Trainer, float], Numbers]] = {
    "node": lambda one, trainer, loss: [(one.target, None)],
    "parameter": lambda one, trainer, loss: [(one.target, None)],
    "non_finite": lambda one, trainer, loss: ((place, _non_finite(tensor)) for place, tensor in _all(trainer, loss)),
    "gradient": lambda one, trainer, loss: ((name, _largest(tensor)) for name, tensor in _gradients(trainer) if one.covers(name)),
    "activation": lambda one, trainer, loss: ((layer, _largest(tensor)) for layer, tensor in _outputs(trainer) if one.covers(layer)),
    "loss_rising": lambda one, trainer, loss: [("loss", loss)],
}
"""By kind: what a breakpoint looks at while training."""
