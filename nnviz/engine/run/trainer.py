"""Trains whole iterations at full speed; what one does depends on experiment, seed and position only.

Long because whatever an iteration changes is changed here.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import repeat

import torch
from msgspec.structs import replace
from torch import Tensor, nn

from nnviz.document.experiment import Experiment
from nnviz.document.network import split_parameter
from nnviz.engine import seeds
from nnviz.engine.data.datasets import Data
from nnviz.engine.data.samples import Samples, samples
from nnviz.engine.flat.gradient_program import GradientProgram
from nnviz.engine.model import loss_functions
from nnviz.engine.model.build import apply_switches, build, set_training
from nnviz.engine.observe.non_finite import FirstNonFinite, first_non_finite, first_non_finite_kept, gradients_are_finite
from nnviz.engine.run import optimizers
from nnviz.engine.run._evaluations import Evaluations
from nnviz.engine.run._locked_weights import LockedWeights
from nnviz.engine.run.checkpoints import Checkpoint
from nnviz.engine.run.early_stopping import EarlyStopping
from nnviz.engine.run.flat_iteration import FlatIterations, FlatNet, IterationParts, Series
from nnviz.engine.run.position import Position, iterations_per_epoch, next_batches, next_rows, row_count
from nnviz.engine.run.schedules import Plateau, learning_rate
from nnviz.engine.run.stop import Stop
from nnviz.engine.run.weight_recorder import WeightRecorder
from nnviz.records.run_records import CurvePoint

VALIDATE_EVERY = 50
"""Iterations between validations within an epoch; each epoch ends with one anyway."""
MEASURE_EVERY, MEASURED_EPOCHS = 20, 3
"""The training rows are measured as an epoch ends, at most once in so many iterations and epochs: it must cost little."""
QUICK = 100_000_000
"""Rows whose values are no more numbers than this are measured whenever the run stands."""


Check = Callable[["Trainer", float], Stop | None]
"""Is given the loss of an iteration whose gradients are in the parameters; returns why not to make its update, if there is a reason."""


class Trainer:
    """One network in training. `advance` makes the next iteration; all else reads the state or sets it as a whole."""

    def __init__(self, experiment: Experiment, data: Data, net: FlatNet | None = None) -> None:
        """Raises BuildError if the experiment cannot be built. A `net` of the same network is taken over instead of a new one."""
        self.experiment, self.data = experiment, data
        self.flat_net = net or FlatNet(build(experiment, data))
        self.net = self.flat_net.net
        self.training_rows, self.validation_rows = samples(experiment, data, self.net)
        self.parameters: dict[str, nn.Parameter] = dict(self.net.named_parameters())
        self.buffers = dict(self.net.named_buffers())
        self.names = {parameter: name for name, parameter in self.parameters.items()}
        factors = {layer.id: layer.learning_rate_factor for layer in experiment.network}
        of_parameters = {parameter: factors[split_parameter(name).layer] for name, parameter in self.parameters.items()}
        self.optimizer = optimizers.build_optimizer(experiment.training.optimizer, of_parameters)
        apply_switches(self.net, experiment)
        self.locks = LockedWeights(experiment.locks, self.parameters)
        self.loss = loss_functions.LOSSES[experiment.training.loss]
        self.penalty = loss_functions.penalty_of(experiment)
        parts = IterationParts(
            self.loss, self.penalty, self.optimizer, experiment.training, self.locks.masks, self.training_rows, self.prepare
        )
        self.flat = FlatIterations(self.flat_net, parts)
        self._evaluations = Evaluations(self.flat_net, experiment, data.classes)
        self.position = Position()
        self.early_stopping, self.plateau = EarlyStopping(), Plateau()
        self.point: CurvePoint | None = None
        """The figures of the last iteration."""
        self.has_last = False
        """Whether gradients and activations are those of the last iteration made."""
        self._activations: Callable[[], dict[str, Tensor]] = dict
        self.rates: list[float] = []
        """The learning rate of every group of the optimizer in the last iteration."""
        self._unclipped: Mapping[str, Tensor] = {}
        """The gradients of the last iteration before they were clipped; empty where they are not clipped."""
        self.previous: dict[str, Tensor] = {}
        """The parameters as they were before the last iteration; empty before the first, and unless `keep_previous` was asked for."""
        self._keeps_previous = False
        self.recorder: WeightRecorder | None = None
        """Of the one weight that is watched."""

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next iteration, as the schedule has it; layers with a factor have one of their own."""
        return self._scheduled(self.experiment.training.optimizer["learning_rate"])

    def learning_rates(self, count: int) -> list[float]:
        """Return the learning rates of the last so many iterations, all made in the present epoch."""
        own = self.experiment.training.optimizer["learning_rate"]
        is_constant = self.experiment.training.schedule.settings.get("every") != "iteration"
        return [self.learning_rate] * count if is_constant else [self._scheduled(own, ahead) for ahead in range(-count, 0)]

    def _scheduled(self, base: float, ahead: int = 0) -> float:
        schedule, position = self.experiment.training.schedule, self.position
        return learning_rate(schedule, base, position.iteration + ahead, position.epoch, self.plateau)

    @property
    def activations(self) -> dict[str, Tensor]:
        """What every layer put out in the last iteration."""
        return self._activations()

    @property
    def gradients(self) -> dict[str, Tensor]:
        """The gradients of the last backward pass by parameter, before any clipping; frozen parameters have none."""
        raw = self._unclipped or {name: parameter.grad for name, parameter in self.parameters.items()}
        return {name: gradient for name, gradient in raw.items() if gradient is not None}

    # --- one iteration ---

    def rows(self) -> Tensor:
        """Return which training rows the next iteration takes."""
        return next_rows(self.experiment.seed, self.position, self.training_rows.count, self.experiment.training.batch_size)

    def prepare(self) -> float:
        """Make everything ready for the next iteration, masks and learning rate included; return the learning rate."""
        seeds.start_iteration(self.experiment.seed, self.position.iteration)
        set_training(self.net, True)
        optimizers.set_learning_rates(self.optimizer, self.experiment.training.optimizer["learning_rate"], self._scheduled)
        return self.learning_rate

    def differentiate(self, rows: Tensor) -> float:
        """Run forward, loss and backward of the next iteration; return the loss. Gradients stay in the parameters."""
        self.prepare()
        self.flat.release()
        self._unclipped = {}
        for parameter in self.parameters.values():
            parameter.grad = None
        loss = self.loss(self.net(self.training_rows.x[rows]), self.training_rows.targets[rows])
        if self.penalty:
            loss = loss + self.penalty(self.net)
        loss.backward()
        outputs = self.net.outputs
        self._activations = lambda: outputs
        return loss.item()

    def advance(self, check: Check | None = None) -> Stop | None:
        """Make one iteration. Returns why to stop, if there is a reason; if it `comes_before`, the state is that before the iteration.

        `check` may stop it before the update.
        """
        program = self.flat.proven(row_count(self.position, self.training_rows.count, self.experiment.training.batch_size))
        return self._advance_flat(program, check) if program else self._advance_eagerly(check)

    def _advance_eagerly(self, check: Check | None) -> Stop | None:
        rows = self.rows()
        claim = self.flat.claim(rows)
        buffers = copies(self.buffers)
        loss = self.differentiate(rows)
        if stop := (check(self, loss) if check else None) or _non_finite(self, loss):
            self.set_tensors(buffers)
            self.has_last = False
            return stop
        self._before_update()
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self._update()
        if claim:
            self.flat.judge(claim, loss, self.net.outputs, self._unclipped)
        return self._after_update(loss)

    def _advance_flat(self, program: GradientProgram, check: Check | None) -> Stop | None:
        rows, buffers = self.rows(), copies(program.buffers) if program.buffers else {}
        if program.is_random:
            seeds.start_iteration(self.experiment.seed, self.position.iteration)
        with torch._C._InferenceMode(True):  # torch.inference_mode takes a microsecond longer
            loss, size, outputs = self.flat.differentiate(program, rows)
        if not math.isfinite(loss + size):
            self.set_tensors(buffers)
            return self._advance_eagerly(check)
        self._activations, self._unclipped = partial(program.outputs, outputs), {}
        if check and (stop := check(self, loss)):
            self.set_tensors(buffers)
            self.has_last = False
            return stop
        self._before_update()
        with torch._C._InferenceMode(True):
            self.rates = self._rates()
            self.flat.update(self.rates)
        self._unclipped = self.flat.unclipped
        return self._after_update(loss)

    def advance_quietly(self, at_most: int, until: float) -> list[float]:
        """Make up to so many iterations in one go, as long as nothing but the curve's loss is to be known of each; return the losses.

        Ends before an epoch ends, before the validation rows are due, and when the clock says `until`. None is made as long as iterations
        are not flat; then, and before one that is not finite, it is up to `advance` to make the next.
        """
        size = row_count(self.position, self.training_rows.count, self.experiment.training.batch_size)
        count = min(at_most, (self.training_rows.count - self.position.taken - 1) // size, _left(self.position.iteration, VALIDATE_EVERY))
        program = self.flat.proven(size) if count > 0 else None
        if program is None:
            return []
        made = self.flat.run(program, self._series(count, until))
        self.has_last = made.is_finite and (self.has_last or bool(made.losses))
        if made.losses:
            self._activations = partial(program.outputs, made.outputs)
            self._unclipped = self.flat.unclipped
            if self._keeps_previous:
                self.previous = self.flat.previous_by_name
            iteration, epoch, taken = self.position
            self.position = Position(iteration + len(made.losses), epoch, taken + size * len(made.losses))
            self.rates = self._rates(-1)
        return made.losses

    def _series(self, count: int, until: float) -> Series:
        """The next iterations, all in this epoch."""
        training, seed, start = self.experiment.training, self.experiment.seed, self.position.iteration
        batches = next_batches(seed, self.position, self.training_rows.count, training.batch_size)[:count]
        is_constant = training.schedule.settings.get("every") != "iteration"
        rates = repeat(self._rates()) if is_constant else [self._rates(ahead) for ahead in range(count)]
        previous, recorder, parameters = self.flat.previous if self._keeps_previous else None, self.recorder, self.parameters
        series = Series(batches, rates, lambda made: seeds.start_iteration(seed, start + made), previous, until)
        if recorder is None:
            return series
        recorded = lambda made: recorder.after_update(parameters, start + made)  # noqa: E731
        return series._replace(before_update=partial(recorder.before_update, parameters), after_update=recorded)

    def _rates(self, ahead: int = 0) -> list[float]:
        """The learning rate of every group of the optimizer, so many iterations ahead in this epoch."""
        own = self.experiment.training.optimizer["learning_rate"]
        return [self._scheduled(own * group["factor"], ahead) for group in self.optimizer.param_groups]

    def _before_update(self) -> None:
        if self._keeps_previous:
            self.previous = _copied_into(self.previous, self.parameters)
        if self.recorder:
            self.recorder.before_update(self.parameters)

    def _update(self) -> None:
        training = self.experiment.training
        if training.clip_norm is not None or training.clip_value is not None:
            self._unclipped = copies(self.gradients)
        if training.clip_norm is not None:
            self.locks.clip_norm(self.parameters, training.clip_norm)
        if training.clip_value is not None:
            torch.nn.utils.clip_grad_value_(self.net.parameters(), training.clip_value)
        with self.locks.held():
            self.optimizer.step()

    def _after_update(self, loss: float) -> Stop | None:
        self.has_last = True
        before, count, rate = self.position, self.training_rows.count, self.learning_rate
        self.position = before.after(row_count(before, count, self.experiment.training.batch_size), count)
        if self.recorder:
            self.recorder.after_update(self.parameters, self.position.iteration)
        return self._conclude(loss, rate, self.position.epoch > before.epoch)

    def _conclude(self, loss: float, rate: float, epoch_ended: bool) -> Stop | None:
        iteration, validation, metric = self.position.iteration, None, None
        if self.validation_rows.count and (epoch_ended or iteration % VALIDATE_EVERY == 0):
            validation, metric = self.evaluate(self.validation_rows)
        batches = iterations_per_epoch(self.training_rows.count, self.experiment.training.batch_size)
        is_due = epoch_ended and iteration % max(MEASURE_EVERY, MEASURED_EPOCHS * batches) < batches
        self.point = CurvePoint(iteration, loss, validation, metric, *(self.evaluate(self.training_rows) if is_due else (None, None)), rate)
        return self._end_epoch(validation) if epoch_ended and validation is not None else None

    def _end_epoch(self, validation: float) -> Stop | None:
        """What depends on the validation loss: the plateau schedule, and early stopping, which goes back to the best weights."""
        training = self.experiment.training
        if training.schedule.kind == "plateau":
            self.plateau = self.plateau.after(training.schedule, validation)
        if training.early_stopping is None:
            return None
        self.early_stopping = self.early_stopping.after(validation, self.position.iteration, training.early_stopping, self.tensors)
        if not self.early_stopping.is_over:
            return None
        self.set_tensors(self.early_stopping.tensors or {})
        last = self.point  # all it has but its loss was measured of the weights that have gone
        self.point = self.completed(CurvePoint(last.iteration, last.loss, learning_rate=last.learning_rate))
        return Stop("early_stopping", self.early_stopping.sentence(training.early_stopping))

    # --- the net as it is now ---

    @property
    def rows_at_once(self) -> int:
        """How many rows are evaluated at once: as many as the document's own estimate of memory allows."""
        return self._evaluations.rows_at_once

    def answer(self, x: Tensor) -> Tensor:
        """Return the network's output for these rows in evaluation mode."""
        return self._evaluations.answer(x)

    def evaluate(self, rows: Samples) -> tuple[float, float | None]:
        """Return loss and metric over the training or the validation rows, in evaluation mode. The loss is what is trained on, with all its
        penalties; those that depend on the rows are means over them. The metric is None where a row of a class is not answered."""
        return self._evaluations.evaluate("training" if rows is self.training_rows else "validation", rows)

    def start_point(self) -> CurvePoint:
        """Return the figures of the net as it is now, before any update of it: its loss is that over all training rows."""
        training = self.evaluate(self.training_rows)
        validation = self.evaluate(self.validation_rows) if self.validation_rows.count else (None, None)
        return CurvePoint(self.position.iteration, training[0], *validation, *training)

    def completed(self, point: CurvePoint) -> CurvePoint:
        """Return the point of the present iteration with what it lacks: its validation, and its training rows where that is quick."""
        if point.validation_loss is None and self.validation_rows.count:
            loss, metric = self.evaluate(self.validation_rows)
            point = replace(point, validation_loss=loss, metric=metric)
        if point.training_loss is None and self.training_rows.count * self.net.numbers_per_row <= QUICK:
            loss, metric = self.evaluate(self.training_rows)
            point = replace(point, training_loss=loss, training_metric=metric)
        return point

    # --- the state as a whole ---

    @property
    def is_finite(self) -> bool:
        """Whether all that the next iteration goes on from is: parameters, buffers, and what the optimizer remembers.

        Their lengths are looked at first, which costs little.
        """
        kept = self.flat.kept
        if kept is None:
            remembered = (value for entry in self.optimizer.state.values() for value in entry.values() if isinstance(value, Tensor))
            kept = [*(parameter.detach() for parameter in self.parameters.values()), *remembered]
        kept = [tensor for tensor in (*kept, *self.buffers.values()) if tensor.is_floating_point()]
        lengths = torch.stack(torch._foreach_norm(kept)).sum().item()
        return math.isfinite(lengths) or not self.what_is_not_finite

    @property
    def what_is_not_finite(self) -> FirstNonFinite | None:
        """The first of these that is not finite, and how much of it; None if all is."""
        state = {self.names[parameter]: entry for parameter, entry in self.optimizer.state.items()}
        return first_non_finite_kept(self.buffers | self.parameters, state, self.experiment.network.titles)

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
        return Checkpoint(self.experiment, self.position, self.tensors(), state, self.early_stopping, self.plateau)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Make the state that of a checkpoint of the same experiment."""
        self.set_tensors(checkpoint.tensors)
        self.optimizer.state.clear()
        optimizers.load_state(self.optimizer, self.names, checkpoint.state)
        self.flat.release()
        self.set_progress(checkpoint.position, checkpoint.early_stopping, checkpoint.plateau)
        self.previous, self.has_last = {}, False

    def set_learning_rate(self, rate: float) -> None:
        """Have this one as the optimizer's own from the next iteration on; the schedule makes of it what it does."""
        training = self.experiment.training
        optimizer = replace(training.optimizer, settings=training.optimizer.settings | {"learning_rate": rate})
        self.experiment = replace(self.experiment, training=replace(training, optimizer=optimizer))

    def set_progress(self, position: Position, early_stopping: EarlyStopping, plateau: Plateau) -> None:
        """Go on from this position, with what depends on the epochs so far."""
        self.position, self.early_stopping, self.plateau = position, early_stopping, plateau

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever of the next iteration is run inside, buffers and random numbers are afterwards as they were."""
        buffers, random_state = copies(self.buffers), torch.default_generator.get_state()
        try:
            yield
        finally:
            self.set_tensors(buffers)
            self.flat.release()
            torch.default_generator.set_state(random_state)

    # --- what is kept to be shown ---

    def keep_previous(self, on: bool) -> None:
        """Keep from now on the parameters as they were before each iteration, in `previous`, or no longer."""
        self._keeps_previous = on

    def record(self, recorder: WeightRecorder | None) -> None:
        """Record one weight from now on; None for none."""
        self.recorder = recorder

    def observe_like(self, other: Trainer) -> None:
        """Keep and record what another trainer of the same run does."""
        self._keeps_previous, self.recorder = other._keeps_previous, other.recorder

    def take_last_iteration(self, other: Trainer) -> None:
        """Have the gradients and activations of the last iteration from a trainer of the same net."""
        for name, parameter in self.parameters.items():
            parameter.grad = other.parameters[name].grad
        self.has_last, self._activations, self.previous = other.has_last, other._activations, other.previous
        self._unclipped, self.rates = other._unclipped, other.rates


def _left(iteration: int, every: int) -> int:
    """How many iterations can be made before one that completes so many."""
    return every - iteration % every - 1


def _non_finite(trainer: Trainer, loss: float) -> Stop | None:
    trained = [parameter for parameter in trainer.parameters.values() if parameter.requires_grad]
    if math.isfinite(loss) and gradients_are_finite(trained):
        return None
    what, layer = first_non_finite(trainer.net, loss, trainer.experiment.network.titles)
    return Stop("non_finite", f"Iteration {trainer.position.iteration + 1}: {what}", layer=layer)


def copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of these tensors, cut off from autograd."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


@torch.no_grad()
def _copied_into(old: dict[str, Tensor], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies in the place of older ones of the same tensors: to make new ones takes a tenth of a small net's iteration."""
    if old.keys() != tensors.keys():
        return copies(tensors)
    torch._foreach_copy_(list(old.values()), list(tensors.values()))
    return old


def digest(net: nn.Module) -> str:
    """Return the SHA-256 over all parameters in name order, each as float64 in big-endian bytes."""
    total = hashlib.sha256()
    for _, parameter in sorted(net.named_parameters()):
        total.update(parameter.detach().double().numpy().astype(">f8").tobytes())
    return total.hexdigest()
