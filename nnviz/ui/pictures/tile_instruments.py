"""What each kind of picture in tiles shows and how it is read: its words, its tiles, what the readout says of a place in one. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nnviz.document.network import split_parameter
from nnviz.records.data_record import DataRecord, known_classes
from nnviz.records.picture_records import Picture
from nnviz.records.tensors import to_numpy
from nnviz.text import numbers

_FEW = 12
"""Up to so many units stand in one line."""


@dataclass(frozen=True, eq=False)
class PictureView:
    """A picture with the data it was made for and what layers are called."""

    picture: Picture
    data: DataRecord | None
    names: Mapping[str, str]

    @property
    def title(self) -> str:
        """What the layer or the parameter is called."""
        return self.name(self.picture.layer)

    def name(self, key: str) -> str:
        """Return what a layer, or a parameter of one, is called."""
        if key in self.names:
            return self.names[key]
        layer, tensor = split_parameter(key)
        title = self.names.get(layer, layer)
        return f"{title} · {tensor}" if tensor else title

    def block_of(self, row: int) -> tuple[str, int]:
        """Return what a row of a weight in blocks is for, and which row of its block it is."""
        blocks = self.picture.blocks
        height = self.picture.values.shape[1] // len(blocks)
        return blocks[row // height], row % height

    def step(self, t: int) -> str:
        """Return what a time step of the row is called: its number, and its token in a text."""
        return f"t={t} “{self.token(t)}”" if self.token(t) else f"t={t}"

    def step_label(self, t: int) -> str:
        """Return the same as short as it can be."""
        return self.token(t) or str(t)

    def token(self, t: int) -> str:
        """Return the token of a text at a time step of the row; empty for other data."""
        data = self.data
        if data is None or not data.feature_names or not data.feature_names[-1].startswith("token"):
            return ""
        x = to_numpy(data.x)[min(self.picture.wish.row, data.x.shape[0] - 1)]
        token = int(x[t]) if t < len(x) and x[t] % 1 == 0 else -1
        return data.class_names[token] if 0 <= token < len(data.class_names) else ""

    @property
    def row(self) -> str:
        """Which row it is of, and its class."""
        row = self.picture.wish.row
        classes, names = known_classes(self.data) if self.data is not None else (None, ())
        if classes is None or row >= len(classes):
            return f"row {row}"
        number = int(classes[row])
        return f"row {row}, class {names[number] if number < len(names) else number}"


@dataclass(frozen=True)
class Instrument:
    """One kind of picture in tiles."""

    kind: str
    title: str
    short: str
    explanation: str
    tiles: Callable[[PictureView], list[tuple[str, np.ndarray]]]
    """The caption of each and its (height, width) values."""
    where: Callable[[PictureView, int, int, int], str]
    """What stands at a tile, row, column of the values as shown."""
    note: Callable[[PictureView], str]
    """How to read it, in a few words."""
    scales: Mapping[str, str]
    """How colours can be scaled, the first at the start: own (each tile) · common (all) · row (each row of a tile)."""
    of_rows: bool = False
    """Whether it is of one row of the data, which can be chosen."""
    is_signed: bool = True
    """Whether its colours tell signs; else they go from 0 to the largest."""
    is_smooth: bool = False
    label: Callable[[PictureView, int], str] | None = None
    """What stands beside a row and over a column of each tile; None where nothing does."""


# --- weights ---


def _weight_tiles(view: PictureView) -> list[tuple[str, np.ndarray]]:
    values = to_numpy(view.picture.values)
    return [("", values[0])] if len(values) == 1 else [(str(number), tile) for number, tile in enumerate(values)]


def _weight_place(view: PictureView, tile: int, row: int, column: int) -> str:
    down, across = view.picture.block
    place = [row * down, column * across]
    if view.picture.block != (1, 1):
        return f"largest of {numbers.place(place)} … {numbers.place([place[0] + down - 1, place[1] + across - 1])}"
    if view.picture.blocks:
        name, unit = view.block_of(row)
        return f"{name}, to unit {unit} from {column}"
    if view.picture.values.shape[0] == 1:
        return f"to unit {row} from {column}"
    return f"{_kernel_word(view)} {tile}, {numbers.place(place)}"


def _kernel_word(view: PictureView) -> str:
    is_dense = view.data is not None and view.picture.values.shape[1:] == tuple(view.data.shape[1:]) and len(view.data.shape) == 3
    return "unit" if is_dense else "kernel"


def _weight_note(view: PictureView) -> str:
    picture = view.picture
    if picture.blocks:
        return f"blocks of rows: {', '.join(picture.blocks)}"
    if picture.values.shape[0] == 1:
        return "row: to unit, column: from unit"
    if _kernel_word(view) == "unit":
        return "one image per unit"
    if picture.channels == 1:
        return "one kernel per output channel"
    channel = picture.wish.channel
    shown = f"input channel {channel}" if 0 <= channel < picture.channels else f"mean over {picture.channels} input channels"
    return f"one kernel per output channel, {shown}"


# --- maps of a row ---


def _map_tiles(view: PictureView) -> list[tuple[str, np.ndarray]]:
    values = to_numpy(view.picture.values)
    if view.picture.is_sequence:
        return [("", values[0].T)]
    if len(values) == 1 and values.shape[1] == 1:
        return [("", values.reshape(-1, _line_length(values.shape[2])))]
    return [(str(number), tile) for number, tile in enumerate(values)]


def _line_length(units: int) -> int:
    """How many units stand side by side: of many as many as make full lines that are nearly as high as wide."""
    widths = [width for width in range(math.isqrt(units - 1) + 1, units) if units % width == 0 and width <= 4 * (units // width)]
    return widths[0] if units > _FEW and widths else units


def _map_place(view: PictureView, tile: int, row: int, column: int) -> str:
    count, height, width = view.picture.values.shape
    if view.picture.is_sequence:
        return f"{view.step(column)}, feature {row}"
    if count == 1 and height == 1:
        return f"unit {row * _line_length(width) + column}"
    return f"channel {tile}, {numbers.place([row, column])}"


def _map_note(view: PictureView) -> str:
    count, height, width = view.picture.values.shape
    if view.picture.is_sequence:
        return "down: features, across: time"
    return f"{width} units" if count == 1 and height == 1 else f"{count} channels of {height}×{width}"


# --- attention ---


def _head_tiles(view: PictureView) -> list[tuple[str, np.ndarray]]:
    return [(f"head {number}", tile) for number, tile in enumerate(to_numpy(view.picture.values))]


def _head_place(view: PictureView, tile: int, row: int, column: int) -> str:
    return f"head {tile}: {view.step(row)} looks at {view.step(column)}"


# --- units over the plane ---


def _unit_tiles(view: PictureView) -> list[tuple[str, np.ndarray]]:
    return [(str(number), tile[::-1]) for number, tile in enumerate(to_numpy(view.picture.values))]


def _unit_place(view: PictureView, tile: int, row: int, column: int) -> str:
    low, high = (to_numpy(view.picture.parts[name]) for name in ("low", "high"))
    _, height, width = view.picture.values.shape
    x = low[0] + (high[0] - low[0]) * column / max(1, width - 1)
    y = high[1] - (high[1] - low[1]) * row / max(1, height - 1)
    names = view.data.feature_names if view.data and len(view.data.feature_names) == 2 else ("x₁", "x₂")
    return f"unit {tile} at {names[0]} {numbers.short(x)}, {names[1]} {numbers.short(y)}"


# --- weight by input column ---

_NONE = 0.01
"""A column whose weights are shorter than this share of the longest is without weight."""


def _column_tiles(view: PictureView) -> list[tuple[str, np.ndarray]]:
    values = to_numpy(view.picture.values)
    if len(values) == 1 and values.shape[1] == 1:
        return [("", values.reshape(-1, _line_length(values.shape[2])))]
    return [("" if len(values) == 1 else f"channel {number}", tile) for number, tile in enumerate(values)]


def _column_place(view: PictureView, tile: int, row: int, column: int) -> str:
    _, height, width = view.picture.values.shape
    shown = _line_length(width) if height == 1 else width
    place = (tile * height + row) * shown + column
    names = view.data.feature_names if view.data else ()
    return names[place] if place < len(names) and view.picture.block == (1, 1) else f"x{place + 1}"


def _column_note(view: PictureView) -> str:
    values = to_numpy(view.picture.values)
    none = int((values < _NONE * values.max(initial=0.0)).sum())
    return f"{none:,} of {values.size:,} columns without weight"


INSTRUMENTS = {
    "weight_picture": Instrument(
        "weights",
        "Weights as a picture",
        "Weights",
        "A weight of one layer: blue is positive, orange negative, full colour at the ends of the scale below. Kernels of a convolution "
        "are one picture each, rows over an image are images.",
        _weight_tiles,
        _weight_place,
        _weight_note,
        {"common": "one scale", "own": "own scale"},
    ),
    "feature_maps": Instrument(
        "maps",
        "Feature maps",
        "Maps",
        "What one layer puts out for one row of the data, with dropout, noise and sampling off: a picture per channel, of a sequence the "
        "features over time.",
        _map_tiles,
        _map_place,
        _map_note,
        {"common": "one scale", "own": "own scale"},
        of_rows=True,
    ),
    "attention": Instrument(
        "attention",
        "Attention weights",
        "Attention",
        "How much every step (down) looks at every other step (across), for one row of the data and each head. Each line of a head sums "
        "to 1.",
        _head_tiles,
        _head_place,
        lambda view: "down: who looks, across: at what",
        {"own": "by head", "row": "by row", "common": "one scale"},
        of_rows=True,
        is_signed=False,
        label=PictureView.step_label,
    ),
    "unit_maps": Instrument(
        "units",
        "Units over the plane",
        "Unit maps",
        "What every unit of one layer puts out over the plane of both features: blue is positive, orange negative. From layer to layer "
        "edges become shapes, and shapes classes.",
        _unit_tiles,
        _unit_place,
        lambda view: "one map per unit",
        {"own": "own scale", "common": "one scale"},
        is_smooth=True,
    ),
    "columns": Instrument(
        "columns",
        "Weight by input column",
        "Columns",
        "How much weight leaves every column of the data: the length √Σw² of its weights to all units that read it. Below 1 % of the "
        "longest it counts as without weight: the net answers without this column, which is what an L1 penalty does to useless ones.",
        _column_tiles,
        _column_place,
        _column_note,
        {"common": "one scale"},
        is_signed=False,
    ),
}
"""By the names of their panels."""
