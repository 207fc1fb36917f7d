"""How a call is opened: one function per torch function that makes it again in textbook steps. None may write in place.

An opener takes the tape and the call's own arguments and returns what the call returns, then what it writes;
`NotImplemented` leaves the call whole. It need not be trusted: the tape keeps its steps only if they give the native
result and draw the same random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .record import TraceError

DETAILS = ("layer", "textbook", "math")


class Openers:
    """torch function -> opener, at a level of detail; at another one inside some groups ("encoder/layers/0")."""

    def __init__(self, detail: str, details: Mapping[str, str] = MappingProxyType({})):
        """Raises TraceError for a detail there is not."""
        for one in (detail, *details.values()):
            if one not in DETAILS:
                raise TraceError(f"detail {one!r} is not one of {', '.join(DETAILS)}")
        tables = {"layer": {}, "textbook": TEXTBOOK, "math": MATH}
        self._whole = tables[detail]
        self.paths = tuple([tuple(path.split("/")) for path in details])
        paths = sorted(self.paths, key=len, reverse=True)  # an inner group counts more
        self._inside = [(path, tables[details["/".join(path)]]) for path in paths]

    def get(self, function: Callable, group: tuple[str, ...]) -> Callable | None:
        """What opens a call that is made in this group; None if it stays whole."""
        for path, openers in self._inside:
            if group[: len(path)] == path:
                return openers.get(function)
        return self._whole.get(function)


class NoSuchGroup(TraceError):
    """A detail was asked for where the iteration makes no call."""


def require_groups(paths: Iterable[tuple[str, ...]], groups: Collection[tuple[str, ...]]) -> None:
    """Raises NoSuchGroup, naming what there is instead, for a path that no group of a call begins with."""
    for path in paths:
        known = max((k for k in range(len(path) + 1) if any(group[:k] == path[:k] for group in groups)), default=0)
        if known < len(path):
            there = ", ".join(sorted({group[known] for group in groups if group[:known] == path[:known] and len(group) > known}))
            inside = f"{'/'.join(path[:known])!r} contains" if known else "this iteration has"
            raise NoSuchGroup(
                f"{'/'.join(path)!r} is no group in which a call is made, so it has no detail: {inside} {there or 'no group'}"
            )


# -- dropout -------------------------------------------------------------------------------------------------------


def dropout_mask(shape: tuple[int, ...], stride: tuple[int, ...], p: float, dtype: torch.dtype) -> Tensor:
    """0 with probability p, else 1/(1 − p), drawn as torch's own dropout draws it."""
    return torch.empty_strided(shape, stride, dtype=dtype).bernoulli_(1 - p).div_(1 - p)


def dropout(tape, x, p=0.5, training=True, inplace=False):
    """y = mask · x, inverted scaling."""
    if not training or not 0 < p < 1:
        return NotImplemented
    with torch._C.DisableTorchFunction():
        stride = torch.empty_like(x).stride()  # the mask is drawn in the order of memory
    return x * tape.call(dropout_mask, tuple(x.shape), stride, p, x.dtype)


def feature_dropout(tape, x, p=0.5, training=True, inplace=False):
    """y = mask · x with one number of the mask for each channel (batch, channel, …) of x. Source: Tompson et al. 2015."""
    if not training or not 0 < p < 1 or x.dim() < 3:
        return NotImplemented
    shape = (*x.shape[:2], *([1] * (x.dim() - 2)))
    return x * tape.call(dropout_mask, shape, (x.shape[1], *([1] * (x.dim() - 1))), p, x.dtype)


# -- recurrent nets ------------------------------------------------------------------------------------------------


def block(x: Tensor, k: int, count: int) -> Tensor:
    """The k-th of so many equal blocks of features: what one gate gets of a product with the weights of all gates."""
    size = x.shape[-1] // count
    return x.narrow(-1, k * size, size)


def lstm_step(tape, x, state, input_weight, recurrent_weight, input_bias=None, recurrent_bias=None):
    """Source: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; torch's gate order i, f, g, o."""
    h, c = state
    products = F.linear(x, input_weight, input_bias), F.linear(h, recurrent_weight, recurrent_bias)
    with tape.scopes.group("input gate"):
        i = torch.sigmoid(_sum_of_blocks(tape, products, 0, 4))
    with tape.scopes.group("forget gate"):
        f = torch.sigmoid(_sum_of_blocks(tape, products, 1, 4))
    with tape.scopes.group("candidate"):
        g = torch.tanh(_sum_of_blocks(tape, products, 2, 4))
    with tape.scopes.group("output gate"):
        o = torch.sigmoid(_sum_of_blocks(tape, products, 3, 4))
    with tape.scopes.group("cell"):
        c = f * c + i * g
    with tape.scopes.group("state"):
        h = o * torch.tanh(c)
    return h, c


def gru_step(tape, x, h, input_weight, recurrent_weight, input_bias=None, recurrent_bias=None):
    """torch's convention: the reset gate multiplies W h + b after the product, and z keeps the old state."""
    products = F.linear(x, input_weight, input_bias), F.linear(h, recurrent_weight, recurrent_bias)
    with tape.scopes.group("reset gate"):
        r = torch.sigmoid(_sum_of_blocks(tape, products, 0, 3))
    with tape.scopes.group("update gate"):
        z = torch.sigmoid(_sum_of_blocks(tape, products, 1, 3))
    with tape.scopes.group("candidate"):
        x_candidate, h_candidate = (tape.call(block, product, 2, 3) for product in products)
        n = torch.tanh(x_candidate + r * h_candidate)
    with tape.scopes.group("state"):
        return (1 - z) * n + z * h


def _sum_of_blocks(tape, products, k, count) -> Tensor:
    """W x + U h + b of one gate. The weights of all gates lie in one tensor, which so has one contribution a time step."""
    of_x, of_h = (tape.call(block, product, k, count) for product in products)
    return of_x + of_h


def rnn_step(activation: Callable[[Tensor], Tensor]):
    """One step of Elman's recurrent net: h' = f(W x + U h + b)."""

    def step(tape, x, h, input_weight, recurrent_weight, input_bias=None, recurrent_bias=None):
        return activation(F.linear(x, input_weight, input_bias) + F.linear(h, recurrent_weight, recurrent_bias))

    return step


def recurrent(step: Callable, has_cell: bool = False):
    """A whole torch recurrent net unrolled in time: (x, state, weights, …) -> output, last state (, last cell)."""

    def opened(tape, x, state, weights, has_bias, layers, p, training, bidirectional, batch_first=False):
        directions, width = 1 + bidirectional, 4 if has_bias else 2
        packed = isinstance(weights, Tensor) or (has_cell and isinstance(state, Tensor))
        if packed or len(weights) != layers * directions * width:  # packed sequences and projections stay whole
            return NotImplemented
        lasts = []
        x = x.transpose(0, 1) if batch_first else x
        for layer in range(layers):
            first = layer * directions
            starts = [_start(state, first + direction, has_cell) for direction in range(directions)]
            shares = [_present(weights[(first + k) * width : (first + k + 1) * width]) for k in range(directions)]
            with tape.scopes.group(f"layer {layer}") if layers > 1 else nullcontext():
                x, ends = _layer(tape, step, x, starts, shares)
            lasts += ends
            if p and training and layer < layers - 1:
                x = F.dropout(x, p)
        x = x.transpose(0, 1) if batch_first else x
        return (x, *(torch.stack(part) for part in zip(*lasts, strict=True))) if has_cell else (x, torch.stack(lasts))

    return opened


def _present(weights: list[Tensor]) -> list[Tensor | None]:
    """The weights of one net without a second bias that is a constant 0: nets with one bias vector have only a place for it."""
    second = weights[3] if len(weights) == 4 else None
    if second is None or second.requires_grad:
        return weights
    with torch._C.DisableTorchFunction():
        return weights if second.any() else [*weights[:3], None]


def _start(state: Any, k: int, has_cell: bool) -> Any:
    return tuple([part[k] for part in state]) if has_cell else state[k]


def _layer(tape, step, x, starts, weights) -> tuple[Tensor, list]:
    """One layer in all its directions: its output, and the last state of each."""
    if len(starts) == 1:
        output, last = _unroll(tape, step, x, starts[0], weights[0], False)
        return output, [last]
    outputs, lasts = [], []
    for name, start, share in zip(("forward direction", "reverse direction"), starts, weights, strict=True):
        with tape.scopes.group(name):
            output, last = _unroll(tape, step, x, start, share, name == "reverse direction")
        outputs.append(output)
        lasts.append(last)
    return torch.cat(outputs, -1), lasts


def _unroll(tape, step, x, state, weights, reverse) -> tuple[Tensor, Any]:
    """One layer in one direction over x (time, batch, features): its outputs in order of time, its last state."""
    outputs = {}
    moments = list(enumerate(x.unbind(0)))
    for t, x_t in reversed(moments) if reverse else moments:
        with tape.scopes.group(f"t={t}"):
            state = step(tape, x_t, state, *weights)
        outputs[t] = state[0] if isinstance(state, tuple) else state
    return torch.stack([outputs[t] for t in range(len(moments))]), state


# -- attention -----------------------------------------------------------------------------------------------------


def scaled_dot_product(tape, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """softmax(Q Kᵀ / √d + mask) V. Source: Vaswani et al. 2017, equation 1."""
    if enable_gqa:
        return NotImplemented
    if is_causal:
        attn_mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    return _attend(tape, query, key, value, [attn_mask], dropout_p, scale)[0]


def _attend(tape, query, key, value, masks, dropout_p, scale) -> tuple[Tensor, Tensor]:
    """The output and the weights, (…, queries, keys)."""
    with tape.scopes.group("scores"):
        scores = query @ key.transpose(-2, -1) * scale
        for mask in masks:
            if mask is not None:
                scores = scores + mask if mask.is_floating_point() else scores.masked_fill(~mask, -math.inf)
    with tape.scopes.group("softmax"):
        weights = torch.softmax(scores, -1)
    if dropout_p:
        weights = F.dropout(weights, dropout_p)
    with tape.scopes.group("heads"):
        return weights @ value, weights


def multi_head_attention(
    tape, query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn,
    dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None, need_weights=True, attn_mask=None,
    use_separate_proj_weight=False, q_proj_weight=None, k_proj_weight=None, v_proj_weight=None, static_k=None,
    static_v=None, average_attn_weights=True, is_causal=False,
):  # fmt: skip
    """Q, K, V, the heads' attention, and the output projection; query is (time, batch, features).

    Source: Vaswani et al. 2017, section 3.2.2.
    """
    if query.dim() != 3 or add_zero_attn or any(part is not None for part in (bias_k, bias_v, static_k, static_v)):
        return NotImplemented
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    weights = separate if use_separate_proj_weight else in_proj_weight.chunk(3)
    biases = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
    heads = []
    for name, x, weight, bias in zip("QKV", (query, key, value), weights, biases, strict=True):
        with tape.scopes.group(name):
            projected = F.linear(x, weight, bias)
            heads.append(projected.reshape(*projected.shape[:2], num_heads, -1).permute(1, 2, 0, 3))  # batch, head, time, feature
    masks = _attention_masks(attn_mask, key_padding_mask, len(heads[0]), num_heads)
    mixed, shares = _attend(tape, *heads, masks, dropout_p if training else 0.0, 1 / math.sqrt(heads[0].shape[-1]))
    with tape.scopes.group("output"):
        mixed = mixed.permute(2, 0, 1, 3).reshape(query.shape[0], query.shape[1], -1)
        output = F.linear(mixed, out_proj_weight, out_proj_bias)
    if not need_weights:
        return output, None
    return output, shares.mean(1) if average_attn_weights else shares


def _attention_masks(attn_mask, key_padding_mask, batch, heads) -> list:
    """In multi-head attention a boolean mask says what to leave out; here, what to keep."""
    masks = []
    if attn_mask is not None:
        attn_mask = ~attn_mask if attn_mask.dtype == torch.bool else attn_mask
        masks.append(attn_mask.reshape(batch, heads, *attn_mask.shape[1:]) if attn_mask.dim() == 3 else attn_mask)
    if key_padding_mask is not None:
        key_padding_mask = ~key_padding_mask if key_padding_mask.dtype == torch.bool else key_padding_mask
        masks.append(key_padding_mask[:, None, None, :])
    return masks


# -- normalisation -------------------------------------------------------------------------------------------------


def batch_norm(tape, x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """x̂ = (x − μ)/√(σ² + ε), y = γ x̂ + β per feature over the batch. Source: Ioffe & Szegedy 2015, algorithm 1."""
    axes = [axis for axis in range(x.dim()) if axis != 1]
    per_feature = [1, -1] + [1] * (x.dim() - 2)
    if not training:
        y = _normalise(tape, x - running_mean.view(per_feature), running_var.view(per_feature), eps)
        return _scale_and_shift(tape, y, weight, bias, per_feature)
    with tape.scopes.group("mean"):
        mean = x.mean(axes, keepdim=True)
    centred, variance = _variance(tape, x, mean, axes)
    y = _scale_and_shift(tape, _normalise(tape, centred, variance, eps), weight, bias, per_feature)
    if running_mean is None:
        return y
    count = x.numel() // x.shape[1]
    with tape.scopes.group("running statistics"), torch.no_grad():
        running_mean = running_mean * (1 - momentum) + mean.view(-1) * momentum
        running_var = running_var * (1 - momentum) + variance.view(-1) * (momentum * count / (count - 1))
    return y, running_mean, running_var


def layer_norm(tape, x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """x̂ = (x − μ)/√(σ² + ε), y = γ x̂ + β per sample over its features. Source: Ba, Kiros & Hinton 2016."""
    axes = list(range(-len(normalized_shape), 0))
    with tape.scopes.group("mean"):
        mean = x.mean(axes, keepdim=True)
    centred, variance = _variance(tape, x, mean, axes)
    return _scale_and_shift(tape, _normalise(tape, centred, variance, eps), weight, bias, None)


def _variance(tape, x, mean, axes) -> tuple[Tensor, Tensor]:
    with tape.scopes.group("variance"):
        centred = x - mean
        return centred, centred.square().mean(axes, keepdim=True)


def _normalise(tape, centred, variance, eps) -> Tensor:
    with tape.scopes.group("normalise"):
        return centred / torch.sqrt(variance + eps)


def _scale_and_shift(tape, y, weight, bias, shape) -> Tensor:
    with tape.scopes.group("scale and shift"):
        y = y if weight is None else y * (weight.view(shape) if shape and len(shape) > 2 else weight)
        return y if bias is None else y + (bias.view(shape) if shape and len(shape) > 2 else bias)


# -- losses --------------------------------------------------------------------------------------------------------


def cross_entropy(
    tape, x, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
    label_smoothing=0.0,
):  # fmt: skip
    """log-softmax, then the negative log-likelihood."""
    if label_smoothing or size_average is not None or reduce is not None or target.is_floating_point():
        return NotImplemented
    log_p = F.log_softmax(x, 1 if x.dim() > 1 else 0)
    return F.nll_loss(log_p, target, weight, ignore_index=ignore_index, reduction=reduction)


TEXTBOOK = {
    F.dropout: dropout,
    F.dropout1d: feature_dropout,
    F.dropout2d: feature_dropout,
    torch._VF.lstm: recurrent(lstm_step, has_cell=True),
    torch._VF.gru: recurrent(gru_step),
    torch._VF.rnn_tanh: recurrent(rnn_step(torch.tanh)),
    torch._VF.rnn_relu: recurrent(rnn_step(torch.relu)),
    torch.lstm_cell: lstm_step,
    torch.gru_cell: gru_step,
    torch.rnn_tanh_cell: rnn_step(torch.tanh),
    torch.rnn_relu_cell: rnn_step(torch.relu),
    F.multi_head_attention_forward: multi_head_attention,
    F.batch_norm: batch_norm,
}

MATH = TEXTBOOK | {
    F.cross_entropy: cross_entropy,
    F.layer_norm: layer_norm,
    F.scaled_dot_product_attention: scaled_dot_product,
}
