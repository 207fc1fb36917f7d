"""What is asked on the picture itself, and what becomes of the answer: a kind of layer, a layer to link, a weight, a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from nnviz.document.catalog import LAYERS
from nnviz.document.network import split_parameter
from nnviz.ui.network.allowed_links import obstacle, partners
from nnviz.ui.network.inline import NameField, SearchField, WeightField, show
from nnviz.ui.network.picking import PointerTarget
from nnviz.ui.widgets.search_list import ListEntry

if TYPE_CHECKING:
    from nnviz.ui.network.network_view import NetworkView

_BESIDE = QPoint(8, 8)


def open_kinds(view: NetworkView, at: QPoint, text: str = "") -> SearchField:
    """Open the search for a kind at a place of the viewport; what is chosen is asked of the view, behind the selected layer."""
    place, selected = view.mapToScene(at), view.scene().selected
    after = selected[0] if len(selected) == 1 else ""
    choices = [ListEntry(kind.name, kind.label, kind.explanation) for kind in LAYERS.values()]
    field = SearchField(view.viewport(), "Type a layer", choices, text)
    field.chosen.connect(lambda kind: _view(field).add_requested.emit(kind, place, after if LAYERS[kind].inputs[1] != 0 else ""))
    show(field, view, at + _BESIDE)
    return field


def open_partners(view: NetworkView) -> SearchField | None:
    """Open the list of layers that the selected one can be linked to; None unless exactly one is selected."""
    selected = view.scene().selected
    if not view.editable or len(selected) != 1:
        return None
    source, network = selected[0], view.experiment.network
    fitting = partners(network, source, 1)
    others = [layer for layer in network if layer.id != source]
    choices = [
        ListEntry(layer.id, layer.title, f"link {network.layer(source).title} to {layer.title}", _why_not(view, source, layer.id, fitting))
        for layer in others
    ]
    field = SearchField(view.viewport(), f"Link {network.layer(source).title} to", choices)
    field.chosen.connect(lambda target: _view(field).connect_requested.emit(source, target))
    show(field, view, beside(view, source))
    return field


def beside(view: NetworkView, id: str) -> QPoint:
    """Return the place of the viewport right of a layer."""
    column = view.scene().columns[id]
    return view.mapFromScene(column.mapToScene(column.port(1))) + _BESIDE


def _why_not(view: NetworkView, source: str, target: str, fitting: frozenset[str]) -> str:
    return "" if target in fitting else obstacle(view.experiment, source, target)


def open_name(view: NetworkView) -> NameField | None:
    """Open a field for the name of the selected layers at the title of the first; None if none is."""
    selected = view.scene().selected
    if not view.editable or not selected:
        return None
    column = view.scene().columns[selected[0]]
    several = len(selected) > 1
    name = "" if several else column.layer.name
    field = NameField(view.viewport(), name, f"name for all {len(selected)}, numbered" if several else selected[0])
    field.chosen.connect(lambda text: _view(field).rename_requested.emit(selected, text))
    title = view.mapFromScene(column.mapToScene(column.frame().topLeft()))
    show(field, view, title)
    return field


def open_weight(view: NetworkView, hit: PointerTarget, at: QPoint) -> WeightField | None:
    """Open a field for the weight or bias that was hit; None where no single number is known there."""
    if view.figures.coloring != "value":
        return None
    found = _bias(view, hit) if hit.kind == "bias" else _weight(view, hit)
    if found is None:
        return None
    parameter, index, value = found
    title = view.experiment.network.layer(split_parameter(parameter).layer).title
    field = WeightField(view.viewport(), f"{title}.{parameter.partition('.')[2]}{list(index)}", value)
    field.chosen.connect(lambda number: _view(field).weight_requested.emit(parameter, index, number))
    show(field, view, at + _BESIDE)
    field.box.selectAll()
    return field


def _view(field: QWidget) -> NetworkView:
    """The picture a field stands on. Asked of Qt: what a field holds in Python would keep the picture alive."""
    return field.parentWidget().parentWidget()


def _bias(view: NetworkView, hit: PointerTarget) -> tuple[str, tuple[int, ...], float]:
    return f"{hit.layer}.bias", (hit.unit,), float(view.scene().columns[hit.layer].biases[hit.unit])


def _weight(view: NetworkView, hit: PointerTarget) -> tuple[str, tuple[int, ...], float] | None:
    item = view.scene().links[hit.link]
    weight = item.weight(hit.curve)
    return None if weight is None else (item.parameter, item.course.pairs[hit.curve], weight)
