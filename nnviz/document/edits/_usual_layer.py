"""A layer as a person adds it on the canvas: with the activation that is usual where it stands, and a name that counts its kind."""

from __future__ import annotations

import re

from nnviz.document import catalog
from nnviz.document.checks.links import LinkIndex
from nnviz.document.edits.layer_edits import add_layer, change_layer, rename_layer
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer, Link


def add_usual_layer(
    experiment: Experiment, kind: str, after: str | None = None, between: Link | tuple[str, str] | None = None
) -> Experiment:
    """Return the experiment with a new layer, as `add_layer` adds it, with its usual activation and a name.

    A dense layer inside the network has ReLU, the last one none: what the loss reads is not bent. A dense layer that was last until now is
    bent when another one comes behind it. Layers of its kind that are named by their number are numbered in the order of the network.
    """
    grown = add_layer(experiment, kind, after, between)
    id = grown.network.layers[-1].id
    for hidden in _hidden(experiment, grown, id) if kind == "dense" else ():
        grown = change_layer(grown, hidden, activation="relu")
    return _numbered(grown, id)


def _hidden(experiment: Experiment, grown: Experiment, id: str) -> list[str]:
    """The dense layers that get an activation because this one is new."""
    network = grown.network
    is_aside = not network.inputs_of(id) and not network.outputs_of(id) and LinkIndex(experiment.network).output
    if network.outputs_of(id) or is_aside:
        return [id]
    sources = map(network.layer, network.inputs_of(id))
    return [source.id for source in sources if source.kind == "dense" and source["activation"] == "identity"]


def _numbered(experiment: Experiment, id: str) -> Experiment:
    """Number the new layer and those of its kind whose names are a number, or none, in the order of the network."""
    new = experiment.network.layer(id)
    alike = [layer for layer in experiment.network.in_order() if layer.kind == new.kind]
    word = next((found[1] for layer in alike if (found := re.fullmatch(r"(.+) \d+", layer.name))), _word(new.kind))
    counted = [layer for layer in alike if _is_counted(layer, word)]
    taken = {layer.title for layer in experiment.network if layer not in counted}
    for number, layer in enumerate(counted, 1):
        name = word if len(counted) == 1 and word not in taken else f"{word} {number}"
        experiment = rename_layer(experiment, layer.id, name)
    return experiment


def _word(kind: str) -> str:
    """What layers of a kind are called in front of their number: "conv" for Conv 2-D."""
    return re.sub(r" \d-d$", "", catalog.LAYERS[kind].label.lower())


def _is_counted(layer: Layer, word: str) -> bool:
    return bool(re.fullmatch(rf"{re.escape(word)}( \d+)?", layer.name)) or (
        not layer.name and bool(re.fullmatch(rf"{re.escape(layer.kind)}\d+", layer.id))
    )
