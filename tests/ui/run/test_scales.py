"""Scales go both ways, limits are round and hold still."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.ui.widgets.scales import AxisScale, decades, held, nice_step, snapped

VALUES = st.floats(-1e6, 1e6, allow_nan=False)


@given(VALUES, VALUES, st.integers(1, 10))
def test_snapped_limits_surround(a, b, parts):
    low, high = snapped(min(a, b), max(a, b), parts)
    slack = 1e-8 * (high - low)
    assert low < high
    assert low - slack <= min(a, b) and max(a, b) <= high + slack


def test_snapped_does_not_jump():
    assert snapped(0.013, 0.912) == snapped(0.002, 0.871) == (0.0, 1.0)


@given(st.floats(1e-9, 1e9), st.integers(1, 20))
def test_nice_step_divides_into_at_most_that_many(span, parts):
    step = nice_step(span, parts)
    assert span / step <= parts * (1 + 1e-6)
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 5)


def test_decades_surround_and_never_coincide():
    assert decades(0.02, 0.7) == pytest.approx((0.01, 1))
    assert decades(0.1, 0.1) == pytest.approx((0.1, 1))


@given(st.floats(0, 1), st.booleans())
def test_value_undoes_the_scale(share, log):
    scale = AxisScale(0.01, 100.0, 20.0, 220.0, log)
    value = scale.value(20 + 200 * share)
    assert float(scale(value)) == pytest.approx(20 + 200 * share, abs=1e-6)


@given(st.floats(), st.booleans())
def test_one_value_stands_where_it_stands_among_others(value, log):
    scale = AxisScale(0.01, 100.0, 20.0, 220.0, log)
    assert float(scale(value)) == pytest.approx(float(scale(np.array([value]))[0]), rel=1e-14, nan_ok=True)


def test_limits_hold_while_they_fit():
    assert held(None, (0, 1)) == (0, 1)
    assert held((0, 1), (0, 0.6)) == (0, 1)
    assert held((0, 1), (0, 0.4)) == (0, 0.4)
    assert held((0, 1), (0, 1.5)) == (0, 1.5)
