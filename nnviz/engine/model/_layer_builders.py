"""One table: how every layer kind of the catalog is made as a torch module."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor, nn

from nnviz.document.network import Layer
from nnviz.engine.model._adversarial_layers import RandomNumbers, RealOrGenerated
from nnviz.engine.model._convolution_layers import Convolution, GlobalPool, Pool, SequenceBatchNorm
from nnviz.engine.model.attention_layers import EncoderBlock, SelfAttention
from nnviz.engine.model.dense_layers import Activation, Dense
from nnviz.engine.model.sequence_layers import Embedding, OneHot, PositionalEncoding, Recurrent
from nnviz.engine.model.stochastic_layers import Dropout, GaussianLatent, Noise, SpatialDropout

Shape = tuple[int, ...]

BATCH_NORMS = {1: nn.BatchNorm1d, 2: SequenceBatchNorm, 3: nn.BatchNorm2d, 4: nn.BatchNorm3d}
"""By the number of axes of one row: [features], [time, features], [channels, height, width]."""


class Add(nn.Module):
    """The sum of its inputs."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return reduce(torch.add, inputs)


class Multiply(nn.Module):
    """The product of its inputs."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return reduce(torch.mul, inputs)


class Concat(nn.Module):
    """Its inputs one behind the other along an axis; 1 is the first axis of a row."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, dim=self.axis)


class Reshape(nn.Module):
    """The elements of each row in another shape."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self.shape)


class Flatten(nn.Module):
    """All elements of a row in one vector."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(x, 1)


def _dense(layer: Layer, shapes: list[Shape]) -> nn.Module:
    return Dense(shapes[0][-1], layer["units"], layer["activation"], layer["bias"], layer["negative_slope"])


def _batch_norm(layer: Layer, shapes: list[Shape]) -> nn.Module:
    (shape,) = shapes
    return BATCH_NORMS[len(shape)](shape[-1] if len(shape) == 2 else shape[0], eps=layer["epsilon"], momentum=layer["momentum"])


def _convolution(layer: Layer, shapes: list[Shape]) -> nn.Module:
    is_image = layer.kind == "conv2d"
    channels, kernel = (shapes[0][0], 2 * (layer["kernel_size"],)) if is_image else (shapes[0][1], (layer["kernel_size"],))
    sliding = layer["stride"], layer["padding"], layer["activation"], layer["bias"], layer["negative_slope"]
    return Convolution(channels, layer["out_channels"], kernel, *sliding)


def _pool(layer: Layer, shapes: list[Shape]) -> nn.Module:
    size = layer["kernel_size"]
    return Pool(layer.kind.removesuffix("_pool"), size, layer["stride"] or size, layer["padding"])


def _recurrent(layer: Layer, shapes: list[Shape]) -> nn.Module:
    return Recurrent(layer.kind, shapes[0][1], **layer.settings)


def _encoder_block(layer: Layer, shapes: list[Shape]) -> nn.Module:
    ((time, features),) = shapes
    return EncoderBlock(features, time=time, **layer.settings)


BUILDERS: dict[str, Callable[[Layer, list[Shape]], nn.Module]] = {
    "dense": _dense,
    "activation": lambda layer, shapes: Activation(layer["function"], layer["negative_slope"]),
    "dropout": lambda layer, shapes: Dropout(layer["p"]),
    "spatial_dropout": lambda layer, shapes: SpatialDropout(layer["p"]),
    "batch_norm": _batch_norm,
    "layer_norm": lambda layer, shapes: nn.LayerNorm(shapes[0][-1], eps=layer["epsilon"]),
    "add": lambda layer, shapes: Add(),
    "multiply": lambda layer, shapes: Multiply(),
    "concat": lambda layer, shapes: Concat(layer["axis"]),
    "flatten": lambda layer, shapes: Flatten(),
    "reshape": lambda layer, shapes: Reshape(tuple(layer["shape"])),
    "conv1d": _convolution,
    "conv2d": _convolution,
    "max_pool": _pool,
    "avg_pool": _pool,
    "global_pool": lambda layer, shapes: GlobalPool(layer["function"]),
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _recurrent,
    "embedding": lambda layer, shapes: Embedding(layer["num_embeddings"], layer["embedding_dim"]),
    "one_hot": lambda layer, shapes: OneHot(layer["num_classes"]),
    "positional_encoding": lambda layer, shapes: PositionalEncoding(*shapes[0]),
    "attention": lambda layer, shapes: SelfAttention(shapes[0][1], layer["num_heads"], shapes[0][0], layer["causal"]),
    "encoder_block": _encoder_block,
    "gaussian_latent": lambda layer, shapes: GaussianLatent(shapes[0][0], layer["units"], layer["beta"]),
    "noise": lambda layer, shapes: Noise(layer["std"]),
    "random": lambda layer, shapes: RandomNumbers(layer["units"]),
    "real_or_generated": lambda layer, shapes: RealOrGenerated(),
}
"""Layer kind -> function (layer, shapes of its inputs without the batch) -> module. An input layer needs none."""
