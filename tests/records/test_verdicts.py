"""How a run ended, told from constructed curves; runs of the engine are judged in tests/engine/test_learning_rates.py."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from nnviz.document.store.examples import open_document
from nnviz.records.run_records import CurvePoint
from nnviz.records.verdicts import LossNoise, from_plain, noise_of, plain, verdict, verdict_of_points

T = np.arange(400)
FALLING = 0.1 + 0.9 * np.exp(-T / 60)
MOONS = LossNoise(350, 32)


def noisy(curve: np.ndarray, deviation: float, seed: int = 0) -> np.ndarray:
    """A curve with batch noise that is smaller where the loss is."""
    return curve * (1 + deviation * np.random.default_rng(seed).standard_normal(curve.size))


@pytest.mark.parametrize(
    ("losses", "kind"),
    [
        (FALLING, "falling"),
        (1.0 - 1e-4 * T, "flat"),
        (np.full(400, 0.693), "flat"),
        (np.full(400, 0.0), "flat"),
        (FALLING + 0.2 * np.exp(-T / 150) * (-1.0) ** T + 0.2, "oscillating"),
        (0.5 + 0.2 * np.sin(T / 4), "oscillating"),
        (np.exp(T / 40), "diverged"),
        (np.where(T == 5, 1e5, 0.99), "diverged"),
        (np.where(T > 300, np.nan, FALLING), "diverged"),
        (np.where(T > 300, np.inf, FALLING), "diverged"),
        (np.where(T % 150 == 100, 3.0, FALLING), "falling"),
        (-FALLING[::-1], "falling"),
        ([0.7], "flat"),
        ([0.7, 0.6], "falling"),
        ([0.7, 7.0], "diverged"),
    ],
)
def test_a_curve_without_noise(losses, kind):
    assert verdict(losses).kind == kind


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("curve", "kind"), [(FALLING, "falling"), (1.0 - 1e-4 * T, "flat"), (np.full(400, 0.693), "flat")])
def test_the_noise_of_random_layers_is_no_oscillation(curve, kind, seed):
    assert verdict(noisy(curve, 0.3, seed), LossNoise(350, 32, is_random=True)).kind == kind
    assert verdict(noisy(curve, 0.1, seed), LossNoise(350, 350, is_random=True)).kind == kind


@pytest.mark.parametrize("seed", range(5))
def test_the_noise_of_batches_is_no_oscillation(seed):
    """An epoch sees every row once, so that its mean has no noise of the choice of rows, however different they are."""
    rows = np.random.default_rng(seed).gamma(0.3, 3.0, 350)  # the losses of single rows
    rows /= rows.mean()
    generator, losses = np.random.default_rng(seed), []
    while len(losses) < 400:
        order = generator.permutation(350)
        losses += [rows[order[k : k + 32]].mean() for k in range(0, 350, 32)]
    losses = np.array(losses[:400])
    assert verdict(losses * FALLING, MOONS, 1.0).kind == "falling"
    assert verdict(losses * (1.0 - 1e-4 * T), MOONS, 1.0).kind == "flat"
    waves = 0.6 + 0.3 * np.sin(T / 10)
    assert verdict(losses * waves, MOONS, 1.0).kind == "oscillating"
    assert verdict(losses * np.exp(T / 100), MOONS, 1.0).kind == "diverged"


def test_an_oscillation_gets_closer_to_a_minimum_or_does_not():
    settling = verdict(0.2 + 0.5 * np.exp(-T / 100) * (1 + 0.6 * (-1.0) ** T))
    steady = verdict(0.6 + 0.3 * (-1.0) ** T, start=0.7)
    assert (settling.kind, settling.is_converging) == ("oscillating", True)
    assert (steady.kind, steady.is_converging) == ("oscillating", False)
    assert steady.swing == pytest.approx(0.6) and steady.swings > 390
    assert "closer" in settling.sentence and "no closer" in steady.sentence


def test_the_numbers_behind_it():
    found = verdict(FALLING, start=1.2, validation=[(0, 1.2), (50, 0.6), (200, 0.4), (400, 0.5)])
    assert (found.start, found.swings, found.swing, found.noise, found.non_finite_at) == (1.2, 0, 0.0, 0.0, None)
    assert found.end == pytest.approx(0.1, abs=0.01) and found.lowest == FALLING[-1] and found.highest == 1.0
    assert (found.validation_lowest, found.validation_lowest_at, found.validation_end) == (0.4, 200, 0.5)
    assert found.sentence == f"Falling: from 1.2 to {found.end:.4g}."


def test_the_iteration_that_is_not_finite_is_named():
    assert verdict([0.7, 9.0, math.nan]).non_finite_at == 3
    stopped = verdict([0.7, 9.0], is_non_finite=True)
    assert (stopped.kind, stopped.non_finite_at) == ("diverged", 3) and math.isnan(stopped.end)
    assert stopped.sentence == "Diverged: iteration 3 is not finite; the loss went from 0.7 to 9."
    nothing = verdict([math.nan])
    assert (nothing.kind, nothing.non_finite_at) == ("diverged", 1)


def test_of_points_the_first_is_the_start():
    points = [CurvePoint(0, 0.7, 0.8), CurvePoint(1, 0.69), CurvePoint(2, 0.3, 0.4)]
    found = verdict_of_points(points)
    assert (found.kind, found.start, found.validation_end) == ("falling", 0.7, 0.4)
    assert verdict_of_points(points[:1]).kind == "flat"
    with pytest.raises(ValueError, match="no loss"):
        verdict_of_points([])


def test_what_makes_noise_is_read_from_the_document():
    moons = noise_of(open_document("example:moons"), 350)
    assert (moons.batches.tolist(), moons.is_random) == ([32] * 10 + [30], False)
    digits = open_document("example:digits")
    assert noise_of(digits, 100).is_random
    assert noise_of(open_document("example:batch_norm"), 350).is_random, "a row's answer depends on the other rows of its batch"
    assert noise_of(open_document("example:worked_2-2-1"), 1).batches.tolist() == [1]


def test_a_verdict_is_plain_values_and_back():
    found = verdict([1.0, 0.9, math.inf], validation=((0, 0.5), (2, 0.4)))
    assert math.isnan(found.end) and plain(found)["end"] is None
    again = from_plain(json.loads(json.dumps(plain(found), allow_nan=False)))
    assert repr(again) == repr(found), "NaN included"


@pytest.mark.parametrize(
    "change",
    [{"kind": "good"}, {"kind": None}, {"swings": "many"}, {"non_finite_at": 0.5}, {"start": []}, {"is_converging": 3}],
)
def test_other_values_are_no_verdict(change):
    assert from_plain(plain(verdict([1.0, 0.9])) | change) is None


def test_half_of_what_is_known_of_validation_is_nothing():
    found = from_plain(plain(verdict([1.0, 0.9], validation=((0, 0.5),))) | {"validation_lowest_at": None})
    assert found.validation_lowest is None
