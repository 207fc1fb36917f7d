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
from nnviz.ui.widgets.color_scale import round_limit


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


@dataclass(frozen=True)
class Figures:
    """All numbers of the picture. Weights by parameter name, as "h1.weight" (out, in) and "h1.bias" (out,)."""

    layers: dict[str, LayerFigures] = field(default_factory=dict)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    value_limit: float = 1.0
    weight_limit: float = 1.0
    bias_limit: float = 1.0
    coloring: str = "value"


def figures(experiment: Experiment, report: Report, state: TraceState | None, coloring: str = "value") -> Figures:
    """Return what to draw. Values whose shapes do not fit the present network (a trace made before an edit) are left out."""
    layers, weights = {}, _written_weights(experiment, report) if coloring == "value" else {}
    for layer in experiment.network if state else ():
        layers[layer.id] = _layer_figures(layer, report, state, coloring)
        weights.update(_weights(layer.id, report, state, coloring))
    value_limit = _limit(shown.values for shown in layers.values() if shown.values is not None)
    weight_limit = _limit(array for array in weights.values() if array.ndim > 1)
    bias_limit = _limit(array for name, array in weights.items() if name.endswith(".bias"))
    return Figures(layers, weights, value_limit, weight_limit, bias_limit, coloring)


def _limit(arrays: Iterable[np.ndarray]) -> float:
    flat = [np.ravel(array) for array in arrays]
    return round_limit(np.concatenate(flat) if flat else ())


def _layer_figures(layer: Layer, report: Report, state: TraceState, coloring: str) -> LayerFigures:
    phase = _phase(layer, state)
    output, shape = state.index.trace.outputs.get(layer.id), _shape(layer.id, report)
    if output is None or state.index.node(output.node).shape[1:] != shape:
        return LayerFigures(phase=phase)
    shown, rows = state.value(output.node), output.values
    if coloring == "gradient":
        shown, rows = state.gradient(output.node), output.gradients
    values = None if shown is None else _values(state, shown, rows)
    return LayerFigures(output.node, values, _dropped(layer, shape, state), state.measure(shown), phase=phase)


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


def _weights(id: str, report: Report, state: TraceState, coloring: str) -> dict[str, np.ndarray]:
    found = {}
    entry = report.layers.get(id)
    for node in state.index.nodes_of_layer.get(id, ()):
        if node.kind != "parameter":
            continue
        name = full_name(node, id)
        array = _parameter(node, state, coloring)
        if array is not None and entry is not None and entry.parameters.get(split_parameter(name).tensor) == array.shape:
            found[name] = array
    return found


def _parameter(node: NodeRecord, state: TraceState, coloring: str) -> np.ndarray | None:
    """A parameter's value, gradient, or what its update adds to it, once it is made."""
    index = state.index
    if coloring == "update":
        return index.change(node.id) if state.is_updated(node.id) else None
    return index.array(state.gradient(node.id) if coloring == "gradient" else state.value(node.id) or node.value)


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
