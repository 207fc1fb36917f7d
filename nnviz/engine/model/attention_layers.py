"""Self-attention and the encoder block around it. Sequences are (batch, time, features); parameters are named and laid out as torch's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnviz.engine.model.dense_layers import SLOPE, Dense
from nnviz.engine.model.stochastic_layers import Dropout


class SelfAttention(nn.Module):
    """softmax(Q Kᵀ/√d) V per head, then the output projection. `p`: dropout of attention weights; `enabled` is its master switch.

    Source: Vaswani et al. 2017, section 3.2.2; torch.nn.MultiheadAttention.
    """

    is_one_operation = True
    """A trace needs no further group for what its call is opened to."""
    blocks = 3
    """Q, K and V lie one below the other in `in_proj_weight`."""

    def __init__(self, features: int, num_heads: int, time: int, causal: bool = False, p: float = 0.0) -> None:
        super().__init__()
        self.num_heads, self.p, self.enabled = num_heads, p, True
        self.in_proj_weight = nn.Parameter(torch.empty(3 * features, features))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * features))
        self.out_proj = Dense(features, features)
        self.register_buffer("hidden", torch.ones(time, time, dtype=torch.bool).triu(1) if causal else None)
        """(time, time) True where a step must not look."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(0, 1)
        output, _ = F.multi_head_attention_forward(
            x, x, x, x.shape[2], self.num_heads, self.in_proj_weight, self.in_proj_bias, None, None, False,
            self.p if self.enabled else 0.0, self.out_proj.weight, self.out_proj.bias,
            training=self.training, attn_mask=self.hidden, need_weights=True, average_attn_weights=False,
        )  # fmt: skip
        return output.transpose(0, 1)


class EncoderBlock(nn.Module):
    """Attention, add & norm, two dense layers, add & norm. Source: torch.nn.TransformerEncoderLayer."""

    def __init__(
        self,
        features: int,
        num_heads: int,
        time: int,
        units: int,
        activation: str,
        p: float,
        norm_first: bool,
        causal: bool,
        negative_slope: float = SLOPE,
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.self_attn = SelfAttention(features, num_heads, time, causal, p)
        self.linear1 = Dense(features, units, activation, negative_slope=negative_slope)
        self.linear2 = Dense(units, features)
        self.norm1, self.norm2 = nn.LayerNorm(features), nn.LayerNorm(features)
        self.dropout, self.dropout1, self.dropout2 = Dropout(p), Dropout(p), Dropout(p)

    def forward(self, x: Tensor) -> Tensor:
        if self.norm_first:
            x = x + self._attended(self.norm1(x))
            return x + self._transformed(self.norm2(x))
        x = self.norm1(x + self._attended(x))
        return self.norm2(x + self._transformed(x))

    def _attended(self, x: Tensor) -> Tensor:
        return self.dropout1(self.self_attn(x))

    def _transformed(self, x: Tensor) -> Tensor:
        return self.dropout2(self.linear2(self.dropout(self.linear1(x))))
