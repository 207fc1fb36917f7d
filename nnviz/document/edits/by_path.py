"""A value of the document named by text, as `--set training.optimizer.learning_rate=0.1` does. It only finds the edit to make."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from nnviz.document import catalog
from nnviz.document.catalog import Field, Kind
from nnviz.document.edits import layer_edits, training_edits
from nnviz.document.edits.replacing import checked, layer_of, replaced
from nnviz.document.experiment import Experiment
from nnviz.document.fields import accepted, parsed
from nnviz.document.network import Choice
from nnviz.document.problems import Refused, offered

_ROOTS = ("title", "description", "seed", "precision", "data", "training", "network.layers", "weights")
_INDEXED = re.compile(r"network\.layers\[(\d{1,6})\]")

PathEdit = Callable[..., Experiment]


def set_value(experiment: Experiment, path: str, value: Any) -> Experiment:
    """Return the experiment with the value at `path` changed.

    `value` is the value itself, or a text that stands for it ("0.1", "relu", "false", "none", "8,8"). Layers go by id,
    `network.layers.h1.units`, or by place, `network.layers[1].units`. `data.kind` and `training.optimizer.kind` choose, as `choose_data`
    and `choose_optimizer` do.
    Raises Refused, which names the path, what is wrong with the value, and what there is.
    """
    try:
        return _set(experiment, _named(experiment, path).split("."), value)
    except Refused as refused:
        raise Refused(f"{path}: {refused.message}", refused.cure) from None


def _named(experiment: Experiment, path: str) -> str:
    """Return the path with the id of the layer where it had its place."""
    match = _INDEXED.match(path)
    if not match:
        return path
    layers, place = experiment.network.layers, int(match[1])
    if place >= len(layers):
        raise Refused(f"There are {len(layers)} layers.", "Count them from 0.")
    return f"network.layers.{layers[place].id}{path[match.end() :]}"


def _set(experiment: Experiment, parts: list[str], value: Any) -> Experiment:
    match parts:
        case ["data", *rest]:
            choose, change = training_edits.choose_data, training_edits.change_data
            return _set_choice(experiment, catalog.DATASETS, experiment.data, choose, change, rest, value)
        case ["training", "optimizer", *rest]:
            choose, change = training_edits.choose_optimizer, training_edits.change_optimizer
            return _set_choice(experiment, catalog.OPTIMIZERS, experiment.training.optimizer, choose, change, rest, value)
        case ["training", "schedule", *rest]:
            choose, change = training_edits.choose_schedule, training_edits.change_schedule
            return _set_choice(experiment, catalog.SCHEDULES, experiment.training.schedule, choose, change, rest, value)
        case ["training", name]:
            field = _field(catalog.TRAINING, name, also=("optimizer", "schedule"))
            return training_edits.change_training(experiment, **{name: _value(field, value)})
        case ["network", "layers", id, name]:
            return _set_layer(experiment, id, name, value)
        case ["weights", id, *tensor] if tensor:
            return layer_edits.set_parameter(experiment, ".".join([id, *tensor]), _numbers(value))
        case [name]:
            field = _field(catalog.EXPERIMENT, name, also=_ROOTS[4:])
            return replaced(experiment, **checked(catalog.EXPERIMENT, "The experiment", {name: _value(field, value)}))
    raise Refused("Nothing has this path.", offered(".".join(parts), _paths(experiment)))


def _set_choice(
    experiment: Experiment, table: dict[str, Kind], old: Choice, choose: PathEdit, change: PathEdit, rest: list[str], value: Any
) -> Experiment:
    if rest in ([], ["kind"]):
        return choose(experiment, value)
    if len(rest) > 1:
        raise Refused("Nothing has this path.", f"There is: {', '.join(table[old.kind].defaults)}.")
    return change(experiment, **{rest[0]: _value(_field(table[old.kind].fields, rest[0], also=("kind",)), value)})


def _set_layer(experiment: Experiment, id: str, name: str, value: Any) -> Experiment:
    layer = layer_of(experiment.network, id)
    value = _value(_field((*catalog.LAYERS[layer.kind].fields, *catalog.LAYER), name), value)
    named = {
        "name": layer_edits.rename_layer,
        "frozen": layer_edits.freeze_layer,
        "initializer": layer_edits.set_initializer,
        "gain": layer_edits.set_gain,
        "learning_rate_factor": layer_edits.set_learning_rate_factor,
    }
    return named[name](experiment, id, value) if name in named else layer_edits.change_layer(experiment, id, **{name: value})


def _field(fields: tuple[Field, ...], name: str, also: tuple[str, ...] = ()) -> Field:
    for field in fields:
        if field.name == name:
            return field
    raise Refused("Nothing has this path.", offered(name, [*(field.name for field in fields), *also]))


def _value(field: Field, value: Any) -> Any:
    return parsed(field, value) if isinstance(value, str) else accepted(field, value)


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
