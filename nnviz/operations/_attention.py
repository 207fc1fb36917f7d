"""Scaled dot-product attention. Source: Vaswani et al. 2017, section 3.2.1."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nnviz.operations.operation import Gradient, Gradients, Operation, figure
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import SentCall
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, products


def _scaled(product: str, given: Given) -> str:
    """A product, divided by √d or multiplied by the scale of the call."""
    scale = given.get("scale")
    return f"{product} / √d" if scale is None else product if scale == 1 else f"{figure(scale)} {product}"


def _formula(given: Given) -> str:
    mask = given.get("attn_mask")
    is_added = mask is not None and mask.kind == "f"
    left_out = ["a key comes after its query"] * bool(given.get("is_causal")) + ["the mask is false"] * (mask is not None and not is_added)
    shares = f"softmax({_scaled('Q Kᵀ', given)}{' + M' if is_added else ''})"
    return f"y = P V,  P = {shares}" + "".join([f",  0 where {condition}" for condition in left_out])


def _gradients(given: Given) -> Gradients:
    mask = given.get("attn_mask")
    sent = {
        "value": "Pᵀ ∂L/∂y",
        "query": Gradient(_scaled("S K", given), before="S = P · (∂L/∂y Vᵀ − Σ ∂L/∂y Vᵀ · P):  "),
        "key": _scaled("Sᵀ Q", given),
    }
    if mask is None or mask.kind != "f":
        return sent
    q, k = given["query"].shape, given["key"].shape
    whole = (*np.broadcast_shapes(q[:-2], k[:-2]), q[-2], k[-2])
    return sent | {"attn_mask": "S" if mask.shape == whole else "Σ S, over the copies"}


def _attention(call: RecordedCall) -> Substitution | None:
    return products(_shares(call), call.options["value"][call.place[:-2]][:, call.place[-1]])


def _to_value(sent: SentCall) -> Substitution:
    """Every query's share of this key, times what arrives at the query."""
    *kept, key, feature = sent.at
    queries = range(sent.upstream.shape[-2])
    shares = np.array([_shares(replace(sent.call, place=(*kept, query, feature)))[key] for query in queries])
    return products(shares, sent.upstream[(*kept, slice(None), feature)])


def _shares(call: RecordedCall) -> np.ndarray:
    """How much one query attends to every key."""
    q, k = (call.options[name] for name in ("query", "key"))
    mask, scale = call.option("attn_mask"), call.option("scale", 1 / math.sqrt(q.shape[-1]))
    scores = k[call.place[:-2]] @ q[call.place[:-1]] * scale
    if call.option("is_causal", False):
        scores = np.where(np.arange(len(scores)) <= call.place[-2], scores, -np.inf)
    if isinstance(mask, np.ndarray):
        line = np.broadcast_to(mask, (*q.shape[:-1], len(scores)))[call.place[:-1]]
        scores = np.where(line, scores, -np.inf) if mask.dtype.kind == "b" else scores + line
    shares = np.exp(scores - scores.max())
    return shares / shares.sum()


ROWS = (
    Operation(
        names="scaled_dot_product_attention",
        signature="query:Q key:K value:V attn_mask:M dropout_p=0 is_causal scale enable_gqa=False",
        symbol="y",
        formula=_formula,
        gradients=_gradients,
        numbers=_attention,
        random=True,
        sent={"value": _to_value},
    ),
)
