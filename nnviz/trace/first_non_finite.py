"""Where an iteration has its first value or gradient that is not finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .masked import masked_scores
from .record import Node, Step


class NonFinite(NamedTuple):
    """A node that makes NaN or ±∞ of finite numbers; the tensor is its value, or what it sends back to `to`."""

    node: Node
    tensor: Tensor
    to: Node
    places: Tensor
    """Where it is not finite, true or false; where `use` makes NaN of ±∞, only there."""
    use: Node | None = None
    """What makes NaN of some of its ±∞ and not of others, as a softmax of which a mask hides all."""

    @property
    def first(self) -> tuple[int, ...]:
        """The first of the places."""
        return tuple(self.places.nonzero()[0].tolist())

    @property
    def counted(self) -> str:
        """How many of its values are not finite."""
        return f"{int((~self.tensor.isfinite()).sum()):,} of {self.tensor.numel():,} values"

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
            return _of_value(nodes, node)
    wrong = {part.source: (part.gradient, node) for node in nodes for part in node.contributions if not _is_finite(part.gradient)}
    first = next((step.node for step in steps if step.phase == "backward" and step.node in wrong), None)
    if first is None:
        return None
    gradient, to = wrong[first]
    return NonFinite(nodes[first], gradient, to, ~gradient.isfinite())


def _of_value(nodes: Sequence[Node], node: Node) -> NonFinite:
    """A mask may hide places with −∞, but not all of one softmax: only those are to blame, if there are such."""
    wrong, carrying = ~node.value.isfinite(), {node.id}
    for use in nodes:
        if carrying.isdisjoint(use.inputs) or use.value is None or use.value.shape != wrong.shape:
            continue
        places = wrong & use.value.isnan() & ~node.value.isnan()
        if not bool(places.any()):
            carrying.add(use.id)
        elif not torch.equal(places, wrong):
            return NonFinite(node, node.value, node, places, use)
    return NonFinite(node, node.value, node, wrong)


def _is_finite(tensor: Tensor | None) -> bool:
    return tensor is None or not tensor.dtype.is_floating_point or tensor.is_nested or bool(tensor.isfinite().all())
