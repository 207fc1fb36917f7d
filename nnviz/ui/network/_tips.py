"""What the tooltips of the network picture say: the number under the mouse, what the layer does, and a problem with its cure. Pure text."""

from __future__ import annotations

from nnviz.document.catalog import LAYERS
from nnviz.text import captions
from nnviz.text.numbers import number
from nnviz.text.tokens import written
from nnviz.ui.network.network_scene import NetworkScene
from nnviz.ui.network.picking import PointerTarget
from nnviz.ui.theme.fonts import tip_of


def tip(hit: PointerTarget, scene: NetworkScene, tokens: tuple[str, ...] = (), age: str = "") -> str:
    """Return the tooltip for what is under the mouse; empty for nothing. `tokens` are what the numbers of a text stand for.

    `age`: of which iteration the numbers are, where they are old.
    """
    numbered = {"neuron": lambda hit, scene: _neuron(hit, scene, tokens), "bias": _bias, "curve": _curve}
    if hit.kind in numbered:
        return "\n".join(filter(None, (numbered[hit.kind](hit, scene), age)))
    texts = {"layer": _layer, "port": _port, "end": _end}
    return texts[hit.kind](hit, scene) if hit.kind in texts else ""


def _neuron(hit: PointerTarget, scene: NetworkScene, tokens: tuple[str, ...]) -> str:
    column = scene.columns[hit.layer]
    shown = column.figures
    name = f"{column.layer.title}[{hit.unit}]"
    if shown.dropped is not None and shown.dropped[hit.unit]:
        value = "dropped for this row"
    elif shown.values is None:
        value = "not computed yet"
    else:
        value = ("∂L/∂a = " if scene.figures.coloring == "gradient" else "a = ") + number(shown.values[hit.unit])
    is_token = column.layer.kind == "input" and tokens and shown.values is not None
    said = written(shown.values[hit.unit : hit.unit + 1], tokens) if is_token else ()
    return tip_of(
        f"{name}  {value}",
        f"token {said[0]}" if said else "",
        _label(column.labels, hit.unit),
        *column.problems,
        *column.causes,
        *column.warnings,
    )


def _label(labels: tuple[str, ...], unit: int) -> str:
    return labels[unit] if unit < len(labels) else ""


def _bias(hit: PointerTarget, scene: NetworkScene) -> str:
    bias = scene.columns[hit.layer].biases[hit.unit]
    words = "the bias b, added to the weighted sum"
    after = _after(scene, f"{hit.layer}.bias", (hit.unit,))
    return tip_of(f"{scene.title(hit.layer)}.bias[{hit.unit}] = {number(bias)}", after, words, "click to type another value")


def _layer(hit: PointerTarget, scene: NetworkScene) -> str:
    column = scene.columns[hit.layer]
    kind, entry = LAYERS[column.layer.kind], scene.report.layers.get(hit.layer)
    sizes = ""
    if entry is not None and entry.output_shape is not None:
        sizes = f"output {captions.size_text(entry.output_shape)} · {entry.count:,} parameters"
    return tip_of(f"{column.layer.title} · {kind.label}", kind.explanation, sizes, *column.problems, *column.causes, *column.warnings)


def _curve(hit: PointerTarget, scene: NetworkScene) -> str:
    item = scene.links[hit.link]
    weight = item.weight(hit.curve)
    if weight is None:
        ends = f"{scene.title(hit.link.source)} → {scene.title(hit.link.target)}"
        return tip_of(ends, "" if item.parameter else "values pass from unit to unit, without weights")
    target, source = item.course.pairs[hit.curve]
    words = {"gradient": "∂L/∂w = ", "update": "Δw = ", "contribution": "w·a = "}.get(scene.figures.coloring, "")
    change = "click to type another value" if not words else ""
    after = "" if words else _after(scene, item.parameter, (target, source))
    return tip_of(f"{scene.title(hit.link.target)}.weight[{target}, {source}]  {words or 'w = '}{number(weight)}", after, change)


def _after(scene: NetworkScene, parameter: str, index: tuple[int, ...]) -> str:
    """What the update that is being stepped through will make of a weight."""
    updated = scene.figures.updated.get(parameter)
    return "" if updated is None else f"the update of this iteration makes it {number(float(updated[index]))}"


def _port(hit: PointerTarget, scene: NetworkScene) -> str:
    return "drag to a layer to link its input" if hit.side > 0 else "drag to a layer whose output comes in here"


def _end(hit: PointerTarget, scene: NetworkScene) -> str:
    return f"drag to let the link {'end at' if hit.side > 0 else 'begin at'} another layer"
