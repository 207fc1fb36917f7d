"""From a trace to its record, with the local derivatives of element-wise activations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nnviz.engine.observe._formulas import Formulas
from nnviz.engine.observe._neuron_records import scalar_record
from nnviz.engine.observe.batch_axis import batch_axes
from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.measures import array_of, row_of_batch, tensor_record
from nnviz.engine.observe.node_marks import node_marks
from nnviz.operations.operation import Formula
from nnviz.operations.table import row_of
from nnviz.records.tensors import PICTURED, WHOLE, Array
from nnviz.records.tensors import Tensor as TensorRecord
from nnviz.records.trace_record import (
    AgreementRecord,
    EdgeRecord,
    NodeRecord,
    OutputRecord,
    PortRecord,
    RowRecord,
    RowsRecord,
    StepRecord,
    TraceRecord,
    UpdateRecord,
    WhatIf,
)
from nnviz.trace import Node, Step, Trace, Update, agreements, masked_scores
from nnviz.trace.record import Slot, fill, perform


def to_record(captured: Captured) -> TraceRecord:
    """Return the trace as it travels: in tensors, or, if it was opened, in scalars with the tensors beside them."""
    whole = _tensors(captured)
    return scalar_record(captured, whole) if captured.scalars else whole


def tensor_what_ifs(captured: Captured) -> tuple[WhatIf, ...]:
    """Return what was supposed of the tensors of a trace."""
    return tuple(WhatIf(what_if.node, what_if.kind, what_if.value, what_if.element) for what_if in captured.trace.what_ifs)


def _tensors(captured: Captured) -> TraceRecord:
    trace, axes = captured.trace, batch_axes(captured.trace, len(captured.rows), captured.batch_axis)
    masked, formulas = masked_scores(trace.nodes), Formulas()
    nodes = tuple([_node(node, captured, axes.get(node.id), node.id in masked, formulas.of(node)) for node in trace.nodes])
    return TraceRecord(
        iteration=captured.iteration,
        epoch=captured.epoch,
        detail=trace.detail,
        loss=trace.loss,
        worst_error=trace.worst_error,
        precision=captured.precision,
        rows=tuple(captured.rows.tolist()),
        nodes=nodes,
        edges=_edges(captured, nodes),
        steps=tuple(_step(step) for step in trace.steps),
        updates=_updates(captured),
        value_reads=tuple(read.where for read in trace.value_reads),
        agreements=tuple(AgreementRecord(*agreement) for agreement in agreements(trace)),
        details=tuple(trace.details.items()),
        outputs=_outputs(captured),
        what_ifs=tensor_what_ifs(captured),
        notes=trace.notes,
    )


def _node(node: Node, captured: Captured, batch_axis: int | None, is_masked: bool, said: Formula) -> NodeRecord:
    entry = captured.entry
    is_data = node.kind == "input" and node.label == "x"
    return NodeRecord(
        id=node.id,
        kind=node.kind,
        operation=node.operation,
        label=entry if is_data else node.label,
        module=entry if is_data else node.module,
        group=(entry,) if is_data else tuple(node.group),
        inputs=tuple(node.inputs),
        shape=node.shape,
        phase=node.phase,
        value=tensor_record(node.value, captured.measured),
        gradient=_optional(node.gradient, captured),
        batch_axis=batch_axis,
        reads=tuple(node.reads),
        formula=said.text,
        derivative=said.derivative,
        symbol=said.symbol,
        equations=said.equations,
        where=node.where,
        dropped=array_of(node.dropped) if node.dropped is not None and node.dropped.numel() <= WHOLE else None,
        winners=_winners(node, captured.trace),
        marks=node_marks(node.operation, node.value, node.gradient, node.dropped, batch_axis, node.label in captured.frozen, is_masked),
        ports=tuple(node.ports) if any(node.ports) else (),
        arguments=tuple([_plain(part) for part in node.call.args]) if node.call else (),
        keywords={name: _plain(part) for name, part in node.call.kwargs.items()} if node.call else {},
        others=tuple([_other(node, port, captured) for port in range(1, len(node.values))]),
        has_own_backward=node.has_own_backward,
        is_masked=is_masked,
    )


def _other(node: Node, port: int, captured: Captured) -> PortRecord:
    value = tensor_record(node.values[port], captured.measured)
    return PortRecord(port, value.shape, value, _optional(node.gradients[port], captured))


def _plain(part: Any) -> Any:
    """An argument of a call as it travels; what is neither a number, a word nor made of them travels as None."""
    if isinstance(part, Slot):
        return {"input": part.argument}
    if isinstance(part, slice):
        return {"slice": [_plain(end) for end in (part.start, part.stop, part.step)]}
    if isinstance(part, (tuple, list)):
        return [_plain(one) for one in part]
    if part is Ellipsis:
        return "…"
    return part if isinstance(part, (bool, int, float, str)) else None


def _winners(node: Node, trace: Trace) -> Array | None:
    found = winners(node, trace) if node.value.numel() <= WHOLE else None
    return None if found is None else array_of(found)


def winners(node: Node, trace: Trace) -> Tensor | None:
    """Return for every element of a max pool the place in its input that won, counted row-major over the pooled axes; None for others.

    None also where the call drew its windows: made again it would draw others.
    """
    if "max_pool" not in node.operation or node.call is None or len(node.inputs) != 1 or len(node.values) != 1:
        return None
    if node.call.rng is not None:
        return None
    x = [trace.nodes[node.inputs[0]].values[node.ports[0]]]
    options = fill(node.call.kwargs, x) | {"return_indices": True}
    return getattr(torch.nn.functional, node.operation)(*fill(node.call.args, x), **options)[1]


def _step(step: Step) -> StepRecord:
    return StepRecord(step.index, step.phase, -1 if step.node is None else step.node, step.parameter or "")


def _optional(tensor: Tensor | None, captured: Captured) -> TensorRecord | None:
    return None if tensor is None else tensor_record(tensor, captured.measured)


def _outputs(captured: Captured) -> dict[str, OutputRecord]:
    """What every layer of a net built on the canvas put out; the parts of layers have a dot in their paths."""
    trace, rows = captured.trace, len(captured.rows)
    held = {path: node for path, (node, port) in trace.outputs.items() if path and "." not in path and port == 0}
    entries = [(captured.entry, node.id) for node in trace.nodes if node.kind == "input" and node.label == "x"]
    return {layer: _output(trace.nodes[node], rows) for layer, node in (*entries, *held.items())}


def _output(node: Node, rows: int) -> OutputRecord:
    if node.value.numel() <= WHOLE or node.shape[0] != rows:
        return OutputRecord(node.id)
    return OutputRecord(node.id, _rows(node.value), None if node.gradient is None else _rows(node.gradient))


def _rows(tensor: Tensor) -> RowsRecord:
    count = PICTURED // max(1, tensor[0].numel())
    return RowsRecord(array_of(tensor[:count]), array_of(row_of_batch(tensor, 0, None).to(tensor.dtype)))


def _edges(captured: Captured, records: tuple[NodeRecord, ...]) -> tuple[EdgeRecord, ...]:
    trace = captured.trace
    back = {(node.id, part.source, part.argument): part.gradient for node in trace.nodes for part in node.contributions}
    slopes = local_derivatives(trace, [node for node in trace.nodes if node.value.numel() <= WHOLE and node.gradient is not None])
    edges = []
    for node in trace.nodes:
        for argument, source in enumerate(node.inputs):
            contribution = back.get((source, node.id, argument))
            slope = None if contribution is None else slopes.get(node.id)
            local = None if slope is None else array_of(slope)
            is_whole = contribution is not None and contribution is trace.nodes[source].gradient  # its only addend
            sent = records[source].gradient if is_whole else _optional(contribution, captured)
            edges.append(EdgeRecord(source, node.id, argument, sent, local))
    return tuple(edges)


def local_derivative(trace: Trace, node: Node) -> Tensor | None:
    """Return ∂output/∂input of an element-wise operation: its own backward on ones (that of the sum), at the traced input."""
    return local_derivatives(trace, [node]).get(node.id)


def local_derivatives(trace: Trace, nodes: Sequence[Node]) -> dict[int, Tensor]:
    """Return the local derivatives of those nodes that have one, by id: one run of the autograd engine makes them all."""
    made: dict[int, tuple[Tensor, Tensor]] = {}
    with torch.enable_grad():
        for node in nodes:
            source = _only_input(trace, node) if row_of(node.operation).sends_local else None
            if source is not None and source.shape == node.value.shape and not source.is_complex():  # of a complex function there are two
                leaf = source.detach().clone().requires_grad_()
                made[node.id] = perform(node.call, [leaf])[1][0].sum(), leaf
        sums, leaves = zip(*made.values(), strict=True) if made else ((), ())
        return dict(zip(made, torch.autograd.grad(sums, leaves), strict=True)) if made else {}


def _only_input(trace: Trace, node: Node) -> Tensor | None:
    return trace.nodes[node.inputs[0]].values[node.ports[0]] if node.call is not None and len(node.inputs) == 1 else None


def _updates(captured: Captured) -> tuple[UpdateRecord, ...]:
    owners = {step.parameter: step.node for step in captured.trace.steps if step.phase == "update"}
    return tuple(_update(update, owners[update.parameter], captured) for update in captured.trace.updates)


def _update(update: Update, node: int, captured: Captured) -> UpdateRecord:
    rows = tuple(RowRecord(row.symbol, row.formula, tensor_record(row.value, captured.measured)) for row in update.rows)
    is_first = update.before is update.rows[0].value
    before = rows[0].value if is_first else tensor_record(update.before, captured.measured)
    return UpdateRecord(update.parameter, node, rows, before, tensor_record(update.after, captured.measured))
