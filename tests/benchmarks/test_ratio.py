"""The measuring itself: a benchmark that cannot fail would be worth nothing."""

from __future__ import annotations

import itertools

import pytest


def test_a_call_that_takes_longer_has_a_higher_ratio(ratio):
    assert ratio(lambda: sum(range(400_000)), lambda: sum(range(100_000)), enough=8, rounds=9) == pytest.approx(4, rel=0.5)


def test_own_measurements_are_taken_as_they_are(ratio):
    assert ratio(lambda: 3.0, lambda: 2.0, enough=2) == 1.5


def test_it_measures_again_only_while_there_is_not_enough(ratio):
    seconds = itertools.chain([9.0] * 5, itertools.repeat(1.0))
    assert ratio(lambda: next(seconds), lambda: 1.0, enough=2) == 1.0
    assert ratio(lambda: 9.0, lambda: 1.0, enough=2) == 9.0
