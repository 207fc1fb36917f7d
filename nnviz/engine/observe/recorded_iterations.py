"""One iteration as it is written down as a notebook: its trace, and all numbers that are not computed in it."""

from __future__ import annotations

from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.trainer import Trainer
from nnviz.records.tensors import Array
from nnviz.records.trace_record import NodeRecord, TraceRecord


def recorded_leaves(trainer: Trainer, sample: int | None = None) -> tuple[TraceRecord, dict[int, Array]]:
    """Return the trace of the next iteration in textbook steps, and by id the values of all nodes that are made of no other (batch,
    parameters, buffers, constants, what was drawn at random) or have no gradient. `sample`: with this training row alone."""
    captured = capture_next(trainer, "textbook", sample)
    record = to_record(captured)
    leaves = {node.id: array_of(captured.trace.nodes[node.id].value.detach()) for node in record.nodes if _is_given(node)}
    return record, leaves


def _is_given(node: NodeRecord) -> bool:
    return not node.inputs or (node.gradient is None and not node.others)
