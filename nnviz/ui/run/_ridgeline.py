"""Histograms over time as ridges: which moments are shown, on which common range, how high each stands. Pure; paints nothing."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nnviz.records.run_records import LayerMeasures
from nnviz.records.tensors import Measure
from nnviz.session.run import Snapshot
from nnviz.ui.widgets.scales import snapped

GRID = 64
"""Points of one ridge."""


def moments(snapshots: tuple[Snapshot, ...], layer: str, quantity: str, most: int) -> list[tuple[int, Measure]]:
    """Return (iteration, measure) of at most `most` + 1 moments, oldest first, always with the newest.

    Every first, second, fourth, … moment counted from the start is taken, so that shown ones stay while new ones come.
    """
    stride = 1
    while (len(snapshots) - 1) / stride > most:
        stride *= 2
    picked = (*snapshots[:-1][::stride], *snapshots[-1:])
    rows = ((snapshot.iteration, _of_layer(snapshot.layers, layer)) for snapshot in picked)
    return [(iteration, getattr(measures, quantity)) for iteration, measures in rows if measures]


def _of_layer(layers: tuple[LayerMeasures, ...], layer: str) -> LayerMeasures | None:
    return next((measures for measures in layers if measures.layer == layer), None)


def common_range(rows: list[tuple[int, Measure]]) -> tuple[float, float]:
    """Return round limits around all histograms; -1 to 1 if all are empty."""
    filled = [measure for _, measure in rows if sum(measure.histogram)]
    if not filled:
        return -1.0, 1.0
    return snapped(min(measure.low for measure in filled), max(measure.high for measure in filled))


@lru_cache(maxsize=1024)
def ridge(measure: Measure, low: float, high: float) -> np.ndarray:
    """Return the smoothed histogram at GRID places from low to high; its highest place is 1, or all are 0 for an empty one.

    Smoothing: a Gaussian kernel as wide as Silverman's rule says for that many values, at least half a bin.
    """
    counts = np.array(measure.histogram, dtype=np.float64)
    if not counts.sum():
        return np.zeros(GRID)
    unit = max(abs(low), abs(high), abs(measure.low), abs(measure.high))  # in units of the largest no square is infinite
    low, high = low / unit, high / unit
    edges = np.linspace(measure.low / unit, measure.high / unit, counts.size + 1)
    centers = (edges[1:] + edges[:-1]) / 2
    spread = np.sqrt(np.average((centers - np.average(centers, weights=counts)) ** 2, weights=counts))
    width = max(0.9 * spread * counts.sum() ** -0.2, (edges[1] - edges[0]) / 2, (high - low) / GRID)
    grid = np.linspace(low, high, GRID)
    heights = np.exp(-0.5 * ((grid[:, None] - centers) / width) ** 2) @ counts
    return heights / max(heights.max(), 1e-300)


def bin_at(measure: Measure, value: float) -> tuple[float, float, int] | None:
    """Return low end, high end and count of the bin a value falls into; None outside of all."""
    bins = len(measure.histogram)
    if not bins or not measure.low <= value <= measure.high:
        return None
    width = measure.high / bins - measure.low / bins  # their difference may be more than the largest number there is
    place = max(0, min(bins - 1, int(value / width - measure.low / width))) if width else 0
    return measure.low + place * width, measure.low + (place + 1) * width, measure.histogram[place]
