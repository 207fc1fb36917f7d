"""What the network picture shows at one moment: a value per neuron, a weight per edge, and the scales both are coloured on.

A pure function of (experiment, report, moment); it computes nothing of the network. Not known is None, never 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer
from nnviz.document.shapes import Report
from nnviz.protocol import Measure, NodeRecord, Tensor
from nnviz.session.moment import Moment
from nnviz.session.reading import to_numpy
from nnviz.ui.canvas import captions


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


def figures(experiment: Experiment, report: Report, moment: Moment | None, coloring: str = "value") -> Figures:
    """Return what to draw. Values whose shapes do not fit the present network (a trace made before an edit) are left out."""
    layers, weights = {}, _written_weights(experiment, report) if coloring == "value" else {}
    for layer in experiment.network if moment else ():
        layers[layer.id] = _layer_figures(layer, experiment, report, moment, coloring)
        weights.update(_weights(layer.id, report, moment, coloring))
    value_limit = limit([shown.values for shown in layers.values() if shown.values is not None])
    weight_limit = limit([array for array in weights.values() if array.ndim > 1])
    bias_limit = limit([array for name, array in weights.items() if name.endswith(".bias")])
    return Figures(layers, weights, value_limit, weight_limit, bias_limit, coloring)


def limit(arrays: list[np.ndarray]) -> float:
    """Return the end of a scale for these numbers: their largest magnitude, one outlier apart, rounded up to 1 · 1.5 · 2 · 3 · 5 · 7."""
    magnitudes = np.abs(np.concatenate([np.ravel(array) for array in arrays])) if arrays else np.empty(0)
    magnitudes = np.sort(magnitudes[np.isfinite(magnitudes)])
    if not magnitudes.size or magnitudes[-1] == 0:
        return 1.0
    largest = float(magnitudes[-1])
    if magnitudes.size >= 8 and 0 < magnitudes[-2] < largest / 4:
        largest = float(magnitudes[-2])
    power = 10.0 ** math.floor(math.log10(largest))
    return next((step * power for step in (1, 1.5, 2, 3, 5, 7) if largest <= step * power * (1 + 1e-9)), 10 * power)


def _layer_figures(layer: Layer, experiment: Experiment, report: Report, moment: Moment, coloring: str) -> LayerFigures:
    node = output_node(layer, experiment, moment)
    phase = _phase(layer, node, moment)
    if node is None and captions.is_passing(layer, experiment):
        node = output_node(_passed(layer, experiment), experiment, moment)
    if node is None or _units(node, report, layer.id) != _expected_units(layer.id, report):
        return LayerFigures(phase=phase)
    tensor = moment.gradient(node.id) if coloring == "gradient" else moment.value(node.id)
    return LayerFigures(
        node.id, _row(moment, node, tensor, _batch_axis(node, report, layer.id)), _dropped(layer, moment), moment.measure(tensor), phase
    )


def _passed(layer: Layer, experiment: Experiment) -> Layer:
    """The layer whose output comes through, past every layer that only passes its input on."""
    network = experiment.network
    for _ in network:  # no more often than there are layers: they may stand in a circle
        inputs = [id for id in network.inputs_of(layer.id) if network.has(id)]
        if not inputs or not captions.is_passing(layer, experiment):
            break
        layer = network.layer(inputs[0])
    return layer


def _phase(layer: Layer, output: NodeRecord | None, moment: Moment) -> str:
    """The phase, if the cursor's node belongs to this layer."""
    present = moment.node
    if present is None:
        return ""
    here = layer.id == (present.group[0] if present.group else present.module) or (output is not None and output.id == present.id)
    return moment.phase if here else ""


def output_node(layer: Layer, experiment: Experiment, moment: Moment) -> NodeRecord | None:
    """Return the trace node that holds a layer's output: its last operation, or for an input layer the input node."""
    nodes = moment.reading.nodes_of_layer.get(layer.id, [])
    operations = [node for node in nodes if node.kind == "operation" and node.phase == "forward"]
    if operations:
        return operations[-1]
    inputs = [node for node in nodes if node.kind == "input"]
    if inputs or layer.kind != "input":
        return inputs[0] if inputs else None
    return _unnamed_input(layer, experiment, moment)


def _unnamed_input(layer: Layer, experiment: Experiment, moment: Moment) -> NodeRecord | None:
    """The input node that answers to this layer by its label, else by its place among the inputs."""
    nodes = [node for node in moment.reading.trace.nodes if node.kind == "input" and not node.group and node.phase == "forward"]
    named = [node for node in nodes if layer.id in (node.label, node.module)]
    place = [other.id for other in experiment.network if other.kind == "input"].index(layer.id)
    return named[0] if named else (nodes[place] if place < len(nodes) else None)


def _batch_axis(node: NodeRecord, report: Report, layer: str) -> int | None:
    """Which axis of a layer's output counts the rows: the one the trace knows, else the first, if the rest is the layer's output."""
    entry = report.layers.get(layer)
    rows_first = node.batch_axis is None and entry is not None and tuple(node.shape[1:]) == entry.output_shape
    return 0 if rows_first else node.batch_axis


def _units(node: NodeRecord, report: Report, layer: str) -> int:
    batch = _batch_axis(node, report, layer)
    shape = [size for axis, size in enumerate(node.shape) if axis != batch]
    return math.prod(shape)


def _expected_units(id: str, report: Report) -> int | None:
    entry = report.layers.get(id)
    return math.prod(entry.output_shape) if entry is not None and entry.output_shape is not None else None


def _row(moment: Moment, node: NodeRecord, tensor: Tensor | None, axis: int | None) -> np.ndarray | None:
    row = moment.row(node.id, tensor)
    if row is not None and axis is not None and node.batch_axis is None:
        row = row.mean(axis) if moment.sample is None else row.take(moment.sample, axis)
    return None if row is None else np.ravel(row).astype(np.float64)


def _dropped(layer: Layer, moment: Moment) -> np.ndarray | None:
    """What dropout struck in the chosen row; nothing for the mean over the batch, where no unit is dropped altogether."""
    if moment.sample is None:
        return None
    for node in moment.reading.nodes_of_layer.get(layer.id, ()):
        if node.dropped is not None and moment.is_made(node.id):
            struck = to_numpy(node.dropped).astype(bool)
            return np.ravel(struck if node.batch_axis is None else struck.take(moment.sample, node.batch_axis))
    return None


def _weights(id: str, report: Report, moment: Moment, coloring: str) -> dict[str, np.ndarray]:
    found = {}
    entry = report.layers.get(id)
    for node in moment.reading.nodes_of_layer.get(id, ()):
        if node.kind != "parameter":
            continue
        name = parameter_name(node, id)
        array = _parameter(node, moment, coloring)
        if array is not None and entry is not None and entry.parameters.get(name.partition(".")[2]) == array.shape:
            found[name] = array
    return found


def _parameter(node: NodeRecord, moment: Moment, coloring: str) -> np.ndarray | None:
    """A parameter's value, gradient, or what its update adds to it, once it is made."""
    reading = moment.reading
    if coloring != "update":
        return reading.array(moment.gradient(node.id) if coloring == "gradient" else moment.value(node.id) or node.value)
    made = moment.update(node.id)
    before, after = (reading.array(made.before), reading.array(made.after)) if made else (None, None)
    return None if before is None or after is None else after - before


def parameter_name(node: NodeRecord, layer: str) -> str:
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
        layer, _, tensor = name.partition(".")
        entry = report.layers.get(layer)
        if entry is not None and entry.parameters.get(tensor) == array.shape:
            written[name] = array
    return written
