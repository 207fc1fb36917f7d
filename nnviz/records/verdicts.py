"""How a run ended, told from its loss curve: flat, falling, oscillating or diverged, with the numbers that say so. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from nnviz.document.catalog import layer_kind
from nnviz.document.experiment import Experiment
from nnviz.records.run_records import CurvePoint

VERDICTS = ("flat", "falling", "oscillating", "diverged")

FALLEN = 0.05
"""A run that ends by less than this share below its start is flat."""
FAR_ABOVE = 3.0
"""A run that ends at so many times its start has diverged."""
BLOWN_UP = 10.0
"""So has one that was once at so many times its start …"""
RUINED = 0.75
"""… and ends above this share of it: the blow-up has ruined its weights."""
SWING = 0.05
"""A swing counts from this share of the whole descent on …"""
SWING_OF_START = 0.02
"""… and this share of the loss at the start, and …"""
SIGMAS = 5.0
"""… so many standard deviations of what is left of the batches' noise."""
FEWEST_SWINGS = 6
"""So many up and down together are an oscillation …"""
AWAY = 0.15
"""… if the loss is half a swing above its lowest so far for at least this share of the time: a few spikes are none."""
SETTLING = 0.9
"""An oscillating run converges if the mean of its last quarter is below this share of that of its second quarter, counted from its lowest
loss, or if its last swings are below this share of its first."""
FEWEST_EPOCHS = 6
"""A run of fewer epochs …"""
BLOCKS = 12
"""… is cut into so many parts instead."""
MOST_BLOCKS = 48
"""Of a net that draws random numbers more than one epoch is taken together until there are no more blocks than that."""

_DROPPING, _DRAWING = ("dropout", "spatial_dropout"), ("noise", "gaussian_latent", "random")
"""Layers that draw random numbers in training: those that the master switch of dropout turns off, and others."""


class Verdict(msgspec.Struct, frozen=True):
    """How a run ended, and the numbers behind it. Losses are means over epochs (over parts of them in a short run), free of most of the
    noise of the batches."""

    kind: str
    """flat · falling · oscillating · diverged"""
    start: float
    """Of the first iterations."""
    end: float
    """The median of the last tenth; not finite where the run ended so."""
    lowest: float
    highest: float
    swings: int
    """How often it went up or down by more than its noise explains."""
    swing: float
    """The median size of these; 0 if there is none."""
    noise: float
    """The standard deviation that the choice of batches alone gives the means."""
    is_converging: bool = False
    """Of an oscillating run: whether it still gets closer to a minimum."""
    non_finite_at: int | None = None
    """The first iteration whose loss is not finite, or could not be made."""
    validation_lowest: float | None = None
    validation_lowest_at: int | None = None
    """The iteration of the lowest validation loss."""
    validation_end: float | None = None

    @property
    def sentence(self) -> str:
        """What a person reads."""
        return _SENTENCES[self.kind](self)


_NUMBERS = ("start", "end", "lowest", "highest", "swing", "noise")
"""The figures of a verdict that are always there, though they may not be finite."""


def plain(found: Verdict) -> dict[str, Any]:
    """Return a verdict as values that JSON knows; None for what is not finite."""
    values = msgspec.to_builtins(found)
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()}


def from_plain(values: dict[str, Any]) -> Verdict | None:
    """Return the verdict that `plain` gave these values; None if they are none."""
    has_validation = values.get("validation_lowest") is not None and values.get("validation_lowest_at") is not None
    numbers = (*_NUMBERS, "validation_end") if has_validation else _NUMBERS
    absent = {} if has_validation else {"validation_lowest": None, "validation_lowest_at": None}
    known = {name: math.nan for name in numbers if values.get(name) is None}
    try:
        found = msgspec.convert(values | known | absent, Verdict)
    except (msgspec.ValidationError, OverflowError):
        return None
    return found if found.kind in VERDICTS else None


class LossNoise(msgspec.Struct, frozen=True):
    """What makes the losses of neighbouring iterations differ besides the weights."""

    rows: int = 1
    """How many are trained on."""
    batch_size: int = 1
    is_random: bool = False
    """Whether the net itself draws random numbers, as dropout does, or a row's answer depends on the other rows of its batch."""

    @property
    def batches(self) -> np.ndarray:
        """How many rows each batch of an epoch has."""
        return np.minimum(self.batch_size, self.rows - np.arange(0, self.rows, self.batch_size))


FULL_BATCHES = LossNoise()
"""None at all."""


def noise_of(experiment: Experiment, rows: int) -> LossNoise:
    """Return the noise of the losses of an experiment that trains on so many rows."""
    training = experiment.training
    drops = training.dropout and any(layer.kind in _DROPPING or layer.settings.get("dropout") for layer in experiment.network)
    size = min(training.batch_size or rows, rows)
    draws = any(layer.kind in _DRAWING or (layer_kind(layer.kind).compares_rows and size < rows) for layer in experiment.network)
    return LossNoise(rows, size, drops or draws)


def verdict_of_points(points: Sequence[CurvePoint], noise: LossNoise = FULL_BATCHES, is_non_finite: bool = False) -> Verdict:
    """Return the verdict on the points of a run, of which the first is that of iteration 0. `is_non_finite`: the run stopped because the
    next iteration has no finite numbers. Raises ValueError without any point."""
    validation = [(point.iteration, point.validation_loss) for point in points if point.validation_loss is not None]
    losses = [point.loss for point in points]
    return verdict(losses[1:] or losses, noise, losses[0] if losses else None, validation, is_non_finite)


def verdict(
    losses: Sequence[float],
    noise: LossNoise = FULL_BATCHES,
    start: float | None = None,
    validation: Sequence[tuple[int, float]] = (),
    is_non_finite: bool = False,
) -> Verdict:
    """Return how a run ended. `losses`: of iteration 1, 2, …; `start`: over all rows before the first; `validation`: iterations and what
    was measured there. Raises ValueError without any loss."""
    values = np.asarray(losses, dtype=np.float64)
    if not values.size:
        raise ValueError("There is no loss to judge by.")
    bad = np.flatnonzero(~np.isfinite(values))
    non_finite_at = int(bad[0]) + 1 if bad.size else values.size + 1 if is_non_finite else None
    finite = values[: bad[0]] if bad.size else values
    if not finite.size:
        return _with_validation(Verdict("diverged", *[math.nan] * 4, 0, 0.0, 0.0, non_finite_at=non_finite_at), validation)
    levels, left = _levels(finite, noise)
    if start is not None and math.isfinite(start):
        levels = np.concatenate([[start], levels])
    numbers = _numbers(levels, left)
    end = math.nan if non_finite_at else numbers["end"]
    found = Verdict("flat", noise=left, non_finite_at=non_finite_at, **numbers | {"end": end, "highest": float(finite.max())})
    return _with_validation(msgspec.structs.replace(found, **_kind(found, levels)), validation)


def _levels(values: np.ndarray, noise: LossNoise) -> tuple[np.ndarray, float]:
    """Means over epochs, each of which sees every row once, or over shorter blocks of a short run; and how much noise is left in them."""
    batches = noise.batches
    per_epoch = batches.size
    if per_epoch == 1 and not noise.is_random:
        return values, 0.0
    has_epochs = values.size >= FEWEST_EPOCHS * per_epoch
    length = max(1, per_epoch if has_epochs else values.size // BLOCKS, values.size // MOST_BLOCKS if noise.is_random else 1)
    count = values.size // length
    weights = batches if length == per_epoch else np.ones(length)
    levels = np.average(values[: count * length].reshape(count, length), axis=1, weights=weights)
    if length == per_epoch and not noise.is_random:
        return levels, 0.0  # the rows are the same in every one
    jumps = np.abs(np.diff(values)) if values.size > 1 else np.zeros(1)  # of neighbours: what changes slowly is no noise
    return levels, float(np.median(jumps)) * 1.0484 / math.sqrt(length)  # 1.4826 / √2: from their median to a standard deviation


def _numbers(levels: np.ndarray, noise: float) -> dict[str, float]:
    start, lowest = float(levels[0]), float(levels.min())
    sizes = _swings(levels, _threshold(start, lowest, noise))
    end = float(np.median(levels[-max(1, levels.size // 10) :]))
    swing = float(np.median(sizes)) if sizes else 0.0
    return {"start": start, "end": end, "lowest": lowest, "swings": len(sizes), "swing": swing}


def _threshold(start: float, lowest: float, noise: float) -> float:
    return max(SWING * (start - lowest), SWING_OF_START * abs(start), SIGMAS * noise, 1e-300)


def _swings(levels: np.ndarray, threshold: float) -> list[float]:
    """The sizes of all ways up and down of at least `threshold` behind the first descent, in their order."""
    sizes: list[float] = []
    low = high = turn = float(levels[0])
    direction = -1  # a run is expected to fall at first
    for level in levels.tolist():
        low, high = min(low, level), max(high, level)
        if direction < 0 and level - low >= threshold:
            sizes.append(turn - low)
            direction, turn, high = 1, low, level
        elif direction > 0 and high - level >= threshold:
            sizes.append(high - turn)
            direction, turn, low = -1, high, level
    return sizes[1:]


def _kind(found: Verdict, levels: np.ndarray) -> dict[str, object]:
    scale = abs(found.start) or 1.0
    is_no_better = found.end >= found.start - FALLEN * scale
    if found.non_finite_at or found.end - found.start >= (FAR_ABOVE - 1) * scale:
        return {"kind": "diverged"}
    if found.highest - found.start >= (BLOWN_UP - 1) * scale and found.end >= found.start - (1 - RUINED) * scale:
        return {"kind": "diverged"}
    threshold = _threshold(found.start, found.lowest, found.noise)
    away = float((levels - np.minimum.accumulate(levels) >= threshold / 2).mean())
    if found.swings >= FEWEST_SWINGS and away >= AWAY:
        return {"kind": "oscillating", "is_converging": not is_no_better and _is_settling(levels, threshold)}
    is_noise = found.start - found.end < SIGMAS / 2 * found.noise  # the start has none of it
    return {"kind": "flat" if is_no_better or is_noise else "falling"}


def _is_settling(levels: np.ndarray, threshold: float) -> bool:
    quarter = max(1, levels.size // 4)
    early, late = (float(part.mean() - levels.min()) for part in (levels[quarter : 2 * quarter], levels[-quarter:]))
    first, last = (_swings(part, threshold) for part in (levels[: levels.size // 2], levels[levels.size // 2 :]))
    is_smaller = bool(first) and (not last or float(np.mean(last)) < SETTLING * float(np.mean(first)))
    return late < SETTLING * early or is_smaller


def _with_validation(found: Verdict, validation: Sequence[tuple[int, float]]) -> Verdict:
    measured = [(loss, at) for at, loss in validation if math.isfinite(loss)]
    if not measured:
        return found
    lowest, at = min(measured)
    return msgspec.structs.replace(found, validation_lowest=lowest, validation_lowest_at=at, validation_end=validation[-1][1])


def _flat(found: Verdict) -> str:
    return f"Flat: from {found.start:.4g} to {found.end:.4g}."


def _falling(found: Verdict) -> str:
    return f"Falling: from {found.start:.4g} to {found.end:.4g}."


def _oscillating(found: Verdict) -> str:
    course = "and gets closer to a minimum" if found.is_converging else "and gets no closer to a minimum"
    return f"Oscillating: {found.swings} swings of about {found.swing:.2g}, {course}; from {found.start:.4g} to {found.end:.4g}."


def _diverged(found: Verdict) -> str:
    if found.non_finite_at:
        return f"Diverged: iteration {found.non_finite_at} is not finite; the loss went from {found.start:.4g} to {found.highest:.3g}."
    return f"Diverged: from {found.start:.4g} up to {found.highest:.4g}, and {found.end:.4g} at the end."


_SENTENCES = {"flat": _flat, "falling": _falling, "oscillating": _oscillating, "diverged": _diverged}
