"""A value of the document named by text, as `--set training.optimizer.learning_rate=0.1` does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

from nnviz.document import catalog
from nnviz.document.catalog import Field
from nnviz.document.edits import layer_edits, training_edits
from nnviz.document.experiment import Experiment
from nnviz.document.fields import accepted, parsed
from nnviz.document.problems import Refused, offered

_INDEXED = re.compile(r"network\.layers\[(\d{1,6})\]")

PathEdit = Callable[..., Experiment]

_CHOICES = {
    "data": (catalog.DATASETS, training_edits.choose_data, training_edits.change_data),
    "training.optimizer": (catalog.OPTIMIZERS, training_edits.choose_optimizer, training_edits.change_optimizer),
    "training.schedule": (catalog.SCHEDULES, training_edits.choose_schedule, training_edits.change_schedule),
}
"""By the path of a choice its table, and the edits that choose another kind and change settings."""

_OF_LAYERS = {
    "name": layer_edits.rename_layer,
    "frozen": layer_edits.freeze_layer,
    "initializer": layer_edits.set_initializer,
    "gain": layer_edits.set_gain,
    "learning_rate_factor": layer_edits.set_learning_rate_factor,
}


def set_value(experiment: Experiment, path: str, value: Any, name: str = "") -> Experiment:
    """Return the experiment with the value at `path` changed.

    `value` is the value itself, or a text that stands for it ("0.1", "relu", "false", "none", "8,8"). Layers go by id,
    `network.layers.h1.units`, or by place, `network.layers[1].units`. `data.kind` and `training.optimizer.kind` choose, as `choose_data`
    and `choose_optimizer` do.
    Raises Refused, which names the path, or `name` to a person who sees no paths, what is wrong with the value, and what there is.
    """
    try:
        return _set(experiment, _named(experiment, path), value)
    except Refused as refused:
        message = refused.message.removeprefix(f"{path.rpartition('.')[2]}: ") if name else refused.message
        raise Refused(f"{name or path}: {message}", refused.cure) from None


def _named(experiment: Experiment, path: str) -> str:
    """Return the path with the id of the layer where it had its place."""
    match = _INDEXED.match(path)
    if not match:
        return path
    layers, place = experiment.network.layers, int(match[1])
    if place >= len(layers):
        raise Refused(f"There are {len(layers)} layers.", "Count them from 0.")
    return f"network.layers.{layers[place].id}{path[match.end() :]}"


def _set(experiment: Experiment, path: str, value: Any) -> Experiment:
    place = next((place for place in _CHOICES if f"{path}.".startswith(f"{place}.")), path.rpartition(".")[0])
    name = path.removeprefix(place).removeprefix(".")
    if place in _CHOICES and name in ("", "kind"):
        return _CHOICES[place][1](experiment, value)
    if path.startswith("weights.") and path.count(".") > 1:
        return layer_edits.set_parameter(experiment, path.removeprefix("weights."), _numbers(value))
    fields, others, edit = _fields_at(experiment, place)
    for field in fields:
        if field.name == name:
            return edit(experiment, **{name: parsed(field, value) if isinstance(value, str) else accepted(field, value)})
    raise Refused("Nothing has this path.", offered(name, [*(field.name for field in fields), *others]))


def _fields_at(experiment: Experiment, place: str) -> tuple[tuple[Field, ...], tuple[str, ...], PathEdit]:
    """Return the fields that stand at this place, what else stands there, and the edit that changes one of them."""
    if place in _CHOICES:
        table, _, change = _CHOICES[place]
        return table[attrgetter(place)(experiment).kind].fields, ("kind",), change
    match place.split("."):
        case [""]:
            return catalog.EXPERIMENT, ("data", "training", "network.layers", "weights"), training_edits.change_experiment
        case ["training"]:
            return catalog.TRAINING, ("optimizer", "schedule"), training_edits.change_training
        case ["network", "layers", id]:
            layer = layer_edits.layer_of(experiment.network, id)
            return (*catalog.LAYERS[layer.kind].fields, *catalog.LAYER), (), partial(_change_layer, id=id)
    raise Refused("Nothing has this path.", offered(place, _paths(experiment)))


def _change_layer(experiment: Experiment, id: str, **settings: Any) -> Experiment:
    ((name, value),) = settings.items()
    return _OF_LAYERS[name](experiment, id, value) if name in _OF_LAYERS else layer_edits.change_layer(experiment, id, **settings)


def _numbers(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None


def _paths(experiment: Experiment) -> list[str]:
    """Return every path, for the cure of one that does not exist."""
    layers = [
        f"network.layers.{layer.id}.{field.name}" for layer in experiment.network.layers[:20] for field in catalog.LAYERS[layer.kind].fields
    ]
    training = [f"training.{field.name}" for field in catalog.TRAINING]
    optimizer = [f"training.optimizer.{name}" for name in ("kind", *experiment.training.optimizer.settings)]
    data = [f"data.{name}" for name in ("kind", *experiment.data.settings)]
    return [*(field.name for field in catalog.EXPERIMENT), *data, *training, *optimizer, *layers]
