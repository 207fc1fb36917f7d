"""The numbers of pictures of the inside of a net, each made when it is watched: weights, maps of a row, attention, maps of units."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nnviz.document.catalog import LAYERS
from nnviz.document.network import split_parameter
from nnviz.engine.errors import BuildError
from nnviz.engine.model.attention_layers import SelfAttention
from nnviz.engine.observe._latent_plane import latent_plane
from nnviz.engine.observe._time_steps import time_steps
from nnviz.engine.observe.evaluated_outputs import outputs_of_row
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.surface import unit_maps
from nnviz.engine.observe.tiled_values import as_pictures, framed
from nnviz.engine.run.trainer import Trainer
from nnviz.records.picture_records import Picture, PictureWish


def picture(trainer: Trainer, wish: PictureWish) -> Picture:
    """Return the picture that is wished for, of the net as it stands; one that says why, where there can be none."""
    try:
        return _KINDS[wish.kind](trainer, wish)
    except BuildError as error:
        return Picture(wish, sentence=error.message)


# --- weights ---


def _weights(trainer: Trainer, wish: PictureWish) -> Picture:
    """A parameter: kernels as one picture for each output channel, rows over a whole image as images, else one matrix."""
    choices = tuple(name for name, parameter in trainer.parameters.items() if parameter.dim() > 1)
    if not choices:
        return Picture(wish, sentence="No layer of this network has a weight matrix.")
    name = wish.layer if wish.layer in choices else choices[0]
    weight = trainer.parameters[name].detach()
    if weight.dim() == 2 and _reads_images(trainer, name, weight):
        weight = weight.reshape(-1, *trainer.data.shape)
    channels = weight.shape[1] if weight.dim() == 4 else 1
    if weight.dim() == 4:
        weight = weight[:, wish.channel] if 0 <= wish.channel < channels else weight.mean(1)
    blocks = _blocks(trainer, name)
    return framed(wish, name, choices, weight if weight.dim() == 3 else weight[None], channels=channels, blocks=blocks)


def _blocks(trainer: Trainer, name: str) -> tuple[str, ...]:
    """What the rows of a weight are for, block by block."""
    layer, tensor = split_parameter(name)
    if tensor.endswith("in_proj_weight"):
        return ("Q", "K", "V")
    return tuple(LAYERS[trainer.experiment.network.layer(layer).kind].gates) if tensor.startswith("weight_") else ()


def _reads_images(trainer: Trainer, name: str, weight: Tensor) -> bool:
    """Whether each row of a weight is as large as an image of the data, and its layer reads these, flattened or not."""
    return len(trainer.data.shape) == 3 and _reads_rows(trainer, name, weight)


def _reads_rows(trainer: Trainer, name: str, weight: Tensor) -> bool:
    """Whether each row of a weight is as large as a row of the data, and its layer reads these, flattened or not."""
    sources = dict(trainer.net.plan)
    if weight.shape[1] != math.prod(trainer.data.shape):
        return False
    layer = name.rpartition(".")[0]
    while layer in sources and len(sources[layer]) == 1:
        layer = sources[layer][0]
        if any(parameter.startswith(f"{layer}.") for parameter in trainer.parameters):
            return False
    return layer == trainer.net.entry


def _columns(trainer: Trainer, wish: PictureWish) -> Picture:
    """How much weight leaves every number of a row: the length of its weights to all units of the layers that read it, in the shape of a
    row. What has none plays no part in the answer."""
    every = [(name, parameter.detach()) for name, parameter in trainer.parameters.items() if parameter.dim() == 2]
    weights = [weight for name, weight in every if _reads_rows(trainer, name, weight)]
    if not weights:
        return Picture(wish, sentence="No dense layer reads the columns of the data.")
    shape = trainer.data.shape
    return framed(wish, "", (), torch.cat(weights).norm(dim=0).reshape(shape if len(shape) == 3 else (1, -1, shape[-1])))


# --- what a row makes of the net ---


def _maps(trainer: Trainer, wish: PictureWish) -> Picture:
    """What a layer puts out for one row: a picture for each channel, of a sequence (time, features), of units one line."""
    outputs = outputs_of_row(trainer, wish.row)
    choices = tuple(layer for layer, _ in trainer.net.plan)
    of_images = [layer for layer in choices if outputs[layer].dim() == 4]
    layer = wish.layer if wish.layer in choices else next(iter(of_images or choices))
    return framed(wish, layer, choices, as_pictures(outputs[layer]), is_sequence=outputs[layer].dim() == 3)


def _attention(trainer: Trainer, wish: PictureWish) -> Picture:
    """(heads, time, time): how much every step, a row, looks at every other, a column; torch's own weights, in evaluation mode."""
    layers = {name.partition(".")[0]: module for name, module in trainer.net.named_modules() if isinstance(module, SelfAttention)}
    if not layers:
        return Picture(wish, sentence="This network has no attention layer.")
    layer = wish.layer if wish.layer in layers else next(iter(layers))
    module, caught = layers[layer], []
    watching = module.register_forward_pre_hook(lambda module, inputs: caught.append(inputs[0]))
    try:
        outputs_of_row(trainer, wish.row)
    finally:
        watching.remove()
    return framed(wish, layer, tuple(layers), attention_weights(module, caught[0])[0])


@torch.no_grad()
def attention_weights(module: SelfAttention, x: Tensor) -> Tensor:
    """Return the attention weights of each head for sequences x, without dropout: (batch, heads, time, time)."""
    x = x.transpose(0, 1)
    return F.multi_head_attention_forward(
        x, x, x, x.shape[2], module.num_heads, module.in_proj_weight, module.in_proj_bias, None, None, False,
        0.0, module.out_proj.weight, module.out_proj.bias,
        training=False, attn_mask=module.hidden, need_weights=True, average_attn_weights=False,
    )[1]  # fmt: skip


# --- units over the plane ---


def _units(trainer: Trainer, wish: PictureWish) -> Picture:
    """(units, height, width), rows from low to high x₂. parts: low and high, the corners of the plane."""
    choices = tuple(layer for layer, _ in trainer.net.plan)
    layer = wish.layer if wish.layer in choices else choices[0]
    low, high, values = unit_maps(trainer, layer)
    corners = {"low": array_of(np.array(low)), "high": array_of(np.array(high))}
    return framed(wish, layer, choices, values, parts=corners)


_KINDS: dict[str, Callable[[Trainer, PictureWish], Picture]] = {
    "weights": _weights,
    "maps": _maps,
    "attention": _attention,
    "latent": latent_plane,
    "time": time_steps,
    "units": _units,
    "columns": _columns,
}
