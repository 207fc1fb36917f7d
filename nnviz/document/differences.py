"""What differs in two documents, path by path as `--set` names them. Pure."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from nnviz.document.experiment import Experiment
from nnviz.document.run_log import OUTSIDE_THE_RUN
from nnviz.document.store import json_text


class Difference(NamedTuple):
    """One value that two documents have differently; None where a document has none, as for its default."""

    path: str
    first: Any
    second: Any


def differences(one: Experiment, other: Experiment) -> tuple[Difference, ...]:
    """Return what differs of all that a run depends on. Layers go by their ids, wherever they stand."""
    mine, its = (_values(experiment) for experiment in (one, other))
    paths = dict.fromkeys((*mine, *its))
    return tuple(Difference(path, mine.get(path), its.get(path)) for path in paths if mine.get(path) != its.get(path))


def _values(experiment: Experiment) -> dict[str, Any]:
    """Every value a file would name, by its path."""
    document = {name: part for name, part in json.loads(json_text.encode(experiment)).items() if name not in OUTSIDE_THE_RUN}
    network = document["network"]
    network["layers"] = {layer.pop("id"): {**layer, "name": None} for layer in network["layers"]}
    return dict(_flat("", document))


def _flat(path: str, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(path, value)]
    return [entry for name, part in value.items() for entry in _flat(f"{path}.{name}" if path else name, part)]
