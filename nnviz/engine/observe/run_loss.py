"""The loss of a run as a function of its parameters, with rows, masks and running statistics held fixed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from nnviz.engine.errors import BuildError
from nnviz.engine.model.build import set_training
from nnviz.engine.run.trainer import Trainer
from nnviz.engine.run.two_sides import TWO_LOSSES


class RunLoss:
    """L(θ) on a trainer of its own, whose parameters it moves. θ is the vector of all Q parameters in the order of the net.

    With rows "batch" in mode "training" the loss at `centre` is that of the next iteration, with rows "all" in mode "evaluation" the loss
    the curve shows over the training rows; both to the bit.
    """

    def __init__(self, trainer: Trainer, rows: str = "all", mode: str = "evaluation") -> None:
        """`trainer`: a private copy. Raises BuildError for rows other than all · batch, or a mode other than training · evaluation, and
        for a network that is trained against itself."""
        if rows not in ("all", "batch") or mode not in ("training", "evaluation"):
            raise BuildError("", f"There are no rows {rows!r} in mode {mode!r}.", "Take all or batch, training or evaluation.")
        if trainer.sides:
            raise BuildError("", TWO_LOSSES, "Look at a network with one loss.")
        self.trainer = trainer
        self._is_training, self._is_all = mode == "training", rows == "all"
        samples = trainer.training_rows
        self._rows = samples.x, samples.targets
        if not self._is_all:
            taken = trainer.rows()
            self._rows = samples.x[taken], samples.targets[taken]
        self._parameters = list(trainer.parameters.values())
        self._sizes = [parameter.numel() for parameter in self._parameters]
        self.centre = self.theta()
        """(Q,) The parameters of the run."""
        self.free = self._free()
        """(P,) Which elements of θ are trained and not locked."""

    @property
    def row_count(self) -> int:
        """How many rows it is over."""
        return len(self._rows[0])

    def take_rows(self, rows: Tensor) -> None:
        """Be the loss over these training rows from now on."""
        samples = self.trainer.training_rows
        self._rows, self._is_all = (samples.x[rows], samples.targets[rows]), False

    # --- the vector ---

    def theta(self) -> Tensor:
        """Return the parameters as they are now, (Q,)."""
        return torch.cat([parameter.detach().ravel() for parameter in self._parameters])

    def parts(self, vector: Tensor) -> dict[str, Tensor]:
        """Return a vector like θ by parameter, each part in the shape of its parameter; they share its memory."""
        pieces = vector.split(self._sizes)
        return {name: piece.view(self.trainer.parameters[name].shape) for name, piece in zip(self.trainer.parameters, pieces, strict=True)}

    @property
    def layout(self) -> tuple[tuple[str, int], ...]:
        """Through which parameters the free elements run, and how many of each."""
        is_free = torch.zeros(len(self.centre), dtype=torch.bool)
        is_free[self.free] = True
        counts = {name: int(part.sum()) for name, part in self.parts(is_free).items()}
        return tuple((name, count) for name, count in counts.items() if count)

    def _free(self) -> Tensor:
        masks = self.trainer.locks.masks
        parts = [
            torch.full((parameter.numel(),), parameter.requires_grad) & ~(masks[name].ravel() if name in masks else torch.tensor(False))
            for name, parameter in self.trainer.parameters.items()
        ]
        return torch.cat(parts).nonzero().ravel()

    @torch.no_grad()
    def move_to(self, theta: Tensor) -> None:
        """Give the parameters these values, (Q,)."""
        for parameter, part in zip(self._parameters, self.parts(theta).values(), strict=True):
            parameter.copy_(part)

    def moved(self, change: Tensor) -> Tensor:
        """Return `centre` with this added to the free elements, (P,)."""
        return self.centre.index_add(0, self.free, change.to(self.centre.dtype))

    # --- the loss ---

    def at(self, theta: Tensor) -> float:
        """Return L(θ), whatever it is: infinite or NaN where it is so large."""
        self.move_to(theta)
        if self._is_all and not self._is_training:
            return self.trainer.evaluate(self.trainer.training_rows)[0]
        with torch.no_grad():
            return self.loss().item()

    def loss(self) -> Tensor:
        """Return the loss at the parameters as they are now, as a scalar that can be differentiated."""
        trainer = self.trainer
        x, targets = self._rows
        if self._is_training:
            trainer.prepare()  # the same masks every time
            parts: Sequence[Tensor] = (x,)
        else:
            set_training(trainer.net, False)
            parts = x.split(trainer.rows_at_once)
        outputs, penalties = [], []
        for part in parts:
            outputs.append(trainer.net(part))
            if trainer.penalty:
                penalties.append((trainer.penalty(trainer.net), len(part) / len(x)))
        loss = trainer.loss(torch.cat(outputs) if len(outputs) > 1 else outputs[0], targets)
        for penalty, share in penalties:
            loss = loss + (penalty if share == 1 else penalty * share)
        return loss

    def gradient(self, with_graph: bool = False) -> Tensor:
        """Return ∂L/∂θ at the parameters as they are now, of the free elements, (P,); `with_graph` it can be differentiated again."""
        return self.joined(self.gradients(with_graph))

    def gradients(self, with_graph: bool = False) -> list[Tensor]:
        """Return the same apart: that of each of `trained`, whole, in its shape."""
        return list(torch.autograd.grad(self.loss(), self.trained, create_graph=with_graph, materialize_grads=True))

    @property
    def trained(self) -> list[Tensor]:
        """The parameters that are not frozen, in the order of the net."""
        return [parameter for parameter in self._parameters if parameter.requires_grad]

    @property
    def free_parts(self) -> list[Tensor]:
        """The free elements of each of `trained`, by their places in it."""
        starts = [sum(self._sizes[:number]) for number, parameter in enumerate(self._parameters) if parameter.requires_grad]
        every = zip(starts, self.trained, strict=True)
        return [self.free[(self.free >= start) & (self.free < start + one.numel())] - start for start, one in every]

    def joined(self, parts: Iterable[Tensor]) -> Tensor:
        """Return of one tensor for each of `trained` the free elements, (P,)."""
        left = iter(parts)
        whole = [next(left) if parameter.requires_grad else torch.zeros_like(parameter) for parameter in self._parameters]
        return torch.cat([part.ravel() for part in whole])[self.free]

    def derivative(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """Return H·v, (P,): the gradient of (g·v), where g is a gradient with its graph. Zeros where g depends on nothing."""
        if not gradient.requires_grad:
            return torch.zeros_like(gradient)
        along = gradient @ direction.to(gradient.dtype)  # not grad_outputs=, for which torch loads sympy
        return self.joined(torch.autograd.grad(along, self.trained, retain_graph=True, materialize_grads=True))
