"""Where an iteration has its first value or gradient that is not finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from .masked import masked_scores
from .record import Node, Step


class NonFinite(NamedTuple):
    """A node that makes NaN or ±∞ of finite numbers; the tensor is its value, or what it sends back to `to`."""

    node: Node
    tensor: Tensor
    to: Node

    @property
    def is_gradient(self) -> bool:
        """Whether it is on the way back."""
        return self.to is not self.node


def first_non_finite(nodes: Sequence[Node], steps: Sequence[Step], loss_node: int) -> NonFinite | None:
    """The first value that is not finite where all it was computed from is; else the first such gradient, on the way back.

    None unless the loss or a gradient of a parameter or input is not finite: what is hidden from a softmax by −∞ harms nothing.
    """
    ends = [nodes[loss_node].value, *(node.gradient for node in nodes if node.kind in ("parameter", "input"))]
    if all(map(_is_finite, ends)):
        return None
    masked = masked_scores(nodes, with_gradients=False)
    for node in nodes:
        is_first = node.kind != "constant" and node.id not in masked and not _is_finite(node.value)
        if is_first and all(_is_finite(node.operands[k]) for k, source in enumerate(node.inputs) if source not in masked):
            return NonFinite(node, node.value, node)
    wrong = {part.source: (part.gradient, node) for node in nodes for part in node.contributions if not _is_finite(part.gradient)}
    first = next((step.node for step in steps if step.phase == "backward" and step.node in wrong), None)
    return None if first is None else NonFinite(nodes[first], *wrong[first])


def counted(tensor: Tensor) -> str:
    """How many of its values are not finite, and where the first of them is."""
    wrong = ~tensor.isfinite()
    return f"{int(wrong.sum()):,} of {tensor.numel():,} values, the first at {tuple(wrong.nonzero()[0].tolist())}"


def _is_finite(tensor: Tensor | None) -> bool:
    return tensor is None or not tensor.dtype.is_floating_point or tensor.is_nested or bool(tensor.isfinite().all())
