"""The flat iteration: forward, loss, penalties, backward, clipping and the optimizer's update of a net as a list of torch's own kernels.

Nearly all that an iteration of a small net takes is overhead of Python, autograd and dispatch. Autograd ends in a fixed list of kernels;
called in the same order on tensors that are made once they give the same bits in a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from math import isfinite
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.optim import Optimizer

from nnviz.document.training import Training
from nnviz.engine.data.samples import Samples
from nnviz.engine.flat.call_plan import CannotFlatten
from nnviz.engine.flat.code import CodeLine
from nnviz.engine.flat.gradient_program import Differentiated, GradientProgram
from nnviz.engine.flat.kernel_forms import same_bits
from nnviz.engine.flat.parameters import FlatParameters
from nnviz.engine.flat.recorded_calls import Loss, Penalty
from nnviz.engine.flat.update_program import UpdateProgram
from nnviz.engine.model.build import Net

WARM_UP = 3
"""So many iterations over batches of a size are made eagerly before a flat one is built for it: a short run needs none."""
PROOFS = 3
"""So many iterations are then made both ways, and must agree to the bit."""
LARGE = 4_000_000
"""Numbers in a forward pass from which on the kernels themselves take nearly all of the time, and their memory should not be kept."""

MOST_PROGRAMS = 12
"""So many programs of a net are kept: for its batches, their last, smaller one, evaluation, with and without dropout."""
MOST_NUMBERS = 3 * LARGE
"""So many numbers their forward passes have together at most; each keeps a few tensors of each of them."""

Program = TypeVar("Program")


class FlatNet:
    """A net, and the flat programs made of it so far; what they depend on besides the net is their key."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._parameters: FlatParameters | None = None
        self._programs: dict[tuple, tuple[Any, int]] = {}
        """The programs, and how many numbers the forward pass of each has; that which was asked for last is the last."""

    @property
    def parameters(self) -> FlatParameters:
        """The net's parameters in one buffer; they are moved there when this is first asked for."""
        if self._parameters is None:
            self._parameters = FlatParameters(dict(self.net.named_parameters()))
        return self._parameters

    def program(self, key: tuple, rows: int, make: Callable[[], Program]) -> Program:
        """Return the program of this key over so many rows, made if there is none; those asked for longest ago are forgotten."""
        found = self._programs[key] = self._programs.pop(key, None) or (make(), rows * self.net.numbers_per_row)
        while len(self._programs) > MOST_PROGRAMS or sum(numbers for _, numbers in self._programs.values()) > MOST_NUMBERS:
            del self._programs[next(iter(self._programs))]
        return found[0]


class IterationParts(NamedTuple):
    """What an iteration is made of besides the net."""

    loss: Loss
    penalty: Penalty
    optimizer: Optimizer
    training: Training
    locks: Mapping[str, Tensor]
    rows: Samples
    """All training rows."""
    prepare: Callable[[], object]
    """Seeds the generator for the next iteration, and puts the net into training mode."""


class Series(NamedTuple):
    """Iterations that are made in one go."""

    batches: Sequence[Tensor]
    """The rows of each."""
    rates: Iterable[Sequence[float]]
    """The learning rates of each, one for every group of the optimizer."""
    seed: Callable[[int], None]
    """Seeds the generator for the iteration that follows so many of these."""
    previous: Tensor | None
    """Where the parameters are kept as they were before the last one."""
    until: float
    """When it is enough, as time.perf_counter counts."""
    before_update: Callable[[], object] | None = None
    """Is called before each update; None for nothing."""
    after_update: Callable[[int], object] | None = None
    """Is told after each how many are made; None for nothing."""


class Made(NamedTuple):
    """What a series has come to."""

    losses: list[float]
    outputs: tuple[Tensor, ...]
    """What the program returned last."""
    is_finite: bool
    """Whether that was finite; if not, one more iteration was begun than has a loss, and was not made. The gradients are its own."""


class Claim(NamedTuple):
    """What a flat iteration would have made of the state."""

    count: int
    """How many rows it takes."""
    loss: float
    tensors: dict[str, Tensor]
    """All that it changes and all that is shown of it."""


class FlatIterations:
    """The flat iterations of one trainer, one for every size of a batch: built, proven, and then used.

    `reason` is why they step aside, in words; "" as long as they do not.
    """

    def __init__(self, flat_net: FlatNet, parts: IterationParts, reason: str = "") -> None:
        self.reason = reason
        self._net, self._parts = flat_net, parts
        self._seen: dict[int, int] = {}
        """How many iterations were made, by the size of their batch."""
        self._programs: dict[int, GradientProgram] = {}
        self._proofs: dict[int, int] = {}
        """How often a program was right, by the same."""
        self._proven: dict[int, GradientProgram] = {}
        self._update: UpdateProgram | None = None
        self._is_attached = False

    # --- building and proving ---

    def claim(self, rows: Tensor) -> Claim | None:
        """Return what a flat iteration makes of the present state, which stays as it is; None if there is nothing to prove.

        To be asked before an iteration over these rows is made eagerly; `judge` then compares.
        """
        count = len(rows)
        seen = self._seen[count] = self._seen.get(count, 0) + 1
        if self.reason or seen <= WARM_UP or count in self._proven:
            return None
        if count * self._net.net.numbers_per_row > LARGE:
            self.reason = "its kernels take nearly all of the time"
            return None
        try:
            return self._tried(rows)
        except CannotFlatten as error:
            self.reason = str(error)
            return None

    def _tried(self, rows: Tensor) -> Claim | None:
        program = self._program(rows)
        if not self._attach(program):
            return None
        before = self._state()
        self._parts.prepare()
        with torch.inference_mode():
            loss, _, new = program.run(self._parts.rows.x, self._parts.rows.targets, rows)
            self._update.run([group["lr"] for group in self._parts.optimizer.param_groups])
            after = self._state() | _shown(program.outputs(new), self._update.unclipped)
        self._set_state(before)
        self.release()
        return Claim(len(rows), loss, after)

    def _program(self, rows: Tensor) -> GradientProgram:
        count = len(rows)
        if count not in self._programs:
            parts, net = self._parts, self._net.net
            trained = frozenset(name for name, parameter in net.named_parameters() if parameter.requires_grad)
            training = parts.training
            key = count, trained, training.loss, training.l1, training.l2, training.dropout
            self._programs[count] = self._net.program(key, count, lambda: self._made(rows))
        return self._programs[count]

    def _made(self, rows: Tensor) -> GradientProgram:
        parts, net = self._parts, self._net.net
        buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
        parts.prepare()
        try:
            x, target = parts.rows.x[rows], parts.rows.targets[rows]
            return GradientProgram(net, parts.loss, parts.penalty, x, target, self._net.parameters)
        finally:
            for name, buffer in net.named_buffers():
                buffer.copy_(buffers[name])

    def judge(self, claim: Claim, loss: float, outputs: Mapping[str, Tensor], unclipped: Mapping[str, Tensor]) -> None:
        """Compare with what was made eagerly: the flat iteration is used once it was right often enough, and never if it is wrong."""
        made = self._state() | _shown(outputs, unclipped)
        names = dict.fromkeys((*claim.tensors, *made))
        wrong = [name for name in names if not (name in claim.tensors and name in made and same_bits(claim.tensors[name], made[name]))]
        if wrong or claim.loss != loss:
            self.reason = f"it does not give the bits of the eager iteration ({_some(wrong or ['the loss'])})"
            self._proven.clear()
            return
        self._proofs[claim.count] = self._proofs.get(claim.count, 0) + 1
        if self._proofs[claim.count] == PROOFS:
            self._proven[claim.count] = self._programs[claim.count]

    def _state(self) -> dict[str, Tensor]:
        """Copies of all that an iteration changes, laid out in one way: no later number depends on how a gradient was."""
        net, state = self._net.net, self._parts.optimizer.state
        found: dict[str, Tensor] = dict(net.named_buffers())
        for name, parameter in net.named_parameters():
            found[name] = parameter
            if parameter.grad is not None:
                found[f"the gradient of {name}"] = parameter.grad
            entry = state.get(parameter, {})
            found |= {f"{key} of {name}": value for key, value in entry.items() if isinstance(value, Tensor)}
        return _copies(found)

    @torch.no_grad()
    def _set_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Give parameters, buffers and the optimizer's state these values."""
        net, state = self._net.net, self._parts.optimizer.state
        for name, tensor in (*net.named_buffers(), *net.named_parameters()):
            tensor.copy_(tensors[name])
        for name, parameter in net.named_parameters():
            for key, value in state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    value.copy_(tensors[f"{key} of {name}"])

    # --- running ---

    def proven(self, count: int) -> GradientProgram | None:
        """Return the program for an iteration over so many rows if it may be used, the state being where it works on it."""
        program = self._proven.get(count)
        return program if program and (self._is_attached or self._attach(program)) else None

    def _attach(self, program: GradientProgram) -> bool:
        if self._update is None:
            parts = self._parts
            self._update = UpdateProgram(parts.optimizer, parts.training, self._net.parameters, program.parameters, parts.locks)
        self._is_attached = self._update.attach()
        return self._is_attached

    def release(self) -> None:
        """The gradients and the optimizer's state may be elsewhere from now on."""
        self._is_attached = False

    def differentiate(self, program: GradientProgram, rows: Tensor) -> Differentiated:
        """Work out loss and gradients of these rows; in inference mode, the generator being seeded."""
        return program.run(self._parts.rows.x, self._parts.rows.targets, rows)

    def run(self, program: GradientProgram, series: Series) -> Made:
        """Make whole iterations, one for each batch of the series, up to one that does not give finite numbers; that one is not made."""
        differentiate, update, x, targets = program.run, self._update.run, self._parts.rows.x, self._parts.rows.targets
        losses, outputs, is_finite = [], (), True
        buffers, values = list(program.buffers.values()), self._net.parameters.values
        with torch._C._InferenceMode(True):  # torch.inference_mode takes a microsecond longer
            for rows, rates in zip(series.batches, series.rates, strict=False):
                saved = torch._foreach_clone(buffers) if buffers else []
                if program.is_random:
                    series.seed(len(losses))
                loss, size, outputs = differentiate(x, targets, rows)
                if not (is_finite := isfinite(loss + size)):
                    if buffers:
                        torch._foreach_copy_(buffers, saved)
                    break
                if series.previous is not None:
                    series.previous.copy_(values)
                if series.before_update:
                    series.before_update()
                update(rates)
                losses.append(loss)
                if series.after_update:
                    series.after_update(len(losses))
                if perf_counter() > series.until:
                    break
        return Made(losses, outputs, is_finite)

    def update(self, rates: Sequence[float]) -> None:
        """Clip and update with the learning rate of every group of the optimizer, in inference mode."""
        self._update.run(rates)

    @property
    def kept(self) -> list[Tensor] | None:
        """All parameters and all that the optimizer remembers of them, in few tensors; None while they lie elsewhere."""
        return [self._net.parameters.values, *self._update.state] if self._is_attached else None

    @property
    def unclipped(self) -> Mapping[str, Tensor]:
        """The gradients of the last iteration as they were before clipping, by parameter; empty where they are not clipped."""
        return self._update.unclipped

    @cached_property
    def previous(self) -> Tensor:
        """Room for the parameters as they were before an iteration."""
        return self._net.parameters.like()

    @cached_property
    def previous_by_name(self) -> dict[str, Tensor]:
        """The same by parameter."""
        return self._net.parameters.views_of(self.previous)

    # --- reading ---

    def is_proven(self, count: int) -> bool:
        """Return whether iterations over so many rows were right often enough to be made flat."""
        return count in self._proven

    @property
    def lines(self) -> tuple[CodeLine, ...]:
        """The calls of the flat iteration over the largest batch, in their order; none before it is proven."""
        return (*self._proven[max(self._proven)].lines, *self._update.lines) if self._proven else ()


def _some(names: Sequence[str]) -> str:
    """The first of the names, and how many there are besides."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _shown(outputs: Mapping[str, Tensor], unclipped: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies of what is shown of an iteration and is no part of the state."""
    shown = {f"the output of {layer}": output for layer, output in outputs.items()}
    return _copies(shown | {f"the gradient of {name} before clipping": gradient for name, gradient in unclipped.items()})


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
