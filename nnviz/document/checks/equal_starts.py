"""Where units of a layer begin alike and are trained alike: two dense layers in a row that both begin with equal weights."""

from __future__ import annotations

from nnviz.document.checks.links import LinkIndex
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer
from nnviz.document.problems import Problem, fix, step

_EQUAL = ("zeros", "constant")
"""Initializers that give all weights of a layer the same value."""


def equal_start_warnings(experiment: Experiment, links: LinkIndex) -> list[Problem]:
    """Return a warning for every dense layer of two units or more whose weights in and out all begin with the same value.

    Its units get the same gradient in every iteration. Dropout between them would tell them apart.
    """
    found = []
    for layer in links.sorted:
        follower = _next_dense(links, layer) if _begins_alike(experiment, layer) and layer["units"] > 1 else None
        if follower is None or not _begins_alike(experiment, follower):
            continue
        message = f"All weights of {layer.title} and of {follower.title} begin with one value, so the units of {layer.title} stay alike."
        drawn = fix(f"Start {layer.title} with He", step("set_initializer", id=layer.id, initializer="he_uniform"))
        place = f"{links.place(layer.id)}.initializer"
        found.append(Problem(place, message, "Draw the weights of one of them at random.", layer.id, drawn, "warning"))
    return found


def _begins_alike(experiment: Experiment, layer: Layer) -> bool:
    by_hand = any(name.startswith(f"{layer.id}.") for name in experiment.weights)
    return layer.kind == "dense" and layer.initializer in _EQUAL and not by_hand and not layer.frozen


def _next_dense(links: LinkIndex, layer: Layer) -> Layer | None:
    """The dense layer that alone reads it, directly or behind one activation function; None if there is none."""
    targets = links.outputs[layer.id]
    while len(targets) == 1 and links.layers[targets[0]].kind == "activation":
        targets = links.outputs[targets[0]]
    only = links.layers[targets[0]] if len(targets) == 1 else None
    return only if only and only.kind == "dense" and len(links.inputs[only.id]) == 1 else None
