"""The runs of a comparison: the present document with one thing changed, each with a name. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nnviz.document import catalog, edits
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused

MOST = 8
"""So many runs are compared at once."""
RATES = ("0.0001", "0.001", "0.01", "0.1", "1")


class Variation(NamedTuple):
    """One of the runs."""

    name: str
    experiment: Experiment


class Subject(NamedTuple):
    """What can be changed in a comparison."""

    key: str
    label: str
    from_here: bool = True
    """Whether a run can go on with it: other data and other starting weights begin a run."""
    choices: tuple[tuple[str, str], ...] = ()
    """Values to choose from, each with its word; none where values are typed."""


SUBJECTS = (
    Subject("optimizer", "optimizer", choices=tuple((kind.name, kind.label) for kind in catalog.OPTIMIZERS.values())),
    Subject("rate", "learning rate"),
    Subject("dropout", "dropout", choices=(("true", "on"), ("false", "off"))),
    Subject("batch", "batch size"),
    Subject("initializer", "initializer", False, tuple((kind.name, kind.label) for kind in catalog.INITIALIZERS.values())),
    Subject("seed", "seed", False),
    Subject("path", "any setting"),
)


def subject(key: str) -> Subject:
    """Return the subject of this key. Raises KeyError if there is none."""
    return next(one for one in SUBJECTS if one.key == key)


def usual_values(key: str, experiment: Experiment) -> tuple[str, ...]:
    """Return the values to begin with."""
    match key:
        case "optimizer":
            present = experiment.training.optimizer.kind
            return tuple(dict.fromkeys(("sgd", "adagrad", "rmsprop", "adam", present)))
        case "rate":
            return RATES
        case "dropout":
            return ("true", "false")
        case "batch":
            return ("1", "8", "32", "128", "all")
        case "initializer":
            return ("zeros", "normal", "xavier_uniform", "he_uniform")
        case "seed":
            return tuple(str(experiment.seed + step) for step in range(5))
    return ()


def values_of(text: str) -> tuple[str, ...]:
    """Return the values that are typed behind each other, with commas (or semicolons, where the values have commas) between them."""
    separator = ";" if ";" in text else ","
    return tuple(dict.fromkeys(part.strip() for part in text.split(separator) if part.strip()))


def variations(experiment: Experiment, key: str, values: Sequence[str], path: str = "") -> tuple[Variation, ...]:
    """Return one run for each value; `path` says which setting "path" means, as `--set` does. Raises Refused for what cannot be."""
    if not values:
        raise Refused("No values are given.", "Choose or type some.")
    if len(values) > MOST:
        raise Refused(f"{len(values)} runs are more than fit side by side.", f"Take {MOST} at most.")
    if key == "path" and not path:
        raise Refused("No setting is named.", "Type its path, as training.l2 or network.layers.h1.units.")
    return tuple(_ONE[key](experiment, value, path) for value in values)


def _optimizer(experiment: Experiment, kind: str, path: str) -> Variation:
    changed = edits.choose_optimizer(experiment, kind)
    return Variation(catalog.OPTIMIZERS[kind].label, changed)


def _rate(experiment: Experiment, value: str, path: str) -> Variation:
    return Variation(f"lr {value}", edits.set_value(experiment, "training.optimizer.learning_rate", value, "learning rate"))


def _dropout(experiment: Experiment, value: str, path: str) -> Variation:
    return Variation("dropout" if value == "true" else "no dropout", edits.set_value(experiment, "training.dropout", value, "dropout"))


def _batch(experiment: Experiment, value: str, path: str) -> Variation:
    is_whole = value in ("all", "none")
    changed = edits.set_value(experiment, "training.batch_size", "none" if is_whole else value, "batch size")
    return Variation("all rows" if is_whole else f"batch {value}", changed)


def _initializer(experiment: Experiment, value: str, path: str) -> Variation:
    for layer in experiment.network:
        if catalog.layer_kind(layer.kind).initialized:
            experiment = edits.set_initializer(experiment, layer.id, value)
    return Variation(catalog.INITIALIZERS[value].label, experiment)


def _seed(experiment: Experiment, value: str, path: str) -> Variation:
    return Variation(f"seed {value}", edits.set_value(experiment, "seed", value, "seed"))


def _path(experiment: Experiment, value: str, path: str) -> Variation:
    return Variation(f"{path.rpartition('.')[2].replace('_', ' ')} {value}", edits.set_value(experiment, path, value))


_ONE: dict[str, Callable[[Experiment, str, str], Variation]] = {
    "optimizer": _optimizer,
    "rate": _rate,
    "dropout": _dropout,
    "batch": _batch,
    "initializer": _initializer,
    "seed": _seed,
    "path": _path,
}
