"""What is asked for, and told, to draw a picture of the inside of a net: weights, maps, attention, the latent plane, time steps."""

from __future__ import annotations

import msgspec

from nnviz.records.tensors import Array


class PictureWish(msgspec.Struct, frozen=True):
    """One picture. What the net does not have is replaced by what comes nearest, and `Picture` says what it is of."""

    kind: str
    """weights · maps · attention · latent · time · units · columns"""
    layer: str = ""
    """The layer, or for weights the parameter; empty for the first one that suits."""
    row: int = 0
    """The row of the data that is run through the net."""
    channel: int = -1
    """The input channel of kernels that is shown; −1 for the mean over all."""
    units: tuple[int, int] = (0, 1)
    """The two units of a layer that span the latent plane."""
    seed: int = 0
    """What the samples of the latent plane are drawn from."""


class Picture(msgspec.Struct, frozen=True):
    """The numbers of one picture."""

    wish: PictureWish
    layer: str = ""
    """The layer or the parameter it is of."""
    choices: tuple[str, ...] = ()
    """Which layers or parameters there can be one of."""
    values: Array | None = None
    """(pictures, height, width): kernels, maps, heads, units; a matrix is a single one. Latent plane: (rows, 2). None without any."""
    total: tuple[int, ...] = ()
    """How large all of it is, where `values` holds less: the first pictures, or blocks."""
    block: tuple[int, int] = (1, 1)
    """How many rows and columns one number of `values` stands for: the one of largest magnitude of each block."""
    is_sequence: bool = False
    """Whether the height of a map is time, and its width features."""
    channels: int = 1
    """Input channels that a kernel has; 1 where none is to be chosen."""
    blocks: tuple[str, ...] = ()
    """What the blocks of rows of a weight are for that lie one below the other: gates, or Q, K and V."""
    parts: dict[str, Array] = {}
    """By kind: see the functions of nnviz/engine/observe/ that fill it."""
    sentence: str = ""
    """Why there is no picture."""
    node: int = -1
    """The node of a trace whose value it is; −1 for a picture of a net."""
    rows: int = 0
    """How many rows of a batch there can be one of; 0 for a picture of a net."""
