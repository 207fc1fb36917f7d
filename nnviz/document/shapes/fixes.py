"""The fixes of a layer that does not fit, said without knowing its neighbours; where it stands they become edits of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nnviz.document import catalog
from nnviz.document.checks.links import LinkIndex
from nnviz.document.network import Layer
from nnviz.document.problems import Fix, fix, step

Outputs = Mapping[str, tuple[int, ...] | None]
"""What the layers before put out."""

FixAt = Callable[[LinkIndex, str, Outputs], Fix | None]
"""Makes the fix for the layer of an id; None where its neighbours do not allow it."""


def first_fix(fixes: Iterable[FixAt], links: LinkIndex, id: str, outputs: Outputs) -> Fix | None:
    """Return the first fix that can be had; None if there is none."""
    return next((found for made in fixes if (found := made(links, id, outputs))), None)


def change_itself(label: str, /, **settings: Any) -> FixAt:
    """Return the fix that changes settings of the layer."""
    return lambda links, id, outputs: fix(label, step("change_layer", id=id, **settings))


def delete_itself(label: str) -> FixAt:
    """Return the fix that deletes the layer."""
    return lambda links, id, outputs: fix(label, step("remove_layers", ids=(id,)))


def insert_before(label: str, kind: str, /, only_odd: bool = False, **settings: Any) -> FixAt:
    """Return the fix that puts a new layer into the links to the layer; `only_odd`: where the shape is not that of the first input."""

    def made(links: LinkIndex, id: str, outputs: Outputs) -> Fix:
        first, *others = dict.fromkeys(links.inputs[id])
        sources = [source for source in others if outputs[source] != outputs[first]] if only_odd else [first, *others]
        return fix(label, *(step("add_layer", kind=kind, between=(source, id), **settings) for source in sources))

    return made


def change_sources(label: str, /, **settings: Any) -> FixAt:
    """Return the fix that changes the layers that decide on the shapes that come in; there is none if one has no such setting."""

    def made(links: LinkIndex, id: str, outputs: Outputs) -> Fix | None:
        given = [outputs[source] for source in links.inputs[id]]
        chosen = [source for source, shape in zip(links.inputs[id], given, strict=True) if len(given) == 1 or shape != given[0]]
        deciding = list(dict.fromkeys(links.deciding(source) for source in chosen))
        if not all(source and _may_have(links.layers[source], settings) for source in deciding):
            return None
        return fix(label, *(step("change_layer", id=source, **settings) for source in deciding))

    return made


def _may_have(layer: Layer, settings: dict[str, Any]) -> bool:
    """Whether these would be other settings of the layer, and units are the size of what it puts out."""
    is_other = all(layer.settings.get(name, value) != value for name, value in settings.items())
    return is_other and ("units" not in settings or catalog.layer_kind(layer.kind).proportional)
