"""The curves of a run grow, and none that was seen changes."""

from __future__ import annotations

import numpy as np

from nnviz.records.run_records import CurvePoint
from nnviz.session.run_curves import Curves
from tests.curve_points import travelling


def points(*iterations: int, loss: float = 0.5):
    return travelling(*(CurvePoint(iteration, loss * iteration, iteration if iteration % 2 else None) for iteration in iterations))


def seen(curves: Curves) -> list[list[float | None]]:
    return [[None if np.isnan(value) else value for value in column.tolist()] for column in curves.columns()]


def test_points_become_columns_with_nan_where_nothing_was_measured():
    last = CurvePoint(2, 0.6, None, None, 0.5, None, 0.01)
    curves = Curves.of(travelling(CurvePoint(0, 0.7, 0.6, None, 0.7, 0.9), CurvePoint(1, 0.65, learning_rate=0.02), last))
    measured = [[0.6, None, None], [None] * 3, [0.7, None, 0.5], [0.9, None, None]]
    assert seen(curves) == [[0, 1, 2], [0.7, 0.65, 0.6], *measured, [None, 0.02, 0.01]]
    assert curves.with_points(None) is curves and Curves.of(None).iteration.size == 0


def test_what_was_seen_stays_whatever_comes_behind_it():
    first = Curves.of(points(0, 1, 2))
    second = first.with_points(points(3, 4))
    other = first.with_points(points(3, 4, 5, loss=9.0))
    third = second.with_points(points(*range(5, 5000)))
    replaced = second.with_points(points(4, 5, loss=7.0))
    assert first.iteration.tolist() == [0, 1, 2] and second.loss.tolist() == [0, 0.5, 1, 1.5, 2]
    assert other.loss.tolist() == [0, 0.5, 1, 27, 36, 45]
    assert third.iteration.tolist() == list(range(5000)) and third.loss.tolist() == [0.5 * place for place in range(5000)]
    assert replaced.loss.tolist() == [0, 0.5, 1, 1.5, 28, 35] and second.loss.size == 5
    assert first.with_points(points(0, loss=1.0)).iteration.tolist() == [0]


def test_a_long_run_is_not_copied_for_every_frame():
    curves, grown = Curves.of(points(*range(100))), 0
    for start in range(100, 20_000, 100):
        before, curves = curves, curves.with_points(points(*range(start, start + 100)))
        grown += not np.shares_memory(before.loss, curves.loss)
    assert curves.iteration.tolist() == list(range(20_000)) and grown < 12
