"""From a trace opened into scalars to its record: every element of a node is a node of its own."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace
from torch import Tensor

from nnviz.engine.observe.capture import NEURONS, Captured
from nnviz.engine.observe.measures import array_of, tensor_record
from nnviz.engine.observe.node_marks import node_marks
from nnviz.operations.linear import OF_ONE_UNIT
from nnviz.operations.operation import Formula
from nnviz.records.trace_record import EdgeRecord, NodeRecord, RowRecord, StepRecord, TraceRecord, UpdateRecord
from nnviz.trace import Node, Scalar, Scalars, ScalarStep, Update


def scalar_record(captured: Captured, whole: TraceRecord) -> TraceRecord:
    """Return the record of a trace that was opened; `whole` is the record of its tensors."""
    scalars = captured.scalars
    labels = [_label(scalar, whole.nodes[scalar.node].label, captured.trace.nodes[scalar.node]) for scalar in scalars.scalars]
    updates = {update.parameter: update for update in captured.trace.updates}
    return replace(
        whole,
        detail=NEURONS,
        nodes=tuple([_node(scalar, labels[scalar.id], scalars, whole.nodes[scalar.node]) for scalar in scalars.scalars]),
        edges=tuple([edge for scalar in scalars.scalars for edge in _edges(scalar)]),
        steps=tuple([_step(step, labels) for step in scalars.steps]),
        updates=tuple([
            _update(scalar, labels[scalar.id], updates[label])
            for scalar in scalars.scalars
            if scalar.port == 0 and whole.nodes[scalar.node].kind == "parameter" and (label := whole.nodes[scalar.node].label) in updates
        ]),
        what_ifs=captured.what_ifs,
        whole=whole,
        places=scalars.places,
        outputs={},
    )  # fmt: skip


def _label(scalar: Scalar, label: str, node: Node) -> str:
    """As torch writes an element of a tensor: "linear[1]"."""
    port = f"[{scalar.port}]" if len(node.values) > 1 else ""
    return f"{label}{port}[{', '.join(map(str, scalar.element))}]" if scalar.element else f"{label}{port}"


def _node(scalar: Scalar, label: str, scalars: Scalars, whole: NodeRecord) -> NodeRecord:
    node = scalars.trace.nodes[scalar.node]
    own = Formula(whole.symbol, whole.formula, whole.derivative, whole.equations)
    formula = OF_ONE_UNIT[len(node.inputs)] if node.operation == "linear" and own.text else own
    dropped = None if node.dropped is None else node.dropped[(slice(None), *scalar.element) if scalar.is_batched else scalar.element]
    return replace(
        whole,
        id=scalar.id,
        label=label,
        inputs=tuple([link.source for link in scalar.links]),
        shape=tuple(scalar.value.shape),
        value=tensor_record(scalar.value),
        gradient=_optional(scalar.gradient),
        batch_axis=0 if scalar.is_batched else None,
        reads=_reads(scalar, scalars, node),
        formula=formula.text,
        derivative=formula.derivative,
        symbol=formula.symbol,
        equations=(),
        dropped=None if dropped is None else array_of(dropped),
        marks=node_marks(
            node.operation,
            scalar.value,
            scalar.gradient,
            dropped,
            0 if scalar.is_batched else None,
            whole.marks is not None and whole.marks.frozen,
            whole.is_masked,
        ),
        ports=(),
        others=(),
        arguments=(),
        keywords={},
        winners=None,
        whole=scalar.node,
        element=None if scalar.port else scalar.element,
    )


def _reads(scalar: Scalar, scalars: Scalars, node: Node) -> tuple[int, ...]:
    """Of the forward values that the node's backward step reads those that this scalar's part of it does."""
    if scalar.gradient is None:
        return ()
    read = {link.source for link in scalar.links if scalars.scalars[link.source].node in node.reads}
    return tuple(sorted(read | ({scalar.id} if node.id in node.reads else set())))


def _edges(scalar: Scalar) -> Iterator[EdgeRecord]:
    for argument, link in enumerate(scalar.links):
        local = None if link.local is None or link.contribution is None else array_of(link.local)
        yield EdgeRecord(link.source, scalar.id, argument, _optional(link.contribution), local)


def _step(step: ScalarStep, labels: list[str]) -> StepRecord:
    parameter = labels[step.scalar] if step.phase == "update" else ""
    return StepRecord(step.index, step.phase, -1 if step.scalar is None else step.scalar, parameter, step.others)


def _update(scalar: Scalar, label: str, update: Update) -> UpdateRecord:
    """The rows of one weight; those that are about the whole parameter, such as its norm, as they are."""
    shape = update.before.shape

    def own(tensor: Tensor) -> Tensor:
        return tensor[scalar.element] if tensor.shape == shape else tensor

    rows = tuple(RowRecord(row.symbol, row.formula, tensor_record(own(row.value))) for row in update.rows)
    return UpdateRecord(label, scalar.id, rows, tensor_record(own(update.before)), tensor_record(own(update.after)))


def _optional(tensor: Tensor | None):
    return None if tensor is None else tensor_record(tensor)
