"""Layers over time: recurrent nets, embedding, one-hot, positional encoding. Sequences are (batch, time, features)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnviz.document.catalog import LAYERS
from nnviz.engine.model.dense_layers import SLOPE, activation_function
from nnviz.trace import grouped


class Recurrent(nn.Module):
    """RNN, LSTM or GRU with one bias vector, stacked and in both directions if asked for, with dropout between stacked nets.

    torch's own nets add a second bias vector, which changes nothing they can compute; here it is a constant 0 and no parameter. Parameters
    are named and laid out as torch's (`weight_ih_l0`, gates i, f, g, o or r, z, n one below the other), but for the bias: `bias_l0`.
    """

    is_one_operation = True
    """A trace needs no further group for what its call is opened to."""

    def __init__(
        self,
        kind: str,
        features: int,
        units: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        return_sequences: bool = False,
        activation: str = "tanh",
        dropout: float = 0.0,
        negative_slope: float = SLOPE,
    ) -> None:
        super().__init__()
        self.function = activation_function(activation, negative_slope)
        self.dropout, self.enabled = dropout, True
        self.kind, self.units, self.num_layers = kind, units, num_layers
        self.bidirectional, self.return_sequences, self.activation = bidirectional, return_sequences, activation
        self.blocks = len(LAYERS[kind].gates) or 1
        """How many gates' weights lie one below the other in each parameter."""
        rows = self.blocks * units
        for number, suffix in self._places():
            width = features if number == 0 else units * (1 + bidirectional)
            self.register_parameter(f"weight_ih_{suffix}", nn.Parameter(torch.empty(rows, width)))
            self.register_parameter(f"weight_hh_{suffix}", nn.Parameter(torch.empty(rows, units)))
            self.register_parameter(f"bias_{suffix}", nn.Parameter(torch.empty(rows)))

    @property
    def p(self) -> float:
        """The share dropped between two stacked nets now; `enabled` is the document's master switch."""
        return self.dropout if self.training and self.enabled and self.num_layers > 1 else 0.0

    def _places(self) -> Iterator[tuple[int, str]]:
        """The nets that are stacked and run side by side: number of the layer, suffix of its parameters."""
        for number in range(self.num_layers):
            yield from ((number, f"l{number}{direction}") for direction in ("", "_reverse")[: 1 + self.bidirectional])

    def _weights(self, suffix: str) -> tuple[Tensor, Tensor, Tensor]:
        return getattr(self, f"weight_ih_{suffix}"), getattr(self, f"weight_hh_{suffix}"), getattr(self, f"bias_{suffix}")

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "rnn" and self.activation not in ("tanh", "relu"):
            output, lasts = self._stepped(x)
        else:
            output, lasts = self._fused(x)
        if self.return_sequences:
            return output
        return torch.cat([lasts[-2], lasts[-1]], -1) if self.bidirectional else lasts[-1]

    def _fused(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """All time steps in one call of torch: the output of each, and the last states (nets, batch, units)."""
        name = f"rnn_{self.activation}" if self.kind == "rnn" else self.kind
        absent = torch.zeros(self.blocks * self.units, dtype=x.dtype)
        weights = [tensor for _, suffix in self._places() for tensor in (*self._weights(suffix), absent)]
        size = self.num_layers * (1 + self.bidirectional), x.shape[0], self.units
        start = torch.zeros(size, dtype=x.dtype)
        state = (start, torch.zeros(size, dtype=x.dtype)) if self.kind == "lstm" else start
        result = getattr(torch._VF, name)(x, state, weights, True, self.num_layers, self.p, self.training, self.bidirectional, True)
        return result[0], result[1]

    def _stepped(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The same for activations of which torch has no fused net, one time step after the other."""
        lasts: list[Tensor] = []
        for number in range(self.num_layers):
            outputs = []
            for _, suffix in [place for place in self._places() if place[0] == number]:
                with grouped(f"layer {number}") if self.num_layers > 1 else nullcontext():
                    is_reverse = suffix.endswith("_reverse")
                    with grouped("reverse direction" if is_reverse else "forward direction") if self.bidirectional else nullcontext():
                        states = _unrolled(x, *self._weights(suffix), self.function, is_reverse)
                lasts.append(states[0] if is_reverse else states[-1])
                outputs.append(torch.stack(states, 1))
            x = torch.cat(outputs, -1) if len(outputs) > 1 else outputs[0]
            if self.p and number < self.num_layers - 1:
                x = F.dropout(x, self.p)
        return x, lasts


def _unrolled(x: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor, function: Callable | None, reverse: bool) -> list[Tensor]:
    """The states hₜ = f(W xₜ + U hₜ₋₁ + b) in the order of time; `reverse` runs from the last to the first."""
    states: dict[int, Tensor] = {}
    h = torch.zeros(x.shape[0], recurrent.shape[1], dtype=x.dtype)
    moments = list(enumerate(x.unbind(1)))
    for t, x_t in reversed(moments) if reverse else moments:
        with grouped(f"t={t}"):
            z = F.linear(x_t, weight, bias) + F.linear(h, recurrent)
            h = states[t] = function(z) if function else z
    return [states[t] for t in range(len(moments))]


class Embedding(nn.Module):
    """The rows of `weight`, (num_embeddings, embedding_dim), that the whole numbers of x name."""

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_embeddings, embedding_dim))

    def forward(self, x: Tensor) -> Tensor:
        return F.embedding(x.long(), self.weight)


class OneHot(nn.Module):
    """A 1 at the place each whole number of x names."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, x: Tensor) -> Tensor:
        return F.one_hot(x.long(), self.num_classes).to(x.dtype)


class PositionalEncoding(nn.Module):
    """x + encoding, sines and cosines of falling frequency. Source: Vaswani et al. 2017, section 3.5."""

    def __init__(self, time: int, features: int) -> None:
        super().__init__()
        self.register_buffer("encoding", positional_encoding(time, features))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.encoding


def positional_encoding(time: int, features: int) -> Tensor:
    """Return the encoding, (time, features) in float64: sin(t/10000^(2k/d)) at feature 2k, the cosine at 2k + 1."""
    even = torch.arange(0, features, 2, dtype=torch.float64)
    angles = torch.arange(time, dtype=torch.float64).unsqueeze(1) / 10_000 ** (even / features)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :features]
