"""Levels, lines and colours of a loss over a plane, without a window."""

from __future__ import annotations

import numpy as np
import pytest

from nnviz.ui.landscape.loss_field import MOST_LEVELS, LossField


def bowl(lowest: float = 1.0, steep: float = 1.0, size: int = 21) -> LossField:
    x, y = np.linspace(-2, 2, size), np.linspace(-1, 1, size)
    return LossField(x, y, lowest + steep * (x[None, :] ** 2 + y[:, None] ** 2))


def test_levels_are_round_and_few():
    field = bowl()
    assert not field.is_log and np.allclose(np.diff(field.levels), np.diff(field.levels)[0])
    assert 5 <= len(field.levels) <= MOST_LEVELS + 4
    assert field.range[0] < field.levels[0] and field.levels[-1] < field.range[1]


def test_a_wide_range_has_levels_in_equal_ratios():
    field = bowl(0.001, 100.0)
    assert field.is_log and len(field.levels) <= MOST_LEVELS
    assert set(np.round(field.levels / 10 ** np.floor(np.log10(field.levels)), 9)) <= {1.0, 1.5, 2.0, 3.0, 5.0, 7.0}


def test_what_is_nearly_zero_does_not_take_all_levels():
    field = bowl(0.0, 1.0)
    assert field.is_log and field.levels[0] >= 1e-6 * field.range[1]
    losses = np.where(field.losses < 1, 1e-30, field.losses)
    assert LossField(field.x, field.y, losses).levels[0] >= 1e-6


def test_levels_are_told_apart_by_their_texts():
    x = np.linspace(0, 1, 9)
    field = LossField(x, x, 0.1632 + 0.0012 * x[None, :] * np.ones((9, 1)))
    assert len({field.text(level) for level in field.levels}) == len(field.levels) >= 4


@pytest.mark.parametrize("lowest", [1.0, 0.001])
def test_a_line_lies_where_the_loss_has_its_level(lowest):
    field = bowl(lowest, 1.0, 81)
    for level, lines in field.lines:
        for line in lines:
            at = lowest + (line**2).sum(1)
            assert np.allclose(at, level, rtol=0.02, atol=0.004)
    assert [level for level, lines in field.lines if lines] == field.levels.tolist()


def test_bands_change_at_the_levels_and_what_is_not_finite_stays_so():
    field = bowl()
    bands = field.bands(4)
    assert bands.shape == (81, 81) and len(np.unique(bands)) == len(field.levels) + 1 and bands[40, 40] == 0 and bands[0, 0] == 1
    losses = field.losses.copy()
    losses[0, 0], losses[5, 5] = np.nan, np.inf
    broken = LossField(field.x, field.y, losses)
    assert np.isnan(broken.bands(4)[:4, :4]).all() and np.isnan(broken.bands(4)[20, 20]) and np.isfinite(broken.bands(4)[40, 40])
    assert np.isnan(broken.share(losses)[5, 5]) and broken.lines and broken.range == field.range, "the other corners are as high"


def test_the_loss_between_the_points():
    field = bowl()
    assert field.at(0.0, 0.0) == 1.0 and field.at(-2.0, -1.0) == 6.0 and field.at(2.0, 1.0) == 6.0
    assert field.at(0.1, 0.0) == pytest.approx((1.0 + 1.04) / 2)
    assert np.isnan(field.at(2.1, 0.0))


def test_a_flat_plane_and_one_of_nothing_finite_have_no_levels():
    x = np.linspace(-1, 1, 3)
    for value in (2.0, 0.0, np.nan):
        field = LossField(x, x, np.full((3, 3), value))
        assert not len(field.levels) and not field.lines and field.bands(2).shape == (5, 5)
        assert np.isnan(field.share(field.losses)).all() if np.isnan(value) else (field.share(field.losses) == 0).all()
