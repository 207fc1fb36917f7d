"""What can be wrong with the training of a network that is whole: optimizer, schedule, batches, memory, and whether anything learns.

Each problem names the place, the layer that causes it, and the cure.
"""

from __future__ import annotations

from math import prod

from nnviz.document import catalog
from nnviz.document.checks.links import LinkIndex
from nnviz.document.checks.output_and_data import choice_problems, counted, ending
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice
from nnviz.document.problems import Problem, fix, step
from nnviz.document.shapes.rows import held_out
from nnviz.document.shapes.rules import LayerShape

MOST_PARAMETERS = 50_000_000
MOST_BYTES = 4 << 30
"""A training that would need more memory than this, by the estimate below, is refused before anything is allocated."""

_USUAL_ROWS = 1_000
"""How many rows a whole training set is taken to have where only reading it tells."""


def training_problems(experiment: Experiment, links: LinkIndex, layers: dict[str, LayerShape]) -> list[Problem]:
    """Return what is wrong with the training, given what every layer amounts to."""
    training = experiment.training
    problems = choice_problems("training.optimizer", catalog.OPTIMIZERS, training.optimizer)
    problems += choice_problems("training.schedule", catalog.SCHEDULES, training.schedule)
    problems = problems or _nesterov_problems(training.optimizer)
    return [
        *problems,
        *_learning_problems(experiment, links, layers),
        *_lonely_batch_problems(experiment),
        *_validation_problems(experiment),
        *_memory_problems(experiment, links, layers),
    ]


def _learning_problems(experiment: Experiment, links: LinkIndex, layers: dict[str, LayerShape]) -> list[Problem]:
    learning = [layer for layer in experiment.network if layers[layer.id].count]
    if not learning:
        shape = layers[links.output].output_shape or (1,)
        dense = fix("Add a dense layer", *ending(links.output, shape, prod(shape)))
        return [Problem("network.layers", "No layer has parameters, so nothing can be learned.", "Add a Dense layer.", fix=dense)]
    if all(layer.frozen for layer in learning):
        last = fix(f"Unfreeze {learning[-1].title}", step("freeze_layer", id=learning[-1].id, frozen=False))
        message = "Every layer with parameters is frozen, so nothing can be learned."
        return [Problem("network.layers", message, "Unfreeze one of them.", fix=last)]
    return []


def _nesterov_problems(optimizer: Choice) -> list[Problem]:
    if optimizer.kind != "sgd" or not optimizer["nesterov"]:
        return []
    place = "training.optimizer.nesterov"
    if not optimizer["momentum"]:
        message = "Nesterov looks ahead along the momentum, and the momentum is 0."
        pushed = fix("Set momentum to 0.9", step("change_optimizer", momentum=0.9))
        return [Problem(place, message, "Set momentum to 0.9, or turn Nesterov off.", fix=pushed)]
    if optimizer["dampening"]:
        undamped = fix("Set dampening to 0", step("change_optimizer", dampening=0.0))
        return [Problem(place, "Nesterov needs undamped momentum.", "Set dampening to 0, or turn Nesterov off.", fix=undamped)]
    return []


def _lonely_batch_problems(experiment: Experiment) -> list[Problem]:
    if experiment.training.batch_size != 1:
        return []
    message, cure = "{} compares the rows of a batch, and a batch has only one row.", "Use a batch size of 2 or more, or Layer norm."
    larger = fix("Set the batch size to 32", step("change_training", batch_size=32))
    found = [(place, layer.id, catalog.layer_kind(layer.kind)) for place, layer in enumerate(experiment.network)]
    return [
        Problem(f"network.layers[{place}]", message.format(kind.label), cure, id, larger) for place, id, kind in found if kind.compares_rows
    ]


def _validation_problems(experiment: Experiment) -> list[Problem]:
    """What watches the validation loss needs rows to validate on."""
    if held_out(experiment.data):
        return []
    all_rows = {"corners": False} if experiment.data.settings.get("corners") else {}
    held = fix("Hold out 30 % of the rows", step("change_data", validation=0.3, **all_rows))
    message, cure = "{} watches the validation loss, and no rows are kept out of training.", "Set validation above 0, or turn it off."
    watching = []
    if experiment.training.early_stopping is not None:
        watching.append(("training.early_stopping", "Early stopping"))
    if experiment.training.schedule.kind == "plateau":
        watching.append(("training.schedule", "The plateau schedule"))
    return [Problem(place, message.format(what), cure, fix=held) for place, what in watching]


# --- memory ---


def memory(experiment: Experiment, layers: dict[str, LayerShape]) -> int:
    """Return about how many bytes an iteration needs: parameters with gradients and two moments, and all values with their gradients."""
    return _bytes(experiment) * (4 * sum(layer.count for layer in layers.values()) + _rows(experiment) * _per_row(layers))


def _bytes(experiment: Experiment) -> int:
    return 8 if experiment.precision == "float64" else 4


def _rows(experiment: Experiment) -> int:
    return experiment.training.batch_size or experiment.data.settings.get("samples") or _USUAL_ROWS


def _per_row(layers: dict[str, LayerShape]) -> int:
    return sum(_row(layer) for layer in layers.values())


def _row(layer: LayerShape) -> int:
    return 2 * (prod(layer.output_shape or ()) + layer.working)


def _memory_problems(experiment: Experiment, links: LinkIndex, layers: dict[str, LayerShape]) -> list[Problem]:
    needed = memory(experiment, layers)
    if needed <= MOST_BYTES:
        return []
    largest = max(layers, key=lambda id: _row(layers[id]))
    rows, room = _rows(experiment), MOST_BYTES // _bytes(experiment) - 4 * sum(layer.count for layer in layers.values())
    fitting = min(rows - 1, room // max(1, _per_row(layers)))
    message = (
        f"An iteration over {counted(rows, 'row')} would need about {needed / (1 << 30):,.1f} GB of memory, most of it here; "
        f"{MOST_BYTES >> 30} GB are the most."
    )
    smaller = fix(f"Set the batch size to {fitting}", step("change_training", batch_size=fitting)) if fitting > 0 else None
    return [Problem(links.place(largest), message, "Use a smaller batch, or make this layer smaller.", largest, smaller)]
