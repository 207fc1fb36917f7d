"""Parts of a network that travel: layers as text for the clipboard, and put into a network, the same one or another.

The text is a document of nnviz with only a network in it, so what is copied can also be saved, sent and opened, and a document be pasted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from nnviz.document import catalog
from nnviz.document.edits.layer_edits import CanvasPosition, known, move_layers
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link, Network, free_id, split_parameter
from nnviz.document.problems import Refused
from nnviz.document.store import json_text

LARGEST_TEXT = 4 << 20
"""Characters of a clipboard that are looked at; more is no network of this program."""
_TRAVELLING = ("format", "version", "network", "weights", "canvas")


def clipping(experiment: Experiment, ids: Iterable[str]) -> str:
    """Return these layers, the links among them, their weights and places as the text of a document. Raises Refused for an unknown id."""
    whole = json.loads(json_text.encode(_part(experiment, ids)))
    parts: dict[str, Any] = {name: whole[name] for name in _TRAVELLING if name in whole}
    return json.dumps(parts, ensure_ascii=False, indent=1)


def paste_layers(experiment: Experiment, text: str, offset: CanvasPosition = (0.0, 0.0)) -> Experiment:
    """Return the experiment with the layers of a text as `clipping` writes it, moved by `offset`; their ids are new.

    Raises Refused where the text is no network, with what is wrong in it and where.
    """
    if len(text) > LARGEST_TEXT or not text.lstrip().startswith("{"):
        raise Refused("The clipboard holds no layers.", "Copy layers first (Ctrl+C), here or in another window.")
    part, problems = json_text.decode(text.encode(errors="replace"))
    if part is None:
        raise Refused(f"What is on the clipboard is no network: {problems[0].place}: {problems[0].message}", problems[0].cure)
    return _grafted(experiment, part, offset)


def duplicate_layers(experiment: Experiment, ids: Iterable[str], offset: CanvasPosition = (32.0, 32.0)) -> Experiment:
    """Return the experiment with a copy of these layers, the links among them and their weights, moved by `offset`.

    The copies stand at the end of the layers, in the order of the originals.
    """
    return _grafted(experiment, _part(experiment, ids), offset)


def _part(experiment: Experiment, ids: Iterable[str]) -> Experiment:
    """Return the experiment with these layers only."""
    chosen = set(known(experiment.network, ids))
    layers = tuple(layer for layer in experiment.network if layer.id in chosen)
    links = tuple(link for link in experiment.network.links if {link.source, link.target} <= chosen)
    weights = {name: values for name, values in experiment.weights.items() if split_parameter(name).layer in chosen}
    canvas = {id: place for id, place in experiment.canvas.items() if id in chosen}
    return replace(experiment, network=Network(layers, links), weights=weights, canvas=canvas, breakpoints=())


def _grafted(experiment: Experiment, part: Experiment, offset: CanvasPosition) -> Experiment:
    network, copies = experiment.network, _fresh_ids(experiment.network, part.network)
    if len(network.layers) + len(copies) > catalog.MOST_LAYERS or len(network.links) + len(part.network.links) > catalog.MOST_LINKS:
        raise Refused(f"A network has at most {catalog.MOST_LAYERS:,} layers and {catalog.MOST_LINKS:,} links.", "Copy fewer layers.")
    names = _fresh_names(network, part.network)
    layers = tuple(replace(layer, id=copies[layer.id], name=names[layer.id]) for layer in part.network)
    links = tuple(Link(copies[link.source], copies[link.target]) for link in part.network.links)
    owned = [(*split_parameter(name), values) for name, values in part.weights.items()]
    weights = {f"{copies[id]}.{tensor}": values for id, tensor, values in owned if id in copies}
    places = {copies[id]: (x + offset[0], y + offset[1]) for id, (x, y) in part.canvas.items()}
    grown = Network((*network.layers, *layers), (*network.links, *links))
    return move_layers(experiment.replaced(network=grown, weights=experiment.weights | weights), places)


def _fresh_names(network: Network, part: Network) -> dict[str, str]:
    """For each layer of the part the name it gets: its own, with the first free number where the screen shows that already."""
    taken, fresh = {layer.title for layer in network}, {}
    for layer in part:
        stem, number, name = layer.name.rstrip("0123456789").rstrip(), 1, layer.name
        while name and name in taken:
            number += 1
            name = f"{stem} {number}".strip()
        fresh[layer.id] = name
        taken.add(name)
    return fresh


def _fresh_ids(network: Network, part: Network) -> dict[str, str]:
    """For each layer of the part the id it gets: its kind and the first free number."""
    taken, fresh = {layer.id for layer in network}, {}
    for layer in part:
        fresh[layer.id] = free_id(layer.kind, taken)
        taken.add(fresh[layer.id])
    return fresh
