"""Every single setting of a document that `set_value` changes: its path, what it is called, and values to begin a sweep with. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from nnviz.document import catalog
from nnviz.document.catalog import Field
from nnviz.document.experiment import Experiment

_SWEPT = ("integer", "number", "boolean", "choice", "shape")
"""Types of which a person would try several values."""
_NEVER = ("title", "description")


class SettingPath(NamedTuple):
    """One setting."""

    path: str
    label: str
    """Where it stands and what it is: "optimizer · learning rate"."""
    explanation: str
    value: Any
    """In the document now."""
    usual: str
    """Some values to try, as they are typed."""


def setting_paths(experiment: Experiment) -> tuple[SettingPath, ...]:
    """Return all settings, those that are tried most often first."""
    return tuple(_all(experiment))


def _all(experiment: Experiment) -> Iterator[SettingPath]:
    training, titles = experiment.training, experiment.network.titles
    for name, label, choice, table in (
        ("training.optimizer", "optimizer", training.optimizer, catalog.OPTIMIZERS),
        ("training.schedule", "schedule", training.schedule, catalog.SCHEDULES),
        ("data", "data", experiment.data, catalog.DATASETS),
    ):
        kinds = ", ".join(dict.fromkeys([choice.kind, *list(table)[:4]])) if name != "data" else choice.kind
        kind = SettingPath(f"{name}.kind", label, table[choice.kind].explanation, choice.kind, kinds)
        fields = _fields(name, label, table[choice.kind].fields, choice.settings)
        yield from (kind, *fields)
        if name == "training.optimizer":
            values = {field.name: getattr(training, field.name) for field in catalog.TRAINING if hasattr(training, field.name)}
            yield from _fields("training", "training", catalog.TRAINING, values)
    for layer in experiment.network:
        own = catalog.LAYERS[layer.kind]
        yield from _fields(f"network.layers.{layer.id}", titles[layer.id], own.fields, layer.settings)
    own = {field.name: getattr(experiment, field.name) for field in catalog.EXPERIMENT if field.name not in _NEVER}
    yield from _fields("", "", catalog.EXPERIMENT, own)
    for layer in experiment.network:
        if catalog.LAYERS[layer.kind].initialized:
            label, place = titles[layer.id], f"network.layers.{layer.id}"
            yield from _fields(place, label, catalog.LAYER, {field.name: getattr(layer, field.name, None) for field in catalog.LAYER})


def _fields(place: str, label: str, fields: tuple[Field, ...], values: dict[str, Any]) -> Iterator[SettingPath]:
    for field in fields:
        if field.type in _SWEPT and field.name in values:
            path, words = ".".join(filter(None, (place, field.name))), field.name.replace("_", " ")
            value = values[field.name]
            yield SettingPath(path, " · ".join(filter(None, (label, words))), field.explanation, value, usual_values_of(field, value))


def usual_values_of(field: Field, value: Any) -> str:
    """Return values of a field to try beside the present one, as they are typed; at most five."""
    match field.type:
        case "boolean":
            return "true, false"
        case "choice":
            return ", ".join(dict.fromkeys(filter(None, [value, *field.choices[:4]])))
        case "integer":
            return _within(field, _integers(field, value))
        case "number":
            return _within(field, _numbers(field, value))
    return "" if value is None else _typed(value)


def _integers(field: Field, value: int | None) -> list[int | None]:
    if field.name == "seed":
        return [int(value or 0) + step for step in range(5)]
    return [None, 5, 20] if value is None else [value // 2, value, 2 * value]


def _numbers(field: Field, value: float | None) -> list[float | None]:
    if value is None:
        return [None, 0.1, 1.0, 10.0]
    if 0.9 <= value < 1:
        return [round(1 - 10 * (1 - value), 9), value, 1 - (1 - value) / 10]  # how far it is from 1 matters
    if field.maximum is not None and field.maximum <= 1 and value >= 0.1:
        return [0.0, 0.2, 0.5]
    return [value / 10, value, value * 10] if value else [0.0, 0.001, 0.01]


def _within(field: Field, values: list) -> str:
    low, high = (limit if limit is not None else other for limit, other in ((field.minimum, -math.inf), (field.maximum, math.inf)))
    limited = (value if value is None else min(max(value, low), high) for value in values)
    return ", ".join(dict.fromkeys(map(_typed, limited)))


def _typed(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)
