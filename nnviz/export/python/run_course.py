"""What a run was made with from its start to its end: which settings stay, and which are variables of its program."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

from nnviz.document import adversarial
from nnviz.document.catalog import LAYERS, layer_kind
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer, Network
from nnviz.document.run_log import Change
from nnviz.document.shapes.report import examine
from nnviz.records.recorded_run import RecordedRun


class RunCourse:
    """The experiments that were in force, one after the other."""

    def __init__(self, run: RecordedRun) -> None:
        self.run, self.first = run, run.experiment
        self.experiments = [run.experiment, *(change.experiment for change in run.changes)]
        """Before the first iteration, and behind every change."""
        self.outputs = {_outputs(one) for one in self.experiments}
        """How many numbers the network puts out for a row, at one time or another."""

    @property
    def changes(self) -> list[tuple[Change, Experiment]]:
        """Every change, and the experiment before it."""
        before = [one for one, _ in pairwise(self.experiments)]
        return list(zip(self.run.changes, before, strict=True))

    def varies(self, field: str) -> bool:
        """Return whether a field of the training is another one after some change."""
        return len({repr(getattr(one.training, field)) for one in self.experiments}) > 1

    def ever(self, field: str) -> bool:
        """Return whether a field of the training is set at some time."""
        return any(getattr(one.training, field) for one in self.experiments)

    @cached_property
    def networks(self) -> list[Network]:
        """The networks for each of which a class is written, in the order in which they come: they differ in what they compute."""
        found: list[Network] = []
        for experiment in self.experiments:
            if computed(experiment.network) not in map(computed, found):
                found.append(experiment.network)
        return found

    @property
    def has_several_targets(self) -> bool:
        """Whether the losses compare the output with classes in several forms."""
        if not self.run.data.classes:
            return False
        return len({(_form(one.training.loss), _outputs(one)) for one in self.experiments}) > 1

    @cached_property
    def is_random(self) -> bool:
        """Whether iterations draw random numbers of their own."""
        return any(draws(layer) for network in self.networks for layer in network)

    @cached_property
    def is_whole_batch(self) -> bool:
        """Whether every iteration takes all rows, in their order."""
        count = self.run.data.trained
        return all((one.training.batch_size or count) >= count for one in self.experiments)

    @property
    def has_dropout(self) -> bool:
        """Whether some layer drops elements."""
        return any(drops(layer) for network in self.networks for layer in network)

    @property
    def validates(self) -> bool:
        """Whether training depends on the validation loss."""
        return self.ever("early_stopping") or any(one.training.schedule.kind == "plateau" for one in self.experiments)

    @cached_property
    def rebuilds(self) -> list[int]:
        """The places, among the experiments, of those behind whose change the network is made anew."""
        return [place + 1 for place, (old, new) in enumerate(pairwise(self.experiments)) if _is_rebuilt(old.network, new.network)]

    def moment(self, place: int) -> str:
        """Return a name for when the experiment at this place came into force: its iteration, with a number where several came there."""
        iteration = self.run.changes[place - 1].iteration
        earlier = sum(change.iteration == iteration for change in self.run.changes[: place - 1])
        return f"{iteration}{'_' * (earlier > 0)}{earlier + 1 if earlier else ''}"

    @property
    def last(self) -> Experiment:
        """The experiment in force at the end."""
        return self.experiments[-1]

    @property
    def sides(self) -> adversarial.Sides | None:
        """Both sides of a network that is trained against itself; None for any other."""
        return adversarial.sides(self.first.network) if self.first.training.target == adversarial.TARGET else None

    @cached_property
    def generates_for_rows(self) -> bool:
        """Whether the generator is given the rows of a batch, because layers stand between the input and its random numbers."""
        return any(before_random(network) for network in self.networks) if self.sides else False


def before_random(network: Network) -> list[Layer]:
    """Return the layers between the input and the random numbers of a network with two sides: of neither, they only say how many rows."""
    sides = adversarial.sides(network)
    own = {*sides.generator, *sides.discriminator, sides.random, sides.meeting}
    return [layer for layer in network.in_order() if layer.id not in own and layer.kind != "input"]


def computed(network: Network) -> tuple:
    """Return what decides what a network computes besides its parameters; names, factors and freezing do not."""
    return tuple((layer.id, layer.kind, layer.settings) for layer in network.layers), network.links


def _is_rebuilt(old: Network, new: Network) -> bool:
    return computed(old) != computed(new) or bool(begun_anew(old, new))


def begun_anew(old: Network, new: Network) -> list[str]:
    """Return the layers that start anew because their weights are to start in another way."""
    starts = {layer.id: (layer.initializer, layer.gain) for layer in old}
    return [layer.id for layer in new if layer.id in starts and starts[layer.id] != (layer.initializer, layer.gain)]


def drops(layer: Layer) -> bool:
    """Return whether a layer drops elements in training."""
    if layer.kind in ("dropout", "spatial_dropout", "encoder_block"):
        return layer["p"] > 0
    return layer.kind in ("rnn", "lstm", "gru") and layer["dropout"] > 0 and layer["num_layers"] > 1


def draws(layer: Layer) -> bool:
    """Return whether a layer draws random numbers in training."""
    return layer.kind in ("noise", "gaussian_latent", "random") or drops(layer)


def penalised(network: Network) -> list[Layer]:
    """Return the layers that add a term to the loss."""
    return [layer for layer in network.in_order() if layer_kind(layer.kind).penalty]


def learning(network: Network) -> list[Layer]:
    """Return the layers whose weights an initializer draws, in the order in which they are computed."""
    return [layer for layer in network.in_order() if LAYERS[layer.kind].initialized]


def _outputs(experiment: Experiment) -> int:
    report = examine(experiment)
    shape = report.layers[report.output].output_shape
    return shape[0] if shape else 1


def _form(loss: str) -> str:
    return "classes" if loss == "cross_entropy" else "numbers"
