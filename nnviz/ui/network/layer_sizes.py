"""How large a layer is drawn: as a column of neurons, or as a block with a heat picture. Pure numbers, no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nnviz.document.catalog import LAYERS, layer_kind
from nnviz.document.experiment import Experiment
from nnviz.document.fields import takes
from nnviz.document.network import Layer
from nnviz.text import captions

MOST_NEURONS = 12
"""A vector with more units than this becomes a block."""
TITLE, FACTS, TWO_FACTS = 24, 22, 36
"""Heights of the text above a column, and of one line or two below it."""
_BLOCK = 148
_WIDEST_TEXT = 116
_CHARACTER = 7.3


@dataclass(frozen=True)
class LayerSize:
    """The measures of one drawn layer, in canvas units around its middle (0, 0)."""

    style: str
    """neurons · block"""
    units: int
    """Elements of one row; 0 where the shape is not known."""
    radius: float = 18.0
    reach: float = 18.0
    """Half the height a neuron takes: slim columns have smaller circles, but stand in line with the others."""
    pitch: float = 50.0
    grid: tuple[int, int] = (0, 0)
    """Rows and columns of a block's heat picture."""
    tile: tuple[int, int] = (0, 0)
    """Rows and columns of one channel, where channels stand beside and below each other; (0, 0) for anything else."""
    block: tuple[float, float] = (0.0, 0.0)
    """Width and height of the heat picture."""
    slim: bool = False
    """Whether it works element by element, so that little room before it is enough."""
    facts: float = FACTS
    """Height of the texts below: one line, or two."""
    text_width: float = 0.0
    """Room the title and the facts take."""
    label_width: float = 0.0
    """Room to the right for what stands beside output units."""

    @property
    def body(self) -> tuple[float, float]:
        """Width and height of the neurons or the block."""
        if self.style == "block":
            return self.block
        return 2 * self.radius, (self.units - 1) * self.pitch + 2 * self.reach

    @property
    def half_width(self) -> float:
        """From the middle to the left or right side, texts included."""
        return max(self.body[0], self.text_width) / 2 + 4

    @property
    def top(self) -> float:
        """From the middle up to the upper side of the title."""
        return self.body[1] / 2 + TITLE

    @property
    def bottom(self) -> float:
        """From the middle down to the lower side of the facts."""
        return self.body[1] / 2 + self.facts

    def unit_y(self, unit: int) -> float:
        """Return where a neuron stands; for a block, where its row of the picture is."""
        if self.style == "neurons":
            return (unit - (self.units - 1) / 2) * self.pitch
        rows, columns = self.grid
        return ((unit // max(columns, 1) + 0.5) / max(rows, 1) - 0.5) * self.block[1]


def layer_size(layer: Layer, shape: Sequence[int] | None, experiment: Experiment, facts: float = FACTS) -> LayerSize:
    """Return the face of a layer with this output shape (None: not known); `facts` is the height of the texts below it."""
    slim = layer_kind(layer.kind).slim
    texts = (layer.title, captions.facts(layer, shape, experiment))
    text_width = min(_WIDEST_TEXT, max(len(text) for text in texts) * _CHARACTER)
    label_width = 112.0 if captions.is_output(experiment, layer) else 0.0
    if shape is None and layer.kind == "dense" and takes(LAYERS["dense"].field("units"), layer.settings.get("units")):
        shape = (layer.settings["units"],)  # its size is known even where its input is not
    units = math.prod(shape) if shape else 0
    if shape and len(shape) == 1 and units <= MOST_NEURONS:
        radius, pitch = _neuron_size(units)
        drawn = radius * (0.9 if slim else 1)
        return LayerSize("neurons", units, drawn, radius, pitch, slim=slim, facts=facts, text_width=text_width, label_width=label_width)
    grid, tile = _grid(shape) if shape else (0, 0), tuple(shape[1:]) if shape and len(shape) == 3 else (0, 0)
    plain = LayerSize("block", units, grid=grid, tile=tile, block=_block_size(grid), slim=slim, facts=facts)
    return replace(plain, text_width=text_width, label_width=label_width)


def _neuron_size(units: int) -> tuple[float, float]:
    if units <= 5:
        return 18.0, 50.0
    return (15.0, 35.0) if units <= 8 else (12.0, 26.0)


def _grid(shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns: channels in a square as far as that goes, sequences as they are, other vectors as a square or 16 in a column."""
    if len(shape) == 3 and all(shape):
        across = math.ceil(math.sqrt(shape[0] * shape[1] / shape[2]))
        return math.ceil(shape[0] / across) * shape[1], across * shape[2]
    if len(shape) >= 2:
        rows = shape[-2]
        return rows, math.prod(shape) // max(rows, 1)
    units = shape[0]
    side = math.isqrt(units)
    if side * side == units:
        return side, side
    columns = math.ceil(units / 16)
    return math.ceil(units / columns), columns


def _block_size(grid: tuple[int, int]) -> tuple[float, float]:
    rows, columns = grid
    if not rows or not columns:
        return 30.0, 64.0
    cell = min(_BLOCK / max(rows, 1), 1.6 * _BLOCK / max(columns, 1), 18.0)
    return max(16.0, cell * columns), max(36.0, cell * rows)
