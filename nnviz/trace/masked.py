"""Which −∞ of an iteration only leave out places of a softmax: scores behind a mask, and the mask itself. They are no fault of the net."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from .record import Node, dense

_SOFTMAXES = {
    "softmax", "log_softmax", "logsumexp", "cross_entropy", "scaled_dot_product_attention", "multi_head_attention_forward",
    "MultiheadAttention", "TransformerEncoderLayer", "TransformerEncoder",
}  # fmt: skip


def masked_scores(nodes: Sequence[Node], with_gradients: bool = True) -> frozenset[int]:
    """Return the nodes that hold −∞ which a softmax behind them makes 0, and nothing else that is not finite, their gradients neither.

    Without `with_gradients` these do not count: what is not finite behind them comes back to them, too.
    """
    if not any(node.operation in _SOFTMAXES for node in nodes):
        return frozenset()
    uses: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        for source in set(node.inputs):
            uses[source].append(node)
    masked: set[int] = set()
    for node in reversed(nodes):
        holds = _holds_minus_infinity(node) and (not with_gradients or _has_finite_gradients(node))
        if uses[node.id] and holds and _ends_in_softmax(node, uses[node.id], masked):
            masked.add(node.id)
    return frozenset(masked)


def _ends_in_softmax(node: Node, uses: list[Node], masked: set[int]) -> bool:
    finite = [use for use in uses if use.id not in masked]
    if not all(_is_finite(value) for use in finite for value in use.values):
        return False
    return len(finite) < len(uses) or any(use.operation in _SOFTMAXES or node.operation == "log_softmax" for use in finite)


def _holds_minus_infinity(node: Node) -> bool:
    values = [dense(value) for value in node.values if value.is_floating_point()]
    is_there = any(value.numel() and value.min() == -torch.inf for value in values)
    return is_there and all(not value.isnan().any() and not value.isposinf().any() for value in values)


def _has_finite_gradients(node: Node) -> bool:
    return all(gradient is None or _is_finite(gradient) for gradient in node.gradients)


def _is_finite(tensor: Tensor) -> bool:
    return not (tensor.is_floating_point() or tensor.is_complex()) or bool(dense(tensor).isfinite().all())
