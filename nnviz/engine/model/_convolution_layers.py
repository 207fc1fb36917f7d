"""Layers that slide a window: convolutions and pooling. Images are (batch, channels, height, width), sequences (batch, time, features)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nnviz.engine.model.dense_layers import SLOPE, activation_function


class Convolution(nn.Module):
    """Cross-correlation with `weight`, (out_channels, channels, *kernel), then the activation; with one kernel axis it runs over time."""

    def __init__(
        self,
        channels: int,
        out_channels: int,
        kernel: tuple[int, ...],
        stride: int,
        padding: int,
        activation: str,
        bias: bool,
        negative_slope: float = SLOPE,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, channels, *kernel))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.stride, self.padding, self.function = stride, padding, activation_function(activation, negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.dim() == 4:
            z = F.conv2d(x, self.weight, self.bias, self.stride, self.padding)
        else:
            z = F.conv1d(x.transpose(1, 2), self.weight, self.bias, self.stride, self.padding).transpose(1, 2)
        return self.function(z) if self.function else z


class Pool(nn.Module):
    """The largest value or the mean of each window; padding counts in the mean as zeros."""

    def __init__(self, function: str, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.of_images, self.of_sequences = (F.max_pool2d, F.max_pool1d) if function == "max" else (F.avg_pool2d, F.avg_pool1d)
        self.window = kernel, stride, padding

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 4:
            return self.of_images(x, *self.window)
        return self.of_sequences(x.transpose(1, 2), *self.window).transpose(1, 2)


class GlobalPool(nn.Module):
    """The mean or the largest value of every channel of an image, or of every feature over time."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.is_max = function == "max"

    def forward(self, x: Tensor) -> Tensor:
        places, axis = (x.flatten(2), 2) if x.dim() == 4 else (x, 1)
        return places.max(axis).values if self.is_max else places.mean(axis)


class SequenceBatchNorm(nn.BatchNorm1d):
    """Batch norm per feature of (batch, time, features), over batch and time."""

    is_one_operation = True
    """A trace needs no further group for what its call is opened to."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)
