"""What a neuron sums: the weight beside each of its inputs, and its bias."""

from __future__ import annotations

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord


def weighted(index: TraceIndex, node: NodeRecord) -> tuple[dict[int, int], list[int]]:
    """Return for a unit of a linear layer the weight beside each input, and its bias; the same for a mask or a scale, and a shift."""
    whole = index.tensor_of(node.id)
    if whole.operation in ("mul", "add") and len(node.inputs) == 2:
        return _scaled(index, node, whole.operation)
    if whole.operation != "linear" or len(whole.inputs) < 2 or index.whole.node(whole.inputs[1]).kind != "parameter":
        return {}, []
    x, weight, *bias = whole.inputs
    parts = [index.node(source) for source in dict.fromkeys(node.inputs)]
    inputs = [part for part in parts if part.whole == x]
    columns = {part.element[-1] if part.element else place: part.id for place, part in enumerate(inputs)}  # slices have no element
    own = [part for part in parts if part.whole == weight and part.element]
    weights = {columns[part.element[-1]]: part.id for part in own if part.element[-1] in columns}
    biases = [part.id for part in parts if bias and part.whole == bias[0] and index.whole.node(bias[0]).kind == "parameter"]
    return weights, biases


def _scaled(index: TraceIndex, node: NodeRecord, operation: str) -> tuple[dict[int, int], list[int]]:
    """What is multiplied or added that was computed from nothing: the mask of a dropout, the scale and shift of a normalisation."""
    from_nothing = [id for id in node.inputs if not index.node(id).inputs and index.node(id).kind != "input"]
    if len(from_nothing) != 1:
        return {}, []
    (other,) = (id for id in node.inputs if id not in from_nothing)
    return ({other: from_nothing[0]}, []) if operation == "mul" else ({}, from_nothing)
