"""Layers that draw random numbers in training: dropout, noise, the Gaussian latent. They draw from torch's generator and seed nothing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnviz.engine.model.dense_layers import Dense


class Dropout(nn.Module):
    """Inverted dropout; `enabled` is the document's master switch."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p, self.enabled = p, True

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, True) if self.training and self.enabled else x


class SpatialDropout(nn.Module):
    """Inverted dropout of whole channels of (batch, channels, height, width), or whole features of (batch, time, features)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p, self.enabled = p, True

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and self.enabled):
            return x
        return F.dropout2d(x, self.p, True) if x.dim() == 4 else F.dropout1d(x.transpose(1, 2), self.p, True).transpose(1, 2)


class Noise(nn.Module):
    """Adds normal noise in training."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn(x.shape, dtype=x.dtype) if self.training else x


class GaussianLatent(nn.Module):
    """z = μ + e^(½ log σ²)·ε; outside training z = μ. Source: Kingma & Welling 2014."""

    def __init__(self, features: int, units: int, beta: float) -> None:
        super().__init__()
        self.mean, self.log_variance, self.beta = Dense(features, units), Dense(features, units), beta
        self.moments: tuple[Tensor, Tensor] | None = None
        """μ and log σ² of the last forward."""

    def forward(self, x: Tensor) -> Tensor:
        mean, log_variance = self.moments = self.mean(x), self.log_variance(x)
        if not self.training:
            return mean
        return mean + torch.exp(0.5 * log_variance) * torch.randn(mean.shape, dtype=mean.dtype)

    def divergence(self) -> Tensor:
        """Return β·KL(N(μ, σ²) ‖ N(0, 1)) of the last forward: summed over the latent variables, averaged over the batch.

        Source: Kingma & Welling 2014, appendix B.
        """
        mean, log_variance = self.moments
        return self.beta * 0.5 * (mean.pow(2) + log_variance.exp() - 1 - log_variance).sum(1).mean()
