"""What every edit is made of: find the layer, check the settings, replace only what differs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from nnviz.document.catalog import Field
from nnviz.document.experiment import Experiment
from nnviz.document.fields import accepted
from nnviz.document.network import Layer, Network
from nnviz.document.problems import Refused, offered


def layer_of(network: Network, id: str) -> Layer:
    """Return the layer with this id. Raises Refused if there is none."""
    if not network.has(id):
        raise Refused(f'No layer has the id "{id}".', offered(str(id), [layer.id for layer in network]))
    return network.layer(id)


def known(network: Network, ids: Iterable[str]) -> list[str]:
    """Return the ids. Raises Refused if no layer has one of them."""
    return [layer_of(network, id).id for id in ids]


def checked(fields: tuple[Field, ...], label: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings as the document keeps them. Raises Refused for an unknown field or a value it does not take."""
    rows = {field.name: field for field in fields}
    kept = {}
    for name, value in settings.items():
        if name not in rows:
            raise Refused(f'{label} has no field "{name}".', offered(name, rows))
        try:
            kept[name] = accepted(rows[name], value)
        except Refused as refused:
            raise Refused(f"{name}: {refused.message}", refused.cure) from None
    return kept


def replaced(experiment: Experiment, **changes: Any) -> Experiment:
    """Return the experiment with these parts; the very same one if they all are as before."""
    different = {name: value for name, value in changes.items() if getattr(experiment, name) != value}
    return replace(experiment, **different) if different else experiment
