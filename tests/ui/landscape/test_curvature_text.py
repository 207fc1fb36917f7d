"""What curvature says in words."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from nnviz.records.task_records import Curvature, GradientNoise, HessianCheck, NewtonStep, Stability
from nnviz.records.tensors import Array
from nnviz.ui.landscape._curvature_plot import bars_of
from nnviz.ui.landscape.curvature_text import cost, noise_section, reach, sections


def array(*values: float) -> Array:
    found = np.array(values, dtype=np.float64)
    return Array("float64", found.shape, found.tobytes())


FOUND = Curvature(
    loss=0.5,
    gradient_norm=1.0,
    layout=(("h.weight", 2), ("h.bias", 1)),
    eigenvalues=array(-0.5, 0.1, 4.0),
    vectors=array(0.0),
    steps=0,
    largest=4.0,
    smallest=-0.5,
    negative=1,
    flat=0,
    condition=40.0,
    check=HessianCheck(1e-5, 1e-9, 0),
    stability=Stability("sgd", 4.0, 2.0, 0.1, 0.5),
    newton=NewtonStep(9, 27, 1, 0, -1.0, 2.0, 0.7, 0.3, 0.1, 0.45, 0.44),
)


def said(found: Curvature) -> str:
    return "\n".join(" ".join(fact) for section in sections(found) for fact in section.facts)


def test_the_limit_of_the_learning_rate_is_information():
    assert "stable up to η 0.5 now η = 0.1" in said(FOUND) and "0.4 of 2" in said(FOUND) and reach(FOUND.stability) == 0.2
    beyond = replace(FOUND, stability=Stability("sgd", 4.0, 2.0, 0.8, 0.5))
    assert "full-batch steps grow" in said(beyond) and all(fact.tone != "loss" for part in sections(beyond) for fact in part.facts)
    never = replace(FOUND, stability=Stability("sgd", -1.0, 2.0, 0.1, None))
    assert "any η" in said(never) and reach(never.stability) == 0.0
    assert "has made no step" in said(replace(FOUND, stability=None, why_no_stability="It has made no step yet."))


def test_an_indefinite_hessian_is_told_beside_both_steps():
    text = said(FOUND)
    assert "gradient step 0.45" in text and "Newton step 0.7" in text and "indefinite, 1 directions curve down" in text
    uphill = replace(FOUND, newton=replace(FOUND.newton, slope=1.0))
    assert "uphill" in said(uphill) and "uphill" not in text


def test_a_kink_is_no_error():
    assert "kink" in said(replace(FOUND, check=HessianCheck(1e-5, 0.3, 7))) and "kink" not in said(FOUND)


def test_ends_of_a_spectrum_are_not_taken_for_all_of_it():
    ends = replace(FOUND, layout=(("h.weight", 5000),), steps=60, condition=None, newton=None)
    assert "3 of 5,000, at both ends" in said(ends) and "needs all eigenvalues" in said(ends)


def test_the_cost_is_told_before():
    assert cost(42) == "42 weights: a Hessian of P² = 1,764 numbers, P³ = 74,088 operations"
    assert "Lanczos" in cost(25_000)


def test_noise_is_compared_with_the_batch():
    noise = GradientNoise(10.0, 0.1, 100.0, 32, array(1.0), array(1.0))
    assert "noise prevails" in str(noise_section(noise)) and "100 rows" in str(noise_section(noise))
    assert "lost in the noise" in str(noise_section(replace(noise, scale=None)))


def test_bars_are_signed_and_largest_first():
    bars = bars_of(np.array([-0.5, 0.0, 5.0]), is_log=False)
    assert bars.values.tolist() == [5.0, 0.0, -0.5] and bars.heights.tolist() == [1.0, 0.0, -0.1]
    heights = bars_of(np.array([-5.0, 0.0, 0.005, 5.0]), is_log=True).heights
    assert np.allclose(heights, [1.0, 0.5, 0.0, -1.0])
