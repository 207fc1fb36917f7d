"""The job `trace`: one iteration as a plain value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnviz.jobs.headless_run import trained_to
from nnviz.jobs.opened_file import OpenedFile
from nnviz.records.tensors import Tensor, to_numpy
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import EdgeRecord, NodeRecord, PortRecord, StepRecord, TraceRecord, UpdateRecord


def trace_record(
    document: OpenedFile, iteration: int, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()
) -> TraceRecord:
    """Return the trace of the iteration that follows `iteration` finished ones.

    `details`: groups that are opened to another detail, as (path, detail). Raises TraceError for one that is not there.
    """
    going = trained_to(document, iteration)
    return going.record(detail, sample, details)


def trace(
    document: OpenedFile, iteration: int, detail: str, sample: int | None = None, details: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return the trace as the plain value the command line prints; `details` as for trace_record."""
    return plain_trace(trace_record(document, iteration, detail, sample, details))


def plain_trace(record: TraceRecord) -> dict[str, Any]:
    """Return a trace as a plain value of numbers, words, lists and dicts."""
    index = TraceIndex(record)
    return {
        "iteration": record.iteration,
        "epoch": record.epoch,
        "loss": record.loss,
        "detail": record.detail,
        "details": dict(record.details),
        "precision": record.precision,
        "rows": record.rows,
        "worst_error": record.worst_error,
        "nodes": [_node(index, node) for node in record.nodes],
        "steps": [_step(step) for step in record.steps],
        "updates": [_update(update) for update in record.updates],
        "value_reads": record.value_reads,
        "notes": record.notes,
    }


def _node(index: TraceIndex, node: NodeRecord) -> dict[str, Any]:
    arriving = [edge for edge in index.out_edges.get(node.id, ()) if edge.contribution is not None]
    return {
        **{name: getattr(node, name) for name in ("id", "kind", "operation", "label", "module", "group", "inputs", "shape")},
        "value": _tensor(node.value),
        "gradient": _tensor(node.gradient),
        "ports": node.ports or (0,) * len(node.inputs),
        "contributions": [_contribution(index, edge) for edge in arriving],
        **{name: getattr(node, name) for name in ("reads", "formula", "derivative", "phase", "batch_axis", "where")},
        "dropped": None if node.dropped is None else to_numpy(node.dropped).tolist(),
        **({} if node.whole is None else {"whole": node.whole, "element": node.element}),
        **({} if not node.others else {"outputs": [_output(node), *map(_output, node.others)]}),
    }


def _output(one: NodeRecord | PortRecord) -> dict[str, Any]:
    """One output of a node that has several."""
    port = one.port if isinstance(one, PortRecord) else 0
    return {"port": port, "shape": one.shape, "value": _tensor(one.value), "gradient": _tensor(one.gradient)}


def _contribution(index: TraceIndex, edge: EdgeRecord) -> dict[str, Any]:
    """What a use of a node sends back; `port` is the output of the node that it uses."""
    ports = index.node(edge.target).ports
    port = ports[edge.argument] if ports else 0
    return {"from": edge.target, "argument": edge.argument, "port": port, "gradient": _tensor(edge.contribution)}


def _step(step: StepRecord) -> dict[str, Any]:
    optional = {"parameter": step.parameter, "others": step.others}
    place = {"index": step.index, "phase": step.phase, "node": step.node if step.node >= 0 else None}
    return place | {name: value for name, value in optional.items() if value}


def _update(update: UpdateRecord) -> dict[str, Any]:
    rows = [{"symbol": row.symbol, "formula": row.formula, "value": _tensor(row.value)} for row in update.rows]
    return {"parameter": update.parameter, "rows": rows, "before": _tensor(update.before), "after": _tensor(update.after)}


def _tensor(tensor: Tensor | None) -> Any:
    """Nested lists, or what is said of a tensor that is too large; None stays None."""
    if tensor is None:
        return None
    if tensor.values is not None:
        return to_numpy(tensor.values).tolist()
    names = ("min", "max", "mean", "std", "norm", "zeros", "non_finite", "histogram", "low", "high")
    return {"shape": tensor.shape, **{name: getattr(tensor.measure, name) for name in names}}
