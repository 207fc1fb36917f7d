"""What the tooltips of the network picture say: the number under the mouse, what the layer does, and a problem with its cure. Pure text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from nnviz.document.catalog import LAYERS
from nnviz.text import captions
from nnviz.text.numbers import number
from nnviz.text.tokens import written
from nnviz.ui.network.picking import PointerTarget

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView


def tip(hit: PointerTarget, view: NetworkView) -> str:
    """Return the tooltip for what is under the mouse; empty for nothing."""
    texts = {"neuron": _neuron, "bias": _bias, "layer": _layer, "curve": _curve, "port": _port, "end": _end}
    return texts[hit.kind](hit, view) if hit.kind in texts else ""


def _neuron(hit: PointerTarget, view: NetworkView) -> str:
    column = view.scene().columns[hit.layer]
    shown = column.figures
    name = f"{column.layer.title}[{hit.unit}]"
    if shown.dropped is not None and shown.dropped[hit.unit]:
        value = "dropped for this row"
    elif shown.values is None:
        value = "not computed yet"
    else:
        value = ("∂L/∂a = " if view.figures.coloring == "gradient" else "a = ") + number(shown.values[hit.unit])
    is_token = column.layer.kind == "input" and view.tokens and shown.values is not None
    said = written(shown.values[hit.unit : hit.unit + 1], view.tokens) if is_token else ()
    return _lines(f"{name}  {value}", f"token {said[0]}" if said else "", _label(column.labels, hit.unit), *column.problems)


def _label(labels: tuple[str, ...], unit: int) -> str:
    return labels[unit] if unit < len(labels) else ""


def _bias(hit: PointerTarget, view: NetworkView) -> str:
    bias = view.scene().columns[hit.layer].biases[hit.unit]
    change = "click to type another value" if view.editable else ""
    return _lines(f"{_title(hit.layer, view)}.bias[{hit.unit}] = {number(bias)}", "the bias b, added to the weighted sum", change)


def _layer(hit: PointerTarget, view: NetworkView) -> str:
    column = view.scene().columns[hit.layer]
    kind, entry = LAYERS[column.layer.kind], view.report.layers.get(hit.layer)
    sizes = ""
    if entry is not None and entry.output_shape is not None:
        sizes = f"output {captions.size_text(entry.output_shape)} · {entry.count:,} parameters"
    return _lines(f"{column.layer.title} · {kind.label}", kind.explanation, sizes, *column.problems)


def _curve(hit: PointerTarget, view: NetworkView) -> str:
    item = view.scene().links[hit.link]
    weight = item.weight(hit.curve)
    if weight is None:
        ends = f"{_title(hit.link.source, view)} → {_title(hit.link.target, view)}"
        return _lines(ends, "" if item.parameter else "values pass from unit to unit, without weights")
    target, source = item.course.pairs[hit.curve]
    words = {"gradient": "∂L/∂w = ", "update": "Δw = "}.get(view.figures.coloring, "")
    change = "click to type another value" if view.editable and not words else ""
    return _lines(f"{_title(hit.link.target, view)}.weight[{target}, {source}]  {words or 'w = '}{number(weight)}", change)


def _port(hit: PointerTarget, view: NetworkView) -> str:
    return "drag to a layer to link its input" if hit.side > 0 else "drag to a layer whose output comes in here"


def _end(hit: PointerTarget, view: NetworkView) -> str:
    return f"drag to let the link {'end at' if hit.side > 0 else 'begin at'} another layer"


def _title(id: str, view: NetworkView) -> str:
    """What the screen calls the layer; its id is for files."""
    return view.experiment.network.layer(id).title


def _lines(*lines: str) -> str:
    """Escaped, so that no name is read as markup."""
    return "<br>".join(escape(line) for line in lines if line)
