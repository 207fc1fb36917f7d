"""The runs of a sweep as a picture needs them: what each setting and result is for every run, groups over seeds, bands. Pure."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev

import numpy as np

from nnviz.document.sweep_plan import PlannedRun
from nnviz.records.sweep_records import Curve, SweptRun, value_of
from nnviz.text.numbers import steady

SCORES = ("accuracy", "rmse")
"""Metrics that have an axis of their own."""
DIVERGED = "diverged"
"""The verdict on a run whose loss went out of all bounds."""
_LOG = 30.0
"""From this ratio of the largest to the smallest value on an axis is logarithmic."""


@dataclass(frozen=True)
class Dimension:
    """One setting or result: an axis of the picture, a column of the table."""

    name: str
    """Short, and no other one's."""
    label: str
    """The whole path; of a result what it is."""
    values: Mapping[int, float | str]
    """By the number of a run; none where it has none."""
    is_result: bool = False
    ends: tuple[float, float] = (0.0, 1.0)
    """The smallest and the largest number, of results that of the runs that did not diverge: what lies beyond is at the end."""
    words: tuple[str, ...] = field(default=())
    """All values in their order, where they are no numbers."""

    @property
    def is_log(self) -> bool:
        """Whether equal factors are equally far apart."""
        low, high = self.ends
        return not self.words and low > 0 and high / low >= _LOG

    def share(self, number: int) -> float | None:
        """Return where the value of a run stands on the axis, from 0 at its foot to 1; None where it has none."""
        value = self.values.get(number)
        if value is None or (not self.words and not math.isfinite(value)):
            return None
        return self.share_of(value)

    def share_of(self, value: float | str) -> float:
        """Return where a value stands on the axis."""
        if self.words:
            return 0.5 if len(self.words) == 1 else self.words.index(value) / (len(self.words) - 1)
        low, high = self.ends
        value = min(max(value, low), high)
        if low == high:
            return 0.5
        if self.is_log:
            return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        return (value - low) / (high - low)

    def text(self, number: int) -> str:
        """Return the value of a run in words."""
        value = self.values.get(number)
        if value is None or isinstance(value, str):
            return value or "–"
        if self.name == "accuracy":
            return f"{value:.1%}".replace("%", " %")
        return steady(value) if self.is_result else f"{value:g}"


def setting_dimensions(labels: Sequence[str], runs: Sequence[PlannedRun]) -> tuple[Dimension, ...]:
    """Return the settings that change, then the seed if there are several, as all runs of a sweep have them."""
    names = short_names(labels)
    settings = [_dimension(names[label], label, {run.number: run.values[place] for run in runs}) for place, label in enumerate(labels)]
    if "seed" not in labels and len({run.experiment.seed for run in runs}) > 1:
        settings.append(_numbers("seed", "seed", {run.number: run.experiment.seed for run in runs}))
    return tuple(settings)


def result_dimensions(rows: Sequence[SweptRun]) -> tuple[Dimension, ...]:
    """Return the losses and scores of the runs that are finished, as far as they have any."""
    sound = {row.number for row in rows if row.verdict != DIVERGED}
    losses = [
        _result(name.replace("_", " "), {row.number: getattr(row, name) for row in rows}, sound) for name in ("loss", "validation_loss")
    ]
    scores = [_result(name, {row.number: row.metrics.get(name) for row in rows}, sound) for name in SCORES]
    return tuple(one for one in (*losses, *scores) if one.values)


def _dimension(name: str, label: str, texts: Mapping[int, str]) -> Dimension:
    values = {number: value_of(text) for number, text in texts.items()}
    if all(type(value) in (int, float) for value in values.values()):
        return _numbers(name, label, values)
    words = tuple(dict.fromkeys(texts.values()))
    return Dimension(name, label, dict(texts), words=words)


def _numbers(name: str, label: str, values: Mapping[int, float | None]) -> Dimension:
    known = {number: float(value) for number, value in values.items() if value is not None}
    return Dimension(name, label, known, ends=_ends(known.values()))


def _result(name: str, values: Mapping[int, float | None], sound: Container[int]) -> Dimension:
    """`sound`: the runs that did not diverge; one that did would leave all others at the foot of the axis."""
    known = {number: float(value) for number, value in values.items() if value is not None}
    finite = {number: value for number, value in known.items() if math.isfinite(value)}
    kept = [value for number, value in finite.items() if number in sound]
    return Dimension(name, name, known, True, _ends(kept or finite.values()))


def _ends(values: Iterable[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)]
    return min(finite, default=0.0), max(finite, default=1.0)


def short_names(labels: Sequence[str]) -> dict[str, str]:
    """Return what the settings are called where there is little room; the whole path where two would be called alike."""
    short = {label: _short(label) for label in labels}
    return {label: name if list(short.values()).count(name) == 1 else label for label, name in short.items()}


def _short(label: str) -> str:
    place, _, path = label.rpartition(":")
    if path.startswith("network."):
        words = path.removeprefix("network.").removeprefix("layers.").split(".")
    else:
        words = path.removesuffix(".kind").split(".")[-1:]
    return " ".join(filter(None, (*words, place))).replace("_", " ")


def passing(all: Sequence[Dimension], brushes: Mapping[str, tuple[float, float]], numbers: Iterable[int]) -> tuple[int, ...]:
    """Return the runs that lie within the brushed part of every brushed axis."""
    brushed = [(one, brushes[one.name]) for one in all if one.name in brushes]
    shares = lambda number: ((one.share(number), ends) for one, ends in brushed)  # noqa: E731
    return tuple(number for number in numbers if all_within(shares(number)))


def all_within(pairs: Iterable[tuple[float | None, tuple[float, float]]]) -> bool:
    """Return whether every share lies between its ends."""
    return all(share is not None and low - 1e-9 <= share <= high + 1e-9 for share, (low, high) in pairs)


def ranks(rows: Sequence[SweptRun]) -> dict[int, float]:
    """Return how good runs are beside each other: 0 for the lowest loss over the validation rows (without any: the training rows), 1 for
    the highest. A run without a finite loss has none."""
    losses = {row.number: loss for row in rows if (loss := judged_loss(row)) is not None and math.isfinite(loss)}
    order = sorted(set(losses.values()))
    places = {loss: place / max(1, len(order) - 1) for place, loss in enumerate(order)}
    return {number: places[loss] for number, loss in losses.items()}


def judged_loss(row: SweptRun) -> float | None:
    """Return the loss that runs are told apart by."""
    return row.training_loss if row.validation_loss is None else row.validation_loss


# --- bands ---


@dataclass(frozen=True)
class SeedBand:
    """The curves of the runs that differ in their seed alone: their mean, and how far they lie apart."""

    name: str
    numbers: tuple[int, ...]
    iterations: np.ndarray
    """(points,)"""
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_diverged: bool = False
    """Whether one of them did."""


def seed_bands(labels: Sequence[str], rows: Sequence[SweptRun], curve: str) -> tuple[SeedBand, ...]:
    """Return a band for each combination of settings, named by those that differ. `curve`: losses · validation_losses; runs without any are
    left out."""
    groups = _groups(labels, [row for row in rows if getattr(row, curve)])
    return tuple(_band(name, runs, curve) for name, runs in groups)


def _groups(labels: Sequence[str], rows: Sequence[SweptRun]) -> list[tuple[str, list[SweptRun]]]:
    """The runs of each combination of settings, which differ in their seed alone, and what these settings are, as far as they change."""
    names = short_names(labels)
    groups: dict[tuple[str, ...], list[SweptRun]] = {}
    for row in rows:
        key = tuple(value for label, value in zip(labels, row.values, strict=True) if label != "seed")
        groups.setdefault(key, []).append(row)
    others = [names[label] for label in labels if label != "seed"]
    changing = [place for place in range(len(others)) if len({key[place] for key in groups}) > 1]
    return [(" · ".join(f"{others[place]} {key[place]}" for place in changing), runs) for key, runs in groups.items()]


def best_of(labels: Sequence[str], rows: Sequence[SweptRun]) -> str:
    """Return which settings have the lowest loss at the end, as a mean over their seeds, as a sentence; empty where none has any. Settings
    of which a run failed or diverged beyond all numbers are none of them."""
    groups = [(name, [judged_loss(run) for run in runs if run.iterations or not run.is_failed]) for name, runs in _groups(labels, rows)]
    sound = [(fmean(losses), name, losses) for name, losses in groups if losses and all(map(_is_known, losses))]
    if not sound:
        return ""
    mean, name, losses = min(sound)
    figure = "validation loss" if any(row.validation_loss is not None for row in rows) else "training loss"
    told = f"{figure} {steady(mean)}"
    if len(losses) > 1:
        told = f"mean {told} ± {steady(stdev(losses))} over {len(losses)} seeds, {steady(min(losses))} to {steady(max(losses))}"
    return f"Lowest with {name}: {told}." if name and len(groups) > 1 else f"{told[0].upper()}{told[1:]}."


def _is_known(loss: float | None) -> bool:
    return loss is not None and math.isfinite(loss)


def _band(name: str, runs: Sequence[SweptRun], curve: str) -> SeedBand:
    """Runs that ended before the others count as far as they came."""
    known: dict[int, list[float]] = {}
    for run in runs:
        points: Curve = getattr(run, curve)
        for iteration, loss in points:
            if math.isfinite(loss):
                known.setdefault(iteration, []).append(loss)
    iterations = sorted(known)
    columns = [np.array([call(known[at]) for at in iterations], dtype=np.float64) for call in (fmean, min, max)]
    is_diverged = any(run.verdict == DIVERGED for run in runs)
    return SeedBand(name or "all runs", tuple(run.number for run in runs), np.array(iterations, dtype=np.float64), *columns, is_diverged)
