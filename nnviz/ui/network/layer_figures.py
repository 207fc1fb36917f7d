"""What the network picture shows at one place of the cursor: a value per neuron, a weight per edge, and the scales both are coloured on.

A pure function of (experiment, report, state); it computes nothing of the network. Not known is None, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer, split_parameter
from nnviz.document.shapes.report import Report
from nnviz.records.tensors import Measure, Tensor, to_numpy
from nnviz.records.trace_record import NodeRecord, RowsRecord
from nnviz.records.trace_state import TraceState
from nnviz.ui.widgets.color_scale import grown, round_limit


@dataclass(frozen=True)
class LayerFigures:
    """One layer's output for the chosen row."""

    node: int | None = None
    """The trace node of the output; None where the trace has none."""
    values: np.ndarray | None = None
    """(units,) in C order of the output shape; None while not computed or too large to travel."""
    dropped: np.ndarray | None = None
    """(units,) True where dropout struck."""
    measure: Measure | None = None
    """Stands in for values that are too large to travel."""
    shares: np.ndarray | None = None
    """(units,) Of class scores the probabilities that are drawn in their place."""
    phase: str = ""
    """The phase of the cursor while it is in this layer, else empty."""
    limit: float | None = None
    """Where its own colour scale ends: for a picture, and for numbers that stand for tokens; None: on the scale of all layers."""
    is_picture: bool = False
    """Whether it is an image that comes in, and shown in grey."""


@dataclass(frozen=True)
class Figures:
    """All numbers of the picture. Weights by parameter name, as "h1.weight" (out, in) and "h1.bias" (out,)."""

    layers: dict[str, LayerFigures] = field(default_factory=dict)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    updated: dict[str, np.ndarray] = field(default_factory=dict)
    """What the update of this iteration makes of the weights, where the cursor has come to it."""
    value_limit: float = 1.0
    weight_limit: float = 1.0
    bias_limit: float = 1.0
    coloring: str = "value"


def figures(
    experiment: Experiment, report: Report, state: TraceState | None, coloring: str = "value", shown: Figures | None = None
) -> Figures:
    """Return what to draw. Values whose shapes do not fit the present network (a trace made before an edit) are left out.

    A weight is the one that the iteration began with: its update is not made as long as one only steps through it. Scales are those of the
    whole iteration, also of what is not computed yet, and reach at least as far as those of `shown`.
    """
    layers, updated, whole = {}, {}, None if state is None else TraceState(state.index, state.index.length, state.sample)
    weights = _written_weights(experiment, report) if coloring == "value" else {}
    least = shown if shown is not None and shown.coloring == coloring else None
    for layer in experiment.network if state else ():
        limit = _own_limit(layer, experiment, report, whole, coloring)
        known = least.layers.get(layer.id) if least else None
        if limit is not None and known is not None:
            limit = grown(known.limit, limit)
        layers[layer.id] = _layer_figures(layer, report, state, coloring, limit)
        weights.update(_weights(layer, experiment, report, state, coloring))
        updated.update(_updated(layer.id, state) if coloring == "value" else {})
    limits = _limits(experiment, report, whole, coloring, weights, layers)
    if least is not None:
        limits = tuple(map(grown, (least.value_limit, least.weight_limit, least.bias_limit), limits))
    return Figures(layers, weights, updated, *limits, coloring)


def _limits(
    experiment: Experiment,
    report: Report,
    whole: TraceState | None,
    coloring: str,
    weights: dict[str, np.ndarray],
    layers: dict[str, LayerFigures],
) -> tuple[float, float, float]:
    """Where the scales of neurons, weights and biases end; `whole` is the iteration at its end."""
    values, ends = [], dict(weights)
    for layer in experiment.network if whole else ():
        ends.update(_weights(layer, experiment, report, whole, coloring))
        if layers[layer.id].limit is None:
            values.append(_shown_values(layer, report, whole, coloring))
    matrices = [array for array in ends.values() if array.ndim > 1]
    return _limit(filter(_is_known, values)), _limit(matrices), _limit(array for name, array in ends.items() if name.endswith(".bias"))


def _is_known(values: np.ndarray | None) -> bool:
    return values is not None


def _limit(arrays: Iterable[np.ndarray]) -> float:
    flat = [np.ravel(array) for array in arrays]
    return round_limit(np.concatenate(flat) if flat else ())


def _own_limit(layer: Layer, experiment: Experiment, report: Report, whole: TraceState, coloring: str) -> float | None:
    """Where the scale of a layer ends that has one of its own; None for all others."""
    network = experiment.network  # a link may lead to a layer that is not there
    readers = [network.layer(id).kind for id in network.outputs_of(layer.id) if network.has(id)]
    is_of_tokens = layer.kind == "input" and not {"embedding", "one_hot"}.isdisjoint(readers)
    if len(_shape(layer.id, report) or ()) != 3 and not is_of_tokens:
        return None
    values = _shown_values(layer, report, whole, coloring)
    return None if values is None else _limit([values])


def _shown_values(layer: Layer, report: Report, state: TraceState, coloring: str) -> np.ndarray | None:
    output, shape = state.index.trace.outputs.get(layer.id), _shape(layer.id, report)
    if output is None or state.index.node(output.node).shape[1:] != shape:
        return None
    is_gradient = coloring == "gradient"
    shown = state.gradient(output.node) if is_gradient else state.value(output.node)
    return None if shown is None else _values(state, shown, output.gradients if is_gradient else output.values)


def _layer_figures(layer: Layer, report: Report, state: TraceState, coloring: str, limit: float | None) -> LayerFigures:
    phase = _phase(layer, state)
    output, shape = state.index.trace.outputs.get(layer.id), _shape(layer.id, report)
    if output is None or state.index.node(output.node).shape[1:] != shape:
        return LayerFigures(phase=phase)
    shown = state.gradient(output.node) if coloring == "gradient" else state.value(output.node)
    values = _shown_values(layer, report, state, coloring)
    is_picture = layer.kind == "input" and len(shape) == 3 and coloring != "gradient"
    return LayerFigures(
        output.node, values, _dropped(layer, shape, state), state.measure(shown), phase=phase, limit=limit, is_picture=is_picture
    )


def _phase(layer: Layer, state: TraceState) -> str:
    """The phase, if the cursor's node belongs to this layer."""
    present = state.node
    is_here = present is not None and layer.id == (present.group[0] if present.group else present.module)
    return state.phase if is_here else ""


def _shape(id: str, report: Report) -> tuple[int, ...] | None:
    entry = report.layers.get(id)
    return entry.output_shape if entry is not None else None


def _values(state: TraceState, shown: Tensor, rows: RowsRecord | None) -> np.ndarray | None:
    """The chosen row of a layer's output, or the mean over all rows; None where it did not travel. Layers put the rows first."""
    whole, sample = state.index.array(shown), state.sample
    if whole is not None:
        row = whole.mean(0) if sample is None else whole[sample]
    elif rows is None or (sample is not None and sample >= rows.first.shape[0]):
        return None
    else:
        row = to_numpy(rows.mean) if sample is None else to_numpy(rows.first)[sample]
    return np.ravel(row).astype(np.float64)


def _dropped(layer: Layer, shape: tuple[int, ...], state: TraceState) -> np.ndarray | None:
    """What dropout struck in the chosen row; nothing for the mean over the batch, where no unit is dropped altogether."""
    if state.sample is None or not layer.kind.endswith("dropout"):
        return None
    for node in state.index.nodes_of_layer.get(layer.id, ()):
        if node.dropped is not None and state.is_made(node.id):
            struck = to_numpy(node.dropped).astype(bool)[state.sample]
            features_first = layer.kind == "spatial_dropout" and len(shape) == 2  # as torch takes sequences
            return np.ravel(np.broadcast_to(struck.T if features_first else struck, shape))
    return None


def _weights(layer: Layer, experiment: Experiment, report: Report, state: TraceState, coloring: str) -> dict[str, np.ndarray]:
    found = {}
    entry = report.layers.get(layer.id)
    for node in state.index.nodes_of_layer.get(layer.id, ()):
        if node.kind != "parameter":
            continue
        name = full_name(node, layer.id)
        array = _parameter(node, state, coloring)
        if array is not None and entry is not None and entry.parameters.get(split_parameter(name).tensor) == array.shape:
            found[name] = array
    return _contributions(found, layer, experiment, report, state) if coloring == "contribution" else found


def _contributions(
    found: dict[str, np.ndarray], layer: Layer, experiment: Experiment, report: Report, state: TraceState
) -> dict[str, np.ndarray]:
    """What each weight of a dense layer adds to z in the chosen row, w·a, and each bias; nothing before a is computed."""
    sources, weight, bias = experiment.network.inputs_of(layer.id), f"{layer.id}.weight", f"{layer.id}.bias"
    if layer.kind != "dense" or len(sources) != 1 or not experiment.network.has(sources[0]) or weight not in found:
        return {}
    values = _shown_values(experiment.network.layer(sources[0]), report, state, "value")
    if values is None or values.size != found[weight].shape[1]:
        return {}
    return {weight: found[weight] * values} | ({bias: found[bias]} if bias in found else {})


def _parameter(node: NodeRecord, state: TraceState, coloring: str) -> np.ndarray | None:
    """A parameter's value, gradient, or what its update adds to it, once it is made."""
    index = state.index
    if coloring == "update":
        return index.change(node.id) if state.is_updated(node.id) else None
    return index.array(state.gradient(node.id) if coloring == "gradient" else node.value)


def _updated(id: str, state: TraceState) -> dict[str, np.ndarray]:
    """The parameters of a layer after their update, as far as the cursor has come to it."""
    nodes = [node for node in state.index.nodes_of_layer.get(id, ()) if node.kind == "parameter" and state.is_updated(node.id)]
    found = {full_name(node, id): state.index.array(state.index.updates[node.id].after) for node in nodes}
    return {name: array for name, array in found.items() if array is not None}


def full_name(node: NodeRecord, layer: str) -> str:
    """Return a parameter's full name, "layer.tensor"."""
    label = node.label or node.operation
    return label if label.startswith(f"{layer}.") else f"{layer}.{label}"


def _written_weights(experiment: Experiment, report: Report) -> dict[str, np.ndarray]:
    """Weights the document sets by hand: known even before anything was traced."""
    written = {}
    for name, rows in experiment.weights.items():
        try:
            array = np.asarray(rows, dtype=np.float64)
        except ValueError:  # ragged: the report says so
            continue
        layer, tensor = split_parameter(name)
        entry = report.layers.get(layer)
        if entry is not None and entry.parameters.get(tensor) == array.shape:
            written[name] = array
    return written
