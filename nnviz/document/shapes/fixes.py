"""How the remedy of a layer that does not fit becomes edits of the network around it. It makes none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnviz.document.checks.links import LinkIndex
from nnviz.document.network import Layer
from nnviz.document.problems import Fix, FixStep, fix, step
from nnviz.document.shapes.rules import LayerShape, Misfit, Remedy

Shapes = Mapping[str, LayerShape]


def fix_of(wiring: LinkIndex, id: str, shapes: Shapes, misfit: Misfit) -> Fix | None:
    """Return the first remedy that can be had, as edits; None if there is none. `shapes`: of the layers before this one."""
    for remedy in misfit.remedies:
        steps = _WAYS[remedy.where](wiring, id, shapes, remedy)
        if steps:
            return fix(remedy.label, *steps)
    return None


def _change(wiring: LinkIndex, id: str, shapes: Shapes, remedy: Remedy) -> list[FixStep]:
    return [step("change_layer", id=id, **remedy.settings)]


def _insert(wiring: LinkIndex, id: str, shapes: Shapes, remedy: Remedy) -> list[FixStep]:
    sources = dict.fromkeys(wiring.inputs[id])
    return [step("add_layer", kind=remedy.kind, between=(source, id), **remedy.settings) for source in sources]


def _insert_odd(wiring: LinkIndex, id: str, shapes: Shapes, remedy: Remedy) -> list[FixStep]:
    first, *others = dict.fromkeys(wiring.inputs[id])
    odd = [source for source in others if shapes[source].output_shape != shapes[first].output_shape]
    return [step("add_layer", kind=remedy.kind, between=(source, id), **remedy.settings) for source in odd]


def _remove(wiring: LinkIndex, id: str, shapes: Shapes, remedy: Remedy) -> list[FixStep]:
    return [step("remove_layers", ids=(id,))]


def _change_sources(wiring: LinkIndex, id: str, shapes: Shapes, remedy: Remedy) -> list[FixStep]:
    """Change the layers that decide on the shapes that come in; none if one of them has no such setting."""
    given = [shapes[source].output_shape for source in wiring.inputs[id]]
    chosen = [source for source, shape in zip(wiring.inputs[id], given, strict=True) if len(given) == 1 or shape != given[0]]
    deciding = list(dict.fromkeys(wiring.deciding(source) for source in chosen))
    suitable = [source for source in deciding if source and _may_have(wiring.layers[source], remedy.settings)]
    return [step("change_layer", id=source, **remedy.settings) for source in suitable] if suitable == deciding else []


def _may_have(layer: Layer, settings: dict[str, Any]) -> bool:
    """Whether these would be other settings of the layer, and units are the size of what it puts out."""
    is_other = all(layer.settings.get(name, value) != value for name, value in settings.items())
    return is_other and ("units" not in settings or layer.kind in ("dense", "gaussian_latent"))


_WAYS = {"self": _change, "before": _insert, "odd": _insert_odd, "source": _change_sources, "away": _remove}
