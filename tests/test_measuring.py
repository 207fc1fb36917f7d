"""What `make bench` measures with: calls that return their own seconds, so that no load of the machine changes what is found."""

from __future__ import annotations

import itertools

from tests.benchmarks.measuring import Row, ratio, table


def test_a_call_that_takes_longer_has_a_higher_ratio():
    assert ratio(lambda: 3.0, lambda: 2.0, goal=2) == 1.5
    assert ratio(lambda: 6.0, lambda: 2.0, goal=2) == 3


def test_the_two_are_measured_in_turn_and_the_median_of_the_pairs_counts():
    calls, baselines = iter([4.0, 90.0, 12.0]), iter([2.0, 1.0, 4.0])
    assert ratio(lambda: next(calls), lambda: next(baselines), goal=3, rounds=3) == 3


def test_what_returns_no_seconds_is_timed():
    assert ratio(lambda: None, lambda: 1e9, goal=1, rounds=1) < 1


def test_it_measures_again_only_while_the_goal_is_not_reached():
    seconds = itertools.chain([9.0] * 5, [1.0] * 5)
    assert ratio(lambda: next(seconds), lambda: 1.0, goal=2) == 1
    assert list(seconds) == []
    seconds = iter([8.0, 7.0, 9.0, 1.0])
    assert ratio(lambda: next(seconds), lambda: 1.0, goal=2, rounds=1) == 7
    assert list(seconds) == [1]


def test_the_table_says_of_every_row_whether_the_goal_is_reached():
    rows = [Row("painting", 1.234, 2), Row("waiting for the window", 61.5, 50, "ms")]
    assert table(rows) == [
        "work                      ratio   goal  reached",
        "-----------------------------------------------",
        "painting                   1.23      2  yes",
        "waiting for the window  61.5 ms  50 ms  no",
    ]
