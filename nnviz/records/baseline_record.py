"""What other models make of the rows a net learns from, beside the net; and averages of many models, beside each of them alone."""

from __future__ import annotations

import msgspec

from nnviz.records.tensors import Array


class Baseline(msgspec.Struct, frozen=True):
    """One model, fitted to the training rows. The first of several is the net itself, as it stands."""

    name: str
    size: int
    """How many numbers it has learned, or what else it keeps."""
    unit: str
    """What `size` counts, in words."""
    training: float
    """The score over the training rows."""
    validation: float | None
    """The same over the validation rows; None without any."""
    seconds: float | None
    """How long it took to fit; None for the net."""
    picture: Array | None = None
    """What it answers over the plane of two features, (height, width, outputs), rows from low to high second feature, or over the line of
    the only one, (width, outputs): probabilities of the classes, or numbers. None for other data."""


class Averaged(msgspec.Struct, frozen=True):
    """Models that answer together with the mean of their answers, each of them alone, and the mean of the first k."""

    name: str
    singles: Array
    """(models,) The score of each model alone."""
    means: Array
    """(models,) The score of the mean of the first 1, 2, … of them."""
    whole: float | None = None
    """Of thinned nets: the score of the whole net in evaluation mode, which stands for their mean."""
    rows: str = "validation"
    """Which rows the scores are of: validation · training, where none are held out."""


class Baselines(msgspec.Struct, frozen=True, tag=True):
    """Several models on the same rows and the same split, in the order in which they were fitted."""

    metric: str
    """What the scores are: accuracy (more is better) · RMSE · MSE (less is better)."""
    fitted: int
    """To so many training rows the models were fitted: a large set is drawn from."""
    held_out: int
    """So many validation rows the scores are over."""
    models: tuple[Baseline, ...]
    low: tuple[float, ...] = ()
    """The lower end of each feature in the pictures; empty without pictures."""
    high: tuple[float, ...] = ()
    averaged: tuple[Averaged, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    """The models that do not fit the data, each with the reason."""
