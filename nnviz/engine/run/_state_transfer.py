"""What survives an edit while a run goes on: tensors whose name and shape still fit, and the optimizer's state of them."""

from __future__ import annotations

from typing import NamedTuple

from nnviz.document.experiment import Experiment
from nnviz.document.lost_training import lost_state, lost_tensors
from nnviz.document.network import Layer, split_parameter
from nnviz.engine.data.datasets import Data
from nnviz.engine.model.build import build, check, set_weights
from nnviz.engine.run import optimizers
from nnviz.engine.run.early_stopping import EarlyStopping
from nnviz.engine.run.flat_iteration import FlatNet
from nnviz.engine.run.schedules import Plateau
from nnviz.engine.run.trainer import Trainer


class Transferred(NamedTuple):
    """A trainer for the edited document, at the same position."""

    trainer: Trainer
    kept: tuple[str, ...]
    reset: tuple[str, ...]
    """Parameters that were there before under this name with another shape, and start anew."""
    is_another_net: bool
    """Whether it computes something else than before, so that the figures of the last iteration are not its own."""
    reasons: tuple[str, ...] = ()
    """Sentences that say what of the training so far is lost, and why."""


def transfer(old: Trainer, experiment: Experiment, data: Data) -> Transferred:
    """Return a trainer that goes on from `old` with another document. Raises BuildError, and leaves `old` as it is, if it cannot.

    Of the weights set by hand only those whose entry changed are set again. Where an entry is gone the trained values stay: what the
    parameter would be by now without the entry is not known. (Without training in between the timeline takes the change back instead.)
    """
    new = Trainer(experiment, data, _net(old, experiment, data))
    before = old.parameters | old.buffers
    again = _initialised_anew(old.experiment, experiment)
    named = {name: tensor for name, tensor in (new.parameters | new.buffers).items() if name in before}
    fitting = {name for name, tensor in named.items() if before[name].shape == tensor.shape and split_parameter(name).layer not in again}
    new.set_tensors({name: before[name] for name in fitting})
    edited = _edited_weights(old.experiment, experiment)
    set_weights(new.net, edited)
    _transfer_state(old, new, fitting)
    new.observe_like(old)
    is_comparable = _is_comparable(old.experiment, experiment)
    is_same_schedule = is_comparable and old.experiment.training.schedule == experiment.training.schedule
    early_stopping, plateau = old.early_stopping if is_comparable else EarlyStopping(), old.plateau if is_same_schedule else Plateau()
    new.set_progress(old.position, early_stopping, plateau)
    kept = tuple(name for name in new.parameters if name in fitting)
    is_another_net = bool(edited or again) or _computed(old.experiment) != _computed(experiment)
    if not is_another_net:
        new.take_last_iteration(old)
    reset = tuple(name for name in new.parameters if name in before and name not in fitting)
    return Transferred(new, kept, reset, is_another_net, (*lost_tensors(old.experiment, experiment), *_lost_state(old, new)))


def _initialised_anew(old: Experiment, new: Experiment) -> set[str]:
    """The layers whose weights are to start in another way, and so start anew."""
    starts = {layer.id: (layer.initializer, layer.gain) for layer in old.network}
    return {layer.id for layer in new.network if layer.id in starts and starts[layer.id] != (layer.initializer, layer.gain)}


def _lost_state(old: Trainer, new: Trainer) -> list[str]:
    before, after = (trainer.experiment.training.optimizer.kind for trainer in (old, new))
    return [lost_state(before, after)] if before != after and old.optimizer.state else []


def _edited_weights(old: Experiment, new: Experiment) -> dict[str, list | float]:
    """The weights set by hand that are not what they were."""
    return {name: values for name, values in new.weights.items() if name not in old.weights or old.weights[name] != values}


def _computed(experiment: Experiment) -> tuple:
    """What decides on output and loss besides the parameters. A frozen or renamed layer computes what it did before."""
    network = experiment.network
    bare = tuple(Layer(layer.id, layer.kind, layer.settings) for layer in network.layers)
    return bare, network.links, experiment.training.loss


def _net(old: Trainer, experiment: Experiment, data: Data) -> FlatNet:
    """The same one while the network is the same: a switched optimizer should not cost a new network."""
    if experiment.network != old.experiment.network:
        return FlatNet(build(experiment, data))
    check(experiment, data)
    return old.flat_net


def _transfer_state(old: Trainer, new: Trainer, fitting: set[str]) -> None:
    choices = old.experiment.training.optimizer, new.experiment.training.optimizer
    state = optimizers.save_state(old.optimizer, old.names)
    optimizers.load_state(new.optimizer, new.names, optimizers.fitting_state(state, *choices, fitting, new.parameters))


def _is_comparable(old: Experiment, new: Experiment) -> bool:
    """Whether a validation loss of before says something about after."""
    parts = [(one.network, one.training.loss, one.training.l1, one.training.l2) for one in (old, new)]
    return parts[0] == parts[1]
