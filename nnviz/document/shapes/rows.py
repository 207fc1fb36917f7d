"""How large the rows of a data set are, what they are a picture of, and which shape of the input layer suits them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from nnviz.document import catalog, tiny_text
from nnviz.document.network import Choice


class RowSize(NamedTuple):
    """What a data set asks of a network."""

    features: int
    """Numbers per row."""
    classes: int
    """0 for regression."""
    targets: int
    """0 for classes."""


def data_size(data: Choice) -> RowSize | None:
    """Return the size of the data; None where only reading it can tell."""
    settings, group = data.settings, catalog.DATASETS[data.kind].group if data.kind in catalog.DATASETS else ""
    if data.kind == "table":
        return _table_size(settings.get("x") or [], settings.get("y") or [])
    if data.kind == "text":
        return RowSize(settings["window"], len(tiny_text.vocabulary(settings["unit"])), 0)
    if group == "Series":
        return RowSize(settings["window"], 0, 1)
    if data.kind not in catalog.DATA_SIZES:
        return None
    features, classes = catalog.DATA_SIZES[data.kind]
    return RowSize(features + settings.get("noise_columns", 0), settings.get("classes", classes), 0 if classes else 1)


def held_out(data: Choice) -> float:
    """Return the share of the rows that are kept out of training."""
    return 0.0 if data.settings.get("corners") else data.settings.get("validation") or 0.0


def held_out_rows(count: int, share: float) -> int:
    """Return how many of so many rows are validated on: the share in whole rows, halves to the even number, never all."""
    return min(round(count * share), count - 1)


def row_count(data: Choice) -> int | None:
    """Return how many rows the data has; None where only reading it can tell, or its settings are not sound."""
    x, window, samples = (data.settings.get(name) for name in ("x", "window", "samples"))
    if data.kind == "table" and isinstance(x, list):
        return len(x) or None
    if data.kind == "text" and isinstance(window, int):
        return len(tiny_text.tokens(data["unit"])) - window
    if data.settings.get("corners"):
        return 4
    return samples if isinstance(samples, int) and samples > 0 else catalog.ROW_COUNTS.get(data.kind)


def split_sizes(data: Choice) -> tuple[int, int] | None:
    """Return how many rows are trained on and how many validated on; None where only reading the data can tell."""
    count, share = row_count(data), held_out(data)
    if count is None or not isinstance(share, int | float):
        return None
    validated = held_out_rows(count, share)
    return count - validated, validated


def looked_up(data: Choice) -> set[int] | None:
    """Return the whole numbers that rows of unscaled data hold; empty if they hold others; None where only reading them can tell."""
    if data.kind == "text":
        vocabulary = {token: number for number, token in enumerate(tiny_text.vocabulary(data["unit"]))}
        return {vocabulary[token] for token in tiny_text.tokens(data["unit"])[:-1]}
    if data.kind == "digits":
        return set(range(17))
    if data.kind == "table":
        numbers = {number for row in data["x"] for number in row}
        return {int(number) for number in numbers} if all(number >= 0 and number == int(number) for number in numbers) else set()
    return None if data.kind == "csv" else set()


def has_classes(data: Choice) -> bool:
    """Return whether the targets are known to be classes, so that there is nothing to scale in them."""
    size = data_size(data)
    return size is not None and size.classes > 0


def _table_size(x: list, y: list) -> RowSize | None:
    if not x or not y:
        return None
    return RowSize(len(x[0]), 0, len(y[0])) if isinstance(y[0], list | tuple) else RowSize(len(x[0]), max(2, max(y) + 1), 0)


def form(data: Choice) -> str:
    """Return what a row is: table · image · series · tokens."""
    if data.kind == "text":
        return "tokens"
    if data.kind == "csv" and data.settings.get("window"):
        return "series"
    return {"Images": "image", "Series": "series"}.get(catalog.DATASETS[data.kind].group, "table")


def natural_shape(data: Choice, features: int, old: Sequence[int] = (), following: Sequence[str] = ()) -> list[int]:
    """Return the shape of the input layer for rows of so many numbers.

    `old`: the shape it has now; `following`: the kinds of the layers behind it, which decide between a flat row and one with axes.
    """
    kinds = [catalog.layer_kind(kind) for kind in following]
    taken = {kind.takes for kind in kinds}
    if form(data) == "image" and features == 64 and ("image" in taken or len(old) == 3):
        return [1, 8, 8]
    steps = data.settings.get("window") or features
    is_sequence = "sequence" in taken or (len(old) == 2 and form(data) == "series")
    if is_sequence and features % steps == 0 and not any(kind.vocabulary for kind in kinds) and form(data) != "image":
        return [steps, features // steps]
    return [features]


def row_shape(data: Choice, features: int) -> tuple[int, ...]:
    """Return a row's own shape: [channels, height, width] for images, [time, columns] for series, [time] for tokens, else [features]."""
    steps = data.settings.get("window") or 0
    natural = {"image": (1, 8, 8), "series": (steps, features // steps if steps else 0)}.get(form(data), ())
    return natural if natural and prod(natural) == features else (features,)
