"""How far the rows of the data lie apart, and what becomes of that as columns of noise are added."""

from __future__ import annotations

import msgspec

from nnviz.records.tensors import Array


class Distances(msgspec.Struct, frozen=True, tag=True):
    """Euclidean distances of training rows, in the columns the net sees and more and more columns of noise."""

    rows: int
    """How many rows were compared, each with each."""
    columns: int
    """How many numbers a row has of its own."""
    added: Array
    """(k,) How many columns of noise were added, 0 first."""
    ratios: Array
    """(k,) Farthest over nearest other row, the median over the rows; equal rows count as one. It falls towards 1."""
    spreads: Array
    """(k,) Standard deviation over mean of all distances."""
    histograms: Array
    """(k, bins) How many pairs lie so far apart, in shares of the mean distance, from 0 to `reach`."""
    reach: float
    metric: str = ""
    """Of the scores: accuracy · RMSE; empty without validation rows."""
    scores: Array | None = None
    """(k,) How well the mean of the five nearest rows answers the validation rows."""
