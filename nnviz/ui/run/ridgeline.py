"""Histograms over time as ridges: which moments are shown, where, on which common range, how high each stands. Pure; paints nothing."""

from __future__ import annotations

import numpy as np

from nnviz.records.run_records import LayerMeasures
from nnviz.records.tensors import Measure
from nnviz.session.run import Snapshot
from nnviz.ui.widgets.scales import snapped


def moments(snapshots: tuple[Snapshot, ...], layer: str, quantity: str, most: int) -> list[tuple[int, Measure]]:
    """Return (iteration, measure) of at most `most` + 1 moments, oldest first, always with the newest.

    Every first, second, fourth, … moment counted from the start is taken, so that shown ones stay while new ones come.
    """
    stride = 1
    while (len(snapshots) - 1) / stride > most:
        stride *= 2
    picked = (*snapshots[:-1][::stride], *snapshots[-1:])
    rows = ((snapshot.iteration, _of_layer(snapshot.layers, layer)) for snapshot in picked)
    return [(iteration, measure) for iteration, measures in rows if measures and (measure := getattr(measures, quantity))]


def _of_layer(layers: tuple[LayerMeasures, ...], layer: str) -> LayerMeasures | None:
    return next((measures for measures in layers if measures.layer == layer), None)


def common_range(rows: list[tuple[int, Measure]]) -> tuple[float, float]:
    """Return round limits around all histograms; -1 to 1 if all are empty."""
    filled = [measure for _, measure in rows if sum(measure.histogram)]
    if not filled:
        return -1.0, 1.0
    return snapped(min(measure.low for measure in filled), max(measure.high for measure in filled))


def in_time(rows: list[tuple[int, Measure]], height: float, gap: float) -> list[tuple[int, Measure, float]]:
    """Return rows with their places from 0 (the first iteration) to `height` (the newest), to scale in time.

    Of rows nearer to each other than `gap` the newer one is there.
    """
    if not rows:
        return []
    first, span = rows[0][0], max(1, rows[-1][0] - rows[0][0])
    kept = [(*rows[-1], height)]
    for iteration, measure in reversed(rows[:-1]):
        place = (iteration - first) / span * height
        if kept[-1][2] - place >= gap:
            kept.append((iteration, measure, place))
    return kept[::-1]


def outline(measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Return values and heights (0 to 1) of the corners of the histogram, from its lowest edge to its highest; nothing for an empty one."""
    counts = np.array(measure.histogram, dtype=np.float64)
    if not counts.any():
        return np.empty(0), np.empty(0)
    unit = max(abs(measure.low), abs(measure.high)) or 1.0  # in units of the largest no distance is infinite
    edges = unit * np.linspace(measure.low / unit, measure.high / unit, counts.size + 1)
    return np.repeat(edges, 2), np.concatenate(([0.0], np.repeat(counts / counts.max(), 2), [0.0]))


def nearest_value(measure: Measure, low: float, high: float) -> float | None:
    """Return the value that is nearest to the middle between low and high, of those that lie there; None where there is none."""
    near = [value for value in measure.values if low <= value <= high]
    return min(near, key=lambda value: abs(value - (low + high) / 2)) if near else None


def bin_at(measure: Measure, value: float) -> tuple[float, float, int] | None:
    """Return low end, high end and count of the bin a value falls into; None outside of all."""
    bins = len(measure.histogram)
    if not bins or not measure.low <= value <= measure.high:
        return None
    width = measure.high / bins - measure.low / bins  # their difference may be more than the largest number there is
    place = max(0, min(bins - 1, int(value / width - measure.low / width))) if width else 0
    return measure.low + place * width, measure.low + (place + 1) * width, measure.histogram[place]
