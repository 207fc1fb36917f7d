"""Where in a traced iteration a condition holds: node, place of the cursor, row of the batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from nnviz.engine.observe.batch_axis import batch_axes
from nnviz.engine.observe.capture import Captured
from nnviz.trace import Node, Trace, first_non_finite
from nnviz.watching.conditions import Hit


class Culprit(NamedTuple):
    """A node of the trace, after how many steps it shows what was found, the row of the batch it comes from, and the element of it."""

    node: int
    cursor: int
    row: int | None
    told: str
    element: tuple[int, ...] = ()


def culprit(captured: Captured, hit: Hit, row_losses: Callable[[], Tensor | None]) -> Culprit:
    """Return where to look for what a condition found. `row_losses` returns the loss of each row, None where it cannot be had."""
    trace, axes = captured.trace, batch_axes(captured.trace, len(captured.rows), captured.batch_axis)
    if hit.condition.kind == "non_finite":
        found = _of_non_finite(trace, axes)
        if found is not None:
            return found
    node = next((node for node in trace.nodes if node.kind == "parameter" and node.label == hit.parameter), None)
    if node is not None:
        return _of_parameter(trace, axes, node, hit)
    return _of_loss(trace, row_losses())


def _of_non_finite(trace: Trace, axes: dict[int, int]) -> Culprit | None:
    found = first_non_finite(trace.nodes, trace.steps, trace.loss_node)
    if found is None:
        return None
    axis = axes.get(found.to.id)
    row, first = _row(found.places, axis), _at(found.tensor, found.first)
    if not found.is_gradient:
        which = f"of which {first} makes {called(found.use)} NaN" if found.use else f"the first {first}"
        said = f"{called(found.node)} is the first that is not finite{_of_row(row)}: {found.counted}, {which}"
        element = tuple(place for at, place in enumerate(found.first) if at != axis)
        return Culprit(found.node.id, _made(trace, found.node), row, said, element)
    if row is None and found.node.gradient is not None and found.node.id in axes:  # what goes to a weight is summed over the rows
        row = _row(~found.node.gradient.isfinite(), axes[found.node.id])
    said = f"{called(found.node)} sends back the first gradient that is not finite{_of_row(row)}: {found.counted}, the first {first}"
    return Culprit(found.node.id, _at_step(trace, "backward", found.node.id), row, said)


def _of_parameter(trace: Trace, axes: dict[int, int], node: Node, hit: Hit) -> Culprit:
    if hit.condition.kind == "update_ratio":
        cursor = next((step.index + 1 for step in trace.steps if step.phase == "update" and step.node == node.id), len(trace.steps))
        return Culprit(node.id, cursor, None, "")
    arrivals = [_at_step(trace, "backward", part.source) for part in node.contributions]
    sender = max(node.contributions, key=lambda part: _norm(part.gradient), default=None)
    row, share = (None, 0.0) if sender is None else _largest_row(trace.nodes[sender.source], axes)
    return Culprit(node.id, max(arrivals, default=0), row, "" if row is None else f"Row {row} sends back {share:.0%} of it")


def _largest_row(sender: Node, axes: dict[int, int]) -> tuple[int | None, float]:
    """The row that has the largest gradient behind it, and its share of the sum of all rows' norms."""
    axis, gradient = axes.get(sender.id), sender.gradient
    if axis is None or gradient is None or gradient.dim() <= axis:
        return None, 0.0
    norms = gradient.detach().double().movedim(axis, 0).flatten(1).norm(dim=1) if gradient.dim() > 1 else gradient.detach().double().abs()
    row = int(norms.argmax())
    return row, (norms[row] / norms.sum()).item() if norms.sum() else 0.0


def _of_loss(trace: Trace, by_row: Tensor | None) -> Culprit:
    cursor = _made(trace, trace.nodes[trace.loss_node])
    if by_row is None or not by_row.numel() or not bool(by_row.isfinite().all()):
        return Culprit(trace.loss_node, cursor, None, "")
    row = int(by_row.argmax())
    return Culprit(trace.loss_node, cursor, row, f"Row {row} has the largest loss, {by_row[row].item():.4g}")


def losses_by_row(loss: Callable, output: Tensor, target: Tensor) -> Tensor | None:
    """Return the loss of each row, for a loss of torch that can leave out its mean; None for another."""
    with torch.no_grad():
        if isinstance(loss, torch.nn.Module) and hasattr(loss, "reduction"):
            before, loss.reduction = loss.reduction, "none"
            try:
                found = loss(output, target)
            finally:
                loss.reduction = before
        elif getattr(loss, "__module__", "").startswith("torch.nn") and "reduction" in inspect.signature(loss).parameters:
            found = loss(output, target, reduction="none")
        else:
            return None
    is_by_row = isinstance(found, Tensor) and found.dim() > 0 and len(found) == len(output)
    return found.flatten(1).mean(1) if is_by_row and found.dim() > 1 else found if is_by_row else None


def called(node: Node) -> str:
    """Return a node as it is called in a sentence: "log in 2", "input x"."""
    if node.kind in ("operation", "loss"):
        return f"{node.operation} in {node.module}" if node.module else node.operation
    return node.label if node.label == node.kind else f"{node.kind} {node.label}"


def _row(wrong: Tensor, axis: int | None) -> int | None:
    if axis is None or wrong.dim() <= axis or not bool(wrong.any()):
        return None
    return int(wrong.nonzero()[:, axis].min())


def _of_row(row: int | None) -> str:
    return "" if row is None else f" in row {row} of the batch"


def _at(tensor: Tensor, place: tuple[int, ...]) -> str:
    return f"{tensor[place].item()} at {place}"


def _made(trace: Trace, node: Node) -> int:
    """After how many steps it has its value: what comes from outside with the first."""
    return next((step.index + 1 for step in trace.steps if step.phase in ("forward", "loss") and step.node == node.id), 1)


def _at_step(trace: Trace, phase: str, node: int) -> int:
    return next((step.index + 1 for step in trace.steps if step.phase == phase and step.node == node), 0)


def _norm(tensor: Tensor) -> float:
    return tensor.detach().double().norm().item() if tensor.layout == torch.strided else 0.0
