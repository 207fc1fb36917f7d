"""What can be wrong with the training of a network that is whole: optimizer, schedule, batches, memory, and whether anything learns.

Each problem names the place, the layer that causes it, and the cure.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, prod

from nnviz.document import catalog
from nnviz.document.checks.links import LinkIndex
from nnviz.document.checks.output_and_data import choice_problems, counted, ending
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice
from nnviz.document.problems import Problem, fix, step
from nnviz.document.shapes.rows import held_out, split_sizes
from nnviz.document.shapes.rules import LayerShape

MOST_PARAMETERS = 50_000_000
MOST_BYTES = 4 << 30
"""A training that would need more memory than this, by the estimate below, is refused before anything is allocated."""

EVALUATED_BYTES = 256 << 20
MOST_EVALUATED_ROWS = 4096
"""Rows are evaluated in parts: so many at once, or fewer where those would need more memory than this."""

_USUAL_BATCH = 32
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
        *row_problems(experiment, split_sizes(experiment.data)),
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


# --- what depends on how many rows there are ---


def row_problems(experiment: Experiment, sizes: tuple[int, int] | None) -> list[Problem]:
    """Return what is wrong with so many rows to train and to validate on; None: only reading the data tells."""
    return [*_lonely_row_problems(experiment, sizes[0] if sizes else None), *_validation_problems(experiment, sizes)]


def _lonely_row_problems(experiment: Experiment, count: int | None) -> list[Problem]:
    """A layer that compares the rows of a batch needs two of them, in the last batch of an epoch, too."""
    batch = experiment.training.batch_size
    size = batch if count is None else min(batch or count, count)
    if size != 1 and (count is None or count % size != 1):
        return []
    fitting = _fitting_batch(size, count)
    if count == 1:
        what, cure = "there is one row to train on", "Give it more rows, or use Layer norm."
    elif size == 1:
        what, cure = "a batch has only one row", "Use a batch size of 2 or more, or Layer norm."
    else:
        what, cure = f"of {count:,} rows in batches of {size:,} the last has one", f"Set the batch size to {fitting}."
    larger = fix(f"Set the batch size to {fitting}", step("change_training", batch_size=fitting)) if fitting else None
    found = [(place, layer.id, catalog.layer_kind(layer.kind)) for place, layer in enumerate(experiment.network)]
    message = "{} compares the rows of a batch, and {}."
    return [
        Problem(f"network.layers[{place}]", message.format(kind.label, what), cure, id, larger)
        for place, id, kind in found
        if kind.compares_rows
    ]


def _fitting_batch(size: int, count: int | None) -> int | None:
    """A batch size with which no batch has one row alone: the usual one instead of 1, else the next larger one; None if there is none."""
    if count is None:
        return _USUAL_BATCH
    larger = [_USUAL_BATCH] * (size == 1 and count >= _USUAL_BATCH) + list(range(size + 1, count + 1))
    return next((rows for rows in larger if count % rows != 1), None)


def _validation_problems(experiment: Experiment, sizes: tuple[int, int] | None) -> list[Problem]:
    """What watches the validation loss needs rows to validate on."""
    share = held_out(experiment.data)
    if share if sizes is None else sizes[1]:
        return []
    count = sum(sizes or ())
    enough = min(0.9, ceil(100 / count) / 100) if share else 0.3
    all_rows = {"corners": False} if experiment.data.settings.get("corners") else {}
    held = fix(f"Hold out {enough:.0%} of the rows".replace("%", " %"), step("change_data", validation=enough, **all_rows))
    if not share:
        what, cure = "no rows are kept out of training", "Set validation above 0, or turn it off."
    elif count == 1:
        what, cure, held = "there is only one row", "Give it more rows, or turn it off.", None
    else:
        what, cure = f"{100 * share:g} % of {count:,} rows are none", f"Set validation to {enough:g}, or turn it off."
    watching = []
    if experiment.training.early_stopping is not None:
        watching.append(("training.early_stopping", "Early stopping"))
    if experiment.training.schedule.kind == "plateau":
        watching.append(("training.schedule", "The plateau schedule"))
    return [Problem(place, f"{label} watches the validation loss, and {what}.", cure, fix=held) for place, label in watching]


# --- memory ---


def memory(experiment: Experiment, layers: dict[str, LayerShape]) -> int:
    """Return about how many bytes a run needs at once: parameters with gradients and two moments, and either all values of an iteration
    with their gradients, or the values of as many rows as are evaluated at once."""
    row = numbers_per_row(layers)
    values = max(2 * _rows(experiment) * row, evaluated_rows(row, experiment.precision, _all_rows(experiment)) * row)
    return number_bytes(experiment.precision) * (4 * sum(layer.count for layer in layers.values()) + values)


def numbers_per_row(layers: Mapping[str, LayerShape]) -> int:
    """Return about how many numbers the network computes for one row."""
    return sum(_row(layer) for layer in layers.values())


def evaluated_rows(numbers: int, precision: str, count: int = MOST_EVALUATED_ROWS) -> int:
    """Return how many of `count` rows are evaluated at once, each with so many numbers."""
    return max(1, min(count, MOST_EVALUATED_ROWS, EVALUATED_BYTES // (number_bytes(precision) * max(1, numbers))))


def number_bytes(precision: str) -> int:
    """Return how many bytes a number takes."""
    return 8 if precision == "float64" else 4


def _rows(experiment: Experiment) -> int:
    return experiment.training.batch_size or _all_rows(experiment)


def _all_rows(experiment: Experiment) -> int:
    return sum(split_sizes(experiment.data) or (_USUAL_ROWS,))


def _row(layer: LayerShape) -> int:
    return prod(layer.output_shape or ()) + layer.working


def _memory_problems(experiment: Experiment, links: LinkIndex, layers: dict[str, LayerShape]) -> list[Problem]:
    needed = memory(experiment, layers)
    if needed <= MOST_BYTES:
        return []
    largest = max(layers, key=lambda id: _row(layers[id]))
    rows, room = _rows(experiment), MOST_BYTES // number_bytes(experiment.precision) - 4 * sum(layer.count for layer in layers.values())
    fitting = min(rows - 1, room // max(1, 2 * numbers_per_row(layers)))
    message = (
        f"An iteration over {counted(rows, 'row')} would need about {needed / (1 << 30):,.1f} GB of memory, most of it here; "
        f"{MOST_BYTES >> 30} GB are the most."
    )
    smaller = fix(f"Set the batch size to {fitting}", step("change_training", batch_size=fitting)) if fitting > 0 else None
    return [Problem(links.place(largest), message, "Use a smaller batch, or make this layer smaller.", largest, smaller)]
