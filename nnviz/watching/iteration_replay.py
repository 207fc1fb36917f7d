"""Makes the iteration at hand again: proves that the gradients are the loop's, finds what the loop did to them, and has it traced.

Parameters, buffers, generators and the attributes of modules are afterwards what they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from types import MethodType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from nnviz.trace import TraceError
from nnviz.trace.record import dense, tensors_in
from nnviz.viewing.viewing import TracedModule, in_modes
from nnviz.watching.passes import ForwardRun, FromOutput, LossCall, ViewLayout, mapped, output_tensors, placeholders, version

_CLOSE = 1e-4
"""Two gradients that differ by less than this, measured on the largest, are the same but for rounding."""
_MOST_TRIES = 8


class Found(NamedTuple):
    """How the loop's gradients come from its passes."""

    losses: list[LossCall]
    factor: float = 1.0
    """What the weight of every loss has to be taken times."""
    clip: Mapping[str, float] = {}
    """`clip_norm` or `clip_value` of capture."""
    notes: tuple[str, ...] = ()


class IterationReplay:
    """The iteration at hand, to be made as often as wanted."""

    def __init__(self, model: nn.Module, loss: Callable | None, optimizer: Optimizer, parameters: Mapping[str, Tensor]) -> None:
        self._model, self._loss, self._optimizer = model, loss, optimizer
        own = {id(parameter): name for name, parameter in model.named_parameters()}
        self._parameters = {own[id(one)]: one for one in parameters.values() if id(one) in own and one.requires_grad}

    def find(self, losses: list[LossCall]) -> Found:
        """Return which of the losses made the gradients that are there, and how. Raises TraceError where it cannot be made again."""
        self._check(losses)
        real = {name: dense(one.grad).double() for name, one in self._parameters.items() if one.grad is not None}
        for first in range(min(len(losses), _MOST_TRIES)):
            found = self._explained(losses[first:], real)
            if found is not None:
                return found
        lines = {call.problem for call in losses if call.problem}
        where = f" (the loss at {', '.join(sorted(lines))} was given something else than what the model returned)" if lines else ""
        return Found(losses, notes=(f"The loop's own gradients are others than those of this iteration made again{where}: "
                                    "what it does to them besides is not seen here.",))  # fmt: skip

    def source(self, found: Found, batch_axis: int | None, iteration: int) -> TracedModule:
        """Return the iteration as a window or `take` captures it; made inside `unchanged`."""
        losses, runs = found.losses, _runs(found.losses)
        targets = [tensor for call in losses for tensor in tensors_in(_constants((call.args, call.keywords)))]
        how: dict[str, Any] = {"optimizer": self._optimizer, "target": targets[0] if len(targets) == 1 else targets, **found.clip}
        first = runs[0]
        self._begin(first)
        if len(runs) == 1 and not placeholders((first.args, first.keywords)):
            args, how["kwargs"] = _constants(first.args), _constants(first.keywords)
            called: Callable = self._model
        else:
            args = tuple(tensor for run in runs for tensor in tensors_in(_constants((run.args, run.keywords))))
            called = MethodType(lambda model, *x: self._outputs(runs), self._model)
        given = self._as_given(losses, found.factor) if called is self._model else None
        how["loss"] = given or (
            lambda output, target: self._total(losses, found.factor, {runs[0]: output} if called is self._model else output)
        )
        with in_modes(first.modes):
            return TracedModule(called, args, how, batch_axis, iteration)

    def _as_given(self, losses: list[LossCall], factor: float) -> nn.Module | None:
        """The person's loss where nothing lies between it and model and backward."""
        call, (given, *others) = losses[0], losses[0].args or (None,)
        is_plain = isinstance(given, FromOutput) and given.view is None and given.run.is_tensor and not call.keywords
        is_whole = len(losses) == 1 and call.weight * factor == 1.0 and call.is_number
        is_pair = len(others) == 1 and isinstance(others[0], Tensor)
        return self._loss if isinstance(self._loss, nn.Module) and is_plain and is_whole and is_pair else None

    def _check(self, losses: list[LossCall]) -> None:
        if not losses:
            raise TraceError("backward came to no loss that was computed from the model since the last step, so it cannot be made again")
        guards = [guard for part in (*losses, *_runs(losses)) for guard in part.guards]
        if any(version(tensor) != before for tensor, before in guards):
            raise TraceError(
                "the loop has written into the batch since the forward, so the iteration cannot be made again: write into a copy of it"
            )

    def _explained(self, losses: list[LossCall], real: Mapping[str, Tensor]) -> Found | None:
        made = self._gradients(losses)
        if made.keys() - real.keys():
            return None
        made |= {name: torch.zeros_like(gradient) for name, gradient in real.items() if name not in made}
        if _are_close(made, real):
            return Found(losses)
        if not all(one.isfinite().all() for one in made.values()) and not any(one.isfinite().any() for one in real.values()):
            return Found(losses, notes=("The loop clips by a norm that is not finite, which has made all of its gradients NaN.",))
        largest = max((gradient.abs().max().item() for gradient in real.values()), default=0.0)
        if _are_close({name: gradient.clamp(-largest, largest) for name, gradient in made.items()}, real):
            return Found(losses, clip={"clip_value": largest}, notes=(f"The loop clips its gradients to ±{largest:.4g}.",))
        sizes = [torch.cat([gradient.flatten() for gradient in gradients.values()]).norm().item() for gradients in (made, real)]
        factor = sizes[1] / sizes[0] if sizes[0] else 0.0
        if not factor or not math.isfinite(factor) or not _are_close({name: gradient * factor for name, gradient in made.items()}, real):
            return None
        scale = max(abs(call.weight) for call in losses)
        if scale > 1 and factor * scale <= 1 + _CLOSE:
            return Found(losses, factor, notes=(f"The loop scales its loss by {scale:g} and its gradients back by {1 / factor:g}.",))
        if factor < 1:
            return Found(
                losses,
                clip={"clip_norm": sizes[1]},
                notes=(_clipped(factor),),
            )
        return Found(losses, factor, notes=(f"The loop's gradients are those of its loss times {factor:.4g}.",))

    def _gradients(self, losses: list[LossCall]) -> dict[str, Tensor]:
        """What backward gives, of every parameter that is reached, in double precision."""
        runs = _runs(losses)
        self._begin(runs[0])
        with torch.enable_grad(), in_modes(runs[0].modes):
            total = self._total(losses, 1.0, self._outputs(runs))
        found = torch.autograd.grad(total, list(self._parameters.values()), allow_unused=True)
        return {name: dense(one).double() for name, one in zip(self._parameters, found, strict=True) if one is not None}

    def _begin(self, run: ForwardRun) -> None:
        """Put buffers and generator where they were before a forward."""
        torch.set_rng_state(run.rng)
        if self._model.training != run.is_training:
            self._model.train(run.is_training)
        held = [(part._buffers, name) for part in self._model.modules() for name in part._buffers]
        for (buffers, name), value in zip(held, run.buffers, strict=True):
            if value is not None:
                buffers[name] = value.clone()

    def _outputs(self, runs: Sequence[ForwardRun]) -> dict[ForwardRun, Any]:
        """What the model returns, run by run, each with the random numbers it had."""
        outputs: dict[ForwardRun, Any] = {}
        for run in runs:
            if run is not runs[0]:
                torch.set_rng_state(run.rng)
            args, keywords = (_filled(part, outputs) for part in (run.args, run.keywords))
            outputs[run] = self._model(*args, **keywords)
        return outputs

    def _total(self, losses: Sequence[LossCall], factor: float, outputs: Mapping[ForwardRun, Any]) -> Tensor:
        total = None
        for call in losses:
            args, keywords = (_filled(part, outputs) for part in (call.args, call.keywords))
            value = args[0] if self._loss is None else self._loss(*args, **keywords)
            weight = call.weight * factor
            value = (value * call.sent).sum() if value.numel() != 1 else value * weight if weight != 1.0 else value
            total = value if total is None else total + value
        return total


def _runs(losses: Sequence[LossCall]) -> list[ForwardRun]:
    """The forwards the losses were computed from, and those these were given something of, in the order in which they were made."""
    found: dict[int, ForwardRun] = {}

    def add(run: ForwardRun) -> None:
        for part in placeholders((run.args, run.keywords)):
            if id(part.run) not in found:
                add(part.run)
        found.setdefault(id(run), run)

    for call in losses:
        for run in call.runs:
            add(run)
    return list(found.values())


def _constants(structure: Any) -> Any:
    """The structure with what came from elsewhere cut off from its own history."""
    return mapped(structure, lambda part: part if isinstance(part, FromOutput) else _cut(part))


def _cut(tensor: Tensor) -> Tensor:
    return tensor if tensor.grad_fn is None else tensor.detach()


def _filled(structure: Any, outputs: Mapping[ForwardRun, Any]) -> Any:
    return mapped(structure, lambda part: _taken(part, outputs[part.run]) if isinstance(part, FromOutput) else _cut(part))


def _taken(place: FromOutput, output: Any) -> Tensor:
    tensor = output_tensors(output)[place.port]
    return tensor if place.view is None else _view(tensor, place.whole, place.view)


def _view(tensor: Tensor, of: ViewLayout, wanted: ViewLayout) -> Tensor:
    """The view of a tensor that had the layout `of`: by the call that a person is likely to have made."""
    if wanted == of:
        return tensor
    if _is_contiguous(of) and _is_contiguous(wanted) and math.prod(of.size) == math.prod(wanted.size):
        return tensor.reshape(wanted.size)
    rank = len(of.size)
    for one, other in combinations(range(rank), 2):
        if of.transposed(one, other) == wanted:
            return tensor.transpose(one, other)
    for axis in range(rank):
        for place in {0, of.size[axis] - 1}:
            if of.selected(axis, place) == wanted:
                return tensor.select(axis, place)
    return tensor.as_strided(*wanted)


def _is_contiguous(layout: ViewLayout) -> bool:
    step = 1
    for size, stride in zip(reversed(layout.size), reversed(layout.stride), strict=True):
        if size > 1 and stride != step:
            return False
        step *= size
    return True


def _clipped(factor: float) -> str:
    return f"The loop's gradients are {factor:.4g} times those of its loss: it clips them."


def _are_close(made: Mapping[str, Tensor], real: Mapping[str, Tensor]) -> bool:
    """Measured on the largest of all; what is not finite must be so in the same places."""
    finite = [gradient[gradient.isfinite()].abs() for gradient in real.values()]
    scale = max((values.max().item() for values in finite if values.numel()), default=0.0)
    return all(_is_close(made[name], gradient, _CLOSE * scale) for name, gradient in real.items())


def _is_close(made: Tensor, real: Tensor, tolerance: float) -> bool:
    known = made.isfinite()
    return torch.equal(known, real.isfinite()) and bool(((made[known] - real[known]).abs() <= tolerance).all())
