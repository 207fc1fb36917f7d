"""Trains whole iterations at full speed; what one does depends on experiment, seed and position only. It knows nothing of messages."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nnviz.document.experiment import Experiment
from nnviz.engine import losses, optimizers, seeds
from nnviz.engine.build import Net, apply_switches, build, set_training
from nnviz.engine.datasets import Data
from nnviz.engine.diagnosis import first_non_finite, gradients_are_finite
from nnviz.engine.errors import BuildError
from nnviz.engine.history import History
from nnviz.engine.position import Position, next_rows
from nnviz.engine.samples import Samples, samples
from nnviz.engine.schedules import learning_rate
from nnviz.protocol import Hit, Point

VALIDATE_EVERY = 50
"""Iterations between validations within an epoch; each epoch ends with one anyway."""
CHUNK = 4096
"""Rows evaluated at once."""


class Stop(NamedTuple):
    """Why training should not simply go on. `reason`: early_stopping · non_finite · breakpoint."""

    reason: str
    message: str
    hit: Hit | None = None

    @property
    def comes_before(self) -> bool:
        """Whether the iteration was not made: the run stands where it stood before it."""
        return self.reason in ("non_finite", "breakpoint")


Look = Callable[["Trainer", float], Stop | None]
"""Is given the loss of an iteration whose gradients stand in the parameters; returns why not to make it, if there is a reason."""


@dataclass(frozen=True)
class Patience:
    """The best epoch so far, for early stopping."""

    loss: float = math.inf
    tensors: dict[str, Tensor] | None = None
    iteration: int = 0
    waited: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """All that the further run depends on, besides the data."""

    experiment: Experiment
    position: Position
    tensors: dict[str, Tensor]
    state: optimizers.State
    patience: Patience


class Trainer:
    """One network in training. `advance` makes the next iteration; all else looks at the state or moves it as a whole."""

    def __init__(self, experiment: Experiment, data: Data, net: Net | None = None) -> None:
        """Raises BuildError if the experiment cannot be built. A `net` of the same network is taken over instead of a new one."""
        self.experiment, self.data = experiment, data
        self.net = net if net is not None else build(experiment, data)
        self.training_rows, self.validation_rows = samples(experiment, data, self.net)
        _check_rows(experiment, self.training_rows.count, self.validation_rows.count)
        self.parameters: dict[str, nn.Parameter] = dict(self.net.named_parameters())
        self.buffers = dict(self.net.named_buffers())
        self.names = {parameter: name for name, parameter in self.parameters.items()}
        self.optimizer = optimizers.build_optimizer(experiment.training.optimizer, self.parameters.values())
        apply_switches(self.net, experiment)
        self.loss = losses.LOSSES[experiment.training.loss]
        self.penalty = losses.penalty_of(experiment.training)
        self.position = Position()
        self.patience = Patience()
        self.point: Point | None = None
        """The figures of the last iteration."""
        self.has_last = False
        """Whether gradients and activations are those of the last iteration made."""
        self.remembers = False
        self.activations: dict[str, Tensor] = {}
        """What every layer put out in the last iteration."""
        self.before: dict[str, Tensor] = {}
        """While `remembers` is on: the parameters as they were before the last iteration; empty before the first."""
        self.history: History | None = None
        """Of the one weight that is watched."""

    # --- one iteration ---

    def rows(self) -> Tensor:
        """Return which training rows the next iteration takes."""
        return next_rows(self.experiment.seed, self.position, self.training_rows.count, self.experiment.training.batch_size)

    def prepare(self) -> float:
        """Make everything ready for the next iteration, masks and learning rate included; return the learning rate."""
        training, position = self.experiment.training, self.position
        seeds.start_iteration(self.experiment.seed, position.iteration)
        set_training(self.net, True)
        rate = learning_rate(training.schedule, training.optimizer["learning_rate"], position.iteration, position.epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def differentiate(self, rows: Tensor) -> float:
        """Run forward, loss and backward of the next iteration; return the loss. Gradients stay in the parameters."""
        self.prepare()
        for parameter in self.parameters.values():
            parameter.grad = None
        loss = self.loss(self.net(self.training_rows.x[rows]), self.training_rows.targets[rows])
        if self.penalty:
            loss = loss + self.penalty(self.net)
        loss.backward()
        self.activations = self.net.outputs
        return loss.item()

    def advance(self, look: Look | None = None) -> Stop | None:
        """Make one iteration. Returns why to stop, if there is a reason; if it `comes_before`, the state is that before the iteration.

        `look` may stop it before the update.
        """
        rows = self.rows()
        buffers = copies(self.buffers)
        loss = self.differentiate(rows)
        if stop := (look(self, loss) if look else None) or self._non_finite(loss):
            self.set_tensors(buffers)
            self.has_last = False
            return stop
        if self.remembers:
            self.before = copies(self.parameters)
        if self.history:
            self.history.expect(self.parameters)
        self._update()
        self.has_last = True
        before, self.position = self.position, self.position.after(len(rows), self.training_rows.count)
        if self.history:
            self.history.keep(self.parameters, self.position.iteration)
        return self._conclude(loss, self.position.epoch > before.epoch)

    def _non_finite(self, loss: float) -> Stop | None:
        if math.isfinite(loss) and gradients_are_finite(self.optimizer.param_groups[0]["params"]):
            return None
        return Stop("non_finite", f"Iteration {self.position.iteration + 1}: {first_non_finite(self.net, loss)}")

    def _update(self) -> None:
        training = self.experiment.training
        if training.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), training.clip_norm)
        if training.clip_value is not None:
            torch.nn.utils.clip_grad_value_(self.net.parameters(), training.clip_value)
        self.optimizer.step()

    def _conclude(self, loss: float, epoch_ended: bool) -> Stop | None:
        iteration, validation, metric = self.position.iteration, None, None
        if self.validation_rows.count and (epoch_ended or iteration % VALIDATE_EVERY == 0):
            validation, metric = self.evaluate(self.validation_rows)
        self.point = Point(iteration, loss, validation, metric)
        patient = self.experiment.training.early_stopping
        return self._wait(validation, patient) if epoch_ended and patient is not None else None

    def _wait(self, validation: float, patient: int) -> Stop | None:
        """Early stopping: remember the best epoch; when it has not been beaten for long enough, go back to its weights."""
        iteration, best = self.position.iteration, self.patience
        if validation < best.loss:
            self.patience = Patience(validation, self.tensors(), iteration)
        elif best.waited + 1 < patient:
            self.patience = Patience(best.loss, best.tensors, best.iteration, best.waited + 1)
        else:
            self.set_tensors(best.tensors or {})
            self.patience = Patience(best.loss, best.tensors, best.iteration)
            what = f"Validation loss has not fallen below {best.loss:.6g} for {patient} {'epoch' if patient == 1 else 'epochs'}"
            return Stop("early_stopping", f"{what}; the weights of iteration {best.iteration} are back.")
        return None

    # --- the net as it stands ---

    @torch.no_grad()
    def answer(self, x: Tensor) -> Tensor:
        """Return the network's output for these rows in evaluation mode."""
        set_training(self.net, False)
        return torch.cat([self.net(part) for part in x.split(CHUNK)])

    @torch.no_grad()
    def outputs_of(self, layer: str, x: Tensor) -> Tensor:
        """Return what a layer puts out for these rows in evaluation mode. What it put out in the last iteration stays as it is."""
        set_training(self.net, False)
        parts = []
        for part in x.split(CHUNK):
            self.net(part)
            parts.append(self.net.outputs[layer])
        return torch.cat(parts)

    def evaluate(self, rows: Samples) -> tuple[float, float]:
        """Return the loss without penalties and the metric over these rows, in evaluation mode."""
        output = self.answer(rows.x)
        loss = self.loss(output, rows.targets).item()
        return loss, losses.metric(self.experiment.training.loss, output, rows.y, self.data.classes)

    def start_point(self) -> Point:
        """Return the figures of the net as it stands: its loss over all training rows, and its validation."""
        loss, _ = self.evaluate(self.training_rows)
        if self.penalty:
            loss += self.penalty(self.net).item()
        return Point(self.position.iteration, loss, *(self.evaluate(self.validation_rows) if self.validation_rows.count else ()))

    # --- the state as a whole ---

    def tensors(self) -> dict[str, Tensor]:
        """Return copies of all parameters and buffers by name."""
        return copies(self.parameters) | copies(self.buffers)

    @torch.no_grad()
    def set_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Give parameters and buffers these values."""
        own = self.parameters | self.buffers
        for name, tensor in tensors.items():
            own[name].copy_(tensor)

    def checkpoint(self) -> Checkpoint:
        """Return a copy of the state."""
        state = optimizers.save_state(self.optimizer, self.names)
        return Checkpoint(self.experiment, self.position, self.tensors(), state, self.patience)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Make the state that of a checkpoint of the same experiment."""
        self.set_tensors(checkpoint.tensors)
        self.optimizer.state.clear()
        optimizers.load_state(self.optimizer, self.names, checkpoint.state)
        self.position, self.patience, self.before, self.has_last = checkpoint.position, checkpoint.patience, {}, False


def copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of these tensors, cut off from autograd."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def digest(net: nn.Module) -> str:
    """Return the SHA-256 over all parameters in name order, each as float64 in big-endian bytes."""
    total = hashlib.sha256()
    for _, parameter in sorted(net.named_parameters()):
        total.update(parameter.detach().double().numpy().astype(">f8").tobytes())
    return total.hexdigest()


def _check_rows(experiment: Experiment, count: int, validation: int) -> None:
    """What only shows once the rows are counted. Raises BuildError."""
    training = experiment.training
    if training.early_stopping is not None and not validation:
        raise BuildError(
            "training.early_stopping", "Early stopping needs rows to validate on.", "Set data.validation above 0, or turn it off."
        )
    size = min(training.batch_size or count, count)
    if (count == 1 or count % size == 1) and any(layer.kind == "batch_norm" for layer in experiment.network):
        message = f"Batch norm compares the rows of a batch, and of {count} rows in batches of {size} the last has one."
        raise BuildError("training.batch_size", message, "Change the batch size.")
