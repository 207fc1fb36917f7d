"""Thinned curves keep their ends and extremes and invent nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnviz.ui.widgets.decimation import decimated, first_non_finite, smoothed

FINITE = st.floats(-1e9, 1e9, allow_nan=False)
CURVES = arrays.arrays(np.float64, st.integers(1, 3000), elements=FINITE)


@given(CURVES, st.integers(4, 200))
def test_keeps_extremes_and_ends(y, most):
    x = np.arange(y.size) * 2.0
    px, py = decimated(x, y, most)
    assert px.size <= most
    assert py.min() == y.min() and py.max() == y.max()
    assert (px[0], py[0], px[-1], py[-1]) == (x[0], y[0], x[-1], y[-1])


@given(CURVES, st.integers(4, 200))
def test_every_point_is_one_of_the_curve_in_order(y, most):
    px, py = decimated(np.arange(y.size), y, most)
    assert (np.diff(px) > 0).all()
    assert (y[px] == py).all()


def test_the_past_stays_while_the_curve_grows():
    y = np.random.default_rng(0).normal(size=9000)
    before, after = (decimated(np.arange(n), y[:n], 100)[0] for n in (8000, 8100))
    assert set(before[:-4]) <= set(after)


def test_a_short_curve_is_untouched():
    x, y = np.arange(500), np.ones(500)
    assert decimated(x, y)[1] is y


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="4 are needed"):
        decimated(np.arange(9), np.arange(9), 3)


@given(CURVES, st.integers(1, 50))
def test_smoothed_is_the_mean_of_the_last_values(y, window):
    place = y.size // 2
    expected = y[max(0, place - window + 1) : place + 1].mean()
    assert smoothed(y, window)[place] == pytest.approx(expected, rel=1e-6, abs=1e-3)


def test_first_non_finite():
    assert first_non_finite(np.array([1.0, np.inf, np.nan])) == 1
    assert first_non_finite(np.array([1.0, 2.0])) is None
    assert first_non_finite(np.array([])) is None
