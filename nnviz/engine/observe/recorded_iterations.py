"""One iteration as it is written down as a notebook: its trace, and all numbers that are not computed in it."""

from __future__ import annotations

from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.trainer import Trainer
from nnviz.records.tensors import Array
from nnviz.records.trace_record import TraceRecord


def recorded_leaves(trainer: Trainer, sample: int | None = None) -> tuple[TraceRecord, dict[int, Array]]:
    """Return the trace of the next iteration in textbook steps, and the values of all nodes that are made of no other, by id: batch,
    parameters, buffers, constants, and what was drawn at random. `sample`: with this training row alone."""
    captured = capture_next(trainer, "textbook", sample)
    record = to_record(captured)
    leaves = {node.id: array_of(captured.trace.nodes[node.id].value.detach()) for node in record.nodes if not node.inputs}
    return record, leaves
