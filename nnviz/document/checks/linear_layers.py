"""Where layers in a row do no more than one of them would: dense layers with nothing between them that is not linear."""

from __future__ import annotations

from nnviz.document import catalog
from nnviz.document.checks.links import LinkIndex
from nnviz.document.network import Layer
from nnviz.document.problems import Problem, fix, step
from nnviz.document.shapes.rules import LayerShape


def linear_warnings(links: LinkIndex, layers: dict[str, LayerShape]) -> list[Problem]:
    """Return a warning for every linear dense layer that feeds another dense layer only; one that is a bottleneck is meant so."""
    found = []
    for layer in links.sorted:
        follower = _next_dense(links, layer.id) if layer.kind == "dense" and layer.settings.get("activation") == "identity" else None
        if follower is None or _is_bottleneck(layer, follower, layers):
            continue
        title = layer.title
        message = f"{title} has no activation, so {title} and {follower.title} together are only one linear layer."
        bent = fix(f"Give {title} a ReLU", step("change_layer", id=layer.id, activation="relu"))
        found.append(
            Problem(f"{links.place(layer.id)}.activation", message, "Give it an activation such as ReLU.", layer.id, bent, "warning")
        )
    return found


def _next_dense(links: LinkIndex, id: str) -> Layer | None:
    """The dense layer that alone reads a layer, perhaps through others that keep it linear; None if there is none."""
    targets = links.outputs[id]
    while len(targets) == 1 and len(links.inputs[targets[0]]) == 1:
        layer = links.layers[targets[0]]
        if layer.kind == "dense":
            return layer
        if layer.kind != "dropout" and not catalog.layer_kind(layer.kind).rearranges:
            return None
        targets = links.outputs[layer.id]
    return None


def _is_bottleneck(layer: Layer, follower: Layer, layers: dict[str, LayerShape]) -> bool:
    """Whether it has fewer units than what comes in and what goes out: one layer alone could do more."""
    features, units = layers[layer.id].parameters.get("weight", (0, 0))[-1], layer.settings.get("units", 0)
    return units < min(features, follower.settings.get("units", 0))
